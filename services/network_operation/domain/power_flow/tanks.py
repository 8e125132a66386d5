"""Single-phase tanks: between which phases they lie, and whether three of them are one transformer."""

from collections.abc import Sequence
from math import hypot, pi

import numpy as np

from contracts.nouns.electrical_models import TransformerEnd, TransformerTank
from services.network_operation.domain.power_flow.phases import LETTERS

_TWO, _THREE = 2, 3
_EQUAL = 1e-6


def is_one_unit(tanks: Sequence[TransformerTank]) -> bool:
    """True for three tanks that differ in nothing but their phases, each phase or pair once at both ends."""
    if len(tanks) != _THREE or any(len(tank.transformer_end) != _TWO for tank in tanks):
        return False
    for side in range(_TWO):
        ends = [tank.transformer_end[side] for tank in tanks]
        phases = [letters_of(end) for end in ends]
        turned = {phase if len(phase) == 1 else frozenset(phase) for phase in phases}
        if len(turned) != _THREE or len({len(phase) for phase in phases}) != 1 or not phases[0]:
            return False
        if len({(end.node, end.rated_u, end.rated_s) for end in ends}) != 1:
            return False
        if any(end.ratio_tap_changer is not None or "s" in (end.ordered_phases or "") for end in ends):
            return False
        if len({round(direction(phase) + 120 * _first(phase)) % 360 for phase in phases}) != 1:
            return False
    shifts = {
        round(direction(one) - direction(other)) % 360
        for one, other in (tuple(letters_of(end) for end in tank.transformer_end) for tank in tanks)
    }
    meshes = [tank.transformer_mesh_impedance[0] for tank in tanks]
    alike = all(hypot(mesh.r - meshes[0].r, mesh.x - meshes[0].x) < _EQUAL * abs(meshes[0].x) for mesh in meshes)
    return len(shifts) == 1 and alike and len({tank.transformer_core_admittance for tank in tanks}) == 1


def letters_of(end: TransformerEnd) -> str:
    """The phases between which the winding lies, in its order, without the neutral."""
    return "".join(letter for letter in end.ordered_phases or "" if letter in LETTERS)


def _first(letters: str) -> int:
    return LETTERS.index(letters[0])


def direction(letters: str) -> float:
    """The direction of the voltage of a winding in degrees: of A it is 0, of AB 30, of B -120."""
    turns = [np.exp(-2j * pi / 3 * LETTERS.index(letter)) for letter in letters]
    phasor = turns[0] if len(turns) == 1 else turns[0] - turns[1]
    return float(np.degrees(np.angle(phasor)))
