"""What a transformer makes of phases that are missing on one side (IEC 60076-1 vector groups).

Most transformers pass phase by phase what they have, and are drawn like a line. The others have a winding between two
phases: with one of three phases lost there is some voltage on the other side, and not the right one; with two lost
there is none. For Dyn the voltages are about 100, 50 and 50 % [general knowledge].

A level is :data:`DEAD`, :data:`ABNORMAL` or :data:`LIVE`. All functions are monotone: more on one side never makes less
on the other. What is live on one side makes the other live only from what is live, never from what is abnormal.
"""

from enum import IntEnum, unique

from msgspec import Struct

from services.network_operation.domain.phases import PLACES, Phases

DEAD, ABNORMAL, LIVE = 0, 1, 2

Levels = tuple[int, int, int]
"""The levels of A, B and C."""

_KINDS = ("yn", "zn", "y", "z", "d", "v", "i")
"""How a winding may be connected, longer names first."""

_TWO = 2
_THREE = 3


@unique
class Rule(IntEnum):
    """How the levels of one side follow from those of the other."""

    BETWEEN = 1
    """Windings between two phases of the first side each: D, V or Z."""

    CLOSED_DELTA = 2
    """A star with its neutral earthed against a delta."""

    OPEN_STAR = 3
    """The same with no way to earth: one phase alone drives nothing."""

    SINGLE = 4
    """One winding between two phases."""


class Winding(Struct, frozen=True, kw_only=True):
    """A transformer that does not pass phase by phase.

    Attributes:
        rule: how it passes.
        pairs: for each phase of the second side the places of the phases between which its winding stands on the
            first, where the vector group tells.
        phases: the phases that it has.
    """

    rule: Rule
    pairs: tuple[tuple[int, int], ...] | None
    phases: Phases

    def forward(self, levels: Levels) -> Levels:
        """The levels of the second side that follow from the first."""
        some = sum(level > DEAD for level in levels)
        live = sum(level == LIVE for level in levels)
        if self.rule is Rule.SINGLE:
            return self._single(levels)
        least = 1 if self.rule is Rule.CLOSED_DELTA else _TWO
        if some < least:
            return (DEAD, DEAD, DEAD)
        if live == _THREE:
            return (LIVE, LIVE, LIVE)
        if self.pairs is None:
            return (ABNORMAL, ABNORMAL, ABNORMAL)
        one, two, three = (LIVE if levels[a] == levels[b] == LIVE else ABNORMAL for a, b in self.pairs)
        return (one, two, three)

    def backward(self, levels: Levels) -> Levels:
        """The levels of the first side that follow from the second: all, or nothing that can be relied on."""
        if self.rule is Rule.SINGLE:
            return self._single(levels)
        level = LIVE if all(level == LIVE for level in levels) else DEAD
        return (level, level, level)

    def _single(self, levels: Levels) -> Levels:
        level = min(levels[place] for place in PLACES if self.phases >> place & 1)
        one, two, three = (level if self.phases >> place & 1 else DEAD for place in PLACES)
        return (one, two, three)


def winding(connection: str | None, phases: Phases) -> Winding | None:
    """The winding of a vector group; None for one that passes phase by phase, and for one that nobody states.

    A star whose neutral is not earthed counts as if it were, but against a delta. The legs of a single transformer
    between two phases are called by those two phases.
    """
    first, second, clock = _parsed(connection or "")
    if phases.bit_count() == _TWO and first in {"i", "d", "v"}:
        return Winding(rule=Rule.SINGLE, pairs=None, phases=phases)
    if phases.bit_count() < _THREE:
        return None
    if first in {"d", "v", "z", "zn"} or second in {"z", "zn"}:
        pairs = _PAIRS.get(clock % 12) if clock is not None and first == "d" and second in {"y", "yn"} else None
        return Winding(rule=Rule.BETWEEN, pairs=pairs, phases=phases)
    if second in {"d", "v"}:
        return Winding(rule=Rule.CLOSED_DELTA if first == "yn" else Rule.OPEN_STAR, pairs=None, phases=phases)
    return None


def _parsed(connection: str) -> tuple[str, str, int | None]:
    """The kinds of both windings in small letters, and the clock; empty where nothing is understood."""
    letters = connection.lower().rstrip("0123456789")
    clock = connection[len(letters) :]
    first = next((kind for kind in _KINDS if letters.startswith(kind)), "")
    second = letters.removeprefix(first)
    if second not in {*_KINDS, ""}:
        return "", "", None
    return first, second, int(clock) if clock else None


def _turned(first: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """The pairs of all three phases from that of the first: the others follow in the order of rotation."""
    return tuple(((first[0] + turn) % 3, (first[1] + turn) % 3) for turn in PLACES)


_PAIRS = {
    1: _turned((0, 2)),
    3: _turned((1, 2)),
    5: _turned((0, 1)),
    7: _turned((0, 2)),
    9: _turned((1, 2)),
    11: _turned((0, 1)),
}
"""Between which phases of a delta the winding of the first phase of a star stands, by the clock.

At 11 the star leads by 30 degrees, so its first phase is in phase with the voltage between A and B; at 1 with that
between A and C; at 3 with that between B and C; three hours on each side of these it is the same with the sign changed.
"""
