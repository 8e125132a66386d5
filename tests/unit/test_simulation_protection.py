"""Protection that operates over time: who opens, who closes again, who is in the dark at the end."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from contracts.nouns.feeder_topology import Feeder, RecloseSequence
from contracts.nouns.training_scenarios import FaultKind
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.network import ALL, Network
from services.emergency_simulation.domain.planning import Played, play_out
from services.emergency_simulation.domain.protection import Operation, Protection, Relay
from services.emergency_simulation.domain.supply import Supply
from tests.fixtures.streets import PROTECTED, START, equipment, fault, feeder, feeders, road, street, usage_point

PLAIN = Conditions(reclosing=False, sectionalising=False, single_phase=False)
GROUND = FaultKind.LINE_TO_GROUND


def played(built: Feeder, struck: Fault, conditions: Conditions = PROTECTED, seed: int = 1) -> Played:
    supply = Supply(Network([built]))
    supply.move(supply.network.normally)
    return play_out(supply, supply.network.normally, struck, conditions, seed)


def story(told: Played) -> list[tuple[str, str, float]]:
    """What moved, how, and how many seconds after the stroke."""
    return [
        (
            move.device,
            "lockout" if move.lockout else "trip" if move.trip else "close" if not move.open else "open",
            round((move.at - START).total_seconds(), 1),
        )
        for move in told.moves
    ]


def test_a_permanent_fault_behind_a_recloser_is_tried_three_times_and_locked_out() -> None:
    told = played(road(), fault("second"))
    assert story(told) == [
        ("recloser", "trip", 0.0),
        ("recloser", "close", 0.5),
        ("recloser", "trip", 0.6),
        ("recloser", "close", 15.6),
        ("recloser", "trip", 15.7),
        ("recloser", "close", 60.7),
        ("recloser", "lockout", 60.8),
    ]
    assert told.fault.device == "recloser"
    assert told.fault.dark == ("A", "B", "C", "end", "middle", "three")
    assert told.fault.final
    assert told.fault.lasting


def test_the_intervals_of_the_model_are_those_of_the_device_and_give_a_breaker_shots_too() -> None:
    shots = (RecloseSequence(reclose_delay=2.0, reclose_step=1), RecloseSequence(reclose_delay=9.0, reclose_step=2))
    built = road()
    parts = [
        structs.replace(each, reclose_sequences=shots) if each.mrid == "breaker" else each for each in built.equipment
    ]
    told = played(structs.replace(built, equipment=tuple(parts)), fault("first"))
    assert [(how, at) for _, how, at in story(told)] == [
        ("trip", 0.0),
        ("close", 2.0),
        ("trip", 2.1),
        ("close", 11.1),
        ("lockout", 11.2),
    ]
    assert story(played(road(), fault("first"))) == [("breaker", "lockout", 0.0)]


def test_the_fast_shot_of_a_recloser_saves_the_fuse_and_the_fuse_melts_when_the_fault_stays() -> None:
    told = played(road(), fault("lateral", GROUND, 0b001))
    assert story(told) == [
        ("recloser", "trip", 0.0),
        ("recloser", "close", 0.5),
        ("fuse", "lockout", 0.6),
    ]
    assert told.fault.device == "fuse"
    assert told.fault.dark == ("A",)
    assert told.opened == {"fuse": 0b001}


def test_without_fuse_saving_the_fuse_melts_first_on_the_phases_of_the_fault_alone() -> None:
    told = played(
        road(), fault("lateral", FaultKind.LINE_TO_LINE, 0b110), structs.replace(PROTECTED, fuse_saving=False)
    )
    assert story(told) == [("fuse", "lockout", 0.0)]
    assert told.fault.dark == ("B", "C")
    told = played(road(), fault("lateral"), PLAIN)
    assert told.fault.dark == ("A", "B", "C", "three")


def test_a_sectionaliser_counts_two_trips_and_opens_while_it_is_dead() -> None:
    told = played(road(), fault("third"))
    assert story(told) == [
        ("recloser", "trip", 0.0),
        ("recloser", "close", 0.5),
        ("recloser", "trip", 0.6),
        ("sectionaliser", "lockout", 0.7),
        ("recloser", "close", 15.6),
    ]
    assert told.fault.device == "sectionaliser"
    assert told.fault.dark == ("A", "B", "C", "end", "three")
    assert set(told.opened) == {"sectionaliser"}


def test_a_temporary_fault_is_gone_after_a_time_without_voltage_and_nobody_stays_in_the_dark() -> None:
    sure = structs.replace(PROTECTED, vanishing=1.0)
    told = played(road(), fault("lateral", GROUND, 0b010, temporary=True), sure)
    assert story(told) == [("recloser", "trip", 0.0), ("recloser", "close", 0.5)]
    assert told.fault.repaired
    assert told.fault.dark == ()
    assert not told.fault.lasting
    never = structs.replace(PROTECTED, vanishing=0.0)
    told = played(road(), fault("lateral", GROUND, 0b010, temporary=True), never)
    assert told.fault.device == "fuse"
    assert told.fault.repaired
    assert told.fault.dark == ("B",)
    assert told.fault.lasting


def test_a_temporary_fault_on_dead_wires_is_none() -> None:
    supply = Supply(Network([road()]))
    opened = {"breaker": ALL}
    struck = fault("lateral", temporary=True)
    outcome = Protection(supply, opened, conditions=PROTECTED, seed=1).strike(struck, START)
    assert [each.repaired for each in outcome.faults] == [True]
    assert not outcome.moves


def test_a_broken_wire_darkens_what_is_beyond_it_and_no_device_opens() -> None:
    told = played(road(), fault("lateral", FaultKind.OPEN_CONDUCTOR, 0b100))
    assert told.moves == ()
    assert told.fault.device is None
    assert told.fault.dark == ("C",)
    supply = Supply(Network([road()]))
    mended = Protection(supply, {}, [told.fault], conditions=PROTECTED, seed=1).repair(told.fault, START)
    assert [step.lit for step in mended.steps] == [{"C"}]


def test_where_coordination_fails_the_next_device_opens_and_more_people_are_in_the_dark() -> None:
    failing = structs.replace(PROTECTED, miscoordination=1.0)
    told = played(road(), fault("lateral", GROUND, 0b001), failing)
    assert told.fault.device == "breaker"
    assert "head" in told.fault.dark


def test_what_people_close_onto_a_fault_opens_at_once_and_for_good() -> None:
    network = Network([road()])
    told = played(road(), fault("second"))
    supply = Supply(network)
    relays = {"recloser": Relay(device="recloser", trips=4, moved_at=START)}
    protection = Protection(supply, told.opened, [told.fault], relays, conditions=PROTECTED, seed=1)
    outcome = protection.operate([Operation("recloser", open=False)], START)
    assert [(move.open, move.trip, move.lockout) for move in outcome.moves] == [
        (False, False, False),
        (True, True, True),
    ]
    assert outcome.opened == told.opened
    assert outcome.recloses == ()
    assert [(len(step.lost), len(step.lit)) for step in outcome.steps] == [(0, 6), (6, 0)]
    assert [relay.trips for relay in outcome.relays] == [1]


def test_a_device_that_may_not_reclose_locks_out_at_its_first_trip_and_one_that_was_closed_long_has_forgotten() -> None:
    supply = Supply(Network([road()]))
    blocked = {"recloser": Relay(device="recloser", enabled=False)}
    outcome = Protection(supply, {}, (), blocked, conditions=PROTECTED, seed=1).strike(fault("second"), START)
    assert [(move.trip, move.lockout) for move in outcome.moves] == [(True, True)]
    for seconds, interval in ((59, 45.0), (60, 0.5)):
        tired = {"recloser": Relay(device="recloser", trips=2, moved_at=START - timedelta(seconds=seconds))}
        supply.move({})
        outcome = Protection(supply, {}, (), tired, conditions=PROTECTED, seed=1).strike(fault("second"), START)
        assert outcome.recloses == (("recloser", START + timedelta(seconds=interval)),)


def test_indicators_between_the_source_and_the_fault_show_and_no_others() -> None:
    told = played(road(), fault("lateral", GROUND, 0b001))
    assert {flag.indicator for outcome in told.outcomes for flag in outcome.flags} == {
        "second-flag",
        "third-flag",
        "lateral-flag",
    }
    told = played(road(), fault("third"))
    assert {flag.indicator for outcome in told.outcomes for flag in outcome.flags} == {"second-flag"}
    erring = structs.replace(PROTECTED, indicator_miss=1.0, indicator_false=1.0)
    told = played(road(), fault("third"), erring)
    assert {flag.indicator for outcome in told.outcomes for flag in outcome.flags} == {"third-flag", "lateral-flag"}


def test_the_current_of_a_fault_is_smaller_far_away() -> None:
    built = road()
    long = tuple(structs.replace(each, length=3000.0) if each.node2 else each for each in built.equipment)
    near, far = (
        played(structs.replace(built, equipment=long), fault(place)).moves[0].current for place in ("first", "third")
    )
    assert near is not None
    assert far is not None
    assert 0 < far < near < 8000


def test_without_protection_the_nearest_switch_opens_and_without_a_switch_the_source() -> None:
    parts = [
        equipment("source", "EnergySource", "n0"),
        equipment("cable", "ACLineSegment", "n0", "n1"),
        equipment("switch", "Disconnector", "n1", "n2"),
        equipment("line", "ACLineSegment", "n2", "n3"),
    ]
    built = feeder(parts, [usage_point("u", "n3")])
    assert played(built, fault("line")).fault.device == "switch"
    told = played(built, fault("cable"))
    assert told.fault.device == "source"
    supply = Supply(Network([built]))
    mended = Protection(supply, told.opened, [told.fault], conditions=PROTECTED, seed=1).repair(told.fault, START)
    assert [step.lit for step in mended.steps] == [{"u"}]
    assert mended.opened == {}


def test_a_fault_that_is_fed_from_two_sides_opens_a_device_on_each() -> None:
    supply = Supply(Network([street()]))
    outcome = Protection(supply, {}, conditions=PLAIN, seed=1).strike(fault("line-b"), START)
    assert {move.device for move in outcome.moves} == {"fuse-b", "tie"}
    assert supply.dark == {"b1", "b2"}


CONDITIONS = st.builds(
    Conditions,
    reclosing=st.booleans(),
    sectionalising=st.booleans(),
    fuse_saving=st.booleans(),
    fast_shots=st.integers(min_value=0, max_value=3),
    miscoordination=st.sampled_from([0.0, 0.5, 1.0]),
    vanishing=st.sampled_from([0.0, 0.5, 1.0]),
)


def drawn_fault(network: Network, data: st.DataObject, at: datetime = START) -> Fault | None:
    """Any fault on anything that is no switch; a few on one or two of its phases."""
    places = [
        mrid
        for mrid, ends in zip(network.mrids, network.ends, strict=True)
        if ends is not None and ends[0] and not network.is_switch(mrid)
    ]
    if not places:
        return None
    place = data.draw(st.sampled_from(places))
    phases = data.draw(st.integers(min_value=1, max_value=ALL)) & network.phases(place) or network.phases(place)
    kind = data.draw(st.sampled_from([*FaultKind]))
    struck = fault(place, kind, phases, temporary=data.draw(st.booleans()) and kind is not FaultKind.OPEN_CONDUCTOR)
    return structs.replace(struck, mrid=data.draw(st.sampled_from(["x", "y", "z"])), at=at)


@settings(deadline=None)
@given(feeders(), CONDITIONS, st.data())
def test_at_the_end_nothing_live_feeds_a_fault_and_the_dark_are_those_who_lost_power(
    built: Feeder, conditions: Conditions, data: st.DataObject
) -> None:
    network = Network([built])
    struck = drawn_fault(network, data)
    if struck is None:
        return
    supply = Supply(network)
    supply.move(network.normally)
    before = set(supply.dark)
    told = play_out(supply, network.normally, struck, conditions, seed=data.draw(st.integers(0, 99)))
    if not told.fault.repaired and not told.fault.opens:
        assert not supply.is_fed(told.fault.equipment, told.fault.phases)
    assert set(told.fault.dark) == supply.dark - before
    assert told.fault.final or told.fault.device is None
    times = [move.at for move in told.moves]
    assert times == sorted(times)
    assert all(
        network.is_switch(move.device) or network.equipment[move.device].kind == "EnergySource" for move in told.moves
    )
    dark = set(before)
    for step in (step for outcome in told.outcomes for step in outcome.steps):
        assert not step.lost & dark
        assert step.lit <= dark
        dark = (dark | step.lost) - step.lit
    assert dark == supply.dark


@settings(deadline=None)
@given(feeders(), CONDITIONS, st.data())
def test_repairing_and_closing_what_opened_restores_exactly_those_who_were_in_the_dark(
    built: Feeder, conditions: Conditions, data: st.DataObject
) -> None:
    network = Network([built])
    struck = drawn_fault(network, data)
    if struck is None:
        return
    supply = Supply(network)
    supply.move(network.normally)
    told = play_out(supply, network.normally, struck, conditions, seed=1)
    mended = Protection(supply, told.opened, [told.fault], conditions=conditions, seed=1).repair(told.fault, START)
    closing = [Operation(device, open=False) for device in mended.opened.keys() - network.normally.keys()]
    closed = Protection(supply, mended.opened, (), conditions=conditions, seed=1).operate(closing, START)
    lit = {point for step in (*mended.steps, *closed.steps) for point in step.lit}
    assert lit == set(told.fault.dark)
    assert closed.opened == network.normally


@pytest.mark.parametrize("conditions", [PLAIN, PROTECTED])
def test_the_same_seed_gives_the_same_truth_to_the_last_operation(conditions: Conditions) -> None:
    for place in ("first", "second", "third", "lateral"):
        struck = fault(place, GROUND, 0b001, temporary=True)
        assert played(road(), struck, conditions, seed=4) == played(road(), struck, conditions, seed=4)
