"""What passed between two readings of a register, and by what a raw value is to be multiplied.

All numbers are exact fractions (metering guide 3.2, 3.3, 3.5).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

from contracts.errors import Invalid


class Advance(Struct, frozen=True, kw_only=True):
    """What a register gained, exactly; ``decreased`` is a finding: it fell, and not by a roll-over."""

    gained: Fraction
    decreased: bool = False


def advance(
    before: Fraction, after: Fraction, *, modulus: int | None, most: Fraction | None = None, net: bool = False
) -> Advance:
    """What passed from ``before`` to ``after``.

    Args:
        before: the earlier reading.
        after: the later reading.
        modulus: where the register begins again at 0 (10 to the digits before the point); None where nobody knows,
            so that no roll-over is believed.
        most: what can have passed at most, as 1.25 times the rating allows; None where no rating is known: then half
            the register, which tells a roll-over from a fall.
        net: the register counts down as well, and never rolls over for us.
    """
    if after >= before or net:
        return Advance(gained=after - before)
    if modulus is None or before >= modulus:
        return Advance(gained=after - before, decreased=True)
    wrapped = (after - before) % modulus
    limit = Fraction(modulus, 2) if most is None else most
    return Advance(gained=wrapped) if wrapped <= limit else Advance(gained=after - before, decreased=True)


class Factor(Struct, frozen=True, kw_only=True):
    """By what the raw values of a meter are multiplied, from ``since`` on."""

    since: datetime
    value: Fraction


def factor_at(factors: Iterable[Factor], at: datetime) -> Fraction:
    """The factor that counts at that time; 1 where none is set."""
    valid = [each for each in factors if each.since <= at]
    return max(valid, key=lambda each: each.since).value if valid else Fraction(1)


def calculated(
    value: Fraction, *, scalar: Fraction = Fraction(1), offset: int = 0, multiply_first: bool = True
) -> Fraction:
    """A PendingCalculation, executed exactly: (value x scalar) + offset, or (value + offset) x scalar."""
    return value * scalar + offset if multiply_first else (value + offset) * scalar


def as_text(value: Fraction) -> str:
    """``value`` in decimal digits.

    Raises:
        Invalid: 2.29, it has no end in decimal digits.
    """
    digits, rest = 0, value.denominator
    while rest % 10 == 0:
        rest //= 10
        digits += 1
    while rest % 5 == 0:
        rest //= 5
        digits += 1
    while rest % 2 == 0:
        rest //= 2
        digits += 1
    if rest != 1:
        raise Invalid(f"{value} has no end in decimal digits", code="2.29")
    return in_digits(value.numerator * 10**digits // value.denominator, digits)


def in_digits(number: int, digits: int) -> str:
    """``number``, of whose digits the last ``digits`` stand behind the point."""
    text = str(abs(number)).rjust(digits + 1, "0")
    sign = "-" if number < 0 else ""
    return sign + (text if digits == 0 else f"{text[:-digits]}.{text[-digits:]}".rstrip("0").rstrip("."))


def usage(
    reads: Sequence[tuple[datetime, Fraction]], *, modulus: int | None, factors: Sequence[Factor], net: bool = False
) -> Fraction:
    """What one meter measured over ``reads``, its readings in the order of time, each part by its own factor.

    Raises:
        Invalid: 2.29, the register fell, or the factor changed between two readings.
    """
    total = Fraction(0)
    for (since, before), (until, after) in pairwise(reads):
        passed = advance(before, after, modulus=modulus, net=net)
        if passed.decreased:
            raise Invalid(f"the register fell from {before} to {after} between {since} and {until}", code="2.29")
        factor = factor_at(factors, since)
        if any(since < each.since < until and each.value != factor for each in factors):
            raise Invalid(f"the multiplier changed between {since} and {until} without a reading", code="2.29")
        total += passed.gained * factor
    return total
