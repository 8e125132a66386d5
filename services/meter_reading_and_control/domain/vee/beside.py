"""What is known of a usage point beside the values of its day: what may pass there, and what others measured."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.vee.days import Days, Facts
from services.meter_reading_and_control.domain.vee.profiles import Profile
from services.meter_reading_and_control.domain.vee.sides import LARGEST, WATT_HOURS, Side, stacked

BACK, NET = 19, 4
"""Flow directions of a ReadingType."""

SURPLUS = 1.25
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
        is_channel_missing: nothing came of another channel that is configured.
        tiers: what the registers of all buckets of the tariff gained together, and how many there are.
        profile: how days of its class look.
        class_use: of a day in its class.
        reactive: the reactive counterpart, in the unit of the reading type with VAr for W.
        voltage: of the same phase, as a share of the nominal voltage.
        check: what a check meter measured of the same load.
    """

    of_class: str = ""
    rated: float | None = None
    is_inactive: bool = False
    is_idle: bool = False
    has_generation: bool = True
    is_channel_missing: bool = False
    tiers: tuple[Fraction, int] | None = None
    profile: Profile | None = None
    class_use: float | None = None
    reactive: Side | None = None
    voltage: Side | None = None
    check: Side | None = None


NOTHING = Beside()


def facts_beside(facts: Facts, beside: Sequence[Beside], days: Days, code: ReadingTypeCode, scale: int) -> Facts:
    """``facts`` with what is known beside the days, which are in counts of ``scale``; a row for each."""
    if all(each is NOTHING for each in beside):
        return facts
    width = days.values.shape[1]
    reactive, has_reactive = stacked([each.reactive for each in beside], scale, width)
    voltage, has_voltage = stacked([each.voltage for each in beside], 0, width)
    check, has_check = stacked([each.check for each in beside], scale, width)
    tiers = np.array([0 if each.tiers is None else counts(each.tiers[0], scale) for each in beside], np.int64)
    has_tiers = np.array([each.tiers is not None for each in beside])
    if facts.advance_known is not None:
        has_tiers &= facts.advance_known
    return replace(
        facts,
        limit=np.array([LARGEST if each.rated is None else nearest(SURPLUS * each.rated, scale) for each in beside]),
        business=np.array([each.of_class != "" and not each.of_class.startswith(_HOMES) for each in beside]),
        inactive=np.array([each.is_inactive for each in beside]),
        minimal_use_expected=np.array([each.is_idle for each in beside]),
        generation=np.array([each.has_generation for each in beside]),
        reverse=_reverse(days, code),
        tou_sum=None if facts.advance is None else np.where(has_tiers, tiers, facts.advance),
        tou_count=np.array([0 if each.tiers is None else each.tiers[1] for each in beside]),
        class_mean=np.array([mean(each, days, scale) for each in beside], np.int64),
        siblings_missing=np.array([each.is_channel_missing for each in beside]) & days.present.any(axis=1),
        reactive=np.where(has_reactive, np.rint(reactive), 0).astype(np.int64),
        voltage=np.where(has_voltage, voltage, 1.0),
        check=np.where(has_check, np.rint(check).astype(np.int64), days.values),
    )


def mean(beside: Beside, days: Days, scale: int) -> int:
    """What passes in an interval in the class of a usage point, in counts; 0 where nobody has said it."""
    return 0 if beside.class_use is None else nearest(beside.class_use * (days.length / timedelta(days=1)), scale)


def _reverse(days: Days, code: ReadingTypeCode) -> NDArray[np.int64] | None:
    """The energy that went the other way in a day, where the reading type tells it."""
    if code.unit != WATT_HOURS or code.flow_direction not in {BACK, NET}:
        return None
    values = np.where(days.present, days.values, 0)
    found: NDArray[np.int64] = (values if code.flow_direction == BACK else -values.clip(max=0)).sum(axis=1)
    return found


def nearest(amount: float, scale: int) -> int:
    """An amount that need not be exact in whole counts of a scale."""
    return round(max(-LARGEST, min(LARGEST, amount * 10.0**-scale)))


def counts(amount: Fraction, scale: int) -> int:
    """An amount in whole counts of a scale, the nearest; at most what an array surely holds."""
    return max(-LARGEST, min(LARGEST, round(amount / Fraction(10) ** scale)))
