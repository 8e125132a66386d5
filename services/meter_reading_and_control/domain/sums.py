"""What usage points that belong together take: their values added, and how many of them are in the sum.

A sum is of primary values, and of what can be added: energies and volumes of intervals, and powers. What is missing is
never taken for nothing (metering guide 6, virtual meters; 7, transformer load).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.readings import DERIVED_SUM, VALID, Origin, Quality, Value

SECONDARY, PRIMARY = 1, 2
"""Commodities: measured behind instrument transformers, and as it is in front of them."""

_DELTA, _REVERSE = 4, 19
_POWERS, _AMOUNTS = frozenset({38, 61, 63}), frozenset({71, 72, 73, 42})
"""Units: W, VA, var; VAh, Wh, varh, m3."""

MISSING = "3.5.259"
PART = "3.4.2"


def can_be_added(code: ReadingTypeCode) -> bool:
    """True for what several usage points take together by addition, unlike voltages or registers."""
    return code.unit in _POWERS or can_be_split(code)


def kind_of(code: ReadingTypeCode) -> ReadingTypeCode:
    """What a type measures, in intervals of whatever length."""
    return replace(code, measuring_period=0)


def can_be_split(code: ReadingTypeCode) -> bool:
    """True for amounts, which are those of shorter intervals together."""
    return code.unit in _AMOUNTS and code.accumulation == _DELTA


def flows_back(code: ReadingTypeCode) -> bool:
    """True for what usage points give, which most of them never do."""
    return code.flow_direction == _REVERSE


def primary_of(code: ReadingTypeCode) -> ReadingTypeCode:
    """The type in which values of ``code`` are added."""
    return replace(code, commodity=PRIMARY) if code.commodity == SECONDARY else code


class Sum(Struct, frozen=True, kw_only=True):
    """The sum of one interval.

    Attributes:
        value: None where too many are missing.
        qualities: of the sum.
    """

    value: Value | None
    qualities: tuple[Quality, ...]


class Tally:
    """The values of one day and reading type while they are added.

    Attributes:
        starts: when the intervals begin.
    """

    def __init__(self, starts: Sequence[datetime]) -> None:
        self.starts = starts
        count = len(starts)
        self._expected = [0] * count
        self._there = [0] * count
        self._sums = [0] * count
        self._worst: list[Origin | None] = [None] * count
        self._scale = 0

    def add(self, values: Sequence[Value | None], belongs: Iterable[bool]) -> None:
        """Add what one usage point took while it belonged to the others; None is missing."""
        for place, (value, is_member) in enumerate(zip(values, belongs, strict=True)):
            if not is_member:
                continue
            self._expected[place] += 1
            if value is None or value.origin.rank == 0:
                continue
            if value.scale < self._scale:
                self._sums = [each * 10 ** (self._scale - value.scale) for each in self._sums]
                self._scale = value.scale
            self._there[place] += 1
            self._sums[place] += value.at_scale(self._scale)
            worst = self._worst[place]
            if worst is None or value.origin.rank < worst.rank:
                self._worst[place] = value.origin

    def told(self, least_share: float) -> list[Sum | None]:
        """The sum of each interval; None where nobody belongs to it.

        Args:
            least_share: of those that belong to it so many must have a value.
        """
        return [self._sum(place, least_share) for place in range(len(self._expected))]

    def _sum(self, place: int, least_share: float) -> Sum | None:
        expected, there, worst = self._expected[place], self._there[place], self._worst[place]
        if not expected:
            return None
        share = f"{there} of {expected}"
        if worst is None or there < expected * least_share:
            return Sum(value=None, qualities=(Quality(code=MISSING, comment=share),))
        lowering = {each for each in worst.qualities if each.rank < VALID}
        part = {Quality(code=PART, comment=share)} if there < expected else set()
        qualities = tuple(sorted({DERIVED_SUM} | lowering | part))
        origin = Origin(qualities=qualities)
        return Sum(value=Value(number=self._sums[place], scale=self._scale, origin=origin), qualities=qualities)
