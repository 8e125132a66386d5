"""The doors of one role: requests, commands, replies, events keyed, shared, in batches and followed.

Each door turns what the bus hands out into an :class:`shared.arrival.Arrival`, and a message of a stream is settled
only after its transaction is committed. Requests are spawned under a limit: one too many is told so at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from contracts.errors import Unavailable
from contracts.interface import Interface, Lane, Mode
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance, Outcome
from shared.batches import Batches
from shared.bus.connection import Bus
from shared.bus.listening import Listening
from shared.bus.messages import Delivery, Received
from shared.bus.pull import Pull
from shared.bus.subjects import CommandSubject, EventSubject, ReplySubject, RequestSubject
from shared.bus.topology import IN_FLIGHT, Durable, durables
from shared.clock import real_now
from shared.envelope import CONTENT_TYPE, PRODUCER
from shared.failpoints import failpoint
from shared.following import Follower
from shared.handling import Desk
from shared.service import Service
from shared.telemetry import Metrics

log = logging.getLogger(__name__)

BATCH = 16
"""Deliveries that wait in a process; their time runs already."""

LONG_WORK_S = 10.0
"""How often the broker hears that a message is still being worked on."""


class Intake:
    """The doors of one role that a running service takes.

    Args:
        requests_in_flight: requests handled at once; further ones get 5.1.
    """

    def __init__(
        self,
        *,
        service: Service[Any],
        interface: Interface,
        bus: Bus,
        desk: Desk,
        batches: Batches,
        follower: Follower,
        catalogue: Any,
        metrics: Metrics,
        requests_in_flight: int,
    ) -> None:
        self._service = service
        self._interface = interface
        self._role = interface.role
        self._bus = bus
        self._desk = desk
        self._batches = batches
        self._follower = follower
        self._catalogue = catalogue
        self._limit = requests_in_flight
        self._requests = 0
        self._tasks = asyncio.TaskGroup()
        self._listening: list[Listening] = []
        self._pulls: list[Pull] = []
        self._loops: list[asyncio.Task[None]] = []
        self._refused = metrics.counter(
            "busbar_requests_refused_total", "Requests refused because too many were in flight", role=self._role
        )

    async def open(self, tasks: asyncio.TaskGroup) -> None:
        """Open all doors; the loops run in ``tasks``."""
        self._tasks = tasks
        space = self._bus.space
        for heard in self._interface.subscribes:
            if heard.mode is Mode.FOLLOW:
                await self._follower.open(self._bus, self._interface, heard, tasks)
        for durable in durables(self._catalogue, space.root, space.context, self._role):
            pull = self._bus.pull(durable.stream, durable.name, 1 if durable.mode is Mode.KEYED else BATCH)
            self._pulls.append(pull)
            self._loops.append(tasks.create_task(self._drain(pull, durable), name=f"{durable.stream}/{durable.name}"))
        self._listening.append(await self._bus.serve(space.requests_to(self._role), self._role, self._take_request))

    async def close(self) -> None:
        """Take nothing new, and wait for what was begun."""
        for listening in self._listening:
            await listening.stop()
        for pull in self._pulls:
            await pull.close()
        await self._follower.close()
        if self._loops:
            await asyncio.wait(self._loops)
        while self._requests:
            await asyncio.sleep(0.005)

    async def _take_request(self, received: Received) -> None:
        try:
            subject = RequestSubject.parse(received.subject)
        except ValueError as error:
            log.warning("a request on a subject that is none: %s", error)
            return
        arrival = Arrival(
            entrance=Entrance.REQUEST,
            role=self._role,
            source=subject.asker,
            noun=subject.noun,
            verb=subject.verb,
            subject=received.subject,
            headers=dict(received.headers),
            body=received.body,
            received_at=real_now(),
            reply_to=received.reply or None,
        )
        if self._requests >= self._limit:
            self._refused.add()
            busy = self._desk.refusal(arrival, Unavailable(f"'{self._role}' has too much to do; ask again", code="5.1"))
            await self._answer(arrival, Outcome(answers=busy), {"Nats-Service-Error-Code": "503"})
            return
        self._requests += 1
        self._tasks.create_task(self._request(arrival))

    async def _request(self, arrival: Arrival) -> None:
        try:
            outcome = await self._desk.take(arrival)
            await self._answer(arrival, outcome)
            if arrival.verb is Verb.GET:
                await self._journal(arrival)
        finally:
            self._requests -= 1

    async def _answer(self, arrival: Arrival, outcome: Outcome, extra: dict[str, str] | None = None) -> None:
        """Give the answers to the inbox that waits; if it or the broker is gone, the asker asks again."""
        headers = {CONTENT_TYPE: arrival.content_type, PRODUCER: self._role, **(extra or {})}
        for body in outcome.answers:
            try:
                await self._bus.publish_core(arrival.reply_to or "", body, headers)
            except Unavailable as error:
                log.warning("an answer could not be given: %s", error, extra={"subject": arrival.subject})
        failpoint("after-reply")

    async def _journal(self, arrival: Arrival) -> None:
        """A question leaves its header in the journal: who asked what, not what was said."""
        subject = EventSubject(
            root=self._bus.space.root,
            context=self._bus.space.context,
            lane=Lane.JOURNAL,
            source=self._role,
            noun=arrival.noun,
            verb=arrival.verb,
            partition=0,
        )
        headers = {**arrival.headers, "Busbar-Asker": arrival.source}
        try:
            await self._bus.publish_core(str(subject), b"", headers)
        except Unavailable:
            log.debug("a question was not written down")

    async def _drain(self, pull: Pull, durable: Durable) -> None:
        """Handle what a durable delivers: keyed one after the other, else many at once."""
        if durable.mode is None:
            read = _command if durable.stream == self._bus.space.stream("command") else _reply
        else:
            read = _event
        if durable.mode is Mode.KEYED:
            await self._drain_keyed(pull, read)
            return
        under_way: set[asyncio.Task[None]] = set()
        while deliveries := await pull.take(IN_FLIGHT):
            await self._begin_all(deliveries, read, under_way)
            while len(under_way) >= BATCH:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        if under_way:
            await asyncio.wait(under_way)

    async def _drain_keyed(self, pull: Pull, read: Callable[[Delivery, str], Arrival]) -> None:
        while deliveries := await pull.take(1):
            await self._deliver(deliveries[0], read)

    async def _begin_all(
        self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival], under_way: set[asyncio.Task[None]]
    ) -> None:
        batched, single = self._batches.split(deliveries, self._interface)
        jobs: list[Coroutine[Any, Any, None]] = [self._batches.take(group, read) for group in batched]
        jobs += [self._deliver_in_turn(group, read) for group in _by_subject(single)]
        for job in jobs:
            task = self._tasks.create_task(job)
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    async def _deliver_in_turn(self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival]) -> None:
        for delivery in deliveries:
            await self._deliver(delivery, read)

    async def _deliver(self, delivery: Delivery, read: Callable[[Delivery, str], Arrival]) -> None:
        try:
            arrival = read(delivery, self._role)
        except ValueError as error:
            log.error("a message on a subject that is none: %s", error)  # noqa: TRY400  the text says it all
            await delivery.term(str(error))
            return
        outcome = await _while_showing_life(delivery, self._desk.take(arrival))
        failpoint("before-ack")
        if outcome.retry_in_s is None:
            await delivery.ack()
        else:
            await delivery.nak(outcome.retry_in_s)


async def _while_showing_life(delivery: Delivery, work: Awaitable[Outcome]) -> Outcome:
    """Tell the broker every few seconds that a long piece of work goes on."""
    task = asyncio.ensure_future(work)
    while True:
        done, _ = await asyncio.wait({task}, timeout=LONG_WORK_S)
        if done:
            return task.result()
        await delivery.in_progress()


def _by_subject(deliveries: list[Delivery]) -> list[list[Delivery]]:
    """Messages of one subject stay in their order; subjects do not wait for each other."""
    groups: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        groups.setdefault(delivery.subject, []).append(delivery)
    return list(groups.values())


def _arrival(delivery: Delivery, entrance: Entrance, role: str, **facts: Any) -> Arrival:
    return Arrival(
        entrance=entrance,
        role=role,
        subject=delivery.subject,
        headers=dict(delivery.headers),
        body=delivery.body,
        received_at=delivery.timestamp,
        stream=delivery.stream,
        stream_sequence=delivery.stream_sequence,
        deliveries=delivery.num_delivered,
        **facts,
    )


def _command(delivery: Delivery, role: str) -> Arrival:
    subject = CommandSubject.parse(delivery.subject)
    return _arrival(delivery, Entrance.COMMAND, role, source=subject.asker, noun=subject.noun, verb=subject.verb)


def _reply(delivery: Delivery, role: str) -> Arrival:
    subject = ReplySubject.parse(delivery.subject)
    return _arrival(
        delivery,
        Entrance.REPLY,
        role,
        source=subject.responder,
        noun="",
        verb=Verb.REPLY,
        answers_to=subject.message_id,
    )


def _event(delivery: Delivery, role: str) -> Arrival:
    subject = EventSubject.parse(delivery.subject)
    return _arrival(delivery, Entrance.EVENT, role, source=subject.source, noun=subject.noun, verb=subject.verb)
