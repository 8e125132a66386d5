"""One run of a scenario on a deployment: generators, faults, watching, and what it came to."""

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.interface import Lane
from loadtest.asking import ASKER
from loadtest.deployment import ROOT, Deployment
from loadtest.generator import Plan
from loadtest.reading_back import Found, Truth, gasps_back, read_back, sample, tells_readings
from loadtest.rounds import Measured, Round, judged
from loadtest.scenario import Scenario, ScenarioError, What
from loadtest.telling import HEAD_END, Telling, tells
from loadtest.watching import Backlog, Watch, written
from shared.bus.subjects import Space

_LEAD_S = 0.3
"""Between the order to begin and the beginning, so that all generators have read it."""

_FIELDS = ("load", "index", "due", "sent", "answered", "lag", "sequence", "failed", "values")


async def run_once(deployment: Deployment, scenario: Scenario, folder: Path) -> Round:
    """Run ``scenario`` once and read back what it told.

    Raises:
        ScenarioError: a generator does not work, or a fault names what is not ours to kill.
    """
    known = set(deployment.pids())
    if unknown := {fault.kill for fault in scenario.faults} - known:
        raise ScenarioError(f"{', '.join(sorted(unknown))} cannot be killed; there are {', '.join(sorted(known))}")
    measured = await _measure(deployment, scenario, folder)
    return judged(scenario, measured)


async def _measure(deployment: Deployment, scenario: Scenario, folder: Path) -> Measured:
    run, since = uuid4().hex[:12], datetime.now(UTC).replace(microsecond=0)
    watch = Watch(deployment, scenario.role)
    await watch.open()
    plans = _plans(deployment, scenario, run, folder)
    generators = [await _generator(plan) for plan in plans]
    try:
        for process in generators:
            await _ready(process)
        wal = await written(deployment.administrator)
        began = time.monotonic() + _LEAD_S
        watch.start(began)
        faults = asyncio.create_task(_strike(deployment, scenario, began), name="faults")
        for process in generators:
            assert process.stdin is not None  # noqa: S101  it is a pipe
            process.stdin.write(f"{began}\n".encode())
        await asyncio.gather(*(process.wait() for process in generators))
        await faults
    finally:
        for process in generators:
            if process.returncode is None:
                process.kill()
    left = began + scenario.duration_s + scenario.drain_s - time.monotonic()
    drained = await watch.at_rest(max(left, 5.0))
    took = time.monotonic() - began
    await watch.stop()
    if any(process.returncode for process in generators):
        raise ScenarioError(f"a generator ended with {[process.returncode for process in generators]}")
    after = await written(deployment.administrator)
    messages, generator = _results([Path(plan.result) for plan in plans])
    stored = _stored(deployment, scenario, run, messages, watch.backlog)
    return Measured(
        messages=messages,
        stored=stored,
        backlog=watch.backlog,
        use=watch.use,
        drained=drained,
        found=await _read_back(deployment, scenario, run, messages, None if drained else stored, since=since),
        generator=generator,
        wal_bytes=None if after is None or wal is None else after - wal,
        deaths=sum(part.deaths for part in deployment.parts.values()),
        faults=scenario.faults,
        took_s=took,
    )


def _plans(deployment: Deployment, scenario: Scenario, run: str, folder: Path) -> list[Plan]:
    """What each generator does: those of the scenario tell, and one more asks; where nothing is told they all ask."""
    settings = deployment.settings
    tellers = scenario.generators if any(tells(load) for load in scenario.loads) else 0
    askers = (1 if tellers else scenario.generators) if not all(tells(load) for load in scenario.loads) else 0
    return [
        Plan(
            scenario=scenario,
            run=run,
            asks=asks,
            number=number,
            of=of,
            nats_url=settings.nats_url.split(",")[0],
            root=settings.root,
            context=settings.context,
            seeds={role: str(settings.seed_file(role).absolute()) for role in (HEAD_END, ASKER)},
            result=str(folder / f"{run}-{'asks' if asks else 'tells'}-{number}.npz"),
        )
        for asks, of in ((False, tellers), (True, askers))
        for number in range(of)
    ]


