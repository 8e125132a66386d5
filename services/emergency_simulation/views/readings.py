"""What the played head-end says of its meters: MeterReadings, and why there are none (IEC 61968-9)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_events import CLOCK_AHEAD
from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid, NotFound
from contracts.message import Error, Id, Level, Message, Reply, Request, Result
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_read_schedule import MeterReadSchedule, TimePoint
from contracts.nouns.meter_readings import (
    EndDeviceEvent,
    EndDeviceEventDetail,
    IntervalBlock,
    IntervalReading,
    Meter,
    MeterReading,
    MeterReadings,
)
from contracts.nouns.reading_types import Reading, ReadingReasonKind
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.consumption import EPOCH, counted
from services.emergency_simulation.domain.meters import Radio, Spell
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.reading import Day, File, Poll
from shared.work import Whole

REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
"""What a meter shows whom nobody asks for anything else: the register of kWh from the grid."""

AN_HOUR, AFTER_A_SLOT = timedelta(hours=1), timedelta(minutes=5)

CLOCK_ERROR = "3.36.0.79"

SILENT = "the meter did not answer the head-end"

_LENGTHS = {
    "fiveMinute": timedelta(minutes=5),
    "fifteenMinute": timedelta(minutes=15),
    "thirtyMinute": timedelta(minutes=30),
    "sixtyMinute": timedelta(hours=1),
}
_MULTIPLIERS = {0: 0, 3: 3}


class Channel(Struct, frozen=True, kw_only=True):
    """A channel of a meter: energy from the grid, as a register (``length`` None) or by intervals.

    Attributes:
        code: its reading type.
        places: digits after the point; 3 where the unit is kWh, since what is counted are Wh.
    """

    code: str
    length: timedelta | None
    places: int


def channel(code: str) -> Channel | None:
    """The channel of this reading type; None where the meters of this field have none."""
    parsed = ReadingTypeCode.parse(code)
    names = parsed.names
    is_energy = (names["unit"], names["measurement_kind"], names["flow_direction"]) == ("Wh", "energy", "forward")
    if not is_energy or parsed.multiplier not in _MULTIPLIERS or parsed.phases or parsed.tou:
        return None
    length = _LENGTHS.get(names["measuring_period"])
    kind = (names["accumulation"], length is None)
    if kind not in {("bulkQuantity", True), ("cumulative", True), ("deltaData", False)}:
        return None
    return Channel(code=code, length=length, places=_MULTIPLIERS[parsed.multiplier])


def asked(request: Request | None, network: Network) -> Poll:
    """Which meters a question is for, and which of them nobody knows here.

    Raises:
        Invalid: 2.15, it names nobody; 2.10, it asks for nothing that a meter of this field measures.
        NotFound: 2.4, there is none of these meters in the field.
    """
    query = request.query if request is not None and isinstance(request.query, GetMeterReadings) else None
    query = query or GetMeterReadings()
    named = [each.mrid for each in (*query.end_device, *query.usage_point) if each.mrid]
    if not named:
        raise Invalid("GetMeterReadings: it names no meter and no usage point", code="2.15")
    places = {name: name if name in network.usage_points else network.meters.get(name) for name in named}
    points = tuple(place for place in places.values() if place is not None)
    if not points:
        raise NotFound("there is no such meter in the field", code="2.4", object_id=named[0])
    codes = [each.mrid for each in query.reading_type if each.mrid] or [REGISTER]
    period = next((each.time_period for each in query.reading if each.time_period is not None), DateTimeInterval())
    known = tuple(code for code in codes if channel(code) is not None)
    if not known:
        raise Invalid(f"no meter of this field measures {codes[0]}", code="2.10")
    reason = next((each.reason for each in query.reading if each.reason is not None), ReadingReasonKind.INQUIRY)
    unknown = tuple(name for name, place in places.items() if place is None)
    return Poll(
        points=points,
        types=known,
        reason=reason,
        unknown=unknown,
        start=period.start,
        end=period.end,
    )


def known_by_name(poll: Poll, nameless: Collection[str], network: Network) -> Poll:
    """The question without the meters that do not say any more which ones they are: nobody knows those.

    Raises:
        NotFound: 2.4, there is none left.
    """
    lost = tuple(point for point in poll.points if point in nameless)
    left = tuple(point for point in poll.points if point not in nameless)
    names = tuple(network.usage_points[point].meter or point for point in lost)
    if not left:
        raise NotFound("no meter says that it is this one", code="2.4", object_id=names[0])
    return replace(poll, points=left, unknown=(*poll.unknown, *names))


class Source(Struct, frozen=True, kw_only=True):
    """One meter: its chance, and its times in the dark."""

    stream: Stream
    meter: str
    dark: Sequence[Spell]

    def counted(self, at: datetime) -> int:
        """The Wh that it has counted."""
        return counted(self.stream, self.meter, at, self.dark)


def source(point: str, network: Network, seed: int, dark: Sequence[Spell]) -> Source:
    """The meter of a usage point."""
    return Source(stream=Stream(seed, "load"), meter=network.usage_points[point].meter, dark=dark)


def reading(point: str, poll: Poll, meter: Source, at: datetime) -> MeterReading:
    """What one meter says when it is asked: its registers as they are, its intervals of the time that is asked for."""
    channels = [each for each in map(channel, poll.types) if each is not None]
    registers = tuple(register(meter, each, at, poll.reason) for each in channels if each.length is None)
    times = (poll.start or at - timedelta(days=1), min(poll.end or at, at))
    blocks = tuple(block(meter, each, times) for each in channels if each.length is not None)
    return MeterReading(
        interval_blocks=blocks,
        meter=Meter(mrid=meter.meter),
        readings=registers,
        usage_point=ObjectReference(mrid=point),
    )


def register(meter: Source, each: Channel, at: datetime, reason: str) -> Reading:
    """What a register shows, and why it was looked at."""
    return Reading(
        reason=ReadingReasonKind(reason),
        time_stamp=at,
        value=text(meter.counted(at), each.places),
        reading_type=Reference(ref=each.code),
    )


def block(meter: Source, each: Channel, times: tuple[datetime, datetime]) -> IntervalBlock:
    """The whole intervals of a channel within some time."""
    length = each.length or timedelta(minutes=15)
    start, end = times
    first = start + (EPOCH - start) % length
    edges = [first + place * length for place in range(max(0, (end - first) // length) + 1)]
    values = [meter.counted(edge) for edge in edges]
    readings = tuple(
        IntervalReading(time_stamp=until, value=text(after - before, each.places))
        for until, (before, after) in zip(edges[1:], pairwise(values), strict=True)
    )
    return IntervalBlock(interval_readings=readings, reading_type=Reference(ref=each.code))


def schedule_id(message: Message[MeterReadSchedule]) -> str:
    """The mRID of a schedule, which has none of its own.

    Raises:
        Invalid: 2.15, the request does not name it.
    """
    ids = () if message.request is None else message.request.id
    if len(ids) != 1:
        raise Invalid(f"Request: {len(ids)} IDs, the one of the schedule is needed", code="2.15")
    return ids[0].value


def points_of(schedule: MeterReadSchedule | None) -> dict[str, TimePoint]:
    """The times of a schedule that are told as instants, by what names them."""
    times = () if schedule is None else schedule.time_schedule
    points = (point for each in times for point in each.time_points)
    return {point.date_time.isoformat(): point for point in points if point.date_time is not None}


def order(schedule: MeterReadSchedule, mrid: str, point: TimePoint) -> File:
    """What is to be told at one time of a schedule: of the window of that time, else of the day before."""
    at = point.date_time or EPOCH
    window = point.window
    since = None if window is None else window.start
    until = None if window is None else window.end
    types = tuple(each.mrid for each in schedule.reading_type if each.mrid and channel(each.mrid) is not None)
    since = since or at - timedelta(days=1)
    return File(
        name=f"{mrid} {at.isoformat()}", collector="", at=at, types=types, since=since, until=until or at, days=()
    )


def by_collector(schedule: MeterReadSchedule, network: Network, radio: Radio) -> dict[str, list[str]]:
    """The usage points whose meters a schedule reads, by the collector of each; strangers are nobody's."""
    found: dict[str, list[str]] = {}
    for each in schedule.end_device:
        point = network.meters.get(each.mrid)
        if point is not None:
            found.setdefault(radio.collector_of[point], []).append(point)
    return found


