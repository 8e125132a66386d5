"""What crews do at lines beside switching: they test whether these are dead, and place and remove temporary grounds.

A crew tests before it places a ground, so none is ever placed on what is live. A ground is a short circuit on all
phases of its line: what feeds it opens.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from contracts.errors import Invalid, NotFound
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.supply import Supply

LINE = "ACLineSegment"


class Grounding(Struct, frozen=True, kw_only=True):
    """A ground that is placed at a line or a node, or is removed wherever it is."""

    mrid: str
    place: str | None = None


class DeadTest(Struct, frozen=True, kw_only=True):
    """A line or a node that is tested."""

    place: str


def line_at(network: Network, place: str) -> str:
    """The line at which somebody works: the one that is named, or one that ends at the node.

    Raises:
        NotFound: there is no such thing in the field.
        Invalid: no line is there.
    """
    each = network.equipment.get(place)
    if each is not None and each.kind == LINE:
        return place
    if each is None and place not in network.place_of:
        raise NotFound("the crew finds no such place in the field", object_id=place)
    node = place if each is None else each.node1
    found = (mrid for mrid, other in network.equipment.items() if other.kind == LINE and node in _ends(network, mrid))
    line = next(found, None)
    if line is None or (each is not None and each.node2 is not None):
        raise Invalid("the crew can work at a line or a node alone", object_id=place)
    return line


def live_line(supply: Supply, lines: Iterable[str]) -> str | None:
    """The first of these lines that a crew, when it tests, finds live; None where all are dead."""
    return next((line for line in lines if supply.is_fed(line, supply.network.phases(line))), None)


def short_circuits(grounds: Mapping[str, str], network: Network, now: datetime) -> list[Fault]:
    """The grounds, by mRID with their lines, as what they are when something feeds them."""
    return [
        Fault(
            mrid=mrid,
            scenario="",
            equipment=line,
            cause="ground",
            at=now,
            phases=network.phases(line),
            damage="none",
            struck=True,
        )
        for mrid, line in grounds.items()
        if line in network.equipment
    ]


def _ends(network: Network, mrid: str) -> tuple[str | None, ...]:
    each = network.equipment[mrid]
    return each.node1, each.node2
