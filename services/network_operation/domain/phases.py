"""Phases as bits."""

from enum import IntFlag
from functools import cache

from contracts.nouns.units import PhaseCode


class Phases(IntFlag):
    """A set of phases as bits."""

    A = 1
    B = 2
    C = 4

    @classmethod
    def of(cls, code: str) -> "Phases":
        """The phases in a code; the neutral is none of them."""
        return _phases_in(code)

    @property
    def code(self) -> PhaseCode | None:
        """The code for these phases, None for no phase at all."""
        return _CODES[self.value]


@cache
def _phases_in(code: str) -> Phases:
    return Phases(sum(1 << place for place in places(code)))


@cache
def places(code: str) -> tuple[int, ...]:
    """The places of the phases A, B and C that are in a code, in their order."""
    return tuple(place for place in PLACES if "ABC"[place] in code)


PLACES = (0, 1, 2)
"""The places of A, B and C: the bit of the phase at a place is ``1 << place``."""

_CODES = (None, *(PhaseCode("".join("ABC"[bit] for bit in range(3) if mask >> bit & 1)) for mask in range(1, 8)))

NONE = Phases(0)
ALL = Phases.A | Phases.B | Phases.C
EVERY_SET = tuple(Phases(mask) for mask in range(8))
"""The sets by their numbers, since making one costs more than looking it up."""
