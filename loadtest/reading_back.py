"""What was told is asked for again, by the same `get` that anybody uses, and compared with the truth of the fleet."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError, NotFound, Unavailable, from_reply
from contracts.message import Id, Request
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.meter_readings import MeterReadings
from contracts.verbs import Verb
from loadtest.scenario import Scenario, What
from loadtest.telling import LAST_GASP, Part, reading_type
from shared.codec import CONTENT_MSGPACK
from shared.config import Settings
from shared.fleet.chance import Purpose, keys
from shared.fleet.metering import Fleet, texts
from shared.tools.testing import Peer

AT_ONCE = 4
POINTS = 10
DAYS = 14
"""Usage points and days of one question; an answer of years in one part may be more than a message holds."""

_TRIES = 30


class Found(Struct, frozen=True, kw_only=True):
    """What became of the values that the broker had acknowledged.

    Attributes:
        points: usage points that were asked for.
        values: values, and events, that must be there.
        lost: those that are not.
        doubled: those that are there twice.
        wrong: those that say something else than was measured.
        unasked: values that are there and were never told.
    """

    points: int = 0
    values: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    unasked: int = 0

    def plus(self, other: "Found") -> "Found":
        """Both together; the points are the larger number."""
        return Found(
            points=max(self.points, other.points),
            values=self.values + other.values,
            lost=self.lost + other.lost,
            doubled=self.doubled + other.doubled,
            wrong=self.wrong + other.wrong,
            unasked=self.unasked + other.unasked,
        )

    @property
    def is_whole(self) -> bool:
        """True when everything is there once and right."""
        return not (self.lost or self.doubled or self.wrong or self.unasked)


class Truth:
    """Which intervals of some meters were told, from the messages that the broker acknowledged.

    Args:
        fleet: the meters.
        meters: those that are asked for, in rising order.
    """

    def __init__(self, fleet: Fleet, meters: NDArray[np.int64]) -> None:
        self._fleet = fleet
        self.meters = meters
        self._told: dict[date, NDArray[np.bool_]] = {}
        self._perhaps: dict[date, NDArray[np.bool_]] = {}

    def tell(self, part: Part, *, surely: bool) -> None:
        """A message was acknowledged, or was sent and has no answer."""
        first, last = np.searchsorted(self.meters, [part.first, part.last])
        if first == last:
            return
        for told in (self._told, self._perhaps) if surely else (self._perhaps,):
            if part.day not in told:
                told[part.day] = np.zeros((len(self.meters), len(self._fleet.starts(part.day))), np.bool_)
            told[part.day][first:last, part.start : part.stop] = True

    @property
    def days(self) -> list[date]:
        """The days of which something was told."""
        return sorted(self._perhaps)

    def compare(
        self, rows: NDArray[np.int64], days: Sequence[date], found: Mapping[int, Sequence[tuple[int, int]]]
    ) -> Found:
        """Hold answers against the truth.

        Args:
            rows: the places of the meters that were asked for.
            days: the days that were asked for.
            found: for each of these the ends of its intervals, in seconds since 1970, and their values in Wh.
        """
        total = Found(points=len(rows))
        counts = {row: Counter(end for end, _ in found.get(row, ())) for row in rows.tolist()}
        doubled = sum(count - 1 for each in counts.values() for count in each.values() if count > 1)
        for day in days:
            ends = (self._fleet.starts(day) + self._fleet.interval_s).tolist()
            places = {end: place for place, end in enumerate(ends)}
            there = np.full((len(rows), len(ends)), -1, np.int64)
            for number, row in enumerate(rows.tolist()):
                for end, value in found.get(row, ()):
                    if end in places:
                        there[number, places[end]] = value
            truth = self._fleet.intervals(self.meters[rows], day)
            told = self._told.get(day, np.zeros((len(self.meters), len(ends)), np.bool_))[rows]
            known = there >= 0
            total = total.plus(
                Found(
                    values=int(told.sum()),
                    lost=int((told & ~known).sum()),
                    wrong=int((known & (there != truth)).sum()),
                    unasked=int((known & ~self._perhaps[day][rows]).sum()),
                )
            )
        return total.plus(Found(doubled=doubled))


def sample(scenario: Scenario) -> NDArray[np.int64]:
    """The meters that are read back: all, or so many by chance."""
    if not 0 < scenario.sample < scenario.installed:
        return np.arange(scenario.installed)
    order = np.argsort(keys(scenario.seed, Purpose.READ, np.arange(scenario.installed)), kind="stable")
    return np.sort(order[: scenario.sample])


async def read_back(settings: Settings, scenario: Scenario, truth: Truth) -> Found:
    """Ask for all values of the meters of ``truth`` on the days of the run."""
    if not truth.days:
        return Found()
    total = Found(points=len(truth.meters))
    async with Peer(settings, CATALOGUE, "operator") as peer:
        questions = [(rows, days) for rows in _waves(len(truth.meters)) for days in _spans(truth.days)]
        for place in range(0, len(questions), AT_ONCE):
            asked = (_compared(peer, scenario, truth, *each) for each in questions[place : place + AT_ONCE])
            for each in await asyncio.gather(*asked):
                total = total.plus(each)
    return total


async def gasps_back(settings: Settings, scenario: Scenario, told: NDArray[np.int64], since: datetime) -> Found:
    """Ask for the events of the meters that told ``since`` then that they lose their power; each must be there once."""
    total = Found(points=len(told))
    fleet = scenario.fleet()
    async with Peer(settings, CATALOGUE, "operator") as peer:
        for rows in _waves(len(told), 50):
            names = texts(fleet.meter_ids(told[rows]))
            day = (since, since + timedelta(days=1))
            payload: EndDeviceEvents | None = await _asked(peer, scenario.role, EndDeviceEvents, names, day)
            events = () if payload is None else payload.end_device_event
            gasps = (event for event in events if event.end_device_event_type.ref == LAST_GASP)
            counts = Counter(event.assets.mrid for event in gasps if event.assets is not None)
            total = total.plus(
                Found(
                    values=len(names),
                    lost=sum(not counts[name] for name in names),
                    doubled=sum(max(counts[name] - 1, 0) for name in names),
                )
            )
    return total


async def _compared(
    peer: Peer, scenario: Scenario, truth: Truth, rows: NDArray[np.int64], days: Sequence[date]
) -> Found:
    fleet = scenario.fleet()
    names = texts(fleet.point_ids(truth.meters[rows]))
    start = datetime.fromtimestamp(int(fleet.starts(days[0])[0]), UTC)
    end = datetime.fromtimestamp(int(fleet.starts(days[-1] + timedelta(days=1))[0]), UTC)
    payload: MeterReadings | None = await _asked(peer, scenario.role, MeterReadings, names, (start, end))
    places = dict(zip(names, rows.tolist(), strict=True))
    kind = reading_type(scenario.interval_s)
    found: dict[int, list[tuple[int, int]]] = {}
    for reading in () if payload is None else payload.meter_reading:
        point = None if reading.usage_point is None else reading.usage_point.mrid
        if point is None or point not in places:
            continue
        values = found.setdefault(places[point], [])
        for block in reading.interval_blocks:
            if block.reading_type.ref == kind:
                values += [
                    (int(each.time_stamp.timestamp()), int(each.value))
                    for each in block.interval_readings
                    if each.time_stamp is not None and each.value is not None
                ]
    return truth.compare(rows, days, found)


async def _asked(peer: Peer, role: str, noun: type[Any], names: Sequence[str], times: tuple[datetime, datetime]) -> Any:
    """The answer to a `get`, asked again while the role is away; None when it knows nothing."""
    question = Request(start_time=times[0], end_time=times[1], id=tuple(Id(value=name) for name in names))
    for _ in range(_TRIES):
        try:
            answer = await peer.request(
                role, Verb.GET, noun, question=question, timeout_s=30, content_type=CONTENT_MSGPACK
            )
        except Unavailable:
            await asyncio.sleep(0.5)
            continue
        error: BusbarError | None = None if answer.reply is None else from_reply(answer.reply)
        if error is None or isinstance(error, NotFound):
            return answer.payload
        if not isinstance(error, Unavailable):
            raise error
        await asyncio.sleep(0.5)
    raise Unavailable(f"'{role}' does not answer a get {noun.__name__}")


def _waves(count: int, size: int = POINTS) -> Iterator[NDArray[np.int64]]:
    for first in range(0, count, size):
        yield np.arange(first, min(first + size, count))


def _spans(days: Sequence[date]) -> Iterator[Sequence[date]]:
    """The days in spans of at most :data:`DAYS`."""
    first = 0
    for place, day in enumerate(days):
        if (day - days[first]).days >= DAYS:
            yield days[first:place]
            first = place
    if days:
        yield days[first:]


def tells_readings(what: What) -> bool:
    """True for loads whose values are read back as MeterReadings."""
    return what in {What.WAVE, What.DAY_BLOCKS}
