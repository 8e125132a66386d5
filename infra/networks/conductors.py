"""Impedances of overhead lines and cables for the networks that are drawn here, in ohms for each metre.

Overhead lines by the modified equations of Carson at 60 Hz with the neutral reduced out, as in W. H. Kersting,
Distribution System Modeling and Analysis, chapter 4. Conductors are those of common tables of manufacturers.
"""
# ruff: noqa: INP001 - a script's neighbour, in no package

from math import log
from typing import NamedTuple

FOOT, MILE = 0.3048, 1609.344

# Carson at 60 Hz and 100 ohm-metres, in ohms for each mile with distances in feet.
_EARTH_R, _EARTH_X, _EARTH_LOG = 0.09530, 0.12134, 7.93402

# What the lines of a pole-top with a cross-arm have to earth, in siemens for each metre and phase.
_SHUNT_B = 3.4e-9


class Conductor(NamedTuple):
    """A stranded conductor: ohms for each mile at 50 degrees, its geometric mean radius in feet, and its amperes."""

    name: str
    ohms: float
    radius: float
    amperes: int


MAIN = Conductor("336.4 26/7 ACSR", 0.306, 0.0244, 530)
BRANCH = Conductor("1/0 ACSR", 1.12, 0.00446, 230)
TWIG = Conductor("#2 6/1 ACSR", 1.69, 0.00418, 180)
_NEUTRAL = Conductor("4/0 6/1 ACSR", 0.592, 0.00814, 340)

# Feet across the pole and above the ground; the neutral runs below the phases.
_PLACES = {"A": (0.0, 28.0), "B": (2.5, 28.0), "C": (7.0, 28.0), "N": (4.0, 24.0)}


class Cable(NamedTuple):
    """A three-phase cable by symmetrical components, for each metre: ohms, siemens; and its amperes."""

    name: str
    r: float
    x: float
    r0: float
    x0: float
    b: float
    b0: float
    amperes: int


MAIN_CABLE = Cable("500 kcmil Al cable", 1.34e-4, 1.25e-4, 4.4e-4, 2.3e-4, 1.25e-7, 1.25e-7, 465)
BRANCH_CABLE = Cable("1/0 Al cable", 5.5e-4, 1.5e-4, 1.1e-3, 3.9e-4, 8.0e-8, 8.0e-8, 190)


def overhead(conductor: Conductor, phases: str) -> list[tuple[int, int, complex, float]]:
    """The lower triangle of the impedance of these phases: row, column, series ohms and shunt siemens a metre."""
    wires = [*phases, "N"]
    full = [[_element(conductor, one, other) for other in wires] for one in wires]
    neutral = full[-1][-1]
    return [
        (
            row + 1,
            column + 1,
            (full[row][column] - full[row][-1] * full[-1][column] / neutral) / MILE,
            _SHUNT_B if row == column else 0.0,
        )
        for row in range(len(phases))
        for column in range(row + 1)
    ]


def _element(conductor: Conductor, one: str, other: str) -> complex:
    wire = _NEUTRAL if one == "N" else conductor
    if one == other:
        return complex(wire.ohms + _EARTH_R, _EARTH_X * (log(1 / wire.radius) + _EARTH_LOG))
    (x1, y1), (x2, y2) = _PLACES[one], _PLACES[other]
    distance = ((x1 - x2) ** 2 + (y1 - y2) ** 2) ** 0.5
    return complex(_EARTH_R, _EARTH_X * (log(1 / distance) + _EARTH_LOG))
