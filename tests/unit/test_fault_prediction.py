"""Which device is out, and on which phases: the roll-up on a feeder with laterals of one phase and a tie."""

from collections.abc import Mapping
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns.switching_events import SwitchingEventType as T
from services.fault_management.domain.evidence import Evidence, EvidenceKind
from services.fault_management.domain.prediction import Prediction, predict
from services.fault_management.domain.structure import Structure
from services.fault_management.domain.supply import Supplies
from services.fault_management.domain.timeline import Timeline
from tests.fixtures.fault_desk import gasps, heard, operation
from tests.fixtures.phased_feeders import below, feeders
from tests.fixtures.small_feeder import POINTS, s
from tests.fixtures.small_feeder import feeder as small_feeder

E = EvidenceKind
A, B, C = 1, 2, 4
ALL_POINTS = below("FA", "FB", "FC", "FT", "G1", "G2", "H1", "H2", "K1", "K2", "LA", "LB")
TOWN = Timeline.of(feeders(at=s(-3600)))
TURNED = [Timeline.of(feeders(at=s(-3600), rotation=by)) for by in range(3)]


def named(areas: tuple[Prediction, ...]) -> list[tuple[str | None, int | None, tuple[str, ...]]]:
    return [(each.device, each.phases, each.points) for each in areas]


def test_dark_meters_of_one_phase_are_the_fuse_on_that_phase_while_the_others_answer() -> None:
    alive = heard(E.RESTORED, *below("FB", "FC"), at=30)
    assert named(predict(TOWN, gasps(*below("FA")) + alive, s(60))) == [("F", A, tuple(below("FA")))]
    assert named(predict(TOWN, gasps(*below("FA")[:3]) + alive, s(60))) == [("FA", None, tuple(below("FA")))]
    both = gasps(*below("FA")) + heard(E.PARTIAL, "FT-1", at=20) + alive
    (area,) = predict(TOWN, both, s(60))
    assert (area.device, area.phases, area.points) == ("F", A, tuple(below("FA")))
    assert "FT-1" in area.dark
    assert area.why == "5 of 5 usage points under F, phase A report no power"


def test_a_customer_with_three_phases_who_has_power_does_not_speak_against_the_loss_of_one() -> None:
    evidence = gasps(*below("FA", "FB")) + heard(E.RESTORED, *below("FT"), at=30)
    (area,) = predict(TOWN, evidence, s(60))
    assert (area.device, area.phases, area.points) == ("F", A | B, tuple(sorted(below("FA", "FB"))))


def test_a_customer_with_three_phases_who_misses_some_does_not_lack_all() -> None:
    (area,) = predict(TOWN, heard(E.PARTIAL, *below("FT"), at=20), s(60))
    assert (area.device, area.phases, area.points) == ("F", None, tuple(below("FT")))
    spread = heard(E.PARTIAL, "G1-1", "G1-2", "G2-1", "G2-2", at=20)
    (area,) = predict(TOWN, spread, s(60))
    assert (area.device, area.phases, area.points) == ("G", None, ("G1-1", "G1-2", "G2-1", "G2-2"))


def test_a_recloser_opens_all_its_poles_unless_another_phase_has_power() -> None:
    dark = gasps(*below("LA"), "K1-1", "K1-2", "K2-1")
    (area,) = predict(TOWN, dark, s(60))
    assert (area.device, area.phases, len(area.points)) == ("Q", None, 12)
    alive = heard(E.RESTORED, "LB-1", at=30)
    assert named(predict(TOWN, dark + alive, s(60))) == [
        ("K", None, tuple(below("K1", "K2"))),
        ("L", A, tuple(below("LA"))),
    ]


def test_a_part_of_the_power_at_a_customer_of_one_phase_is_nothing_upstream() -> None:
    (area,) = predict(TOWN, heard(E.PARTIAL, "FA-1", at=20), s(60))
    assert (area.likely, area.points) == (False, ("FA-1",))
    areas = predict(TOWN, heard(E.PARTIAL, "FA-1", at=20) + gasps("FA-2", "FA-3"), s(60))
    assert not any(each.likely for each in areas), "the transformer has power, or he would have none"


def test_late_gasps_are_judged_by_the_network_before_the_tie_was_closed() -> None:
    transfer = (operation("D", "open", 600, T.COMMAND), operation("N", "close", 600, T.COMMAND))
    topology = Timeline(Supplies(Structure(feeders())), feeders(["D", "N"], at=s(600)), transfer)
    dark = gasps(*below("H1", "H2", "K1", "K2"))
    assert [each.device for each in predict(TOWN, dark, s(60))] == ["H", "K"]
    assert named(predict(topology, dark, s(1800))) == named(predict(TOWN, dark, s(60)))
    afterwards = gasps(*below("H1", "H2", "K1", "K2"), at=700)
    assert [each.device for each in predict(topology, afterwards, s(1800))] == ["Q"]


def test_power_that_came_by_the_tie_says_nothing_of_the_device_that_was_above_before() -> None:
    tied = Timeline(Supplies(Structure(feeders())), feeders(["D", "N"], at=s(-3600)))
    home = (operation("N", "open", 600, T.COMMAND), operation("D", "close", 600, T.COMMAND))
    back = Timeline(Supplies(Structure(feeders())), feeders(at=s(600)), home)
    dark, alive = gasps(*below("K1", "K2"), "LA-1", "LB-1"), heard(E.RESTORED, *below("H1", "H2"), at=605)
    assert [each.device for each in predict(back, dark + alive, s(1800))] == ["Q"]
    assert [each.device for each in predict(tied, dark + alive, s(1800)) if each.likely] == ["K", "L"]


