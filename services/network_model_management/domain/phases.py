"""Phases as letters: what the phase codes of the CIM name, and what they leave out."""

from contracts.nouns.units import PhaseCode

ALL = frozenset("ABC")
NONE: frozenset[str] = frozenset()


def letters(code: str) -> frozenset[str]:
    """The phases in a PhaseCode, SinglePhaseKind or OrderedPhaseCodeKind; the neutral is none."""
    return ALL.intersection(code)


def is_leg(code: str) -> bool:
    """True for the legs of a centre-tapped winding: s1, s2, s12, s1N, Ns2."""
    return "s" in code


def code_of(phases: frozenset[str]) -> PhaseCode:
    """The code that names these phases."""
    return PhaseCode("".join(sorted(phases)))
