"""R6: two live sides are joined only if they match."""

from collections.abc import Iterator

from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.acts import ActKind
from services.network_operation.domain.grid import Feed, loop, passed
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.rules.move import Finding, Move

HOURS = 12
"""The positions of the clock by which vector groups tell their phase shift, 30 degrees each."""


def paralleling(move: Move) -> Iterator[Finding]:
    """R6: the same source, the same shift on both ways and the same phases on both sides; then what flows is told.

    A side behind another source is refused, for nobody compares sources here. A side behind other transformers is
    refused unless the vector groups of all are known and their shifts agree.
    """
    joined = _joined(move)
    if joined is None:
        return
    grid = move.before.grid
    first, second = grid.feed(joined.node1), grid.feed(joined.node2 or "")
    common = Phases.of(joined.phases) & grid.voltage(joined.node1) & grid.voltage(joined.node2 or "")
    if first is None or second is None or not common:
        return
    across = passed(first, joined, joined.node1)
    reason = _mismatch(across, second, common, move)
    if reason is not None:
        yield Finding(object=joined.mrid, reason=reason)
        return
    current = move.figures.through
    flowing = "an unknown current" if current is None else f"{current:.0f} A"
    yield Finding(
        object=joined.mrid, reason=f"it closes a loop in which {flowing} would flow", severity=SeverityKind.WARN
    )
    for device in loop(first, second):
        if move.before.recloses(device):
            yield Finding(
                object=device,
                reason=f"{grid.name(device)} is in the loop and its reclosing is not off",
                severity=SeverityKind.WARN,
            )


def _joined(move: Move) -> Equipment | None:
    """What the act puts between two nodes; None when it joins nothing."""
    match move.act.kind:
        case ActKind.CLOSE:
            return move.switch if move.switch is not None and move.switch.node2 is not None else None
        case ActKind.PLACE if move.act.temporary is not None and move.act.temporary.line is None:
            return move.act.temporary.equipment
        case ActKind.REMOVE:
            known = [each for each in move.before.temporaries if each.mrid == move.act.device and each.line is not None]
            return known[0].equipment if known else None
    return None


def _mismatch(first: Feed, second: Feed, common: Phases, move: Move) -> str | None:
    """Why two sides do not match; None when they do."""
    if first.source != second.source:
        names = sorted(move.before.grid.name(each) for each in (first.source, second.source))
        return f"its sides are fed by different sources, {names[0]} and {names[1]}"
    here = [first.letters["ABC".index(phase.name or "A")] for phase in common]
    there = [second.letters["ABC".index(phase.name or "A")] for phase in common]
    if here != there:
        return f"the phases {common.code} of its sides are not the same: {''.join(here)} and {''.join(there)}"
    if first.transformers == second.transformers:
        return None
    shifts = [_shift(each.transformers, move) for each in (first, second)]
    if None in shifts:
        return "the phase shift of the transformers on its sides is unknown"
    if shifts[0] != shifts[1]:
        apart = abs((shifts[0] or 0) - (shifts[1] or 0))
        return f"the transformers on its sides differ by {min(apart, HOURS - apart) * 30} degrees"
    return None


def _shift(transformers: tuple[str, ...], move: Move) -> int | None:
    """The hours of the clock by which some transformers shift together; None when one does not tell."""
    hours = 0
    for mrid in transformers:
        known = move.before.grid.get(mrid)
        group = "" if known is None or known.connection is None else known.connection.lower()
        digits = group.lstrip("abcdefghijklmnopqrstuvwxyz+-")
        if not group or not digits.isdigit():
            return None
        hours += int(digits)
    return hours % HOURS