async def _generator(plan: Plan) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loadtest.generator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None  # noqa: S101  it is a pipe
    process.stdin.write(msgspec.json.encode(plan) + b"\n")
    return process


async def _ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None  # noqa: S101  it is a pipe
    if await process.stdout.readline() != b"ready\n":
        raise ScenarioError("a generator does not start; it says above why")


async def _strike(deployment: Deployment, scenario: Scenario, began: float) -> None:
    """Kill what is to be killed, each at its time."""
    for fault in sorted(scenario.faults, key=lambda each: each.at_s):
        await asyncio.sleep(max(began + fault.at_s - time.monotonic(), 0))
        deployment.kill(fault.kill)


def _results(paths: Sequence[Path]) -> tuple[dict[str, Any], dict[str, Any]]:
    files = [np.load(path) for path in paths]
    messages = {name: np.concatenate([file[name] for file in files]) for name in _FIELDS}
    generator: dict[str, Any] = {name: sum(file[name].item() for file in files) for name in ("cpu_s", "again", "bytes")}
    generator["reconnects"] = sum(int(file["reconnects"]) for file in files)
    generator["reasons"] = sorted({str(text) for file in files for text in file["reasons"]})
    generator["refusals"] = sorted({str(text) for file in files for text in file["refusals"]})[:10]
    for file, path in zip(files, paths, strict=True):
        file.close()
        path.unlink()
    return messages, generator


def _tellings(deployment: Deployment, scenario: Scenario, run: str) -> dict[int, Telling]:
    settings = deployment.settings
    return {
        place: Telling(scenario, load, run, settings.root, settings.context)
        for place, load in enumerate(scenario.loads)
        if tells(load)
    }


def _stored(
    deployment: Deployment, scenario: Scenario, run: str, messages: dict[str, Any], backlog: Backlog
) -> NDArray[np.float64]:
    """When each event was acknowledged by the role."""
    space = Space(deployment.settings.root, deployment.settings.context)
    stored = np.full(len(messages["load"]), np.nan)
    for place, telling in _tellings(deployment, scenario, run).items():
        lane = Lane.OUTAGE if scenario.loads[place].what is What.GASPS else Lane.READINGS
        mine = np.flatnonzero((messages["load"] == place) & (messages["sequence"] > 0))
        groups = {group: telling.subject(group) for group in range(telling.groups)}
        subjects = [groups[index % telling.groups] for index in messages["index"][mine].tolist()]
        stored[mine] = backlog.stored_s(space.stream(lane), subjects, messages["sequence"][mine])
    return stored


async def _read_back(
    deployment: Deployment,
    scenario: Scenario,
    run: str,
    messages: dict[str, Any],
    stored: NDArray[np.float64] | None,
    *,
    since: datetime,
) -> Found:
    """Hold what the role has against what the broker acknowledged; ``stored`` where not all of that was worked off.

    What happened before ``since``, such as in another round, is not looked at.
    """
    truth = Truth(scenario.fleet(), sample(scenario))
    gasped: list[NDArray[np.int64]] = []
    for place, telling in _tellings(deployment, scenario, run).items():
        mine = np.flatnonzero((messages["load"] == place) & ~np.isnan(messages["sent"]))
        # what still waits is neither lost nor surely there
        answered = ~np.isnan((messages["answered"] if stored is None else stored)[mine])
        for index, surely in zip(messages["index"][mine].tolist(), answered.tolist(), strict=True):
            part = telling.part(index)
            if tells_readings(scenario.loads[place].what):
                truth.tell(part, surely=surely)
            elif surely:
                gasped.append(np.arange(part.first, part.last))
    found = await read_back(deployment.settings, scenario, truth)
    if gasped:
        found = found.plus(await gasps_back(deployment.settings, scenario, np.concatenate(gasped), since))
    return found
