"""Values of readings: never overwritten, and the same in the end whatever came first (metering guide 5.5).

A value is a whole number and a scale: 12345 and -3 are 12.345 in the unit of the reading type. What a meter tells of
one market day in one reading type is a block; what changes a block is a new version of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar

from msgspec import Struct

from contracts.codes.reading_quality import MEASURED, ReadingQualityCode
from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from services.meter_reading_and_control.domain.calendar import starts
from services.meter_reading_and_control.domain.registers import in_digits

LENGTHS: Mapping[str, timedelta] = {
    "oneMinute": timedelta(minutes=1),
    "twoMinute": timedelta(minutes=2),
    "threeMinute": timedelta(minutes=3),
    "fiveMinute": timedelta(minutes=5),
    "tenMinute": timedelta(minutes=10),
    "fifteenMinute": timedelta(minutes=15),
    "twentyMinute": timedelta(minutes=20),
    "thirtyMinute": timedelta(minutes=30),
    "sixtyMinute": timedelta(hours=1),
}
"""The measuring periods that are stored as intervals."""

LOCKED, VALID, ACCEPTED, DERIVED, DOUBTFUL, NOTHING_KNOWN = 100, 80, 70, 50, 10, 0
_METHODS = {"E1": 60, "E2": 60, "E3": 38, "E4": 40, "E5": 30, "E6": 50, "E7": 20}
_CATEGORIES = {5: DOUBTFUL, 6: DOUBTFUL, 7: LOCKED, 10: ACCEPTED, 11: DERIVED, 12: _METHODS["E5"]}
_MISSING = 259
_LONGEST = 18
"""Digits of the largest whole number that a column of eight bytes surely holds."""


class Quality(Struct, frozen=True, kw_only=True, order=True, omit_defaults=True):
    """One quality of a value; the comment may name the method of an estimate, as in ``method=E4``."""

    code: str
    comment: str = ""

    @property
    def rank(self) -> int:
        """Its place in the replacement table; a measured value has nothing that lowers it."""
        return _rank(self.code, self.comment)


@lru_cache(maxsize=4096)
def _rank(code: str, comment: str) -> int:
    parsed = ReadingQualityCode.parse(code)
    if parsed.index == _MISSING and parsed.category == 5:  # noqa: PLR2004 the category of what is suspect
        return NOTHING_KNOWN
    if parsed.category == 8:  # noqa: PLR2004 the category of estimates
        return _METHODS.get(comment.partition("method=")[2][:2], _METHODS["E5"])
    return _CATEGORIES.get(parsed.category, VALID)


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a value comes from and what it is worth.

    Attributes:
        qualities: all that were told, in the order of their codes.
        source: who tells it.
        reported_at: when it was reported; None where nobody said, which is before everything.
        reason: why a register was read, or an interval was estimated.
        instead_of: the value that was told and is not believed, where this one stands in its place.
    """

    qualities: tuple[Quality, ...] = (Quality(code=MEASURED),)
    source: str = ""
    reported_at: datetime | None = None
    reason: str = ""
    instead_of: "Value | None" = None

    @property
    def rank(self) -> int:
        """Its place in the replacement table: that of an edit, else the lowest of its qualities."""
        ranks = [each.rank for each in self.qualities] or [VALID]
        return LOCKED if LOCKED in ranks else min(ranks)


class Value(Struct, frozen=True, kw_only=True):
    """A number with its scale and its origin."""

    number: int
    scale: int
    origin: Origin

    @property
    def exact(self) -> Fraction:
        """The value in the unit of its reading type."""
        return self.number * Fraction(10) ** self.scale

    @property
    def precedence(self) -> tuple[Any, ...]:
        """What is greater replaces what is less: rank, then the later report.

        Where both are equal the words of the source and then the value decide, so that no order of arrival and no way
        of cutting a file into messages makes a difference. What stands in the place of a value that is not believed
        comes right above that value: being told it again changes nothing, and whatever would have replaced it still
        does. Of two of these the one that was judged later counts.
        """
        instead = self.origin.instead_of
        if instead is None:
            return (*_as_told(self), ())
        rank, reported, *rest = _as_told(self)
        return (*_as_told(instead), (reported, rank, *rest))

    @property
    def says(self) -> tuple[Fraction, tuple[Quality, ...]]:
        """What a reader of it learns."""
        return (self.exact, self.origin.qualities)

    @property
    def text(self) -> str:
        """The value in decimal digits."""
        return in_digits(self.number * 10 ** max(self.scale, 0), max(-self.scale, 0))

    def at_scale(self, scale: int) -> int:
        """The number in a finer scale."""
        return int(self.number * 10 ** (self.scale - scale))


