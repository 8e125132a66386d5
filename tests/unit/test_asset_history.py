"""Facts of lives in any order make one history."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import Conflict
from services.asset_management.domain.history import Fact, History, Span, refuse_what_does_not_fit, settle
from services.asset_management.domain.lifecycle import IN_PLACE, TABLE, Event, State

S, E = State, Event
DAY = datetime(2026, 5, 1, tzinfo=UTC)


def h(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def begin(asset: str, state: State = S.READY, position: str | None = None, at: float = 0) -> Fact:
    return Fact(id=f"begin {asset}", asset=asset, at=h(at), state=state, position=position)


def exchange(old: str, new: str, at: float, name: str | None = None) -> Fact:
    return Fact(
        id=name or f"{old} {new} {at}",
        asset=new,
        at=h(at),
        event=E.INSTALLED,
        replaces=old,
        by_work=True,
        source="order",
    )


def event(asset: str, what: Event, at: float, position: str | None = None) -> Fact:
    return Fact(id=f"{asset} {what} {at}", asset=asset, at=h(at), event=what, position=position)


def places(history: History, at: float) -> dict[str, str | None]:
    now = {asset: history.at(asset, h(at)) for asset in history.spans}
    return {asset: span.position for asset, span in now.items() if span is not None and span.state in IN_PLACE}


T1, T2, T3 = begin("T1", S.IN_SERVICE, "P"), begin("T2"), begin("T3")


def test_an_exchange_leaves_the_position_and_changes_the_asset() -> None:
    history = settle([T1, T2, exchange("T1", "T2", 10)])
    assert places(history, 9) == {"T1": "P"}
    assert places(history, 10) == {"T2": "P"}
    assert [span.state for span in history.spans["T1"]] == [S.IN_SERVICE, S.REMOVED]
    assert [span.state for span in history.spans["T2"]] == [S.READY, S.IN_SERVICE]
    assert history.moved_out == {"T1 T2 10": "T1"}


def test_exchanges_told_in_any_order_and_twice_make_the_same_history() -> None:
    facts = [T1, T2, T3, exchange("T1", "T2", 10), exchange("T2", "T3", 12), event("T2", E.REPAIRED, 20)]
    expected = settle(facts)
    assert places(expected, 13) == {"T3": "P"}
    for order in permutations(facts):
        assert settle([*order, order[0]]) == expected


def test_what_goes_out_makes_room_although_what_comes_in_is_not_known_yet() -> None:
    waiting = settle([T1, exchange("T1", "T2", 10)])
    assert places(waiting, 11) == {}
    assert waiting.refused == {"T1 T2 10": "asset T2 has no record"}
    assert places(settle([T1, exchange("T1", "T2", 10), T2]), 11) == {"T2": "P"}


def test_an_exchange_of_what_is_elsewhere_or_nowhere_says_why_it_does_not_fit() -> None:
    wrong = exchange("T3", "T2", 10)
    assert settle([T1, T2, T3, wrong]).refused == {wrong.id: "asset T3 is 'ready' and in no place"}
    other = Fact(id="x", asset="T2", at=h(9), event=E.INSTALLED, position="Q", replaces="T1")
    assert settle([T1, T2, other]).refused == {"x": "asset T1 is at P, not at Q"}
    later = begin("T9", S.IN_SERVICE, "Q", at=20)
    assert settle([later, T2, exchange("T9", "T2", 10)]).refused["T9 T2 10"] == "the record of asset T9 begins later"


def test_a_position_that_is_named_is_cleared_of_whatever_is_there() -> None:
    fact = Fact(id="x", asset="T2", at=h(9), event=E.INSTALLED, position="P", evicts=True, by_work=True)
    history = settle([T1, T2, fact])
    assert places(history, 9) == {"T2": "P"}
    assert history.moved_out == {"x": "T1"}
    gone = Fact(id="y", asset=None, at=h(12), event=E.REMOVED, position="P")
    assert places(settle([T1, T2, fact, gone]), 12) == {}
    assert settle([T2, gone]).refused == {"y": "nothing is at the position P"}


def test_what_goes_out_may_be_named_by_its_position_whenever_that_is_learned() -> None:
    by_place = exchange("P", "T2", 10)
    assert places(settle([T1, T2, by_place]), 11) == {"T2": "P"}
    gone = event("P", E.REMOVED, 12)
    history = settle([gone, by_place, T2, T1])
    assert places(history, 12) == {}
    assert history.moved_out == {by_place.id: "T1", gone.id: "T2"}
    assert settle([T2, by_place]).refused == {by_place.id: "asset P has no record"}


def test_one_asset_is_not_at_two_positions_nor_two_at_one() -> None:
    twice = event("T1", E.INSTALLED, 5, "Q")
    assert settle([T1, twice]).refused == {twice.id: "asset T1 is 'inService' at P and cannot be 'installed'"}
    both = event("T2", E.INSTALLED, 5, "P")
    assert settle([T1, T2, both]).refused == {both.id: "the position P is taken by asset T1"}
    assert settle([T1, begin("T4", S.IN_SERVICE, "P", at=1)]).refused == {
        "begin T4": "the position P is taken by asset T1"
    }
    assert settle([T1, Fact(id="again", asset="T1", at=h(1), state=S.READY)]).refused == {
        "again": "the record of the asset has begun already"
    }


def test_a_pole_is_exchanged_without_a_position() -> None:
    old, new = begin("old", S.IN_SERVICE), begin("new")
    history = settle([old, new, exchange("old", "new", 10)])
    assert [span.state for span in history.spans["new"]] == [S.READY, S.IN_SERVICE]
    assert [span.state for span in history.spans["old"]] == [S.IN_SERVICE, S.REMOVED]


def states(history: History, asset: str) -> list[tuple[State, datetime]]:
    return [(span.state, span.starts) for span in history.spans[asset]]


def test_what_a_crew_built_in_is_in_service_when_its_position_gets_its_voltage() -> None:
    told = [T1, T2, exchange("T1", "T2", 11)]
    live = {"P": [(h(10), False), (h(11.5), True), (h(20), False), (h(21), True)]}
    assert states(settle(told, live), "T2")[1:] == [(S.INSTALLED, h(11)), (S.IN_SERVICE, h(11.5))]
    assert states(settle(told, {"P": [(h(10), False)]}), "T2")[1:] == [(S.INSTALLED, h(11))]
    assert states(settle(told, {"P": [(h(12), False)]}), "T2")[1:] == [(S.IN_SERVICE, h(11))]
    removed = event("T2", E.REMOVED, 11.2)
    assert states(settle([*told, removed], live), "T2")[2:] == [(S.REMOVED, h(11.2))]


def test_what_the_office_says_is_built_in_waits_for_the_voltage() -> None:
    told = [T2, event("T2", E.INSTALLED, 5, "P")]
    assert states(settle(told, {"P": [(h(1), True)]}), "T2")[-1] == (S.INSTALLED, h(5))
    assert states(settle(told, {"P": [(h(1), True), (h(6), False), (h(7), True)]}), "T2")[-1] == (S.IN_SERVICE, h(7))


def test_a_request_that_does_not_fit_is_refused_and_so_is_one_that_upsets_what_is_known_of_later() -> None:
    known = [T1, T2, event("T1", E.REMOVED, 10)]
    before = settle(known)
    late = [event("T1", E.REMOVED, 5)]
    with pytest.raises(Conflict, match=r"contradicts what is known of a later time: asset T1 is 'removed'"):
        refuse_what_does_not_fit(before, settle([*known, *late]), late)
    impossible = [event("T1", E.REPAIRED, 5)]
    with pytest.raises(Conflict, match=r"asset T1 is 'inService' at P and cannot be 'repaired'"):
        refuse_what_does_not_fit(before, settle([*known, *impossible]), impossible)
    good = [event("T2", E.INSTALLED, 12, "P")]
    refuse_what_does_not_fit(before, settle([*known, *good]), good)


ASSETS, POSITIONS = ["A", "B", "C", "D"], ["P", "Q"]
FACTS = st.one_of(
    st.builds(
        begin,
        st.sampled_from(ASSETS),
        st.sampled_from(list(State)),
        st.sampled_from([*POSITIONS, None]),
        st.integers(0, 3),
    ).map(lambda fact: fact if fact.state in IN_PLACE else begin(fact.asset or "", fact.state or S.READY)),
    st.builds(
        event, st.sampled_from(ASSETS), st.sampled_from(list(Event)), st.integers(0, 20), st.sampled_from(POSITIONS)
    ),
    st.builds(exchange, st.sampled_from(ASSETS), st.sampled_from(ASSETS), st.integers(0, 20)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FACTS, max_size=14), st.randoms(use_true_random=False))
def test_any_facts_in_any_order_give_one_history_without_overlaps_and_by_the_table(
    told: list[Fact], chance: Random
) -> None:
    facts = list({fact.id: fact for fact in told}.values())
    history = settle(facts)
    shuffled = [*facts, *facts]
    chance.shuffle(shuffled)
    assert settle(shuffled) == history
    spans = [span for each in history.spans.values() for span in each]
    for one in spans:
        assert one.ends is None or one.ends > one.starts
        for other in spans:
            if one is not other and one.position is not None and one.position == other.position:
                assert not _overlap(one, other)
    for each in history.spans.values():
        for before, then in pairwise(each):
            assert before.ends == then.starts
            assert then.state in _reachable(before.state)
        assert all(span.ends is not None for span in each[:-1])


def _overlap(one: Span, other: Span) -> bool:
    return (other.ends is None or one.starts < other.ends) and (one.ends is None or other.starts < one.ends)


def _reachable(state: State) -> set[State]:
    """What may follow, since several events of one instant leave no span between."""
    found, more = set(), {state}
    while more:
        found |= more
        more = {to for (at, _), to in TABLE.items() if at in more} - found
    return found
