"""What a running process lends to its handlers: questions to other roles, the process pool, the object store."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from multiprocessing import get_context
from typing import Any, TypeVar
from uuid import uuid4

from contracts.errors import Malformed, from_reply
from contracts.interface import Interface
from contracts.message import Fault, Message, Request
from contracts.verbs import Verb
from shared.bus.blobs import Blobs
from shared.bus.connection import Bus
from shared.bus.subjects import RequestSubject
from shared.codec import CONTENT_XML
from shared.envelope import CONTENT_TYPE, PRODUCER, Cause, Writer, is_acknowledgement, merged, more_follows
from shared.telemetry import Hop, Telemetry

T = TypeVar("T")

ORPHANED_S = 0.5
"""How often a process of the pool looks whether its owner is still there."""


class Pool:
    """The one process pool of a process, made on first use."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None

    async def run(self, function: Callable[..., T], *values: Any) -> T:
        """Run a function in another process."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                mp_context=get_context("spawn"), initializer=_depend_on, initargs=(os.getpid(),)
            )
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *values)

    def close(self) -> None:
        """End the processes; what they were doing is lost."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)


def _depend_on(owner: int) -> None:
    """Let the process that owns the pool end this one: by its word, or by being gone, killed or not.

    A keyboard's interrupt goes to the whole group. The pipe to an owner that was killed is kept open by the other
    processes of the pool.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_after, args=(owner,), name="owner", daemon=True).start()


def _end_after(owner: int) -> None:
    while os.getppid() == owner:
        time.sleep(ORPHANED_S)
    os._exit(1)


class ServiceResources:
    """The resources of one running service.

    Args:
        buses: the connection of each role that the service takes.
        timeout_s: how long another role may be silent.
    """

    def __init__(
        self, buses: Mapping[str, Bus], writer: Writer, pool: Pool, telemetry: Telemetry, timeout_s: float
    ) -> None:
        self._buses = buses
        self._writer = writer
        self._pool = pool
        self._telemetry = telemetry
        self._timeout_s = timeout_s

    @property
    def blobs(self) -> Blobs:
        """The object store of the context."""
        return next(iter(self._buses.values())).blobs

    async def compute(self, function: Callable[..., T], *values: Any) -> T:
        """Run ``function`` in the process pool."""
        return await self._pool.run(function, *values)

    async def ask(self, interface: Interface, role: str, noun: type[Any], request: Request | None, cause: Cause) -> Any:
        """Put a ``get`` to ``role`` and return the payload of its whole reply.

        Raises:
            Unavailable: nobody answers in time.
            BusbarError: what the other role answered.
        """
        bus, name, message_id = self._buses[interface.role], noun.__name__, str(uuid4())
        header = self._writer.header(
            interface.role, Verb.GET, name, message_id=message_id, thread=cause.thread or message_id
        )
        body = self._writer.codec.encode(Message(header=header, request=request), CONTENT_XML)
        subject = RequestSubject(
            root=bus.space.root,
            context=bus.space.context,
            role=role,
            noun=name,
            verb=Verb.GET,
            asker=interface.role,
        )
        headers = {CONTENT_TYPE: CONTENT_XML, PRODUCER: interface.role, **cause.trace}
        hop = Hop(destination=role, subject=str(subject), verb=Verb.GET, noun=name, message_id=message_id)
        parts = []
        with self._telemetry.send(interface.role, hop, headers):
            async with aclosing(bus.ask(str(subject), body, headers, self._timeout_s)) as replies:
                async for received in replies:
                    response = self._writer.codec.decode(received.body, received.headers.get(CONTENT_TYPE, CONTENT_XML))
                    payload, more = _part(response, role)
                    if payload is not None:
                        parts.append(payload)
                    if not more:
                        break
        return merged(parts) if parts else noun()


def _part(response: Message[Any] | Fault, role: str) -> tuple[Any, bool]:
    """The payload of one reply, and whether another follows: after a part, and after a mere acknowledgement."""
    reply = response.reply
    if reply is None:
        raise Malformed(f"'{role}' answered without a Reply", code="1.7")
    error = from_reply(reply)
    if error is not None:
        raise error
    if isinstance(response, Fault):
        raise Malformed(f"'{role}' answered with a FaultMessage")
    return response.payload, more_follows(reply) or is_acknowledgement(reply)
