"""What is known of usage points beside the values of their days, gathered with a few questions for all of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.usage_point_config import UsagePoint
from services.meter_reading_and_control.domain import calendar, usage_points
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.meters import ALWAYS
from services.meter_reading_and_control.domain.readings import grouped, interval_length
from services.meter_reading_and_control.domain.registers import factor_at
from services.meter_reading_and_control.domain.usage_points import Agreed
from services.meter_reading_and_control.domain.vee import sides
from services.meter_reading_and_control.domain.vee.beside import NOTHING, Beside
from services.meter_reading_and_control.domain.vee.bunches import Row
from services.meter_reading_and_control.domain.vee.days import Mark
from services.meter_reading_and_control.domain.vee.profiles import Profile, has_profiles, profile_of
from services.meter_reading_and_control.domain.vee.sides import WATT_HOURS, Side
from services.meter_reading_and_control.service.sides import Teller, Told
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views.derived import SECONDARY, Equipment
from shared.work import Work

HOUR = timedelta(hours=1)

parsed = lru_cache(4096)(ReadingTypeCode.parse)


class Point(Struct, frozen=True, kw_only=True):
    """What is known of a usage point.

    Attributes:
        setups: how it was set up.
        agreed, switched: when somebody had an agreement; what its switch did.
        installed: its meters.
        types: reading types of which it ever told something.
        channels: of each meter the reading types of its channels.
    """

    mrid: str
    setups: Sequence[UsagePoint] = ()
    agreed: Sequence[Agreed] = ()
    switched: Sequence[tuple[datetime, EventKind]] = ()
    installed: Sequence[Installed] = ()
    types: frozenset[str] = frozenset()
    channels: Mapping[str, set[str]] = {}

    def configured(self, setup: UsagePoint | None, begins: datetime, ends: datetime) -> set[str]:
        """The reading types whose intervals are to come, of the usage point and of the meters that are there."""
        own = set() if setup is None else usage_points.channels(setup)
        there = (each.meter for each in self.installed if each.touches(begins, ends))
        return sides.channels_of(own.union(*(self.channels.get(each, ()) for each in there)))


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked of usage points, with what was told and how their meters are set up."""

    code: ReadingTypeCode
    own: str
    day: date
    edges: tuple[datetime, datetime]
    told: Told
    equipment: Mapping[str, Equipment]
    profiles: Sequence[Profile]

    def row(self, point: str, code: str) -> Row | None:
        """What was told of a reading type there on that day."""
        return self.told.get((point, code, self.day))

    def sides(self, point: str, codes: Iterable[ReadingTypeCode]) -> list[Side]:
        """What was measured in these reading types, in the power of ten of the one that is judged."""
        rows = ((each.multiplier - self.code.multiplier, self.row(point, str(each))) for each in codes)
        return [sides.side_of(row.numbers, row.marks, row.scale + shift) for shift, row in rows if row is not None]


async def beside(
    points: Sequence[str], code: ReadingTypeCode, days: Sequence[date], teller: Teller, work: Work[Store]
) -> Mapping[tuple[str, date], Beside]:
    """What is known of usage points on days; those of which nothing is are not named.

    How they are set up, and who has them, is as it is known now; what was told is what ``teller`` finds.
    """
    known = await points_of(points, work)
    told = await teller(sorted(set(wanted(known, code))), days, work)
    profiles = work.store.memory.profiles if has_profiles(code) else ()
    equipment = await equipment_of(known, work) if code.commodity == SECONDARY else {}
    found = {}
    for day in days:
        edges = calendar.bounds(day, work.store.memory.zone)
        asked = Asked(code=code, own=str(code), day=day, edges=edges, told=told, equipment=equipment, profiles=profiles)
        for point in known:
            each = beside_of(point, asked)
            if each != NOTHING:
                found[point.mrid, day] = each
    return found


async def equipment_of(points: Iterable[Point], work: Work[Store]) -> dict[str, Equipment]:
    """How the meters of usage points, and of those that check them, are behind instrument transformers."""
    known = list(points)
    installed = {each.mrid: each.installed for each in known}
    checks = {check[0] for each in known for setup in each.setups if (check := usage_points.checked_by(setup))}
    others = await work.store.installed(sorted(checks - {*installed})) if checks else []
    installed |= dict(grouped(others, lambda each: each.usage_point))
    ratios = await work.store.with_ratios([each.meter for of_point in installed.values() for each in of_point])
    setups = await work.store.setups(ratios, None) if ratios else {}
    return {point: Equipment(installed=of_point, setups=setups) for point, of_point in installed.items()}


