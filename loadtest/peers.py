"""What others make of the same work, as far as they are installed; who is not is named and left out.

``pip install "faststream[nats]" sqlalchemy xsdata`` brings all of them.
"""

import asyncio
import json
import sys
import time
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

import nats.js.api as js
from msgspec import structs

from loadtest.deployment import ROOT, Deployment
from loadtest.scenario import Encoding, Load, Scenario, What
from loadtest.telling import Telling, Told
from shared.bus.connection import Bus
from shared.bus.subjects import ADMIN
from shared.codec import CONTENT_XML

STREAM, SUBJECT, DURABLE = "peers", "peers.readings", "peer"

MESSAGES = 24
METERS = 20
"""Day blocks of so many meters in so many messages: 46,080 readings."""

_PATIENCE_S = 120.0
_XML_METERS = 5


async def peers(deployment: Deployment, scenario: Scenario) -> dict[str, Any]:
    """Readings a second of each peer, or why it was not asked."""
    told: dict[str, Any] = {}
    missing = [name for name in ("faststream", "sqlalchemy", "pydantic") if find_spec(name) is None]
    name = "faststream, pydantic, JSON, a row per reading through SQLAlchemy"
    if missing:
        told[name] = f"{', '.join(missing)} not installed"
    elif deployment.administrator is None:
        told[name] = "the database is not ours"
    else:
        told[name] = await _faststream(deployment, scenario)
    told["xsdata, parsing alone, on a core"] = (
        "xsdata not installed" if find_spec("xsdata") is None else await asyncio.to_thread(_xsdata, scenario)
    )
    return told


def _blocks(scenario: Scenario, encoding: Encoding, meters: int, messages: int) -> tuple[list[Told], int]:
    """Messages of day blocks, and how many readings are in them."""
    count = meters * messages
    load = Load(what=What.DAY_BLOCKS, per_s=count * 100, per_message=meters, encoding=encoding, name="peers")
    small = structs.replace(scenario, meters=count, duration_s=1, warm_up_s=0, loads=(load,))
    telling = Telling(small, load, uuid4().hex, "busbar", "testing")
    return [telling.told(index) for index in range(messages)], sum(
        telling.part(index).values for index in range(messages)
    )


async def _faststream(deployment: Deployment, scenario: Scenario) -> float | str:
    settings, login = deployment.settings, deployment.administrator
    assert login is not None  # noqa: S101  the caller looked
    url, seed = settings.nats_url.split(",")[0], settings.credentials / f"{ADMIN}.nk"
    messages, readings = _blocks(scenario, Encoding.JSON, METERS, MESSAGES)
    bus = await Bus.connect(
        [url], role=ADMIN, context=settings.context, root=settings.root, seed_file=seed, on_lost=lambda _: None
    )
    try:
        await bus.manager.add_stream(js.StreamConfig(name=STREAM, subjects=[SUBJECT], max_bytes=64 << 20))
        for number, message in enumerate(messages):
            await bus.publish_stream(SUBJECT, message.body, {"content-type": "application/json"}, msg_id=f"{number}")
        host = str(login.host)
        where = f"?host={host}&port={login.port}" if host.startswith("/") else ""
        at = "" if where else f"{host}:{login.port}"
        dsn = f"postgresql+asyncpg://{login.user}:{login.password}@{at}/{settings.postgres_database}{where}"
        order = json.dumps({"url": url, "seed": str(seed), "dsn": dsn, "messages": len(messages)})
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "loadtest.peer_faststream",
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                out, err = await process.communicate(order.encode() + b"\n")
        except TimeoutError:
            process.kill()
            await process.wait()
            return f"not done in {_PATIENCE_S:.0f} s"
        lines = [line for line in out.decode().splitlines() if line.startswith("{")]
        if not lines:
            return f"it failed: {err.decode()[-300:]}"
        seconds: float = json.loads(lines[-1])["seconds"]
        return round(readings / seconds, 1)
    finally:
        await bus.manager.delete_stream(STREAM)
        await bus.close()


def _xsdata(scenario: Scenario) -> float:
    """Readings a second of processor time that xsdata makes objects of."""
    from loadtest.xsdata_readings import read  # noqa: PLC0415  it may not be installed

    messages, readings = _blocks(scenario, Encoding.XML, _XML_METERS, 2)
    assert CONTENT_XML.encode() in messages[0].headers  # noqa: S101  what is parsed is XML
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        for message in messages:
            read(message.body)
        best = max(best, readings / (time.process_time() - began))
    return round(best, 1)
