"""Between the values of the rules and the nouns of the standard.

Longer than 400 lines because the service speaks with all its neighbours in nine nouns, each in a few lines.
"""

from collections.abc import Iterable
from datetime import datetime

from contracts.codes.end_device_controls import PING
from contracts.codes.end_device_events import ANSWERS, EventKind, kind_of
from contracts.codes.ping_results import CODES, PingResult
from contracts.errors import Invalid, from_reply
from contracts.message import Message
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.get_switching_studies import GetSwitchingStudies, SwitchingOption
from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.switching_plans import (
    SwitchAction,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingPlanState,
    SwitchingStep,
    SwitchingStepGroup,
)
from contracts.nouns.switching_studies import StudyOperation
from contracts.nouns.trouble_tickets import TroubleTicket, TroubleTicketState
from contracts.nouns.unplanned_outages import (
    CrewStatusKind,
    OutageCauseKind,
    OutageStatusKind,
    RestorationStep,
    UnplannedOutage,
    UnplannedOutages,
    VerificationKind,
)
from contracts.nouns.work_requests import Asset, Work, WorkRequest, WorkRequests, WorkTask
from contracts.nouns.work_types import (
    ActivityRecord,
    Priority,
    WorkKind,
    WorkStatusKind,
    WorkTaskKind,
    WorkTimeSchedule,
    WorkTimeScheduleKind,
)
from contracts.types import DateTimeInterval, Name, NameType, NameTypeAuthority, ObjectReference, Reference, Status
from contracts.verbs import Verb
from services.fault_management.domain.assessment import Report
from services.fault_management.domain.calls import Concern, Incident, concern_of, is_settled, point_of
from services.fault_management.domain.decisions import Decision
from services.fault_management.domain.etr import shown
from services.fault_management.domain.evidence import HISTORY, Evidence, EvidenceKind, Outcome, Ping
from services.fault_management.domain.isolation import Move
from services.fault_management.domain.network import Network
from services.fault_management.domain.outage import FINAL, INFERRED, Outage, Plan, S
from services.fault_management.domain.proposal import Advice
from services.fault_management.domain.situation import Wish
from services.fault_management.domain.structure import code

NO_ANSWER = "4.1"
"""The code of a control that its device did not answer in time (61968-9 annex G)."""

OUTAGE_NAME = "UnplannedOutage"
"""The type of the name by which a work knows its outage."""

INCIDENT_NAME = "Incident"
"""The type of the name by which a work knows the hazard or other trouble that it is about."""

_EVIDENCE: dict[EventKind | None, EvidenceKind] = {
    EventKind.POWER_LOST: EvidenceKind.GASP,
    EventKind.POWER_RESTORED: EvidenceKind.RESTORED,
    EventKind.CONNECTED: EvidenceKind.CONNECTED,
    EventKind.DISCONNECTED: EvidenceKind.DISCONNECTED,
    EventKind.METER_INSTALLED: EvidenceKind.INSTALLED,
    EventKind.METER_REMOVED: EvidenceKind.REMOVED,
}

_CALLS = {None: EvidenceKind.CALL, "powerOut": EvidenceKind.CALL, "partialPower": EvidenceKind.PARTIAL}

_CREW = {
    WorkStatusKind.DISPATCHED: CrewStatusKind.ASSIGNED,
    WorkStatusKind.ENROUTE: CrewStatusKind.ENROUTE,
    WorkStatusKind.ON_SITE: CrewStatusKind.ARRIVED,
    WorkStatusKind.IN_PROGRESS: CrewStatusKind.ARRIVED,
    WorkStatusKind.COMPLETED: CrewStatusKind.FIELD_COMPLETE,
    WorkStatusKind.CLOSED: CrewStatusKind.FIELD_COMPLETE,
}


def evidence_in(events: EndDeviceEvents, now: datetime) -> list[Evidence]:
    """What meter events say about power or the work at a meter; other events, and gasps that are history, do not."""
    found = []
    for event in events.end_device_event:
        kind = EvidenceKind.ANSWERED if _is_answer(event) else _EVIDENCE.get(kind_of(event.end_device_event_type.ref))
        point = None if event.usage_point is None else event.usage_point.mrid
        late = kind is EvidenceKind.GASP and now - event.created_date_time > HISTORY
        if kind is not None and point is not None and not late:
            meter = event.assets.mrid if event.assets is not None else None
            found.append(Evidence(usage_point=point, time=event.created_date_time, kind=kind, source=meter or point))
    return found


