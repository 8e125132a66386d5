"""What EquipmentFaults and LineFaults have in common.

Classes: Fault and FaultImpedance of the public class model (CIM 17), by the ordering rule [P].
"""

from enum import StrEnum

from msgspec import Struct

from contracts.types import attribute


class PhaseConnectedFaultKind(StrEnum):
    """What the fault connects."""

    LINE_TO_GROUND = "lineToGround"
    LINE_TO_LINE = "lineToLine"
    LINE_TO_LINE_TO_GROUND = "lineToLineToGround"


Resistance = float
"""Ohm."""

Reactance = float
"""Ohm, at the rated frequency."""


class FaultImpedance(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The impedance of the fault itself."""

    r_ground: Resistance | None = None
    r_line_to_line: Resistance | None = None
    x_ground: Reactance | None = None
    x_line_to_line: Reactance | None = None
