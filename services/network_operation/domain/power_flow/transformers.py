"""What a transformer is to a power flow: the kinds that are computed differently, see :mod:`banks`."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from services.network_operation.domain.power_flow.rows import Complex, Floats, Whole, floats, whole

WYE, WYE_N, DELTA, ZIGZAG, ZIGZAG_N = range(5)
"""The windings as power-grid-model counts them."""


class Tap(Struct, frozen=True, kw_only=True):
    """A tap changer: at winding ``side`` (0, 1, 2) of its transformer, in the phase ``phase`` of a regulator.

    ``target`` and ``band`` (the whole width) are V at the instrument, ``pt`` its ratio; ``drop`` is the impedance of
    the line-drop compensation in V at the instrument for each A of the line.
    """

    mrid: str
    side: int
    phase: int | None
    step: float
    low: int
    high: int
    neutral: int
    increment: float
    controlled: bool = False
    target: float = 0.0
    band: float = 0.0
    pt: float = 1.0
    drop: complex = 0j
    node: int | None = None
    monitored: int | None = None

    def ratio(self, step: float) -> float:
        """What the voltage of the winding is multiplied by at this step."""
        return 1 + (step - self.neutral) * self.increment


class Winding(Struct, frozen=True, kw_only=True):
    """One winding of a unit or a triple; ``earthing`` is the impedance of its neutral."""

    node: int
    volts: float
    power: float
    kind: int
    clock: int
    earthing: complex
    tap: Tap | None


class Unit(Struct, frozen=True, kw_only=True):
    """A three-phase transformer; ``z`` are the per-unit impedances 12 or 12, 13, 23, each on the smaller rating.

    ``core`` is its admittance per unit of the first winding, on that winding's rating.
    """

    mrid: str
    windings: tuple[Winding, ...]
    z: tuple[complex, ...]
    core: complex
    limits: tuple[float, float]


class Regulator(Struct, frozen=True, kw_only=True):
    """Tanks from a phase to the same phase: by phase the impedance at node 1, the ratio at the neutral step, the core.

    A phase without a tank has the impedance of another.
    """

    mrid: str
    node1: int
    node2: int
    phases: int
    z: tuple[complex, complex, complex]
    ratio: tuple[float, float, float]
    core: tuple[complex, complex, complex]
    taps: tuple[Tap, ...]
    limits: tuple[float, float]


class Collapsed(Struct, frozen=True, kw_only=True):
    """One tank of which only its load is seen: between two phases or one and earth (-1) at ``node1``.

    ``z`` in ohms and ``core`` in siemens at the primary winding, whose nominal voltage is ``volts``.
    """

    mrid: str
    node1: int
    node2: int
    first: int
    second: int
    z: complex
    core: complex
    volts: float
    limits: tuple[float, float]


class Tanks(Struct, frozen=True, kw_only=True):
    """All collapsed tanks as arrays by row, with the attributes of :class:`Collapsed`."""

    node1: Whole
    node2: Whole
    first: Whole
    second: Whole
    z: Complex
    core: Complex
    volts: Floats
    limits: Floats

    @classmethod
    def of(cls, collapsed: Sequence[Collapsed]) -> "Tanks":
        """These tanks."""
        return cls(
            node1=whole(each.node1 for each in collapsed),
            node2=whole(each.node2 for each in collapsed),
            first=whole(each.first for each in collapsed),
            second=whole(each.second for each in collapsed),
            z=np.array([each.z for each in collapsed], dtype=complex),
            core=np.array([each.core for each in collapsed], dtype=complex),
            volts=floats(each.volts for each in collapsed),
            limits=floats(limit for each in collapsed for limit in each.limits).reshape(-1, 2),
        )


class Banks(Struct, frozen=True, kw_only=True):
    """All transformers; ``tanks`` are those that are collapsed once more, as arrays.

    ``unknown`` are those without an impedance, as their mRID and their nodes.
    """

    units: tuple[Unit, ...]
    regulators: tuple[Regulator, ...]
    collapsed: tuple[Collapsed, ...]
    tanks: Tanks
    unknown: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def any_known(self) -> bool:
        """True where one of them can be computed."""
        return bool(self.units or self.regulators or self.collapsed)
