"""R2, R3 and R10: earth and life never meet."""

from collections.abc import Iterator

from contracts.nouns.feeder_topology import Equipment
from services.network_operation.domain.acts import ActKind
from services.network_operation.domain.clearances import is_proven
from services.network_operation.domain.grid import GROUND_SWITCH, Grid
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.rules.move import Finding, Move
from services.network_operation.domain.situation import is_ground
from services.network_operation.domain.structure import GROUND
from services.network_operation.domain.tags import is_isolated_by_tag


def earthed_section(move: Move) -> Iterator[Finding]:
    """R2: nothing that brings a source, or a generator, to a section that is grounded."""
    before, after = move.before.grid, move.after.grid
    for ground in after.grounds:
        if ground.mrid == move.act.device and move.act.kind is ActKind.PLACE:
            continue
        earth = Phases.of(ground.phases)
        if after.voltage(ground.node1) & earth & ~before.voltage(ground.node1):
            yield Finding(object=ground.mrid, reason=f"it would energise the section that {ground.name} earths")
        elif after.section(ground.node1) != before.section(ground.node1):
            new = set(after.generators(after.section(ground.node1))) - set(
                before.generators(before.section(ground.node1))
            )
            for generator in sorted(new, key=lambda each: each.mrid):
                yield Finding(object=ground.mrid, reason=f"it would join {generator.name} to what {ground.name} earths")


def placing_ground(move: Move) -> Iterator[Finding]:
    """R3: a ground only where a crew has tested dead, and all ways by which the section can become live are tagged."""
    grid = move.before.grid
    node = _node_to_be_earthed(move)
    if node is None:
        return
    section = grid.section(node)
    if grid.is_live(section):
        yield Finding(object=node, reason="the section is live")
        return
    for device in grid.border(section):
        if not is_isolated_by_tag(move.before.tags, device.mrid):
            yield Finding(object=device.mrid, reason=f"no tag keeps {device.name} open")
    if not is_proven(section, move.before.proofs):
        generators = ", ".join(each.name for each in grid.generators(section))
        why = f" and may be live from {generators}" if generators else ""
        yield Finding(object=node, reason=f"the section was not tested dead{why}")


def interlock(move: Move) -> Iterator[Finding]:
    """R10: an earthing switch closes only beside open switches, and a switch only beside open earthing switches."""
    switch = move.switch
    if move.act.kind is not ActKind.CLOSE or switch is None:
        return
    grid = move.before.grid
    for node in sorted({switch.node1, switch.node2 or switch.node1}):
        for other in grid.beside(node):
            is_other_closed = other.open is False and other.mrid != switch.mrid
            if is_other_closed and GROUND_SWITCH in {switch.kind, other.kind} and switch.kind != other.kind:
                yield Finding(object=other.mrid, reason=f"interlock: {other.name} is closed beside it")


def _node_to_be_earthed(move: Move) -> str | None:
    """The node that a ground, or an earthing switch, is about to earth."""
    if move.act.kind is ActKind.PLACE and move.act.temporary is not None and is_ground(move.act.temporary):
        return move.act.temporary.node1
    switch = move.switch
    if move.act.kind is ActKind.CLOSE and switch is not None and switch.kind == GROUND_SWITCH:
        return _line_side(switch, move.before.grid)
    return None


def _line_side(switch: Equipment, grid: Grid) -> str:
    """The end of an earthing switch at which no ground of the model hangs."""
    if switch.node2 is None:
        return switch.node1
    is_earth = any(each.kind == GROUND for each in grid.beside(switch.node1))
    return switch.node2 if is_earth else switch.node1
