"""What a transformer makes of phases that are missing on one side (IEC 60076-1 vector groups).

Most transformers pass phase by phase what they have, and are drawn like a line. The others have a winding between two
phases: with one of three phases lost there is some voltage on the other side, and not the right one; with two lost
there is none. For Dyn the voltages are about 100, 50 and 50 % [general knowledge].

A level is :data:`DEAD`, :data:`ABNORMAL` or :data:`LIVE`. All functions are monotone: more on one side never makes less
on the other. What is live on one side makes the other live only from what is live, never from what is abnormal.
"""

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from services.network_operation.domain.phases import PLACES, Phases

DEAD, ABNORMAL, LIVE = 0, 1, 2

Levels = tuple[int, int, int]
"""The levels of A, B and C."""

Pairs = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""For each phase of the second side, the places of the phases between which its winding stands on the first."""

_KINDS = ("yn", "zn", "y", "z", "d", "v", "i")
"""How a winding may be connected, longer names first."""

_TWO = 2
_THREE = 3
_LEVELS = (DEAD, ABNORMAL, LIVE)
_CASES = tuple((one, two, three) for one in _LEVELS for two in _LEVELS for three in _LEVELS)


class Winding(Struct, frozen=True, kw_only=True):
    """A transformer that does not pass phase by phase: what is on one side for each case on the other.

    Attributes:
        phases: the phases that it has.
        forward: the levels of the second side, at the place that :func:`case` gives for those of the first.
        backward: the levels of the first side, by those of the second.
    """

    phases: Phases
    forward: tuple[Levels, ...]
    backward: tuple[Levels, ...]


def case(one: int, two: int, three: int) -> int:
    """The number of a case: the levels of A, B and C as digits to the base of three."""
    return 9 * one + 3 * two + three


@cache
def winding(connection: str | None, phases: Phases) -> Winding | None:
    """The winding of a vector group; None for one that passes phase by phase, and for one that nobody states.

    A star whose neutral is not earthed counts as if it were, but against a delta. The legs of a single transformer
    between two phases are called by those two phases.
    """
    first, second, clock = _parsed(connection or "")
    if phases.bit_count() == _TWO and first in {"i", "d", "v"}:
        table = tuple(_across(phases, levels) for levels in _CASES)
        return Winding(phases=phases, forward=table, backward=table)
    if phases.bit_count() < _THREE:
        return None
    pairs: Pairs | None = None
    if first in {"d", "v", "z", "zn"} or second in {"z", "zn"}:
        pairs = _PAIRS.get(clock % 12) if clock is not None and first == "d" and second in {"y", "yn"} else None
        least = _TWO
    elif second in {"d", "v"}:
        least = 1 if first == "yn" else _TWO
    else:
        return None
    forward = tuple(_onward(levels, least, pairs) for levels in _CASES)
    return Winding(phases=phases, forward=forward, backward=tuple(map(_back, _CASES)))


def _parsed(connection: str) -> tuple[str, str, int | None]:
    """The kinds of both windings in small letters, and the clock; empty where nothing is understood."""
    letters = connection.lower().rstrip("0123456789")
    clock = connection[len(letters) :]
    first = next((kind for kind in _KINDS if letters.startswith(kind)), "")
    second = letters.removeprefix(first)
    if second not in {*_KINDS, ""}:
        return "", "", None
    return first, second, int(clock) if clock else None


def _onward(levels: Levels, least: int, pairs: Pairs | None) -> Levels:
    """The second side where ``least`` phases on the first are what makes any voltage at all.

    A star with its neutral earthed against a delta needs one, all others two: no current flows in a single phase.
    """
    if sum(level > DEAD for level in levels) < least:
        return (DEAD, DEAD, DEAD)
    if all(level == LIVE for level in levels):
        return levels
    if pairs is None:
        return (ABNORMAL, ABNORMAL, ABNORMAL)
    one, two, three = (LIVE if levels[a] == levels[b] == LIVE else ABNORMAL for a, b in pairs)
    return (one, two, three)


def _back(levels: Levels) -> Levels:
    """The first side by the second: all of it, or nothing that can be relied on."""
    level = LIVE if all(level == LIVE for level in levels) else DEAD
    return (level, level, level)


def _across(phases: Phases, levels: Levels) -> Levels:
    """Either side of one winding between two phases by the other."""
    level = min(levels[place] for place in PLACES if phases >> place & 1)
    one, two, three = (level if phases >> place & 1 else DEAD for place in PLACES)
    return (one, two, three)


def _turned(first: tuple[int, int]) -> Pairs:
    """The pairs of all three phases from that of the first: the others follow in the order of rotation."""
    one, two, three = (((first[0] + turn) % 3, (first[1] + turn) % 3) for turn in PLACES)
    return (one, two, three)


_PAIRS: Mapping[int, Pairs] = {
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