def _as_told(value: Value) -> tuple[int, datetime, str, Fraction, tuple[Quality, ...]]:
    origin = value.origin
    reported = origin.reported_at or datetime.min.replace(tzinfo=UTC)
    return (origin.rank, reported, origin.source, value.exact, origin.qualities)


def value_of(text: str, origin: Origin) -> Value:
    """A value as it was told, such as ``12.345``.

    Raises:
        Invalid: 2.29, it is no decimal number, or one of more than eighteen digits.
    """
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise Invalid(f"'{text}' is no decimal number", code="2.29") from error
    if not number.is_finite():
        raise Invalid(f"'{text}' is no finite number", code="2.29")
    sign, digits, exponent = number.normalize().as_tuple()
    places = int(exponent)
    if len(digits) + max(places, 0) > _LONGEST or places < -_LONGEST:
        raise Invalid(f"'{text}' has more than {_LONGEST} digits", code="2.29")
    whole = int("".join(map(str, digits))) * 10 ** max(places, 0)
    return Value(number=-whole if sign else whole, scale=min(places, 0), origin=origin)


class Block(Struct, frozen=True, kw_only=True):
    """What one meter told of one usage point, reading type and market day.

    Attributes:
        usage_point, reading_type, day, meter: what it is about; meter is empty for what no meter measured.
        version: 1 for the first.
        values: one for each interval of the day; None is missing, which is not zero.
    """

    usage_point: str
    reading_type: str
    day: date
    meter: str
    version: int
    values: tuple[Value | None, ...]


class Interval(Struct, frozen=True, kw_only=True):
    """A value of an interval: the ``place``-th of the market ``day`` of a usage point."""

    usage_point: str
    reading_type: str
    day: date
    meter: str
    place: int
    value: Value


class Register(Struct, frozen=True, kw_only=True):
    """A value at a time."""

    usage_point: str
    reading_type: str
    read_at: datetime
    meter: str
    value: Value


T = TypeVar("T")
K = TypeVar("K")


def grouped(values: Iterable[T], key: Callable[[T], K]) -> list[tuple[K, list[T]]]:
    """Values by what they have in common, in the order in which that first comes."""
    groups: dict[K, list[T]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return list(groups.items())


def empty_block(usage_point: str, reading_type: str, day: date, meter: str, zone: tzinfo) -> Block:
    """The block of a day of which nothing is known yet."""
    count = len(starts(day, zone, interval_length(ReadingTypeCode.parse(reading_type))))
    return Block(
        usage_point=usage_point, reading_type=reading_type, day=day, meter=meter, version=0, values=(None,) * count
    )


def merged(old: Sequence[Value | None], told: Iterable[tuple[int, Value]]) -> tuple[Value | None, ...] | None:
    """The values with those of ``told``, by place, that replace what is there; None when none does."""
    new = list(old)
    for place, value in told:
        there = new[place]
        if there is None or value.precedence > there.precedence:
            new[place] = value
    return None if new == list(old) else tuple(new)


def news(old: Sequence[Value | None], new: Sequence[Value | None]) -> dict[int, Value]:
    """The values, by place, that say something else than before, and not only that they were reported later."""
    return {
        place: value
        for place, (was, value) in enumerate(zip(old, new, strict=True))
        if value is not None and (was is None or was.says != value.says)
    }


PARTIAL = Quality(code="3.4.2")
DERIVED_SUM = Quality(code="3.11.0")


def together(parts: Mapping[str, Value]) -> Value | None:
    """The value of one interval of a usage point, by the meters that told one.

    What two meters measured of one interval, in which one took the place of the other, is their sum. What no meter
    measured stands beside that like any other value, and the better one is taken.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    measured = [value for meter, value in sorted(parts.items()) if meter and value.origin.rank > DOUBTFUL]
    candidates = [value for meter, value in parts.items() if not meter or value not in measured]
    if len(measured) > 1:
        scale = min(each.scale for each in measured)
        newest = max(measured, key=lambda each: each.precedence).origin
        qualities = {quality for each in measured for quality in each.origin.qualities} | {PARTIAL, DERIVED_SUM}
        origin = Origin(qualities=tuple(sorted(qualities)), source=newest.source, reported_at=newest.reported_at)
        measured = [Value(number=sum(each.at_scale(scale) for each in measured), scale=scale, origin=origin)]
    return max([*candidates, *measured], key=lambda each: each.precedence, default=None)


@lru_cache(maxsize=1024)
def interval_length(reading_type: ReadingTypeCode) -> timedelta:
    """How long the intervals of a reading type are.

    Raises:
        Invalid: 2.10, it has no intervals that are stored.
    """
    name = reading_type.names["measuring_period"]
    if name not in LENGTHS:
        raise Invalid(f"reading type {reading_type} has intervals of '{name}'", code="2.10")
    return LENGTHS[name]