def day(told: Day, file: File, meter: Source) -> MeterReading:
    """What one meter tells of the time that is collected: its registers at the end, and its intervals."""
    channels = [each for each in map(channel, file.types) if each is not None]
    times = (file.since, file.until)
    of_time = [each for each in channels if each.length is not None]
    jumps = _jumps(file) if told.jumps else ()
    blocks = tuple(_jumped(meter, each, file, jumps) if jumps else block(meter, each, times) for each in of_time)
    return MeterReading(
        end_device_events=tuple(_jump(at, ahead) for at, ahead in jumps),
        interval_blocks=tuple(_holed(each, told) for each in blocks),
        meter=Meter(mrid=meter.meter),
        readings=tuple(
            register(meter, each, file.until, ReadingReasonKind.BILLING) for each in channels if each.length is None
        ),
        usage_point=ObjectReference(mrid=told.point),
        values_interval=DateTimeInterval(start=file.since, end=file.until),
    )


def _jumps(file: File) -> tuple[tuple[datetime, timedelta], ...]:
    """A clock that is an hour ahead for a fifth of the time that is collected: when it jumps, and how far."""
    length = file.until - file.since
    return (
        (file.since + length * 0.4 + AFTER_A_SLOT, AN_HOUR),
        (file.since + length * 0.6 + AFTER_A_SLOT, timedelta()),
    )


