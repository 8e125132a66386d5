"""For tests: a whole installation of one's own, and a peer that speaks messages to the service under test.

A :class:`Peer` takes a role as a product would, by the bus alone: it asks, commands, tells, hears and serves. It has
no database and promises nothing about restarts.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self
from uuid import uuid4

from msgspec import Struct, structs

from contracts.interface import Catalogue
from contracts.message import Fault, Header, Id, Message, Reply, Request
from contracts.verbs import Verb
from shared.bus.connection import Bus
from shared.bus.messages import Delivery, PubAck, Received
from shared.bus.subjects import CommandSubject, EventSubject, RequestSubject, Space, partition
from shared.codec import CONTENT_XML, Codec
from shared.config import Settings
from shared.envelope import CONTENT_TYPE, Writer, merged, more_follows, success
from shared.store import Login
from shared.tools.bootstrap import Schema, broker_users, make_credentials, prepare
from shared.tools.devservers import DevServers
from shared.tools.nats_server import HOST
from shared.tools.postgres_server import SUPERUSER

CAPACITY_BYTES = 512 << 20

PATIENCE_S = 30.0
"""How long a peer waits for what comes at once: a machine that others share stands still for seconds at times."""


class Heard(Struct, frozen=True):
    """A message that a peer got, read, with what the transport knows of it."""

    message: Message[Any]
    subject: str
    headers: dict[str, str]


class Installation:
    """Servers with the keys and users of a catalogue, in which contexts are made.

    Args:
        catalogue: all nouns and interfaces.
        schemas: the roles that keep something.
        root: the utility.
    """

    def __init__(
        self, servers: DevServers, settings: Settings, catalogue: Catalogue, schemas: tuple[Schema, ...]
    ) -> None:
        self.servers = servers
        self.settings = settings
        self.catalogue = catalogue
        self.schemas = schemas

    @classmethod
    @asynccontextmanager
    async def start(
        cls, settings: Settings, catalogue: Catalogue, schemas: Iterable[Schema]
    ) -> AsyncIterator["Installation"]:
        """Start servers below the state folder of ``settings``, which then also say where they are."""
        schemas = tuple(schemas)
        make_credentials(settings.credentials, catalogue, schemas, settings.root)
        users = broker_users(settings.credentials, catalogue, settings.root)
        async with DevServers(settings.state_dir, users) as servers:
            yield cls(servers, located(settings, servers), catalogue, schemas)

    def of(self, *schemas: Schema, **changes: Any) -> "Installation":
        """The same servers for other settings, and for no more than these schemas."""
        return Installation(self.servers, structs.replace(self.settings, **changes), self.catalogue, schemas)

    async def prepare(self, *, afresh: bool = True) -> tuple[str, ...]:
        """Make the context of the settings, empty."""
        return await prepare(
            self.settings,
            self.catalogue,
            self.schemas,
            administrator(self.servers),
            afresh=afresh,
            capacity_bytes=CAPACITY_BYTES,
        )

    def peer(self, role: str) -> "Peer":
        """A peer that takes ``role``; use it with ``async with``."""
        return Peer(self.settings, self.catalogue, role)


def located(settings: Settings, servers: DevServers) -> Settings:
    """``settings`` with the addresses of ``servers``."""
    login = administrator(servers)
    return structs.replace(settings, nats_url=servers.nats.url, postgres_host=login.host, postgres_port=login.port)


def administrator(servers: DevServers) -> Login:
    """The administrator of the database of ``servers``."""
    host = servers.postgres.socket_folder or HOST
    return Login(
        host=str(host),
        port=servers.postgres.port,
        database="postgres",
        user=SUPERUSER,
        password=servers.postgres.password,
    )


class Peer:
    """A role on the bus."""

    def __init__(self, settings: Settings, catalogue: Catalogue, role: str) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self.role = role
        self.space = Space(settings.root, settings.context)
        self.codec = Codec(catalogue)
        self.writer = Writer(self.space, self.codec, catalogue)
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._bus: Bus | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._bus = await Bus.connect(
            self._settings.nats_url.split(","),
            role=self.role,
            context=self._settings.context,
            root=self._settings.root,
            seed_file=self._settings.seed_file(self.role),
            on_lost=lambda _: None,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self.bus.close()

    @property
    def bus(self) -> Bus:
        """The connection.

        Raises:
            RuntimeError: outside ``async with``.
        """
        if self._bus is None:
            raise RuntimeError("the peer is not connected")
        return self._bus

    def header(self, verb: Verb, noun: str, **fields: Any) -> Header:
        """A header of this role with a MessageID of its own; ``fields`` change it."""
        header = self.writer.header(self.role, verb, noun, message_id=str(uuid4()), thread=None)
        return structs.replace(header, **fields)

    async def request(
        self,
        to: str,
        verb: Verb,
        payload: Any,
        *,
        ids: Iterable[str] = (),
        question: Request | None = None,
        timeout_s: float = PATIENCE_S,
        content_type: str = CONTENT_XML,
        **fields: Any,
    ) -> Message[Any]:
        """Ask ``to`` and return its response, parts put together; ``payload`` is the noun, or its type for a question.

        ``question`` qualifies it; where only objects are named, ``ids`` does.

        Raises:
            Unavailable: nobody answers.
        """
        noun = payload if isinstance(payload, type) else type(payload)
        request = question or (Request(id=tuple(Id(value=value) for value in ids)) if ids else None)
        message = Message(
            header=self.header(verb, noun.__name__, **fields),
            request=request,
            payload=None if isinstance(payload, type) else payload,
        )
        body = self.codec.encode(message, content_type)
        subject = self._request_subject(to, verb, noun.__name__)
        parts: list[Message[Any]] = []
        async with aclosing(self.bus.ask(subject, body, {CONTENT_TYPE: content_type}, timeout_s)) as replies:
            async for received in replies:
                answer = self.codec.decode(received.body, received.headers.get(CONTENT_TYPE, CONTENT_XML))
                if isinstance(answer, Fault):
                    raise TypeError(f"a FaultMessage came: {answer.reply}")
                parts.append(answer)
                if answer.reply is None or not more_follows(answer.reply):
                    break
        payloads = [part.payload for part in parts if part.payload is not None]
        return structs.replace(parts[-1], payload=merged(payloads) if payloads else None)

    async def ask_raw(
        self,
        to: str,
        verb: Verb,
        noun: str,
        body: bytes,
        content_type: str = CONTENT_XML,
        *,
        timeout_s: float = PATIENCE_S,
    ) -> Received:
        """Ask with bytes, and return the first answer."""
        return await self.bus.request(
            self._request_subject(to, verb, noun), body, {CONTENT_TYPE: content_type}, timeout_s
        )

    def _request_subject(self, to: str, verb: Verb, noun: str) -> str:
        subject = RequestSubject(
            root=self.space.root, context=self.space.context, role=to, noun=noun, verb=verb, asker=self.role
        )
        return str(subject)

    async def inquire(self, to: str, noun: type[Any], question: Request, **fields: Any) -> str:
        """Ask without waiting; the replies come where those to a command would. Returns the MessageID."""
        header = self.header(Verb.GET, noun.__name__, async_reply_flag=True, **fields)
        message_id = header.message_id or ""
        header = structs.replace(header, reply_address=self.writer.reply_subject(self.role, message_id, to))
        body = self.codec.encode(Message(header=header, request=question), CONTENT_XML)
        await self.bus.publish_core(
            self._request_subject(to, Verb.GET, noun.__name__), body, {CONTENT_TYPE: CONTENT_XML}
        )
        return message_id

    async def command(self, to: str, verb: Verb, payload: Any, **fields: Any) -> str:
        """Leave a durable command; the reply comes to :meth:`replies`. Returns its MessageID."""
        noun = type(payload).__name__
        header = self.header(verb, noun, **fields)
        message_id = header.message_id or ""
        address = self.writer.reply_subject(self.role, message_id, to)
        header = structs.replace(header, async_reply_flag=True, reply_address=header.reply_address or address)
        body = self.codec.encode(Message(header=header, payload=payload), CONTENT_XML)
        await self.command_raw(to, verb, noun, body, message_id)
        return message_id

    async def command_raw(self, to: str, verb: Verb, noun: str, body: bytes, message_id: str) -> PubAck:
        """Leave bytes as a command."""
        subject = CommandSubject(
            root=self.space.root, context=self.space.context, role=to, noun=noun, verb=verb, asker=self.role
        )
        return await self.bus.publish_stream(str(subject), body, {CONTENT_TYPE: CONTENT_XML}, msg_id=message_id)

    async def tell(
        self, verb: Verb, payload: Any, *, key: str = "", headers: dict[str, str] | None = None, **fields: Any
    ) -> PubAck:
        """Tell an event."""
        noun = type(payload).__name__
        header = self.header(verb, noun, **fields)
        body = self.codec.encode(Message(header=header, payload=payload), CONTENT_XML)
        return await self.tell_raw(verb, noun, body, header.message_id or "", key=key, headers=headers)

    async def tell_raw(
        self,
        verb: Verb,
        noun: str,
        body: bytes,
        message_id: str,
        *,
        key: str = "",
        headers: dict[str, str] | None = None,
    ) -> PubAck:
        """Tell bytes."""
        lane = self._catalogue.lane(self.role, verb, noun)
        subject = EventSubject(
            root=self.space.root,
            context=self.space.context,
            lane=lane,
            source=self.role,
            noun=noun,
            verb=verb,
            partition=partition(key, lane),
        )
        return await self.bus.publish_stream(
            str(subject), body, {CONTENT_TYPE: CONTENT_XML, **(headers or {})}, msg_id=message_id
        )

    def drain(self, kind: str, durable: str) -> None:
        """Hear what a durable of this role delivers: of the stream ``command``, ``reply`` or a lane."""

        async def run() -> None:
            async for delivery in self.bus.pull(self.space.stream(kind), durable):
                await self.heard.put(self._heard(delivery))
                await delivery.ack()

        self._tasks.append(asyncio.create_task(run()))

    async def follow(self, pattern: str) -> None:
        """Hear whatever this user may subscribe to under ``pattern``."""
        await self.bus.subscribe(pattern, self._put)

    async def next(self, timeout_s: float = PATIENCE_S) -> Heard:
        """The next message heard.

        Raises:
            TimeoutError: none came.
        """
        async with asyncio.timeout(timeout_s):
            return await self.heard.get()

    async def serve(self, answer: Callable[[Message[Any]], Awaitable[tuple[Reply, Any]]] | None = None) -> None:
        """Answer requests to this role with what ``answer`` returns; by default with plain success."""

        async def take(received: Received) -> None:
            message = self._heard(received).message
            reply, payload = (success(), None) if answer is None else await answer(message)
            if not received.reply:  # it is asked to answer at an address, and nobody waits
                await self.reply(message, reply, payload)
                return
            response = self.writer.response(
                self.role,
                message.header.noun,
                reply,
                payload,
                message_id=str(uuid4()),
                thread=message.header.correlation_id or message.header.message_id,
            )
            body = self.codec.encode(response, CONTENT_XML)
            await self.bus.publish_core(received.reply, body, {CONTENT_TYPE: CONTENT_XML})

        await self.bus.serve(self.space.requests_to(self.role), self.role, take)

    async def hear_requests(self) -> None:
        """Hear the requests to this role, to answer them by :meth:`reply`."""
        await self.bus.serve(self.space.requests_to(self.role), self.role, self._put)

    async def _put(self, received: Received) -> None:
        await self.heard.put(self._heard(received))

    async def reply(self, to: Message[Any], reply: Reply, payload: Any = None) -> None:
        """Answer a command, or a question that does not wait, by its ReplyAddress."""
        header = to.header
        message_id = str(uuid4())
        response = self.writer.response(
            self.role, header.noun, reply, payload, message_id=message_id, thread=header.correlation_id
        )
        await self.bus.publish_stream(
            header.reply_address or "",
            self.codec.encode(response, CONTENT_XML),
            {CONTENT_TYPE: CONTENT_XML},
            msg_id=message_id,
        )

    def _heard(self, source: Delivery | Received) -> Heard:
        message = self.codec.decode(source.body, source.headers.get(CONTENT_TYPE, CONTENT_XML))
        if isinstance(message, Fault):
            raise TypeError(f"a FaultMessage came on {source.subject}")
        return Heard(message, source.subject, dict(source.headers))
