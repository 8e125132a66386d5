"""Crews: who is there, what they may do, until when they may work, and where they are.

A crew may do what its members may who are there and whose qualification is valid; what stands at the crew itself, all
of them may. Hours are real hours: a night in which the clock is put back has nine for the shift of eight.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns import crews as noun
from contracts.types import DateTimeInterval, Status
from services.work_management.domain.places import Place, place_in

LONGEST_DUTY = timedelta(hours=16)
"""So long a crew may work on end, in a storm [GK: US practice]; policy."""

REST = timedelta(hours=8)
"""So long a pause makes a crew fresh again [GK: US practice]; policy."""


class CrewState(StrEnum):
    """What a crew says of itself: the values of ``Crew.status``."""

    AVAILABLE = "AVAILABLE"
    ON_BREAK = "ON_BREAK"
    OFF_SHIFT = "OFF_SHIFT"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    RELEASED = "RELEASED"


class MemberState(StrEnum):
    """Whether a member is there: the values of ``CrewMember.status``."""

    PRESENT = "PRESENT"
    ABSENT = "ABSENT"
    SICK = "SICK"


class Crew(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A crew as it was told, with the shifts that it had.

    Attributes:
        told: the noun, whole.
        shifts: from when until when it was or will be on shift, the earliest first; none means always.
        place: where it was last.
        seen_at: as of when that is known.
    """

    told: noun.Crew
    shifts: tuple[DateTimeInterval, ...] = ()
    place: Place | None = None
    seen_at: datetime | None = None

    @property
    def mrid(self) -> str:
        """The mRID of the crew."""
        return self.told.mrid

    @property
    def name(self) -> str:
        """What people call it."""
        return self.told.names[0].name if self.told.names else self.told.mrid

    @property
    def state(self) -> CrewState:
        """What it says of itself."""
        value = None if self.told.status is None else self.told.status.value
        return CrewState(value) if value is not None else CrewState.AVAILABLE

    @property
    def vehicles(self) -> frozenset[str]:
        """The types of what it drives."""
        return frozenset(each.type for each in self.told.work_assets if each.type is not None)

    def present(self) -> list[noun.CrewMember]:
        """The members who are there."""
        return [each for each in self.told.crew_members if _state(each.status) in {None, MemberState.PRESENT}]

    def able(self, skill: str, at: datetime) -> int:
        """How many of the crew may do something at a time; a crew whose members are not told counts as one."""
        members = self.present()
        if any(each.type == skill and valid(each, at) for each in self.told.capabilities):
            return len(members) if self.told.crew_members else 1
        return sum(any(each.type == skill and valid(each, at) for each in one.capabilities) for one in members)

    def shift_at(self, at: datetime) -> DateTimeInterval | None:
        """The shift in which an instant lies."""
        return next((each for each in self.shifts if _starts(each) <= at and (each.end is None or at < each.end)), None)

    def next_shift(self, at: datetime) -> datetime | None:
        """When the next shift begins after an instant."""
        return min((_starts(each) for each in self.shifts if _starts(each) > at), default=None)

    def on_duty_since(self, at: datetime) -> datetime | None:
        """Since when it has been working without a whole rest; None where its shifts are not told."""
        past = [each for each in self.shifts if _starts(each) <= at]
        if not past:
            return None
        since = _starts(past[-1])
        for before in reversed(past[:-1]):
            if before.end is not None and since - before.end >= REST:
                break
            since = _starts(before)
        return since


def valid(capability: noun.Capability, at: datetime) -> bool:
    """Whether a qualification holds at an instant."""
    span = capability.validity_interval
    return span is None or ((span.start is None or span.start <= at) and (span.end is None or at < span.end))


def _state(status: Status | None) -> str | None:
    return None if status is None else status.value


def _starts(shift: DateTimeInterval) -> datetime:
    if shift.start is None:
        raise Invalid("a shift needs its start")
    return shift.start


def entered(told: noun.Crew) -> Crew:
    """A crew that is told for the first time.

    Raises:
        Invalid: when it says something that no crew can.
    """
    _refuse_nonsense(told)
    shifts = () if told.shift is None else (told.shift,)
    place = None if told.location is None else place_in(told.location.position_points)
    return Crew(told=told, shifts=shifts, place=place, seen_at=_as_of(told))


def changed(crew: Crew, told: noun.Crew) -> Crew:
    """A crew after a change that says what is different; what it leaves out stays.

    Where a crew is and how it is, is as of ``status.dateTime``: what is older than what is known changes neither.

    Raises:
        Invalid: when it says something that no crew can.
    """
    _refuse_nonsense(told)
    as_of = _as_of(told)
    stale = as_of is not None and crew.seen_at is not None and as_of < crew.seen_at
    kept = {name: value for name in told.__struct_fields__ if (value := getattr(told, name)) not in {None, ()}}
    if stale:
        kept = {name: value for name, value in kept.items() if name not in {"status", "location"}}
    place = crew.place
    if told.location is not None and not stale:
        place = place_in(told.location.position_points) or place
    shifts = crew.shifts if told.shift is None else _with(crew.shifts, told.shift)
    return Crew(
        told=replace(crew.told, **kept),
        shifts=shifts,
        place=place,
        seen_at=crew.seen_at if stale or as_of is None else as_of,
    )


def _with(shifts: Sequence[DateTimeInterval], new: DateTimeInterval) -> tuple[DateTimeInterval, ...]:
    """The shifts with one more; it takes the place of those that it overlaps."""
    start = _starts(new)
    kept = [
        each
        for each in shifts
        if (each.end is not None and each.end <= start) or (new.end is not None and _starts(each) >= new.end)
    ]
    return tuple(sorted([*kept, new], key=_starts))


def _as_of(told: noun.Crew) -> datetime | None:
    return None if told.status is None else told.status.date_time


def _refuse_nonsense(told: noun.Crew) -> None:
    if _state(told.status) not in {None, *CrewState}:
        raise Invalid(f"status: a crew cannot be '{_state(told.status)}'", object_id=told.mrid)
    wrong = [each for each in told.crew_members if _state(each.status) not in {None, *MemberState}]
    if wrong:
        raise Invalid(f"status: a member cannot be '{_state(wrong[0].status)}'", object_id=told.mrid)
    shift = told.shift
    if shift is not None and (shift.start is None or (shift.end is not None and shift.end <= shift.start)):
        raise Invalid("shift: it needs a start, and an end after it", object_id=told.mrid)


def called(crews: Iterable[Crew], mrid: str) -> Crew | None:
    """The crew with an mRID."""
    return next((each for each in crews if each.mrid == mrid), None)
