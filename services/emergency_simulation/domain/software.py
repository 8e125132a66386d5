"""New software of meters: it is taken, or goes wrong in one of the ways in which it does (metering guide 2.5, 14).

What becomes of it is the same whenever it is tried. :class:`Ills` says how often it goes wrong; by default it does not,
but for hardware that it does not fit.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from contracts.errors import Invalid
from services.emergency_simulation.domain.chance import Stream

UNFIT = 0.01
"""The share of meters of which the hardware is another."""


class Ills(Struct, frozen=True, kw_only=True):
    """What goes wrong with new software: shares of meters from 0 to 1, which are no more than 1 together.

    Attributes:
        software_download: it does not come whole to the meter.
        software_hash: it is not what was signed, and is refused.
        software_rollback: it does not start, and the meter goes on with what it had.
        software_identity: it starts, and the meter does not say any more which one it is.
    """

    software_download: float = 0.0
    software_hash: float = 0.0
    software_rollback: float = 0.0
    software_identity: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            Invalid: with one sentence that names the share.
        """
        shares = {name: getattr(self, name) for name in self.__struct_fields__}
        for name, share in shares.items():
            if not 0.0 <= share <= 1.0:
                raise Invalid(f"{name} is {share:g}, but must be a share from 0 to 1")
        if sum(shares.values()) > 1.0:
            raise Invalid(f"{', '.join(shares)} are {sum(shares.values()):g} together, but must be at most 1")


class Fate(StrEnum):
    """What becomes of software at one meter."""

    TAKEN = "taken"
    UNFIT = "unfit"
    BROKEN_OFF = "brokenOff"
    ALTERED = "altered"
    ROLLED_BACK = "rolledBack"
    NAMELESS = "nameless"


SAID: Mapping[Fate, str] = {
    Fate.UNFIT: "the software is for other hardware",
    Fate.BROKEN_OFF: "the download broke off",
    Fate.ALTERED: "the hash of the software is another",
    Fate.ROLLED_BACK: "it did not start, and the software before it runs again",
}
"""What the meter says where it has not taken it. One that is nameless says that it has."""


def fate(stream: Stream, usage_point: str, control: str, ills: Ills) -> Fate:
    """What becomes of the software of a control at the meter of a usage point."""
    if stream.fraction("fits", usage_point, control) < UNFIT:
        return Fate.UNFIT
    draw = stream.fraction("fate", usage_point, control)
    for share, found in (
        (ills.software_download, Fate.BROKEN_OFF),
        (ills.software_hash, Fate.ALTERED),
        (ills.software_rollback, Fate.ROLLED_BACK),
        (ills.software_identity, Fate.NAMELESS),
    ):
        if draw < share:
            return found
        draw -= share
    return Fate.TAKEN
