"""The counting of reads: by arrays as one by one, and what a read is."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from services.meter_reading_and_control.config import days_from
from services.meter_reading_and_control.domain.columns import Array
from services.meter_reading_and_control.domain.readings import Origin, Quality, Value
from services.meter_reading_and_control.domain.success import CAUSES, NEVER, Cause, Reads, counted, reads_among

CUT_OFF = datetime(2026, 5, 7, 6, tzinfo=UTC)
AT = int(CUT_OFF.timestamp())

cells = st.tuples(st.booleans(), st.sampled_from([AT - 5, AT, AT + 5, NEVER]), st.booleans())
rows = st.lists(cells, min_size=3, max_size=3)
points = st.tuples(st.lists(rows, max_size=3), st.integers(0, 1), st.sampled_from(CAUSES))


def cells_of(flat: list[tuple[int, list[tuple[bool, int, bool]]]], place: int) -> Array:
    return np.array([[cell[place] for cell in row] for _, row in flat], int).reshape(-1, 3)


@given(told=st.lists(points, min_size=1, max_size=6))
def test_what_is_counted_by_arrays_is_what_is_counted_one_by_one(
    told: list[tuple[list[list[tuple[bool, int, bool]]], int, Cause]],
) -> None:
    flat = [(number, row) for number, (own, _, _) in enumerate(told) for row in own]
    due, came, off = (cells_of(flat, place) for place in range(3))
    reads = Reads(
        points=np.array([number for number, _ in flat], int), due=due.astype(bool), came=came, off=off.astype(bool)
    )
    groups = np.array([group for _, group, _ in told])
    causes = np.array([CAUSES.index(cause) for _, _, cause in told])
    untold = np.array([not own for own, _, _ in told])
    found = counted([reads], groups, causes, untold, [CUT_OFF])
    for group in range(int(groups.max()) + 1):
        mine = [(own, cause) for own, of, cause in told if of == group]
        missing = [[c for row in own for c in row if c[0] and c[1] > AT] for own, _ in mine]
        (counts,) = found[group]
        assert counts.reads == sum(cell[0] for own, _ in mine for row in own for cell in row)
        assert counts.stored == counts.reads - sum(map(len, missing))
        assert counts.meters == len(mine)
        assert counts.complete == sum(bool(own) and not lacks for (own, _), lacks in zip(mine, missing, strict=True))
        assert sum(counts.causes) == counts.meters - counts.complete
        excused = sum(
            (bool(lacks) and all(cell[2] for cell in lacks) and cause is not Cause.EXCHANGE)
            or ((bool(lacks) or not own) and cause is Cause.OUTAGE_EXCUSED)
            for (own, cause), lacks in zip(mine, missing, strict=True)
        )
        assert counts.causes[CAUSES.index(Cause.OUTAGE_EXCUSED)] == excused


def test_a_value_that_is_told_is_a_read_an_estimate_is_none_unless_it_stands_in_the_place_of_one() -> None:
    estimate = (Quality(code="3.8.0", comment="method=E4"),)
    measured = Value(number=1, scale=0, origin=Origin())
    origins = (
        Origin(),
        Origin(qualities=(Quality(code="1.5.256"),)),
        Origin(qualities=estimate),
        Origin(qualities=estimate, instead_of=measured),
        Origin(qualities=(Quality(code="2.5.259"),)),
    )
    assert reads_among(json.encode(origins).decode()).tolist() == [True, True, False, True, False]


def test_the_days_of_the_cut_offs_are_a_setting() -> None:
    assert days_from({}) == (1, 3, 10)
    assert days_from({"BUSBAR_METER_READ_DAYS": "2, 20"}) == (2, 20)


@pytest.mark.parametrize("text", ["", "0,1", "3,1", "1,1", "one", "1;2"])
def test_days_that_do_not_rise_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="BUSBAR_METER_READ_DAYS"):
        days_from({"BUSBAR_METER_READ_DAYS": text})
