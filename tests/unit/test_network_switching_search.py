"""Every state that switching can reach on small networks, tried one by one.

Whoever switches here has an override for every rule that can be overridden, and protection may open any switch at any
time. What must not happen is judged by a search of its own that shares nothing with the rules.
"""

from collections import deque
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.operational_tags import OperationalTagType
from contracts.nouns.safety_documents import ClearanceDocument, ClearanceState
from contracts.nouns.switching_plans import RuleOverride
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference, Status
from services.network_operation.domain.acts import Act, ActKind
from services.network_operation.domain.clearances import Clearance
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.rules import RULES, judged, standing
from services.network_operation.domain.rules.move import Move
from services.network_operation.domain.situation import Situation
from tests.fixtures.switching_yard import feeder, line, piece, tag

EVERYTHING = tuple(
    RuleOverride(
        reason="it must be", rule=rule.id, author=ObjectReference(mrid="amy"), approver=ObjectReference(mrid="bob")
    )
    for rule in RULES
)
CODES = [PhaseCode.ABC, PhaseCode.ABC, PhaseCode.A, PhaseCode.BC]
BLOCKING = {
    OperationalTagType.DO_NOT_OPERATE: {ActKind.OPEN, ActKind.CLOSE},
    OperationalTagType.HOLD_OPEN: {ActKind.CLOSE},
}


class Yard(Struct, frozen=True):
    """A network with all its switches open: tags by device, earthed nodes, boundary and nodes of a clearance."""

    equipment: tuple[Equipment, ...]
    tags: dict[str, OperationalTagType]
    grounds: tuple[str, ...]
    boundary: tuple[str, ...]
    zone: tuple[str, ...]

    @property
    def switches(self) -> list[str]:
        return [each.mrid for each in self.equipment if each.open is not None]

    def live(self, opened: frozenset[str]) -> set[tuple[str, str]]:
        """Node and phase of all that is live: a search over single phases, with no thought of anything else."""
        found = {(each.node1, phase) for each in self.equipment if each.kind == "EnergySource" for phase in each.phases}
        while True:
            more = set(found)
            for each in self.equipment:
                if each.mrid not in opened and each.node2 is not None:
                    for phase in each.phases:
                        for one, other in ((each.node1, each.node2), (each.node2, each.node1)):
                            if (one, phase) in found:
                                more.add((other, phase))
            if more == found:
                return found
            found = more

    def situation(self) -> Situation:
        """The same as the rules see it."""
        earth = tuple(piece(f"ground {node}", "Ground", node) for node in self.grounds)
        document = ClearanceDocument(
            mrid="clearance",
            issued_to_supervisor=ObjectReference(mrid="eve"),
            status=Status(value=ClearanceState.ISSUED),
            tagged_psrs=tuple(ObjectReference(mrid=mrid) for mrid in self.boundary),
        )
        return Situation(
            grid=Grid.of((feeder("small", (*self.equipment, *earth)),)),
            clearances=(Clearance(document=document, zone=self.zone),) if self.zone else (),
            tags=tuple(tag(device, kind) for device, kind in self.tags.items()),
        )


