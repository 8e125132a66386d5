"""Connectivity nodes joined into zones (disjoint sets)."""


class Zones:
    """Sets of nodes that grow together; a node that nobody joined is a zone of its own."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, node: str) -> str:
        """The node that stands for the zone of ``node``; another one after a later join."""
        while (parent := self._parent.setdefault(node, node)) != node:
            self._parent[node] = node = self._parent[parent]
        return node

    def join(self, one: str, other: str) -> None:
        """Make the zones of two nodes one."""
        self._parent[self.find(one)] = self.find(other)
