"""What was begun gives way to who comes first: where a statement ends, and between the pieces of a copy."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest_asyncio

from shared.store import Database, Login, Store, Transaction

COPY_HEADER, COPY_TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


class Gate:
    """Where a unit of work waits while somebody comes first."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def give_way(self) -> None:
        await self.is_open.wait()


@pytest_asyncio.fixture
async def kept(database: str) -> AsyncIterator[Database]:
    login = Login(host="", port=0, database="", user="", password="")
    async with asyncpg.create_pool(database, min_size=1, max_size=2) as pool:
        yield Database(pool, login)


async def test_who_comes_while_a_statement_runs_is_before_what_follows_it(kept: Database) -> None:
    gate = Gate()
    transaction = Transaction(kept, give_way=gate.give_way)
    asked = asyncio.ensure_future(Store(transaction).fetchval("SELECT 1 FROM pg_sleep(0.2)"))
    await asyncio.sleep(0.1)
    gate.is_open.clear()
    assert not (await asyncio.wait([asked], timeout=0.5))[0]
    gate.is_open.set()
    async with asyncio.timeout(30):
        assert await asked == 1
    await transaction.release()


async def test_who_comes_while_rows_are_copied_is_before_the_next_piece(kept: Database) -> None:
    gate, made = Gate(), list[int]()

    def pieces() -> Iterator[bytes]:
        yield COPY_HEADER
        for number in range(4):
            made.append(number)
            if number == 1:
                gate.is_open.clear()
            yield struct.pack(">hii", 1, 4, number)
        yield COPY_TRAILER

    transaction = Transaction(kept, give_way=gate.give_way)
    store = Store(transaction)
    await store.execute("CREATE TABLE told (number integer)")
    copied = asyncio.ensure_future(store.copy("told", ["number"], pieces()))
    assert not (await asyncio.wait([copied], timeout=0.5))[0]
    assert made == [0, 1]
    gate.is_open.set()
    async with asyncio.timeout(30):
        assert await copied
        rows = await store.fetch("SELECT number FROM told ORDER BY number")
    assert [row["number"] for row in rows] == [0, 1, 2, 3]
    await transaction.release()
