"""Controls of devices: the table of the guide, every message twice, late and in any order; guards; outcomes."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from contracts.codes.end_device_controls import CONNECT, DISCONNECT, PING
from contracts.errors import BusbarError, Conflict, Invalid, Rejected
from contracts.message import Result
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls, EndDeviceTiming
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.meter_reading_and_control.domain import addressing, controls, lanes
from services.meter_reading_and_control.domain.controls import OPEN, TABLE, Command, Event, State
from services.meter_reading_and_control.domain.events import Generation
from services.meter_reading_and_control.domain.guards import (
    Facts,
    Feeder,
    Rules,
    forbidden,
    moratorium_from,
    needs_second_person,
)
from services.meter_reading_and_control.domain.usage_points import Agreed

LOAD_CONTROL = "3.15.0.18"
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def asked(*meters: str, code: str = DISCONNECT, user: str = "ann") -> list[Command]:
    noun = EndDeviceControls(
        end_device_control=(
            EndDeviceControl(
                mrid="control",
                end_device_control_type=Reference(ref=code),
                end_devices=tuple(EndDevice(mrid=meter) for meter in meters),
                usage_points=tuple(ObjectReference(mrid=f"{meter} point") for meter in meters),
            ),
        )
    )
    return addressing.commands(noun, "ticket", user, NOW)


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_in_every_state_every_event_leads_on_or_is_refused_with_the_state_in_the_reason(
    state: State, event: Event
) -> None:
    (command,) = asked("m1")
    command = replace(command, state=state)
    if (state, event) in TABLE:
        assert controls.moved(command, event, NOW).state is TABLE[state, event]
    else:
        assert not controls.can(command, event)
        with pytest.raises(Conflict, match=state):
            controls.moved(command, event, NOW)


def test_every_state_is_reached_and_what_is_over_stays_over() -> None:
    reached = {State.ACCEPTED}
    while more := {after for (before, _), after in TABLE.items() if before in reached} - reached:
        reached |= more
    assert reached == set(State)
    ends = {State.CANCELLED, State.FAILED, State.CLOSED}
    assert {before for before, _ in TABLE} == set(State) - ends


class ControlRequest(RuleBasedStateMachine):
    """A control of one device of whom every word may come twice, late and in any order."""

    def __init__(self) -> None:
        super().__init__()
        (self.command,) = asked("m1")
        self.sent = 0
        self.told: list[str] = []
        self.history = [State.ACCEPTED]

    @rule(event=st.sampled_from(list(Event)))
    def comes(self, event: Event) -> None:
        before = self.command
        if not controls.can(before, event):
            with pytest.raises(Conflict):
                controls.moved(before, event, NOW)
            return
        after = controls.moved(before, event, NOW)
        self.sent += after.state is State.SENT
        if after.state in {State.CONFIRMED, State.FAILED} and event not in {Event.FORBID, Event.OVERDUE}:
            told = controls.event_of(after, NOW, Generation.FIRST, late=before.state is State.UNKNOWN)
            assert told is not None
            self.told.append(told.end_device_event_type.ref)
        self.command = after
        self.history.append(after.state)

    @invariant()
    def it_is_sent_once_and_one_thing_is_told_of_it(self) -> None:
        assert self.sent <= 1
        assert len(self.told) <= 1
        assert len(self.history) == len(set(self.history)), "no state comes twice"

    @invariant()
    def who_asked_hears_of_it_when_it_is_not_open(self) -> None:
        known = controls.outcome([self.command], EndDeviceControls())
        assert (known is None) == (self.command.state in OPEN)
        if known is not None:
            done = self.command.state in {State.CONFIRMED, State.RELEASING, State.CLOSED}
            assert (known[0].result is Result.OK) == done


TestControlRequest = ControlRequest.TestCase


@pytest.mark.parametrize(
    ("states", "result", "codes"),
    [
        ([State.CONFIRMED, State.CLOSED], Result.OK, []),
        ([State.CONFIRMED, State.UNKNOWN], Result.PARTIAL, ["4.1"]),
        ([State.UNKNOWN, State.UNKNOWN], Result.FAILED, ["4.1", "4.1"]),
        ([State.UNKNOWN, State.CANCELLED], Result.FAILED, ["5.4", "4.1", "6.5"]),
    ],
)
def test_the_answer_of_a_request_follows_from_all_its_devices(
    states: list[State], result: Result, codes: list[str]
) -> None:
    together = [replace(command, state=state) for command, state in zip(asked("m1", "m2"), states, strict=True)]
    known = controls.outcome(together, EndDeviceControls())
    assert known is not None
    assert known[0].result is result
    assert [error.code for error in known[0].error] == codes


def test_what_guards_a_disconnection_guards_no_ping_and_no_reconnection() -> None:
    facts = Facts(needs={"m1": "lifeSupport", "m1 point": "lifeSupport"}, dark=frozenset({"m1"}), disconnected=99)
    for code in (PING, CONNECT):
        (command,) = asked("m1", code=code)
        assert forbidden(command, facts, Rules(), NOW, UTC) is None
        assert needs_second_person([command], facts, Rules()) is None


@given(st.integers(1, 5000), st.integers(0, 60), st.integers(0, 60))
def test_more_than_one_per_cent_of_a_feeder_in_an_hour_needs_a_second_person(devices: int, now: int, gone: int) -> None:
    feeder = Feeder(name="F1", devices=devices, asked=now, disconnected=gone)
    facts = Facts(needs={}, dark=frozenset(), feeders=(Feeder(name="F0", devices=9, asked=0, disconnected=9), feeder))
    no = needs_second_person(asked("m1"), facts, Rules())
    assert (no is None) is (now == 0 or now + gone <= max(devices // 100, 1))
    if no is not None:
        assert f"on F1, which feeds {devices}," in no.reason
        assert needs_second_person(asked("m1"), replace(facts, second=frozenset({"bob"})), Rules()) is None


def agreed(state: str, *, starts: datetime | None = NOW - timedelta(days=9), ends: datetime | None = None) -> Agreed:
    return Agreed(agreement=state, usage_point="m1 point", revision=1, starts=starts, ends=ends, state=state)


@pytest.mark.parametrize(
    "agreements",
    [
        [],
        [agreed("SUSPENDED")],
        [agreed("ACTIVE"), agreed("SUSPENDED")],
        [agreed("TERMINATING", ends=NOW)],
        [agreed("SIGNED", starts=NOW + timedelta(days=1))],
        [agreed("DRAFT", starts=None)],
        [agreed("ENDED")],
        [agreed("")],
    ],
)
def test_who_is_suspended_or_has_no_agreement_that_holds_may_be_disconnected(agreements: list[Agreed]) -> None:
    (command,) = asked("m1")
    assert forbidden(command, Facts(needs={}, dark=frozenset(), agreed={"m1": agreements}), Rules(), NOW, UTC) is None


def test_who_moves_out_is_disconnected_at_the_end_of_his_agreement_and_not_before() -> None:
    facts = Facts(needs={}, dark=frozenset(), agreed={"m1": [agreed("TERMINATING", ends=NOW + timedelta(hours=2))]})
    (command,) = asked("m1")
    for hours, may in ((0, False), (1, False), (2, True)):
        timing = EndDeviceTiming(interval=DateTimeInterval(start=NOW + timedelta(hours=hours)))
        later = replace(command, control=replace(command.control, primary_device_timing=timing))
        assert (forbidden(later, facts, Rules(), NOW, UTC) is None) is may


@pytest.mark.parametrize(("code", "may"), [(CONNECT, False), ("3.31.0.5", False), (DISCONNECT, True), (PING, True)])
@pytest.mark.parametrize("place", ["m1", "m1 point"])
def test_voltage_behind_an_open_switch_forbids_to_close_it_and_nothing_else(
    code: str, place: str, *, may: bool
) -> None:
    (command,) = asked("m1", code=code)
    no = forbidden(command, Facts(needs={}, dark=frozenset(), fed=frozenset({place})), Rules(), NOW, UTC)
    assert (no is None) is may
    assert no is None or (no.code, "voltage" in no.reason) == ("6.1", True)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"needs": {"m1 point": "hospital"}}, "hospital"),
        ({"needs": {"m1": "lifeSupport"}}, "lifeSupport"),
        ({"dark": frozenset({"m1 point"})}, "outage"),
        ({"disputed": frozenset({"m1 point"})}, "dispute"),
        ({"noticed": {"m1 point": NOW + timedelta(days=1)}}, "notice"),
        ({"agreed": {"m1 point": [agreed("ACTIVE")]}}, "ACTIVE and not SUSPENDED"),
        ({"agreed": {"m1": [agreed("TERMINATING", ends=NOW + timedelta(days=1))]}}, "TERMINATING"),
    ],
)
def test_each_guard_says_why_nobody_is_disconnected(facts: dict[str, Any], word: str) -> None:
    (command,) = asked("m1")
    known = replace(Facts(needs={}, dark=frozenset(), disconnected=0), **facts)
    no = forbidden(command, known, Rules(), NOW, UTC)
    assert no is not None
    assert no.code == "6.1"
    assert word in no.reason


def test_a_notice_forbids_what_begins_before_it_has_run_and_nothing_else() -> None:
    facts = Facts(needs={}, dark=frozenset(), noticed={"m1 point": NOW + timedelta(hours=2)})
    (command,) = asked("m1")
    for hours, may in ((0, False), (1, False), (2, True), (3, True)):
        timing = EndDeviceTiming(interval=DateTimeInterval(start=NOW + timedelta(hours=hours)))
        later = replace(command, control=replace(command.control, primary_device_timing=timing))
        assert (forbidden(later, facts, Rules(), NOW, UTC) is None) is may
        assert (forbidden(command, facts, Rules(), NOW + timedelta(hours=hours), UTC) is None) is may


@pytest.mark.parametrize(
    ("words", "forbids"),
    [("", False), ("12-20/01-06", True), ("01-06/12-19", False), ("07-01/07-31,01-05/01-05", True)],
)
def test_a_moratorium_may_span_the_new_year(words: str, forbids: bool) -> None:
    (command,) = asked("m1")
    facts = Facts(needs={}, dark=frozenset(), disconnected=0)
    no = forbidden(command, facts, Rules(moratorium=moratorium_from(words)), NOW, UTC)
    assert (no is not None) == forbids


@pytest.mark.parametrize(
    ("already", "second", "user", "allowed"),
    [
        (48, set(), "ann", True),
        (49, set(), "ann", False),
        (49, {"ann"}, "ann", False),
        (49, {"bob"}, "ann", True),
        (49, {"bob"}, "", False),
    ],
)
def test_more_than_fifty_in_an_hour_need_another_person_who_said_the_same(
    already: int, second: set[str], user: str, allowed: bool
) -> None:
    facts = Facts(needs={}, dark=frozenset(), disconnected=already, second=frozenset(second))
    no = needs_second_person(asked("m1", "m2", user=user), facts, Rules())
    assert (no is None) == allowed


def test_a_meter_that_is_named_with_its_usage_point_is_one_device_and_others_are_each_one() -> None:
    assert [(each.meter, each.usage_point) for each in asked("m1", "m2")] == [("m1", "m1 point"), ("m2", "m2 point")]
    alone = EndDeviceControl(
        end_device_control_type=Reference(ref=DISCONNECT),
        end_devices=(EndDevice(mrid="m1"),),
        usage_points=(ObjectReference(mrid="p2"), ObjectReference(mrid="p3")),
    )
    noun = EndDeviceControls(end_device_control=(alone,))
    assert [each.device for each in addressing.commands(noun, "t", "", NOW)] == ["m1", "p2", "p3"]
    with pytest.raises(BusbarError, match="asks for nothing"):
        addressing.commands(EndDeviceControls(), "t", "", NOW)


def shedding(**timing: Any) -> EndDeviceControls:
    control = EndDeviceControl(
        mrid="dr",
        dr_program_level=1,
        end_device_control_type=Reference(ref=LOAD_CONTROL),
        end_device_groups=(ObjectReference(mrid="north"), ObjectReference(mrid="hill")),
        end_devices=(EndDevice(mrid="m1"),),
        primary_device_timing=EndDeviceTiming(**timing),
    )
    return EndDeviceControls(end_device_control=(control,))


def test_a_group_means_its_members_each_once_and_a_duration_begins_when_it_is_asked_for() -> None:
    members = {"north": ("m1", "m2"), "hill": ("m2", "m3")}
    found = addressing.commands(shedding(duration=30), "ticket", "ann", NOW, members)
    assert [(each.device, each.group) for each in found] == [("m1", ""), ("m2", "north"), ("m3", "hill")]
    assert {each.ends for each in found} == {NOW + timedelta(minutes=30)}
    assert all(each.is_kept and not each.control.end_device_groups for each in found)
    shown = controls.shown(found).end_device_control
    assert [[group.mrid for group in each.end_device_groups] for each in shown] == [[], ["north"], ["hill"]]


@pytest.mark.parametrize(
    "timing",
    [
        {"duration": 0},
        {"duration": 30, "interval": DateTimeInterval(start=NOW - timedelta(minutes=30))},
        {"interval": DateTimeInterval(end=NOW)},
    ],
)
def test_what_is_over_when_it_is_asked_for_is_refused(timing: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="over"):
        addressing.commands(shedding(**timing), "ticket", "ann", NOW, {"north": ("m2",), "hill": ()})


def test_what_is_for_a_while_waits_for_its_turn_no_longer_than_that() -> None:
    (command,) = addressing.commands(shedding(duration=3), "ticket", "ann", NOW)
    waits = lanes.queued(command, NOW)
    assert waits.overdue_at == command.ends == NOW + timedelta(minutes=3)
    assert lanes.too_late(waits, 5, 1, lanes.Budget(), NOW) == "its time was over before its turn came"
    facts = Facts(needs={}, dark=frozenset())
    assert forbidden(command, facts, Rules(), NOW + timedelta(seconds=179), UTC) is None
    late = forbidden(command, facts, Rules(), NOW + timedelta(minutes=3), UTC)
    assert late is not None
    assert late.reason == "its time is over", "a device is never told to do what is over"


def test_a_refusal_keeps_its_code_and_its_reason_and_a_ping_that_is_answered_in_time_is_no_event() -> None:
    (command,) = asked("m1")
    sent = controls.moved(command, Event.SEND, NOW)
    failed = controls.moved(sent, Event.REFUSE, NOW + timedelta(seconds=5), code="5.3", reason="stuck")
    assert isinstance(failed.error, Rejected)
    assert (failed.error.code, failed.error.reason) == ("5.3", "stuck")
    (ping,) = asked("m1", code=PING)
    done = controls.moved(controls.moved(ping, Event.SEND, NOW), Event.CONFIRM, NOW)
    assert controls.event_of(done, NOW, Generation.FIRST, late=False) is None
    late = controls.event_of(done, NOW, Generation.FIRST, late=True)
    assert late is not None
    assert late.end_device_event_type.ref == "3.26.9.216"
