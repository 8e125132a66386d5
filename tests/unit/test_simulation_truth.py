"""The truth: what is struck, what opens, who goes dark, who has power again, and what the score says of it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.training_scenarios import ScenarioStatusKind, TrainingScenario
from contracts.nouns.units import PhaseCode
from services.emergency_simulation.domain.behaviour import Odds, Spell, after, calls, last_gasps, power_ups
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.network import Network, Operation, settle
from services.emergency_simulation.domain.scenario import (
    Fault,
    Outage,
    Standing,
    found_at,
    is_over,
    plan_faults,
    report,
)
from tests.fixtures.streets import START, equipment, feeder, street, usage_point

_KINDS = ("ACLineSegment", "ACLineSegment", "Fuse", "Recloser", "Disconnector", "PowerTransformer")


@st.composite
def feeders(draw: st.DrawFn) -> Feeder:
    """A tree from one source, with up to three further branches that may close a mesh, and usage points anywhere."""
    size = draw(st.integers(min_value=2, max_value=14))
    parts = [equipment("source", "EnergySource", "n0")]
    if draw(st.booleans()):
        parts.append(equipment("breaker", "Breaker", "n0", "n1"))
    else:
        parts.append(equipment("cable", "ACLineSegment", "n0", "n1"))
    for number in range(2, size):
        above = draw(st.integers(min_value=1, max_value=number - 1))
        parts.append(equipment(f"e{number}", draw(st.sampled_from(_KINDS)), f"n{above}", f"n{number}"))
    for number in range(draw(st.integers(min_value=0, max_value=3))):
        ends = draw(st.tuples(*[st.integers(min_value=0, max_value=size - 1)] * 2))
        is_open = draw(st.booleans())
        parts.append(equipment(f"tie{number}", "Disconnector", f"n{ends[0]}", f"n{ends[1]}", is_open=is_open))
    nodes = draw(st.lists(st.integers(min_value=1, max_value=size - 1), min_size=1, max_size=12))
    return feeder(parts, [usage_point(f"u{number}", f"n{node}") for number, node in enumerate(nodes)])


def struck(network: Network, data: st.DataObject) -> str:
    places = sorted(each.mrid for each in network.equipment.values() if each.node2 and each.normal_open is None)
    return data.draw(st.sampled_from(places)) if places else ""


def operations(network: Network, data: st.DataObject) -> list[Operation]:
    switches = sorted(each.mrid for each in network.equipment.values() if each.normal_open is not None)
    if not switches:
        return []
    return data.draw(st.lists(st.builds(Operation, st.sampled_from(switches), st.booleans()), max_size=6))


def test_a_fault_on_a_lateral_blows_its_fuse_and_darkens_the_lateral() -> None:
    network = Network([street()])
    outcome = settle(network, network.initially_open, faults={"line-a"})
    assert outcome.trips == {"line-a": "fuse-a"}
    assert outcome.operations == (Operation("fuse-a", open=True),)
    assert outcome.lost == {"a1", "a2"}
    assert outcome.regained == set()


def test_a_fault_on_the_main_line_opens_the_breaker_and_darkens_all() -> None:
    network = Network([street()])
    outcome = settle(network, network.initially_open, faults={"main"})
    assert outcome.trips == {"main": "breaker"}
    assert outcome.lost == {"a1", "a2", "b1", "b2", "m"}


def test_closing_onto_a_fault_opens_the_device_again_and_nobody_has_power() -> None:
    network = Network([street()])
    opened = settle(network, network.initially_open, faults={"line-a"}).open
    outcome = settle(network, opened, [Operation("fuse-a", open=False)], {"line-a"})
    assert outcome.operations == (Operation("fuse-a", open=False), Operation("fuse-a", open=True))
    assert outcome.open == opened
    assert not outcome.lost | outcome.regained


def test_a_fault_that_is_fed_from_two_sides_opens_a_device_on_each() -> None:
    network = Network([street()])
    closed = network.initially_open - {"tie"}
    outcome = settle(network, closed, faults={"line-b"})
    assert {operation.device for operation in outcome.operations} == {"fuse-b", "tie"}
    assert outcome.lost == {"b1", "b2"}


def test_without_protection_the_nearest_switch_opens_and_without_a_switch_the_source() -> None:
    parts = [
        equipment("source", "EnergySource", "n0"),
        equipment("cable", "ACLineSegment", "n0", "n1"),
        equipment("switch", "Disconnector", "n1", "n2"),
        equipment("line", "ACLineSegment", "n2", "n3"),
    ]
    network = Network([feeder(parts, [usage_point("u", "n3")])])
    assert network.device_above("line", network.guards(())) == "switch"
    assert network.device_above("cable", network.guards(())) == "source"
    assert network.device_above("line", network.guards({"switch"})) is None
    assert settle(network, frozenset(), faults={"cable"}).lost == {"u"}


def test_a_meter_has_power_as_long_as_one_of_its_phases_is_live() -> None:
    parts = [
        equipment("source", "EnergySource", "n0"),
        equipment("fuse", "Fuse", "n0", "n1", phases="A"),
        equipment("line", "ACLineSegment", "n1", "n2", phases="AB"),
    ]
    points = [usage_point("three phases", "n2"), structs.replace(usage_point("b", "n2"), phases=PhaseCode.B)]
    network = Network([feeder(parts, points)])
    assert network.dark(frozenset()) == {"b"}
    assert settle(network, frozenset(), faults={"line"}).lost == {"three phases"}


@given(feeders(), st.data())
def test_repairing_and_closing_restores_exactly_those_who_were_dark(built: Feeder, data: st.DataObject) -> None:
    network = Network([built])
    fault = struck(network, data)
    if not fault:
        return
    outcome = settle(network, network.initially_open, faults={fault})
    closing = [Operation(operation.device, open=False) for operation in reversed(outcome.operations)]
    restored = settle(network, outcome.open, closing)
    assert restored.regained == outcome.lost
    assert restored.open == network.initially_open
    assert not restored.lost


@given(feeders(), st.data())
def test_after_the_protection_no_fault_is_fed_and_only_devices_have_moved(built: Feeder, data: st.DataObject) -> None:
    network = Network([built])
    fault = struck(network, data)
    faults = {fault} if fault else set[str]()
    outcome = settle(network, network.initially_open, operations(network, data), faults)
    live = network.live(outcome.open)
    for each in faults:
        assert network.equipment[each].node1 not in live
        assert network.equipment[each].node2 not in live
    assert len(outcome.lost & outcome.regained) == 0
    assert network.dark(outcome.open) == (network.dark(network.initially_open) | outcome.lost) - outcome.regained
    for operation in outcome.operations:
        moved = network.equipment[operation.device]
        assert moved.normal_open is not None or moved.kind == "EnergySource"


@given(feeders(), st.data())
def test_opening_never_adds_light_and_closing_never_takes_it(built: Feeder, data: st.DataObject) -> None:
    network = Network([built])
    for operation in operations(network, data):
        outcome = settle(network, network.initially_open, [operation])
        assert not (outcome.regained if operation.open else outcome.lost)


@given(feeders(), st.data())
def test_the_order_of_the_model_changes_nothing(built: Feeder, data: st.DataObject) -> None:
    parts = data.draw(st.permutations(built.equipment))
    points = data.draw(st.permutations(built.usage_point))
    network, other = Network([built]), Network([feeder(parts, points)])
    moves, fault = operations(network, data), struck(network, data)
    faults = {fault} if fault else set[str]()
    opened = network.initially_open
    assert settle(network, opened, moves, faults) == settle(other, other.initially_open, moves, faults)


def storm(network: Network, seed: int, faults: int) -> list[Fault]:
    order = TrainingScenario(mrid="storm", seed=seed, faults=faults)
    return plan_faults(network, network.initially_open, order, START)


def carried_out(network: Network, planned: list[Fault]) -> tuple[list[Fault], frozenset[str]]:
    """The faults after they have struck one after the other, and what is open then."""
    opened = network.initially_open
    struck_faults: list[Fault] = []
    for fault in planned:
        outcome = settle(network, opened, faults={*(each.equipment for each in struck_faults), fault.equipment})
        device = outcome.trips[fault.equipment]
        struck_faults.append(structs.replace(fault, struck=True, device=device, dark=tuple(sorted(outcome.lost))))
        opened = outcome.open
    return struck_faults, opened


@given(feeders(), st.data(), st.integers(min_value=0, max_value=2**32))
def test_the_same_seed_strikes_the_same_places_whatever_the_order_of_the_model(
    built: Feeder, data: st.DataObject, seed: int
) -> None:
    other = feeder(data.draw(st.permutations(built.equipment)), data.draw(st.permutations(built.usage_point)))
    for count in (1, 2):
        try:
            planned = storm(Network([built]), seed, count)
        except Invalid:
            with pytest.raises(Invalid):
                storm(Network([other]), seed, count)
        else:
            assert storm(Network([other]), seed, count) == planned


@given(feeders(), st.integers(min_value=0, max_value=2**32))
def test_the_faults_of_a_storm_darken_somebody_and_do_not_touch(built: Feeder, seed: int) -> None:
    network = Network([built])
    try:
        planned = storm(network, seed, 2)
    except Invalid:
        return
    first, second = carried_out(network, planned)[0]
    assert first.dark
    assert second.dark
    assert not set(first.dark) & set(second.dark)
    assert first.device != second.device
    assert START < first.at <= second.at
    assert first.mrid != second.mrid


def test_another_seed_strikes_elsewhere_and_a_storm_that_has_no_room_is_refused() -> None:
    network = Network([street()])
    places = {tuple(fault.equipment for fault in storm(network, seed, 2)) for seed in range(50)}
    assert places == {("line-a", "line-b"), ("line-b", "line-a")}
    assert len({storm(network, seed, 1)[0].at for seed in range(50)}) > 25
    with pytest.raises(Invalid, match="has room for 2 faults that do not touch, not for 3"):
        storm(network, 1, 3)


def test_a_crew_finds_the_fault_at_its_device_or_by_following_the_wires() -> None:
    network = Network([street()])
    faults, opened = carried_out(network, storm(network, 3, 2))
    by_device = {fault.device: fault for fault in faults}
    assert set(by_device) == {"fuse-a", "fuse-b"}
    assert found_at(network, opened, faults, "fuse-a") == by_device["fuse-a"]
    assert found_at(network, opened, faults, "line-b") == by_device["fuse-b"]
    assert found_at(network, opened, faults, "b1") == by_device["fuse-b"]
    assert found_at(network, opened, faults, "breaker") == faults[0]
    assert found_at(network, opened, faults, "m") is None
    repaired = [structs.replace(fault, repaired=True) for fault in faults]
    assert found_at(network, opened, repaired, "fuse-a") == structs.replace(by_device["fuse-a"], repaired=True)
    assert found_at(network, network.initially_open, repaired, "fuse-a") is None


def test_a_fault_is_matched_by_the_outage_that_names_its_device_and_covers_exactly_who_was_dark() -> None:
    network = Network([street()])
    faults, _ = carried_out(network, storm(network, 3, 2))
    by_device = {fault.device: fault for fault in faults}
    right = Outage(mrid="right", devices=frozenset({"fuse-a"}), usage_points=frozenset({"a1", "a2"}), closed=True)
    wide = Outage(mrid="wide", devices=frozenset({"fuse-b"}), usage_points=frozenset({"b1", "b2", "m"}), closed=True)
    order = TrainingScenario(mrid="storm", seed=3, faults=2)
    none_dark = Standing(customers_dark=0, customers_interrupted=8)
    repaired = [structs.replace(fault, repaired=True) for fault in faults]
    told = report(order, repaired, [right, wide], none_dark, START)
    assert (told.matched, told.faults_struck, told.customers_interrupted) == (1, 2, 8)
    assert told.status_kind is ScenarioStatusKind.FINISHED
    assert {match.fault: (match.outage, match.device_found) for match in told.outage_match} == {
        by_device["fuse-a"].mrid: ("right", True),
        by_device["fuse-b"].mrid: ("wide", True),
    }
    assert not is_over(faults, [right, wide], none_dark)
    assert not is_over(repaired, [right, structs.replace(wide, closed=False)], none_dark)
    assert not is_over(repaired, [right, wide], Standing(customers_dark=1, customers_interrupted=8))
    assert report(order, faults, [], none_dark, START).status_kind is ScenarioStatusKind.FAILED


def spells(count: int) -> list[Spell]:
    return [Spell(usage_point=f"u{number:04}", number=1, since=START) for number in range(count)]


def test_meters_gasp_after_they_are_sure_and_another_radio_moves_nothing_but_the_meters() -> None:
    stream, bad = Stream(5, "radio"), Odds(message_loss=0.3, message_double=0.05)
    dues = [due for spell in spells(4000) for due in last_gasps(stream, spell, Odds())]
    assert len(dues) == 4000
    assert all(timedelta(seconds=31) <= due.at - START <= timedelta(seconds=65) for due in dues)
    assert all(due.at.microsecond == 0 for due in dues)
    some = [due for spell in spells(4000) for due in last_gasps(stream, spell, bad)]
    heard = {due.spell.usage_point for due in some}
    assert abs(len(heard) / 4000 - 0.7) < 0.03
    assert abs((len(some) - len(heard)) / len(heard) - 0.05) < 0.015
    assert {(due.key, due.at) for due in some if due.key in heard} <= {(due.key, due.at) for due in dues}
    lit = [due for spell in spells(100) for due in power_ups(stream, spell, Odds())]
    assert all(timedelta(seconds=6) <= due.at - START <= timedelta(seconds=40) for due in lit)
    assert calls(Stream(5, "callers"), spells(100), bad) == calls(Stream(5, "callers"), spells(100), Odds())


@given(st.integers(min_value=1, max_value=40), st.integers(min_value=0, max_value=2**32))
def test_somebody_always_calls_and_nobody_calls_at_once(count: int, seed: int) -> None:
    dues = calls(Stream(seed, "callers"), spells(count), Odds(call=0.0))
    assert len(dues) == 1
    assert dues[0].at >= START + timedelta(seconds=60)
    assert calls(Stream(seed, "callers"), [], Odds()) == []
    assert len(calls(Stream(seed, "callers"), spells(count), Odds(call=1.0))) == count


def test_everything_happens_at_whole_seconds_and_never_early() -> None:
    crooked = START + timedelta(microseconds=1)
    assert after(crooked, 0) == START + timedelta(seconds=1)
    assert after(START, 0) == START
    assert after(START, 0.1) == START + timedelta(seconds=1)
