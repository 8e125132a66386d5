"""ReadingQualityType: ``system.category.index``, who says what about the worth of a reading.

The lists are one vendor's, partly confirmed by public event files [V].
"""

from msgspec import Struct

from contracts.codes.dotted import numbers
from contracts.codes.tables import name_of, number_of

MEASURED = "1.0.0"
"""Valid as the device measured it."""

VALIDATED = "3.0.1"
"""Validated by meter data management."""

SUSPECT = "3.5.258"
"""Not believed by meter data management."""

ESTIMATED = "3.8.0"
"""Estimated by meter data management."""

MISSING = "2.5.259"
"""Known to be missing by the head-end."""

POWER_FAILED = "3.2.32"
"""As it is because the power was off."""

CONFIGURATION_CHANGED = "3.4.6"
"""Of an interval in which the meter took new software, or was set up anew."""


class ReadingQualityCode(Struct, frozen=True, kw_only=True):
    """The three numbers of a quality; unknown numbers are kept."""

    system: int
    category: int
    index: int

    @classmethod
    def parse(cls, text: str) -> "ReadingQualityCode":
        """Read ``text``, such as ``3.8.0`` for estimated by meter data management.

        Raises:
            Invalid: when it is not three whole numbers with points between them.
        """
        system, category, index = numbers(text, 3, code="2.29", what="the reading quality")
        return cls(system=system, category=category, index=index)

    @classmethod
    def build(cls, system: str, category: str, index: str) -> "ReadingQualityCode":
        """Make one of its three names, as in ``build("meterDataManagement", "estimated", "estimateGeneric")``.

        Raises:
            KeyError: when a name is not in the table of its field.
        """
        of_category = number_of("quality.category", category)
        return cls(
            system=number_of("quality.system", system),
            category=of_category,
            index=number_of(f"quality.index.{of_category}", index),
        )

    def __str__(self) -> str:
        return f"{self.system}.{self.category}.{self.index}"

    @property
    def names(self) -> tuple[str, str, str]:
        """The three names; a number that has no name is its own."""
        return (
            name_of("quality.system", self.system),
            name_of("quality.category", self.category),
            name_of(f"quality.index.{self.category}", self.index),
        )

    @property
    def is_estimated(self) -> bool:
        """True when the value was not measured but estimated, edited or projected."""
        return self.category in _NOT_MEASURED


_NOT_MEASURED = frozenset({7, 8, 12})
