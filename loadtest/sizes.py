"""`loadtest sizes`: what the same load costs as the fleet grows, and with several processes of the role.

One deployment is used for all of it. The fleet grows from one size to the next, so that each meter is made known once.
For each number of processes the role is started anew; then each process hears of the meters by waves of all of them,
which is not measured; and then the scenario runs, on days that nothing before it has told.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct, field, structs

from loadtest import limits
from loadtest.deployment import Deployment, own
from loadtest.environment import card
from loadtest.installing import install
from loadtest.measuring import run_once
from loadtest.rounds import Round
from loadtest.scenario import Encoding, Load, Scenario, What, checked
from loadtest.watching import used_by

HEARD_PER_MESSAGE = 1000
HEARD_PER_S = 200_000
"""How the meters are heard of before the run: meters a message, and a second."""


class Cost(Struct, frozen=True, kw_only=True):
    """What a scenario came to with one size of the fleet and one number of processes; medians of its rounds.

    Attributes:
        meters, processes: the size.
        cpu_ms_per_1000_readings: by name: the role (all its processes), the servers, the generators.
        memory_mib: likewise, at most, shared pages divided among those who share them.
        p99_ms, stored_p99_ms: of each load, from the intended start until the broker or the role had it.
        lost, doubled, wrong: of what was read back, in all rounds.
    """

    meters: int
    processes: int
    valid: bool
    reasons: tuple[str, ...]
    readings_per_s: float
    cpu_ms_per_1000_readings: dict[str, float]
    memory_mib: dict[str, float]
    wal_bytes_per_reading: float | None
    p99_ms: dict[str, float]
    stored_p99_ms: dict[str, float]
    lost: int
    doubled: int
    wrong: int


class Installed(Struct, frozen=True, kw_only=True):
    """What it took to make meters known: seconds, and CPU of each process for a thousand of them."""

    meters: int
    took_s: float
    cpu_s_per_1000_meters: dict[str, float]


class Sizes(Struct, kw_only=True):
    """A run over sizes, as it is kept and printed."""

    scenario: str
    title: str
    at: datetime
    valid: bool
    costs: list[Cost]
    environment: dict[str, Any]
    settings: Scenario
    installed: list[Installed] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Under which it is kept."""
        return f"{self.at:%Y%m%dT%H%M%S}-{self.scenario}"


async def run_sizes(
    scenario: Scenario,
    fleets: Sequence[int],
    processes: Sequence[int],
    *,
    rounds: int,
    sync_interval: str,
    say: Callable[[str], None],
) -> Sizes:
    """Run ``scenario`` with each size of the fleet and each number of processes, on a deployment of its own.

    Raises:
        ScenarioError: it cannot be run so; before anything is started where that can be known.
        ServerError: the servers do not start.
    """
    planned = plans(scenario, sorted(set(fleets)), sorted(set(processes)), rounds)
    costs: list[Cost] = []
    installed: list[Installed] = []
    say(f"servers and {', '.join(scenario.roles)} are started")
    async with own(scenario.roles, 1, zone=scenario.zone, sync_interval=sync_interval) as deployment:
        there = 0
        for meters in sorted(set(fleets)):
            installed.append(await _grow(deployment, structs.replace(scenario, meters=meters), there))
            there = meters
            took = installed[-1]
            say(f"{took.meters:,} meters more were made known in {took.took_s:.1f} s")
            for count in sorted(set(processes)):
                await deployment.staff(count)
                with tempfile.TemporaryDirectory(prefix="busbar-load-") as name:
                    heard, *measured = planned[meters, count]
                    first = await run_once(deployment, heard, Path(name))
                    done = [await run_once(deployment, each, Path(name)) for each in measured]
                costs.append(cost_of(meters, count, scenario.role, done, _missed(first)))
                say(line(costs[-1]))
        environment = await card(deployment, sync_interval)
    return Sizes(
        scenario=scenario.name,
        title=scenario.title,
        at=datetime.now(UTC).replace(microsecond=0),
        valid=all(each.valid for each in costs),
        costs=costs,
        environment=environment,
        settings=scenario,
        installed=installed,
    )


def line(cost: Cost) -> str:
    """A cost in one line."""
    role, *_ = cost.cpu_ms_per_1000_readings.values()
    memory, *_ = cost.memory_mib.values()
    word = "valid" if cost.valid else f"INVALID: {'; '.join(cost.reasons)}"
    return (
        f"{cost.meters:>9,} meters, {cost.processes} processes: {cost.readings_per_s:,.0f} readings/s,"
        f" {role:.2f} ms of CPU for 1,000, {memory:,.0f} MiB, {cost.wal_bytes_per_reading} bytes of WAL a reading,"
        f" p99 {max(cost.stored_p99_ms.values()):,.0f} ms; {word}"
    )


