"""The rules of fault management on one small feeder.

S ─ B ┬ F1 ┬ T11 (6)     B is a telemetered breaker, F1 to F3 are fuses; each transformer has six usage points
      │    └ T12 (6)     named T11-1 to T11-6 and so on.
      ├ F2 ─ T21 (6)
      └ F3 ┬ T31 (6)
           └ T32 (6)
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import CrewStatusKind
from services.fault_management.config import rules_from
from services.fault_management.domain.assessment import Report, report_late
from services.fault_management.domain.evidence import Evidence, EvidenceKind
from services.fault_management.domain.inference import HOLD, PATIENCE
from services.fault_management.domain.network import areas
from services.fault_management.domain.outage import NEXT, Outage, S, move
from services.fault_management.domain.prediction import predict
from services.fault_management.domain.situation import Wish
from services.fault_management.domain.timeline import Timeline
from services.fault_management.domain.verification import SETTLE, SILENCE
from services.fault_management.store.memory import MEMORY, Memory
from tests.fixtures.fault_desk import Desk, gasps, heard
from tests.fixtures.small_feeder import POINTS, T0, feeder, plain, s, under


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_tree_tells_who_hangs_on_what() -> None:
    network = Timeline.of([feeder()]).network
    assert network.under("F1") == frozenset(under("F1"))
    assert network.under("B") == frozenset(POINTS)
    assert network.under("T21") == frozenset(under("F2"))
    assert network.is_under("T21", "F2")
    assert network.is_under("F2", "S")
    assert not network.is_under("F1", "F2")
    assert list(network.devices)[-1] == "S"


def test_an_open_device_keeps_its_place_in_the_tree() -> None:
    network = Timeline.of([feeder("B", "F1")]).network
    assert network.under("F1") == frozenset(under("F1"))
    assert network.is_under("F1", "B")
    assert network.supply.dead_sections == {"B": frozenset(POINTS)}


def test_feeders_of_one_busbar_or_of_a_tie_that_was_closed_lately_are_one_area_and_others_are_not() -> None:
    one = feeder()
    joined = Feeder(mrid="a", event_time=T0, model_version="1", revision=1, equipment=(plain("L", "Line", "n0", "x"),))
    tie = Equipment(
        mrid="tie",
        kind="LoadBreakSwitch",
        name="tie",
        node1="n1",
        node2="y",
        normal_open=True,
        open=True,
        phases=PhaseCode.ABC,
        protective=False,
        remotely_operable=True,
    )
    apart = Feeder(
        mrid="z", event_time=T0, model_version="1", revision=1, equipment=(tie, plain("M", "Line", "y", "w"))
    )
    assert [[each.mrid for each in area] for area in areas([apart, one, joined])] == [["a", "feeder"], ["z"]]
    assert [[each.mrid for each in area] for area in areas([apart, one], ["tie"])] == [["feeder", "z"]]
    memory = Memory(rules_from({}))
    for each in (one, apart):
        memory.put(each)

    def switched(at: float, *, is_open: bool, revision: int) -> tuple[str, ...]:
        moved = replace(apart, equipment=(replace(tie, open=is_open), apart.equipment[1]))
        memory.put(replace(moved, event_time=s(at), revision=revision))
        network = memory.network("z")
        assert network is not None
        return network.feeders

    together = ("feeder", "z")
    assert switched(60, is_open=False, revision=2) == together
    assert switched(120, is_open=True, revision=3) == together, "who was dark before was so by a device of either"
    memory.ties_opened({"tie": s(119) - MEMORY})
    network = memory.network("z")
    assert network is not None
    assert network.feeders == ("z",), "so long ago nothing is told apart any more"


def test_one_of_six_is_a_suspicion_and_two_are_their_transformer() -> None:
    topology = Timeline.of([feeder()])
    (alone,) = predict(topology, gasps("T11-1"), s(60))
    assert (alone.likely, alone.points) == (False, ("T11-1",))
    (both,) = predict(topology, gasps("T11-1", "T11-2"), s(60))
    assert (both.likely, both.device, len(both.points)) == (True, "T11", 6)


def test_a_call_under_the_next_transformer_raises_the_outage_to_the_fuse_and_keeps_its_id(desk: Desk) -> None:
    first = heard(EvidenceKind.CALL, "T11-1", source="a") + heard(EvidenceKind.CALL, "T11-2", at=20, source="b")
    desk.hear(first, at=20)
    (predicted,) = desk.hear([], at=20 + HOLD.total_seconds())
    assert (predicted.state, predicted.device, predicted.tickets) == (S.PREDICTED, "T11", ("a", "b"))
    (raised,) = desk.hear(heard(EvidenceKind.CALL, "T12-4", at=90, source="c"), at=90)
    assert (raised.mrid, raised.device, raised.points) == (predicted.mrid, "F1", tuple(sorted(under("F1"))))
    assert [wish for wish, _ in desk.wishes] == [Wish.WORK]


def test_a_customer_who_calls_three_times_and_a_meter_that_gasps_six_times_are_one_vote_each(desk: Desk) -> None:
    calls = [each for n in range(3) for each in heard(EvidenceKind.CALL, "T11-1", at=n * 60, source=f"call {n}")]
    meter = [each for n in range(6) for each in gasps("T11-1", at=n * 10)]
    (outage,) = desk.hear(calls + meter, at=200)
    (outage,) = desk.hear([], at=300)
    assert (outage.state, outage.points, len(outage.tickets)) == (S.SUSPECTED, ("T11-1",), 3)


def test_a_suspicion_names_no_device_while_it_is_held_back(desk: Desk) -> None:
    (held,) = desk.hear(gasps(*under("F1")), at=40)
    assert (held.state, held.device) == (S.SUSPECTED, None)
    (named,) = desk.hear([], at=40 + HOLD.total_seconds())
    assert (named.state, named.device, named.mrid) == (S.PREDICTED, "F1", held.mrid)
    assert [each.revision for each in desk.told] == [1, 2]


def test_a_suspicion_that_nothing_contradicts_becomes_worth_a_visit(desk: Desk) -> None:
    desk.hear(heard(EvidenceKind.CALL, "T11-1", source="a"), at=0)
    (outage,) = desk.hear([], at=PATIENCE.total_seconds())
    assert (outage.state, outage.points) == (S.PREDICTED, ("T11-1",))
    assert desk.wishes == [(Wish.WORK, outage.mrid)]


def test_power_below_a_device_moves_the_prediction_down_and_the_older_id_goes_with_the_bigger_part(desk: Desk) -> None:
    desk.hear(gasps("T11-1", "T11-2", "T11-3", "T12-1", "T12-2"), at=40)
    (whole,) = desk.hear([], at=110)
    assert whole.device == "F1"
    alive = heard(EvidenceKind.RESTORED, "T12-6", at=60)
    parts = {outage.device: outage for outage in desk.hear(alive, at=130)}
    assert parts["T11"].mrid == whole.mrid
    assert parts["T11"].state is S.PREDICTED
    assert all(outage.state is S.SUSPECTED for device, outage in parts.items() if device != "T11")


def test_two_fuses_below_a_breaker_that_is_reported_closed_are_two_outages(desk: Desk) -> None:
    desk.hear(gasps(*under("F1"), *under("F2")), at=40)
    assert [outage.device for outage in desk.hear([], at=110)] == ["F1", "F2"]


def test_all_dark_below_a_breaker_that_is_reported_closed_is_the_loss_of_the_source() -> None:
    (area,) = predict(Timeline.of([feeder()]), gasps(*POINTS), s(60))
    assert (area.device, len(area.points)) == ("S", 30)


def test_what_the_topology_reports_open_is_known_at_once_and_gasps_join_it(desk: Desk) -> None:
    (outage,) = desk.follow("B", at=0)
    assert (outage.state, outage.device, len(outage.points), outage.since) == (S.CONFIRMED, "B", 30, T0)
    assert [each.mrid for each in desk.hear(gasps(*POINTS), at=45)] == [outage.mrid]
    assert [each.revision for each in desk.told] == [1]


def test_predictions_below_a_device_that_turns_out_open_join_its_outage(desk: Desk) -> None:
    desk.hear(gasps(*under("F1", "F2")), at=40)
    before = desk.hear([], at=110)
    (known,) = desk.follow("B", at=5)
    assert (known.mrid, known.device) == (before[0].mrid, "B")
    assert desk.outages[before[1].mrid].state is S.DISMISSED


def test_a_house_that_was_dark_before_the_feeder_tripped_has_an_outage_of_its_own(desk: Desk) -> None:
    desk.hear(heard(EvidenceKind.CALL, "T11-1", source="a"), at=0)
    house, trip = desk.follow("B", at=900)
    assert (house.points, len(trip.points)) == (("T11-1",), 29)
    outages = desk.follow(at=1800)
    assert [(each.mrid, each.state) for each in outages] == [(house.mrid, S.PREDICTED), (trip.mrid, S.RESTORED)]


def test_an_older_call_that_arrives_late_takes_its_house_out_of_the_outage_of_the_feeder(desk: Desk) -> None:
    desk.follow("B", at=900)
    house, trip = desk.hear(heard(EvidenceKind.CALL, "T11-1", source="a"), at=950)
    assert (house.points, len(trip.points)) == (("T11-1",), 29)


def test_the_finding_of_the_crew_makes_the_outage_known_and_is_told_to_network_operation(desk: Desk) -> None:
    desk.hear(gasps("T11-1", "T11-2"), at=40)
    (predicted,) = desk.hear([], at=110)
    news = Report(crew=CrewStatusKind.ARRIVED, cause="vegetation", device="F1")
    (known,) = desk.report(predicted, news, at=1000)
    assert (known.state, known.device, known.cause, len(known.points)) == (S.CONFIRMED, "F1", "vegetation", 12)
    assert [wish for wish, _ in desk.wishes] == [Wish.WORK, Wish.OPENING]


def test_a_fuse_is_closed_once_after_its_repair_and_the_meters_end_the_outage(desk: Desk) -> None:
    desk.hear(gasps(*under("F1")), at=40)
    (outage,) = desk.hear([], at=110)
    (outage,) = desk.report(outage, Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="F1"), at=600)
    done = Report(crew=CrewStatusKind.FIELD_COMPLETE, cause="animal", device="F1", repaired_at=s(900))
    (outage,) = desk.report(outage, done, at=900)
    assert outage.state is S.CONFIRMED, "network operation does not know yet that the fuse is open"
    (outage,) = desk.follow("F1", at=950)
    (outage,) = desk.follow("F1", at=960)
    assert [wish for wish, _ in desk.wishes] == [Wish.WORK, Wish.OPENING, Wish.CLOSING]
    (outage,) = desk.follow(at=1200)
    assert (outage.state, outage.ended_at) == (S.RESTORED, s(1200))
    (outage,) = desk.hear(heard(EvidenceKind.RESTORED, "T11-3", at=1200), at=1300)
    assert outage.state is S.RESTORED, "no meter under T12 has confirmed it"
    assert desk.hear(heard(EvidenceKind.RESTORED, "T12-1", at=1200), at=1310) == []
    closed = desk.outages[outage.mrid]
    assert (closed.state, closed.unconfirmed) == (S.CLOSED, False)
    assert [each.revision for each in desk.told] == list(range(1, len(desk.told) + 1))


def test_a_device_that_nobody_reports_open_is_verified_by_the_meters_alone(desk: Desk) -> None:
    desk.hear(gasps(*under("F2")), at=40)
    (outage,) = desk.hear([], at=110)
    (outage,) = desk.report(outage, Report(crew=CrewStatusKind.FIELD_COMPLETE, repaired_at=s(900)), at=900)
    assert outage.state is S.RESTORED
    assert Wish.CLOSING not in dict(desk.wishes)
    assert desk.hear(heard(EvidenceKind.RESTORED, "T21-1", at=850), at=1000) == []


def test_a_plan_that_failed_is_not_asked_for_again(desk: Desk) -> None:
    (outage,) = desk.follow("B", at=0)
    done = Report(crew=CrewStatusKind.FIELD_COMPLETE, cause="weather", device="B", repaired_at=s(900))
    (outage,) = desk.report(outage, done, at=900)
    assert outage.closing is not None
    (outage,) = desk.end_plan(outage, outage.closing.mrid, "it was aborted", at=1000)
    assert (outage.state, outage.trouble) == (S.CONFIRMED, "it was aborted")
    desk.follow("B", at=1100)
    assert [wish for wish, _ in desk.wishes] == [Wish.WORK, Wish.CLOSING]


def test_silent_meters_leave_a_restoration_unconfirmed(desk: Desk) -> None:
    desk.follow("B", at=0)
    (outage,) = desk.follow(at=600)
    assert desk.hear([], at=600 + SETTLE.total_seconds())[0].state is S.RESTORED
    assert desk.hear([], at=600 + SILENCE.total_seconds()) == []
    assert desk.outages[outage.mrid].unconfirmed


def test_a_meter_that_gasps_after_the_restoration_opens_an_outage_of_its_own(desk: Desk) -> None:
    desk.follow("B", at=0)
    desk.follow(at=600)
    nested = gasps("T11-1", "T11-2", at=700)
    parent, child = desk.hear(nested, at=750)
    assert (parent.state, child.state, child.since) == (S.RESTORED, S.SUSPECTED, s(700))
    everybody = heard(EvidenceKind.RESTORED, *under("F1", "F2", "F3"), at=600)
    assert desk.hear(everybody, at=760)[0].state is S.RESTORED, "two of its meters deny it"


def test_what_stays_dark_below_another_open_device_goes_over_to_an_outage_of_its_own(desk: Desk) -> None:
    desk.follow("B", at=0)
    desk.follow("F1", at=600)
    known = {each.device: each for each in desk.outages.values()}
    assert (known["F1"].state, known["F1"].since, len(known["F1"].points)) == (S.CONFIRMED, T0, 12)
    assert (known["F1"].parent, known["F1"].opened_at) == (known["B"].mrid, s(600))
    assert (known["B"].state, len(known["B"].points), len(known["B"].handed)) == (S.RESTORED, 30, 12)
    desk.hear(heard(EvidenceKind.RESTORED, *under("F2", "F3"), at=600), at=700)
    assert [outage.device for outage in desk.look(700).open()] == ["F1"]


def test_part_of_an_outage_that_has_supply_again_is_told(desk: Desk) -> None:
    desk.follow("B", at=0)
    desk.feeders = [feeder("B", at=s(600), fed={"n1", "F2", "T21"})]
    (outage,) = desk.hear([], at=600)
    assert (outage.state, sorted(outage.restored)) == (S.PARTIALLY_RESTORED, under("F2"))
    (outage,) = desk.follow(at=900)
    assert (outage.state, outage.ended_at, outage.restored["T21-1"]) == (S.RESTORED, s(900), s(600))


def test_a_suspicion_whose_meter_has_power_again_is_dismissed(desk: Desk) -> None:
    (outage,) = desk.hear(gasps("T11-1"), at=40)
    assert desk.hear(heard(EvidenceKind.RESTORED, "T11-1", at=70), at=75) == []
    assert desk.outages[outage.mrid].state is S.DISMISSED


@pytest.mark.parametrize(("crew", "recalled"), [(CrewStatusKind.ENROUTE, True), (CrewStatusKind.ARRIVED, False)])
def test_the_crew_of_an_outage_that_belongs_to_another_is_recalled_unless_it_is_there(
    desk: Desk, crew: CrewStatusKind, *, recalled: bool
) -> None:
    desk.hear([*gasps(*under("F1")), *gasps(*under("F3"), at=1)], at=40)
    first, second = desk.hear([], at=101)
    desk.report(second, Report(crew=crew), at=200)
    desk.report(first, Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="B"), at=300)
    assert desk.outages[second.mrid].state is S.DISMISSED
    assert ((Wish.RECALL, second.mrid) in desk.wishes) is recalled


@pytest.mark.parametrize("state", list(S))
def test_no_state_follows_that_the_table_does_not_name(state: S) -> None:
    outage = Outage(mrid="o", feeder="feeder", state=state, since=T0, suspected_at=T0, points=("T11-1",), why="")
    for other in set(S) - NEXT[state] - {state}:
        with pytest.raises(ValueError, match="cannot go"):
            move(outage, other)


pieces = st.lists(
    st.builds(
        Evidence,
        usage_point=st.sampled_from(POINTS),
        time=st.integers(0, 600).map(s),
        kind=st.sampled_from(list(EvidenceKind)),
        source=st.sampled_from(["a", "b"]),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(evidence=pieces, data=st.data())
def test_outages_come_to_the_same_whatever_the_order_in_which_the_evidence_arrives(
    evidence: list[Evidence], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(evidence + evidence[:5]))
    ends = []
    for arrival in (evidence, shuffled):
        desk = Desk()
        for place, each in enumerate(arrival):
            desk.hear([each], at=600 + place)
            points = [mrid for outage in desk.look(0).open() for mrid in outage.points]
            assert len(points) == len(set(points))
        open_outages = desk.hear([], at=800)
        ends.append(
            sorted(
                (o.points, o.device, o.since, o.state) for o in open_outages if o.state in {"SUSPECTED", "PREDICTED"}
            )
        )
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("outage", "device", "cause"),
    [
        ({}, "F2", "animal"),
        ({"state": S.MOMENTARY}, "F2", "animal"),
        ({"opened_at": s(0)}, "F1", "animal"),
        ({"by": "ola"}, "F1", "animal"),
        ({"by": "ola", "cause": "weather"}, "F1", "weather"),
        ({"cause": "weather"}, "F2", "animal"),
        ({"state": S.DISMISSED}, "F1", None),
        ({"state": S.RESTORED}, "F1", None),
    ],
)
def test_what_a_crew_finds_late_is_added_and_what_was_seen_or_said_by_an_operator_stays(
    desk: Desk, outage: dict[str, Any], device: str, cause: str | None
) -> None:
    over = Outage(
        mrid="o", feeder="feeder", state=S.CLOSED, since=s(0), suspected_at=s(0), points=("T11-1",), why="", device="F1"
    )
    over = replace(over, **outage)
    news = Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="F2")
    known = report_late(over, news, desk.network)
    assert (known.device, known.cause) == (device, cause)
    assert (known.since, known.restored, known.points, known.state) == (over.since, {}, over.points, over.state)
    assert known.revision == over.revision + (known != over)
    assert report_late(known, news, desk.network) == known, "the same again is nothing new"
    assert report_late(over, replace(news, cause=None), desk.network) == over
