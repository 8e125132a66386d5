"""What happened in the field, as events: the operations of switches, and the flags of fault indicators.

An operation is a report of a position that differs from the one before it in time, on the phases on which it does. Its
identity follows from the device, the time and what it did, so that an operation that is heard of twice is one event.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.measurements import Discrete, Measurements, MeasurementType
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import SwitchActionKind
from contracts.types import ObjectReference
from services.network_operation.domain.network_state import modelled
from services.network_operation.domain.phases import ALL, NONE, Phases
from services.network_operation.domain.positions import Position, is_good

RECLOSE_MARGIN = timedelta(seconds=30)
"""How long after its longest reclosing interval a device may still be seen to close by itself."""

RECLOSE_LIMIT = timedelta(minutes=2)
"""The same, after the trip, for a device whose intervals are not known."""


class Note(Struct, frozen=True, kw_only=True):
    """What protection says about one instant: of a device that it tripped or locked out, of an indicator its flag."""

    device: str
    at: datetime
    type: MeasurementType
    is_set: bool


_NOTES = {MeasurementType.TRIP, MeasurementType.LOCKOUT, MeasurementType.FAULT_INDICATION}


def notes_in(measurements: Measurements) -> tuple[Note, ...]:
    """What protection tells that may be believed, oldest first."""
    found = [
        Note(
            device=discrete.power_system_resource.mrid,
            at=value.time_stamp,
            type=MeasurementType(discrete.measurement_type),
            is_set=value.value != 0,
        )
        for discrete in measurements.discrete
        if _is_note(discrete)
        and discrete.power_system_resource is not None
        and discrete.power_system_resource.mrid is not None
        for value in discrete.discrete_values
        if is_good(value)
    ]
    return tuple(sorted(found, key=lambda note: (note.at, note.device, note.type)))


def signals(notes: Iterable[Note]) -> Iterator[SwitchingEvent]:
    """The events that no position tells: a lockout, and a flag of a fault indicator that was set or reset."""
    for note in notes:
        if note.type is MeasurementType.LOCKOUT and note.is_set:
            yield _event(note.device, note.at, SwitchingEventType.LOCKOUT, SwitchActionKind.OPEN)
        elif note.type is MeasurementType.FAULT_INDICATION and note.is_set:
            yield _event(note.device, note.at, SwitchingEventType.FAULT_INDICATION)
        elif note.type is MeasurementType.FAULT_INDICATION:
            yield _event(note.device, note.at, SwitchingEventType.FAULT_INDICATION_RESET)


def moved_phases(position: Position, counting: Phases, switch: Equipment | None, before: Mapping[str, bool]) -> Phases:
    """The phases that moved by a report: of those for which it counts, where they stood otherwise until then.

    Args:
        position: the report.
        counting: the phases of which it says where they stood at its time.
        switch: how the model has the switch; where it is in no model, what is not known has moved.
        before: which phases were open at that time, by their letters, as far as was told.
    """
    own = counting if switch is None else counting & Phases.of(switch.phases)
    moved = NONE
    for phase in own:
        unknown = not position.open if switch is None else bool(modelled(switch) & phase)
        if before.get(phase.name or "", unknown) is not position.open:
            moved |= phase
    return moved


def operation(
    position: Position, moved: Phases, switch: Equipment | None = None, notes: Iterable[Note] = ()
) -> SwitchingEvent:
    """The event of a position: a trip where protection says so of the same instant, else merely reported."""
    is_trip = position.open and any(
        note.type is MeasurementType.TRIP and note.is_set and (note.device, note.at) == (position.device, position.at)
        for note in notes
    )
    kind = SwitchActionKind.OPEN if position.open else SwitchActionKind.CLOSE
    event = _event(
        position.device, position.at, SwitchingEventType.TRIP if is_trip else SwitchingEventType.REPORTED, kind
    )
    whole = ALL if switch is None else Phases.of(switch.phases)
    return event if moved == whole else replace(event, mrid=f"{event.mrid}/{moved.code}", phases=moved.code)


def by_itself(event: SwitchingEvent, device: Equipment | None, last: SwitchingEvent | None) -> SwitchingEvent:
    """The same event as a reclosing, if a device closed within its intervals after a trip; ``last`` is its last event.

    A device that is locked out does not close by itself.
    """
    is_reported_closed = event.type == SwitchingEventType.REPORTED and event.kind is SwitchActionKind.CLOSE
    if not is_reported_closed or last is None or last.type != SwitchingEventType.TRIP:
        return event
    delays = () if device is None else tuple(shot.reclose_delay for shot in device.reclose_sequences)
    limit = timedelta(seconds=max(delays)) + RECLOSE_MARGIN if delays else RECLOSE_LIMIT
    is_reclosing = event.created_date_time - last.created_date_time <= limit
    return replace(event, type=SwitchingEventType.RECLOSE) if is_reclosing else event


def by_command(event: SwitchingEvent, plan: str) -> SwitchingEvent:
    """The same event as what a command of a plan made of a switch, where it was merely reported."""
    if event.type != SwitchingEventType.REPORTED:
        return event
    return replace(event, type=SwitchingEventType.COMMAND, switching_plan=ObjectReference(mrid=plan))


def by_hand(event: SwitchingEvent, plan: str) -> SwitchingEvent:
    """The same event as a crew carried it out for a plan."""
    return replace(event, type=SwitchingEventType.MANUAL, switching_plan=ObjectReference(mrid=plan))


def _is_note(discrete: Discrete) -> bool:
    return discrete.measurement_type in _NOTES


def _event(device: str, at: datetime, how: SwitchingEventType, kind: SwitchActionKind | None = None) -> SwitchingEvent:
    is_move = kind is not None and how is not SwitchingEventType.LOCKOUT
    return SwitchingEvent(
        mrid=f"{device}/{at.isoformat()}/{kind if is_move else how}",
        created_date_time=at,
        kind=kind,
        type=how,
        operated_switch=ObjectReference(mrid=device),
    )
