"""R4, R8 and R14: what a device can break, what the network can bear, and what is known of a device."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.acts import ActKind
from services.network_operation.domain.figures import BAND, EMERGENCY_BAND, Figures
from services.network_operation.domain.phases import ALL, Phases
from services.network_operation.domain.rules.move import Finding, Move

LOAD_BREAKING = frozenset({"Breaker", "LoadBreakSwitch", "ProtectedSwitch", "Recloser"})
"""The classes that open under load. All others open without current."""

_FULL = 100.0

SELF_OPENING = frozenset({"Fuse", "Sectionaliser"})
"""What opens by itself and tells nobody."""

SIGNIFICANT_A = 1.0
"""Current below which a device is taken as without load, in A."""

WORSE_PERCENT, WORSE_PU = 1.0, 0.001
"""What an act changes by less than this it does not make worse."""


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
    """R8: beyond a normal limit warns, beyond an emergency limit refuses; what is not computed warns.

    Only what the act makes worse counts, and nothing keeps the network from its normal state: a device gets its normal
    position although a limit is exceeded that is exceeded then as well, or for cold load alone (guide 3.7), since dark
    customers only become colder. A transformer that is picked up itself bears its cold load, whoever feeds it.
    """
    if not move.picked_up and not _closes_live(move) and not _parts_live(move):
        return
    figures, before = move.figures, move.figures_before
    normal = move.figures_normal if _goes_home(move) else None
    if not figures.are_known:
        yield Finding(
            object=move.act.device,
            reason=f"loading and voltage are unknown: {figures.status}",
            severity=SeverityKind.WARN,
        )
        return
    yield from _told(_overloads(figures, before, normal, move))
    yield from _told(_odd_voltages(figures, before, normal))


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


def _overloads(figures: Figures, before: Figures, normal: Figures | None, move: Move) -> Iterator[Finding]:
    """The branches that the act loads beyond a rating, or more than they were."""
    was, usual = _loaded(before), _loaded(normal)
    for each in figures.loadings:
        mrid = each.power_system_resource.mrid or ""
        if each.loading <= was.get(mrid, 0.0) + WORSE_PERCENT:
            continue
        emergency = each.emergency_loading or 0.0
        name, carried = move.before.grid.name(mrid), f"would carry {each.loading:.0f} % of its rating"
        if emergency > _FULL:
            carried += f", {emergency:.0f} % of its emergency rating"
        is_borne = each.loading <= usual.get(mrid, 0.0) + WORSE_PERCENT or (
            bool(each.cold_load) and (normal is not None or _is_picked_up(mrid, move))
        )
        severity = SeverityKind.REFUSE if emergency > _FULL and not is_borne else SeverityKind.WARN
        yield Finding(object=mrid, reason=f"{name} {carried}{_blame(is_cold=each.cold_load)}", severity=severity)


def _odd_voltages(figures: Figures, before: Figures, normal: Figures | None) -> Iterator[Finding]:
    """The nodes that the act gives a voltage outside the band, or further outside than it was."""
    was, usual = _strayed(before), _strayed(normal)
    low, high = EMERGENCY_BAND
    for each in figures.voltages:
        node, distance = each.connectivity_node.mrid or "", _distance(each.voltage)
        if distance <= was.get(node, 0.0) + WORSE_PU:
            continue
        is_cold = bool(each.cold_load) and normal is not None
        is_borne = low <= each.voltage <= high or is_cold or distance <= usual.get(node, 0.0) + WORSE_PU
        yield Finding(
            object=node,
            reason=f"the voltage at '{node}' would be {each.voltage:.3f} pu{_blame(is_cold=each.cold_load)}",
            severity=SeverityKind.WARN if is_borne else SeverityKind.REFUSE,
        )


def _loaded(figures: Figures | None) -> dict[str | None, float]:
    """The loading of each branch beyond its rating."""
    return {} if figures is None else {each.power_system_resource.mrid: each.loading for each in figures.loadings}


def _strayed(figures: Figures | None) -> dict[str | None, float]:
    """How far each node is outside the band."""
    known = () if figures is None else figures.voltages
    return {each.connectivity_node.mrid: _distance(each.voltage) for each in known}


def _told(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first finding of each severity, which is the worst, and how many others there are."""
    every = list(findings)
    for severity in (SeverityKind.REFUSE, SeverityKind.WARN):
        alike = [each for each in every if each.severity is severity]
        if alike:
            others = f"; likewise {len(alike) - 1} more" if len(alike) > 1 else ""
            yield replace(alike[0], reason=alike[0].reason + others)


def _blame(*, is_cold: bool | None) -> str:
    return " while the load is cold" if is_cold else ""


def _distance(voltage: float) -> float:
    """How far a voltage is outside the normal band."""
    return max(BAND[0] - voltage, voltage - BAND[1])


def _is_picked_up(mrid: str, move: Move) -> bool:
    """True for a transformer that has no voltage before the act."""
    known = move.before.grid.get(mrid)
    if known is None or known.kind != "PowerTransformer":
        return False
    return not move.before.grid.is_live(node for node in (known.node1, known.node2) if node is not None)


def _goes_home(move: Move) -> bool:
    """True for a switch that gets its normal position."""
    switch = move.switch
    return switch is not None and switch.normal_open is (move.act.kind is ActKind.OPEN)


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


def _parts_live(move: Move) -> bool:
    """True for the opening of a loop: a phase that is opened stays live on both sides, what flowed goes another way."""
    switch = move.switch
    if move.act.kind is not ActKind.OPEN or switch is None or switch.node2 is None or switch.open:
        return False
    after, opened = move.after.grid, Phases.of(switch.phases) & (ALL if move.act.phases is None else move.act.phases)
    return bool(after.voltage(switch.node1) & after.voltage(switch.node2) & opened)
