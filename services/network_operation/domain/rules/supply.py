"""R5, R7, R11 and R15: what an operation does to those who are supplied, or are not."""

from collections.abc import Iterator

from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.acts import ActKind
from services.network_operation.domain.energisation import NONE, Phases
from services.network_operation.domain.grid import INVERTERS
from services.network_operation.domain.rules.move import Finding, Move, name_of


def faulted_section(move: Move) -> Iterator[Finding]:
    """R5: no closing onto a section with a fault that nobody has repaired or patrolled.

    Of a confirmed outage network operation knows who is dark and, if fault management says it, which devices isolate
    the fault. So it refuses to close one of these, and to bring back everybody at once with nothing isolated.
    Automation is refused; a person answers for it by name.
    """
    back = frozenset(point.mrid for point in move.picked_up)
    for area in move.before.faults:
        closes_in = move.act.kind is ActKind.CLOSE and move.act.device in area.isolation
        if not closes_in and not (area.dark and area.dark <= back):
            continue
        what = f"{name_of(move.before.grid, move.act.device)} isolates" if closes_in else "it closes onto"
        yield Finding(
            object=area.outage,
            reason=f"{what} the fault of the outage {area.outage}, whose repair nobody has reported",
            severity=SeverityKind.WARN if move.by_person else SeverityKind.REFUSE,
            wants_word=move.by_person,
        )


def single_phase(move: Move) -> Iterator[Finding]:
    """R7: a load of several phases that keeps only some of them."""
    before, after = move.before.grid.live, move.after.grid.live
    for point in move.before.grid.usage_points:
        own = Phases.of(point.phases)
        left = own & after.get(point.node, NONE)
        if left not in {NONE, own} and own & before.get(point.node, NONE) != left:
            yield Finding(
                object=point.mrid,
                reason=f"{point.name} needs {point.phases} and would have {left.code}",
                severity=SeverityKind.WARN,
            )


def critical_customers(move: Move) -> Iterator[Finding]:
    """R11: critical customers who lose their supply; a person answers for it by name."""
    for point in move.dropped:
        if point.critical:
            yield Finding(
                object=point.mrid,
                reason=f"the critical customer {point.name} would lose supply",
                severity=SeverityKind.WARN,
                wants_word=True,
            )


def back_feed(move: Move) -> Iterator[Finding]:
    """R15: no opening that leaves a section to its generators; inverters warn, for they leave by themselves."""
    before, after = move.before.grid, move.after.grid
    lost = {node for node in before.live if node not in after.live}
    for section in sorted({after.section(node) for node in lost}, key=min):
        if after.is_live(section):
            continue
        for generator in after.generators(section):
            yield Finding(
                object=generator.mrid,
                reason=f"{generator.name} alone would feed the section of '{min(section)}'",
                severity=SeverityKind.WARN if generator.kind in INVERTERS else SeverityKind.REFUSE,
            )
