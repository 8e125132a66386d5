"""The same work without the kernel: the statements and publishes that it makes, by nats-py and asyncpg alone.

Nothing is read, checked or encoded: the bytes were made beforehand, and only the names in them are looked for.
"""

import asyncio
import json
import re
from contextlib import suppress
from typing import Any
from uuid import uuid4

import asyncpg
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError

from contracts.interface import Lane
from contracts.message import Header, Message
from contracts.verbs import Verb
from loadtest.bench_service import BARE, CATALOGUE, KEPT, READ, WRITE, Thing, Things
from shared.bus.subjects import Space, partition
from shared.codec import CONTENT_XML, Codec
from shared.config import Settings
from shared.envelope import Writer, success
from shared.outbox import BATCH, BY_INDEX, MARK_AFTER_S, MARK_AND_NUMBER, SAVE

_NAME = re.compile(rb"<[^>]*mRID>([^<]*)<")
_MESSAGE_ID = re.compile(rb"MessageID>([^<]*)<")
KEEPER, LISTENER = BARE[0].role, BARE[1].role


async def connect(settings: Settings, role: str) -> tuple[Client, "asyncpg.Pool[asyncpg.Record]"]:
    """The connections of a bare role."""
    client = Client()
    await client.connect(
        settings.nats_url,
        nkeys_seed=str(settings.seed_file(role)),
        inbox_prefix=f"_INBOX.{settings.context}-{role}",
    )
    login = settings.login(role)
    pool = await asyncpg.create_pool(
        host=login.host,
        port=login.port,
        database=login.database,
        user=login.user,
        password=login.password,
        min_size=settings.pool_min,
        max_size=settings.pool_max,
        server_settings={"jit": "off"},
        reset=_keep,
    )
    return client, pool


async def _keep(_: object) -> None:
    """Nothing to reset, as in the kernel."""


class Keeper:
    """Answers, keeps, and relays."""

    def __init__(self, settings: Settings, client: Client, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._space = Space(settings.root, settings.context)
        self._client = client
        self._stream = client.jetstream()
        self._pool = pool
        self._told = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        writer = Writer(self._space, Codec(CATALOGUE), CATALOGUE)
        things = Things(thing=tuple(Thing(mrid=mrid, amount=number) for number, mrid in enumerate(KEPT)))
        response = writer.response(KEEPER, "Things", success(), things, message_id=str(uuid4()), thread=str(uuid4()))
        self._answer = writer.codec.encode(response, CONTENT_XML)
        header = Header(verb=Verb.CREATED, noun="Things", source=KEEPER, message_id=str(uuid4()))
        one = Things(thing=(Thing(mrid="a-name-of-some-length", amount=1),))
        self._event = writer.codec.encode(Message(header=header, payload=one), CONTENT_XML)

    async def serve(self) -> None:
        """Serve requests, one task for each."""

        async def take(message: Msg) -> None:
            task = asyncio.create_task(self._get(message) if ".get." in message.subject else self._create(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        await self._client.subscribe(self._space.requests_to(KEEPER), KEEPER, take)

    async def _get(self, message: Msg) -> None:
        async with self._pool.acquire() as connection:
            await connection.fetch(READ, list(KEPT))
        await self._client.publish(message.reply, self._answer, headers=_headers())
        journal = self._space.events(Lane.JOURNAL, KEEPER, "Things", Verb.GET, 0)
        await self._client.publish(journal, b"", headers=_headers())

    async def _create(self, message: Msg) -> None:
        mrid, message_id = _found(_NAME, message.data), _found(_MESSAGE_ID, message.data)
        event = self._space.events(Lane.GENERAL, KEEPER, "Things", Verb.CREATED, partition(mrid, Lane.GENERAL))
        rows = [
            (event, self._event.replace(b"a-name-of-some-length", mrid.encode())),
            (self._space.events(Lane.JOURNAL, KEEPER, "Things", Verb.CREATE, 0), message.data),
            (self._space.events(Lane.JOURNAL, KEEPER, "Things", Verb.REPLY, 0), self._answer),
        ]
        async with self._pool.acquire() as connection:
            await connection.execute("BEGIN")
            await connection.fetchval("SELECT take_message($1, $2, $3, $4)", KEEPER, "asker", message_id, b"digest")
            await connection.execute(WRITE, mrid, 1)
            reply = (KEEPER, "asker", message_id, b"digest", self._answer, CONTENT_XML, message_id)
            await connection.execute(SAVE, *reply, *_saved(rows))
            await connection.execute("COMMIT")
        self._told.set()
        await self._client.publish(message.reply, self._answer, headers=_headers())

    async def relay(self) -> None:
        """Send what was kept, each subject in order."""
        connection = await self._pool.acquire()
        await connection.execute(BY_INDEX)
        done: list[int] = []
        while True:
            self._told.clear()
            rows = await connection.fetch(MARK_AND_NUMBER, done, [], BATCH)
            done = [row["id"] for row in rows]
            queues: dict[str, list[Any]] = {}
            for row in sorted(rows, key=_by_id):
                queues.setdefault(row["subject"], []).append(row)
            await asyncio.gather(*(self._send(queue) for queue in queues.values()))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), MARK_AFTER_S if done else None)

    async def _send(self, queue: list[Any]) -> None:
        for row in queue:
            headers = {
                **json.loads(row["headers"]),
                "Busbar-Sequence": str(row["sequence"]),
                "Nats-Msg-Id": row["message_id"],
            }
            await self._stream.publish(row["subject"], row["body"], headers=headers)


async def listen(settings: Settings, client: Client, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Hear events: those of a subject in order, subjects beside each other."""
    stream = f"{settings.root}_{settings.context}_general"
    pull = await client.jetstream().pull_subscribe_bind(f"{LISTENER}_shared", stream)
    while True:
        try:
            messages = await pull.fetch(16, timeout=5)
        except NatsTimeoutError:
            continue
        queues: dict[str, list[Msg]] = {}
        for message in messages:
            queues.setdefault(message.subject, []).append(message)
        await asyncio.gather(*(_hear(pool, queue) for queue in queues.values()))


async def _hear(pool: "asyncpg.Pool[asyncpg.Record]", queue: list[Msg]) -> None:
    for message in queue:
        headers = message.headers or {}
        async with pool.acquire() as connection:
            await connection.execute("BEGIN")
            await connection.fetchval(
                "SELECT take_event($1, $2, $3, $4, $5, $6)",
                LISTENER,
                KEEPER,
                headers["Nats-Msg-Id"],
                b"digest",
                message.subject,
                int(headers["Busbar-Sequence"]),
            )
            await connection.execute(WRITE, _found(_NAME, message.data), 1)
            await connection.execute("COMMIT")
        await message.ack()


def _saved(rows: list[tuple[str, bytes]]) -> tuple[list[Any], ...]:
    """The columns of outbox rows, after those of no awaited command."""
    headers = json.dumps(_headers())
    count = len(rows)
    return (
        *([] for _ in range(6)),
        [KEEPER] * count,
        [subject for subject, _ in rows],
        [str(uuid4()) for _ in rows],
        [headers] * count,
        [body for _, body in rows],
        [True] * count,
    )


def _headers() -> dict[str, str]:
    return {"Content-Type": CONTENT_XML, "Busbar-Producer": KEEPER}


def _found(pattern: "re.Pattern[bytes]", body: bytes) -> str:
    found = pattern.search(body)
    return found[1].decode() if found else ""


def _by_id(row: Any) -> Any:
    return row["id"]
