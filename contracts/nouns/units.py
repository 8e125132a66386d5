"""Phases and powers of ten, spelled alike in every profile.

Source: the public copies of the profiles of Parts 5, 6 and 9; ``none`` is in Part 6 only. Unit symbols stay text in the
profiles of Part 6, since no public copy of their list was found.
"""

from enum import StrEnum


class PhaseCode(StrEnum):
    """The conductors that something is connected to; ``s1`` and ``s2`` are the legs of a split-phase service."""

    A = "A"
    AB = "AB"
    ABC = "ABC"
    ABCN = "ABCN"
    ABN = "ABN"
    AC = "AC"
    ACN = "ACN"
    AN = "AN"
    B = "B"
    BC = "BC"
    BCN = "BCN"
    BN = "BN"
    C = "C"
    CN = "CN"
    N = "N"
    S1 = "s1"
    S12 = "s12"
    S12N = "s12N"
    S1N = "s1N"
    S2 = "s2"
    S2N = "s2N"
    NONE = "none"


class UnitMultiplier(StrEnum):
    """The power of ten that a value is to be multiplied by."""

    NONE = "none"
    YOCTO = "y"
    ZEPTO = "z"
    ATTO = "a"
    FEMTO = "f"
    PICO = "p"
    NANO = "n"
    MICRO = "micro"
    MILLI = "m"
    CENTI = "c"
    DECI = "d"
    DECA = "da"
    HECTO = "h"
    KILO = "k"
    MEGA = "M"
    GIGA = "G"
    TERA = "T"
    PETA = "P"
    EXA = "E"
    ZETTA = "Z"
    YOTTA = "Y"