def _is_answer(event: EndDeviceEvent) -> bool:
    """True for what a meter says because it was asked: that it has power, and not that it had none before."""
    restored = kind_of(event.end_device_event_type.ref) is EventKind.POWER_RESTORED
    return restored and any(detail.name == ANSWERS for detail in event.end_device_event_details)


def question(ping: Ping, network: Network) -> EndDeviceControls:
    """Ask the meter at a usage point whether it has power."""
    control = EndDeviceControl(
        mrid=ping.mrid,
        reason="Is the power there?",
        end_device_control_type=Reference(ref=PING),
        end_devices=(EndDevice(mrid=network.points[ping.usage_point].meter),),
        usage_points=(ObjectReference(mrid=ping.usage_point),),
    )
    return EndDeviceControls(end_device_control=(control,))


def outcome_of(ping: Ping, message: Message[EndDeviceControls], now: datetime) -> tuple[Outcome, list[Evidence]]:
    """What came of asking a meter, and what that says of power: only an answer says something, and stays one.

    An answer is also that it has none.
    """
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None and failure.code == CODES[PingResult.OFF]:
        source = failure.object_id or ping.usage_point
        none = Evidence(usage_point=ping.usage_point, time=now, kind=EvidenceKind.OFF, source=source)
        return Outcome.ANSWERED, [none]
    if failure is not None:
        outcome = Outcome.SILENT if failure.code == NO_ANSWER else Outcome.REFUSED
        return (Outcome.ANSWERED if ping.outcome is Outcome.ANSWERED else outcome), []
    controls = () if message.payload is None else message.payload.end_device_control
    timing = next((each.primary_device_timing for each in controls), None)
    at = None if timing is None or timing.interval is None else timing.interval.start
    meter = next((device.mrid for each in controls for device in each.end_devices), None)
    answered = Evidence(
        usage_point=ping.usage_point,
        time=min(at or now, now),
        kind=EvidenceKind.ANSWERED,
        source=meter or ping.usage_point,
    )
    return Outcome.ANSWERED, [answered]


def all_well(before: TroubleTicket, ticket: TroubleTicket, now: datetime) -> list[Evidence]:
    """What it says of power that a customer who was called back has some, or that a clerk has settled his trouble."""
    point = point_of(ticket)
    if point is None or ticket.mrid is None or not is_settled(before, ticket):
        return []
    return [Evidence(usage_point=point, time=now, kind=EvidenceKind.RESTORED, source=ticket.mrid)]


def call(ticket: TroubleTicket, now: datetime, at: datetime | None = None) -> Evidence | None:
    """What a ticket says about power, if it says that it is missing and where; no call is from the future.

    ``at`` is when it was said, where that was not when the ticket was reported.
    """
    point = point_of(ticket)
    kind = _CALLS.get(ticket.trouble_code)
    if point is None or ticket.mrid is None or kind is None or concern_of(ticket) is not Concern.SUPPLY:
        return None
    return Evidence(usage_point=point, time=min(at or ticket.date_time_of_report, now), kind=kind, source=ticket.mrid)


def decision_in(noun: UnplannedOutage, by: str, outage: Outage, network: Network | None) -> Decision:
    """What somebody wants to be otherwise: whatever an outage says that differs from how it is told.

    An end alone is that of all who had supply again last.
    """
    now = _as_noun(outage, network, None)
    period, told = noun.actual_period or DateTimeInterval(), now.actual_period or DateTimeInterval()
    steps = {point.mrid or "": step.date_time for step in noun.restoration_step for point in step.usage_point}
    if period.end is not None and period.end != told.end and not steps:
        steps = {mrid: period.end for mrid, at in outage.restored.items() if at == told.end}
    wish, state = noun.estimated_restoration_time, now.estimated_restoration_time
    devices = {each.mrid for each in noun.opened_switches} - {outage.device}
    if len(devices) > 1:
        raise Invalid("OpenedSwitches: an outage has one device", object_id=outage.mrid)
    status = noun.status or Status()
    return Decision(
        mrid=outage.mrid,
        by=by,
        revision=noun.revision_number,
        state=None if status.value in {None, outage.state} else status.value,
        reason=None if status.reason == outage.why else status.reason,
        cause=None if noun.cause == outage.cause else noun.cause,
        remedy=None if noun.remedy == outage.remedy else noun.remedy,
        device=next(iter(devices), None),
        frozen=None if noun.frozen in {None, outage.frozen} else noun.frozen,
        expected=None if wish is None or wish == state else wish.ert,
        since=None if period.start in {None, outage.since} else period.start,
        restored={mrid: at for mrid, at in steps.items() if outage.restored.get(mrid) != at},
    )