async def points_of(points: Sequence[str], work: Work[Store]) -> list[Point]:
    """What is known of usage points."""
    setups = await work.store.usage_points(points)
    agreed = await work.store.agreed_at(points)
    installed = dict(grouped(await work.store.installed(points), lambda each: each.usage_point))
    types = await work.store.types_of(points)
    channels = await work.store.channels_of([each.meter for point in points for each in installed.get(point, ())])
    switched: dict[str, list[tuple[datetime, EventKind]]] = {}
    for point, at, kind in await work.store.switched(points):
        switched.setdefault(point, []).append((at, kind))
    return [
        Point(
            mrid=point,
            setups=setups.get(point, ()),
            agreed=agreed.get(point, ()),
            switched=switched.get(point, ()),
            installed=installed.get(point, ()),
            types=frozenset(types.get(point, ())),
            channels=channels,
        )
        for point in points
    ]


def wanted(points: Iterable[Point], code: ReadingTypeCode) -> Iterable[tuple[str, str]]:
    """The usage points and reading types of which rules about ``code`` need to know what was told."""
    always = (ALWAYS, datetime.max.replace(tzinfo=UTC))
    own = str(code)
    for point in points:
        others = [parsed(each) for each in point.types if each != own]
        for each in (*sides.reactive_of(code, others), *sides.voltages_of(code, others)):
            yield point.mrid, str(each)
        for setup in (*point.setups, None):
            for channel in point.configured(setup, *always) & point.types - {own}:
                yield point.mrid, channel
            if setup is not None and (check := usage_points.checked_by(setup)):
                yield check[0], own


def beside_of(point: Point, asked: Asked) -> Beside:
    """What is known of a usage point on a day."""
    code, edges = asked.code, asked.edges
    setup = usage_points.at(point.setups, edges[0])
    others = [parsed(each) for each in point.types if each != asked.own]
    missing = point.configured(setup, *edges) - {asked.own}
    is_inactive = usage_points.is_disconnected(setup, point.switched, *edges)
    seen = Beside(
        is_inactive=is_inactive or usage_points.is_vacant(point.agreed, *edges),
        is_channel_missing=any(not came(asked.row(point.mrid, each)) for each in missing),
        reactive=sides.greatest(asked.sides(point.mrid, sides.reactive_of(code, others))),
    )
    of_class = "" if setup is None else usage_points.named(setup, usage_points.CLASS)
    if (profile := profile_of(asked.profiles, of_class)) is not None:
        use = in_type(profile.daily_use, asked.equipment.get(point.mrid), code, edges[0])
        seen = replace(seen, profile=profile, class_use=use)
    if setup is None:
        return seen
    volts = setup.nominal_service_voltage
    voltage = sides.greatest(asked.sides(point.mrid, sides.voltages_of(code, others))) if volts else None
    return replace(
        seen,
        of_class=of_class,
        rated=rated_in(setup, asked.equipment.get(point.mrid), code, edges[0]),
        is_idle=bool(setup.minimal_usage_expected),
        has_generation=bool(usage_points.named(setup, usage_points.GENERATION)),
        voltage=None if voltage is None or not volts else replace(voltage, factor=10.0**code.multiplier / volts),
        check=check_of(setup, asked),
    )


def came(row: Row | None) -> bool:
    """True where any value of a day was told."""
    return row is not None and bool(((row.marks & Mark.MISSING) == 0).any())


def check_of(setup: UsagePoint, asked: Asked) -> Side | None:
    """What the check meter measured, with the losses between both, as the meter of the usage point would tell it."""
    check = usage_points.checked_by(setup)
    found = [] if check is None else asked.sides(check[0], [asked.code])
    if check is None or not found:
        return None
    ratio = 1.0
    if asked.code.commodity == SECONDARY:
        both = (factor_of(asked.equipment.get(mrid), asked.edges[0]) for mrid in (check[0], setup.mrid or ""))
        ratio = next(both) / next(both)
    return replace(found[0], factor=check[1] * ratio)


def rated_in(setup: UsagePoint, equipment: Equipment | None, code: ReadingTypeCode, at: datetime) -> float | None:
    """What may pass in one interval by the rating, in the unit of the reading type."""
    watts = usage_points.rated_w(setup)
    if watts is None or code.unit != WATT_HOURS:
        return None
    return in_type(watts * (interval_length(code) / HOUR), equipment, code, at)


def in_type(energy_wh: float, equipment: Equipment | None, code: ReadingTypeCode, at: datetime) -> float:
    """An energy as the reading type tells it: what is measured behind instrument transformers is smaller."""
    return energy_wh / 10.0**code.multiplier / factor_of(equipment, at)


def factor_of(equipment: Equipment | None, at: datetime) -> float:
    """By what is multiplied what is measured there from then on; where meters are exchanged, the smallest of theirs."""
    if equipment is None or not equipment.setups:
        return 1.0
    meters = (each.meter for each in equipment.installed if each.ends is None or each.ends > at)
    factors = (float(factor_at(equipment.factors(each), at)) for each in meters)
    return min((each for each in factors if each > 0), default=1.0)
