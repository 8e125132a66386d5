"""The one HTTP server of a process: ``/health/live``, ``/health/ready`` and ``/metrics``.

A service with pages of its own adds its routes to the same application before it is served.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from shared.health import Health
from shared.telemetry import Counter, Family, Histogram, Labels, Metrics

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def application(health: Health, metrics: Metrics) -> web.Application:
    """The pages about the process itself.

    ``/health/live`` is 200 while the event loop turns, ``/health/ready`` is 200 while every role can work, and says of
    each what it lacks; both are 503 otherwise.
    """

    async def live(_: web.Request) -> web.Response:
        return _json(health.watchdog.alive, {"alive": health.watchdog.alive})

    async def ready(_: web.Request) -> web.Response:
        return _json(health.ready, {"ready": health.ready, "roles": health.roles})

    async def numbers(_: web.Request) -> web.Response:
        text = "".join(prometheus_text(metrics))
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.add_routes([web.get("/health/live", live), web.get("/health/ready", ready), web.get("/metrics", numbers)])
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve ``app`` until the block ends; gives the port, which the system chooses when ``port`` is 0.

    Raises:
        OSError: when the address is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def prometheus_text(metrics: Metrics) -> Iterator[str]:
    """All numbers in the text format of Prometheus, version 0.0.4, a line at a time."""
    for family in metrics.families.values():
        yield f"# HELP {family.name} {family.description}\n# TYPE {family.name} {family.kind}\n"
        yield from _lines(family)


def _lines(family: Family) -> Iterator[str]:
    for labels, number in family.numbers.items():
        if isinstance(number, Counter):
            yield _line(family.name, labels, number.value)
        elif isinstance(number, Histogram):
            cumulative = number.cumulative()
            for bound, count in zip((*number.bounds, "+Inf"), cumulative, strict=True):
                yield _line(f"{family.name}_bucket", (*labels, ("le", str(bound))), count)
            yield _line(f"{family.name}_sum", labels, number.sum)
            yield _line(f"{family.name}_count", labels, cumulative[-1])
        else:
            yield _line(family.name, labels, number())


def _line(name: str, labels: Labels, value: float) -> str:
    inner = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels)
    return f"{name}{{{inner}}} {value}\n" if inner else f"{name} {value}\n"


def _json(good: bool, body: object) -> web.Response:
    return web.Response(status=200 if good else 503, body=msgspec.json.encode(body), content_type="application/json")