def _jump(at: datetime, ahead: timedelta) -> EndDeviceEvent:
    detail = EndDeviceEventDetail(name=CLOCK_AHEAD, value=f"{ahead.total_seconds():g}")
    return EndDeviceEvent(
        created_date_time=at,
        end_device_event_details=(detail,),
        end_device_event_type=Reference(ref=CLOCK_ERROR),
    )


def _jumped(meter: Source, each: Channel, file: File, jumps: Sequence[tuple[datetime, timedelta]]) -> IntervalBlock:
    """The intervals of a meter as it stamps them by its own clock, which ends one where it jumps."""
    whole = block(meter, each, (file.since, file.until)).interval_readings
    ends = [one.time_stamp for one in whole if one.time_stamp is not None]
    edges = sorted({ends[0] - (each.length or AN_HOUR), *ends, *(at for at, _ in jumps)})
    values = [meter.counted(edge) for edge in edges]
    readings = []
    for (begins, until), (before, after) in zip(pairwise(edges), pairwise(values), strict=True):
        ahead = next((far for at, far in reversed(jumps) if at <= begins), timedelta())
        period = DateTimeInterval(start=begins + ahead, end=until + ahead)
        readings.append(IntervalReading(time_period=period, value=text(after - before, each.places)))
    return IntervalBlock(interval_readings=tuple(readings), reading_type=Reference(ref=each.code))


def stranger(file: File) -> tuple[MeterReading, ...]:
    """A meter in a file that nobody knows."""
    if not file.stranger:
        return ()
    value = Reading(time_stamp=file.until, value="1", reading_type=Reference(ref=REGISTER))
    return (MeterReading(meter=Meter(mrid=file.stranger), readings=(value,)),)


def _holed(whole: IntervalBlock, told: Day) -> IntervalBlock:
    values = whole.interval_readings
    return replace(whole, interval_readings=(*values[: told.hole], *values[max(told.hole, told.mended) :]))


def text(watt_hours: int, places: int) -> str:
    """A number of Wh in the unit of its channel, exactly."""
    whole, rest = divmod(watt_hours, 10**places)
    return str(whole) if places == 0 else f"{whole}.{rest:0{places}d}"


def told(readings: Sequence[MeterReading]) -> MeterReadings | None:
    """Readings as the noun; None where there are none."""
    return MeterReadings(meter_reading=tuple(readings)) if readings else None


def last_word(poll: Poll, readings: Sequence[MeterReading], network: Network) -> Whole:
    """The end of an answer: what came last, and an error for each meter that said nothing or is not known here."""
    errors = [Error(code="2.4", level=Level.FATAL, reason="no such meter", id=Id(value=name)) for name in poll.unknown]
    errors += [
        Error(code="4.1", level=Level.FATAL, reason=SILENT, id=Id(value=network.usage_points[point].meter))
        for point in poll.silent
    ]
    result = Result.OK if not errors else Result.PARTIAL if readings or poll.is_partly_answered else Result.FAILED
    if poll.is_partly_answered and not errors:
        result, errors = Result.PARTIAL, [Error(code="0.2")]
    return Whole(reply=Reply(result=result, error=tuple(errors)), payload=told(readings))
