"""What the messages of a load say, made from the fleet when they are needed; it is the truth of the run as well."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from uuid import NAMESPACE_OID, uuid5

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from contracts.catalogue import CATALOGUE
from contracts.compact_readings import CONTENT_TYPE as CONTENT_COMPACT
from contracts.compact_readings import Columns, CompactReadings, Group
from contracts.interface import Lane
from contracts.message import Header, Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading, MeterReadings
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from loadtest.scenario import Encoding, Load, Scenario, What
from loadtest.template import Template, number, token
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec
from shared.fleet.metering import texts

HEAD_END = "head-end"

_LENGTHS = {300: 6, 900: 2, 1800: 5, 3600: 7}
"""The code of the measuring period in a reading type, by seconds."""

_CONTENT = {
    Encoding.COMPACT: CONTENT_COMPACT,
    Encoding.MSGPACK: CONTENT_MSGPACK,
    Encoding.JSON: CONTENT_JSON,
    Encoding.XML: CONTENT_XML,
}
_ID = "00000000-0000-8000-8000-00000000000{}"
_MESSAGE, _METER, _POINT = (_ID.format(digit) for digit in "abc")
LAST_GASP = "3.26.9.185"
"""A meter loses its power."""

_MICROSECONDS = 1_000_000

BLOCK = 500
"""Meters whose values are made together; a generator process makes all messages that begin in a block."""


def reading_type(interval_s: int) -> str:
    """The reading type of Wh of an interval, imported, secondary.

    Raises:
        ValueError: the standard has no code for intervals of this length.
    """
    if interval_s not in _LENGTHS:
        raise ValueError(f"intervals of {interval_s} s are not told; there are {', '.join(map(str, _LENGTHS))}")
    return f"0.0.{_LENGTHS[interval_s]}.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"


class Told(Struct, frozen=True):
    """One message: where it goes, its headers as NATS has them, and its body."""

    subject: bytes
    headers: bytes
    body: bytes


class Part(Struct, frozen=True):
    """What a message is about: meters ``first`` to before ``last``, on a day, from an interval until before another."""

    first: int
    last: int
    day: date
    start: int
    stop: int

    @property
    def values(self) -> int:
        """How many readings it holds."""
        return (self.last - self.first) * (self.stop - self.start)


class Made(Struct, frozen=True):
    """A block of meters on a day, made at once and kept while messages are about it.

    Attributes:
        numbers: [meters x intervals] of Wh.
        meters, points: their mRIDs, sixteen bytes each.
    """

    numbers: NDArray[np.int32]
    meters: bytes
    points: bytes
    names: list[tuple[str, str]]


class Telling:
    """The events of a load.

    Args:
        scenario: the fleet.
        load: which of its loads; one that tells.
        run: the run, so that no message has the MessageID of another run.
        root: the utility.
        context: the context.

    Attributes:
        groups: into how many messages the fleet is divided; after so many the first meters come again.
    """

    def __init__(self, scenario: Scenario, load: Load, run: str, root: str, context: str) -> None:
        self._scenario = scenario
        self._load = load
        self._run = run
        self._fleet = scenario.fleet()
        self._codec = Codec(CATALOGUE)
        self._content_type = _CONTENT[load.encoding]
        self._context = context.upper()
        self._lane = Lane.OUTAGE if load.what is What.GASPS else Lane.READINGS
        noun = "EndDeviceEvents" if load.what is What.GASPS else "MeterReadings"
        self._subject = f"{root}.{context}.event.{self._lane}.{HEAD_END}.{noun}.created."
        self._began = datetime.now(UTC).replace(microsecond=0)
        self._meters = load.meters or scenario.meters
        self.groups = -(-self._meters // load.per_message)
        self._first_day = scenario.day + timedelta(days=load.first_day)
        self._template = lru_cache(maxsize=64)(self._make_template)
        # waves come back to each block for every interval of its day, so a day of all of them is kept
        self._block = lru_cache(maxsize=4 + scenario.meters // BLOCK)(self._make_block)
        if load.what is What.GASPS and load.encoding is Encoding.COMPACT:
            raise ValueError("events of devices have no compact form")

    @property
    def count(self) -> int:
        """How many messages are due in the time of the load."""
        if self._load.once:
            return self.groups
        wanted = self._load.per_s * self._scenario.lasts_s(self._load)
        if self._load.what is What.GASPS:
            return min(self.groups, -(-int(wanted) // self._load.per_message))
        total = said = 0
        while said < wanted:
            said += self.part(total).values
            total += 1
        return total

    def part(self, index: int) -> Part:
        """What the message of this number is about."""
        step, group = divmod(index, self.groups)
        first = group * self._load.per_message
        last = min(first + self._load.per_message, self._meters)
        if self._load.what is What.GASPS:
            return Part(first, last, self._first_day, 0, 1)
        if self._load.what is What.DAY_BLOCKS:
            day = self._first_day + timedelta(days=step)
            count = len(self._fleet.starts(day))
            kept = self._load.hours * 3600 // self._scenario.interval_s or count
            return Part(first, last, day, max(count - kept, 0), count)
        day, place = self._interval(step)
        return Part(first, last, day, place, place + 1)

    def _interval(self, step: int) -> tuple[date, int]:
        """The day and place of an interval, by its number since the first day."""
        for day in _days(self._first_day):
            count = len(self._fleet.starts(day))
            if step < count:
                return day, step
            step -= count
        raise AssertionError("days do not end")

    def message_id(self, index: int) -> str:
        """The MessageID of this number."""
        return str(uuid5(NAMESPACE_OID, f"{self._run} {self._load.name} {index}"))

    def subject(self, index: int) -> str:
        """Where the message of this number goes: the same meters always go to one partition."""
        key = f"meters-{index % self.groups * self._load.per_message}"
        return f"{self._subject}{zlib.crc32(key.encode()) % self._lane.partitions}"

    def told(self, index: int) -> Told:
        """The message of this number."""
        part, message_id = self.part(index), self.message_id(index)
        if self._load.what is What.GASPS:
            body = self._gasps(part, message_id)
        elif self._load.encoding is Encoding.COMPACT:
            body = self._columns(part, message_id)
        else:
            body = self._readings(part, message_id)
        headers = f"NATS/1.0\r\nNats-Msg-Id: {message_id}\r\nContent-Type: {self._content_type}\r\n\r\n"
        return Told(self.subject(index).encode(), headers.encode(), body)

    def _made(self, part: Part) -> Iterator[Made]:
        """The values and names of a part, block by block."""
        first = part.first
        while first < part.last:
            block, place = divmod(first, BLOCK)
            count = min(part.last - first, BLOCK - place)
            made = self._block(block, part.day)
            yield Made(
                made.numbers[place : place + count, part.start : part.stop],
                made.meters[16 * place : 16 * (place + count)],
                made.points[16 * place : 16 * (place + count)],
                made.names[place : place + count],
            )
            first += count

    def _make_block(self, block: int, day: date) -> Made:
        meters = np.arange(block * BLOCK, min((block + 1) * BLOCK, self._scenario.meters))
        ids, points = self._fleet.meter_ids(meters), self._fleet.point_ids(meters)
        compact = self._load.encoding is Encoding.COMPACT
        return Made(
            self._fleet.intervals(meters, day).astype(np.int32),
            ids,
            points,
            [] if compact else [*zip(texts(ids), texts(points), strict=True)],
        )

    def _columns(self, part: Part, message_id: str) -> bytes:
        ends = self._fleet.starts(part.day) + self._scenario.interval_s
        count = part.stop - part.start
        made = [*self._made(part)]
        columns = Columns(
            reading_type=reading_type(self._scenario.interval_s),
            first_us=int(ends[part.start]) * _MICROSECONDS,
            step_us=self._scenario.interval_s * _MICROSECONDS if count > 1 else 0,
            count=count,
            numbers=b"".join(each.numbers.astype("<i4").tobytes() for each in made),
            meters=b"".join(each.meters for each in made),
            usage_points=b"".join(each.points for each in made),
        )
        payload = CompactReadings(groups=(Group(columns=columns),))
        header = self._header("MeterReadings", message_id)
        return self._codec.encode(Message(header=header, payload=payload), self._content_type)

    def _readings(self, part: Part, message_id: str) -> bytes:
        template, kind = self._template(part.day, part.start, part.stop), self._content_type
        elements = [
            template.element([*(number(value, kind) for value in row), token(meter, kind), token(point, kind)])
            for made in self._made(part)
            for row, (meter, point) in zip(made.numbers.tolist(), made.names, strict=True)
        ]
        return template.message(elements, [message_id])

    def _gasps(self, part: Part, message_id: str) -> bytes:
        template, kind = self._template(self._first_day, 0, 1), self._content_type
        names = (name for made in self._made(part) for name in made.names)
        elements = [template.element([token(meter, kind), token(point, kind)]) for meter, point in names]
        return template.message(elements, [message_id])

    def _make_template(self, day: date, start: int, stop: int) -> Template:
        if self._load.what is What.GASPS:
            event = EndDeviceEvent(
                created_date_time=self._began,
                assets=ObjectReference(mrid=_METER),
                end_device_event_type=Reference(ref=LAST_GASP),
                usage_point=ObjectReference(mrid=_POINT),
            )
            noun: EndDeviceEvents | MeterReadings = EndDeviceEvents(end_device_event=(event,))
            return self._cut(noun, "EndDeviceEvent", [_METER, _POINT])
        markers = [f"v~{place:05}" for place in range(start, stop)]
        ends = self._fleet.starts(day)[start:stop] + self._scenario.interval_s
        # a list without times is the shortest form of a day, which JSON has; the others have what is read by the column
        stamped = self._load.encoding is not Encoding.JSON or self._load.what is What.WAVE or self._load.hours > 0
        values = tuple(
            IntervalReading(time_stamp=datetime.fromtimestamp(end, UTC) if stamped else None, value=marker)
            for end, marker in zip(ends.tolist(), markers, strict=True)
        )
        block = IntervalBlock(
            interval_readings=values, reading_type=Reference(ref=reading_type(self._scenario.interval_s))
        )
        midnight = datetime.fromtimestamp(int(self._fleet.starts(day)[0]), UTC)
        reading = MeterReading(
            interval_blocks=(block,),
            meter=Meter(mrid=_METER),
            usage_point=ObjectReference(mrid=_POINT),
            values_interval=None if stamped else DateTimeInterval(start=midnight),
        )
        return self._cut(MeterReadings(meter_reading=(reading,)), "MeterReading", [*markers, _METER, _POINT])

    def _cut(self, noun: EndDeviceEvents | MeterReadings, element: str, markers: Sequence[str]) -> Template:
        header = self._header(type(noun).__name__, _MESSAGE)
        body = self._codec.encode(Message(header=header, payload=noun), self._content_type)
        return Template(body, self._content_type, element, markers, [_MESSAGE])

    def _header(self, noun: str, message_id: str) -> Header:
        return Header(
            verb=Verb.CREATED,
            noun=noun,
            context=self._context,
            timestamp=self._began,
            source=HEAD_END,
            message_id=message_id,
        )


def tells(load: Load) -> bool:
    """True for a load of events, False for one of questions."""
    return load.what in {What.WAVE, What.DAY_BLOCKS, What.GASPS}


def _days(first: date) -> Iterator[date]:
    while True:
        yield first
        first += timedelta(days=1)
