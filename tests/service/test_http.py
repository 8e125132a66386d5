"""The pages of a process about itself, asked for over a real socket."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest

from shared.health import Health, LoopWatchdog, Phase
from shared.http import application, serving
from shared.telemetry import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def health(metrics: Metrics) -> AsyncIterator[Health]:
    watchdog = LoopWatchdog(metrics, interval_s=0.01, patience_s=1.0)
    running = asyncio.create_task(watchdog.run())
    yield Health(watchdog)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def pages(health: Health, metrics: Metrics) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serving(application(health, metrics), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def test_a_process_is_ready_when_each_of_its_roles_has_its_database_and_its_bus(
    pages: aiohttp.ClientSession, health: Health
) -> None:
    async def answer() -> tuple[int, dict[str, object]]:
        async with pages.get("/health/ready") as response:
            return response.status, await response.json()

    assert await answer() == (503, {"ready": False, "roles": {}})
    outages, gateway = health.role("fault-management"), health.role("gateway")
    outages.database, outages.bus, gateway.bus = True, True, True
    assert (await answer())[0] == 503
    outages.phase = gateway.phase = Phase.RUNNING
    assert await answer() == (
        200,
        {
            "ready": True,
            "roles": {
                "fault-management": {"phase": "running", "database": True, "bus": True},
                "gateway": {"phase": "running", "database": None, "bus": True},
            },
        },
    )
    outages.database = False
    assert (await answer())[0] == 503
    outages.database, outages.phase = True, Phase.STOPPING
    assert (await answer())[0] == 503


async def test_a_blocked_loop_is_logged_and_counted(
    pages: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.sleep(0.05)
    async with pages.get("/health/live") as response:
        assert response.status == 200
    with caplog.at_level(logging.WARNING, "shared.health"):
        time.sleep(0.2)  # noqa: ASYNC251 - this is the defect that the watchdog looks for
        await asyncio.sleep(0.05)
    assert "the event loop was blocked for" in caplog.text
    async with pages.get("/metrics") as response:
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await response.text()
    assert "# TYPE busbar_loop_lag_seconds histogram" in text
    above = int(text.partition('busbar_loop_lag_seconds_bucket{le="+Inf"} ')[2].partition("\n")[0])
    below = int(text.partition('busbar_loop_lag_seconds_bucket{le="0.1"} ')[2].partition("\n")[0])
    assert above > below


async def test_a_process_without_a_running_watchdog_is_not_alive(metrics: Metrics) -> None:
    health = Health(LoopWatchdog(metrics))
    async with (
        serving(application(health, metrics), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.get("/health/live") as response,
    ):
        assert response.status == 503
