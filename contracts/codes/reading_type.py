"""The mRID of a ReadingType: eighteen numbers that say what a value measures.

The order of the fields and the numbers of the first seven are confirmed by two independent lists [X]; units,
multipliers and phases come from one of them [S].
"""

from msgspec import Struct
from msgspec.structs import asdict, astuple, replace

from contracts.codes.dotted import numbers
from contracts.codes.tables import name_of, number_of
from contracts.types import attribute

_PLAIN = frozenset(
    {
        "interharmonic_numerator",
        "interharmonic_denominator",
        "argument_numerator",
        "argument_denominator",
        "tou",
        "cpp",
        "consumption_tier",
    }
)
"""The fields that count instead of naming."""

_SPLIT_PHASES = {257: 272, 513: 528, 769: 784}
"""What a newer list has for s2N, s1N and s12N, to what we say."""


class ReadingTypeCode(Struct, frozen=True, kw_only=True):
    """The eighteen fields in their order; zero means that a field does not apply."""

    macro_period: int = 0
    aggregate: int = 0
    measuring_period: int = 0
    accumulation: int = 0
    flow_direction: int = 0
    commodity: int = 0
    measurement_kind: int = 0
    interharmonic_numerator: int = 0
    interharmonic_denominator: int = 0
    argument_numerator: int = 0
    argument_denominator: int = 0
    tou: int = 0
    cpp: int = 0
    consumption_tier: int = 0
    phases: int = 0
    multiplier: int = 0
    unit: int = 0
    currency: int = 0

    @classmethod
    def parse(cls, text: str) -> "ReadingTypeCode":
        """Read ``text``, such as ``0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0``.

        Raises:
            Invalid: 2.6, when it is not eighteen whole numbers with points between them.
        """
        fields = cls.__struct_fields__
        found = numbers(text, len(fields), code="2.6", what="the reading type")
        return cls(**dict(zip(fields, found, strict=True)))

    @classmethod
    def build(cls, **fields: str | int) -> "ReadingTypeCode":
        """Make one of names, as in ``build(measuring_period="fifteenMinute", unit="Wh", multiplier="k")``.

        Raises:
            KeyError: when a name is not in the table of its field.
            TypeError: when there is no such field.
        """
        return cls(
            **{
                field: value if isinstance(value, int) else number_of(_table(field), value)
                for field, value in fields.items()
            }
        )

    def __str__(self) -> str:
        return ".".join(str(number) for number in astuple(self))

    @property
    def names(self) -> dict[str, str]:
        """Field to name; fields that count, and numbers without a name, are in digits."""
        return {
            field: str(number) if field in _PLAIN else name_of(_table(field), number)
            for field, number in asdict(self).items()
        }

    @property
    def canonical(self) -> "ReadingTypeCode":
        """The same with the split phases as we write them, for comparing codes of different origin."""
        return replace(self, phases=_SPLIT_PHASES.get(self.phases, self.phases))


def _table(field: str) -> str:
    return f"readingType.{attribute(field)}"
