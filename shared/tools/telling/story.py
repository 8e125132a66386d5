"""What a listener knows of a storm: a picture of outages, switches, crews and customers that grows with each message.

Nothing here is asked of a service. Times are those of the story, which the messages name; ``now`` is the latest of
them. Each change is kept with its time, so that the page can go back to any moment.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from contracts.codes.end_device_events import EventKind, kind_of
from contracts.message import Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.feeder_topology import FeederChange, FeederTopology
from contracts.nouns.incident_information import Incident, IncidentInformation
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders, Work
from contracts.nouns.measurements import Analog, Measurements, MeasurementType
from contracts.nouns.switching_plans import SwitchingPlan, SwitchingPlans, SwitchingStepState
from contracts.nouns.training_scenarios import TrainingScenario, TrainingScenarios
from contracts.nouns.trouble_tickets import TroubleTicket, TroubleTickets, TroubleTicketState
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage, UnplannedOutages
from contracts.types import ObjectReference
from shared.tools.telling.plan import Plan

HEARD = frozenset(
    {
        "EndDeviceEvents",
        "FeederTopology",
        "IncidentInformation",
        "MaintenanceOrders",
        "Measurements",
        "SwitchingPlans",
        "TrainingScenarios",
        "TroubleTickets",
        "UnplannedOutages",
    }
)
"""The nouns that a story is made of."""

ONLY: dict[type, str] = {EndDeviceEvents: "head-end", Measurements: "weather"}
"""Whose word counts where several roles tell such events."""

OVER = frozenset({OutageState.CLOSED, OutageState.DISMISSED, OutageState.MOMENTARY, OutageState.VERIFY})
BEFORE = frozenset({OutageState.SUSPECTED, OutageState.PREDICTED})
INFORMED = frozenset({TroubleTicketState.INFORMED, TroubleTicketState.CALLBACK_OK, TroubleTicketState.CLOSED})
AS_FOUND = "As found"
"""The group of steps that only write down what was found in the field."""


class OutageTale(Struct):
    """One outage as it was told.

    Attributes:
        began: since when, as last told.
        heard_at: when it was first told.
        named: the devices that it named, each with the time since when.
        confirmed_at, restored_at, closed_at: when it first was in that state.
        states: each state with the time when it began.
        dark: who is in the dark by it, as last told.
        customers: how many were, at most.
    """

    mrid: str
    heard_at: datetime
    began: datetime
    revision: int = 0
    device: str | None = None
    named: list[tuple[datetime, str]] = field(default_factory=list)
    state: str = ""
    states: list[tuple[datetime, str]] = field(default_factory=list)
    confirmed_at: datetime | None = None
    restored_at: datetime | None = None
    closed_at: datetime | None = None
    dark: frozenset[str] = frozenset()
    customers: int = 0
    cause: str | None = None
    estimate: datetime | None = None

    def named_before(self, at: datetime | None) -> str | None:
        """The device that it named last before a time, or at all."""
        earlier = [device for since, device in self.named if at is None or since < at]
        return earlier[-1] if earlier else None

    @property
    def is_over(self) -> bool:
        """True when nobody works on it any more."""
        return self.state in OVER


class OrderTale(Struct):
    """One order to a crew: each step of it with its time, by the word of the record (dispatch, depart, arrive ...)."""

    mrid: str
    ordered_at: datetime
    crew: str | None = None
    outage: str | None = None
    device: str | None = None
    status: str = ""
    cause: str | None = None
    steps: dict[str, datetime] = field(default_factory=dict)
    revision_at: datetime | None = None


class PlanTale(Struct):
    """One switching plan: the steps that were carried out, as (time, device, what was done), and how many failed."""

    mrid: str
    purpose: str
    outage: str | None
    state: str = ""
    done: tuple[tuple[datetime, str, str], ...] = ()
    failed: int = 0


class Changes(Struct):
    """What changed when, for the page: nodes and switches by mRID, who is off by which outage, gusts by station."""

    nodes: list[tuple[datetime, str, bool]] = field(default_factory=list)
    switches: list[tuple[datetime, str, bool]] = field(default_factory=list)
    dark: list[tuple[datetime, str, frozenset[str]]] = field(default_factory=list)
    off: list[tuple[datetime, int]] = field(default_factory=list)
    gusts: list[tuple[datetime, str, float]] = field(default_factory=list)


class Story:
    """The picture.

    Args:
        plan: the network on which it is drawn.
        start: when the storm begins.
    """

    def __init__(self, plan: Plan, start: datetime) -> None:
        self.plan = plan
        self.start = start
        self.now = start
        self.live = set(plan.live) or set(plan.nodes)
        self.opened = set(plan.opened)
        self.outages: dict[str, OutageTale] = {}
        self.orders: dict[str, OrderTale] = {}
        self.plans: dict[str, PlanTale] = {}
        self.calls: dict[str, datetime] = {}
        self.gasps: list[datetime] = []
        self.wakings: list[datetime] = []
        self.informed: set[str] = set()
        self.told: set[str] = set()
        self.struck = 0
        self.gusts: dict[str, float] = {}
        self.changes = Changes()
        self._hearing: dict[type, tuple[str, Callable[[Any], None]]] = {
            EndDeviceEvents: ("end_device_event", self._hear_meter),
            FeederTopology: ("feeder_change", self._hear_change),
            IncidentInformation: ("incident", self._hear_notice),
            MaintenanceOrders: ("maintenance_order", self._hear_order),
            Measurements: ("analog", self._hear_station),
            SwitchingPlans: ("switching_plan", self._hear_plan),
            TrainingScenarios: ("training_scenario", self._hear_scenario),
            TroubleTickets: ("trouble_ticket", self._hear_ticket),
            UnplannedOutages: ("unplanned_outage", self._hear_outage),
        }

    @property
    def open_outages(self) -> list[OutageTale]:
        """The outages that are not over, the largest first."""
        alive = [each for each in self.outages.values() if not each.is_over]
        return sorted(alive, key=lambda each: (-each.customers, each.began, each.mrid))

    @property
    def off(self) -> int:
        """How many customers are off by the word of the outages; who is in two of them counts once."""
        return self.plan.count(self.dark)

    @property
    def dark(self) -> frozenset[str]:
        """The usage points that are off by the word of the outages."""
        return frozenset().union(*(each.dark for each in self.outages.values()))

    @property
    def crews_out(self) -> dict[str, OrderTale]:
        """The crews that are under way or at work, each with its order."""
        return {
            each.crew: each
            for each in self.orders.values()
            if each.crew is not None and "dispatch" in each.steps and not {"complete", "cancel"} & each.steps.keys()
        }

    def orders_for(self, outage: str) -> list[OrderTale]:
        """The orders to crews because of an outage."""
        return [each for each in self.orders.values() if each.outage == outage]

    def name_of(self, mrid: str | None) -> str | None:
        """What a piece of equipment is called."""
        return None if mrid is None else self.plan.names.get(mrid, mrid)

    def hear(self, message: Message[Any]) -> None:
        """Take account of an event."""
        payload, source = message.payload, message.header.source
        members, take = self._hearing.get(type(payload), ("", None))
        if take is not None and ONLY.get(type(payload), source) == source:
            for member in getattr(payload, members):
                take(member)

    def _pass(self, at: datetime | None) -> datetime:
        self.now = max(self.now, at or self.now)
        return at or self.now

    def _hear_outage(self, outage: UnplannedOutage) -> None:
        at = self._pass(outage.last_modified_date_time)
        began = None if outage.actual_period is None else outage.actual_period.start
        began = began or outage.reported_start_time or at
        tale = self.outages.setdefault(outage.mrid, OutageTale(mrid=outage.mrid, heard_at=at, began=began))
        if outage.revision_number <= tale.revision:
            return
        tale.revision, tale.began = outage.revision_number, began
        device = next((switch.mrid for switch in outage.opened_switches), None)
        if device is not None and device != tale.device:
            tale.device = device
            tale.named.append((at, device))
        state = "" if outage.status is None else str(outage.status.value)
        if state != tale.state:
            tale.state = state
            tale.states.append((at, state))
            if state == OutageState.CONFIRMED:
                tale.confirmed_at = tale.confirmed_at or at
            elif state == OutageState.RESTORED:
                tale.restored_at = at
            elif state in OVER:
                tale.closed_at = at
        tale.cause = outage.cause or tale.cause
        if outage.estimated_restoration_time is not None:
            tale.estimate = outage.estimated_restoration_time.ert
        dark = _mrids(outage.de_energized_usage_point) if state not in OVER else frozenset()
        tale.customers = max(tale.customers, self.plan.count(dark), outage.original_customers_served or 0)
        if dark != tale.dark:
            tale.dark = dark
            self.changes.dark.append((at, outage.mrid, dark))
            self.changes.off.append((at, self.off))

    def _hear_change(self, change: FeederChange) -> None:
        at = self._pass(change.event_time)
        for node in change.connectivity_node:
            is_live = node.source_phases is not None
            if is_live != (node.mrid in self.live):
                (self.live.add if is_live else self.live.discard)(node.mrid)
                self.changes.nodes.append((at, node.mrid, is_live))
        for switch in change.switch_state:
            if switch.open != (switch.mrid in self.opened):
                (self.opened.add if switch.open else self.opened.discard)(switch.mrid)
                self.changes.switches.append((at, switch.mrid, switch.open))

    def _hear_order(self, order: MaintenanceOrder) -> None:
        for work in order.work:
            at = self._pass(work.last_modified_date_time)
            ordered = work.request_date_time or at
            tale = self.orders.setdefault(order.mrid or "", OrderTale(mrid=order.mrid or "", ordered_at=ordered))
            if tale.revision_at is not None and at < tale.revision_at:
                continue
            tale.revision_at = at
            tale.status = "" if work.status_kind is None else str(work.status_kind)
            tale.outage = _named(work, "UnplannedOutage") or tale.outage
            for task in work.work_tasks:
                tale.device = next((asset.mrid for asset in task.assets if asset.mrid), tale.device)
                tale.crew = next((name.name for crew in task.crews for name in crew.names), tale.crew)
            for record in work.activity_records:
                if record.type is not None and record.created_date_time is not None:
                    tale.steps[record.type] = record.created_date_time
                    tale.cause = record.reason if record.type == "finding" else tale.cause

    def _hear_plan(self, plan: SwitchingPlan) -> None:
        self._pass(plan.last_modified_date_time)
        done, failed = [], 0
        for group in plan.switching_step_groups:
            for step in group.switching_step:
                state = None if step.status is None else step.status.value
                failed += state in {SwitchingStepState.FAILED, SwitchingStepState.PENDING}
                action = step.switch_action
                if state != SwitchingStepState.COMPLETED or action is None or group.description == AS_FOUND:
                    continue
                if action.executed_date_time is not None:
                    done.append((action.executed_date_time, action.operated_switch.mrid or "", str(action.kind)))
        self.plans[plan.mrid] = PlanTale(
            mrid=plan.mrid,
            purpose=plan.purpose or "",
            outage=None if plan.outage is None else plan.outage.mrid,
            state="" if plan.status is None else str(plan.status.value),
            done=tuple(done),
            failed=failed,
        )

    def _hear_ticket(self, ticket: TroubleTicket) -> None:
        self._pass(ticket.last_modified_date_time)
        mrid = ticket.mrid or ""
        self.calls.setdefault(mrid, ticket.date_time_of_report)
        if ticket.status is not None and ticket.status.value in INFORMED:
            self.informed.add(mrid)

    def _hear_notice(self, incident: Incident) -> None:
        self._pass(incident.last_modified_date_time)
        self.told |= _mrids(incident.usage_points)

    def _hear_scenario(self, scenario: TrainingScenario) -> None:
        self._pass(max((fault.occurred_date_time for fault in scenario.fault), default=None))
        self._pass(scenario.end_time)
        self.struck = max(self.struck, sum(not fault.temporary for fault in scenario.fault))

    def _hear_meter(self, event: EndDeviceEvent) -> None:
        kind = kind_of(event.end_device_event_type.ref or "")
        if kind is EventKind.POWER_LOST:
            self.gasps.append(event.created_date_time)
        elif kind is EventKind.POWER_RESTORED:
            self.wakings.append(event.created_date_time)

    def _hear_station(self, analog: Analog) -> None:
        station = None if analog.power_system_resource is None else analog.power_system_resource.mrid
        if station is not None and analog.measurement_type == MeasurementType.WIND_GUST:
            for value in analog.analog_values:
                self._pass(value.time_stamp)
                self.gusts[station] = value.value
                self.changes.gusts.append((value.time_stamp, station, value.value))


def _mrids(references: Iterable[ObjectReference]) -> frozenset[str]:
    return frozenset(each.mrid for each in references if each.mrid is not None)


def _named(work: Work, kind: str) -> str | None:
    """The name of a piece of work that has this type."""
    return next((each.name for each in work.names if each.name_type is not None and each.name_type.name == kind), None)
