"""The states of one alarm (ANSI/ISA-18.2, IEC 62682 [GK]), as functions from an alarm to an alarm.

Underneath there are three facts: whether the condition holds (``active``), whether a person has seen it
(``acknowledged``), and whether it stays until it was reset (``latched``). They run on while the alarm is hidden: out of
service, shelved, or suppressed by design. What changes nothing returns the alarm as it is: everything may come twice.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.alarms import Alarm, AlarmActionKind, AlarmKind, AlarmMark, AlarmPriority, AlarmState
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference, Status
from services.network_operation.domain.people import Speaker, demand_operator, demand_supervisor

LATCHING = frozenset({AlarmKind.TAG_CONFLICT})
"""What stays until a person has reset it: people may have been in danger, and somebody has to ask them."""

UNSHELVABLE = frozenset({AlarmKind.FAULTED, AlarmKind.TAG_CONFLICT})
"""What nobody hides: lives may depend on it."""

LONGEST_SHELF = timedelta(hours=12)
"""For how long an alarm is shelved at most: not past the end of a shift [P]."""

_RANK = {each: rank for rank, each in enumerate((None, "LOW", "MEDIUM", "HIGH", "CRITICAL"))}
_SEEKING = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED})


class Condition(Struct, frozen=True, kw_only=True):
    """Something that holds now: what an alarm stands for.

    ``object`` is what the alarm is named by, with its kind; ``resource`` the equipment, node or feeder it is about.
    """

    kind: AlarmKind
    object: str
    since: datetime
    text: str
    priority: AlarmPriority = AlarmPriority.MEDIUM
    feeders: tuple[str, ...] = ()
    phases: PhaseCode | None = None
    resource: str = ""

    @property
    def alarm(self) -> str:
        """The mRID of its alarm."""
        return f"{self.kind}/{self.object}"


def state_of(alarm: Alarm) -> AlarmState:
    """The state that a person sees."""
    if alarm.out_of_service is not None:
        return AlarmState.OUT_OF_SERVICE
    if alarm.shelving is not None:
        return AlarmState.SHELVED
    if alarm.suppression is not None:
        return AlarmState.SUPPRESSED
    if alarm.active:
        return AlarmState.ACKNOWLEDGED if alarm.acknowledged else AlarmState.UNACKNOWLEDGED
    if alarm.latched:
        return AlarmState.LATCHED_ACKNOWLEDGED if alarm.acknowledged else AlarmState.LATCHED_UNACKNOWLEDGED
    return AlarmState.NORMAL if alarm.acknowledged else AlarmState.RETURNED_UNACKNOWLEDGED


def is_over(alarm: Alarm) -> bool:
    """True when nobody has to know of it any more."""
    return state_of(alarm) is AlarmState.NORMAL


def sounds(before: Alarm | None, after: Alarm) -> bool:
    """True when an alarm calls for a person who was not called for already."""
    was = None if before is None else state_of(before)
    return state_of(after) is AlarmState.UNACKNOWLEDGED and was not in _SEEKING


def told(before: Alarm | None, after: Alarm, now: datetime) -> Alarm:
    """The alarm as it is kept and told: with its state, its next revision and the time; as before if it is the same."""
    if before is not None and replace(after, status=before.status) == before:
        return before
    return replace(
        after,
        last_modified_date_time=now,
        revision_number=(after.revision_number or 0) + 1,
        status=Status(date_time=now, value=state_of(after)),
    )


def raised(alarm: Alarm | None, condition: Condition) -> Alarm:
    """The alarm while its condition holds; one that was over, and one that has got worse, is to be seen again."""
    known = Alarm(mrid=condition.alarm, acknowledged=True) if alarm is None else alarm
    is_worse = bool(known.active) and _RANK[condition.priority] > _RANK[known.priority]
    is_new = not known.active
    return replace(
        known,
        active=True,
        acknowledged=bool(known.acknowledged) and not (is_new or is_worse),
        acknowledgement=None if is_new or is_worse else known.acknowledgement,
        created_date_time=condition.since if is_new else known.created_date_time,
        description=condition.text,
        feeder=tuple(ObjectReference(mrid=mrid) for mrid in condition.feeders),
        kind=condition.kind,
        latched=condition.kind in LATCHING,
        phases=condition.phases,
        power_system_resource=ObjectReference(mrid=condition.resource or condition.object),
        priority=condition.priority,
    )


def cleared(alarm: Alarm) -> Alarm:
    """The alarm once its condition does not hold any more."""
    return replace(alarm, active=False) if alarm.active else alarm


def acknowledged(alarm: Alarm, mark: AlarmMark) -> Alarm:
    """The alarm once a person has seen it; before or after it clears makes no difference."""
    return alarm if alarm.acknowledged else replace(alarm, acknowledged=True, acknowledgement=mark)


def reset(alarm: Alarm) -> Alarm:
    """A latched alarm once a person has let it go.

    Raises:
        Conflict: its condition still holds.
    """
    if alarm.active:
        raise Conflict("the alarm is active and cannot be reset", object_id=alarm.mrid)
    return replace(alarm, latched=False) if alarm.latched else alarm


def shelved(alarm: Alarm, mark: AlarmMark) -> Alarm:
    """The alarm put aside until a time."""
    return replace(alarm, shelving=mark)


def unshelved(alarm: Alarm) -> Alarm:
    """The alarm back from the shelf."""
    return alarm if alarm.shelving is None else _revealed(replace(alarm, shelving=None))


def taken_out_of_service(alarm: Alarm, mark: AlarmMark) -> Alarm:
    """The alarm out of use, as for maintenance of what it is about."""
    return alarm if alarm.out_of_service is not None else replace(alarm, out_of_service=mark)


def put_in_service(alarm: Alarm) -> Alarm:
    """The alarm in use again."""
    return alarm if alarm.out_of_service is None else _revealed(replace(alarm, out_of_service=None))


def suppressed(alarm: Alarm, mark: AlarmMark, parent: str | None) -> Alarm:
    """The alarm hidden by design, since something else explains it."""
    reference = None if parent is None else ObjectReference(mrid=parent)
    known = alarm.suppression
    is_same = known is not None and (known.reason, known.until_date_time) == (mark.reason, mark.until_date_time)
    return replace(alarm, parent=reference, suppression=known if is_same else mark)


def released(alarm: Alarm) -> Alarm:
    """The alarm that nothing explains any more."""
    return alarm if alarm.suppression is None else _revealed(replace(alarm, parent=None, suppression=None))


def acted(alarm: Alarm, asked: Alarm, person: Speaker, now: datetime) -> Alarm:
    """What an alarm becomes by what a person asks for.

    Raises:
        Denied: it is not for this person to ask.
        Conflict: the alarm is not in a state for it, or it is about another occurrence of it.
        Invalid: it lacks what, why or until when.
    """
    action = asked.alarm_action
    if action is None:
        raise Invalid("AlarmAction: the change does not say what is to be done", object_id=alarm.mrid)
    demand_operator(person, "acts on alarms")
    if asked.created_date_time is not None and asked.created_date_time != alarm.created_date_time:
        raise Conflict("the alarm has come again since then", object_id=alarm.mrid)
    mark = AlarmMark(
        date_time=now,
        reason=(action.reason or "").strip() or None,
        until_date_time=action.until_date_time,
        operator=ObjectReference(mrid=person.name),
    )
    match action.kind:
        case AlarmActionKind.ACKNOWLEDGE:
            return acknowledged(alarm, mark)
        case AlarmActionKind.RESET:
            return reset(alarm)
        case AlarmActionKind.SHELVE:
            _demand_shelvable(alarm, mark, now)
            return shelved(alarm, mark)
        case AlarmActionKind.UNSHELVE:
            return unshelved(alarm)
        case AlarmActionKind.TAKE_OUT_OF_SERVICE:
            _demand_service(alarm, mark, person)
            return taken_out_of_service(alarm, replace(mark, until_date_time=None))
        case AlarmActionKind.PUT_IN_SERVICE:
            return put_in_service(alarm)


def _revealed(alarm: Alarm) -> Alarm:
    """An alarm that is hidden by one thing less: by nothing, what holds is to be seen; what went is over."""
    if state_of(alarm) in {AlarmState.OUT_OF_SERVICE, AlarmState.SHELVED, AlarmState.SUPPRESSED}:
        return alarm
    is_over_now = not alarm.active and not alarm.latched
    return replace(alarm, acknowledged=is_over_now, acknowledgement=None)


def _demand_shelvable(alarm: Alarm, mark: AlarmMark, now: datetime) -> None:
    if alarm.kind in UNSHELVABLE:
        raise Conflict(f"an alarm of the kind {alarm.kind} is not shelved", object_id=alarm.mrid)
    if mark.reason is None or mark.until_date_time is None:
        raise Invalid("AlarmAction: shelving has a reason and an end", object_id=alarm.mrid)
    if not now < mark.until_date_time <= now + LONGEST_SHELF:
        hours = LONGEST_SHELF // timedelta(hours=1)
        raise Invalid(f"untilDateTime: it must be within the next {hours} hours", object_id=alarm.mrid)


def _demand_service(alarm: Alarm, mark: AlarmMark, person: Speaker) -> None:
    demand_supervisor(person, "takes alarms out of service")
    if alarm.kind in UNSHELVABLE:
        raise Conflict(f"an alarm of the kind {alarm.kind} is not taken out of service", object_id=alarm.mrid)
    if mark.reason is None:
        raise Invalid("AlarmAction: what is taken out of service has a reason", object_id=alarm.mrid)
