"""`loadtest run`: a deployment, the meters, the rounds with their raw limits, and what comes of them."""

import asyncio
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct, structs

from loadtest import limits
from loadtest.deployment import Deployment, own
from loadtest.environment import card
from loadtest.installing import install, settle
from loadtest.measuring import run_once
from loadtest.peers import peers
from loadtest.results import Result, summed
from loadtest.rounds import Round
from loadtest.scenario import Scenario, ScenarioError
from loadtest.telling import tells
from shared.config import Context, Settings
from shared.tools.cli.installation import noted

RAMP = 1.6
HALVINGS = 3
"""A search grows the rate by this factor while it is borne, and then halves the distance so often."""

LEAST = 0.02
"""A search gives up below this share of the rate."""


class Options(Struct, frozen=True, kw_only=True):
    """How a scenario is run.

    Attributes:
        rounds: how often; medians count.
        raw_limits: whether the raw limits are measured between the rounds.
        peers: whether the same work is done by others in the end.
        search: find the highest rate that is borne, by rounds of ``search_s``.
        sync_interval: of the broker that the driver makes.
        processes: how many processes take each role there.
        there: use the deployment that the environment or ``up.json`` names.
        context: of that deployment.
    """

    rounds: int = 1
    raw_limits: bool = True
    peers: bool = False
    search: bool = False
    search_s: float = 8.0
    sync_interval: str = "always"
    processes: int = 1
    there: bool = False
    context: str | None = None
    install: bool = True


async def run(scenario: Scenario, options: Options) -> Result:
    """Run ``scenario`` as ``options`` say.

    Raises:
        ScenarioError: it cannot be run so.
        ServerError: the servers do not start.
    """
    if (task := asyncio.current_task()) is not None:
        # what was started is stopped and removed, also when somebody ends the run
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with _deployment(scenario, options) as deployment:
        if options.install:
            say(f"{scenario.installed:,} meters are made known")
            began = time.monotonic()
            await install(deployment.settings, scenario, _progress(scenario.installed))
            say(f"which took {time.monotonic() - began:.1f} s")
        if deployment.administrator is not None:
            await settle(deployment.administrator, deployment.settings.postgres_database)
        tried: list[tuple[float, bool]] = []
        with tempfile.TemporaryDirectory(prefix="busbar-load-") as name:
            folder = Path(name)
            if options.search:
                scenario, tried = await _search(deployment, scenario, options, folder)
            rounds = []
            for number, each in enumerate(limits.days_of(scenario, options.rounds)):
                rounds.append(await _round(deployment, each, options, folder))
                done = rounds[-1]
                word = "valid" if done.valid else f"INVALID: {'; '.join(done.reasons)}"
                ratio = "" if done.ratio_to_raw_limit is None else f", {done.ratio_to_raw_limit:.3f} of the raw limit"
                say(f"round {number + 1}: {done.readings_per_s:,.0f} readings a second{ratio}; {word}")
        sync_interval = None if options.there else options.sync_interval
        result = summed(scenario, rounds, await card(deployment, sync_interval))
        others = await peers(deployment, scenario) if options.peers else {}
    parsing = await asyncio.to_thread(limits.parsing, scenario) if options.raw_limits else {}
    return structs.replace(result, search=tried, parsing=parsing, peers=others)


def say(text: str) -> None:
    """Tell whoever waits."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@asynccontextmanager
async def _deployment(scenario: Scenario, options: Options) -> AsyncIterator[Deployment]:
    if options.there:
        yield Deployment(settings=_there(options.context))
        return
    say(f"servers and {', '.join(scenario.roles)} are started")
    async with own(
        scenario.roles, options.processes, zone=scenario.zone, sync_interval=options.sync_interval
    ) as deployment:
        yield deployment


def _there(context: str | None) -> Settings:
    """The deployment that the environment names, or else the one that `busbar up` noted."""
    settings = Settings.from_environment(os.environ, context=context)
    if "BUSBAR_NATS_URL" in os.environ or "BUSBAR_NATS_URL_FILE" in os.environ:
        return settings
    note = noted(settings.state_dir)
    if note is None:
        raise ScenarioError("no DMS runs here; set BUSBAR_NATS_URL and BUSBAR_CREDENTIALS, or leave out --there")
    return note.settings(settings, context and Context(context))


async def _round(deployment: Deployment, scenario: Scenario, options: Options, folder: Path) -> Round:
    done = await run_once(deployment, scenario, folder)
    if not options.raw_limits:
        return done
    stored = sum(load.readings for load in done.loads.values())
    messages = sum(load.messages for load in done.loads.values() if load.readings)
    raw = {
        "copy_per_s": await limits.copy_per_s(deployment, scenario, _days(scenario), stored),
        "pull_per_s": await limits.pull_per_s(deployment, messages, stored, done.first_sequence),
    }
    limit = {name: round(value, 1) for name, value in raw.items() if value is not None}
    ratio = done.readings_per_s / limit["copy_per_s"] if "copy_per_s" in limit else None
    return structs.replace(done, raw_limit=limit, ratio_to_raw_limit=None if ratio is None else round(ratio, 4))


def _days(scenario: Scenario) -> list[date]:
    return [scenario.day + timedelta(days=number) for number in range(limits.span(scenario))]


async def _search(
    deployment: Deployment, scenario: Scenario, options: Options, folder: Path
) -> tuple[Scenario, list[tuple[float, bool]]]:
    """The scenario at the highest rate that is borne, and the factors that were tried."""
    tried: list[tuple[float, bool]] = []
    day, low, high, factor, halvings = scenario.day, 0.0, math.inf, 1.0, HALVINGS
    while halvings:
        step = at_rate(scenario, factor, options.search_s, day)
        limits.past(step, limits.span(step))
        done = await run_once(deployment, step, folder)
        tried.append((round(factor, 4), done.valid))
        say(f"{factor:.3f} of the rate: {'borne' if done.valid else done.reasons[0]}")
        day += timedelta(days=limits.span(step))
        low, high = (factor, high) if done.valid else (low, factor)
        if not low and factor < LEAST:
            raise ScenarioError("no rate that was tried is borne")
        if low and high < math.inf:
            halvings -= 1
            factor = math.sqrt(low * high)
        else:
            factor = factor * RAMP if low else factor / RAMP
    return at_rate(scenario, low, scenario.duration_s, day), tried


def at_rate(scenario: Scenario, factor: float, duration_s: float, day: date) -> Scenario:
    """The scenario with all that it tells at another rate; questions stay as they are."""
    loads = tuple(structs.replace(load, per_s=load.per_s * factor) if tells(load) else load for load in scenario.loads)
    return structs.replace(
        scenario, loads=loads, duration_s=duration_s, day=day, warm_up_s=min(scenario.warm_up_s, duration_s / 4)
    )


def _progress(of: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done:,} of {of:,} {'' if done < of else chr(10)}")
            sys.stderr.flush()

    return tell
