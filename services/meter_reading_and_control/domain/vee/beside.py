"""What is known of a usage point beside the values of its day: what may pass there, and what others measured."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.vee.days import Days, Facts

WATT_HOURS, BACK, NET = 72, 19, 4
"""Unit and flow directions of a ReadingType."""

LARGEST = 10**18
"""At most what an array surely holds."""

SURPLUS = Fraction(5, 4)
"""So many times its rating may pass at a usage point (guide V16)."""

_HOMES = "residential"


class Beside(Struct, frozen=True, kw_only=True):
    """What is known of a usage point on a day.

    Attributes:
        of_class: its class; empty where nobody has said it.
        rated: what may pass in one interval by its rating, in the unit of the reading type; None where it is not known.
        is_inactive: nothing can pass in all of the day, or nobody has an agreement.
        is_idle: no usage is what is expected there (minimalUsageExpected).
        has_generation: a generator is registered; True where nobody has said how the usage point is set up.
    """

    of_class: str = ""
    rated: Fraction | None = None
    is_inactive: bool = False
    is_idle: bool = False
    has_generation: bool = True


NOTHING = Beside()


def facts_beside(facts: Facts, beside: Sequence[Beside], days: Days, code: ReadingTypeCode, scale: int) -> Facts:
    """``facts`` with what is known beside the days, which are in counts of ``scale``; a row for each."""
    if all(each is NOTHING for each in beside):
        return facts
    limits = (None if each.rated is None else SURPLUS * each.rated for each in beside)
    return replace(
        facts,
        limit=np.array([LARGEST if each is None else counts(each, scale) for each in limits], np.int64),
        business=np.array([each.of_class != "" and not each.of_class.startswith(_HOMES) for each in beside]),
        inactive=np.array([each.is_inactive for each in beside]),
        minimal_use_expected=np.array([each.is_idle for each in beside]),
        generation=np.array([each.has_generation for each in beside]),
        reverse=_reverse(days, code),
    )


def _reverse(days: Days, code: ReadingTypeCode) -> NDArray[np.int64] | None:
    """The energy that went the other way in a day, where the reading type tells it."""
    if code.unit != WATT_HOURS or code.flow_direction not in {BACK, NET}:
        return None
    values = np.where(days.present, days.values, 0)
    found: NDArray[np.int64] = (values if code.flow_direction == BACK else -values.clip(max=0)).sum(axis=1)
    return found


def counts(amount: Fraction, scale: int) -> int:
    """An amount in whole counts of a scale, the nearest; at most what an array surely holds."""
    return max(-LARGEST, min(LARGEST, round(amount / Fraction(10) ** scale)))