def told_of_ticket(ticket: TroubleTicket) -> Verb:
    """The event that tells of this value of a ticket."""
    closed = ticket.status is not None and ticket.status.value == TroubleTicketState.CLOSED
    return Verb.CLOSED if closed else Verb.CHANGED


def told(outage: Outage) -> Verb:
    """The event that tells of this value of an outage."""
    if outage.state in FINAL:
        return Verb.CLOSED
    return Verb.CREATED if outage.revision == 1 else Verb.CHANGED


def as_noun(outages: Iterable[Outage], network: Network | None, changed_at: datetime | None = None) -> UnplannedOutages:
    """The outages as others see them; without a network nothing can be said about names and customers."""
    return UnplannedOutages(unplanned_outage=tuple(_as_noun(outage, network, changed_at) for outage in outages))


def _as_noun(outage: Outage, network: Network | None, changed_at: datetime | None) -> UnplannedOutage:
    asked = (outage.opening, outage.closing, outage.restoring, outage.returning)
    plans = [plan.mrid for plan in asked if plan is not None]
    opened = () if outage.device is None else (_named(outage.device, network),)
    return UnplannedOutage(
        mrid=outage.mrid,
        cancelled_date_time=outage.dismissed_at,
        cause=outage.cause,
        cause_kind=OutageCauseKind.UNPLANNED,
        comment=outage.trouble,
        created_date_time=outage.suspected_at,
        customers_restored=_customers(outage.restored, network),
        frozen=outage.frozen or None,
        last_modified_date_time=changed_at,
        original_customers_served=_customers(outage.points, network),
        original_meters_affected=len(outage.points),
        outage_kind=OutageStatusKind.PREDICTED if outage.state in INFERRED else OutageStatusKind.CONFIRMED,
        phases=None if outage.phases is None else code(outage.phases),
        remedy=outage.remedy,
        reported_start_time=outage.since,
        revision_number=outage.revision,
        status_kind=outage.crew,
        verification=_verification(outage),
        actual_period=DateTimeInterval(start=outage.since, end=outage.ended_at),
        de_energized_usage_point=_points(mrid for mrid in outage.points if mrid not in outage.restored),
        energized_usage_point=_points(mrid for mrid in outage.points if mrid in outage.restored),
        estimated_restoration_time=None if outage.expected is None else shown(outage.expected),
        opened_switches=opened,
        outage_isolation_equipment=tuple(_named(mrid, network) for mrid in _isolating(outage, network)),
        parent_outage=None if outage.parent is None else ObjectReference(mrid=outage.parent),
        restoration_step=_steps(outage.restored),
        status=Status(
            date_time=max(outage.restored.values(), default=outage.since), reason=outage.why, value=outage.state
        ),
        switching_plans=_points(plans),
        trouble_ticket=_points(outage.tickets),
        unverified_usage_point=_points(sorted({*outage.unknown, *outage.handed})),
    )


def _verification(outage: Outage) -> VerificationKind | None:
    if outage.unconfirmed or outage.unknown:
        return VerificationKind.UNKNOWN
    return VerificationKind.CONFIRMED if outage.state in {S.VERIFIED, S.CLOSED} else None


def _isolating(outage: Outage, network: Network | None) -> list[str]:
    """What people opened, and what our plan opened, as far as it is open."""
    ours = () if outage.restoring is None or network is None else outage.restoring.isolating
    return sorted({*outage.isolation, *(mrid for mrid in ours if network is not None and network.is_open(mrid))})


def _customers(points: Iterable[str], network: Network | None) -> int | None:
    if network is None:
        return None
    return sum(network.points[mrid].customers for mrid in points if mrid in network.points)


def _steps(restored: dict[str, datetime]) -> tuple[RestorationStep, ...]:
    """Whose interruption ended when, the earliest first."""
    together: dict[datetime, list[str]] = {}
    for mrid in sorted(restored):
        together.setdefault(restored[mrid], []).append(mrid)
    return tuple(RestorationStep(date_time=at, usage_point=_points(together[at])) for at in sorted(together))


