"""Virtual usage points as values: what they come down to, and what is split."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Invalid
from services.meter_reading_and_control.domain.readings import DERIVED_SUM, Origin, Quality, Value
from services.meter_reading_and_control.domain.virtual import (
    INFERRED,
    Formula,
    at_length,
    combined,
    pieces,
    refuse_cycle,
    split,
)

START = datetime(2026, 5, 5, tzinfo=UTC)
POINTS = ("a", "b", "c", "x", "y", "z")
"""Three that are measured, and three that are made of those before them."""


def value(number: int, *qualities: str) -> Value:
    return Value(number=number, scale=0, origin=Origin(qualities=tuple(Quality(code=each) for each in qualities)))


@st.composite
def formulas(draw: st.DrawFn) -> list[Formula]:
    found = []
    for place in range(3, 6):
        for hour in draw(st.sets(st.integers(0, 3), min_size=1, max_size=2)):
            members = draw(st.dictionaries(st.sampled_from(POINTS[:place]), st.integers(-2, 2)))
            weights = tuple((member, Fraction(each)) for member, each in members.items())
            found.append(Formula(usage_point=POINTS[place], since=START + timedelta(hours=hour), members=weights))
    return found


def worked_out(point: str, at: datetime, known: list[Formula], measured: dict[str, int]) -> Fraction:
    """The value of a usage point, member by member."""
    if point in measured:
        return Fraction(measured[point])
    valid = [each for each in sorted(known) if each.usage_point == point and each.since <= at]
    members = valid[-1].members if valid else ()
    return sum((weight * worked_out(member, at, known, measured) for member, weight in members), Fraction(0))


@given(known=formulas(), numbers=st.tuples(*[st.integers(-1000, 1000)] * 3))
def test_a_virtual_point_comes_down_to_what_is_measured_whatever_it_is_made_of(
    known: list[Formula], numbers: tuple[int, int, int]
) -> None:
    measured = dict(zip(POINTS[:3], numbers, strict=True))
    starts = [START + timedelta(hours=hour) for hour in range(4)]
    values = {point: [value(number)] * 4 for point, number in measured.items()}
    for start, told in zip(starts, combined(values, pieces("z", known), starts), strict=True):
        expected = worked_out("z", start, known, measured)
        assert (Fraction(0) if told is None or told.value is None else told.value.exact) == expected
    refuse_cycle(known, "z")


@given(number=st.integers(-(10**6), 10**6), many=st.integers(2, 12))
def test_what_is_split_is_as_equal_as_whole_numbers_can_be_and_closes_to_the_last(number: int, many: int) -> None:
    parts = [each.number for each in split([value(number)], many) if each is not None]
    assert (len(parts), sum(parts)) == (many, number)
    assert max(parts) - min(parts) <= 1
    assert split([None], many) == [None] * many


def test_a_length_is_taken_as_it_is_else_made_of_shorter_and_split_only_where_nothing_else_is_known() -> None:
    halves, quarters = [value(7), value(9)], [value(each) for each in (1, 2, 3, 4)]
    assert at_length({2: halves, 4: quarters}, 2) == halves
    assert [each and each.number for each in at_length({4: quarters}, 2)] == [3, 7]
    inferred = at_length({2: halves}, 4)
    assert [each and each.number for each in inferred] == [3, 4, 4, 5]
    assert all(each is not None and INFERRED in each.origin.qualities for each in inferred)
    assert at_length({}, 4) == [None] * 4


def test_the_quality_is_derived_and_that_of_the_worst_member() -> None:
    known = pieces("x", [Formula(usage_point="x", since=START, members=(("a", Fraction(1)), ("b", Fraction(1))))])
    parts = {"a": [value(1)], "b": [value(2, "3.8.0")]}
    (told,) = combined(parts, known, [START])
    assert told is not None
    assert told.qualities == (DERIVED_SUM, Quality(code="3.8.0"))


def test_who_would_be_made_of_himself_is_refused_with_the_way_round() -> None:
    ring = [
        Formula(usage_point=one, since=START, members=((other, Fraction(1)),))
        for one, other in ("xy", "yz", "zx", "ya")
    ]
    with pytest.raises(Invalid, match="x is made of y is made of z is made of x"):
        refuse_cycle(ring, "x")
