"""What one operation costs in a large network: who is live after it, who changed, and who hangs on what.

``python -m loadtest.bench_topology`` measures rustworkx alone; ``python -m tests.speed.topology`` gives the rules of
network operation to :func:`report` and prints both with their ratio.

The network has 100,000 nodes in 20 feeders of two substations, with reclosers, fused laterals of one phase or three,
transformers between phases, ties that are open, and some 50,000 usage points. rustworkx has it as a graph of each phase
of each node, and does for an operation what cannot be left out: it takes the edges of the switch out or puts them in,
and traverses the components at both ends. That is all; who lost supply it does not say. The other side does the same
operations in the same order and answers who changed; then it traces a place upwards. Processor time counts.
"""

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from time import process_time

import rustworkx as rx

from contracts.nouns.feeder_topology import ConnectivityNode, Equipment, Feeder, UsagePoint
from contracts.nouns.units import PhaseCode

NODES = 100_000
FEEDERS = 20
OPERATIONS = 60
START = datetime(2026, 1, 1, tzinfo=UTC)

Operate = Callable[[str, bool], int]
"""Open or close a switch; how many nodes it looked at, or found to be changed."""

Trace = Callable[[str], int]
"""How many switches stand above a node."""

Subject = Callable[[list[Feeder]], tuple[Operate, Trace]]
"""Takes a network in; that is not timed."""


