"""What is known of a market day of a bunch of usage points, gathered with a few questions for all of them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import chain

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import Quality, Register, Value, grouped, interval_length
from services.meter_reading_and_control.domain.vee.beside import NOTHING
from services.meter_reading_and_control.domain.vee.bunches import Row
from services.meter_reading_and_control.domain.vee.days import is_judged
from services.meter_reading_and_control.domain.vee.judging import like_days
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS
from services.meter_reading_and_control.domain.vee.statistics import HISTORY, Statistics
from services.meter_reading_and_control.service.beside import beside
from services.meter_reading_and_control.service.equipment import equipment_at
from services.meter_reading_and_control.service.places import Place, row_of, values_of
from services.meter_reading_and_control.service.reconfiguring import reconfigured
from services.meter_reading_and_control.service.sides import told_in_rows
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.store.judging import Member
from services.meter_reading_and_control.views.derived import Equipment, Gain, gains, of_tiers, plain_gain, tiers
from shared.work import Work


class Known(Struct, frozen=True, eq=False, kw_only=True):
    """A day of usage points, for each at the same place.

    Attributes:
        rows: as arrays, as it was told.
        ours: the places at which something was estimated here.
        reconfigured: at which places meters were reconfigured, and the quality of the intervals in which they were.
        usual: what is usual at each.
    """

    code: ReadingTypeCode
    day: date
    places: Sequence[Place]
    rows: Sequence[Row]
    ours: frozenset[int]
    reconfigured: Mapping[int, Mapping[int, Quality]]
    usual: Statistics

    @property
    def series(self) -> list[int]:
        """The numbers by which the usage points are known."""
        return [each.first for each in self.places]


async def known_of(members: Sequence[Member], day: date, work: Work[Store]) -> Known | None:
    """What is known of a day of the members of a bunch; None where nothing is to be judged."""
    code = ReadingTypeCode.parse(members[0].series.reading_type) if members else None
    if code is None or not can_be_judged(code, day, work):
        return None
    stored = await work.store.day_rows([each.number for each in members], [day])
    points = sorted({each.series.usage_point for each in members})
    installed = dict(grouped(await work.store.installed(points), lambda each: each.usage_point))
    off = await work.store.outages_at(points)
    firsts = sorted({each.first for each in members})
    usual = await work.store.statistics(firsts)
    edges = calendar.bounds(day, work.store.memory.zone)
    places, kept = [], []
    for number, (first, own) in enumerate(grouped(sorted(members, key=lambda each: each.first), lambda m: m.first)):
        point = own[0].series.usage_point
        place = Place(
            first=first,
            usage_point=point,
            members=own,
            rows=[*chain.from_iterable(stored.get((each.number, day), ()) for each in own)],
            equipment=Equipment(installed=installed.get(point, ()), setups={}),
            off=off.get(point, ()),
        )
        is_watched = date.fromordinal(max(1, int(usual.last[number]))) >= day - HISTORY
        if place.rows or (is_watched and any(each.touches(*edges) for each in place.equipment.installed)):
            places.append(place)
            kept.append(number)
    if not places:
        return None
    rows, ours = await rows_of(places, code, day, work)
    changed = await reconfigured(places, code, day, work)
    usual = usual.rows(np.array(kept))
    return Known(code=code, day=day, places=places, rows=rows, ours=ours, reconfigured=changed, usual=usual)


def can_be_judged(code: ReadingTypeCode, day: date, work: Work[Store]) -> bool:
    """True for a day of intervals of this type that rules can say something of."""
    is_whole = calendar.is_whole(day, work.store.memory.zone, interval_length(code))
    return is_judged(code) and is_whole and day >= INTERVALS.since


async def rows_of(
    places: Sequence[Place], code: ReadingTypeCode, day: date, work: Work[Store]
) -> tuple[list[Row], frozenset[int]]:
    """The days of usage points as arrays, as they were told, and at which places some was estimated here."""
    zone = work.store.memory.zone
    edges = calendar.bounds(day, zone)
    points = [each.usage_point for each in places]
    reads = await work.store.registers(points, edges, None)
    others = await beside(points, code, [day], told_in_rows, work)
    read = dict(grouped([register for register, _ in reads], lambda each: each.usage_point))
    rows, ours = [], set()
    for number, place in enumerate(places):
        row, is_ours = row_of(place, code, day, work)
        if is_ours:
            ours.add(number)
        own = read.get(place.usage_point, ())
        gain = await gain_of(place, code, day, own, work)
        if gain is not None:
            row = replace(row, gained=gain.gained, least=gain.least, fell=gain.gained is None)
        by_tier = of_tiers([await gain_of(place, each, day, own, work) for each in tiers(own, code)])
        if by_tier is not None or (place.usage_point, day) in others:
            row = replace(row, beside=replace(others.get((place.usage_point, day), NOTHING), tiers=by_tier))
        rows.append(row)
    return rows, frozenset(ours)


async def gain_of(
    place: Place, code: ReadingTypeCode, day: date, reads: Sequence[Register], work: Work[Store]
) -> Gain | None:
    """What the register gained in a day; None where that is not known."""
    if not reads:
        return None
    zone = work.store.memory.zone
    edges = calendar.bounds(day, zone)
    is_same = any(each.lasts(*edges) for each in place.equipment.installed)
    gain = plain_gain(reads, code, edges) if is_same else None
    if gain is not None or (is_same and not {*edges} <= {each.read_at for each in reads}):
        return gain
    equipment = (await equipment_at([place.usage_point], None, work))[place.usage_point]
    return gains(place.usage_point, reads, code, equipment, zone).get(day)


async def histories(
    places: Sequence[Place], day: date, work: Work[Store]
) -> list[Mapping[date, Sequence[Value | None]]]:
    """The days that are like a day, of usage points, as far as anything is known of them."""
    days = like_days(day, (day - timedelta(days=back) for back in range(1, HISTORY // timedelta(days=1) + 1)))
    rows = await work.store.day_rows([each.number for place in places for each in place.members], days)
    found: list[Mapping[date, Sequence[Value | None]]] = []
    for place in places:
        mine = {each.number for each in place.members}
        of_place = [row for (number, _), told in rows.items() if number in mine for row in told]
        known = sorted({row["market_day"] for row in of_place})
        found.append(values_of(place, of_place, known, work))
    return found
