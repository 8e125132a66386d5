"""What the log of operations says: how the network was at any time, and who lost supply by what and for how long."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.nouns.switching_events import SwitchingEventType as T
from contracts.nouns.unplanned_outages import CrewStatusKind
from services.compliance_management.domain.interruptions import Interruption, momentary_events
from services.fault_management.domain.assessment import Report
from services.fault_management.domain.evidence import Evidence, EvidenceKind
from services.fault_management.domain.inference import HOLD
from services.fault_management.domain.operation import Operation
from services.fault_management.domain.outage import Outage, S
from services.fault_management.domain.reclosing import RESET
from services.fault_management.domain.structure import Structure
from services.fault_management.domain.supply import Supplies
from services.fault_management.domain.timeline import Timeline
from tests.fixtures.fault_desk import Desk, gasps, heard, operation
from tests.fixtures.interruption_ledger import interruptions_told
from tests.fixtures.phased_feeders import below, feeders
from tests.fixtures.small_feeder import s

BELOW_R = below("FA", "FB", "FC", "FT", "H1", "H2")
TRANSFER = (operation("D", "open", 600, T.COMMAND), operation("N", "close", 620, T.COMMAND))
SUCCESS = (
    *(operation("R", "open", at, T.TRIP) for at in (0, 1, 17)),
    *(operation("R", "close", at, T.RECLOSE) for at in (0.5, 16, 62)),
)
LOCKOUT = (
    *(operation("R", "open", at, T.TRIP) for at in (0, 1, 17, 63)),
    *(operation("R", "close", at, T.RECLOSE) for at in (0.5, 16, 62)),
    operation("R", "lockout", 63, T.LOCKOUT),
)
STAYS = RESET.total_seconds()


@pytest.fixture
def desk() -> Desk:
    return Desk(*feeders(at=s(-3600)))


def minutes(told: Iterable[Outage]) -> tuple[int, int, int]:
    """Of one customer below the recloser: momentary interruptions, momentary events, sustained interruptions."""
    counted = [each for each in interruptions_told(told) if each.usage_point == "FA-1"]
    return sum(not each.sustained for each in counted), len(momentary_events(counted)), sum(map(_sustained, counted))


def _sustained(each: Interruption) -> bool:
    return each.sustained


def test_the_network_is_known_as_it_was_at_any_time() -> None:
    topology = Timeline(Supplies(Structure(feeders())), feeders(["D", "N"], at=s(620)), TRANSFER)
    assert topology.at(s(599)).tree.chain("H1-1") == ["H", "R", "B1", "S"]
    assert topology.at(s(610)).dead == frozenset(below("H1", "H2"))
    assert topology.at(s(620)).tree.chain("H1-1") == ["H", "Q", "B2", "S"]
    assert not topology.network.dead


@given(st.permutations(TRANSFER + LOCKOUT))
def test_the_order_in_which_operations_are_told_changes_nothing(operations: list[Operation]) -> None:
    supplies = Supplies(Structure(feeders()))
    told = feeders(["D", "N", "R"], at=s(620))
    one, other = Timeline(supplies, told, TRANSFER + LOCKOUT), Timeline(supplies, told, operations)
    assert one.moments == other.moments


def test_a_state_that_no_operation_explains_came_with_the_last_change_of_its_feeder() -> None:
    topology = Timeline.of(feeders(["R"], at=s(300)), (operation("D", "open", 0), operation("D", "close", 100)))
    assert not topology.at(s(299)).dead
    assert topology.at(s(300)).dead == frozenset(BELOW_R)
    assert [(each.device, each.time, each.open) for each in topology.implied] == [("R", s(300), True)]


def test_what_the_log_tells_before_the_state_does_is_not_undone_by_the_older_state() -> None:
    supplies, since = Supplies(Structure(feeders())), {"R": s(33)}
    told = feeders(["R"], at=s(35))  # something else has moved at 35
    trip, reclose = operation("R", "open", 33), operation("R", "close", 34)
    between = Timeline(supplies, told, (trip, reclose), since=since)
    assert between.implied == []
    assert not between.network.dead
    assert Timeline(supplies, told, (trip,), since=since).network.dead == frozenset(BELOW_R)


def test_beyond_a_closed_tie_there_is_supply_from_elsewhere() -> None:
    one, two = feeders(["D", "N"])
    alone = Timeline(Supplies(Structure([one], [two])), [one, two])
    assert not alone.network.dead
    assert "H1-1" in alone.network.under("H")
    assert "H1-1" not in alone.network.under("R")


def test_a_recloser_that_succeeds_on_its_third_shot_leaves_three_momentary_interruptions_and_no_work(
    desk: Desk,
) -> None:
    for each in sorted(SUCCESS, key=lambda operation: operation.time):
        assert desk.operate(each, at=(each.time - s(0)).total_seconds()) == []
    assert desk.told == [], "nothing is known while it is cycling"
    assert desk.hear(gasps(*BELOW_R, at=18), at=62 + STAYS) == []
    assert [each.state for each in desk.told] == [S.MOMENTARY] * 3
    assert minutes(desk.told) == (3, 1, 0)
    assert desk.wishes == []


def test_a_fuse_that_melts_after_the_fast_trip_is_one_outage_since_that_trip_for_those_below_it(desk: Desk) -> None:
    behind = below("FA", "FB", "FC", "FT")
    trip = (operation("R", "open", 0, T.TRIP), operation("R", "close", 0.5, T.RECLOSE))
    desk.operate(*trip, at=4)
    (suspected,) = desk.hear(gasps(*behind, at=0.6), at=0.5 + STAYS)
    assert suspected.state is S.SUSPECTED, "no meter gasps for half a second, so its gasp is of something else"
    (outage,) = desk.hear([], at=200)
    assert (outage.state, outage.device) == (S.PREDICTED, "F")
    (outage,) = desk.report(outage, Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="F"), at=1800)
    assert (outage.state, outage.since, outage.points) == (S.CONFIRMED, s(0), tuple(sorted(behind)))
    momentary = next(each for each in desk.outages.values() if each.state is S.MOMENTARY)
    assert set(momentary.points) == set(BELOW_R) - set(behind)


@pytest.mark.parametrize(
    ("dark", "alive", "since"),
    [
        (gasps("FA-1", "FA-2", at=17), [], 0),
        (gasps("FA-1", "FA-2", at=17), heard(EvidenceKind.RESTORED, "FA-3", at=64), 400),
        ([], [], 0),
        ([], heard(EvidenceKind.ANSWERED, "FA-3", at=300), 400),
    ],
    ids=["gasps that the trip explained", "a neighbour had power again", "nobody but callers", "a neighbour had power"],
)
def test_those_who_call_after_the_trips_of_a_device_above_have_been_dark_since_then_unless_a_neighbour_had_power(
    desk: Desk, dark: list[Evidence], alive: list[Evidence], since: float
) -> None:
    desk.operate(*SUCCESS, at=62)
    assert desk.hear([*dark, *alive, *heard(EvidenceKind.RESTORED, *below("H1"), at=64)], at=62 + STAYS) == []
    desk.hear(heard(EvidenceKind.CALL, "FA-1", "FA-2", at=400), at=400)
    (outage,) = desk.hear([], at=1400)
    assert (outage.state, outage.device, len(outage.points)) == (S.PREDICTED, "FA", 4)
    (outage,) = desk.report(outage, Report(crew=CrewStatusKind.ARRIVED, cause="animal"), at=1800)
    assert (outage.state, outage.since) == (S.CONFIRMED, s(since))


def test_a_shot_long_before_keeps_those_who_lose_their_supply_by_another_reason_later(desk: Desk) -> None:
    desk.operate(operation("R", "open", 0, T.TRIP), operation("R", "close", 0.5, T.RECLOSE), at=1)
    desk.hear([], at=0.5 + STAYS)
    desk.hear(gasps(*below("H1", "H2"), at=900), at=940)
    (outage,) = desk.hear([], at=1100)
    desk.report(outage, Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="H"), at=1800)
    (momentary,) = [each for each in desk.outages.values() if each.state is S.MOMENTARY]
    assert momentary.points == tuple(sorted(BELOW_R))


def test_a_gasp_of_what_opened_for_longer_than_meters_wait_belongs_to_the_momentary_outage(desk: Desk) -> None:
    desk.operate(operation("R", "open", 0, T.TRIP), operation("R", "close", 45, T.RECLOSE), at=46)
    assert desk.hear(gasps(*BELOW_R, at=0), at=45 + STAYS) == []
    assert [each.state for each in desk.outages.values()] == [S.MOMENTARY]


def test_the_golden_sequence_that_holds_is_two_interruptions_and_one_event(desk: Desk) -> None:
    trips = (operation("R", "open", 0, T.TRIP), operation("R", "open", 1, T.TRIP))
    closes = (operation("R", "close", 0.5, T.RECLOSE), operation("R", "close", 16, T.RECLOSE))
    desk.operate(*trips, *closes, at=16)
    desk.hear([], at=16 + STAYS)
    assert minutes(desk.told) == (2, 1, 0)


def test_the_golden_sequence_that_locks_out_is_one_sustained_interruption_and_no_event(desk: Desk) -> None:
    trips = (operation("R", "open", 0, T.TRIP), operation("R", "open", 1, T.TRIP), operation("R", "open", 16.5, T.TRIP))
    closes = (operation("R", "close", 0.5, T.RECLOSE), operation("R", "close", 16, T.RECLOSE))
    desk.operate(*trips, *closes, operation("R", "lockout", 16.5, T.LOCKOUT), at=17)
    (outage,) = desk.operate(operation("R", "close", 3600, T.COMMAND), at=3600)
    assert (outage.since, outage.ended_at) == (s(0), s(3600))
    assert minutes(desk.told) == (0, 0, 1)


def test_a_lockout_is_one_outage_since_the_first_trip(desk: Desk) -> None:
    for each in sorted(LOCKOUT, key=lambda operation: operation.time):
        desk.operate(each, at=(each.time - s(0)).total_seconds())
    (outage,) = desk.outages.values()
    assert (outage.state, outage.device, outage.since) == (S.CONFIRMED, "R", s(0))
    assert outage.points == tuple(sorted(BELOW_R))
    assert [wish for wish, _ in desk.wishes] == ["work"]


def test_a_device_that_does_not_close_within_its_longest_interval_has_locked_out(desk: Desk) -> None:
    assert desk.operate(operation("R", "open", 0, T.TRIP), at=0) == []
    assert desk.hear(gasps(*BELOW_R, at=0), at=54) == []
    (outage,) = desk.hear([], at=55)
    assert (outage.state, outage.since) == (S.CONFIRMED, s(0))


def test_a_reclosing_that_is_told_late_makes_a_lockout_that_was_assumed_a_momentary_one(desk: Desk) -> None:
    desk.operate(operation("R", "open", 0, T.TRIP), at=0)
    (assumed,) = desk.hear([], at=60)
    assert desk.operate(operation("R", "close", 40, T.RECLOSE), at=200) == []
    assert (desk.outages[assumed.mrid].state, minutes(desk.told)) == (S.MOMENTARY, (1, 1, 0))


def test_a_lockout_that_is_told_late_takes_back_what_was_momentary(desk: Desk) -> None:
    desk.operate(operation("R", "open", 0, T.TRIP), operation("R", "close", 0.5, T.RECLOSE), at=1)
    desk.hear([], at=0.5 + STAYS)
    assert [each.state for each in desk.told] == [S.MOMENTARY]
    late = [each for each in LOCKOUT if each.time > s(0.5)]
    (outage,) = desk.operate(*late, at=200)
    assert outage.since == s(0)
    assert minutes([*desk.told]) == (0, 0, 1)


def test_what_a_customer_was_without_for_five_minutes_to_the_instant_is_momentary(desk: Desk) -> None:
    desk.operate(operation("B2", "open", 0, T.TRIP), at=0)
    desk.operate(operation("B2", "close", 300, T.COMMAND), at=300)
    assert [each.state for each in desk.outages.values()] == [S.MOMENTARY]
    desk.operate(operation("B2", "open", 1000, T.TRIP), at=1000)
    (outage,) = desk.operate(operation("B2", "close", 1300.001, T.COMMAND), at=1301)
    assert outage.state is S.RESTORED


def test_a_suspicion_waits_as_long_as_the_recloser_above_may_stay_open(desk: Desk) -> None:
    desk.hear(gasps(*below("FA", "FB"), at=0), at=40)
    assert desk.hear([], at=40 + HOLD.total_seconds())[0].state is S.SUSPECTED
    (outage,) = desk.hear([], at=40 + sum((0.5, 15, 45)) + 10)
    assert (outage.state, outage.device) == (S.PREDICTED, "F")


def test_nothing_is_said_of_a_call_below_a_device_that_is_cycling(desk: Desk) -> None:
    desk.operate(operation("R", "open", 0, T.TRIP), at=0)
    assert desk.hear(heard(EvidenceKind.CALL, "FA-1", at=20, source="a"), at=20) == []
    (outage,) = desk.hear([], at=55)
    assert (outage.state, outage.tickets) == (S.CONFIRMED, ("a",))


def test_two_steps_of_a_restoration_each_have_their_own_time(desk: Desk) -> None:
    desk.operate(operation("R", "open", 0, T.TRIP), operation("R", "lockout", 0, T.LOCKOUT), at=0)
    steps = (*TRANSFER, operation("R", "close", 3600, T.COMMAND))
    (outage,) = desk.operate(*steps, at=3600)
    assert (outage.state, outage.isolation) == (S.RESTORED, ())
    assert (outage.restored["H1-1"], outage.restored["FA-1"]) == (s(620), s(3600))


def test_what_people_open_below_isolates_the_fault_and_is_no_other_outage(desk: Desk) -> None:
    desk.operate(operation("R", "open", 0, T.TRIP), operation("R", "lockout", 0, T.LOCKOUT), at=0)
    (outage,) = desk.operate(operation("D", "open", 900, T.COMMAND), operation("R", "close", 960, T.COMMAND), at=960)
    assert (outage.device, outage.state, outage.isolation) == ("R", S.PARTIALLY_RESTORED, ("D",))
    assert set(outage.points) - outage.restored.keys() == set(below("H1", "H2"))
    (outage,) = desk.operate(operation("D", "close", 5000, T.COMMAND), at=5000)
    assert (outage.state, outage.restored["H1-1"]) == (S.RESTORED, s(5000))
