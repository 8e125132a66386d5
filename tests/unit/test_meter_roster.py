"""What a process remembers of where meters are: the same as a plain table of them, in a few bytes for each."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contracts.compact_readings import Ids, texts
from services.meter_reading_and_control.domain.columns import EPOCH, MICROSECOND
from services.meter_reading_and_control.domain.roster import NOWHERE, Roster

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
AT_US = (datetime(2026, 5, 1, tzinfo=UTC) - EPOCH) // MICROSECOND

uuids = st.one_of(st.uuids(), st.integers(0, 3).map(lambda low: UUID(int=2**128 - 1 - low)))
mrids = st.one_of(uuids.map(str), uuids.map(lambda each: str(each).upper()), st.text(max_size=3))
towns = st.lists(mrids, min_size=1, max_size=12, unique=True)


def in_bytes(ids: list[str]) -> Ids:
    """Sixteen bytes each, where all are UUIDs as they are written in columns."""
    try:
        packed = b"".join(UUID(each).bytes for each in ids)
    except ValueError:
        return tuple(ids)
    return packed if [*texts(packed)] == ids else tuple(ids)


@given(towns, st.data())
def test_a_roster_knows_what_a_table_of_meters_knows(town: list[str], data: st.DataObject) -> None:
    roster, table = Roster(), dict[str, tuple[str, datetime | None]]()
    for _ in range(data.draw(st.integers(1, 4))):
        some = data.draw(st.lists(st.sampled_from(town), unique=True))
        new = [each for each in some if each not in table]
        found = roster.find(in_bytes(some))
        assert [each for each, place in zip(some, found.tolist(), strict=True) if place == NOWHERE] == new
        ends = data.draw(st.sampled_from([None, SINCE + timedelta(days=1), SINCE + timedelta(days=365)]))
        points = {meter: data.draw(mrids) for meter in new}
        roster.learn([(meter, points[meter], SINCE, ends) for meter in new])
        table |= {meter: (points[meter], ends) for meter in new}
        moved = data.draw(st.lists(st.sampled_from(town), unique=True, max_size=3))
        roster.forget(moved)
        table = {meter: known for meter, known in table.items() if meter not in moved}
    places = roster.find(in_bytes(town))
    fits = [each in table and (table[each][1] or SINCE + timedelta(days=999)).year > SINCE.year for each in town]
    assert roster.fitting(places, None, AT_US, AT_US + 1).tolist() == fits
    good = places[fits]
    expected = [table[meter][0] for meter, is_there in zip(town, fits, strict=True) if is_there]
    assert [*texts(roster.points(good))] == expected
    said = [table[meter][0] if meter in table else "?" for meter in town]
    assert roster.fitting(places, in_bytes(said), AT_US, AT_US + 1).tolist() == fits
    other = [f"{each}?" for each in said]
    assert not roster.fitting(places, in_bytes(other), AT_US, AT_US + 1).any()


def test_a_meter_takes_a_hundred_bytes_and_each_of_its_reading_types_a_dozen() -> None:
    count = 1 << 15
    roster = Roster()
    ids = np.random.default_rng(7).bytes(32 * count)
    meters, points = texts(ids[: 16 * count]), texts(ids[16 * count :])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    roster.learn([(meter, point, SINCE, None) for meter, point in zip(meters, points, strict=True)])
    places = roster.find(ids[: 16 * count])
    assert roster.fitting(places, ids[16 * count :], AT_US, AT_US + 1).all()
    for code in ("a", "b"):
        roster.series(code, places)
        roster.learn_series(code, places.tolist(), (places + 256).tolist())
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del places
    assert (roster.series("b", roster.find(ids[:32])) == [256, 257]).all()
    assert (after - before) / count < 100 + 2 * 12
