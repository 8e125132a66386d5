"""Usage points without a meter: their values are those of others by weights (metering guide 6, virtual meter).

What a virtual usage point is made of counts from a time on. Its members may be virtual as well, as long as none is made
of itself. All is linear, so it comes down to weights of usage points that are measured.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.usage_point_config import UsagePoint
from services.meter_reading_and_control.domain.quantities import in_slots
from services.meter_reading_and_control.domain.readings import (
    DERIVED_SUM,
    NOTHING_KNOWN,
    VALID,
    Origin,
    Quality,
    Value,
    value_of,
)
from services.meter_reading_and_control.domain.registers import as_text
from services.meter_reading_and_control.domain.sums import MISSING, Sum
from services.meter_reading_and_control.domain.usage_points import effective_at

INFERRED = Quality(code="3.11.1")


class Formula(Struct, frozen=True, kw_only=True, order=True):
    """What a usage point is made of since then: members with what their values are multiplied by; none is nothing."""

    usage_point: str
    since: datetime
    members: tuple[tuple[str, Fraction], ...]


class Piece(Struct, frozen=True, kw_only=True):
    """A time from which on, until the next piece, a usage point comes down to these that are measured."""

    since: datetime
    weights: Mapping[str, Fraction]


def formula_of(point: UsagePoint) -> Formula:
    """What a usage point is made of: its factors are of its members, each exactly as its decimal digits say.

    One that is not virtual is made of nothing.

    Raises:
        Invalid: 5.8, a factor has no mRID of a member or no value; 2.29, two factors are of one member.
    """
    factors = point.service_multipliers if point.is_virtual else ()
    if any(not each.mrid or each.value is None for each in factors):
        raise Invalid("ServiceMultiplier of a virtual usage point: it needs an mRID and a value", code="5.8")
    members = tuple((each.mrid or "", Fraction(Decimal(str(each.value)))) for each in factors)
    if len(dict(members)) < len(members):
        raise Invalid(f"usage point {point.mrid} has a member twice", code="2.29", object_id=point.mrid)
    return Formula(usage_point=point.mrid or "", since=effective_at(point), members=members)


def refuse_cycle(formulas: Iterable[Formula], start: str) -> None:
    """Refuse what would make a usage point be made of itself, even if one half of the way counts before the other.

    Raises:
        Invalid: 2.29, with the way round.
    """
    of: dict[str, set[str]] = {}
    for each in formulas:
        of.setdefault(each.usage_point, set()).update(member for member, _ in each.members)
    ways: list[tuple[str, ...]] = [(start,)]
    seen = set[str]()
    while ways:
        way = ways.pop()
        for member in sorted(of.get(way[-1], ())):
            if member == start:
                raise Invalid(f"{' is made of '.join((*way, member))}", code="2.29", object_id=start)
            if member not in seen:
                seen.add(member)
                ways.append((*way, member))


def pieces(point: str, formulas: Sequence[Formula]) -> list[Piece]:
    """What a virtual usage point comes down to, from when on; ``formulas`` are of it and of all that it is made of."""
    of: dict[str, list[Formula]] = {}
    for each in sorted(formulas):
        of.setdefault(each.usage_point, []).append(each)
    return [Piece(since=at, weights=_weights(point, at, of)) for at in sorted({each.since for each in formulas})]


def _weights(point: str, at: datetime, of: Mapping[str, Sequence[Formula]]) -> dict[str, Fraction]:
    valid = [each for each in of[point] if each.since <= at]
    found: dict[str, Fraction] = {}
    for member, weight in valid[-1].members if valid else ():
        inner = _weights(member, at, of) if member in of else {member: Fraction(1)}
        for each, its in inner.items():
            found[each] = found.get(each, Fraction(0)) + weight * its
    return found


def at_length(values: Mapping[int, Sequence[Value | None]], slots: int) -> Sequence[Value | None]:
    """The values of a day in that many intervals, of amounts that are known by how many a day has.

    Those that are as long as that, else the sums of shorter ones, else longer ones that are split; else none is known.
    """
    whole = in_slots(values, slots)
    if whole is not None:
        return whole
    coarser = [each for each in values if not slots % each]
    return split(values[max(coarser)], slots // max(coarser)) if coarser else [None] * slots


def split(values: Iterable[Value | None], many: int) -> list[Value | None]:
    """Each value as ``many`` that are as equal as whole numbers can be and whose sum it is; they are inferred."""
    found: list[Value | None] = []
    for value in values:
        if value is None:
            found += [None] * many
            continue
        qualities = tuple(sorted({*value.origin.qualities, INFERRED}))
        each, rest = divmod(value.number, many)
        parts = (each + ((place + 1) * rest // many - place * rest // many) for place in range(many))
        origin = replace(value.origin, qualities=qualities)
        found += [Value(number=part, scale=value.scale, origin=origin) for part in parts]
    return found


def combined(
    values: Mapping[str, Sequence[Value | None]], known: Sequence[Piece], starts: Sequence[datetime]
) -> Iterator[Sum | None]:
    """The value of each interval of a day: by the weights at its start; None where there are none.

    Args:
        values: of each usage point that is measured, one for each interval; one that is not named never has any.
        known: the pieces in their order.
        starts: when the intervals begin.
    """
    for place, start in enumerate(starts):
        valid = [piece for piece in known if piece.since <= start]
        weights = {point: each for point, each in (valid[-1].weights if valid else {}).items() if point in values}
        yield _combined({point: values[point][place] for point in weights}, weights) if weights else None


def _combined(parts: Mapping[str, Value | None], weights: Mapping[str, Fraction]) -> Sum:
    there = {point: each for point, each in parts.items() if each is not None and each.origin.rank != NOTHING_KNOWN}
    if len(there) < len(parts):
        return Sum(value=None, qualities=(Quality(code=MISSING, comment=f"{len(there)} of {len(parts)}"),))
    worst = min(there.values(), key=lambda each: (each.origin.rank, each.origin.qualities))
    lowering = {each for each in worst.origin.qualities if each.rank < VALID}
    is_inferred = any(INFERRED in each.origin.qualities for each in there.values())
    qualities = tuple(sorted({INFERRED if is_inferred else DERIVED_SUM} | lowering))
    total = sum((weights[point] * each.exact for point, each in there.items()), Fraction(0))
    return Sum(value=value_of(as_text(total), Origin(qualities=qualities)), qualities=qualities)
