"""The greatest of sums, and how those coincide that are in them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.meter_reading_and_control.domain.coincidence import Coincidence
from services.meter_reading_and_control.domain.readings import Origin, Value
from services.meter_reading_and_control.domain.sums import Sum

START = datetime(2026, 5, 5, tzinfo=UTC)
STARTS = [START + timedelta(hours=hour) for hour in range(4)]
rows = st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=5)


@given(told=rows, counts=st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_first_of_the_greatest_sums_counts_and_no_factor_is_more_than_one(
    told: list[list[int]], counts: list[bool]
) -> None:
    found = Coincidence()
    values = [[Value(number=number, scale=0, origin=Origin()) for number in row] for row in told]
    for number, row in enumerate(values):
        found.see_member(f"p{number}", row, counts)
    totals = [sum(column) for column in zip(*told, strict=True)]
    sums = [Sum(value=Value(number=each, scale=0, origin=Origin()), qualities=()) for each in totals]
    found.see_sums(STARTS, sums, counts)
    counted = [total for total, does in zip(totals, counts, strict=True) if does]
    if not counted:
        assert (found.start, found.sum, found.factor) == (None, None, None)
        return
    greatest = next(place for place in range(4) if counts[place] and totals[place] == max(counted))
    assert (found.start, found.sum) == (STARTS[greatest], sums[greatest])
    own = sum(max(number for number, does in zip(row, counts, strict=True) if does) for row in told)
    assert found.factor == (Fraction(max(counted), own) if own else None)
    assert found.factor is None or found.factor <= 1
