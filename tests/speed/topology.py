"""``python -m tests.speed.topology``: the figures of ``loadtest.bench_topology`` with network operation beside them."""

from contracts.nouns.feeder_topology import Feeder
from loadtest.bench_topology import Operate, Trace, report
from services.network_operation.domain.network_state import Effect, NetworkState, Operation
from services.network_operation.domain.phases import ALL
from services.network_operation.domain.structure import Structure
from services.network_operation.domain.tracing import Tracing


def ours(feeders: list[Feeder]) -> tuple[Operate, Trace]:
    """The state of network operation, which is another after each operation."""
    state = NetworkState.of(Structure(feeders))
    Effect(state, state)

    def operate(mrid: str, is_open: bool) -> int:
        nonlocal state
        before, state = state, state.after(Operation(device=mrid, open=is_open))
        return Effect(before, state).node_count

    def trace(node: str) -> int:
        tracing = Tracing(state)
        return sum(len(tracing.above(node, phase)) for phase in ALL)

    return operate, trace


if __name__ == "__main__":
    report(ours)
