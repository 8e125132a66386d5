"""Faults: what is struck, how, and what somebody who goes there will find."""

from datetime import datetime

from msgspec import Struct

from contracts.nouns.training_scenarios import FaultKind
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.network import ALL

CAUSES = (("vegetation", 0.4), ("weather", 0.65), ("equipment", 0.85), ("animal", 0.95), ("thirdParty", 1.0))
"""The cause of a fault with its cumulative share [P]; trees dominate in storms."""

PASSING = (("animal", 0.45), ("vegetation", 0.8), ("weather", 1.0))
"""The same of a fault that goes away by itself [P]."""

KINDS = (
    (FaultKind.LINE_TO_GROUND, 0.75),
    (FaultKind.LINE_TO_LINE, 0.85),
    (FaultKind.LINE_TO_LINE_TO_GROUND, 0.95),
    (FaultKind.THREE_PHASE, 1.0),
)
"""The kind of a fault with its cumulative share; 70 to 80 % are to ground on one phase, the rest is [P]."""

DAMAGES = (("conductor", 0.55), ("insulator", 0.75), ("pole", 0.9), ("transformer", 1.0))
"""What is broken, with its cumulative share [P]."""

HAZARDS = {"conductor": "wireDown", "pole": "wireDown", "insulator": "fire", "transformer": "fire"}
"""What makes a damage a danger."""


class Fault(Struct, frozen=True, kw_only=True):
    """One stroke and what it did.

    Attributes:
        at: when it strikes.
        phases: of the struck equipment, as bits.
        temporary: it goes away when it has been without voltage.
        damage: what is broken; nothing for a temporary fault.
        hazard: what makes it a danger to people, as the code of a trouble ticket.
        device: what opened for it last; None before it struck, or when its place was dead.
        dark: the usage points that are in the dark by it.
        final: the protection has done with it, so ``device`` and ``dark`` stay as they are.
        trying: the devices that opened for it and will close again.
        dead_times: how often it has been without voltage between two trips.
        repaired: it is gone, by work or by itself.
        found_at: when a crew first said what it found there.
    """

    mrid: str
    scenario: str
    equipment: str
    cause: str
    at: datetime
    kind: FaultKind = FaultKind.THREE_PHASE
    phases: int = ALL
    temporary: bool = False
    damage: str = "conductor"
    hazard: str | None = None
    device: str | None = None
    dark: tuple[str, ...] = ()
    final: bool = False
    trying: tuple[str, ...] = ()
    dead_times: int = 0
    struck: bool = False
    repaired: bool = False
    found_at: datetime | None = None

    @property
    def opens(self) -> bool:
        """True when it breaks the wire without a current that protection could see."""
        return self.kind is FaultKind.OPEN_CONDUCTOR

    @property
    def lasting(self) -> bool:
        """True when somebody must go out for it: it must be repaired, or has left customers in the dark."""
        return self.struck and (not self.temporary or (self.final and bool(self.dark)))


def cause_of(stream: Stream, fault: str, *, temporary: bool = False) -> str:
    """What a crew will find to have caused a fault."""
    return _drawn(stream.fraction("cause", fault), PASSING if temporary else CAUSES)


def damage_of(stream: Stream, fault: str) -> str:
    """What is broken."""
    return _drawn(stream.fraction("damage", fault), DAMAGES)


def hazard_of(stream: Stream, fault: str, damage: str, conditions: Conditions) -> str | None:
    """Why a fault is a danger to people, if it is one."""
    return HAZARDS[damage] if stream.fraction("hazard", fault) < conditions.hazard else None


def kind_of(stream: Stream, equipment: str, has: int, conditions: Conditions) -> tuple[FaultKind, int]:
    """What is wrong at a piece of equipment that has these phases, and on which of them."""
    letters = [phase for phase in range(3) if has >> phase & 1]
    if not conditions.single_phase:
        return FaultKind.THREE_PHASE if len(letters) > 1 else FaultKind.LINE_TO_GROUND, has
    first = letters[int(stream.fraction("phase", equipment) * len(letters))]
    if stream.fraction("open conductor", equipment) < conditions.open_conductor:
        return FaultKind.OPEN_CONDUCTOR, 1 << first
    kind = FaultKind(_drawn(stream.fraction("kind", equipment), KINDS))
    if kind is FaultKind.LINE_TO_GROUND or len(letters) == 1:
        return FaultKind.LINE_TO_GROUND, 1 << first
    if kind is FaultKind.THREE_PHASE or len(letters) == 2:  # noqa: PLR2004 - two phases leave no third to spare
        return (kind if len(letters) == 3 or kind is not FaultKind.THREE_PHASE else FaultKind.LINE_TO_LINE), has  # noqa: PLR2004
    return kind, has & ~(1 << first)


def _drawn(drawn: float, shares: tuple[tuple[str, float], ...]) -> str:
    return next(what for what, share in shares if drawn < share)