@st.composite
def yards(draw: st.DrawFn, *, most: int) -> Yard:
    numbers = count(1)
    nodes = st.sampled_from("abcdef")
    equipment = [piece("source", "EnergySource", "a", phases=draw(st.sampled_from(CODES)))]
    if draw(st.booleans()):
        equipment.append(piece("other source", "EnergySource", draw(nodes)))
    for one, other in draw(st.lists(st.tuples(nodes, nodes), max_size=3)):
        equipment.append(line(f"line {next(numbers)}", one, other))
    for one, other in draw(
        st.lists(st.tuples(nodes, nodes).filter(lambda ends: ends[0] != ends[1]), min_size=2, max_size=most)
    ):
        phases = draw(st.sampled_from(CODES))
        equipment.append(piece(f"switch {next(numbers)}", "Breaker", one, other, open=True, phases=phases))
    yard = Yard(tuple(equipment), {}, (), (), ())
    switches = yard.switches
    dark = sorted(set("abcdef") - {node for node, _ in yard.live(frozenset(switches))})
    tags = draw(st.dictionaries(st.sampled_from(switches), st.sampled_from(sorted(BLOCKING)), max_size=2))
    grounds: list[str] = draw(st.lists(st.sampled_from(dark), unique=True, max_size=2)) if dark else []
    zone: frozenset[str] = frozenset()
    is_cleared: bool = draw(st.booleans())
    if dark and is_cleared:
        zone = yard.situation().grid.section(draw(st.sampled_from(dark)))
    boundary = [each.mrid for each in equipment if each.open and zone & {each.node1, each.node2}]
    return Yard(tuple(equipment), tags, tuple(grounds), tuple(boundary), tuple(sorted(zone)))


def search(yard: Yard) -> int:
    """Look at every state that can be reached; returns how many there are."""
    start = yard.situation()
    seen = {frozenset(yard.switches)}
    queue = deque([(frozenset(yard.switches), start)])
    while queue:
        opened, situation = queue.popleft()
        live = {node for node, _ in yard.live(opened)}
        assert not live & set(yard.grounds), "an earthed section is live"
        assert not live & set(yard.zone), "a section under a clearance is live"
        for device in yard.switches:
            kind = ActKind.CLOSE if device in opened else ActKind.OPEN
            move = Move(act=Act(kind=kind, device=device), before=situation, by_person=True)
            then = opened ^ {device}
            violations = judged(move)
            if kind is ActKind.CLOSE:
                earthed = {node for node, _ in yard.live(then)} & set(yard.grounds)
                assert any(each.rule == "R2" for each in violations) == bool(earthed)
            is_allowed = not standing(violations, EVERYTHING, by_person=True)
            if is_allowed:
                assert kind not in BLOCKING.get(yard.tags.get(device, OperationalTagType.CAUTION), set())
                assert device not in yard.boundary
            trips = kind is ActKind.OPEN
            if (is_allowed or trips) and then not in seen:
                seen.add(then)
                queue.append((then, move.after if is_allowed else situation.after(move.act)))
    return len(seen)


@given(yards(most=5))
@settings(max_examples=60, deadline=None)
def test_no_state_that_can_be_reached_closes_onto_what_is_tagged_earthed_or_cleared(yard: Yard) -> None:
    assert search(yard) <= 2 ** len(yard.switches)


def test_of_eight_switches_all_states_that_can_be_reached_are_safe_and_the_others_are_not_missed() -> None:
    """Two sources, a ring between them and a spur: 256 states."""
    ring = Yard(
        equipment=(
            piece("S1", "EnergySource", "s1"),
            piece("S2", "EnergySource", "s2"),
            *(
                piece(name, "Breaker", one, other, open=True)
                for name, one, other in (
                    ("1", "s1", "a"),
                    ("2", "a", "b"),
                    ("3", "b", "c"),
                    ("4", "c", "s2"),
                    ("5", "b", "d"),
                    ("6", "d", "e"),
                    ("7", "e", "c"),
                    ("8", "s1", "d"),
                )
            ),
        ),
        tags={},
        grounds=(),
        boundary=(),
        zone=(),
    )
    assert search(ring) == 256
    earthed = replace(ring, grounds=("d",))
    reached = search(earthed)
    safe = [
        state
        for state in range(256)
        if "d" not in {node for node, _ in ring.live(frozenset(str(bit + 1) for bit in range(8) if state >> bit & 1))}
    ]
    assert reached == len(safe) < 256
    cleared = replace(
        ring, boundary=("5", "6", "8"), zone=("d",), grounds=("d",), tags={"5": OperationalTagType.HOLD_OPEN}
    )
    assert search(cleared) == 2**5
