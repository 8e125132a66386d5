"""What is asked of usage points that belong together, and their sums on the wire (IEC 61968-9, and options of ours)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from fractions import Fraction

from msgspec import Struct

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, MeterReading
from contracts.nouns.network_models import ModelStatusKind, NetworkModels
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.membership import ALWAYS, Group, Served, Spell, covers
from services.meter_reading_and_control.domain.quantities import in_slots
from services.meter_reading_and_control.domain.readings import LENGTHS, Block, Value, interval_length, together
from services.meter_reading_and_control.domain.sums import (
    Sum,
    Tally,
    can_be_added,
    can_be_split,
    flows_back,
    kind_of,
    primary_of,
)
from services.meter_reading_and_control.views.answers import Question, shown_qualities
from services.meter_reading_and_control.views.derived import Equipment, primary
from services.meter_reading_and_control.views.judged import JUDGED_BY

SUM, LEAST_SHARE = "sum", "leastShare"
"""The options of ``get MeterReadings`` about sums (ours)."""

EACH, TOGETHER = "each", "together"


class Named(Struct, frozen=True, kw_only=True):
    """By what usage points are asked for that belong together.

    Attributes:
        places: transformers and feeders; IDs may be of these.
        point_groups, device_groups: groups of usage points, of end devices.
    """

    places: tuple[str, ...]
    point_groups: tuple[str, ...]
    device_groups: tuple[str, ...]


class Adding(Struct, frozen=True, kw_only=True):
    """How sums are asked for: of ``each`` or of all together, with at least this share of the values.

    ``is_peak`` asks for the greatest alone, and what each member took then.
    """

    each: bool
    least_share: float
    is_peak: bool = False


def named_in(request: Request | None) -> Named:
    """The groups that a request names; with a sum its IDs may be transformers and feeders."""
    query = None if request is None else request.query
    query = query if isinstance(query, GetMeterReadings) else GetMeterReadings()
    ids = [each.value for each in request.id] if request is not None and adding_in(request) is not None else []
    tanks = [each.mrid for each in query.transformer_tank if each.mrid]
    return Named(
        places=tuple(dict.fromkeys([*tanks, *ids])),
        point_groups=tuple(dict.fromkeys(each.mrid for each in query.usage_point_group if each.mrid)),
        device_groups=tuple(dict.fromkeys(each.mrid for each in query.end_device_group if each.mrid)),
    )


def adding_in(request: Request | None) -> Adding | None:
    """How sums are asked for; None where they are not.

    Raises:
        Invalid: 2.29, an option says something that it cannot say; 2.15, it says which share of no sum.
    """
    said = {} if request is None else {each.name: each.value or "" for each in request.option}
    query = None if request is None else request.query
    about = query.meter_readings if isinstance(query, GetMeterReadings) else None
    is_peak = about is not None and bool(about.is_coincident_trigger)
    if SUM not in said:
        lacking = LEAST_SHARE if LEAST_SHARE in said else "isCoincidentTrigger" if is_peak else ""
        if lacking:
            raise Invalid(f"{lacking}: it needs the option {SUM}", code="2.15")
        return None
    if JUDGED_BY in said:
        raise Invalid(f"Option {SUM}: what is judged ({JUDGED_BY}) is not added", code="2.15")
    if said[SUM] not in {EACH, TOGETHER}:
        raise Invalid(f"Option {SUM}: '{said[SUM]}' is neither '{EACH}' nor '{TOGETHER}'", code="2.29")
    try:
        share = Fraction(said.get(LEAST_SHARE, "1"))
    except (ValueError, ZeroDivisionError) as error:
        raise Invalid(f"Option {LEAST_SHARE}: '{said[LEAST_SHARE]}' is no number", code="2.29") from error
    if not 0 < share <= 1:
        raise Invalid(f"Option {LEAST_SHARE}: {share} is not more than 0 and at most 1", code="2.29")
    return Adding(each=said[SUM] == EACH, least_share=float(share), is_peak=is_peak)


def types_to_add(asked: Question) -> frozenset[str]:
    """The types in which sums are asked for; none is all that can be added.

    Raises:
        Invalid: 2.10, values of a type cannot be added.
    """
    codes = [ReadingTypeCode.parse(each) for each in asked.types]
    for code in codes:
        if not can_be_added(code):
            raise Invalid(f"ReadingType {code}: its values cannot be added", code="2.10", object_id=str(code))
    return frozenset(str(primary_of(code)) for code in codes)


def point_groups(groups: UsagePointGroups, wanted: Iterable[str]) -> list[Group]:
    """Groups of usage points as they are now.

    Raises:
        Invalid: 2.15, there is no such group.
    """
    known = {each.mrid: each for each in groups.usage_point_group}
    found = []
    for name in wanted:
        if name not in known:
            raise Invalid(f"there is no group {name}", code="2.15", object_id=name)
        points = (each.mrid for each in known[name].usage_points if each.mrid)
        found.append(Group(name=name, members=dict.fromkeys(points, (ALWAYS,))))
    return found


def device_group(name: str, devices: Iterable[str], installed: Iterable[Installed]) -> Group:
    """A group of devices as the usage points where they are, while they are there."""
    members = set(devices)
    spells: dict[str, tuple[Spell, ...]] = {}
    for each in installed:
        if each.meter in members:
            spells[each.usage_point] = (*spells.get(each.usage_point, ()), (each.starts, each.ends))
    return Group(name=name, members=spells)


def served_in(topology: FeederTopology, since: datetime) -> list[Served]:
    """Where each usage point of a model is served."""
    return [
        Served(usage_point=point.mrid, since=since, feeder=feeder.mrid, transformer=point.transformer)
        for feeder in topology.whole()
        for point in feeder.usage_point
    ]


def since_in(models: NetworkModels, now: datetime) -> datetime | None:
    """From when on the newest of models counts; None where all were rejected."""
    told = [each for each in models.network_model if each.status_kind is not ModelStatusKind.REJECTED]
    return max((each.created_date_time or now for each in told), default=None)


class Types(Struct, frozen=True, kw_only=True):
    """In which types sums are made, and who has which.

    Attributes:
        added: the types of the sums.
        told: of each usage point those in which it ever told something.
    """

    added: frozenset[str]
    told: Mapping[str, frozenset[str]]

    @property
    def taken(self) -> frozenset[str]:
        """The types of the values that are added."""
        return frozenset(each for types in self.told.values() for each in types)

    def expected(self, point: str) -> frozenset[str]:
        """In which types a usage point should have values: in all, but of what flows back where it ever told that."""
        told = {kind_of(ReadingTypeCode.parse(each)) for each in self.told.get(point, ())}
        codes = {each: ReadingTypeCode.parse(each) for each in self.added}
        return frozenset(each for each, code in codes.items() if not flows_back(code) or kind_of(code) in told)


def types_of(told: Mapping[str, Iterable[str]], wanted: frozenset[str]) -> Types:
    """The types in which usage points can be added that ever told these; only those that are wanted, if any are.

    What is wanted may have longer intervals than what was told.
    """
    own: dict[str, frozenset[str]] = {}
    for point, types in told.items():
        codes = (code for code in map(ReadingTypeCode.parse, types) if can_be_added(code))
        own[point] = frozenset(str(primary_of(code)) for code in codes)
    every = frozenset(each for types in own.values() for each in types)
    made = frozenset(each for each in wanted if any(_is_made_of(each, other) for other in every))
    return Types(added=made if wanted else every, told=own)


def _is_made_of(wanted: str, told: str) -> bool:
    code, other = ReadingTypeCode.parse(wanted), ReadingTypeCode.parse(told)
    if code == other or code.names["measuring_period"] not in LENGTHS:
        return code == other
    fits = kind_of(code) == kind_of(other) and not interval_length(code) % interval_length(other)
    return fits and can_be_split(code)


def empty_tallies(types: Types, day: date, zone: tzinfo) -> dict[str, Tally]:
    """Nothing is added yet."""
    lengths = {code: interval_length(ReadingTypeCode.parse(code)) for code in sorted(types.added)}
    return {code: Tally(calendar.starts(day, zone, length)) for code, length in lengths.items()}


def taken(
    blocks: Sequence[Block], equipment: Equipment, wanted: frozenset[str], zone: tzinfo
) -> dict[str, list[Value | None]]:
    """What one usage point took in a day, of all its meters, by the types that are wanted."""
    there = [equipment.there(each, zone) for each in blocks]
    told = [*primary(there, wanted, equipment, zone), *(each for each in there if each.reading_type in wanted)]
    found: dict[str, dict[str, Block]] = {}
    for each in told:
        found.setdefault(each.reading_type, {})[each.meter] = each
    return {code: _together(of_type) for code, of_type in found.items()}


def _together(blocks: Mapping[str, Block]) -> list[Value | None]:
    count = len(next(iter(blocks.values())).values)
    parts = ({meter: each.values[place] for meter, each in blocks.items()} for place in range(count))
    return [together({meter: value for meter, value in each.items() if value is not None}) for each in parts]


def add(
    tallies: Mapping[str, Tally],
    values: Mapping[str, Sequence[Value | None]],
    expected: frozenset[str],
    spells: Sequence[Spell],
) -> None:
    """Add what one usage point took while it belonged to the others."""
    for code in expected:
        tally = tallies[code]
        tally.add(in_type(code, values, len(tally.starts)), [covers(spells, start) for start in tally.starts])


def in_type(code: str, values: Mapping[str, Sequence[Value | None]], slots: int) -> Sequence[Value | None]:
    """The values of a day in one type: as they are, or of shorter intervals; nothing is split, and None is missing."""
    if code in values:
        return values[code]
    shorter = {len(each): each for other, each in values.items() if _is_made_of(code, other)}
    return in_slots(shorter, slots) or (None,) * slots


def shown(
    name: str, tallies: Mapping[str, Tally], asked: Question, least_share: float, now: datetime
) -> MeterReading | None:
    """The sums of a group, by reading type and interval; None where there are none."""
    blocks = []
    for code, tally in sorted(tallies.items()):
        length = interval_length(ReadingTypeCode.parse(code))
        readings = tuple(
            shown_sum(start + length, each)
            for start, each in zip(tally.starts, tally.told(least_share), strict=True)
            if each is not None and start >= asked.start and start + length <= min(asked.end, now)
        )
        if readings:
            blocks.append(IntervalBlock(interval_readings=readings, reading_type=Reference(ref=code)))
    return MeterReading(interval_blocks=tuple(blocks), usage_point=ObjectReference(mrid=name)) if blocks else None


def shown_sum(end: datetime, each: Sum) -> IntervalReading:
    """The sum of the interval that ends at ``end``."""
    value = None if each.value is None else each.value.text
    return IntervalReading(time_stamp=end, value=value, reading_qualities=shown_qualities(each.qualities))
