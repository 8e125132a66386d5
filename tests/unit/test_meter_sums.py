"""Sums of what usage points take, and who belongs together when."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.meter_reading_and_control.domain.membership import Served, covers, groups_in, narrowed, news, united
from services.meter_reading_and_control.domain.readings import Origin, Quality, Value
from services.meter_reading_and_control.domain.sums import Tally

T0 = datetime(2026, 5, 5, tzinfo=UTC)
STARTS = [T0 + timedelta(hours=place) for place in range(3)]
MEASURED = Origin()
ESTIMATED = Origin(qualities=(Quality(code="3.8.0", comment="method=E4"),))

values = st.none() | st.builds(
    Value,
    number=st.integers(-(10**15), 10**15),
    scale=st.integers(-6, 3),
    origin=st.sampled_from([MEASURED, ESTIMATED]),
)
rows = st.lists(st.tuples(st.lists(values, min_size=3, max_size=3), st.lists(st.booleans(), min_size=3, max_size=3)))


@given(rows, st.sampled_from([0.5, 0.9, 1.0]))
def test_a_sum_is_exact_and_there_only_where_enough_of_those_who_belong_to_it_have_a_value(
    taken: list[tuple[list[Value | None], list[bool]]], least_share: float
) -> None:
    tally = Tally(STARTS)
    for mine, belongs in taken:
        tally.add(mine, belongs)
    for place, each in enumerate(tally.told(least_share)):
        members = [mine[place] for mine, belongs in taken if belongs[place]]
        there = [value for value in members if value is not None]
        assert (each is None) == (not members)
        if each is None:
            continue
        assert (each.value is None) == (not there or len(there) < least_share * len(members))
        codes = {quality.code for quality in each.qualities}
        if each.value is not None:
            assert each.value.exact == sum(value.exact for value in there)
            assert ("3.4.2" in codes) == (len(there) < len(members))
            assert ("3.8.0" in codes) == any(value.origin == ESTIMATED for value in there)
        else:
            assert codes == {"3.5.259"}


def served(point: str, hour: int, transformer: str | None) -> Served:
    feeder = None if transformer is None else "feeder"
    return Served(usage_point=point, since=T0 + timedelta(hours=hour), feeder=feeder, transformer=transformer)


def test_a_usage_point_belongs_to_a_transformer_until_a_model_moves_it_or_has_it_no_more() -> None:
    first = [served("p1", 0, "t1"), served("p2", 0, "t1")]
    second = news({each.usage_point: each for each in first}, [served("p1", 1, "t2")], T0 + timedelta(hours=1))
    assert second == [served("p1", 1, "t2"), served("p2", 1, None)]
    assert news({each.usage_point: each for each in second}, [served("p1", 2, "t2")], T0 + timedelta(hours=2)) == []
    t1, t2 = groups_in([*first, *second], ["t1", "t2", "t3"])
    feeder = groups_in([*first, *second], ["feeder"])[0]
    at = [
        [covers(group.members.get(point, ()), start) for start in STARTS]
        for group in (t1, t2)
        for point in ("p1", "p2")
    ]
    assert at == [[True, False, False], [True, False, False], [False, True, True], [False, False, False]]
    assert [covers(feeder.members["p1"], start) for start in STARTS] == [True, True, True]
    assert narrowed(t2.members["p1"], T0, T0 + timedelta(hours=2)) == [
        (T0 + timedelta(hours=1), T0 + timedelta(hours=2))
    ]
    assert united([t1, t2]).members["p1"] == (*t1.members["p1"], *t2.members["p1"])
