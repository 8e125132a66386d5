"""What is live, and which switch alone keeps it so."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns.feeder_topology import ConnectivityNode, Equipment, Feeder
from contracts.nouns.measurements import (
    Discrete,
    DiscreteValue,
    Measurements,
    MeasurementValueQuality,
    SwitchPosition,
    Validity,
)
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from services.network_operation.domain.energisation import (
    ALL,
    NONE,
    Network,
    Phases,
    Point,
    live_phases,
    upstream_switches,
)
from services.network_operation.domain.topology import (
    Position,
    adopted,
    is_news,
    operated,
    positions_in,
    switches,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODES = [PhaseCode(code) for code in ("A", "B", "C", "AB", "AC", "BC", "ABC")]


def piece(
    mrid: str,
    kind: str,
    one: str,
    other: str | None = None,
    *,
    phases: PhaseCode = PhaseCode.ABC,
    open: bool | None = None,  # noqa: A002 - the name of the field
) -> Equipment:
    return Equipment(
        mrid=mrid,
        kind=kind,
        name=mrid,
        node1=one,
        node2=other,
        open=open,
        phases=phases,
        protective=False,
        remotely_operable=False,
    )


def switch(
    mrid: str,
    one: str,
    other: str,
    *,
    phases: PhaseCode = PhaseCode.ABC,
    open: bool = False,  # noqa: A002 - the name of the field
) -> Equipment:
    return piece(mrid, "Breaker", one, other, phases=phases, open=open)


def feeder(*equipment: Equipment, mrid: str = "f") -> Feeder:
    nodes = {node for each in equipment for node in (each.node1, each.node2) if node is not None}
    return Feeder(
        mrid=mrid,
        event_time=NOON,
        model_version="1",
        revision=1,
        equipment=equipment,
        connectivity_node=tuple(ConnectivityNode(mrid=node) for node in sorted(nodes)),
    )


def live(*feeders: Feeder) -> dict[str, Phases]:
    return dict(live_phases(Network(feeders)))


def opened(before: Feeder, *mrids: str) -> Feeder:
    equipment = tuple(replace(each, open=True) if each.mrid in mrids else each for each in before.equipment)
    return replace(before, equipment=equipment)


@st.composite
def networks(draw: st.DrawFn) -> Feeder:
    """Up to eight nodes, up to two sources, up to fourteen edges between any two nodes, meshes and doubles included."""
    count = draw(st.integers(2, 8))
    nodes = st.integers(0, count - 1).map(str)
    sources = [
        piece(f"source {number}", "EnergySource", node, phases=draw(st.sampled_from(CODES)))
        for number, node in enumerate(draw(st.lists(nodes, min_size=1, max_size=2)))
    ]
    edges = []
    for number in range(draw(st.integers(1, 14))):
        one, other = draw(nodes), draw(nodes)
        phases = draw(st.sampled_from([PhaseCode.ABC, *CODES]))
        if draw(st.booleans()):
            is_open = draw(st.sampled_from([False, False, False, True]))
            edges.append(switch(str(number), one, other, phases=phases, open=is_open))
        else:
            edges.append(piece(str(number), "ACLineSegment", one, other, phases=phases))
    return feeder(*sources, *edges)


def test_phases_pass_only_where_every_edge_on_the_way_has_them() -> None:
    net = feeder(
        piece("s", "EnergySource", "1"),
        piece("x", "ACLineSegment", "1", "2", phases=PhaseCode.AB),
        piece("y", "PowerTransformer", "2", "3", phases=PhaseCode.BC),
        switch("z", "3", "4", open=True),
    )
    assert live(net) == {"1": ALL, "2": Phases.A | Phases.B, "3": Phases.B}
    assert (Phases.B | Phases.C).code is PhaseCode.BC
    assert NONE.code is None


def test_a_node_gathers_the_phases_that_reach_it_on_different_ways() -> None:
    net = feeder(
        piece("s", "EnergySource", "1"),
        piece("a", "ACLineSegment", "1", "3", phases=PhaseCode.A),
        piece("b", "ACLineSegment", "1", "2", phases=PhaseCode.BC),
        piece("c", "ACLineSegment", "2", "3", phases=PhaseCode.C),
        piece("d", "ACLineSegment", "3", "4"),
    )
    assert live(net)["4"] == Phases.A | Phases.C


@given(networks(), st.data())
def test_opening_never_adds_life_and_closing_never_takes_it(net: Feeder, data: st.DataObject) -> None:
    device = data.draw(st.sampled_from(sorted({each.mrid for each in net.equipment if each.open is not None}) or [""]))
    before, after = live(net), live(opened(net, device))
    assert all(phases & before.get(node, NONE) == phases for node, phases in after.items())


@given(networks())
def test_no_node_is_live_on_a_phase_that_no_source_feeds(net: Feeder) -> None:
    fed = NONE
    for each in net.equipment:
        if each.kind == "EnergySource":
            fed |= Phases.of(each.phases)
    assert all(phases & fed == phases for phases in live(net).values())


@given(networks(), st.data())
@settings(max_examples=400)
def test_the_switches_upstream_are_those_whose_opening_darkens_every_point(net: Feeder, data: st.DataObject) -> None:
    nodes = sorted(node.mrid for node in net.connectivity_node)
    points = [
        Point(node=node, phases=Phases.of(data.draw(st.sampled_from(CODES))))
        for node in data.draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=3))
    ]

    def is_live(state: dict[str, Phases], point: Point) -> bool:
        return bool(state.get(point.node, NONE) & point.phases)

    before = live(net)
    alone = {
        mrid
        for mrid in switches([net])
        if all(is_live(before, point) for point in points)
        and not any(is_live(live(opened(net, mrid)), point) for point in points)
    }
    assert set(upstream_switches(Network([net]), points)) == alone


def test_the_last_switch_upstream_is_the_nearest_common_one() -> None:
    net = feeder(
        piece("s", "EnergySource", "0"),
        switch("breaker", "0", "1"),
        switch("left", "1", "2"),
        switch("right", "1", "2"),
        switch("fuse a", "2", "3", phases=PhaseCode.A),
        switch("fuse b", "2", "4", phases=PhaseCode.B),
        switch("below", "3", "5", phases=PhaseCode.A),
    )
    graph = Network([net])
    assert upstream_switches(graph, [Point(node="3", phases=ALL)]) == ("breaker", "fuse a")
    assert upstream_switches(graph, [Point(node="3", phases=ALL), Point(node="5", phases=ALL)])[-1] == "fuse a"
    assert upstream_switches(graph, [Point(node="3", phases=ALL), Point(node="4", phases=ALL)]) == ("breaker",)
    assert upstream_switches(graph, [Point(node="3", phases=Phases.B)]) == ()
    assert upstream_switches(graph, []) == ()


@given(networks(), st.permutations(range(15)))
def test_the_order_of_the_equipment_changes_nothing(net: Feeder, order: list[int]) -> None:
    shuffled = tuple(net.equipment[number] for number in order if number < len(net.equipment))
    rest = net.equipment[len(order) :]
    other = replace(net, equipment=(*shuffled, *rest))
    assert live(net) == live(other)
    for node in net.connectivity_node:
        point = Point(node=node.mrid, phases=ALL)
        assert set(upstream_switches(Network([net]), [point])) == set(upstream_switches(Network([other]), [point]))


STATION = feeder(piece("s", "EnergySource", "bus"), switch("breaker 1", "bus", "n1"), mrid="one")
BEYOND = feeder(switch("tie", "n1", "n2", open=True), piece("load", "EnergyConsumer", "n2"), mrid="two")


def present() -> tuple[Feeder, ...]:
    return adopted((STATION, BEYOND), (), {}, NOON)


def test_an_adopted_model_says_where_it_is_live_and_starts_at_revision_one() -> None:
    one, two = present()
    assert [(node.mrid, node.source_phases) for node in one.connectivity_node] == [("bus", "ABC"), ("n1", "ABC")]
    assert [(node.mrid, node.source_phases) for node in two.connectivity_node] == [("n1", "ABC"), ("n2", None)]
    assert (one.revision, two.revision) == (1, 1)


def test_an_operation_changes_every_feeder_that_it_darkens_and_no_other() -> None:
    closed = operated(present(), Position(device="tie", open=False, at=NOON + timedelta(minutes=1)))
    assert [(each.mrid, each.revision, each.event_time) for each in closed] == [("two", 2, NOON + timedelta(minutes=1))]
    both = operated((present()[0], *closed), Position(device="breaker 1", open=True, at=NOON + timedelta(minutes=2)))
    assert [(each.mrid, each.revision) for each in both] == [("one", 2), ("two", 3)]
    assert operated(present(), Position(device="tie", open=True, at=NOON)) == ()
    assert operated(present(), Position(device="unknown", open=True, at=NOON)) == ()


def test_a_new_model_takes_over_positions_and_revisions() -> None:
    position = Position(device="breaker 1", open=True, at=NOON)
    after = operated(present(), position)
    one, two = adopted((STATION, BEYOND), after, {"breaker 1": position}, NOON + timedelta(days=1))
    assert switches([one])["breaker 1"].open is True
    assert (one.revision, two.revision) == (3, 3)
    assert [node.source_phases for node in two.connectivity_node] == [None, None]


def test_older_news_and_what_is_known_already_are_no_news() -> None:
    known = Position(device="d", open=True, at=NOON)
    assert is_news(known, None)
    assert not is_news(known, known)
    assert not is_news(replace(known, at=NOON - timedelta(seconds=1), open=False), known)
    assert is_news(replace(known, at=NOON + timedelta(seconds=1)), known)
    assert is_news(replace(known, open=False), known)


def test_only_good_open_and_closed_positions_are_believed_oldest_first() -> None:
    def heard(minute: int, value: int, quality: MeasurementValueQuality | None = None) -> DiscreteValue:
        return DiscreteValue(
            time_stamp=NOON + timedelta(minutes=minute), value=value, measurement_value_quality=quality
        )

    def discrete(kind: str, *values: DiscreteValue) -> Discrete:
        return Discrete(measurement_type=kind, power_system_resource=ObjectReference(mrid="d"), discrete_values=values)

    measurements = Measurements(
        discrete=(
            discrete(
                "SwitchPosition",
                heard(3, SwitchPosition.CLOSED),
                heard(1, SwitchPosition.OPEN, MeasurementValueQuality(validity=Validity.GOOD)),
                heard(4, SwitchPosition.OPEN, MeasurementValueQuality(validity=Validity.QUESTIONABLE)),
                heard(5, SwitchPosition.OPEN, MeasurementValueQuality(test=True)),
                heard(6, SwitchPosition.INTERMEDIATE),
                heard(7, SwitchPosition.BAD),
            ),
            discrete("TapPosition", heard(2, 1)),
            Discrete(measurement_type="SwitchPosition", discrete_values=(heard(2, 1),)),
        )
    )
    assert [(position.open, position.at.minute) for position in positions_in(measurements)] == [(True, 1), (False, 3)]
