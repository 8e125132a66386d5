"""Campaigns: who is told when, what becomes of each device, and when it pauses by itself."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from contracts.codes.end_device_controls import CONNECT, DISCONNECT, PING
from contracts.errors import BusbarError, Conflict, Invalid, Rejected
from contracts.nouns.end_device_controls import EndDeviceControl, EndDeviceTiming
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.meter_reading_and_control.domain import campaigns, lanes, windows
from services.meter_reading_and_control.domain.campaigns import (
    ATTEMPTS,
    LAST,
    TABLE,
    Campaign,
    Device,
    DeviceState,
    Event,
    State,
)
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.quiet import quiet
from services.meter_reading_and_control.domain.usage_points import Agreed

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
FIRMWARE = "3.11.0.52"


def control(code: str = FIRMWARE, timing: EndDeviceTiming | None = None) -> EndDeviceControl:
    return EndDeviceControl(
        mrid="new software",
        end_device_control_type=Reference(ref=code),
        end_device_groups=(ObjectReference(mrid="north"),),
        primary_device_timing=timing,
    )


def campaign(state: State = State.DRAFT, *, canaries: int = 5, rate: int = 60) -> Campaign:
    window = windows.window_of("09:00/16:00")
    return Campaign(
        mrid="new software",
        control=control(),
        state=state,
        since=NOW,
        user="ann",
        canaries=canaries,
        rate=rate,
        window=window,
    )


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_in_every_state_every_event_leads_on_or_is_refused_with_the_state_in_the_reason(
    state: State, event: Event
) -> None:
    if (state, event) in TABLE:
        assert campaigns.moved(campaign(state), event, NOW).state is TABLE[state, event]
    else:
        with pytest.raises(Conflict, match=state):
            campaigns.moved(campaign(state), event, NOW)


@pytest.mark.parametrize("state", [State.CANARY, State.ROLLING])
@pytest.mark.parametrize("event", [Event.PAUSE, Event.HALT])
def test_who_resumes_is_where_he_was_and_failures_are_counted_anew(state: State, event: Event) -> None:
    paused = campaigns.moved(campaign(state), event, NOW)
    assert campaigns.moved(paused, Event.RESUME, NOW).state is state
    assert campaigns.moved(paused, Event.RESUME, NOW).recent == ""


@pytest.mark.parametrize("user", ["ann", ""])
def test_a_campaign_needs_the_word_of_a_second_person(user: str) -> None:
    with pytest.raises(Rejected, match="second person"):
        campaigns.approved(campaign(), user, NOW)
    assert campaigns.approved(campaign(), "bob", NOW).state is State.APPROVED


@pytest.mark.parametrize("code", [CONNECT, DISCONNECT, PING, "3.31.0.5", "3.31.0.298", "3.15.0.18", "3.8.0.214"])
def test_what_has_guards_of_its_own_or_must_not_be_done_twice_is_for_no_campaign(code: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.check_control(control(code))
    assert refused.value.code == "2.9"


def test_firmware_and_what_sets_devices_up_is_for_a_campaign_unless_it_is_for_a_while() -> None:
    for code in (FIRMWARE, "3.7.83.52"):
        campaigns.check_control(control(code))
    for timing in (
        EndDeviceTiming(duration=60),
        EndDeviceTiming(interval=DateTimeInterval(start=NOW, end=NOW + timedelta(hours=1))),
    ):
        with pytest.raises(Invalid, match="all devices are through"):
            campaigns.check_control(control(timing=timing))


def test_a_device_is_told_by_the_same_mrid_each_time_and_waits_in_the_lane_of_firmware() -> None:
    device = Device(device="m1", place=0, due_at=NOW)
    first = campaigns.command(campaign(), device, NOW)
    second = campaigns.command(campaign(), campaigns.told(device), NOW)
    assert first.id != second.id
    assert first.control == second.control
    assert (first.mrid, first.device, first.is_kept) == ("new software", "m1", False)
    assert lanes.lane_of(first) is lanes.Lane.FIRMWARE


@given(st.lists(st.text(max_size=3), max_size=50))
def test_the_order_of_devices_is_drawn_by_lot_and_the_same_whoever_names_them(names: list[str]) -> None:
    drawn = campaigns.drawn("new software", names, NOW)
    assert [each.place for each in drawn] == list(range(len(set(names))))
    assert campaigns.drawn("new software", reversed(names), NOW) == drawn


clocks = st.times().map(lambda each: each.replace(second=0, microsecond=0))
moments = st.timedeltas(timedelta(), timedelta(days=330)).map(lambda each: NOW + each)


def test_the_lots_of_neighbours_are_spread_evenly() -> None:
    places = {each.device: each.place for each in campaigns.drawn("new software", map(str, range(1000)), NOW)}
    first = [places[str(number)] < 500 for number in range(1000)]
    runs = sum(one != other for one, other in pairwise(first))
    assert 430 < runs < 570, "whether one is early says nothing of the next one"
    assert all(400 < sum(places[str(number)] for number in range(start, start + 100)) / 100 < 600 for start in (0, 900))


@given(
    clocks,
    clocks,
    st.one_of(
        moments,
        st.sampled_from([date(2026, 3, 29), date(2026, 10, 25)]).map(
            lambda day: datetime.combine(day, time(0, 30), UTC)
        ),
    ),
)
def test_a_window_opens_and_closes_by_the_local_clock_and_never_about_midnight(
    begins: time, ends: time, now: datetime
) -> None:
    try:
        window = windows.window_of(f"{begins.isoformat()}/{ends.isoformat()}")
    except Invalid:
        never = windows.Window(begins=begins, ends=ends)
        assert not any(never.allows(NOW + timedelta(minutes=minute), UTC) for minute in range(1440))
        return
    opens = window.opens(now, BERLIN)
    assert opens >= now
    assert window.allows(opens, BERLIN)
    assert (opens == now) is window.allows(now, BERLIN)
    local = opens.astimezone(BERLIN).time()
    assert time(0, 30) <= local < time(23, 30)
    closes = window.closes(opens, BERLIN)
    assert closes > opens
    assert not window.allows(closes, BERLIN)
    step = (closes - opens) / 7
    is_jump = opens.astimezone(BERLIN).utcoffset() != closes.astimezone(BERLIN).utcoffset()
    assert is_jump or all(window.allows(opens + number * step, BERLIN) for number in range(7))


@pytest.mark.parametrize("text", ["", "9/10", "09:00", "23:30/00:30", "00:00/00:10", "09:00+01:00/10:00"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        windows.window_of(text)


def test_nobody_is_told_in_a_storm_out_of_the_window_before_the_next_batch_or_while_too_many_are_under_way() -> None:
    rolling = campaign(State.ROLLING, rate=60)
    assert campaigns.room(rolling, 0, NOW, UTC, is_storm=False) == rolling.batch == 10
    assert rolling.pause == timedelta(seconds=10)
    assert campaigns.room(rolling, 0, NOW, UTC, is_storm=True) == 0
    assert campaigns.room(rolling, 0, NOW + timedelta(hours=4), UTC, is_storm=False) == 0
    assert campaigns.room(rolling, campaigns.UNDER_WAY - 3, NOW, UTC, is_storm=False) == 3
    assert campaigns.room(rolling, campaigns.UNDER_WAY + 3, NOW, UTC, is_storm=False) == 0
    for state in set(State) - campaigns.RUNS:
        assert campaigns.room(campaign(state), 0, NOW, UTC, is_storm=False) == 0


@given(st.integers(1, 6000))
def test_a_campaign_is_as_fast_as_its_rate_and_no_faster(rate: int) -> None:
    rolling = campaign(State.ROLLING, rate=rate)
    assert rolling.batch * timedelta(minutes=1) / rolling.pause == pytest.approx(rate)
    assert rolling.pause >= timedelta(seconds=9.9)


@pytest.mark.parametrize(
    ("recent", "is_too_many"),
    [
        ("x", False),
        ("." * 499 + "x", False),
        ("xx", True),
        ("." * 198 + "xx", False),
        ("." * 197 + "xx", True),
        ("." * 495 + "x" * 5, False),
        ("." * 494 + "x" * 6, True),
    ],
)
def test_more_than_one_per_cent_of_the_last_500_are_too_many_and_one_alone_is_not(
    recent: str, *, is_too_many: bool
) -> None:
    assert campaigns.is_too_many(recent) is is_too_many


def test_one_device_that_has_lost_its_identity_is_enough_and_one_that_nobody_knew_before_is_not() -> None:
    rolling = replace(campaign(State.ROLLING), recent="." * LAST)
    done = Device(device="m1", place=0, state=DeviceState.DONE, due_at=NOW)
    lost = campaigns.read(done, NOW, campaigns.NO_SUCH_METER)
    paused = campaigns.counted(rolling, done, lost, NOW)
    assert paused.state is State.PAUSED
    assert paused.reason == "m1 has failed: 2.4 it has lost its metrology identity"
    sent = replace(done, state=DeviceState.SENT)
    refused = campaigns.answered(sent, campaigns.NO_SUCH_METER, "no such meter", NOW)
    assert refused.state is DeviceState.FAILED
    assert campaigns.counted(rolling, sent, refused, NOW).state is State.ROLLING


def load_control(starts: timedelta | None, minutes: int | None, since: datetime = NOW) -> Command:
    timing = EndDeviceTiming(
        interval=DateTimeInterval(start=None if starts is None else NOW + starts), duration=minutes
    )
    asked = EndDeviceControl(end_device_control_type=Reference(ref="3.15.0.18"), primary_device_timing=timing)
    return Command(id="shed/0", ticket="shed", control=asked, since=since)


HALF, MINUTE = timedelta(minutes=30), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("loads", "edges", "ends"),
    [
        ([], [], None),
        ([load_control(timedelta(), 60)], [], NOW + 2 * HALF),
        ([load_control(HALF, 60)], [], NOW + 3 * HALF),
        ([load_control(HALF + MINUTE, 60)], [], None),
        ([load_control(-2 * HALF, 60)], [], None),
        ([load_control(timedelta(), 60), load_control(timedelta(), 90)], [], NOW + 3 * HALF),
        ([load_control(None, None)], [], NOW + 10 * MINUTE),
        ([load_control(None, None, NOW - 10 * MINUTE)], [], None),
        ([], [NOW + HALF], NOW + 2 * HALF),
        ([], [NOW - HALF + MINUTE], NOW + MINUTE),
        ([], [NOW - HALF], None),
        ([], [NOW + HALF + MINUTE], None),
        ([load_control(timedelta(), 15)], [NOW], NOW + HALF),
    ],
)
def test_a_device_is_left_alone_about_the_control_of_its_load_and_the_turns_of_its_agreements(
    loads: list[Command], edges: list[datetime], ends: datetime | None
) -> None:
    agreed = [Agreed(agreement="a", usage_point="p", revision=1, starts=None, ends=each) for each in edges]
    found = quiet(loads, agreed, NOW)
    assert (None if found is None else found.until) == ends
    agreed = [Agreed(agreement="a", usage_point="p", revision=1, starts=each, ends=None) for each in edges]
    assert quiet(loads, agreed, NOW) == found, "it is the same when it begins"


class OneCampaign(RuleBasedStateMachine):
    """A campaign of twenty devices of which every word comes late, twice, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.campaign = campaign(canaries=3)
        drawn = campaigns.drawn("new software", (f"m{number}" for number in range(20)), NOW)
        self.devices = {each.device: each for each in drawn}
        self.told: dict[str, int] = dict.fromkeys(self.devices, 0)

    def of(self, *states: DeviceState) -> list[Device]:
        return sorted((each for each in self.devices.values() if each.state in states), key=lambda each: each.place)

    def move(self, event: Event) -> None:
        if (self.campaign.state, event) in TABLE:
            self.campaign = campaigns.moved(self.campaign, event, self.now)

    def keep(self, before: Device, after: Device) -> None:
        self.devices[after.device] = after
        was, self.campaign = self.campaign, campaigns.counted(self.campaign, before, after, self.now)
        if was.state is State.CANARY and after.state is DeviceState.FAILED and before.state in campaigns.OPEN:
            assert self.campaign.state is State.PAUSED, "the first failure of the first devices"
        first = [each for each in self.devices.values() if each.place < self.campaign.canaries]
        if self.campaign.state is State.CANARY and not any(each.state in campaigns.OPEN for each in first):
            self.move(Event.PROVE)

    @rule(user=st.sampled_from(["ann", "bob"]))
    def approve(self, user: str) -> None:
        try:
            self.campaign = campaigns.approved(self.campaign, user, self.now)
        except BusbarError:
            return
        assert user == "bob"

    @rule(event=st.sampled_from([Event.BEGIN, Event.PAUSE, Event.RESUME]))
    def steer(self, event: Event) -> None:
        self.move(event)

    @rule(minutes=st.integers(0, 60))
    def pass_time(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(is_storm=st.booleans())
    def tell(self, *, is_storm: bool) -> None:
        under_way = len(self.of(DeviceState.SENT, DeviceState.DONE))
        room = campaigns.room(self.campaign, under_way, self.now, UTC, is_storm=is_storm)
        assert not room or (self.campaign.state in campaigns.RUNS and not is_storm)
        least = self.campaign.canaries if self.campaign.state is State.CANARY else len(self.devices)
        for device in [each for each in self.of(DeviceState.PENDING) if each.due_at <= self.now and each.place < least][
            :room
        ]:
            assert self.told[device.device] < ATTEMPTS, "nobody is told more often"
            self.told[device.device] += 1
            self.devices[device.device] = campaigns.told(device)

    @precondition(lambda self: any(self.told.values()))
    @rule(data=st.data(), code=st.sampled_from(["", "", "", "4.1", "5.1", "5.3", "6.5"]))
    def answer(self, data: st.DataObject, code: str) -> None:
        names = sorted(name for name, times in self.told.items() if times)
        before = self.devices[data.draw(st.sampled_from(names))]
        after = campaigns.answered(before, code, "why", self.now)
        if before.state in {DeviceState.DONE, DeviceState.VERIFIED, DeviceState.SKIPPED}:
            assert after == before, "it was known"
        if after.state is DeviceState.PENDING and before.state is DeviceState.SENT:
            assert campaigns.RETRY <= after.due_at - self.now <= campaigns.RETRY * 3
        self.keep(before, after)

    @rule(data=st.data(), code=st.sampled_from(["", "", "4.1", "5.6", campaigns.NO_SUCH_METER]))
    def read(self, data: st.DataObject, code: str) -> None:
        if done := self.of(DeviceState.DONE):
            before = data.draw(st.sampled_from(done))
            asked = campaigns.asked(before, self.now)
            after = campaigns.read(asked, self.now, code)
            assert after.attempts <= ATTEMPTS
            self.keep(before, after)
            if code == campaigns.NO_SUCH_METER:
                assert after.state is DeviceState.FAILED
                assert self.campaign.state not in campaigns.RUNS, "one that has lost its identity is enough"

    @invariant()
    def nobody_is_told_before_it_is_approved_and_first_the_first(self) -> None:
        if self.campaign.state in {State.DRAFT, State.APPROVED}:
            assert not any(self.told.values())
        later = [name for name, times in self.told.items() if times and self.devices[name].place >= 3]
        first = [each for each in self.devices.values() if each.place < 3]
        if later:
            assert all(each.attempts or each.state is not DeviceState.PENDING for each in first)
        if self.campaign.state is State.CANARY:
            assert not later
        assert len(self.campaign.recent) <= LAST


TestOneCampaign = OneCampaign.TestCase
