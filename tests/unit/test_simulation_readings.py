"""What the simulated meters count: one number behind registers and intervals, the same in any order."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.emergency_simulation.config import habits_from
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.consumption import counted
from services.emergency_simulation.domain.disconnectors import Obedience, obeyed, unsupplied
from services.emergency_simulation.domain.meters import Spell
from services.emergency_simulation.domain.reading import Day, File, Habits, files
from services.emergency_simulation.views.readings import Source, block, channel, day, text
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.readings import Interval
from services.meter_reading_and_control.views.told import Teller

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = st.integers(0, 600_000).map(lambda minutes: START + timedelta(minutes=minutes))
METERS = st.sampled_from(["m1", "m2", "m3"])


@given(st.integers(0, 3), METERS, MINUTES, MINUTES)
def test_a_register_never_falls_and_counts_what_a_household_uses(
    seed: int, meter: str, one: datetime, two: datetime
) -> None:
    stream = Stream(seed, "load")
    first, last = sorted((one, two))
    used = counted(stream, meter, last) - counted(stream, meter, first)
    days = (last - first) / timedelta(days=1)
    assert 0 <= used <= 60_000 * (days + 2)


@given(METERS, MINUTES, st.integers(1, 96))
def test_intervals_are_exactly_what_the_register_gained(meter: str, start: datetime, count: int) -> None:
    quarter = timedelta(minutes=15)
    start -= (start - START) % quarter
    end = start + count * quarter
    dark = [Spell(usage_point="p", number=1, began=start + quarter / 2, ended=start + 3 * quarter)]
    source = Source(stream=Stream(1, "load"), meter=meter, dark=dark)
    wh = channel("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0")
    assert wh is not None
    values = [int(each.value or "") for each in block(source, wh, (start, end)).interval_readings]
    assert len(values) == count
    assert sum(values) == source.counted(end) - source.counted(start)
    assert values[1:3] == [0, 0][: len(values) - 1]


@given(st.lists(st.tuples(MINUTES, MINUTES | st.none()), max_size=6), st.integers(0, 6), MINUTES)
def test_a_house_is_without_supply_when_the_network_or_its_switch_is_open_and_never_twice_at_once(
    times: list[tuple[datetime, datetime | None]], dark: int, at: datetime
) -> None:
    spells = [
        Spell(usage_point="p", number=0, began=min(one, two or one), ended=two and max(one, two)) for one, two in times
    ]

    def now(spell: Spell) -> bool:
        return spell.began <= at and (spell.ended is None or at <= spell.ended)

    together = unsupplied(spells[:dark], spells[dark:])
    assert sum(map(now, together)) == any(map(now, spells))


def test_the_shares_of_meters_that_refuse_or_stay_silent_are_those_that_are_set() -> None:
    stream = Stream(1, "switches")
    made = Counter(obeyed(stream, f"p{number}", START) for number in range(20_000))
    assert 150 < made[Obedience.REFUSED] < 250
    assert 150 < made[Obedience.DONE_SILENTLY] < 250
    assert 150 < made[Obedience.NOT_DONE_SILENTLY] < 250


def test_what_is_no_energy_from_the_grid_no_meter_measures() -> None:
    assert channel("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0") is not None
    assert channel("0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.0.72.0") is None
    assert channel("0.0.0.12.0.1.54.0.0.0.0.0.0.0.128.0.29.0") is None
    assert text(1234567, 3) == "1234.567"
    assert text(7, 3) == "0.007"
    assert text(7, 0) == "7"


def told(habits: Habits, meters: int = 50) -> list[File]:
    """The files of two collectors on one day."""
    groups = {"c1": [f"p{place}" for place in range(meters)], "c2": ["q"]}
    order = File(
        name="nightly",
        collector="",
        at=START + timedelta(days=1),
        types=(),
        since=START,
        until=START + timedelta(days=1),
        days=(),
    )
    return list(files(Stream(1, "files"), groups, order, habits))


def test_in_good_order_each_meter_is_told_once_in_files_that_are_not_too_large() -> None:
    found = told(Habits())
    assert [len(file.days) for file in found] == [20, 20, 10, 1]
    assert len({each.point for file in found for each in file.days}) == 51
    assert not any(file.stranger or each.mended or each.jumps for file in found for each in file.days)
    assert all(timedelta() < file.at - START - timedelta(days=1) < timedelta(hours=1) for file in found)


def test_files_lack_meters_have_holes_and_strangers_and_come_twice_and_late_as_often_as_is_set() -> None:
    assert told(Habits(reading_miss=1.0)) == []
    assert all(each.hole < each.mended for file in told(Habits(reading_hole=1.0)) for each in file.days)
    assert all(file.stranger for file in told(Habits(reading_stranger=1.0, reading_miss=1.0)))
    twice = told(Habits(reading_double=1.0))
    assert len(twice) == 8
    assert [file.days for file in twice[::2]] == [file.days for file in twice[1::2]]
    assert all(file.at - START > timedelta(days=2) for file in told(Habits(reading_disorder=1.0)))
    some = told(Habits(reading_miss=0.5))
    assert 10 < sum(len(file.days) for file in some) < 40
    with pytest.raises(ValueError, match="READING_MISS"):
        habits_from({"BUSBAR_SIMULATION_READING_MISS": "often"})
    with pytest.raises(ValueError, match="reading_miss is 2"):
        habits_from({"BUSBAR_SIMULATION_READING_MISS": "2"})


@given(METERS, st.integers(0, 300))
def test_what_a_meter_with_a_jumping_clock_tells_is_taken_as_what_it_counted(meter: str, days: int) -> None:
    since = START + timedelta(days=days)
    code = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"
    source = Source(stream=Stream(1, "load"), meter=meter, dark=())
    file = File(
        name="f",
        collector="c",
        at=since,
        types=(code,),
        since=since,
        until=since + timedelta(days=1),
        days=(Day(point="point", jumps=True),),
    )
    (jumping,) = file.days
    teller = Teller(
        source="head-end",
        zone=UTC,
        now=since + timedelta(days=2),
        kept=timedelta(days=900),
        installed=[Installed(usage_point="point", starts=START, meter=meter)],
        meters=frozenset({meter}),
    )
    told_so = {each.place: each for each in teller.read(day(jumping, file, source)) if isinstance(each, Interval)}
    right = {
        each.place: each for each in teller.read(day(Day(point="point"), file, source)) if isinstance(each, Interval)
    }
    assert {place: each.value.exact for place, each in told_so.items()} == {
        place: each.value.exact for place, each in right.items()
    }
    flags = {
        place: {q.code for q in each.value.origin.qualities} & {"3.4.64", "3.4.128"} for place, each in told_so.items()
    }
    assert [flag for _, flag in sorted(flags.items()) if flag] == [{"3.4.64"}, {"3.4.128"}]
