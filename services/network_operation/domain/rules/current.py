"""R4, R8 and R14: what a device can break, what the network can bear, and what is known of a device."""

from collections.abc import Iterator

from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.acts import ActKind
from services.network_operation.domain.figures import SOLVED, Figures
from services.network_operation.domain.rules.move import Finding, Move

LOAD_BREAKING = frozenset({"Breaker", "LoadBreakSwitch", "ProtectedSwitch", "Recloser"})
"""The classes that open under load. All others open without current."""

SELF_OPENING = frozenset({"Fuse", "Sectionaliser"})
"""What opens by itself and tells nobody."""

SIGNIFICANT_A = 1.0
"""Current below which a device is taken as without load, in A."""

BAND = (0.95, 1.05)
"""Voltage that is normal, per unit (ANSI C84.1, range A, [GK])."""

EMERGENCY_BAND = (0.917, 1.058)
"""Voltage that is borne for a while, per unit (range B, [GK])."""


def interrupting(move: Move) -> Iterator[Finding]:
    """R4: what is not made to break load opens without current.

    A measured current refuses. Without one, a fuse or a sectionaliser warns: by topology alone nobody knows whether it
    has opened by itself, and who records that it has opens it as well. Everything else is refused while customers hang
    behind it.
    """
    kind = _kind_that_opens(move)
    if kind is None or kind in LOAD_BREAKING:
        return
    name = move.before.grid.name(move.act.device)
    current = move.before.currents.get(move.act.device)
    if current is not None:
        if current > SIGNIFICANT_A:
            yield Finding(object=move.act.device, reason=f"{name} carries {current:.0f} A and is no load-break switch")
        return
    if move.dropped:
        customers = sum(point.customers for point in move.dropped)
        yield Finding(
            object=move.act.device,
            reason=f"{name} is no load-break switch and feeds {customers} customers",
            severity=SeverityKind.WARN if kind in SELF_OPENING else SeverityKind.REFUSE,
        )


def loading(move: Move) -> Iterator[Finding]:
    """R8: beyond a normal limit warns, beyond an emergency limit refuses; what is not computed warns."""
    if not move.picked_up and not _closes_live(move):
        return
    figures = move.figures
    if figures.status != SOLVED:
        yield Finding(
            object=move.act.device,
            reason=f"loading and voltage are unknown: {figures.status}",
            severity=SeverityKind.WARN,
        )
        return
    yield from _overloads(figures, move)
    for each in figures.voltages:
        low, high = EMERGENCY_BAND
        beyond = not low <= each.voltage <= high
        if beyond or not BAND[0] <= each.voltage <= BAND[1]:
            node = each.connectivity_node.mrid or ""
            yield Finding(
                object=node,
                reason=f"the voltage at '{node}' would be {each.voltage:.3f} pu",
                severity=SeverityKind.REFUSE if beyond else SeverityKind.WARN,
            )


def unsure_state(move: Move) -> Iterator[Finding]:
    """R14: no remote control of a device whose state is suspect, unless a crew has looked at it; nor by word alone.

    While the word of an operator counts no measurement can confirm what a command does.
    """
    switch = move.switch
    if not move.remote or switch is None:
        return
    if switch.mrid in move.before.dressed:
        yield Finding(object=switch.mrid, reason=f"where {switch.name} stands is the word of an operator: take it back")
    if not switch.suspect or switch.mrid in move.before.verified:
        return
    yield Finding(object=switch.mrid, reason=f"the state of {switch.name} is suspect: have it verified on the spot")


def _overloads(figures: Figures, move: Move) -> Iterator[Finding]:
    beyond = figures.margin is not None and figures.margin < 0
    for each in figures.loadings:
        mrid = each.power_system_resource.mrid or ""
        yield Finding(
            object=mrid,
            reason=f"{move.before.grid.name(mrid)} would carry {each.loading:.0f} % of its rating",
            severity=SeverityKind.REFUSE if beyond else SeverityKind.WARN,
        )
    if beyond and not figures.loadings:
        yield Finding(object=move.act.device, reason="an emergency rating would be exceeded")


def _kind_that_opens(move: Move) -> str | None:
    """The class of what is opened; None when nothing is."""
    match move.act.kind:
        case ActKind.OPEN:
            return None if move.switch is None else move.switch.kind
        case ActKind.PLACE if move.act.temporary is not None and move.act.temporary.line is not None:
            return move.act.temporary.kind
        case ActKind.REMOVE:
            known = [each for each in move.before.temporaries if each.mrid == move.act.device and each.line is None]
            return known[0].kind if known else None
    return None


def _closes_live(move: Move) -> bool:
    """True for a closing between two sides that are live already."""
    switch = move.switch
    if move.act.kind is not ActKind.CLOSE or switch is None or switch.node2 is None or not switch.open:
        return False
    return move.before.grid.is_live([switch.node1]) and move.before.grid.is_live([switch.node2])
