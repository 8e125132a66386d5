"""What is told of the live network: by difference, by news of a model or of other equipment, and of the past."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Feeder, SafetyStateKind
from contracts.nouns.units import PhaseCode
from services.network_operation.domain.live import EMPTY, Live, past, stood
from services.network_operation.domain.network_state import Operation
from services.network_operation.domain.phases import ALL, Phases
from services.network_operation.domain.positions import Seen, Standing
from services.network_operation.domain.temporary import Temporary, TemporaryKind
from tests.fixtures.phased_networks import feeder, piece, point, switch
from tests.fixtures.small_feeder import feeder as small_feeder
from tests.fixtures.small_feeder import under

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATION = feeder(piece("s", "EnergySource", "bus"), switch("breaker", "bus", "n1"), mrid="one")
BEYOND = feeder(
    switch("tie", "n1", "n2", open=True, normal_open=True),
    piece("load", "EnergyConsumer", "n2"),
    mrid="two",
    points=(point("u", "n2"),),
)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def live(*feeders: Feeder, standings: tuple[Standing, ...] = ()) -> Live:
    return EMPTY.adopted(feeders, standings, 1, NOON, "model")


def moved(before: Live, *operations: Operation, seconds: float = 1) -> Live:
    """The network after operations, having shown that what was told makes the feeders that it tells when asked."""
    after, changes = before.moved(before.state.after(*operations), later(seconds), f"{seconds}")
    told = {change.mrid: change for change in changes}
    for mrid in before.told:
        known = before.feeder(mrid)
        followed = known.after(told[mrid]) if mrid in told else known
        assert followed in {after.feeder(mrid), None}
    return after


def opened(mrid: str, phases: Phases = ALL) -> Operation:
    return Operation(device=mrid, open=True, phases=phases)


def closed(mrid: str) -> Operation:
    return Operation(device=mrid, open=False)


def sources(each: Feeder) -> dict[str, PhaseCode | None]:
    return {node.mrid: node.source_phases for node in each.connectivity_node}


def test_an_adopted_model_says_where_it_is_live_and_starts_at_revision_one() -> None:
    one, two = live(STATION, BEYOND).feeders
    assert sources(one) == {"bus": PhaseCode.ABC, "n1": PhaseCode.ABC}
    assert sources(two) == {"n1": PhaseCode.ABC, "n2": None}
    assert (one.revision, two.revision, one.event_time) == (1, 1, NOON)


def test_an_operation_is_told_to_every_feeder_that_it_darkens_and_to_no_other() -> None:
    first = live(STATION, BEYOND)
    tied = moved(first, closed("tie"))
    assert [tied.told[mrid].revision for mrid in ("one", "two")] == [1, 2]
    dark = moved(tied, opened("breaker"), seconds=2)
    assert [(told.revision, told.event_time) for told in dark.told.values()] == [(2, later(2)), (3, later(2))]
    assert first.moved(first.state.after(opened("tie")), later(3), "")[1] == ()


def test_a_difference_lists_what_changed_and_who_lost_supply_or_got_it_back() -> None:
    first = moved(live(small_feeder()), opened("F1"), opened("F2"))
    _, (change,) = first.moved(first.state.after(closed("F1")), later(2), "")
    assert [state.mrid for state in change.switch_state] == ["F1"]
    assert [node.mrid for node in change.connectivity_node] == ["F1", "T11", "T12"]
    assert [each.mrid for each in change.energized_usage_point] == under("F1")
    assert change.de_energized_usage_point == ()
    _, (change,) = first.moved(first.state.after(opened("F3", Phases.B)), later(2), "")
    assert [(state.open, state.open_phases) for state in change.switch_state] == [(False, PhaseCode.B)]
    assert [each.mrid for each in change.de_energized_usage_point] == under("F3"), "one of three phases is enough"


def test_a_change_that_no_message_bears_leaves_out_a_revision_so_that_everybody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.network_operation.domain.live.MOST_CHANGES", 20)
    first = live(small_feeder())
    after, (change,) = first.moved(first.state.after(opened("B")), later(1), "")
    assert change == after.news("feeder")
    assert (change.revision, first.feeder("feeder").after(change)) == (3, None)
    assert moved(first, opened("F2")).told["feeder"].revision == 2


def test_what_may_be_live_without_a_source_is_told_beside_the_supply() -> None:
    sunny = feeder(
        piece("s", "EnergySource", "bus"), switch("fuse", "bus", "n"), piece("pv", "PowerElectronicsConnection", "n")
    )
    (node,) = (each for each in moved(live(sunny), opened("fuse")).feeders[0].connectivity_node if each.mrid == "n")
    assert (node.source_phases, node.safety_state) == (None, SafetyStateKind.POSSIBLY_LIVE)


def test_a_new_model_takes_over_positions_and_revisions() -> None:
    known = Standing(device="breaker", telemetry={letter: Seen(open=True, at=NOON) for letter in "ABC"})
    before = moved(live(STATION, BEYOND), opened("breaker"))
    after = before.adopted((STATION, BEYOND), (known,), 2, later(9), "next")
    one, two = after.feeders
    assert [each.open for each in one.equipment if each.mrid == "breaker"] == [True]
    assert ([told.revision for told in after.told.values()], sources(two)) == ([3, 3], {"n1": None, "n2": None})
    assert (after.mark.number, after.wiring.model_revision) == (before.mark.number + 1, 2)


def test_other_equipment_leaves_out_a_revision_where_it_makes_a_difference() -> None:
    first = live(STATION, BEYOND)
    jumper = Temporary(mrid="j", kind=TemporaryKind.JUMPER, node1="n1", node2="n2", plan="p")
    bridged = first.with_temporary(jumper, later(1), "crew")
    assert sources(bridged.feeder("two"))["n2"] is PhaseCode.ABC
    assert bridged.told["two"].revision == 3
    assert bridged.since(first) == tuple(mrid for mrid in ("one", "two") if bridged.feeder(mrid) != first.feeder(mrid))
    again = bridged.without_temporary("j", later(2), "crew again")
    assert (again.wiring, sources(again.feeder("two"))) == (first.wiring, sources(first.feeder("two")))


def test_switches_stand_as_they_are_known_to_and_what_changes_nothing_is_the_same_state() -> None:
    state = live(STATION).state
    assert stood(state, Standing(device="breaker")) is state
    assert stood(state, Standing(device="elsewhere", telemetry={"A": Seen(open=True, at=NOON)})) is state
    doubtful = stood(state, Standing(device="breaker", doubts={"B": NOON}))
    assert (doubtful.device("breaker").open, doubtful.device("breaker").suspect) == (False, True)
    one = stood(doubtful, Standing(device="breaker", telemetry={"A": Seen(open=True, at=NOON)}))
    assert (one.device("breaker").open_phases, one.device("breaker").suspect) == (PhaseCode.A, None)
    assert not one.stands("breaker", is_open=True)
    assert stood(one, Standing(device="breaker")).stands("breaker", is_open=False)


def test_the_past_is_what_was_told_of_it_and_else_as_built() -> None:
    (then,) = past([small_feeder("F2")], {"F1": {"A": True, "B": True, "C": True}, "F2": {"C": False}}, NOON)
    fuses = {each.mrid: (each.open, each.open_phases) for each in then.equipment if each.kind == "Fuse"}
    assert fuses == {"F1": (True, None), "F2": (False, PhaseCode.AB), "F3": (False, None)}
    assert (then.revision, then.event_time, sources(then)["T11"], sources(then)["T21"]) == (0, NOON, None, PhaseCode.C)
    assert replace(then, event_time=then.event_time) == then