def _points(mrids: Iterable[str]) -> tuple[ObjectReference, ...]:
    return tuple(ObjectReference(mrid=mrid) for mrid in mrids)


def _named(mrid: str, network: Network | None) -> ObjectReference:
    name = None if network is None else network.name(mrid)
    return ObjectReference(mrid=mrid, names=() if name is None else (Name(name=name),))


def work_request(outage: Outage, network: Network, now: datetime, mrids: tuple[str, str]) -> WorkRequests:
    """Ask for the repair of an outage; ``mrids`` are those of the request and of its task.

    The asset is what is thought to be out, or else the usage point that has no power.
    """
    place = outage.device or outage.points[0]
    named = _named(place, network)
    critical = sum(network.points[mrid].critical for mrid in outage.points if mrid in network.points)
    customers = _customers(outage.points, network)
    task = WorkTask(
        mrid=mrids[1],
        instruction="Find the fault, repair it, and say which device is open",
        subject=outage.why,
        task_kind=WorkTaskKind.INVESTIGATE,
        assets=(Asset(mrid=place, critical=critical > 0, names=named.names),),
    )
    work = Work(
        mrid=outage.work,
        kind=WorkKind.REPAIR,
        request_date_time=now,
        names=(
            Name(
                name=outage.mrid,
                name_type=NameType(name=OUTAGE_NAME, name_type_authority=NameTypeAuthority(name="fault-management")),
            ),
        ),
        priority=Priority(
            justification=f"{customers} customers, {critical} critical", rank=2 if critical else 3, type="outage"
        ),
        work_tasks=(task,),
    )
    return WorkRequests(work_request=(WorkRequest(mrid=mrids[0], work=(work,)),))


def recall(outage: Outage, now: datetime) -> WorkRequests:
    """Take back the work on an outage that was none, with the reason."""
    reason = ActivityRecord(created_date_time=now, reason=outage.why, type="dismissal")
    return WorkRequests(work_request=(WorkRequest(work=(Work(mrid=outage.work, activity_records=(reason,)),)),))


def incident_request(incident: Incident, now: datetime, mrids: tuple[str, str]) -> WorkRequests:
    """Ask for the work on a hazard or other trouble; ``mrids`` are those of the request and of its task."""
    task = WorkTask(
        mrid=mrids[1],
        instruction="Make the place safe, and repair it"
        if incident.hazard
        else "See what is the matter, and repair it",
        subject=f"{incident.kind}, reported by {len(incident.tickets)} caller(s)",
        task_kind=WorkTaskKind.INVESTIGATE,
        assets=(Asset(mrid=incident.point),),
    )
    name_type = NameType(name=INCIDENT_NAME, name_type_authority=NameTypeAuthority(name="fault-management"))
    work = Work(
        mrid=incident.work,
        kind=WorkKind.REPAIR,
        request_date_time=now,
        names=(Name(name=incident.mrid, name_type=name_type),),
        priority=Priority(
            justification=incident.kind, rank=incident.rank, type="hazard" if incident.hazard else "trouble"
        ),
        work_tasks=(task,),
    )
    return WorkRequests(work_request=(WorkRequest(mrid=mrids[0], work=(work,)),))


def work_in(requests: WorkRequests | None) -> str | None:
    """The mRID that work management gave to a work, if it says so."""
    if requests is None:
        return None
    return next((work.mrid for request in requests.work_request for work in request.work), None)


def switching_plan(wish: Wish, outage: Outage, plan: Plan, network: Network, now: datetime) -> SwitchingPlans:
    """Ask network operation to take a device as open that the crew found so, to close it, or to do what is proposed."""
    name = network.name(outage.device)
    groups = {
        Wish.OPENING: ("As found", (Move(switch=outage.device or "", kind=SwitchActionKind.OPEN),)),
        Wish.CLOSING: ("Restoration", (Move(switch=outage.device or "", kind=SwitchActionKind.CLOSE),)),
        Wish.RESTORING: ("Isolation and restoration", plan.moves),
        Wish.RETURNING: ("Return to normal", plan.moves),
    }
    purposes = {
        Wish.OPENING: f"Take {name} as open, as the crew found it",
        Wish.CLOSING: f"Restoration: close {name} after the repair",
        Wish.RESTORING: f"FLISR: isolate the fault below {name} and supply the others",
        Wish.RETURNING: f"FLISR: back to normal after the repair below {name}",
    }
    description, moves = groups[wish]
    steps = tuple(
        SwitchingStep(
            sequence_number=number,
            switch_action=SwitchAction(kind=move.kind, operated_switch=_named(move.switch, network)),
        )
        for number, move in enumerate(moves, start=1)
    )
    asked = SwitchingPlan(
        mrid=plan.mrid,
        comment=plan.why,
        created_date_time=now,
        purpose=purposes[wish],
        outage=ObjectReference(mrid=outage.mrid),
        status=Status(value=SwitchingPlanState.DRAFT) if plan.draft else None,
        switching_step_groups=(SwitchingStepGroup(description=description, sequence_number=1, switching_step=steps),),
    )
    return SwitchingPlans(switching_plan=(asked,))


