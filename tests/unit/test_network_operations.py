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
    FeederTopology,
    RecloseSequence,
    UsagePoint,
)
from contracts.nouns.measurements import Discrete, DiscreteValue, Measurements, MeasurementType
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from services.network_operation.domain.operations import (
    Note,
    by_command,
    by_hand,
    by_itself,
    moved_phases,
    notes_in,
    operation,
    signals,
)
from services.network_operation.domain.phases import ALL, NONE, Phases
from services.network_operation.domain.positions import Position
from tests.fixtures.small_feeder import feeder as small_feeder

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


def told(position: Position, notes: tuple[Note, ...] = (), moved: Phases = ALL) -> SwitchingEvent:
    return operation(position, moved, recloser(), notes)


def test_an_opening_is_a_trip_only_where_protection_says_so_of_the_same_instant() -> None:
    notes = notes_in(protection(MeasurementType.TRIP, (0, 1), (5, 0)))
    assert told(moved(opened=True), notes).type == T.TRIP
    assert told(moved(opened=True, seconds=5), notes).type == T.REPORTED
    assert told(moved(opened=False), notes).type == T.REPORTED


def test_an_operation_has_one_identity_however_it_is_heard_of() -> None:
    notes = notes_in(protection(MeasurementType.TRIP, (0, 1)))
    identities = {told(moved(opened=True), notes).mrid, by_hand(told(moved(opened=True)), "plan").mrid}
    assert len(identities) == 1
    assert told(moved(opened=False)).mrid not in identities
    one = told(moved(opened=True), moved=Phases.A | Phases.C)
    assert (one.phases, one.mrid in identities) == (PhaseCode.AC, False)
    assert told(moved(opened=True)).phases is None


@pytest.mark.parametrize(("delays", "last"), [((0.5, 15, 45), 75), ((), 120)])
def test_a_device_recloses_within_its_intervals_after_a_trip_and_not_after_a_lockout(
    delays: tuple[float, ...], last: float
) -> None:
    device = recloser(*delays)
    trip = told(moved(opened=True), notes_in(protection(MeasurementType.TRIP, (0, 1))))
    assert by_itself(told(moved(opened=False, seconds=last)), device, trip).type == T.RECLOSE
    assert by_itself(told(moved(opened=False, seconds=last + 1)), device, trip).type == T.REPORTED
    (lockout,) = signals(notes_in(protection(MeasurementType.LOCKOUT, (0, 1))))
    assert by_itself(told(moved(opened=False, seconds=1)), device, lockout).type == T.REPORTED
    assert by_itself(by_command(told(moved(opened=False, seconds=1)), "plan"), device, trip).type == T.COMMAND


def test_what_a_switch_does_is_an_operation_of_the_phases_that_move() -> None:
    opened, closed = moved(opened=True), moved(opened=False)
    assert moved_phases(closed, ALL, recloser(), {}) == NONE
    assert moved_phases(opened, ALL, recloser(), {}) == ALL
    assert moved_phases(opened, ALL, recloser(), {"A": True}) == Phases.B | Phases.C
    assert moved_phases(closed, Phases.A, recloser(), {"A": True, "B": True}) == Phases.A
    assert moved_phases(opened, ALL, replace(recloser(), phases=PhaseCode.B), {}) == Phases.B
    assert moved_phases(closed, ALL, None, {}) == ALL, "nobody knows how a switch stood that is in no model"


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
