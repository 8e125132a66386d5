"""How days of classes of usage points look, for those of which nothing else is known (metering guide E5)."""

from collections.abc import Iterable
from datetime import date

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.vee.rule_sets import fits
from services.meter_reading_and_control.domain.vee.sides import WATT_HOURS

FORWARD = 1
"""The flow direction of what is used."""

_SATURDAY = 5


class Profile(Struct, frozen=True, kw_only=True):
    """The load profile of a class.

    Attributes:
        of_class: the class of usage points, or how it begins, as ``res*``; ``*`` for all, and those without a class.
        daily_use: average use of a day in the class, in Wh (primary), for who has none of its own.
        workday, weekend: shares of the use of a day, in equal parts of it from midnight on, in any unit; no weekend: as
            a workday.
    """

    of_class: str
    daily_use: float
    workday: tuple[float, ...]
    weekend: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no shape of a day.

        Raises:
            ValueError: a share is below 0, all are 0, or nothing is used.
        """
        for each in (self.workday, self.weekend or self.workday):
            if min(each, default=-1) < 0 or not sum(each):
                raise ValueError(f"profile of {self.of_class}: shares must be 0 or more, and not all 0")
        if self.daily_use <= 0:
            raise ValueError(f"profile of {self.of_class}: daily_use must be more than 0")

    def shares(self, day: date, count: int) -> NDArray[np.float64]:
        """Shares of the use of ``day`` in ``count`` intervals by the clock, [count], of sum 1."""
        told = self.weekend if self.weekend and day.weekday() >= _SATURDAY else self.workday
        until = np.concatenate(([0.0], np.cumsum(told))) / sum(told)
        return np.diff(np.interp(np.linspace(0, 1, count + 1), np.linspace(0, 1, len(told) + 1), until))


def has_profiles(code: ReadingTypeCode) -> bool:
    """True for energy that is used: what is fed in has another shape."""
    return code.unit == WATT_HOURS and code.flow_direction == FORWARD


def profile_of(profiles: Iterable[Profile], of_class: str) -> Profile | None:
    """The profile of a class, the one that says most of it; None where there is none."""
    fitting = [each for each in profiles if fits(of_class, each.of_class)]
    return max(fitting, key=lambda each: len(each.of_class), default=None)
