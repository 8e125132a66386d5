"""Alarms: their states, what they stand for, what explains them, and floods."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from contracts.errors import Conflict, Denied, Invalid
from contracts.nouns.alarms import Alarm, AlarmAction, AlarmActionKind, AlarmKind, AlarmMark, AlarmPriority, AlarmState
from contracts.nouns.measurements import Analog, AnalogValue, Measurements, MeasurementType
from contracts.nouns.operational_tags import OperationalTag, OperationalTagType
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import SwitchActionKind
from contracts.types import ObjectReference, Status
from services.network_operation.domain.alarms import machine
from services.network_operation.domain.alarms.conditions import Facts, Scope, about, found
from services.network_operation.domain.alarms.desk import judged
from services.network_operation.domain.alarms.flood import flooded
from services.network_operation.domain.alarms.machine import Condition
from services.network_operation.domain.feeding import Feeding
from services.network_operation.domain.measured import Point, points_in
from services.network_operation.domain.people import Duty, Speaker
from tests.fixtures.control_room import discrete
from tests.fixtures.switching_yard import NOON, tag, yard

S, K = AlarmState, AlarmActionKind
OLA, SUE, EVE = (
    Speaker(name=name, duty=duty)
    for name, duty in (("ola", Duty.OPERATOR), ("sue", Duty.SUPERVISOR), ("eve", Duty.CREW))
)
SEEN = AlarmMark(date_time=NOON)


def holds(kind: AlarmKind = AlarmKind.TRIP, priority: AlarmPriority = AlarmPriority.MEDIUM) -> Condition:
    return Condition(kind=kind, object="B1", since=NOON, text="it holds", priority=priority)


def fresh(kind: AlarmKind = AlarmKind.TRIP) -> Alarm:
    return machine.raised(None, holds(kind))


def asked(alarm: Alarm, kind: AlarmActionKind, person: Speaker = OLA, **more: object) -> Alarm:
    return machine.acted(alarm, Alarm(mrid=alarm.mrid, alarm_action=AlarmAction(kind=kind, **more)), person, NOON)  # type: ignore[arg-type]


MOVES: dict[str, Callable[[Alarm], Alarm]] = {
    "acknowledge": lambda alarm: machine.acknowledged(alarm, SEEN),
    "clear": machine.cleared,
}


@given(st.permutations(["acknowledge", "clear", "acknowledge", "clear"]))
def test_acknowledging_and_clearing_commute_and_an_alarm_that_has_both_is_over(order: list[str]) -> None:
    alarm = fresh()
    for move in order:
        alarm = MOVES[move](alarm)
    assert machine.state_of(alarm) is S.NORMAL
    once = machine.cleared(machine.acknowledged(fresh(), SEEN))
    assert alarm == once


@pytest.mark.parametrize("first", ["acknowledge", "clear"])
def test_an_alarm_with_one_of_both_is_still_on_the_list(first: str) -> None:
    expected = {"acknowledge": S.ACKNOWLEDGED, "clear": S.RETURNED_UNACKNOWLEDGED}
    assert machine.state_of(MOVES[first](fresh())) is expected[first]


@given(st.permutations(["acknowledge", "clear", "reset"]))
def test_a_latched_alarm_stays_until_it_was_reset_as_well(order: list[str]) -> None:
    alarm = fresh(AlarmKind.TAG_CONFLICT)
    for move in order:
        if move == "reset" and alarm.active:
            with pytest.raises(Conflict):
                machine.reset(alarm)
            continue
        alarm = machine.reset(alarm) if move == "reset" else MOVES[move](alarm)
    if order.index("reset") < order.index("clear"):
        assert machine.state_of(alarm) is S.LATCHED_ACKNOWLEDGED
    assert machine.state_of(machine.reset(alarm)) is S.NORMAL


def test_what_gets_worse_or_comes_again_is_to_be_seen_again_and_calls_once() -> None:
    seen = machine.acknowledged(fresh(), SEEN)
    worse = machine.raised(seen, holds(priority=AlarmPriority.HIGH))
    assert (machine.state_of(worse), machine.sounds(seen, worse)) == (S.UNACKNOWLEDGED, True)
    assert machine.raised(worse, holds(priority=AlarmPriority.HIGH)) == worse
    gone = machine.cleared(fresh())
    again = machine.raised(gone, holds())
    assert (machine.state_of(again), machine.sounds(gone, again)) == (S.UNACKNOWLEDGED, False), "nobody has seen it yet"


def test_shelving_needs_an_operator_a_reason_and_an_end_within_the_shift() -> None:
    soon, late = NOON + timedelta(hours=1), NOON + timedelta(hours=13)
    assert machine.state_of(asked(fresh(), K.SHELVE, reason="chatters", until_date_time=soon)) is S.SHELVED
    with pytest.raises(Denied):
        asked(fresh(), K.SHELVE, EVE, reason="chatters", until_date_time=soon)
    for wrong in (
        {"until_date_time": soon},
        {"reason": " ", "until_date_time": soon},
        {"reason": "chatters"},
        {"reason": "chatters", "until_date_time": late},
        {"reason": "chatters", "until_date_time": NOON},
    ):
        with pytest.raises(Invalid):
            asked(fresh(), K.SHELVE, **wrong)


@pytest.mark.parametrize("kind", [AlarmKind.TAG_CONFLICT, AlarmKind.FAULTED])
def test_nobody_hides_an_alarm_on_which_lives_depend(kind: AlarmKind) -> None:
    with pytest.raises(Conflict):
        asked(fresh(kind), K.SHELVE, reason="noise", until_date_time=NOON + timedelta(hours=1))
    with pytest.raises(Conflict):
        asked(fresh(kind), K.TAKE_OUT_OF_SERVICE, SUE, reason="noise")


def test_only_a_supervisor_takes_an_alarm_out_of_service_and_another_occurrence_is_not_meant() -> None:
    with pytest.raises(Denied):
        asked(fresh(), K.TAKE_OUT_OF_SERVICE, reason="maintenance")
    assert machine.state_of(asked(fresh(), K.TAKE_OUT_OF_SERVICE, SUE, reason="maintenance")) is S.OUT_OF_SERVICE
    old = Alarm(
        mrid="TRIP/B1", alarm_action=AlarmAction(kind=K.ACKNOWLEDGE), created_date_time=NOON - timedelta(hours=1)
    )
    with pytest.raises(Conflict, match="come again"):
        machine.acted(fresh(), old, OLA, NOON)


class LifeOfAnAlarm(RuleBasedStateMachine):
    """Any order of what may happen to an alarm, beside a model of what a person is to see."""

    @initialize(kind=st.sampled_from([AlarmKind.TRIP, AlarmKind.TAG_CONFLICT]))
    def begin(self, kind: AlarmKind) -> None:
        self.kind = kind
        self.alarm = fresh(kind)
        self.active, self.acknowledged, self.latched = True, False, kind in machine.LATCHING
        self.hidden: set[str] = set()
        self.told: Alarm | None = None
        self.revision = 0

    def reveal(self, what: str) -> None:
        if what in self.hidden:
            self.hidden.remove(what)
            if not self.hidden:
                self.acknowledged = not self.active and not self.latched

    @rule()
    def condition_holds(self) -> None:
        self.alarm = machine.raised(self.alarm, holds(self.kind))
        if not self.active:
            self.active, self.acknowledged = True, False
        self.latched = self.kind in machine.LATCHING

    @rule()
    def condition_is_gone(self) -> None:
        self.alarm = machine.cleared(self.alarm)
        self.active = False

    @rule()
    def person_acknowledges(self) -> None:
        self.alarm = machine.acknowledged(self.alarm, SEEN)
        self.acknowledged = True

    @precondition(lambda self: not self.active)
    @rule()
    def person_resets(self) -> None:
        self.alarm = machine.reset(self.alarm)
        self.latched = False

    @rule()
    def person_shelves(self) -> None:
        self.alarm = machine.shelved(self.alarm, SEEN)
        self.hidden.add("shelf")

    @rule()
    def shelf_ends(self) -> None:
        self.alarm = machine.unshelved(self.alarm)
        self.reveal("shelf")

    @rule()
    def something_explains_it(self) -> None:
        self.alarm = machine.suppressed(self.alarm, SEEN, "TRIP/B2")
        self.hidden.add("design")

    @rule()
    def nothing_explains_it(self) -> None:
        self.alarm = machine.released(self.alarm)
        self.reveal("design")

    @rule()
    def it_goes_out_of_service(self) -> None:
        self.alarm = machine.taken_out_of_service(self.alarm, SEEN)
        self.hidden.add("service")

    @rule()
    def it_comes_into_service(self) -> None:
        self.alarm = machine.put_in_service(self.alarm)
        self.reveal("service")

    @invariant()
    def the_state_is_that_of_the_model(self) -> None:
        if "service" in self.hidden:
            expected = S.OUT_OF_SERVICE
        elif "shelf" in self.hidden:
            expected = S.SHELVED
        elif self.hidden:
            expected = S.SUPPRESSED
        elif self.active:
            expected = S.ACKNOWLEDGED if self.acknowledged else S.UNACKNOWLEDGED
        elif self.latched:
            expected = S.LATCHED_ACKNOWLEDGED if self.acknowledged else S.LATCHED_UNACKNOWLEDGED
        else:
            expected = S.NORMAL if self.acknowledged else S.RETURNED_UNACKNOWLEDGED
        assert machine.state_of(self.alarm) is expected

    @invariant()
    def a_change_grows_the_revision_by_one_and_no_change_leaves_it(self) -> None:
        before = self.told
        self.told = self.alarm = machine.told(before, self.alarm, NOON)
        assert self.told.revision_number == self.revision + (self.told is not before)
        self.revision = self.told.revision_number or 0
        assert machine.told(self.told, self.told, NOON + timedelta(hours=1)) is self.told


TestLifeOfAnAlarm = LifeOfAnAlarm.TestCase


class Field:
    """The yard with its alarms, without any server: what is heard, one after the other."""

    def __init__(self) -> None:
        self.grid = yard().grid
        self.feeding = Feeding(self.grid.state.structure)
        self.alarms: dict[str, Alarm] = {}
        self.last: dict[str, SwitchingEvent] = {}
        self.points: dict[str, Point] = {}
        self.tags: tuple[OperationalTag, ...] = ()

    def move(self, device: str, how: SwitchingEventType, at: datetime, *, is_open: bool = True) -> None:
        self.grid = self.grid.switched(device, is_open=is_open)
        kind = SwitchActionKind.OPEN if is_open else SwitchActionKind.CLOSE
        moved = ObjectReference(mrid=device)
        self.last[device] = SwitchingEvent(mrid="1", created_date_time=at, kind=kind, type=how, operated_switch=moved)
        self.judge(Scope(devices=frozenset({device})))

    def hang(self, device: str, kind: OperationalTagType, at: datetime, state: str = "PLACED") -> None:
        self.tags = (replace(tag(device, kind), status=Status(date_time=at, value=state)),)
        self.judge(Scope(devices=frozenset({device})))

    def state(self, alarm: str) -> AlarmState | None:
        known = self.alarms.get(alarm)
        return None if known is None else machine.state_of(known)

    def hear(self, what: str) -> None:
        if what == "trip":
            self.move("B1", SwitchingEventType.TRIP, NOON)
            return
        said = {"voltage of L1": LOW_VOLTAGE, "outstation of L2": SILENCE}[what]
        points = points_in(said)
        self.points |= {point.key: point for point in points}
        self.judge(about(points))

    def judge(self, scope: Scope) -> None:
        facts = Facts(
            grid=self.grid,
            feeding=self.feeding,
            known=self.alarms,
            last=self.last,
            points=tuple(self.points.values()),
            tags=self.tags,
            now=NOON,
            stale=timedelta(minutes=1),
        )
        news = judged(self.alarms, found(scope, facts), scope, self.grid, NOON)
        self.alarms |= {alarm.mrid: alarm for alarm in news}


LOW_VOLTAGE = Measurements(
    analog=(
        Analog(
            mrid="U-L1",
            measurement_type=MeasurementType.VOLTAGE,
            min_value=207.0,
            analog_values=(AnalogValue(time_stamp=NOON, value=0.0),),
            power_system_resource=ObjectReference(mrid="L1"),
        ),
    )
)
SILENCE = Measurements(discrete=(discrete("L2", MeasurementType.COMMUNICATION, 0, NOON),))


@given(st.lists(st.sampled_from(["trip", "voltage of L1", "outstation of L2"]), min_size=3))
def test_whatever_is_heard_first_and_however_often_the_children_of_a_trip_end_suppressed(heard: list[str]) -> None:
    field = Field()
    for what in [*heard, "trip", "voltage of L1", "outstation of L2"]:
        field.hear(what)
    assert {mrid: machine.state_of(alarm) for mrid, alarm in field.alarms.items()} == {
        "TRIP/B1": S.UNACKNOWLEDGED,
        "LIMIT_LOW/U-L1": S.SUPPRESSED,
        "COMMUNICATION/L2": S.SUPPRESSED,
    }
    assert {alarm.parent for alarm in field.alarms.values()} == {None, ObjectReference(mrid="TRIP/B1")}


def test_what_moved_before_a_tag_was_hung_is_no_conflict_and_one_that_is_stays_when_the_tag_is_verified() -> None:
    field, later = Field(), NOON + timedelta(minutes=1)
    field.move("F1", SwitchingEventType.MANUAL, NOON)
    field.hang("F1", OperationalTagType.DO_NOT_OPERATE, NOON)
    assert field.state("TAG_CONFLICT/F1") is None
    field.move("F1", SwitchingEventType.REPORTED, later, is_open=False)
    assert field.state("TAG_CONFLICT/F1") is S.UNACKNOWLEDGED
    field.hang("F1", OperationalTagType.DO_NOT_OPERATE, later + timedelta(minutes=1), "VERIFIED")
    assert field.state("TAG_CONFLICT/F1") is S.UNACKNOWLEDGED
    field.tags = ()
    field.judge(Scope(devices=frozenset({"F1"})))
    assert field.state("TAG_CONFLICT/F1") is S.LATCHED_UNACKNOWLEDGED


@pytest.mark.parametrize("kind", list(OperationalTagType))
def test_only_a_hot_line_tag_is_in_conflict_with_a_trip_and_any_but_a_caution_with_reclosing(
    kind: OperationalTagType,
) -> None:
    field = Field()
    field.hang("R1", kind, NOON)
    field.move("R1", SwitchingEventType.TRIP, NOON + timedelta(seconds=1))
    assert (field.state("TAG_CONFLICT/R1") is S.UNACKNOWLEDGED) is (kind is OperationalTagType.HOT_LINE)
    field.move("R1", SwitchingEventType.RECLOSE, NOON + timedelta(seconds=2), is_open=False)
    assert (field.state("TAG_CONFLICT/R1") is S.UNACKNOWLEDGED) is (kind is not OperationalTagType.CAUTION)


def test_a_flood_begins_with_more_than_ten_for_each_operator_and_ends_with_fewer_than_five() -> None:
    eleven = [NOON - timedelta(seconds=10 * number) for number in range(11)]
    assert flooded(None, eleven[:10], 1, NOON) is None
    assert flooded(None, eleven, 2, NOON) is None
    flood = flooded(None, eleven, 1, NOON)
    assert flood is not None
    assert (flood.count, flood.start_date_time) == (11, NOON)
    assert flooded(flood, eleven[:5], 1, NOON) == flood
    later = NOON + timedelta(minutes=20)
    over = flooded(flood, eleven, 1, later)
    assert over == replace(flood, count=0, end_date_time=later)
    assert flooded(over, [], 1, later) is None
