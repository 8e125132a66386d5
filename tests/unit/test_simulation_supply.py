"""What is live, phase by phase, and that keeping it up to date comes to the same as finding it anew."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.nouns.feeder_topology import Feeder
from services.emergency_simulation.domain.network import ALL, SOURCE, Network, mask_of
from services.emergency_simulation.domain.supply import Supply
from tests.fixtures.streets import equipment, feeder, feeders, road, street, usage_point

LETTERS = "ABC"


def reachable(built: Feeder, opened: Mapping[str, int]) -> set[tuple[str, str]]:
    """The nodes and phases that a source reaches, found by going on until nothing new is found."""
    live = {
        (each.node1, phase)
        for each in built.equipment
        if each.kind == SOURCE
        for bit, phase in enumerate(LETTERS)
        if phase in each.phases and not opened.get(each.mrid, 0) >> bit & 1
    }
    while True:
        before = len(live)
        for each in built.equipment:
            own = [phase for phase in LETTERS if phase in each.phases]
            for here, there in zip(own, each.phases_at_node2 or own, strict=True):
                closed = not opened.get(each.mrid, 0) >> LETTERS.index(here) & 1
                ends = {(each.node1, here), (each.node2 or each.node1, there)}
                if each.node2 is not None and closed and ends & live:
                    live |= ends
        if len(live) == before:
            return live


def dark_in(built: Feeder, opened: Mapping[str, int]) -> set[str]:
    live = reachable(built, opened)
    return {
        point.mrid
        for point in built.usage_point
        if not any((point.node, phase) in live for phase in LETTERS if phase in point.phases)
    }


def opened_in(built: Feeder, data: st.DataObject) -> dict[str, int]:
    """Anything may be open on any of its phases: switches, and lines whose wires are broken."""
    mrids = sorted(each.mrid for each in built.equipment)
    masks = st.integers(min_value=1, max_value=ALL)
    return data.draw(st.dictionaries(st.sampled_from(mrids), masks, max_size=5))


@settings(deadline=None)
@given(feeders(), st.data())
def test_who_is_dark_is_who_cannot_be_reached_from_a_source_on_any_of_his_phases(
    built: Feeder, data: st.DataObject
) -> None:
    network = Network([built])
    supply = Supply(network)
    dark = set(network.usage_points)
    for _ in range(data.draw(st.integers(min_value=1, max_value=6))):
        opened = opened_in(built, data)
        lost, lit = supply.move(opened)
        assert not lost & lit
        dark = (dark | lost) - lit
        assert dark == supply.dark == dark_in(built, opened)
        live = reachable(built, opened)
        for name, place in network.place_of.items():
            assert supply.live[place] == sum(1 << bit for bit, phase in enumerate(LETTERS) if (name, phase) in live)


@settings(deadline=None)
@given(feeders(), st.data())
def test_opening_never_adds_light_and_closing_never_takes_it(built: Feeder, data: st.DataObject) -> None:
    supply = Supply(Network([built]))
    opened = opened_in(built, data)
    supply.move(opened)
    more = opened_in(built, data)
    union = {mrid: opened.get(mrid, 0) | more.get(mrid, 0) for mrid in opened.keys() | more.keys()}
    assert not supply.move(union)[1]
    assert not supply.move(opened)[0]


@settings(deadline=None)
@given(feeders(), st.data())
def test_the_way_to_a_source_is_closed_live_and_ends_at_a_source_with_the_phases_carried_along(
    built: Feeder, data: st.DataObject
) -> None:
    network = Network([built])
    supply = Supply(network)
    supply.move(opened_in(built, data))
    places = [mrid for mrid, ends in zip(network.mrids, network.ends, strict=True) if ends is not None]
    struck = data.draw(st.sampled_from(places))
    if network.equipment[struck].kind == SOURCE:
        return
    phases = network.phases(struck)
    way = supply.way_to_source(struck, phases)
    assert bool(way) == supply.is_fed(struck, phases)
    if way:
        assert network.equipment[way[-1][0]].kind == SOURCE
        assert all(carried for _, carried in way)
        assert all(carried & ~network.phases(mrid) == 0 for mrid, carried in way)
        fresh = Supply(network)
        fresh.move({network.mrids[edge]: mask for edge, mask in supply._open.items()})
        assert fresh.way_to_source(struck, phases) == way


@settings(deadline=None)
@given(feeders(), st.data())
def test_the_order_of_the_model_changes_nothing(built: Feeder, data: st.DataObject) -> None:
    other = feeder(data.draw(st.permutations(built.equipment)), data.draw(st.permutations(built.usage_point)))
    one, two = Supply(Network([built])), Supply(Network([other]))
    opened = opened_in(built, data)
    assert one.move(opened) == two.move(opened)
    for mrid in one.network.mrids:
        assert one.way_to_source(mrid, ALL) == two.way_to_source(mrid, ALL)


def test_a_meter_works_as_long_as_it_has_one_phase_and_a_phase_keeps_its_customers_where_its_name_changes() -> None:
    parts = [
        equipment("source", "EnergySource", "n0"),
        equipment("fuse", "Fuse", "n0", "n1"),
        equipment("roll", "ACLineSegment", "n1", "n2", there="BCA"),
    ]
    points = [usage_point(phase, "n2", phases=phase) for phase in ("A", "B", "C", "ABC")]
    supply = Supply(Network([feeder(parts, points)]))
    assert supply.move({}) == (set(), {"A", "B", "C", "ABC"})
    assert supply.move({"fuse": mask_of("A")}) == ({"B"}, set())
    assert supply.way_to_source("roll", mask_of("BC")) == [("fuse", mask_of("BC")), ("source", mask_of("BC"))]
    assert supply.move({"fuse": mask_of("AB")}) == ({"C"}, set())
    assert supply.move({"fuse": ALL}) == ({"A", "ABC"}, set())


def test_a_lateral_that_is_fed_from_two_sides_goes_dark_when_both_are_open() -> None:
    supply = Supply(Network([street()]))
    supply.move({})
    assert supply.move({"fuse-b": ALL}) == (set(), set())
    assert supply.move({"fuse-b": ALL, "tie": ALL}) == ({"b1", "b2"}, set())
    assert [mrid for mrid, _ in supply.way_to_source("main", ALL)] == ["breaker", "source"]
    supply = Supply(Network([road()]))
    supply.move({})
    devices = [mrid for mrid, _ in supply.way_to_source("lateral", ALL) if supply.network.is_switch(mrid)]
    assert devices == ["fuse", "sectionaliser", "recloser", "breaker"]
