"""Grounds, jumpers and cuts: what crews put on the network for a time, as equipment of the feeders as they are now.

They are network operation's own and in no model. A ground is equipment that ends at the node which it earths. A jumper
joins two nodes. A cut stands as an open switch between the ends of its line, and the line hangs on its first node.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.switching_plans import CutAction, GroundAction, JumperAction
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from services.network_operation.domain.grid import Grid

LINE = "ACLineSegment"


class TemporaryKind(StrEnum):
    """What it is, by the class of the CIM."""

    CUT = "Cut"
    GROUND = "Ground"
    JUMPER = "Jumper"


class Temporary(Struct, frozen=True, kw_only=True):
    """One temporary object; ``line`` is the line that is cut, ``plan`` the plan that placed it."""

    mrid: str
    kind: TemporaryKind
    node1: str
    node2: str | None = None
    line: str | None = None
    phases: PhaseCode = PhaseCode.ABC
    plan: str

    @property
    def equipment(self) -> Equipment:
        """It as equipment of a feeder."""
        is_cut = self.kind is TemporaryKind.CUT
        return Equipment(
            mrid=self.mrid,
            kind=self.kind,
            name=self.mrid,
            node1=self.node1,
            node2=self.node2,
            normal_open=False if is_cut else None,
            open=True if is_cut else None,
            phases=self.phases,
            protective=False,
            remotely_operable=False,
        )


def placed(feeders: Iterable[Feeder], each: Temporary) -> tuple[Feeder, ...]:
    """The feeders with a temporary object, which belongs to the first feeder that has its first node."""
    found = tuple(feeders)
    home = next((feeder.mrid for feeder in found if _has(feeder, each.node1)), None)
    return tuple(_with(feeder, each) if feeder.mrid == home else _cut(feeder, each) for feeder in found)


def removed(feeders: Iterable[Feeder], each: Temporary) -> tuple[Feeder, ...]:
    """The feeders without it; a line that was cut is whole again."""
    return tuple(_without(feeder, each) for feeder in feeders)


def ground(action: GroundAction, mrid: str, plan: str, grid: Grid) -> Temporary:
    """The ground that an action places.

    Raises:
        Invalid: it does not say what is earthed, or names what has two sides that may differ.
    """
    reference = action.along_ac_line_segment or action.grounded_equipment
    known = _known(reference, grid, "what is grounded")
    if isinstance(known, str):
        return Temporary(mrid=mrid, kind=TemporaryKind.GROUND, node1=known, plan=plan)
    if known.node2 is not None and known.kind != LINE:
        raise Invalid(f"a ground on the {known.kind} '{known.mrid}' does not say on which side: name a node or a line")
    return Temporary(mrid=mrid, kind=TemporaryKind.GROUND, node1=known.node1, phases=known.phases, plan=plan)


def jumper(action: JumperAction, mrid: str, plan: str, grid: Grid) -> Temporary:
    """The jumper that an action places: past one piece of equipment, or between two nodes.

    Raises:
        Invalid: it does not say between what.
    """
    ends = [
        _known(each, grid, "what is jumped") for each in (*action.along_ac_line_segments, *action.jumped_equipments)
    ]
    match ends:
        case [Equipment() as past]:
            nodes, phases = [past.node1, past.node2], past.phases
        case _:
            nodes, phases = [_only_node(end) for end in ends], PhaseCode.ABC
    match nodes:
        case [str(node1), str(node2)] if node1 != node2:
            return Temporary(mrid=mrid, kind=TemporaryKind.JUMPER, node1=node1, node2=node2, phases=phases, plan=plan)
    raise Invalid("a jumper goes past one piece of equipment with two ends, or between two nodes", object_id=mrid)


def cut(action: CutAction, mrid: str, plan: str, grid: Grid) -> Temporary:
    """The cut that an action makes.

    Raises:
        Invalid: it names no line.
    """
    line = _known(action.along_ac_line_segment, grid, "the line that is cut")
    if isinstance(line, str) or line.kind != LINE or line.node2 is None:
        raise Invalid("a cut is made in a line with two ends", object_id=mrid)
    return Temporary(
        mrid=mrid,
        kind=TemporaryKind.CUT,
        node1=line.node1,
        node2=line.node2,
        line=line.mrid,
        phases=line.phases,
        plan=plan,
    )


def _known(reference: ObjectReference | None, grid: Grid, what: str) -> Equipment | str:
    """The equipment that is named, or the node."""
    mrid = None if reference is None else reference.mrid
    if mrid is None:
        raise Invalid(f"the action does not say {what}")
    known = grid.get(mrid)
    if known is not None:
        return known
    if grid.is_node(mrid):
        return mrid
    raise Invalid(f"'{mrid}' is neither equipment nor a node of the model", object_id=mrid)


def _only_node(end: Equipment | str) -> str | None:
    if isinstance(end, str):
        return end
    return end.node1 if end.node2 is None else None


def _has(feeder: Feeder, node: str) -> bool:
    return any(each.mrid == node for each in feeder.connectivity_node)


def _with(feeder: Feeder, each: Temporary) -> Feeder:
    feeder = _without(_cut(feeder, each), each, mend=False)
    return replace(feeder, equipment=(*feeder.equipment, each.equipment))


def _cut(feeder: Feeder, each: Temporary) -> Feeder:
    if each.line is None:
        return feeder
    equipment = tuple(replace(other, node2=None) if other.mrid == each.line else other for other in feeder.equipment)
    return replace(feeder, equipment=equipment)


def _without(feeder: Feeder, each: Temporary, *, mend: bool = True) -> Feeder:
    equipment = (
        replace(other, node2=each.node2) if mend and other.mrid == each.line else other
        for other in feeder.equipment
        if other.mrid != each.mrid
    )
    return replace(feeder, equipment=tuple(equipment))
