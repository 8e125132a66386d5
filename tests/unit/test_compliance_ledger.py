"""The ledger follows from what was told of the outages, in whatever order and however often it was told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.message import Header
from contracts.nouns.unplanned_outages import OutageCauseKind, OutageState, OutageStatusKind, UnplannedOutage
from contracts.types import DateTimeInterval, ObjectReference, Status
from contracts.verbs import Verb
from services.compliance_management.domain.ledger import Interval, Telling, claims, disjoint
from services.compliance_management.views import telling_of

T0 = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
POINTS = ("p1", "p2", "p3")


def m(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def telling(
    revision: int,
    dark: Iterable[str] = (),
    live: Iterable[str] = (),
    *,
    at: float = 0,
    began: float = 0,
    ended: float | None = None,
    outage: str = "outage",
    counts: bool = True,
    steps: Mapping[str, float] | None = None,
) -> Telling:
    return Telling(
        outage=outage,
        revision=revision,
        told_at=m(at),
        counts=counts,
        planned=False,
        began_at=m(began),
        ended_at=None if ended is None else m(ended),
        dark=tuple(dark),
        live=tuple(live),
        steps={point: m(at) for point, at in (steps or {}).items()},
    )


def times(intervals: Iterable[Interval]) -> dict[str, tuple[float, float | None]]:
    minute = timedelta(minutes=1)
    return {
        each.usage_point: (
            (each.began_at - T0) / minute,
            None if each.ended_at is None else (each.ended_at - T0) / minute,
        )
        for each in intervals
    }


def ledger(told: Iterable[Telling]) -> list[Interval]:
    """All of it, from all that was told."""
    histories: defaultdict[str, dict[int, Telling]] = defaultdict(dict)
    for each in told:
        histories[each.outage].setdefault(each.revision, each)
    claimed: defaultdict[str, list[Interval]] = defaultdict(list)
    for history in histories.values():
        for claim in claims(history.values()):
            claimed[claim.usage_point].append(claim)
    return [line for point in sorted(claimed) for line in disjoint(claimed[point])]


def test_each_usage_point_has_its_own_end_and_the_last_have_that_of_the_outage() -> None:
    history = [
        telling(1, POINTS),
        telling(2, ("p2", "p3"), ("p1",), at=3),
        telling(3, (), POINTS, at=31, ended=30),
    ]
    assert times(claims(history[:1])) == {"p1": (0, None), "p2": (0, None), "p3": (0, None)}
    assert times(claims(history)) == {"p1": (0, 3), "p2": (0, 30), "p3": (0, 30)}


def test_a_telling_that_comes_late_still_says_when_the_first_had_supply_again() -> None:
    late = telling(2, ("p2",), ("p1",), at=3)
    others = [telling(1, ("p1", "p2")), telling(3, (), ("p1", "p2"), at=31, ended=30)]
    assert times(claims(others)) == {"p1": (0, 30), "p2": (0, 30)}
    assert times(claims([*others, late])) == {"p1": (0, 3), "p2": (0, 30)}


def test_a_correction_of_beginning_and_end_moves_all_that_follows_from_them() -> None:
    history = [telling(1, POINTS), telling(2, ("p2",), ("p1",), at=10), telling(3, (), ("p1", "p2"), at=30, ended=30)]
    corrected = telling(4, (), ("p1", "p2"), at=900, began=5, ended=45)
    assert times(claims([*history, corrected])) == {"p1": (5, 10), "p2": (5, 45)}
    assert times(claims([*history, replace(corrected, ended_at=m(8))])) == {"p1": (5, 8), "p2": (5, 8)}


def test_two_steps_told_in_one_message_each_have_their_own_time() -> None:
    history = [telling(1, POINTS), telling(2, ("p3",), ("p1", "p2"), at=20, steps={"p1": 3, "p2": 20})]
    assert times(claims(history)) == {"p1": (0, 3), "p2": (0, 20), "p3": (0, None)}
    corrected = telling(3, (), POINTS, at=40, ended=30, steps={"p1": 4, "p2": 20, "p3": 30})
    assert times(claims([*history, corrected])) == {"p1": (0, 4), "p2": (0, 20), "p3": (0, 30)}


def test_a_return_of_supply_that_is_taken_back_was_none() -> None:
    history = [telling(1, ("p1",)), telling(2, (), ("p1",), at=5), telling(3, ("p1",), at=6)]
    assert times(claims(history)) == {"p1": (0, None)}
    assert times(claims([*history, telling(4, (), ("p1",), at=9)])) == {"p1": (0, 9)}


def test_whoever_an_outage_no_longer_names_was_never_interrupted_by_it() -> None:
    assert times(claims([telling(1, POINTS), telling(2, ("p2",))])) == {"p2": (0, None)}
    assert claims([telling(1, POINTS), telling(2, POINTS, counts=False)]) == []


def test_a_nested_outage_has_what_is_left_after_its_parent_was_restored() -> None:
    parent = telling(2, (), ("p1", "p2"), ended=60, outage="parent")
    nested = telling(1, ("p2",), began=0, at=70, outage="nested")
    first, parents, nesteds = ledger([parent, nested])
    assert (first.usage_point, first.outage) == ("p1", "parent")
    assert (parents.outage, parents.began_at, parents.ended_at) == ("parent", m(0), m(60))
    assert (nesteds.outage, nesteds.began_at, nesteds.ended_at) == ("nested", m(60), None)


def outage(**changes: Any) -> UnplannedOutage:
    plain = UnplannedOutage(
        mrid="outage",
        outage_kind=OutageStatusKind.CONFIRMED,
        revision_number=1,
        actual_period=DateTimeInterval(start=T0),
        de_energized_usage_point=(ObjectReference(mrid="p1"),),
    )
    return replace(plain, **changes)


HEADER = Header(verb=Verb.CHANGED, noun="UnplannedOutages", timestamp=m(4))


def test_what_is_only_inferred_dismissed_or_cancelled_does_not_count() -> None:
    assert telling_of(outage(), HEADER, m(9)).counts
    assert not telling_of(outage(outage_kind=OutageStatusKind.PREDICTED), HEADER, m(9)).counts
    assert not telling_of(outage(status=Status(value=OutageState.DISMISSED)), HEADER, m(9)).counts
    assert not telling_of(outage(cancelled_date_time=m(5)), HEADER, m(9)).counts
    assert telling_of(outage(cause_kind=OutageCauseKind.PLANNED), HEADER, m(9)).planned


def test_a_change_happened_when_the_event_says_and_else_when_it_was_told() -> None:
    assert telling_of(outage(status=Status(date_time=m(2))), HEADER, m(9)).told_at == m(2)
    assert telling_of(outage(last_modified_date_time=m(3)), HEADER, m(9)).told_at == m(3)
    assert telling_of(outage(), HEADER, m(9)).told_at == m(4)
    assert telling_of(outage(), replace(HEADER, timestamp=m(10**6)), m(9)).told_at == m(9)


def test_an_outage_without_a_beginning_is_refused() -> None:
    assert telling_of(outage(actual_period=None, reported_start_time=m(1)), HEADER, m(9)).began_at == m(1)
    with pytest.raises(Invalid, match="without a beginning"):
        telling_of(outage(actual_period=None), HEADER, m(9))


@st.composite
def histories(draw: st.DrawFn) -> list[Telling]:
    """Two to four outages of the same few usage points, each told several times, the last time perhaps corrected."""
    told = []
    for number in range(draw(st.integers(2, 4))):
        began, at = draw(st.integers(0, 20)), 0
        for revision in range(1, draw(st.integers(1, 4)) + 1):
            at = draw(st.integers(max(at, began), 40))
            named = draw(st.lists(st.sampled_from(POINTS), unique=True))
            live = draw(st.lists(st.sampled_from(named), unique=True)) if named else []
            began = draw(st.sampled_from((began, draw(st.integers(0, 20)))))
            told.append(
                telling(
                    revision,
                    sorted(set(named) - set(live)),
                    live,
                    at=at,
                    began=began,
                    ended=draw(st.none() | st.integers(0, 40)),
                    outage=f"outage-{number}",
                    counts=draw(st.integers(0, 4)) > 0,
                    steps=draw(st.dictionaries(st.sampled_from(live), st.integers(0, 40))) if live else None,
                )
            )
    return told


def minutes_without_supply(told: Iterable[Telling], until: int) -> dict[str, int]:
    """By brute force: each usage point in each minute, as the newest telling of each outage would have it."""
    newest: dict[str, list[Telling]] = defaultdict(list)
    for each in sorted(told, key=lambda t: t.revision):
        newest[each.outage].append(each)
    dark: dict[str, int] = {}
    for point in POINTS:
        for minute in range(until):
            dark[point] = dark.get(point, 0) + any(is_dark(history, point, m(minute)) for history in newest.values())
    return dark


def is_dark(history: list[Telling], point: str, at: datetime) -> bool:
    last = history[-1]
    if not last.counts or point not in {*last.dark, *last.live} or at < last.began_at:
        return False
    if point in last.steps:
        return at < last.steps[point]
    if last.ended_at is not None and at >= last.ended_at:
        return False
    if point in last.dark:
        return True
    taken_back = max((t.revision for t in history if point not in t.live), default=0)
    back = next(t for t in history if t.revision > taken_back)
    if back.ended_at is None:
        return at < back.told_at
    return at < (last.ended_at or back.ended_at)


@given(histories(), st.randoms(use_true_random=False), st.data())
def test_tellings_in_any_order_and_told_again_make_the_same_ledger(
    told: list[Telling], chance: Any, data: st.DataObject
) -> None:
    again = [*told, *data.draw(st.lists(st.sampled_from(told)))]
    chance.shuffle(again)
    assert ledger(again) == ledger(told)


@given(histories())
def test_intervals_of_a_usage_point_are_disjoint_and_last_as_long_as_the_supply_was_missing(
    told: list[Telling],
) -> None:
    lines = ledger(told)
    lasted: defaultdict[str, int] = defaultdict(int)
    free: dict[str, datetime] = {}
    for line in lines:
        assert line.began_at >= free.get(line.usage_point, T0)
        end = m(50) if line.ended_at is None else line.ended_at
        assert end > line.began_at
        free[line.usage_point] = end
        lasted[line.usage_point] += (end - line.began_at) // timedelta(minutes=1)
    assert {point: lasted[point] for point in POINTS} == minutes_without_supply(told, until=50)
