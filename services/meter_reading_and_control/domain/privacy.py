"""Whether sums tell nothing of one usage point: the rule of 15/15 (metering guide 16).

A sum is given to a role outside where at least 15 usage points are in every interval of it and none took more than 15 %
of it, and where no group whose sum was given for the same time differs from it by fewer than 15.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from contracts.errors import Denied
from services.meter_reading_and_control.domain.readings import NOTHING_KNOWN, Value

LEAST_MEMBERS = 15
"""So many must be in a sum; and groups must differ by so many, or by nobody."""

LARGEST_SHARE = Fraction(15, 100)
"""What one of them may have taken of it at most."""


class Shares:
    """What each member of a group took in the time that is asked for, in one reading type."""

    def __init__(self) -> None:
        self._taken: dict[str, Fraction] = {}

    @property
    def members(self) -> frozenset[str]:
        """Who is in any of its intervals."""
        return frozenset(self._taken)

    def see(self, point: str, values: Sequence[Value | None], counts: Iterable[bool]) -> None:
        """Look at what one usage point took in a day, in those intervals in which it counts."""
        mine = [value for value, does in zip(values, counts, strict=True) if does]
        if mine:
            known = (abs(each.exact) for each in mine if each is not None and each.origin.rank != NOTHING_KNOWN)
            self._taken[point] = self._taken.get(point, Fraction(0)) + sum(known, Fraction(0))

    def refuse_large(self, name: str) -> None:
        """Refuse a sum that is mostly one's.

        Raises:
            Denied: 7.7, one took more than the largest share of it.
        """
        total = sum(self._taken.values(), Fraction(0))
        if total and max(self._taken.values()) > LARGEST_SHARE * total:
            raise Denied(f"sum of {name}: one of its usage points took more than 15 % of it", code="7.7")


def refuse_few(name: str, counted: Iterable[int]) -> None:
    """Refuse a sum of which an interval has too few members; ``counted`` says of each how many it has.

    Raises:
        Denied: 7.7, there are fewer than 15.
    """
    if any(0 < each < LEAST_MEMBERS for each in counted):
        raise Denied(f"sum of {name}: fewer than {LEAST_MEMBERS} usage points are in it", code="7.7")
