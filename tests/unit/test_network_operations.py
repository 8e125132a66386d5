"""What is told of the field: operations, flags, and feeders in pieces and by difference."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns import feeder_topology
from contracts.nouns.feeder_topology import (
    ConnectivityNode,
    Equipment,
    Feeder,
    FeederTopology,
    RecloseSequence,
    UsagePoint,
)
from contracts.nouns.measurements import Discrete, DiscreteValue, Measurements, MeasurementType
from contracts.nouns.switching_events import SwitchingEventType
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from services.network_operation.domain.operations import (
    by_command,
    by_hand,
    by_itself,
    is_repetition,
    notes_in,
    operation,
    signals,
)
from services.network_operation.domain.topology import Position, difference, news, operated
from tests.fixtures.small_feeder import feeder as small_feeder
from tests.fixtures.small_feeder import under

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = SwitchingEventType


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def moved(*, opened: bool, seconds: float = 0) -> Position:
    return Position(device="r", open=opened, at=later(seconds))


def recloser(*delays: float) -> Equipment:
    return Equipment(
        mrid="r",
        kind="Recloser",
        name="r",
        node1="1",
        node2="2",
        normal_open=False,
        open=False,
        phases=PhaseCode.ABC,
        protective=True,
        remotely_operable=True,
        reclose_sequences=tuple(RecloseSequence(reclose_delay=d, reclose_step=n) for n, d in enumerate(delays, 1)),
    )


def protection(kind: MeasurementType, *values: tuple[float, int]) -> Measurements:
    told = tuple(DiscreteValue(time_stamp=later(seconds), value=value) for seconds, value in values)
    discrete = Discrete(measurement_type=kind, discrete_values=told, power_system_resource=ObjectReference(mrid="r"))
    return Measurements(discrete=(discrete,))


def test_an_opening_is_a_trip_only_where_protection_says_so_of_the_same_instant() -> None:
    notes = notes_in(protection(MeasurementType.TRIP, (0, 1), (5, 0)))
    assert operation(moved(opened=True), notes).type == T.TRIP
    assert operation(moved(opened=True, seconds=5), notes).type == T.REPORTED
    assert operation(moved(opened=False), notes).type == T.REPORTED


def test_an_operation_has_one_identity_however_it_is_heard_of() -> None:
    notes = notes_in(protection(MeasurementType.TRIP, (0, 1)))
    told = {operation(moved(opened=True), notes).mrid, by_hand(operation(moved(opened=True)), "plan").mrid}
    assert len(told) == 1
    assert operation(moved(opened=False)).mrid not in told


@pytest.mark.parametrize(("delays", "last"), [((0.5, 15, 45), 75), ((), 120)])
def test_a_device_recloses_within_its_intervals_after_a_trip_and_not_after_a_lockout(
    delays: tuple[float, ...], last: float
) -> None:
    device = recloser(*delays)
    trip = operation(moved(opened=True), notes_in(protection(MeasurementType.TRIP, (0, 1))))
    assert by_itself(operation(moved(opened=False, seconds=last)), device, trip).type == T.RECLOSE
    assert by_itself(operation(moved(opened=False, seconds=last + 1)), device, trip).type == T.REPORTED
    (lockout,) = signals(notes_in(protection(MeasurementType.LOCKOUT, (0, 1))))
    assert by_itself(operation(moved(opened=False, seconds=1)), device, lockout).type == T.REPORTED
    assert by_itself(by_command(operation(moved(opened=False, seconds=1)), "plan"), device, trip).type == T.COMMAND


def test_what_a_switch_does_is_an_operation_only_when_it_moves() -> None:
    opened, closed = operation(moved(opened=True)), operation(moved(opened=False, seconds=9))
    assert is_repetition(closed, recloser(), None)
    assert not is_repetition(opened, recloser(), None)
    assert not is_repetition(closed, recloser(), opened)
    assert is_repetition(opened, recloser(), opened)
    assert not is_repetition(closed, None, None), "nobody knows how a switch stood that is in no model"


def test_flags_of_fault_indicators_are_told_when_they_are_set_and_when_they_are_reset() -> None:
    flags = list(signals(notes_in(protection(MeasurementType.FAULT_INDICATION, (7, 0), (1, 1)))))
    assert [(flag.type, flag.kind, flag.created_date_time) for flag in flags] == [
        (T.FAULT_INDICATION, None, later(1)),
        (T.FAULT_INDICATION_RESET, None, later(7)),
    ]


def nodes(count: int) -> tuple[ConnectivityNode, ...]:
    return tuple(ConnectivityNode(mrid=f"n{number}") for number in range(count))


def points(count: int) -> tuple[UsagePoint, ...]:
    return tuple(
        UsagePoint(
            mrid=f"u{number}", critical=False, customers=1, meter="", name="", node=f"n{number}", phases=PhaseCode.A
        )
        for number in range(count)
    )


@given(st.integers(0, 2500), st.integers(0, 2500))
def test_a_feeder_in_pieces_is_the_same_feeder_and_no_piece_has_too_many_members(node: int, point: int) -> None:
    whole = replace(small_feeder(), connectivity_node=nodes(node), usage_point=points(point))
    pieces = tuple(whole.parts())
    members = [sum(map(len, (p.connectivity_node, p.equipment, p.usage_point))) for p in pieces]
    assert max(members) <= feeder_topology.MOST_MEMBERS
    other = replace(small_feeder(), mrid="other")
    assert FeederTopology(feeder=(*pieces, other)).whole() == (whole, other)


def test_a_difference_lists_what_changed_and_makes_the_feeder_after_it() -> None:
    (before,) = operated((small_feeder("F1"),), Position(device="F2", open=True, at=later(1)))
    (after,) = operated((before,), Position(device="F1", open=False, at=later(2)))
    change = difference(before, after)
    assert before.after(change) == after
    assert [state.mrid for state in change.switch_state] == ["F1"]
    assert [node.mrid for node in change.connectivity_node] == ["F1", "T11", "T12"]
    assert [point.mrid for point in change.energized_usage_point] == under("F1")
    assert change.de_energized_usage_point == ()


def test_a_change_that_no_message_bears_leaves_out_a_revision_so_that_everybody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (lit,) = operated((small_feeder("B"),), Position(device="B", open=False, at=NOON))
    monkeypatch.setattr("services.network_operation.domain.topology.MOST_CHANGES", 20)
    (dark,) = operated((lit,), Position(device="B", open=True, at=later(1)))
    change = difference(lit, dark)
    assert change == news(dark)
    assert lit.after(change) is None
    (small,) = operated((lit,), Position(device="F2", open=True, at=later(1)))
    assert lit.after(difference(lit, small)) == small


def test_losing_one_of_three_phases_is_losing_supply() -> None:
    source = Equipment(
        mrid="s",
        kind="EnergySource",
        name="s",
        node1="1",
        phases=PhaseCode.ABC,
        protective=False,
        remotely_operable=False,
    )
    line = replace(source, mrid="l", kind="Breaker", node2="2", open=False)
    single = replace(line, mrid="x", phases=PhaseCode.A)
    (before,) = operated(
        (
            Feeder(
                mrid="f",
                event_time=NOON,
                model_version="1",
                revision=1,
                connectivity_node=(ConnectivityNode(mrid="1"), ConnectivityNode(mrid="2")),
                equipment=(source, line, single),
                usage_point=tuple(
                    replace(points(1)[0], mrid=code, node="2", phases=code)
                    for code in PhaseCode
                    if code in {"A", "B", "ABC"}
                ),
            ),
        ),
        Position(device="-", open=True, at=NOON),
    )
    (after,) = operated((before,), Position(device="l", open=True, at=later(1)))
    assert [point.mrid for point in difference(before, after).de_energized_usage_point] == ["ABC", "B"]