def plans(
    scenario: Scenario, fleets: Sequence[int], processes: Sequence[int], rounds: int
) -> dict[tuple[int, int], list[Scenario]]:
    """For each size what is told: first waves of all meters, and then the rounds; each on days of its own."""
    found: dict[tuple[int, int], list[Scenario]] = {}
    day = scenario.day
    for meters in fleets:
        sized = checked(structs.replace(scenario, meters=meters))
        for count in processes:
            plan = []
            for each in (_heard(sized, count), *[sized] * rounds):
                days = limits.span(each)
                plan.append(limits.past(structs.replace(each, day=day), days))
                day += timedelta(days=days)
            found[meters, count] = plan
    return found


def _heard(scenario: Scenario, processes: int) -> Scenario:
    """Waves of all meters, as many as there are processes: each process hears of most meters at least once."""
    told = scenario.installed * processes
    load = Load(
        name="heard",
        what=What.WAVE,
        encoding=Encoding.COMPACT,
        per_message=HEARD_PER_MESSAGE,
        per_s=told / max(told / HEARD_PER_S, 1.0),
        meters=scenario.installed,
    )
    return structs.replace(
        scenario,
        loads=(load,),
        duration_s=max(told / HEARD_PER_S, 1.0),
        warm_up_s=0,
        sample=10,
        drain_s=600,
        lag_limit_ms=1e6,
        faults=(),
    )


async def _grow(deployment: Deployment, scenario: Scenario, there: int) -> Installed:
    """Make known what is not there yet of the fleet of ``scenario``."""
    before = {name: used_by(pid)[0] for name, pid in deployment.pids().items()}
    began = time.monotonic()
    await install(deployment.settings, scenario, lambda _: None, first=there)
    new = max(scenario.installed - there, 0)
    used = {name: (used_by(pid)[0] - before[name]) * 1000 / max(new, 1) for name, pid in deployment.pids().items()}
    return Installed(
        meters=new,
        took_s=round(time.monotonic() - began, 1),
        cpu_s_per_1000_meters=dict(_by_role(used, scenario.role)),
    )


def _missed(heard: Round) -> tuple[str, ...]:
    """Why what was told before the run spoils it; how fast it was taken is no reason."""
    is_spoilt = heard.lost or heard.doubled or heard.wrong or heard.waiting
    return tuple(f"before the run: {each}" for each in heard.reasons) if is_spoilt else ()


def cost_of(meters: int, processes: int, role: str, rounds: Sequence[Round], before: tuple[str, ...]) -> Cost:
    """What the rounds of one size came to; ``before`` says what was wrong before them."""
    written = [each.cost["wal_bytes_per_reading"] for each in rounds if each.cost["wal_bytes_per_reading"] is not None]
    reasons = [*before, *(reason for each in rounds for reason in each.reasons)]
    return Cost(
        meters=meters,
        processes=processes,
        valid=not reasons,
        reasons=tuple(dict.fromkeys(reasons)),
        readings_per_s=statistics.median(each.readings_per_s for each in rounds),
        cpu_ms_per_1000_readings=_medians(
            [dict(_by_role(each.cost["cpu_ms_per_1000_readings"], role)) for each in rounds]
        ),
        memory_mib=_medians([dict(_by_role(each.cost["memory_mib"], role)) for each in rounds]),
        wal_bytes_per_reading=round(statistics.median(written), 2) if written else None,
        p99_ms=_medians([{name: load.acknowledged["p99"] for name, load in each.loads.items()} for each in rounds]),
        stored_p99_ms=_medians([{name: load.stored["p99"] for name, load in each.loads.items()} for each in rounds]),
        lost=sum(each.lost for each in rounds),
        doubled=sum(each.doubled for each in rounds),
        wrong=sum(each.wrong for each in rounds),
    )


def _by_role(told: dict[str, float], role: str) -> Iterator[tuple[str, float]]:
    """What the processes of the role use together, and then what others use."""
    mine = {name: value for name, value in told.items() if name.rstrip("0123456789").rstrip("-") == role}
    yield role, sum(mine.values())
    yield from ((name, value) for name, value in told.items() if name not in mine)


def _medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(each[name] for each in rounds), 4) for name in rounds[0]}
