"""Devices that close again by themselves: what is one sequence of trips, and how it ended (operations guide 3.4).

A sequence begins with a trip. It goes on until the device has stayed closed for its reset time, is locked out, or has
not closed for longer than it ever waits. While it goes on nobody knows whether anything is out.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.switching_events import SwitchingEventType
from services.fault_management.domain.operation import Operation

RESET = timedelta(seconds=60)
"""A device that has been closed for so long has forgotten its trips (30 to 60 s are usual)."""

LONGEST = 45.0
"""The longest open interval in s of a recloser that does not tell its own [P]."""

MARGIN = timedelta(seconds=10)
"""How much longer than its intervals a device may take."""


class Course(StrEnum):
    """Where a sequence of trips stands."""

    CYCLING = "cycling"
    """It may still close, or open again."""

    HELD = "held"
    """It closed and stayed closed, or people took it in hand while it was closed."""

    LOCKED = "locked"
    """It stays open."""


class Cycle(Struct, frozen=True, kw_only=True):
    """One sequence of trips of a device.

    Attributes:
        trips: when it opened.
        closed_at: when it closed after the last of them, if it has.
        until: while it is cycling, when that will be over if nothing happens.
    """

    device: str
    trips: tuple[datetime, ...]
    closed_at: datetime | None = None
    course: Course = Course.CYCLING
    until: datetime | None = None


def recloses(equipment: Equipment, operations: Iterable[Operation] = ()) -> bool:
    """True for a device that closes again by itself, by its model or by what it did."""
    if equipment.reclose_sequences or equipment.kind == "Recloser":
        return True
    return any(each.type is SwitchingEventType.RECLOSE for each in operations)


def open_intervals(equipment: Equipment) -> timedelta:
    """How long a device that tells its intervals is open in all before it locks out."""
    return timedelta(seconds=sum(shot.reclose_delay for shot in equipment.reclose_sequences))


def cycles(equipment: Equipment, operations: Iterable[Operation], now: datetime) -> list[Cycle]:
    """The sequences of trips of a device, by its ``operations`` in the order of time."""
    told = [each for each in operations if each.time <= now]
    if not recloses(equipment, told):
        return []
    delays = [shot.reclose_delay for shot in equipment.reclose_sequences] or [LONGEST]
    patience = timedelta(seconds=max(delays)) + MARGIN
    return [_settled(cycle, len(equipment.reclose_sequences), patience, now) for cycle in _sequences(told, patience)]


def _sequences(operations: Iterable[Operation], patience: timedelta) -> Iterator[Cycle]:
    """The sequences as far as operations alone tell: still cycling where only time will tell."""
    current: Cycle | None = None
    for each in operations:
        if current is not None and (ended := _ended(current, each, patience)) is not None:
            yield ended
            current = None
        if _is_trip(each):
            if current is None:
                current = Cycle(device=each.device, trips=(each.time,))
            elif current.closed_at is not None:
                current = replace(current, trips=(*current.trips, each.time), closed_at=None)
        elif each.open is False and current is not None and current.closed_at is None:
            current = replace(current, closed_at=each.time)
    if current is not None:
        yield current


def _ended(cycle: Cycle, operation: Operation, patience: timedelta) -> Cycle | None:
    """The sequence as it ended before or with ``operation``; None when that is part of it."""
    if cycle.closed_at is None:
        waited_in_vain = operation.time - cycle.trips[-1] > patience
        locked = operation.type is SwitchingEventType.LOCKOUT or operation.by_people
        return replace(cycle, course=Course.LOCKED) if waited_in_vain or locked else None
    taken_in_hand = operation.by_people and operation.open is True
    has_reset = operation.time - cycle.closed_at >= RESET
    return replace(cycle, course=Course.HELD) if taken_in_hand or has_reset else None


def _is_trip(operation: Operation) -> bool:
    """True for an opening that nobody wanted, as far as is known."""
    return operation.open is True and not operation.by_people


def _settled(cycle: Cycle, shots: int, patience: timedelta, now: datetime) -> Cycle:
    """What time has made of a sequence."""
    if cycle.course is not Course.CYCLING:
        return cycle
    if cycle.closed_at is None:
        until = cycle.trips[-1] + patience
        locked = now >= until or (shots > 0 and len(cycle.trips) > shots)
        return replace(cycle, course=Course.LOCKED) if locked else replace(cycle, until=until)
    until = cycle.closed_at + RESET
    return replace(cycle, course=Course.HELD) if now >= until else replace(cycle, until=until)
