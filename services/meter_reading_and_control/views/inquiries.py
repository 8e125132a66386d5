"""GetMeterReadings that ask for the present: what is wanted, how the head-end is asked, what is answered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import BusbarError, Invalid
from contracts.message import Error, Id, Level, Message, Reply, Request, Result
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_meter_readings import Reading as AskedReading
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingReasonKind, ReadingType
from contracts.types import DateTimeInterval, ObjectReference
from services.meter_reading_and_control.domain.installation import Installed, at_point, of_meter
from services.meter_reading_and_control.domain.readings import Register
from services.meter_reading_and_control.domain.reads import (
    ANYTHING,
    UNAVAILABLE,
    Job,
    Part,
    State,
    Wanted,
    answers,
    is_fresh,
)
from services.meter_reading_and_control.views.answers import register_news
from services.meter_reading_and_control.views.told import Refusal
from shared.envelope import more_follows
from shared.work import Whole

MOST = 1000
"""How many meters one question is for (metering guide 13, F1)."""


class Inquiry(Struct, frozen=True, kw_only=True):
    """Which meters are to be read now.

    Attributes:
        named: usage points and meters, whatever they are.
        groups: groups of devices.
        types: reading types; ANYTHING where none is named.
        max_age: how old a value may be that is known already (option ``maxAge``, in seconds); None: none may answer.
    """

    named: tuple[str, ...]
    groups: tuple[str, ...]
    types: tuple[str, ...]
    max_age: timedelta | None


def is_now(request: Request | None) -> bool:
    """True for a question about the present: the reason is an inquiry, and no time is named."""
    query = None if request is None else request.query
    if request is None or not isinstance(query, GetMeterReadings):
        return False
    timed = request.start_time or request.end_time or query.time_schedule or any(r.time_period for r in query.reading)
    return not timed and any(each.reason is ReadingReasonKind.INQUIRY for each in query.reading)


def inquiry(request: Request) -> Inquiry:
    """What a question about the present asks for.

    Raises:
        Invalid: 2.15, it names nobody; 2.6, a reading type cannot be read; 2.29, ``maxAge`` is no number of seconds.
    """
    query = request.query if isinstance(request.query, GetMeterReadings) else GetMeterReadings()
    about = query.meter_readings
    objects = [*query.usage_point, *query.end_device]
    objects += [] if about is None else [each for each in (about.usage_point, about.meter) if each is not None]
    named = [*(each.value for each in request.id), *(each.mrid for each in objects if each.mrid)]
    groups = [each.mrid for each in query.end_device_group if each.mrid]
    if not named and not groups:
        raise Invalid("GetMeterReadings: it names no usage point, no meter and no group", code="2.15")
    types = [str(ReadingTypeCode.parse(each.mrid).canonical) for each in query.reading_type if each.mrid]
    return Inquiry(
        named=tuple(dict.fromkeys(named)),
        groups=tuple(dict.fromkeys(groups)),
        types=tuple(dict.fromkeys(types)) or (ANYTHING,),
        max_age=_max_age(request),
    )


def parts(asked: Inquiry, known: Sequence[Installed], meters: Iterable[str], now: datetime) -> tuple[Part, ...]:
    """A part for each value; for whom there is no meter now, the word why.

    Args:
        asked: with the members of its groups among those that are named.
        known: every installation of those.
        meters: the meters that are known.
        now: the time at which a usage point has its meter.

    Raises:
        Invalid: 3.1, more meters than one question may have.
    """
    there = set(meters)
    found: dict[Wanted, Part] = {}
    for name in asked.named:
        place = at_point(known, name, now) or of_meter(known, name, now)
        for each in asked.types:
            part = _failed(name, each, known, there) if place is None else _part(place, each)
            found[part.wanted] = part
    if len({each.meter for each in found}) > MOST:
        raise Invalid(f"GetMeterReadings: it names more than {MOST} meters", code="3.1")
    return tuple(found.values())


def _part(place: Installed, reading_type: str) -> Part:
    return Part(wanted=Wanted(meter=place.meter, reading_type=reading_type), usage_point=place.usage_point)


def _failed(name: str, reading_type: str, known: Sequence[Installed], meters: set[str]) -> Part:
    if name in meters:
        code, reason = "2.13", f"meter {name} is at no usage point now"
    elif any(each.usage_point == name for each in known):
        code, reason = "2.13", f"usage point {name} has no meter now"
    else:
        code, reason = "2.4", f"neither a meter nor a usage point '{name}' is known"
    wanted = Wanted(meter=name, reading_type=reading_type)
    return Part(wanted=wanted, usage_point="", state=State.REFUSED, code=code, reason=reason)


def from_cache(part: Part, reads: Sequence[Register], now: datetime, max_age: timedelta | None) -> Part:
    """The part, answered by the newest value that is known where the question allows its age."""
    wanted = part.wanted
    fresh = [
        each
        for each in reads
        if each.usage_point == part.usage_point
        and each.meter == wanted.meter
        and wanted.reading_type in {each.reading_type, ANYTHING}
        and is_fresh(each.read_at, now, max_age)
    ]
    if part.state is not State.SENT or not fresh:
        return part
    newest = {each.reading_type: each for each in sorted(fresh, key=lambda register: register.read_at)}
    return replace(part, state=State.ANSWERED, readings=tuple(register_news(each) for each in newest.values()))


def questions(wanted: Iterable[Wanted], reason: str) -> Iterator[tuple[tuple[Wanted, ...], GetMeterReadings]]:
    """What the head-end is asked: meters of whom the same types are wanted in one question, not too many of them."""
    types: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for each in wanted:
        types[each.meter, each.period].append(each)
    alike: dict[tuple[str, ...], list[list[Wanted]]] = defaultdict(list)
    for (_, words), of_one in sorted(types.items(), key=lambda each: each[0]):
        alike[words, *sorted(each.reading_type for each in of_one)].append(of_one)
    for (_, *codes), meters in alike.items():
        first = meters[0][0]
        period = None if first.since is None else DateTimeInterval(start=first.since, end=first.until)
        for start in range(0, len(meters), MOST):
            some = meters[start : start + MOST]
            query = GetMeterReadings(
                end_device=tuple(ObjectReference(mrid=each[0].meter) for each in some),
                reading=(AskedReading(reason=ReadingReasonKind(reason), time_period=period),),
                reading_type=tuple(ReadingType(mrid=code) for code in codes if code != ANYTHING),
            )
            yield tuple(chain.from_iterable(some)), query


class Word(Struct, frozen=True, kw_only=True):
    """What a reply of the head-end says to those who wait.

    Attributes:
        readings: what was taken of it.
        came: what that answers.
        errors: what will not come, and why.
    """

    readings: tuple[MeterReading, ...]
    came: frozenset[Wanted]
    errors: Mapping[Wanted, BusbarError]


def word(message: Message[MeterReadings], asked: Iterable[Wanted], refusals: Sequence[Refusal]) -> Word:
    """What ``message`` answers of what was ``asked``; after the last part of a reply nothing more comes."""
    told = () if message.payload is None else message.payload.meter_reading
    taken = tuple(each for each in (_without(reading, refusals) for reading in told) if each is not None)
    reply = message.reply or Reply(result=Result.OK)
    said = {each.id.value: each for each in reply.error if each.id is not None}
    general = next((each for each in reply.error if each.id is None and not each.code.startswith("0.")), None)
    found: dict[Wanted, BusbarError] = {}
    came = frozenset(wanted for wanted in asked if any(answers(reading, wanted) for reading in taken))
    for wanted in set(asked) - came:
        refusal = next((each.error for each in refusals if answers(each.part, wanted)), None)
        error = said.get(wanted.meter)
        if refusal is not None:
            found[wanted] = refusal
        elif error is not None:
            found[wanted] = Invalid(error.reason or "the head-end does not say why", code=error.code)
        elif not more_follows(reply):
            code = UNAVAILABLE if general is None else general.code
            reason = None if general is None else general.reason
            found[wanted] = Invalid(reason or "the head-end has not got it", code=code)
    return Word(readings=taken, came=came, errors=found)


def _without(reading: MeterReading, refusals: Sequence[Refusal]) -> MeterReading | None:
    """What was taken of ``reading``; None when nothing was."""
    bad = {register for each in refusals for register in each.part.readings}
    worse = {block for each in refusals for block in each.part.interval_blocks}
    blocks = tuple(each for each in reading.interval_blocks if each not in worse)
    good = tuple(each for each in reading.readings if each not in bad)
    return replace(reading, readings=good, interval_blocks=blocks) if good or blocks else None


def outcome(job: Job) -> Whole:
    """The answer to who asked: what was read, and an error for each value that was not."""
    errors = tuple(
        Error(code=part.code, level=Level.FATAL, reason=part.reason, id=Id(value=part.wanted.meter))
        for part in job.failures
    )
    found = job.answered
    result = Result.OK if not errors else Result.PARTIAL if found else Result.FAILED
    payload = MeterReadings(meter_reading=found) if found else None
    return Whole(reply=Reply(result=result, error=errors), payload=payload)


def _max_age(request: Request) -> timedelta | None:
    text = next((each.value for each in request.option if each.name == "maxAge"), None)
    if text is None:
        return None
    try:
        seconds = float(text)
        return timedelta(seconds=seconds)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"Option maxAge: '{text}' is no number of seconds", code="2.29") from error
