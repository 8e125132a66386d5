"""Quantities that follow from intervals: longer intervals, sums, the greatest demand (metering guide 6).

A value that is missing makes what follows from it missing, and what is known of the worth of a value is known of what
follows from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from msgspec import Struct

from services.meter_reading_and_control.domain.readings import DERIVED_SUM, Origin, Quality, Value
from services.meter_reading_and_control.domain.registers import as_text

HOUR = timedelta(hours=1)


class Slot(Struct, frozen=True, kw_only=True):
    """An interval of a usage point: when it begins, what passed in it, and its bucket; 0 where there are none."""

    start: datetime
    value: Value | None
    bucket: int = 0


class Peak(Struct, frozen=True, kw_only=True):
    """The greatest demand of a time, as the digits of its number, and when its block ended."""

    text: str
    ends: datetime
    qualities: tuple[Quality, ...]


def summed(values: Sequence[Value | None]) -> Value | None:
    """The sum of values; None where one is missing, or none is there."""
    known = [each for each in values if each is not None]
    if not known or len(known) < len(values):
        return None
    scale = min(each.scale for each in known)
    newest = max(known, key=lambda each: each.precedence).origin
    return Value(
        number=sum(each.at_scale(scale) for each in known),
        scale=scale,
        origin=Origin(qualities=worth(known), source=newest.source, reported_at=newest.reported_at),
    )


def worth(values: Iterable[Value]) -> tuple[Quality, ...]:
    """The qualities of what follows from values: that it is derived, and whatever makes them less than measured."""
    told = {quality for each in values for quality in each.origin.qualities} - set(Origin().qualities)
    return tuple(sorted({*told, DERIVED_SUM}))


def longer(values: Sequence[Value | None], many: int) -> tuple[Value | None, ...]:
    """Intervals ``many`` times as long, each the sum of those in it if all are there; the last may not be whole.

    A value is never split, so nothing shorter is made of it.
    """
    return tuple(summed(values[place : place + many]) for place in range(0, len(values) - many + 1, many))


def in_slots(values: Mapping[int, Sequence[Value | None]], slots: int) -> Sequence[Value | None] | None:
    """The amounts of a day in that many intervals, of those that are known by how many a day has; None where it cannot.

    Those that are as long as that, else the sums of the longest that are shorter.
    """
    if slots in values:
        return values[slots]
    shorter = min((each for each in values if each > slots and not each % slots), default=0)
    return longer(values[shorter], shorter // slots) if shorter else None


def peak(slots: Sequence[Slot], length: timedelta, block: timedelta, step: timedelta) -> Peak | None:
    """The greatest demand: of the energy of all blocks that begin every ``step``, by the hour; of equals the first.

    Args:
        slots: the intervals of a time, one after the other.
        length: of an interval.
        block: over which the demand is the mean; a multiple of ``step``.
        step: how far apart blocks begin; a multiple of ``length``.

    Returns:
        None where a value is missing, or the time is shorter than a block.
    """
    if any(each.value is None for each in slots):
        return None
    many, on = block // length, step // length
    best: tuple[Fraction, int] | None = None
    for first in range(0, len(slots) - many + 1, on):
        total = sum((each.value.exact for each in slots[first : first + many] if each.value), Fraction(0))
        if best is None or total > best[0]:
            best = total, first
    if best is None:
        return None
    total, first = best
    return Peak(
        text=as_text(total * Fraction(HOUR // timedelta(minutes=1), block // timedelta(minutes=1))),
        ends=slots[first].start + block,
        qualities=worth(each.value for each in slots[first : first + many] if each.value is not None),
    )
