"""What a power flow found: voltages, currents and loadings, and how far they may be believed."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from contracts.nouns.units import PhaseCode
from services.network_operation.domain.power_flow.phases import LETTERS
from services.network_operation.domain.power_flow.rows import Floats, Whole

SOLVED = "solved"
NOT_SOLVED = "not solved"


class Balance(Struct, frozen=True, kw_only=True):
    """Where the power of an island comes from and goes to, by phase: W in the real part, var in the imaginary one.

    By phase and in all, ``supplied + generated = consumed + lost``. What a transformer takes from one phase and gives
    to another counts as lost in the one and as won in the other; shunts consume.
    """

    supplied: tuple[complex, complex, complex]
    generated: tuple[complex, complex, complex]
    consumed: tuple[complex, complex, complex]
    lost: tuple[complex, complex, complex]

    @property
    def losses_w(self) -> float:
        """What is lost in all, W."""
        return sum(self.lost, 0j).real


class IslandFlow(Struct, frozen=True, kw_only=True):
    """One island: whether it was solved, else why not; ``first`` is the node that stands for it."""

    first: str
    nodes: int
    quality: str
    balance: Balance | None = None


class BranchFlow(Struct, frozen=True, kw_only=True):
    """A branch with its currents by phase in A, and its loading in per cent of what it may carry."""

    mrid: str
    currents: tuple[float, ...]
    loading: float
    emergency_loading: float


class PowerFlow(Struct, frozen=True, kw_only=True):
    """The power flow of all islands; arrays are by node or by branch and by phase, NaN where nothing is known or dead.

    Attributes:
        quality: ``solved``, or why it is not or only in part.
        islands: each island by itself.
        assumed: what was filled in because the model leaves it out.
        nodes: the nodes of the rows of ``voltage``.
        root: the row of the node that stands for the island of each; negative where it is dead.
        voltage: per unit of the nominal voltage.
        branches: the branches of the rows of ``current``: lines, switches and transformers at their first end.
        current: A.
        loading: per cent of what the branch may carry always and in an emergency.
        taps: the steps at which tap changers ended.
    """

    quality: str
    islands: tuple[IslandFlow, ...] = ()
    assumed: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    root: Whole = np.empty(0, dtype=np.int64)
    voltage: Floats = np.empty((0, 3))
    branches: tuple[str, ...] = ()
    current: Floats = np.empty((0, 3))
    loading: Floats = np.empty((0, 2))
    taps: dict[str, float] = {}

    @property
    def is_solved(self) -> bool:
        """True where at least one island has a result."""
        return any(island.balance is not None for island in self.islands)

    @property
    def margin(self) -> float | None:
        """The least that a branch has left to its emergency rating, in per cent; None where none is known."""
        worst = self.loading[:, 1]
        return None if np.isnan(worst).all() else float(100 - np.nanmax(worst))

    def voltages_of(self, node: str) -> tuple[float, ...]:
        """The voltages of a node by phase, per unit."""
        return tuple(float(each) for each in self.voltage[self.nodes.index(node)])

    def branch(self, mrid: str) -> BranchFlow:
        """The flow of one branch."""
        return self._branch(self.branches.index(mrid))

    def loaded_beyond(self, per_cent: float) -> Iterator[BranchFlow]:
        """The branches that carry more than this part of what they may carry always, by mRID."""
        rows = np.flatnonzero(self.loading[:, 0] > per_cent)
        for row in sorted(rows, key=lambda row: self.branches[row]):
            yield self._branch(int(row))

    def voltages_outside(self, low: float, high: float) -> Iterator[tuple[str, PhaseCode, float]]:
        """The nodes with a voltage outside this band and the phase on which it is worst, by mRID."""
        beyond = np.maximum(low - self.voltage, self.voltage - high)
        worst = np.where(np.isnan(beyond), -1.0, beyond)
        rows = np.flatnonzero(worst.max(axis=1, initial=-1.0) > 0)
        for row in sorted(rows, key=lambda row: self.nodes[row]):
            phase = int(worst[row].argmax())
            yield self.nodes[row], PhaseCode(LETTERS[phase]), float(self.voltage[row, phase])

    def _branch(self, row: int) -> BranchFlow:
        return BranchFlow(
            mrid=self.branches[row],
            currents=tuple(float(each) for each in self.current[row]),
            loading=float(self.loading[row, 0]),
            emergency_loading=float(self.loading[row, 1]),
        )
