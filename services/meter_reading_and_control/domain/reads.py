"""Reading meters now: who waits for which value, and how his question ends (metering guide 2.2).

`sent -> answered | refused | timed out`, for each meter and reading type. What is under way already for a meter and a
type is not asked again: whoever wants it too joins. An answer after the patience is kept, and answers nobody.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import BusbarError
from contracts.nouns.meter_readings import MeterReading

ANYTHING = ""
"""The reading type of who does not say which: what the meter shows."""

TIMED_OUT = "4.1"
UNAVAILABLE = "5.6"
"""The reply code where the head-end has not got what is asked for, and does not say why."""


class State(StrEnum):
    """How the reading of one value stands."""

    SENT = "sent"
    ANSWERED = "answered"
    REFUSED = "refused"
    TIMED_OUT = "timedOut"


class Wanted(Struct, frozen=True, kw_only=True, order=True, omit_defaults=True):
    """What is to be read of a meter in a reading type: its value now, or its intervals of a time that has passed."""

    meter: str
    reading_type: str = ANYTHING
    since: datetime | None = None
    until: datetime | None = None

    @property
    def period(self) -> str:
        """The time in words that tell it from others; empty for now."""
        return "" if self.since is None or self.until is None else f"{self.since.isoformat()}/{self.until.isoformat()}"


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value that somebody waits for.

    Attributes:
        wanted: the meter and the reading type.
        usage_point: where the meter was when it was asked.
        readings: what was answered.
        code, reason: why nothing was.
    """

    wanted: Wanted
    usage_point: str
    state: State = State.SENT
    readings: tuple[MeterReading, ...] = ()
    code: str = ""
    reason: str = ""


class Job(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question about the present, of one asker.

    Attributes:
        mrid: its identity.
        parts: what is asked for.
        asked_at: when it was asked.
        due_at: the end of the patience.
        reason: why, one of ReadingReasonKind.
        ticket: the request that is to be answered; empty where none is.
        then: where nobody waits outside: the wake that is set when the question has ended, with the job as its payload.
        about: the key of that wake.
    """

    mrid: str
    parts: tuple[Part, ...]
    asked_at: datetime
    due_at: datetime
    reason: str
    ticket: str = ""
    then: str = ""
    about: str = ""

    @property
    def is_over(self) -> bool:
        """True when nothing is waited for any more."""
        return all(part.state is not State.SENT for part in self.parts)

    @property
    def waits_for(self) -> frozenset[Wanted]:
        """What has not been answered."""
        return frozenset(part.wanted for part in self.parts if part.state is State.SENT)

    @property
    def answered(self) -> tuple[MeterReading, ...]:
        """Everything that was answered, each once."""
        return tuple(dict.fromkeys(reading for part in self.parts for reading in part.readings))

    @property
    def failures(self) -> tuple[Part, ...]:
        """The parts that nobody answered."""
        return tuple(part for part in self.parts if part.state in {State.REFUSED, State.TIMED_OUT})


def answers(reading: MeterReading, wanted: Wanted) -> bool:
    """True when ``reading`` holds a value that was ``wanted``."""
    meter = None if reading.meter is None else reading.meter.mrid
    types = {each.reading_type.ref for each in reading.readings} | {
        each.reading_type.ref for each in reading.interval_blocks if each.interval_readings
    }
    return meter == wanted.meter and (wanted.reading_type in types or (wanted.reading_type == ANYTHING and bool(types)))


def heard(job: Job, readings: Iterable[MeterReading], came: frozenset[Wanted]) -> Job:
    """The job after an answer to the question in which the values that ``came`` were asked for."""
    told = tuple(readings)
    return replace(job, parts=tuple(_heard(part, told) if part.wanted in came else part for part in job.parts))


def _heard(part: Part, told: Iterable[MeterReading]) -> Part:
    if part.state is not State.SENT:
        return part
    found = tuple(reading for reading in told if answers(reading, part.wanted))
    return replace(part, state=State.ANSWERED, readings=found)


def refused(job: Job, errors: Mapping[Wanted, BusbarError]) -> Job:
    """The job after word that some values will not come."""
    return replace(
        job,
        parts=tuple(
            replace(part, state=State.REFUSED, code=error.code, reason=error.reason)
            if part.state is State.SENT and (error := errors.get(part.wanted)) is not None
            else part
            for part in job.parts
        ),
    )


def given_up(job: Job) -> Job:
    """The job at the end of the patience: what has not come is unknown, which is not that it is not there."""
    seconds = int((job.due_at - job.asked_at).total_seconds())
    reason = f"the meter did not answer within {seconds} s"
    return replace(
        job,
        parts=tuple(
            replace(part, state=State.TIMED_OUT, code=TIMED_OUT, reason=reason) if part.state is State.SENT else part
            for part in job.parts
        ),
    )


def is_fresh(read_at: datetime, now: datetime, max_age: timedelta | None) -> bool:
    """True when a value that is known already answers who allows this age; without an age none does."""
    return max_age is not None and now - max_age <= read_at <= now
