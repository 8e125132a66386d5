"""EndDeviceEventType and EndDeviceControlType: ``type.domain.subDomain.eventOrAction``, four numbers.

The names of the fields are one vendor's list [V]. In the codes of the first generation a number may have meant
something else, so what such a code says is its kind, not its names.
"""

from msgspec import Struct
from msgspec.structs import astuple

from contracts.codes.dotted import numbers
from contracts.codes.end_device_controls import control_kind_of
from contracts.codes.end_device_events import kind_of
from contracts.codes.tables import name_of, number_of

_TABLES = ("endDevice.type", "endDevice.domain", "endDevice.subDomain", "endDevice.eventOrAction")


class EndDeviceCode(Struct, frozen=True, kw_only=True):
    """The four numbers of an event or a control; unknown numbers are kept."""

    type: int
    domain: int
    sub_domain: int
    event_or_action: int

    @classmethod
    def parse(cls, text: str) -> "EndDeviceCode":
        """Read ``text``, such as ``3.26.9.185``.

        Raises:
            Invalid: when it is not four whole numbers with points between them.
        """
        return cls._of(numbers(text, 4, code="2.29", what="the event or control type"))

    @classmethod
    def build(cls, *names: str) -> "EndDeviceCode":
        """Make one of its four names, as in ``build("ElectricMeter", "Power", "NA", "Restored")``.

        Raises:
            KeyError: when a name is not in the table of its field.
            ValueError: when there are not four.
        """
        return cls._of([number_of(table, name) for table, name in zip(_TABLES, names, strict=True)])

    @classmethod
    def _of(cls, four: list[int]) -> "EndDeviceCode":
        kind, domain, sub_domain, action = four
        return cls(type=kind, domain=domain, sub_domain=sub_domain, event_or_action=action)

    def __str__(self) -> str:
        return ".".join(str(number) for number in astuple(self))

    @property
    def names(self) -> tuple[str, str, str, str]:
        """The four names, such as ``ElectricMeter``, ``Power``; a number that has no name is its own."""
        kind, domain, sub_domain, action = map(name_of, _TABLES, astuple(self))
        return kind, domain, sub_domain, action

    @property
    def words(self) -> str:
        """What it says to people: its kind where we know one, else its four names."""
        kind = kind_of(str(self)) or control_kind_of(str(self))
        return " ".join(self.names) if kind is None else kind.value