def network(nodes: int, feeders: int) -> list[Feeder]:
    """The network, always the same."""
    drawn = [_Drawing(number, nodes // feeders) for number in range(feeders)]
    for one, other in zip(drawn[::2], drawn[1::2], strict=False):
        one.add("tie", "LoadBreakSwitch", one.end, other.end, is_open=True)
    return [each.feeder for each in drawn]


class _Drawing:
    """One feeder: a trunk with reclosers, every third node of it a fused lateral with a transformer at its end."""

    def __init__(self, number: int, nodes: int) -> None:
        self._chance = random.Random(number)  # noqa: S311 - a network, no secret
        self._number, self._count, self._nodes = number, 0, nodes
        self._equipment: list[Equipment] = []
        self._points: list[UsagePoint] = []
        bus = f"bus {number % 2}"
        if number < 2:  # noqa: PLR2004 - one source for each busbar
            self.add("source", "EnergySource", bus)
        self.end = self._line("head", "Breaker", bus)
        trunk = 0
        while self._count < nodes:
            trunk += 1
            kind = "Recloser" if trunk % 20 == 0 else "ACLineSegment"
            self.end = self._line(f"trunk {trunk}", kind, self.end)
            if trunk % 3 == 0:
                self._lateral(trunk)

    @property
    def feeder(self) -> Feeder:
        names = {node for each in self._equipment for node in (each.node1, each.node2) if node is not None}
        own = sorted(name for name in names if name.startswith(f"{self._number}:"))
        return Feeder(
            mrid=f"feeder {self._number:02}",
            event_time=START,
            model_version="1",
            revision=0,
            connectivity_node=tuple(ConnectivityNode(mrid=name) for name in own),
            equipment=tuple(self._equipment),
            usage_point=tuple(self._points),
        )

    def add(
        self,
        name: str,
        kind: str,
        one: str,
        other: str | None = None,
        *,
        phases: PhaseCode = PhaseCode.ABC,
        is_open: bool = False,
    ) -> None:
        switch = kind in {"Breaker", "Fuse", "LoadBreakSwitch", "Recloser"}
        self._equipment.append(
            Equipment(
                mrid=f"{self._number}: {name}",
                kind=kind,
                name=name,
                node1=one,
                node2=other,
                normal_open=is_open if switch else None,
                open=is_open if switch else None,
                phases=phases,
                connection="Dyn11" if kind == "PowerTransformer" and phases == PhaseCode.ABC else None,
                protective=switch,
                remotely_operable=False,
            )
        )

    def _line(self, name: str, kind: str, start: str, phases: PhaseCode = PhaseCode.ABC) -> str:
        """Equipment to a new node."""
        self._count += 1
        end = f"{self._number}:{self._count:06}"
        self.add(name, kind, start, end, phases=phases)
        return end

    def _lateral(self, trunk: int) -> None:
        phases = PhaseCode(self._chance.choice(["ABC", "ABC", "A", "B", "C"]))
        node = self._line(f"fuse {trunk}", "Fuse", self.end, phases)
        for span in range(self._chance.randint(3, 8)):
            node = self._line(f"span {trunk}-{span}", "ACLineSegment", node, phases)
        node = self._line(f"transformer {trunk}", "PowerTransformer", node, phases)
        for service in range(self._chance.randint(5, 15)):
            end = self._line(f"service {trunk}-{service}", "ACLineSegment", node, phases)
            mrid = f"{self._number}: customer {trunk}-{service}"
            self._points.append(
                UsagePoint(mrid=mrid, critical=False, customers=1, meter=mrid, name=mrid, node=end, phases=phases)
            )
            node = end if self._chance.random() < 0.5 else node  # noqa: PLR2004 - half of them go on


def alone(feeders: list[Feeder]) -> tuple[Operate, Trace]:
    """Rustworkx with a vertex for each phase of each node; it traces by the shortest way."""
    number: dict[str, int] = {}
    edges: dict[str, list[tuple[int, int]]] = {}
    for each in chain.from_iterable(feeder.equipment for feeder in feeders):
        one = number.setdefault(each.node1, len(number))
        other = one if each.node2 is None else number.setdefault(each.node2, len(number))
        edges[each.mrid] = [(3 * one + "ABC".index(p), 3 * other + "ABC".index(p)) for p in each.phases if one != other]
    graph = rx.PyGraph[None, None](multigraph=True)
    graph.add_nodes_from([None] * (3 * len(number)))
    opened = {each.mrid for feeder in feeders for each in feeder.equipment if each.open}
    graph.add_edges_from_no_data([ends for mrid, some in edges.items() if mrid not in opened for ends in some])

    def operate(mrid: str, is_open: bool) -> int:
        (graph.remove_edges_from if is_open else graph.add_edges_from_no_data)(edges[mrid])
        reached = [rx.node_connected_component(graph, edges[mrid][0][0])]
        for one, other in edges[mrid]:
            for end in (one, other):
                if not any(end in part for part in reached):
                    reached.append(rx.node_connected_component(graph, end))
        return sum(map(len, reached))

    def trace(node: str) -> int:
        return len(rx.node_connected_component(graph, 3 * number[node]))

    return operate, trace


def chosen(feeders: list[Feeder], count: int) -> Iterator[tuple[str, str]]:
    """The switches to operate, each with a node of its feeder: all heads, and others by chance."""
    chance = random.Random(1)  # noqa: S311 - a choice, no secret
    switches = [(each.mrid, feeder) for feeder in feeders for each in feeder.equipment if each.open is False]
    heads = [each for each in switches if each[0].endswith("head")]
    for mrid, feeder in [*heads, *chance.sample(switches, count)]:
        yield mrid, chance.choice(feeder.connectivity_node).mrid


def measure(subject: Subject, feeders: list[Feeder], count: int) -> dict[str, list[float]]:
    """Milliseconds of processor time for each opening and closing, and for each trace that follows one."""
    operate, trace = subject(feeders)
    taken: dict[str, list[float]] = {"operation": [], "trace": []}
    for mrid, node in chosen(feeders, count):
        for is_open in (True, False):
            begun = process_time()
            operate(mrid, is_open)
            done = process_time()
            trace(node)
            taken["operation"].append(1000 * (done - begun))
            taken["trace"].append(1000 * (process_time() - done))
    return taken


def report(subject: Subject | None) -> None:
    """Print the figures of rustworkx alone, and of a subject beside it."""
    options = argparse.ArgumentParser(description="What one operation costs in a large network.")
    options.add_argument("--nodes", type=int, default=NODES)
    options.add_argument("--feeders", type=int, default=FEEDERS)
    options.add_argument("--operations", type=int, default=OPERATIONS)
    options.add_argument("--json", action="store_true", help="print JSON and nothing else")
    given = options.parse_args()
    feeders = network(given.nodes, given.feeders)
    told: dict[str, object] = {
        "nodes": sum(len(feeder.connectivity_node) for feeder in feeders),
        "switches": sum(each.open is not None for feeder in feeders for each in feeder.equipment),
    }
    sides = {"rustworkx": alone} if subject is None else {"rustworkx": alone, "network operation": subject}
    figures = {name: measure(side, feeders, given.operations) for name, side in sides.items()}
    for name, taken in figures.items():
        told[name] = {
            f"{what}_{kind}_ms": round(of(times), 3)
            for what, times in taken.items()
            for kind, of in (("median", statistics.median), ("worst", max))
        }
    if subject is not None:
        ours, theirs = (sum(figures[name]["operation"]) for name in ("network operation", "rustworkx"))
        told["ratio"] = round(ours / theirs, 3)
    if given.json:
        json.dump(told, sys.stdout)
    else:
        sys.stdout.write("\n".join(f"{name}: {figure}" for name, figure in told.items()))
    sys.stdout.write("\n")


if __name__ == "__main__":
    report(None)
