"""Whose turn it is at a head-end: shares, rates, one exchange for each device."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.codes.end_device_controls import CONNECT, DISCONNECT, PING
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl
from contracts.types import Reference
from services.meter_reading_and_control.domain import lanes
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.lanes import OWED, Budget, Lane

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
CODES = {
    Lane.SAFETY: CONNECT,
    Lane.OUTAGE: PING,
    Lane.SWITCH: DISCONNECT,
    Lane.ON_DEMAND: "3.36.0.1",
    Lane.BILLING: "3.8.0.214",
    Lane.FIRMWARE: "3.11.0.1",
}


def command(lane: Lane, number: int, *, level: int | None = None, code: str = "", collector: str = "") -> Command:
    control = EndDeviceControl(
        mrid=f"{lane} {number}",
        dr_program_level=level,
        end_device_control_type=Reference(ref=code or CODES[lane]),
        end_devices=(EndDevice(mrid=f"meter {lane} {number}"),),
    )
    return Command(id=f"{lane}/{number}", control=control, ticket=str(lane), since=NOW, collector=collector)


def test_every_kind_of_control_has_its_lane_and_load_is_shed_with_disconnections() -> None:
    assert {lane: lanes.lane_of(command(lane, 0)) for lane in CODES} == {lane: lane for lane in CODES}
    assert lanes.lane_of(command(Lane.SWITCH, 0, level=1, code="3.15.0.1")) is Lane.SWITCH


def test_the_urgent_go_first_and_no_lane_that_waits_starves() -> None:
    waiting = [command(lane, number) for lane in CODES for number in range(1000)]
    sent, _ = lanes.chosen(waiting, (), Budget(), 100, NOW)
    assert len(sent) == lanes.burst(100) == 1000
    shares = Counter(lanes.lane_of(each) for each in sent)
    assert all(OWED[lane] - shares[lane] in {0, 1} for lane in CODES if OWED[lane]), "a turn may still be owed"
    assert shares[Lane.SAFETY] >= 480
    assert [lanes.lane_of(each) for each in sent[:4]] == [Lane.SAFETY] * 4


def test_what_a_lane_is_owed_is_kept_while_one_turn_comes_at_a_time() -> None:
    budget, seen = Budget(spent_until=NOW + timedelta(seconds=9)), Counter[Lane]()
    for turn in range(100):
        waiting = [command(lane, number) for lane in CODES for number in (turn, turn + 1)]
        sent, budget = lanes.chosen(waiting, (), budget, 1, NOW + timedelta(seconds=turn))
        seen.update(lanes.lane_of(each) for each in sent)
    assert all(OWED[lane] // 10 - seen[lane] in {0, 1} for lane in CODES if OWED[lane])
    assert seen[Lane.FIRMWARE] >= 1


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 300)), max_size=30),
)
def test_a_head_end_never_gets_more_than_its_rate_and_a_burst_and_what_is_free_is_not_held_back(
    rate: int, times: list[tuple[int, int]]
) -> None:
    budget, now, sent = Budget(), NOW, 0
    for milliseconds, many in times:
        now += timedelta(milliseconds=milliseconds)
        waiting = [command(Lane.OUTAGE, number) for number in range(many)]
        room = lanes.free(budget, rate, now)
        taken, budget = lanes.chosen(waiting, (), budget, rate, now)
        assert len(taken) == min(room, many)
        sent += len(taken)
        assert sent <= lanes.burst(rate) + rate * (now - NOW).total_seconds() + 1e-3
        if many > room:
            again = lanes.next_at(budget, rate, now)
            assert lanes.free(budget, rate, again) >= 1
            assert again - now <= timedelta(seconds=1) / rate + timedelta(milliseconds=1)


@given(st.lists(st.tuples(st.sampled_from(["word", "silence"]), st.integers(0, 120)), max_size=60))
def test_a_head_end_that_answers_nothing_rests_and_one_command_finds_out_that_it_answers_again(
    told: list[tuple[str, int]],
) -> None:
    """Whatever is heard and whenever: after a word all goes on, and in a rest at most one command is under way."""
    budget, now, under_way = Budget(), NOW, list[Command]()
    silent = 0
    for number, (word, seconds) in enumerate(told):
        now += timedelta(seconds=seconds)
        waiting = [command(Lane.OUTAGE, 10 * number + place) for place in range(3)]
        sent, budget = lanes.chosen(waiting, (), budget, 100, now)
        under_way += sent
        assert len(sent) in ({0, 1} if silent >= 4 else {3})
        if not under_way:
            continue
        if word == "word":
            under_way.pop(0)
            budget, silent = lanes.answered(budget), 0
            assert not budget.is_silent
        else:
            missed = under_way.pop()
            before = budget
            budget, silent = lanes.unanswered(budget, missed, 4, now), silent + 1
            assert budget.is_silent
            if before.rests and missed.id != before.probe:
                assert budget == before, "what was sent before the rest says nothing new"
            elif silent >= 4:
                rest = (budget.rests_until or now) - now
                assert lanes.REST <= rest <= lanes.LONGEST_REST
                assert lanes.next_at(budget, 100, now) == budget.rests_until
                assert lanes.free(budget, 100, now) == 0
                assert lanes.free(budget, 100, now + rest) == 1


@pytest.mark.parametrize("busy", [set(), {"meter 2 0"}])
def test_a_device_takes_part_in_one_exchange_at_a_time(busy: set[str]) -> None:
    twice = [command(Lane.OUTAGE, 0), command(Lane.OUTAGE, 1), command(Lane.OUTAGE, 0)]
    sent, _ = lanes.chosen(twice, busy, Budget(), 1, NOW)
    assert [each.device for each in sent] == [each for each in ("meter 2 0", "meter 2 1") if each not in busy]


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(
            st.integers(0, 3000), st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(list(CODES))))
        ),
        max_size=20,
    ),
)
def test_a_collector_never_gets_more_than_its_rate_and_a_burst_and_holds_up_nobody_else(
    rate: int, times: list[tuple[int, list[tuple[str, Lane]]]]
) -> None:
    """Whoever waits: what is sent is all for which head-end and collector have room."""
    head_end, collectors = Budget(), {"a": Budget(), "b": Budget()}
    now, numbers, waiting, given = NOW, count(), list[Command](), Counter[str]()
    for milliseconds, asked in times:
        now += timedelta(milliseconds=milliseconds)
        waiting += [command(lane, next(numbers), collector=collector) for collector, lane in asked]
        room = {name: lanes.free(each, rate, now) for name, each in collectors.items()}
        free = lanes.free(head_end, 10, now)
        sent, head_end = lanes.chosen(waiting, (), head_end, 10, now, room=room)
        by = Counter(each.collector for each in waiting)
        assert len(sent) == min(free, sum(min(many, room.get(name, many)) for name, many in by.items()))
        given.update(each.collector for each in sent)
        collectors = {
            name: lanes.given(each, [one for one in sent if one.collector == name], rate, now)
            for name, each in collectors.items()
        }
        waiting = [each for each in waiting if each not in sent]
        most = lanes.burst(rate) + rate * (now - NOW).total_seconds() + 1e-3
        assert max(given["a"], given["b"]) <= most
        if any(each.collector for each in waiting) and lanes.free(head_end, 10, now) > 0:
            again = lanes.next_by(head_end, collectors.values(), 10, rate, now)
            assert any(lanes.free(each, rate, again) > 0 for each in collectors.values())


def test_a_collector_in_vain_counts_once_against_its_head_end_until_it_answers() -> None:
    lost, head_end = command(Lane.OUTAGE, 1, collector="a"), Budget()
    before = Budget()
    assert lanes.counts_for_head_end(before, head_end, lost)
    silent = lanes.unanswered(before, lost, 2, NOW)
    assert not lanes.counts_for_head_end(silent, head_end, lost)
    assert lanes.counts_for_head_end(silent, Budget(probe=lost.id), lost), "the whole head-end was tried with it"
    assert lanes.counts_for_head_end(lanes.answered(silent), head_end, lost)
    assert lanes.counts_for_head_end(None, head_end, lost), "no collector is known"


def test_who_waits_for_a_silent_collector_is_told_so() -> None:
    resting = Budget(silent=20, rests=1, rests_until=NOW + timedelta(seconds=30))
    waits = lanes.queued(command(Lane.OUTAGE, 1, collector="a"), NOW)
    reason = lanes.too_late(waits, 1, 10, Budget(), NOW, collector=resting)
    assert reason == "its collector has not answered 20 times; ask again in 30 s"