def withdrawal(plan: Plan) -> SwitchingPlans:
    """Take back a draft."""
    status = Status(value=SwitchingPlanState.CANCELLED, reason="the outage needs it no more")
    return SwitchingPlans(switching_plan=(SwitchingPlan(mrid=plan.mrid, status=status),))


def options_of(advice: Advice) -> GetSwitchingStudies:
    """Ask network operation to look ahead at the ways of an advice."""
    return GetSwitchingStudies(
        switching_option=tuple(
            SwitchingOption(
                mrid=way.mrid,
                operation=tuple(
                    StudyOperation(kind=move.kind, operated_switch=ObjectReference(mrid=move.switch))
                    for move in way.moves
                ),
            )
            for way in advice.ways
        )
    )


def works_of(order: MaintenanceOrder) -> list[str]:
    """The mRIDs of the works of an order."""
    return [work.mrid for work in order.work if work.mrid is not None]


def outage_of(order: MaintenanceOrder) -> tuple[list[str], list[str]]:
    """By what an order tells its outage: names of the right type, and the works."""
    names = [
        name.name
        for work in order.work
        for name in work.names
        if name.name_type is not None and name.name_type.name == OUTAGE_NAME
    ]
    return names, works_of(order)


def report_in(order: MaintenanceOrder, now: datetime) -> Report:
    """What an order says about the repair; a finding of unknown cause is none."""
    work = order.work[0]
    status = work.status_kind or WorkStatusKind.WAITING_TO_BE_SCHEDULED
    undone = any(each.type == "complete" and each.reason in {"partial", "notDone"} for each in work.activity_records)
    crew = _CREW.get(status, CrewStatusKind.AWAITING_CREW_ASSIGNMENT)
    if undone and crew is CrewStatusKind.FIELD_COMPLETE:  # another order follows
        crew = CrewStatusKind.AWAITING_CREW_ASSIGNMENT
    findings = [record for record in work.activity_records if record.type == "finding"]
    cause = next((each.reason for each in reversed(findings) if each.reason not in {None, "unknown"}), None)
    assets = [asset.mrid for task in work.work_tasks for asset in task.assets]
    schedules = (*work.time_schedules, *(each for task in work.work_tasks for each in task.time_schedules))
    return Report(
        crew=crew,
        cause=cause,
        device=assets[0] if assets else None,
        repaired_at=(work.last_modified_date_time or now) if crew is CrewStatusKind.FIELD_COMPLETE else None,
        at=work.last_modified_date_time or now,
        expected=max(filter(None, map(_estimated_end, schedules)), default=None),
    )


def _estimated_end(schedule: WorkTimeSchedule) -> datetime | None:
    interval = schedule.schedule_interval
    return interval.end if schedule.kind is WorkTimeScheduleKind.ESTIMATE and interval is not None else None


def is_begun(plan: SwitchingPlan) -> bool:
    """True for a plan that is no draft any more and not over."""
    return plan.status is not None and plan.status.value in {SwitchingPlanState.ISSUED, SwitchingPlanState.IN_PROGRESS}


def ended(plan: SwitchingPlan) -> tuple[bool, str | None]:
    """Whether a switching plan is over, and what went wrong with it."""
    state = None if plan.status is None else plan.status.value
    if state == SwitchingPlanState.COMPLETED:
        return True, None
    if state in {SwitchingPlanState.ABORTED, SwitchingPlanState.CANCELLED}:
        reason = plan.status.reason if plan.status is not None else None
        return True, f"the switching plan was {state.lower()}: {reason or 'no reason was given'}"
    return False, None
