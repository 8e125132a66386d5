"""What a load test says of a system: percentiles, what makes a run invalid, and whether two results differ."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loadtest import report, results, sizes_page
from loadtest.comparing import compare, rank_test
from loadtest.histogram import Histogram
from loadtest.limits import span
from loadtest.reading_back import Found, Truth, sample
from loadtest.results import Result, summed
from loadtest.rounds import Measured, Round, judged
from loadtest.scenario import Load, Scenario, ScenarioError, What, checked, named, names, read
from loadtest.schedule import Arrivals, due
from loadtest.sizes import Installed, Sizes, cost_of, plans
from loadtest.telling import Part, Telling
from loadtest.watching import Backlog, Durable, Use

LOAD = Load(what=What.WAVE, per_s=1000, per_message=10, name="wave")
SCENARIO = Scenario(title="a title", name="wave", meters=50, duration_s=10, warm_up_s=2, loads=(LOAD,))


@given(st.lists(st.floats(1e-6, 3000), min_size=1, max_size=300), st.floats(0.1, 100))
def test_a_percentile_is_right_to_three_digits(latencies: list[float], percent: float) -> None:
    told = Histogram.of(latencies).percentile_s(percent)
    rank = max(1, int(np.ceil(len(latencies) * percent / 100)))
    true = sorted(latencies)[rank - 1]
    assert told == pytest.approx(true, rel=1e-3, abs=1e-6)


@given(st.lists(st.floats(0, 100), max_size=50), st.lists(st.floats(0, 100), max_size=50))
def test_histograms_of_several_generators_add_up(first: list[float], second: list[float]) -> None:
    both = Histogram.of(first)
    both.add(Histogram.of(second))
    whole = Histogram.of(first + second)
    assert both.summary() == whole.summary()
    assert both.curve() == whole.curve()


@given(st.sampled_from(Arrivals), st.integers(0, 500), st.floats(0.1, 100))
def test_messages_are_due_in_order_within_their_time_and_the_same_each_time(
    arrivals: Arrivals, count: int, over_s: float
) -> None:
    when = due(arrivals, count, over_s, 7)
    assert len(when) == count
    assert (np.diff(when) >= 0).all()
    assert ((when >= 0) & (when < over_s)).all()
    assert (when == due(arrivals, count, over_s, 7)).all()


def test_half_of_a_burst_comes_in_its_first_fifth() -> None:
    when = due(Arrivals.BURST, 10_000, 100, 1)
    assert (when < 20).mean() == pytest.approx(0.6, abs=0.02)


def backlog(at_s: list[float], waiting: list[int]) -> Backlog:
    return Backlog(durables=[Durable(stream="s", name="role", filters=(">",))], at_s=at_s, waiting=waiting)


def measured(**changes: object) -> Measured:
    """A run of 100 messages of ten readings a second, each acknowledged after 5 ms and stored after 200 ms."""
    when = np.arange(0, 10, 0.01)
    count = len(when)
    messages = {
        "load": np.zeros(count, np.int64),
        "index": np.arange(count),
        "due": when,
        "sent": when + 0.001,
        "answered": when + 0.005,
        "lag": np.full(count, 0.001),
        "sequence": np.arange(1, count + 1),
        "failed": np.zeros(count, np.bool_),
        "values": np.full(count, 10),
    }
    at = np.arange(0, 10.5, 0.1).tolist()
    given_: dict[str, object] = {
        "messages": messages,
        "stored": when + 0.2,
        "backlog": backlog(at, [20] * len(at)),
        "use": Use(at_s=[0, 10], cpu_s={"role": [1.0, 3.0]}, memory={"role": [1 << 20, 1 << 21]}),
        "drained": True,
        "found": Found(points=50, values=1000),
        "generator": {"cpu_s": 1.0, "again": 0, "bytes": 10_000, "reconnects": 0, "reasons": [], "refusals": []},
        "wal_bytes": 1_000_000,
        "deaths": 0,
        "faults": (),
        "took_s": 10.4,
    }
    return Measured(**(given_ | changes))  # type: ignore[arg-type]


def test_a_run_in_which_all_is_well_is_valid_and_counts_from_the_end_of_the_warm_up() -> None:
    done = judged(SCENARIO, measured())
    assert (done.valid, done.reasons) == (True, ())
    assert done.readings_per_s == pytest.approx(1000, rel=0.01)
    assert done.loads["wave"].acknowledged["p99"] == pytest.approx(5, rel=0.01)
    assert done.loads["wave"].acknowledged["count"] == 800
    assert done.loads["wave"].stored["p50"] == pytest.approx(200, rel=0.01)
    assert done.cost["cpu_ms_per_1000_readings"]["role"] == pytest.approx(200)
    assert done.cost["wal_bytes_per_reading"] == 100


def test_a_backlog_that_was_worked_off_before_the_end_is_counted_until_then() -> None:
    run = measured(stored=np.linspace(2, 4, 1000))
    assert judged(SCENARIO, run).readings_per_s == pytest.approx(5000, rel=0.01)


def test_what_still_waits_in_the_end_is_counted_by_itself_and_makes_the_run_invalid() -> None:
    when = np.arange(0, 10, 0.01) + 0.2
    when[-10:] = np.nan
    done = judged(SCENARIO, measured(stored=when, drained=False))
    assert (done.valid, done.waiting, done.lost) == (False, 100, 0)


def late_generator() -> Measured:
    run = measured()
    run.messages["lag"][500:520] = 0.4
    return run


def silent_system() -> Measured:
    run = measured()
    run.messages["answered"][-3:] = np.nan
    return run


def refusing_system() -> Measured:
    run = measured()
    run.messages["failed"][-2:] = True
    run.generator["reasons"] = ["5.3 the switch is stuck"]
    return run


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (refusing_system(), "2 requests were refused, such as: 5.3 the switch is stuck"),
        (late_generator(), "the generator was late"),
        (silent_system(), "3 messages have no answer"),
        (measured(backlog=backlog([*np.arange(0, 10, 0.1)], [*range(100)])), "the backlog grew"),
        (measured(backlog=Backlog(at_s=[0.0], waiting=[0])), "no consumer"),
        (measured(drained=False), "not everything was worked off"),
        (measured(found=Found(points=50, values=1000, lost=1)), "1 values lost"),
        (measured(found=Found(points=50, values=1000, doubled=2)), "2 doubled"),
    ],
)
def test_a_run_that_cannot_be_believed_is_invalid_and_says_why(run: Measured, reason: str) -> None:
    done = judged(SCENARIO, run)
    assert not done.valid
    assert reason in "; ".join(done.reasons)


def test_a_backlog_that_only_shrinks_or_stands_is_no_growth() -> None:
    at = [*np.arange(0, 10, 0.1)]
    assert judged(SCENARIO, measured(backlog=backlog(at, [500 - place for place in range(100)]))).valid
    assert judged(SCENARIO, measured(backlog=backlog(at, [5000] * 100))).valid


def test_a_message_is_stored_when_every_durable_that_reads_it_has_acknowledged_up_to_it() -> None:
    durables = [
        Durable(stream="s", name="role_keyed_0", filters=("e.0",)),
        Durable(stream="s", name="role_keyed_1", filters=("e.1",)),
        Durable(stream="s", name="role_all", filters=("e.*",)),
        Durable(stream="other", name="role", filters=(">",)),
    ]
    seen = Backlog(
        durables=durables, at_s=[1.0, 2.0, 3.0], waiting=[9, 5, 2], floors=[[0, 2, 0, 0], [1, 2, 2, 0], [1, 2, 3, 0]]
    )
    found = seen.stored_s("s", ["e.0", "e.1", "e.0"], np.array([1, 2, 3]))
    assert found[:2].tolist() == [2.0, 2.0]
    assert np.isnan(found[2])


def test_values_that_are_lost_doubled_wrong_or_never_told_are_counted_as_such() -> None:
    fleet, day = SCENARIO.fleet(), date(2026, 3, 29)
    truth = Truth(fleet, sample(SCENARIO))
    truth.tell(Part(0, 2, day, 0, 4), surely=True)
    truth.tell(Part(0, 2, day, 4, 6), surely=False)
    ends = (fleet.starts(day) + 900).tolist()
    values = fleet.intervals(np.arange(2), day)
    right = {row: [(ends[place], int(values[row, place])) for place in range(4)] for row in (0, 1)}
    rows = np.array([0, 1])
    assert truth.compare(rows, [day], right) == Found(points=2, values=8)
    perhaps = {row: [*right[row], (ends[4], int(values[row, 4]))] for row in (0, 1)}
    assert truth.compare(rows, [day], perhaps).is_whole
    broken = {
        0: [*right[0][1:], right[0][2]],
        1: [(ends[0], int(values[1, 0]) + 1), *right[1][1:], (ends[50], int(values[1, 50]))],
    }
    assert truth.compare(rows, [day], broken) == Found(points=2, values=8, lost=1, doubled=1, wrong=1, unasked=1)


def result(rates: list[float], p99: float = 5.0, **environment: object) -> Result:
    rounds = []
    for rate in rates:
        done: Round = judged(SCENARIO, measured())
        latency = {**done.loads["wave"].acknowledged, "p99": p99}
        load = msgspec.structs.replace(done.loads["wave"], acknowledged=latency)
        rounds.append(msgspec.structs.replace(done, readings_per_s=rate, loads={"wave": load}))
    return summed(SCENARIO, rounds, {"sync_interval": "always", "cores": 2, **environment})


def test_a_difference_beyond_the_noise_that_all_rounds_agree_on_is_a_verdict() -> None:
    before = result([1000, 1010, 990, 1005, 995])
    assert compare(before, result([1500, 1490, 1510, 1505, 1480])).verdict == "better"
    assert compare(before, result([600, 610, 590, 620, 605])).verdict == "worse"
    assert compare(before, result([1100, 1150, 1090, 1120, 1105])).verdict == "the same"
    slower = compare(before, result([1000, 1010, 990, 1005, 995], p99=20.0))
    assert slower.differences["p99_ms of wave"].verdict == "worse"


def test_a_difference_on_which_the_rounds_do_not_agree_is_not_known() -> None:
    found = compare(result([1000, 1400, 700, 1100, 900]), result([1300, 800, 1500, 1250, 1600]))
    assert found.differences["readings_per_s"].verdict == "not known"


def test_results_of_other_durability_or_of_invalid_runs_are_not_compared() -> None:
    before = result([1000, 1000, 1000])
    assert compare(before, result([2000, 2000, 2000], sync_interval="1s")).verdict == "not comparable"
    invalid = summed(SCENARIO, [judged(SCENARIO, measured(drained=False))], before.environment)
    assert compare(before, invalid).verdict == "not comparable"


def test_the_rank_test_counts_the_orders_that_chance_makes() -> None:
    assert rank_test([1, 2, 3], [4, 5, 6]) == pytest.approx(0.1)
    assert rank_test([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(2 / 252)
    assert rank_test([1, 4, 6], [2, 3, 5]) > 0.5


def test_a_result_is_kept_read_again_and_shown_on_a_page_that_needs_nothing_else(tmp_path: Path) -> None:
    done = result([1000, 1100])
    file = results.keep(done, done.name, tmp_path)
    assert results.kept(file) == done
    assert results.results(tmp_path) == [done]
    page = report.page(done)
    assert page.count("<svg") >= 4
    assert "http" not in page.replace("http://www.w3.org", "")
    start = page.index('id="result">') + len('id="result">')
    inside = page[start : page.index("</script>", start)].replace("<\\/", "</")
    assert msgspec.json.decode(inside, type=Result) == done
    assert "1,050 readings a second" in report.text(done)
    assert "wave" in report.history([done])


def test_sizes_are_told_on_days_of_their_own_and_each_meter_is_heard_of_before() -> None:
    planned = plans(SCENARIO, [1000, 4000], [1, 2], 2)
    told = [each for plan in planned.values() for each in plan]
    days = [set(days_of(each)) for each in told]
    assert sum(map(len, days)) == len(set.union(*days))
    for (meters, processes), (heard, *rounds) in planned.items():
        assert {each.meters for each in rounds} == {meters}
        telling = Telling(heard, heard.loads[0], "run", "busbar", "testing")
        assert sum(telling.part(index).values for index in range(telling.count)) == meters * processes


def test_a_cost_is_of_all_processes_of_the_role_together_and_stands_on_a_page_with_its_size() -> None:
    cpu = {"role": [1.0, 3.0], "role-2": [1.0, 2.0], "nats": [0.0, 1.0]}
    memory = {"role": [1 << 20, 3 << 20], "role-2": [1 << 20], "nats": [1 << 20]}
    done = judged(SCENARIO, measured(use=Use(at_s=[0, 10], cpu_s=cpu, memory=memory)))
    costs = [cost_of(meters, 2, "role", [done, done, done], ()) for meters in (1000, 100_000)]
    assert costs[0].cpu_ms_per_1000_readings == {
        "role": pytest.approx(300),
        "nats": pytest.approx(100),
        "generators": 100,
    }
    assert costs[0].memory_mib == {"role": 4, "nats": 1}
    assert costs[0].valid
    assert not cost_of(1000, 2, "role", [done], ("before the run: lost",)).valid
    found = Sizes(
        scenario="wave",
        title="a title",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        valid=True,
        costs=costs,
        environment={"cores": 2},
        settings=SCENARIO,
        installed=[Installed(meters=1000, took_s=1.5, cpu_s_per_1000_meters={"role": 0.1})],
    )
    page = sizes_page.page(found)
    assert page.count("<svg") == 6
    assert "100k" in page
    assert "1,000 meters, 2 processes" in sizes_page.text(found)
    start = page.index('id="result">') + len('id="result">')
    inside = page[start : page.index("</script>", start)].replace("<\\/", "</")
    assert msgspec.json.decode(inside, type=Sizes) == found


def test_a_backlog_is_of_each_meter_once_however_many_there_are() -> None:
    for meters, duration_s in ((20_000, 30), (1_000_000, 80)):
        scenario = checked(replace(named("catch_up"), meters=meters, duration_s=duration_s))
        _, backlog_of_all = scenario.loads
        telling = Telling(scenario, backlog_of_all, "run", "busbar", "testing")
        assert sum(telling.part(index).values for index in range(telling.count)) == meters * 8 * 4
        assert scenario.lasts_s(backlog_of_all) * 500_000 == meters * 8 * 4
    with pytest.raises(ScenarioError, match="let it run longer"):
        checked(replace(named("catch_up"), meters=1_000_000))


def days_of(scenario: Scenario) -> list[date]:
    """The days of which a scenario tells."""
    return [scenario.day + timedelta(days=number) for number in range(span(scenario))]


def test_every_scenario_that_comes_with_the_driver_can_be_run() -> None:
    assert set(names()) >= {
        "wave",
        "day_blocks",
        "catch_up",
        "single_readings",
        "xml",
        "storm",
        "on_demand",
        "mixed_day",
    }
    for name in names():
        found = named(name)
        assert found.title
        assert found.fleet().intervals(np.arange(3), found.day).shape == (3, 96)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title: x\nloads: []", "length"),
        ("title: x\nloads: [{what: tea, per_s: 1}]", "tea"),
        ("title: x\nloads: [{what: wave, per_s: 1, colour: red}]", "colour"),
        ("title: x\nwarm_up_s: 30\nloads: [{what: wave, per_s: 1}]", "warms up"),
        ("title: x\nloads: [{what: wave, per_s: 1}, {what: wave, per_s: 2}]", "one name"),
        ("title: x\nloads: [{what: wave, per_s: 1, start_s: 99}]", "after the end"),
        ("title: x\nmeters: 2000000\nloads: [{what: wave, per_s: 1}]", "1,000,000"),
        ("title: [", "scenario"),
    ],
)
def test_a_scenario_that_cannot_be_run_gets_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ScenarioError, match=reason):
        read(text, "broken")


def test_a_result_has_what_others_read_of_it() -> None:
    told = msgspec.to_builtins(result([1000.0]))
    assert {"readings_per_s", "ratio_to_raw_limit", "lost", "doubled", "valid"} <= told.keys()
    assert datetime.fromisoformat(told["at"]) <= datetime.now(UTC)
