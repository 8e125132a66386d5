"""What the measurements of a run come to: rates, latencies, cost, and what is plotted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from loadtest.histogram import Histogram
from loadtest.judging import reasons
from loadtest.reading_back import Found, tells_readings
from loadtest.scenario import Fault, Scenario
from loadtest.watching import Backlog, Use

LEAST_WINDOW_S = 1.0
"""A rate over less than that says nothing."""


class Measured(Struct, kw_only=True):
    """The raw measurements of a run; arrays have an element for each message.

    Attributes:
        messages: load, index, due, sent, answered, lag, sequence, failed, values; see
            :class:`~loadtest.generator.Stream`.
        stored: when the role had acknowledged each event, in seconds of the run; not a number for never.
        drained: nothing waited any more in the end.
        found: what was read back.
        generator: CPU seconds, messages said again, connections made anew, bytes, and what the broker refused.
        wal_bytes: what the database wrote ahead; None where it is not ours.
        deaths: how often something was killed.
    """

    messages: dict[str, Any]
    stored: Any
    backlog: Backlog
    use: Use
    drained: bool
    found: Found
    generator: dict[str, Any]
    wal_bytes: int | None
    deaths: int
    faults: tuple[Fault, ...]
    took_s: float


class LoadResult(Struct, kw_only=True):
    """What became of one load; latencies in milliseconds, from the intended start.

    Attributes:
        messages, readings: how many were due.
        unanswered, refused: messages without an answer, and with a refusal.
        acknowledged: until the broker had stored it, or the answer was there.
        stored: until the role had acknowledged it, which it does after commit.
        service: until the answer, from when it was really sent: what a closed model would have told.
    """

    messages: int
    readings: int
    offered_per_s: float
    unanswered: int
    refused: int
    acknowledged: dict[str, float]
    stored: dict[str, float]
    service: dict[str, float]
    curve: list[tuple[float, float]] = field(default_factory=list)


class Round(Struct, kw_only=True):
    """What a run came to.

    Attributes:
        readings_per_s, events_per_s: what the role had stored in a second, after warm-up and until the end, or until
            everything was stored.
        waiting: readings that the broker had and the role had not acknowledged in the end; they are not lost.
        first_sequence: the number of the first message with readings in the stream of the broker.
        raw_limit: readings a second of the raw limits, by name.
    """

    valid: bool
    reasons: tuple[str, ...]
    readings_per_s: float
    events_per_s: float
    lost: int
    doubled: int
    wrong: int
    read_back: Found
    waiting: int
    loads: dict[str, LoadResult]
    generator: dict[str, Any]
    cost: dict[str, Any]
    series: dict[str, Any]
    first_sequence: int = 0
    raw_limit: dict[str, float] = field(default_factory=dict)
    ratio_to_raw_limit: float | None = None


def judged(scenario: Scenario, measured: Measured) -> Round:
    """What the measurements of a run come to."""
    messages, stored = measured.messages, measured.stored
    warm, end = scenario.warm_up_s, _end(scenario, stored)
    counted = (stored >= warm) & (stored <= end)
    window = end - warm
    is_reading = np.array([tells_readings(load.what) for load in scenario.loads])[messages["load"].astype(int)]
    readings = float(messages["values"][counted & is_reading].sum())
    why = reasons(scenario, measured)
    found = measured.found
    return Round(
        valid=not why,
        reasons=tuple(why),
        readings_per_s=round(readings / window, 1),
        events_per_s=round(float(counted.sum()) / window, 1),
        lost=found.lost,
        doubled=found.doubled,
        wrong=found.wrong + found.unasked,
        read_back=found,
        waiting=_waiting(messages, stored, is_reading),
        loads={load.name: _of_load(scenario, place, messages, stored) for place, load in enumerate(scenario.loads)},
        generator=measured.generator | {"lag": Histogram.of(messages["lag"][~np.isnan(messages["lag"])]).summary()},
        cost=_cost(measured),
        series=_series(scenario, measured),
        first_sequence=int(messages["sequence"][is_reading & (messages["sequence"] > 0)].min(initial=1 << 62)),
    )


def _waiting(messages: dict[str, Any], stored: NDArray[np.float64], is_reading: NDArray[np.bool_]) -> int:
    return int(messages["values"][is_reading & ~np.isnan(messages["answered"]) & np.isnan(stored)].sum())


def _end(scenario: Scenario, stored: NDArray[np.float64]) -> float:
    """Until when what is stored counts: the end of the run, or when everything was stored before that."""
    known = _known(stored)
    last = float(known.max()) if len(known) else scenario.duration_s
    return min(scenario.duration_s, max(last, scenario.warm_up_s + LEAST_WINDOW_S))


def _of_load(scenario: Scenario, place: int, messages: dict[str, Any], stored: NDArray[np.float64]) -> LoadResult:
    mine = messages["load"] == place
    due, answered = messages["due"][mine], messages["answered"][mine]
    counts = due >= scenario.warm_up_s
    for_s = scenario.lasts_s(scenario.loads[place])
    latency = Histogram.of(_known((answered - due)[counts]))
    readings = int(messages["values"][mine].sum()) if tells_readings(scenario.loads[place].what) else 0
    return LoadResult(
        messages=int(mine.sum()),
        readings=readings,
        offered_per_s=round((readings or int(mine.sum())) / for_s, 1),
        unanswered=int(np.isnan(answered).sum()),
        refused=int(messages["failed"][mine].sum()),
        acknowledged=latency.summary(),
        stored=Histogram.of(_known((stored[mine] - due)[counts])).summary(),
        service=Histogram.of(_known((answered - messages["sent"][mine])[counts])).summary(),
        curve=latency.curve(),
    )


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[~np.isnan(values)]


def _cost(measured: Measured) -> dict[str, Any]:
    """CPU and bytes for what was stored."""
    thousands = max(float(measured.messages["values"][~np.isnan(measured.stored)].sum()), 1.0) / 1000
    cpu = {name: each[-1] - each[0] for name, each in measured.use.cpu_s.items() if each}
    cpu["generators"] = measured.generator["cpu_s"]
    return {
        "cpu_s": {name: round(value, 3) for name, value in cpu.items()},
        "cpu_ms_per_1000_readings": {name: round(value * 1e3 / thousands, 4) for name, value in cpu.items()},
        "memory_mib": {name: round(max(each) / 2**20, 1) for name, each in measured.use.memory.items() if each},
        "wal_bytes_per_reading": (
            None if measured.wal_bytes is None else round(measured.wal_bytes / (thousands * 1000), 2)
        ),
        "message_bytes_per_reading": round(measured.generator["bytes"] / (thousands * 1000), 2),
        "loop_lag_p99_ms": {name: _lag_ms(each) for name, each in measured.use.loop_lag.items()},
        "messages_taken": measured.use.taken,
        "deaths": measured.deaths,
    }


def _lag_ms(counts: dict[float, int]) -> float:
    """The bound under which 99 of 100 lags of an event loop stay; the largest bound where there is none."""
    wanted, seen = 0.99 * sum(counts.values()), 0
    bounds = sorted(counts)
    for bound in bounds:
        seen += counts[bound]
        if seen >= wanted:
            break
    else:
        return 0.0
    return round(min(bound, bounds[-2] if len(bounds) > 1 else bound) * 1e3, 1)


def _series(scenario: Scenario, measured: Measured) -> dict[str, Any]:
    """What is plotted: by second of the run."""
    messages, seconds = measured.messages, np.arange(0, int(np.ceil(measured.took_s)) + 1)

    def by_second(when: NDArray[np.float64], weights: NDArray[np.float64]) -> list[float]:
        known = ~np.isnan(when) & (when >= 0)
        found: Sequence[float] = np.histogram(when[known], seconds, weights=weights[known])[0].tolist()
        return [round(value, 1) for value in found]

    values = np.maximum(messages["values"], 1).astype(np.float64)
    latency = messages["answered"] - messages["due"]
    return {
        "due_per_s": by_second(messages["due"], values),
        "stored_per_s": by_second(measured.stored, values),
        "backlog": [
            [round(at, 2), waiting] for at, waiting in zip(measured.backlog.at_s, measured.backlog.waiting, strict=True)
        ][::5],
        "p99_ms": [
            [int(second), round(float(np.percentile(chosen, 99)) * 1e3, 3)]
            for second in seconds[:-1]
            if len(chosen := _known(latency[(messages["due"] >= second) & (messages["due"] < second + 1)]))
        ],
        "memory_mib": {
            name: [round(each / 2**20, 1) for each in values] for name, values in measured.use.memory.items()
        },
        "warm_up_s": scenario.warm_up_s,
        "faults": [[fault.at_s, fault.kill] for fault in measured.faults],
    }
