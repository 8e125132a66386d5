"""Some rows of readings in columns tell what those rows told among all of them."""

from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contracts.compact_readings import Columns, CompactQuality, CompactReadings, Group, Ids, expanded
from contracts.nouns.meter_readings import MeterReading
from services.meter_reading_and_control.domain.columns import Array, part_of

QUARTERS = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
QUARTER_US = 900_000_000


@st.composite
def sheets(draw: st.DrawFn) -> Columns:
    """Readings of some meters, all with one mark, each with its own, or none with any."""
    rows, count = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    values = rows * count
    marked = draw(st.lists(st.integers(0, 2), min_size=values, max_size=values))
    one_by_one = tuple(chain.from_iterable((1, mark) for mark in marked))
    ids: Ids = tuple(f"meter {row}" for row in range(rows))
    if draw(st.booleans()):
        ids = bytes(range(16 * rows))
    return Columns(
        reading_type=QUARTERS,
        first_us=QUARTER_US,
        step_us=QUARTER_US if count > 1 else 0,
        count=count,
        numbers=np.arange(values, dtype="<i4").tobytes(),
        meters=ids,
        qualities=((CompactQuality(code="3.8.0"),), (CompactQuality(code="3.0.0"),)),
        runs=draw(st.sampled_from([(), (values, 0), (values, 1), one_by_one])),
    )


def told(columns: Columns) -> tuple[MeterReading, ...]:
    return expanded(CompactReadings(groups=(Group(columns=columns),))).meter_reading


@given(sheets(), st.data())
def test_some_rows_tell_what_they_told_among_all(columns: Columns, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, columns.rows - 1), min_size=1, unique=True).map(sorted))
    every = told(columns)
    places: Array = np.array(chosen)
    assert told(part_of(columns, places)) == tuple(every[place] for place in chosen)
    neighbours = slice(chosen[0], chosen[-1] + data.draw(st.integers(1, 3)))
    assert told(part_of(columns, neighbours)) == every[neighbours]
