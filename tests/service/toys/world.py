"""What the tests of the kernel look at, and how they wait for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from msgspec import structs

from contracts.message import Message, Reply
from shared.bus.connection import Bus
from shared.runtime import Running, running
from shared.service import Service
from shared.store import Record
from shared.tools.testing import Installation
from tests.service.toys.interfaces import CATALOGUE


async def rows(toys: Installation, role: str, sql: str, *arguments: object) -> list[Record]:
    """Asks the schema of ``role``."""
    login = toys.settings.login(role)
    connection = await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )
    try:
        return await connection.fetch(sql, *arguments)
    finally:
        await connection.close()


async def notes(toys: Installation, role: str, pattern: str = "%") -> list[tuple[str, str]]:
    """What a service has written down about objects like ``pattern``, in order."""
    found = await rows(toys, role, "SELECT mrid, text FROM note WHERE mrid LIKE $1 ORDER BY id", pattern)
    return [(row["mrid"], row["text"]) for row in found]


async def eventually(condition: Callable[[], Awaitable[object]], timeout_s: float = 15.0) -> Any:
    """What ``condition`` gives as soon as that is true."""
    async with asyncio.timeout(timeout_s):
        while not (found := await condition()):  # noqa: ASYNC110  another process may make it true
            await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def admin(toys: Installation) -> AsyncIterator[Bus]:
    """The connection of the administrator of the broker."""
    settings = toys.settings
    bus = await Bus.connect(
        [settings.nats_url],
        role="admin",
        context=settings.context,
        root=settings.root,
        seed_file=settings.credentials / "admin.nk",
        on_lost=lambda _: None,
    )
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def run(toys: Installation, *services: Service[Any], **changes: Any) -> AsyncIterator[Running]:
    """A process with ``services``; ``changes`` are settings."""
    settings = structs.replace(toys.settings, **changes)
    async with running(*services, settings=settings, catalogue=CATALOGUE) as process:
        yield process


def reply_of(message: Message[Any]) -> Reply:
    """The reply that a response has."""
    assert message.reply is not None
    return message.reply


def code_of(message: Message[Any]) -> str:
    """The code of a response; 0.0 where it names none."""
    error = reply_of(message).error
    return error[0].code if error else "0.0"
