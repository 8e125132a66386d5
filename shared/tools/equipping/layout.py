"""Places for what has none: beside what feeds it, as far away as its line is long, each branch in its own sector."""

from math import cos, pi, radians, sin

from contracts.nouns.feeder_topology import Equipment
from shared.tools.equipping.tree import Branch, Tree

Place = tuple[float, float]
"""Longitude and latitude in degrees of WGS 84."""

ORIGIN: Place = (-69.6, 43.0)
"""A place at sea, so that no real street is taken for one of the model."""

STEP_M = 20.0
"""So far apart stands what no line separates."""

SOURCES_APART_M = 5000.0
_METRES_PER_DEGREE = 111_200.0


def laid_out(tree: Tree) -> tuple[dict[str, Place], dict[str, tuple[Place, ...]]]:
    """Where each node is, and the points of each equipment that has no place: of a line two, of all else one."""
    spots = _stated(tree)
    for number, root in enumerate(tree.roots):
        spots.setdefault(root, _moved(ORIGIN, number * SOURCES_APART_M, 0.0))
        first = [branch for branch in tree.first() if branch.upper == root]
        _fan_out(first, -pi, pi, spots)
    for each in tree.equipment.values():
        for node in (each.node1, each.node2):
            if node is not None:
                spots.setdefault(node, ORIGIN)
    places = {mrid: _points(each, spots) for mrid, each in sorted(tree.equipment.items()) if each.latitude is None}
    return spots, places


def _stated(tree: Tree) -> dict[str, Place]:
    """The places of the nodes at which something stands whose place is known: that of a line only where no other is."""
    spots: dict[str, Place] = {}
    known = [each for _, each in sorted(tree.equipment.items()) if each.latitude is not None]
    for each in sorted(known, key=lambda each: each.node2 is not None):
        for node in (each.node1, each.node2):
            if node is not None and each.longitude is not None and each.latitude is not None:
                spots.setdefault(node, (each.longitude, each.latitude))
    return spots


def _fan_out(first: list[Branch], start: float, end: float, spots: dict[str, Place]) -> None:
    """Give the branches sectors between two angles by how much hangs on them."""
    waiting = [(first, start, end)]
    sizes: dict[int, int] = {}
    for branch in first:
        for each in reversed(list(branch.below())):
            sizes[id(each)] = 1 + sum(sizes[id(child)] for child in each.children)
    while waiting:
        branches, low, high = waiting.pop()
        whole = sum(sizes[id(each)] for each in branches)
        for branch in branches:
            width = (high - low) * sizes[id(branch)] / whole
            angle = low + width / 2
            metres = branch.equipment.length or STEP_M
            there = _moved(spots[branch.upper], metres * cos(angle), metres * sin(angle))
            spots.setdefault(branch.lower, there)
            waiting.append((branch.children, low, low + width))
            low += width


def _moved(place: Place, east: float, north: float) -> Place:
    longitude, latitude = place
    wide = _METRES_PER_DEGREE * max(0.1, cos(radians(latitude)))
    return longitude + east / wide, latitude + north / _METRES_PER_DEGREE


def _points(each: Equipment, spots: dict[str, Place]) -> tuple[Place, ...]:
    if each.length is not None and each.node2 is not None:
        return spots[each.node1], spots[each.node2]
    return (spots[each.node1],)
