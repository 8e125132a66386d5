"""The way from the sources of a network over what is normally closed, as a tree that can be walked up and down.

Everything goes by names and mRIDs, so that the order of the model changes nothing.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping

from contracts.nouns.feeder_topology import Equipment, Feeder

SOURCE = "EnergySource"
LINE = "ACLineSegment"
TRANSFORMER = "PowerTransformer"


class Branch:
    """An equipment on the way from the sources, between its ``upper`` node and its ``lower`` one.

    Attributes:
        parent: the branch over which ``upper`` is reached; None at a source.
        children: the branches that go on from ``lower``, the one with the most customers first.
        weight: how many customers are served over it.
    """

    def __init__(self, equipment: Equipment, upper: str, lower: str, parent: "Branch | None") -> None:
        self.equipment = equipment
        self.upper = upper
        self.lower = lower
        self.parent = parent
        self.children: list[Branch] = []
        self.weight = 0

    def above(self) -> "Iterator[Branch]":
        """The branches between this one and the source, the nearest first."""
        branch = self.parent
        while branch is not None:
            yield branch
            branch = branch.parent

    def below(self) -> "Iterator[Branch]":
        """This branch and all that hang on it, the nearest first."""
        waiting = deque((self,))
        while waiting:
            branch = waiting.popleft()
            yield branch
            waiting.extend(branch.children)


class Tree:
    """All that the sources reach.

    Attributes:
        branches: every branch, from the sources outwards.
        roots: the nodes of the sources.
        leading_to: the branch over which a node is reached.
        shunts: what ends at a node.
    """

    def __init__(self, feeders: Iterable[Feeder], customers: Mapping[str, int]) -> None:
        """``customers`` says how many are served at each node."""
        equipment = {each.mrid: each for feeder in feeders for each in feeder.equipment}
        in_order = sorted(equipment.values(), key=_rank)
        self.equipment = equipment
        self.branches: list[Branch] = []
        self.leading_to: dict[str, Branch] = {}
        self.shunts: defaultdict[str, list[Equipment]] = defaultdict(list)
        beside: defaultdict[str, list[Equipment]] = defaultdict(list)
        for each in in_order:
            if each.node2 is None:
                self.shunts[each.node1].append(each)
            elif not each.normal_open and each.node1 != each.node2:
                beside[each.node1].append(each)
                beside[each.node2].append(each)
        self.roots = tuple(dict.fromkeys(each.node1 for each in in_order if each.kind == SOURCE))
        self._spread(beside)
        for branch in reversed(self.branches):
            branch.weight += customers.get(branch.lower, 0)
            if branch.parent is not None:
                branch.parent.weight += branch.weight
        for branch in self.branches:
            branch.children.sort(key=lambda each: (-each.weight, _rank(each.equipment)))

    def first(self) -> list[Branch]:
        """The branches that begin at a source."""
        return [branch for branch in self.branches if branch.parent is None]

    def _spread(self, beside: Mapping[str, list[Equipment]]) -> None:
        reached = set(self.roots)
        waiting = deque(self.roots)
        while waiting:
            node = waiting.popleft()
            for each in beside.get(node, ()):
                other = each.node2 if each.node1 == node else each.node1
                if other is None or other in reached:
                    continue
                reached.add(other)
                branch = Branch(each, node, other, self.leading_to.get(node))
                if branch.parent is not None:
                    branch.parent.children.append(branch)
                self.leading_to[other] = branch
                self.branches.append(branch)
                waiting.append(other)


def _rank(each: Equipment) -> tuple[str, str]:
    return each.name, each.mrid
