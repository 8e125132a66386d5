"""What switches did: the entries of the log."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from contracts.nouns.switching_events import SwitchingEventType
from services.fault_management.domain.structure import ALL


class Operation(Struct, frozen=True, kw_only=True):
    """Something that a switch did.

    Attributes:
        time: when, in the field.
        open: it opened, or closed; None for a lockout, which is no movement.
        phases: those that moved, as bits.
        type: how it came about; None where only the state is known.
        plan: the switching plan of which it was a step.
    """

    mrid: str
    device: str
    time: datetime
    open: bool | None
    phases: int = ALL
    type: SwitchingEventType | None = None
    plan: str | None = None

    @property
    def by_people(self) -> bool:
        """True when somebody wanted it."""
        return self.type in {SwitchingEventType.COMMAND, SwitchingEventType.MANUAL}


def fold(opened: int, moves: Iterable[Operation]) -> int:
    """The open phases of a switch after movements of it."""
    for each in moves:
        opened = opened | each.phases if each.open else opened & ~each.phases
    return opened
