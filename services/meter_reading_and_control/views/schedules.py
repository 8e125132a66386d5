"""MeterReadSchedule and EndDeviceGroups on the wire (IEC 61968-9).

The profile of MeterReadSchedule has no identity: it stands in Request/ID, else the MessageID of the ``create`` is it,
and the reply tells it.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.message import Error, Id, Level, Message, Reply, Result
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.meter_read_schedule import EndDevice, MeterReadSchedule, TimePoint
from contracts.types import DateTimeInterval
from services.meter_reading_and_control.domain.schedules import Occurrence, OccurrenceState, Schedule, Time
from shared.work import Whole

AHEAD = 8
"""How many times the head-end is told ahead."""


def identity(message: Message[MeterReadSchedule]) -> str:
    """The mRID of the schedule that is to be created.

    Raises:
        Invalid: 2.15, several are named.
    """
    ids = () if message.request is None else message.request.id
    if len(ids) > 1:
        raise Invalid(f"Request: {len(ids)} IDs for one schedule", code="2.15")
    return ids[0].value if ids else message.header.message_id or ""


def the_schedule(message: Message[MeterReadSchedule]) -> str:
    """The mRID of the schedule that is to be changed or cancelled.

    Raises:
        Invalid: 2.15, none is named, or several.
    """
    ids = () if message.request is None else message.request.id
    if len(ids) != 1:
        raise Invalid(f"Request: {len(ids)} IDs, the one of the schedule is needed", code="2.15")
    return ids[0].value


def named(noun: MeterReadSchedule) -> tuple[str, ...]:
    """The meters and usage points that a schedule names itself."""
    points = (each.mrid for each in noun.usage_point if each.mrid)
    return (*(each.mrid for each in noun.end_device), *points)


def groups(noun: MeterReadSchedule) -> tuple[str, ...]:
    """The groups that it names."""
    return tuple(each.mrid for each in noun.end_device_group if each.mrid)


def for_head_end(schedule: Schedule, meters: Iterable[str], times: Sequence[Time]) -> MeterReadSchedule:
    """The schedule as the head-end gets it: meters instead of groups and places, and its next times as instants.

    The window of each is the time of which values are wanted.
    """
    points = tuple(
        TimePoint(
            date_time=time.due_at,
            sequence_number=number,
            window=DateTimeInterval(start=time.since, end=time.due_at),
        )
        for number, time in enumerate(times, start=1)
    )
    first, *_ = schedule.noun.time_schedule
    return MeterReadSchedule(
        end_device=tuple(EndDevice(mrid=meter) for meter in meters),
        reading_type=schedule.noun.reading_type,
        time_schedule=(replace(first, time_points=points),),
    )


def shown(schedule: Schedule, occurrences: Iterable[Occurrence]) -> Whole:
    """A schedule with the times that have been, and a word for each that is not complete."""
    known = list(occurrences)
    points = tuple(
        TimePoint(
            date_time=each.time.due_at,
            sequence_number=number,
            window=DateTimeInterval(start=each.time.since, end=each.time.due_at),
        )
        for number, each in enumerate(known, start=1)
    )
    first, *rest = schedule.noun.time_schedule
    noun = replace(schedule.noun, time_schedule=(replace(first, time_points=(*first.time_points, *points)), *rest))
    words = [Error(code="0.0", level=Level.INFORM, reason=str(schedule.state), id=Id(value=schedule.mrid))]
    if schedule.refused:
        words.append(Error(code="5.2", level=Level.WARNING, reason=schedule.refused, id=Id(value=schedule.mrid)))
    words += [_word(each) for each in known]
    is_whole = all(each.state is OccurrenceState.COMPLETE for each in known)
    result = Result.OK if is_whole else Result.PARTIAL
    return Whole(reply=Reply(result=result, error=tuple(words), id=(Id(value=schedule.mrid),)), payload=noun)


def _word(each: Occurrence) -> Error:
    came = each.wanted - len(each.missing)
    meters = ", ".join(sorted({wanted.meter for wanted in each.missing})[:20])
    is_whole = each.state is OccurrenceState.COMPLETE
    lacks = "" if is_whole or not meters else f"; missing: {meters}"
    return Error(
        code="0.0" if is_whole else "5.7",
        level=Level.INFORM if is_whole or not each.is_closed else Level.WARNING,
        reason=f"{each.state}: {came} of {each.wanted}{lacks}",
        id=Id(value=each.time.nominal, object_type="occurrence"),
    )


def each_group(noun: EndDeviceGroups) -> tuple[EndDeviceGroup, ...]:
    """The groups of a request.

    Raises:
        Invalid: 5.8, one has no mRID.
    """
    if any(not each.mrid for each in noun.end_device_group):
        raise Invalid("EndDeviceGroup: mRID is missing", code="5.8")
    return noun.end_device_group
