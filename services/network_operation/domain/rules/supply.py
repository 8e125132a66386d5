"""R5, R7, R11 and R15: what an operation does to those who are supplied, or are not."""

from collections.abc import Iterator

from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.acts import ActKind
from services.network_operation.domain.grid import INVERTERS
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.rules.move import Finding, Move


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
        what = f"{move.before.grid.name(move.act.device)} isolates" if closes_in else "it closes onto"
        yield Finding(
            object=area.outage,
            reason=f"{what} the fault of the outage {area.outage}, whose repair nobody has reported",
            severity=SeverityKind.WARN if move.by_person else SeverityKind.REFUSE,
            wants_word=move.by_person,
        )


def single_phase(move: Move) -> Iterator[Finding]:
    """R7: a load of several phases that keeps only some of them."""
    for point in move.dropped:
        own, left = Phases.of(point.phases), move.after.grid.voltage(point.node)
        if own & left:
            yield Finding(
                object=point.mrid,
                reason=f"{point.name} needs {point.phases} and would have {(own & left).code}",
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
    after = move.after.grid
    lost = {node for node in after.energised_by(move.before.grid) if not after.voltage(node)}
    while lost:
        section = after.section(min(lost))
        lost -= section
        if after.is_live(section):
            continue
        for generator in after.generators(section):
            yield Finding(
                object=generator.mrid,
                reason=f"{generator.name} alone would feed the section of '{min(section)}'",
                severity=SeverityKind.WARN if generator.kind in INVERTERS else SeverityKind.REFUSE,
            )
