"""``python -m tests.speed.power_flow``: the figures of ``loadtest.bench_power_flow`` for network operation's solver."""

from collections.abc import Callable, Mapping

from contracts.nouns.electrical_models import ElectricalModel
from loadtest.bench_power_flow import Solve, Voltages, report
from services.network_operation.domain.power_flow.grid import packed, unpacked
from services.network_operation.domain.power_flow.islands import SwitchedState
from services.network_operation.domain.power_flow.solution import solve


def ours(
    model: ElectricalModel, live: Callable[[], Mapping[str, int]], closed: Callable[[], Mapping[str, int]]
) -> Solve:
    """What runs in the process pool, with the grid compiled before."""
    data = packed((model,))
    unpacked(data)

    def run() -> Voltages:
        flow = solve(data, SwitchedState(live=live(), closed=closed()))
        return dict(zip(flow.nodes, flow.voltage, strict=True))

    return run


if __name__ == "__main__":
    report(ours)
