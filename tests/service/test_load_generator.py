"""The generator of a load test is not fooled by a system that stands still: late is late from when it was due."""

import asyncio
import os
import signal
import time
from pathlib import Path

import nats
import numpy as np
import pytest

from loadtest.generator import Plan, Stream
from loadtest.scenario import Load, Scenario, What
from shared.tools.nats_server import NatsServer

STALL_S = 0.8


def plan(server: NatsServer, seed: Path) -> Plan:
    load = Load(what=What.WAVE, per_s=1000, per_message=10, name="wave")
    scenario = Scenario(title="", name="wave", meters=10, duration_s=2, warm_up_s=0, loads=(load,))
    return Plan(
        scenario=scenario,
        run="run",
        number=0,
        of=1,
        nats_url=server.url,
        root="busbar",
        context="testing",
        seeds={"head-end": str(seed)},
        result="",
    )


@pytest.fixture
def seed(tmp_path: Path, nats_seed: str) -> Path:
    file = tmp_path / "head-end.nk"
    file.write_text(nats_seed)
    return file


async def test_a_stall_shows_in_the_latency_from_the_intended_start_of_all_that_was_due_meanwhile(
    nats_server: NatsServer, seed: Path
) -> None:
    client = await nats.connect(nats_server.url, nkeys_seed=str(seed))
    await client.jetstream().add_stream(name="stalls", subjects=["busbar.testing.event.readings.>"])
    order = plan(nats_server, seed)
    stream = Stream(order, "head-end", [(0, order.scenario.loads[0])], window=8)
    await stream.prepare()
    running = asyncio.create_task(stream.run(time.monotonic(), 20))
    await asyncio.sleep(0.5)
    os.kill(nats_server.pid, signal.SIGSTOP)
    await asyncio.sleep(STALL_S)
    os.kill(nats_server.pid, signal.SIGCONT)
    await running
    assert not np.isnan(stream.answered).any()
    assert sorted(stream.sequence.tolist()) == [*range(1, len(stream.due) + 1)]
    latency, service = stream.answered - stream.due, stream.answered - stream.sent
    assert len(stream.due) == 200
    assert 60 <= (latency > 0.1).sum() <= 130, "what was due in the stall waited, not only what was on its way"
    assert (service > 0.1).sum() <= 8, "a closed model would have told of the messages that were on their way alone"
    assert latency.max() > STALL_S * 0.9
    assert np.percentile(stream.lag, 99) < 0.1, "the generator itself was in time"
    await client.jetstream().delete_stream("stalls")
    await client.close()


async def test_what_the_broker_did_not_acknowledge_is_said_again_and_stored_once(
    nats_server: NatsServer, seed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtest.generator.SILENCE_S", 0.3)
    client = await nats.connect(nats_server.url, nkeys_seed=str(seed))
    order = plan(nats_server, seed)
    stream = Stream(order, "head-end", [(0, order.scenario.loads[0])], window=500)
    await stream.prepare()
    running = asyncio.create_task(stream.run(time.monotonic(), 20))
    await asyncio.sleep(0.7)  # there is no stream yet: nobody acknowledges
    assert np.isnan(stream.answered).all()
    await client.jetstream().add_stream(name="late", subjects=["busbar.testing.event.readings.>"])
    await running
    assert stream.again > 0
    assert not np.isnan(stream.answered).any()
    assert (await client.jetstream().stream_info("late")).state.messages == 200
    await client.jetstream().delete_stream("late")
    await client.close()