def test_a_meter_that_is_disconnected_or_exchanged_tells_nothing_of_the_supply() -> None:
    off = heard(E.DISCONNECTED, *below("G1", "G2"), at=100)
    assert predict(TOWN, gasps(*below("G1", "G2"), at=95) + off, s(300)) == ()
    on = heard(E.CONNECTED, "G1-1", "G1-2", at=400)
    (area,) = predict(TOWN, [*gasps("G1-1", "G1-2", at=900), *off, *on], s(960))
    assert area.device == "G1"
    exchange = heard(E.REMOVED, "K1-1", "K1-2", at=300) + heard(E.INSTALLED, "K1-1", "K1-2", at=900)
    assert predict(TOWN, gasps("K1-1", "K1-2", at=200) + exchange, s(1000)) == ()
    assert predict(TOWN, gasps("K1-1", "K1-2", at=2000) + exchange, s(2060)) != ()


pieces = st.lists(
    st.builds(
        Evidence,
        usage_point=st.sampled_from(ALL_POINTS),
        time=st.integers(0, 600).map(s),
        kind=st.sampled_from([E.GASP, E.RESTORED, E.CALL, E.PARTIAL]),
        source=st.sampled_from(["a", "b"]),
    ),
    max_size=40,
)


@given(evidence=pieces, data=st.data())
def test_order_and_repetition_of_the_evidence_do_not_change_the_prediction(
    evidence: list[Evidence], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(evidence + evidence[: len(evidence) // 2]))
    assert predict(TOWN, shuffled, s(700)) == predict(TOWN, evidence, s(700))


@given(evidence=pieces)
def test_predictions_are_disjoint_and_leave_no_dark_usage_point_out(evidence: list[Evidence]) -> None:
    areas = predict(TOWN, evidence, s(700))
    covered = [mrid for area in areas for mrid in {*area.points, *area.dark}]
    assert len(covered) == len(set(covered))
    lit = {each.usage_point for each in evidence if not each.dark}
    assert {each.usage_point for each in evidence} - lit <= set(covered)


def likely(areas: tuple[Prediction, ...]) -> set[str]:
    return {mrid for area in areas if area.likely for mrid in {*area.points, *area.dark}}


@given(evidence=pieces, point=st.sampled_from(ALL_POINTS))
def test_a_sign_of_life_after_all_that_was_heard_never_enlarges_an_outage(evidence: list[Evidence], point: str) -> None:
    before = likely(predict(TOWN, evidence, s(700)))
    assert likely(predict(TOWN, evidence + heard(E.RESTORED, point, at=650), s(700))) <= before


@given(evidence=pieces, point=st.sampled_from(ALL_POINTS))
def test_a_gasp_after_all_that_was_heard_never_shrinks_an_outage_to_nothing(
    evidence: list[Evidence], point: str
) -> None:
    areas = predict(TOWN, [*evidence, *gasps(point, at=650)], s(700))
    for before in predict(TOWN, evidence, s(700)):
        assert any(not set(before.points).isdisjoint({*after.points, *after.dark}) for after in areas)


@given(evidence=pieces, by=st.integers(1, 2))
def test_rotating_the_phases_rotates_the_answer(evidence: list[Evidence], by: int) -> None:
    def turned(phases: int | None) -> int | None:
        return None if phases is None else sum(1 << (place + by) % 3 for place in range(3) if phases >> place & 1)

    one, other = predict(TURNED[0], evidence, s(700)), predict(TURNED[by], evidence, s(700))
    assert [(d, turned(phases), points) for d, phases, points in named(one)] == named(other)


@given(evidence=pieces, hours=st.integers(-5000, 5000))
def test_it_does_not_matter_when_it_happens(evidence: list[Evidence], hours: int) -> None:
    def later(time: datetime) -> datetime:
        return time + (s(hours * 3600) - s(0))

    moved = [replace(each, time=later(each.time)) for each in evidence]
    assert named(predict(TOWN, moved, later(s(700)))) == named(predict(TOWN, evidence, s(700)))


@given(
    evidence=st.lists(
        st.builds(
            Evidence,
            usage_point=st.sampled_from(POINTS),
            time=st.integers(0, 600).map(s),
            kind=st.sampled_from([E.GASP, E.RESTORED, E.CALL]),
            source=st.just("a"),
        ),
        max_size=30,
    ),
    names=st.permutations(range(100)),
)
def test_other_names_change_no_answer(evidence: list[Evidence], names: list[int]) -> None:
    feeder = small_feeder()
    known = {each.mrid for each in feeder.connectivity_node} | {each.mrid for each in feeder.equipment} | {*POINTS}
    new = {mrid: f"x{names[place]:03}" for place, mrid in enumerate(sorted(known))}
    renamed = replace(
        feeder,
        connectivity_node=tuple(replace(each, mrid=new[each.mrid]) for each in feeder.connectivity_node),
        equipment=tuple(
            replace(each, mrid=new[each.mrid], node1=new[each.node1], node2=each.node2 and new[each.node2])
            for each in feeder.equipment
        ),
        usage_point=tuple(
            replace(each, mrid=new[each.mrid], node=new[each.node], transformer=new[each.transformer or ""])
            for each in feeder.usage_point
        ),
    )
    told = [replace(each, usage_point=new[each.usage_point]) for each in evidence]
    assert _plain(predict(Timeline.of([renamed]), told, s(700)), {}) == _plain(
        predict(Timeline.of([feeder]), evidence, s(700)), new
    )


def _plain(areas: tuple[Prediction, ...], new: Mapping[str, str]) -> set[tuple[str | None, frozenset[str], bool]]:
    return {
        (
            new.get(each.device, each.device) if each.device else None,
            frozenset(new.get(mrid, mrid) for mrid in each.points),
            each.likely,
        )
        for each in areas
    }
