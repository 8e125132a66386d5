"""The doors of one role: requests, commands, replies, events keyed, shared, in batches and followed.

Each door turns what the bus hands out into an :class:`shared.arrival.Arrival`, and a message of a stream is settled
only after its transaction is committed. Requests are spawned under a limit: one too many is told so at once.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from contracts.errors import BusbarError, Unavailable
from contracts.interface import Interface, Lane, Mode
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance
from shared.batches import AT_ONCE, Batches
from shared.bus.connection import Bus
from shared.bus.listening import Listening
from shared.bus.messages import Delivery, Received
from shared.bus.pull import Pull
from shared.bus.subjects import CommandSubject, EventSubject, ReplySubject, RequestSubject
from shared.bus.topology import BULK_IN_FLIGHT, IN_FLIGHT, Durable, durables
from shared.clock import real_now
from shared.envelope import Row
from shared.failpoints import failpoint
from shared.following import Follower
from shared.handling import Desk
from shared.recording import Recorder
from shared.service import Kind, Service
from shared.telemetry import Metrics

log = logging.getLogger(__name__)

BATCH = 16
"""Deliveries that wait in a process; their time runs already."""

BULK_BYTES = 16 << 20
"""How much waits in a process of what is handled in batches."""

FINISH_S = 20.0
"""How long a stopping service waits for what it has begun."""

LONG_WORK_S = 3.0
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
        recorder: Recorder | None,
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
        self._recorder = recorder
        self._follower = follower
        self._catalogue = catalogue
        self._limit = requests_in_flight
        self._requests: set[asyncio.Task[None]] = set()
        self._tasks = asyncio.TaskGroup()
        self._listening: list[Listening] = []
        self._pulls: list[Pull] = []
        self._last: dict[str, asyncio.Task[None]] = {}
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
            waiting = {Mode.KEYED: 1, None: BATCH if durable.lane is None else IN_FLIGHT}.get(durable.mode, BATCH)
            is_bulk = durable.max_ack_pending == BULK_IN_FLIGHT
            if is_bulk:
                waiting = BULK_IN_FLIGHT // 2
            elif durable.mode is Mode.SHARED and durable.lane in self._batched_lanes():
                waiting = IN_FLIGHT
            pull = self._bus.pull(durable.stream, durable.name, waiting, max_bytes=BULK_BYTES if is_bulk else None)
            self._pulls.append(pull)
            self._loops.append(tasks.create_task(self._drain(pull, durable), name=f"{durable.stream}/{durable.name}"))
        self._listening.append(await self._bus.serve(space.requests_to(self._role), self._role, self._take_request))

    async def close(self) -> None:
        """Take nothing new, and wait for what was begun, but not for ever."""
        for listening in self._listening:
            await listening.stop()
        for pull in self._pulls:
            await pull.close()
        await self._follower.close()
        begun = {*self._loops, *self._requests}
        if begun:
            _, unfinished = await asyncio.wait(begun, timeout=FINISH_S)
            for task in unfinished:
                log.warning(
                    "the work did not end; it is broken off and will be done again", extra={"task": task.get_name()}
                )
                task.cancel()

    def _batched_lanes(self) -> set[Lane]:
        """The lanes of which something is handled in batches."""
        return {
            self._catalogue.lane(each.subscription.role, each.verb, each.noun.__name__)
            for each in self._service.handlers
            if each.kind is Kind.BATCH and each.interface is self._interface and each.subscription is not None
        }

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
        if len(self._requests) >= self._limit:
            self._refused.add()
            busy = self._desk.busy(arrival)
            if busy is not None:
                await self._answer(arrival, (busy,), {"Nats-Service-Error-Code": "503"})
            return
        task = self._tasks.create_task(self._request(arrival))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _request(self, arrival: Arrival) -> None:
        outcome = await self._desk.take(replace(arrival, give=lambda part: self._answer(arrival, (part,))))
        await self._answer(arrival, outcome.answers)
        await failpoint("after-reply")
        if arrival.verb is Verb.GET:
            await self._journal(arrival)

    async def _answer(self, arrival: Arrival, answers: Sequence[Row], extra: dict[str, str] | None = None) -> None:
        """Give the answers to the inbox that waits; if it or the broker is gone, the asker asks again."""
        for answer in answers:
            headers = {**answer.headers, **(extra or {})}
            try:
                await self._bus.publish_core(arrival.reply_to or "", answer.body, headers)
            except BusbarError as error:
                log.warning("an answer could not be given: %s", error, extra={"subject": arrival.subject})

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
        if durable.lane is not None and durable.mode is None:
            await self._drain_recorded(pull, durable.lane)
            return
        if durable.mode is None:
            read = _command if durable.stream == self._bus.space.stream("command") else _reply
        else:
            read = _event
        if durable.mode is Mode.KEYED:
            await self._drain_keyed(pull, read)
            return
        under_way: set[asyncio.Task[None]] = set()
        in_batches: list[Delivery] = []
        keeping = self._tasks.create_task(_keep_alive(pull, in_batches), name=f"keep {durable.name} alive")
        is_bulk = durable.max_ack_pending == BULK_IN_FLIGHT
        most, at_once = (BULK_IN_FLIGHT // 4, AT_ONCE) if is_bulk else (IN_FLIGHT, BATCH)
        try:
            while deliveries := await pull.take(most):
                in_batches += self._begin_all(deliveries, read, under_way)
                while len(under_way) >= at_once:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            if under_way:
                await asyncio.wait(under_way)
        finally:
            keeping.cancel()

    async def _drain_keyed(self, pull: Pull, read: Callable[[Delivery, str], Arrival]) -> None:
        while deliveries := await pull.take(1):
            await self._deliver(deliveries[0], read)

    async def _drain_recorded(self, pull: Pull, lane: Lane) -> None:
        """One batch after the other, so that they are kept in the order of the stream."""
        while deliveries := await pull.take(IN_FLIGHT):
            if self._recorder is not None:
                await self._recorder.take(deliveries, lane)

    def _begin_all(
        self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival], under_way: set[asyncio.Task[None]]
    ) -> list[Delivery]:
        """Begin the work on deliveries; those that are handled in batches."""
        batched, single = self._batches.split(deliveries, self._interface)
        jobs: list[Coroutine[Any, Any, None]] = [self._batches.take(group, read, self._role) for group in batched]
        for job in jobs:
            self._begin(job, under_way)
        for subject, group in _by_subject(single).items():
            before = self._last.get(subject)
            task = self._begin(self._deliver_in_turn(group, read, before), under_way)
            self._last[subject] = task
            task.add_done_callback(partial(self._forget, subject))
        return [delivery for group in batched for delivery in group]

    def _begin(self, job: Coroutine[Any, Any, None], under_way: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = self._tasks.create_task(job)
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return task

    def _forget(self, subject: str, task: asyncio.Task[None]) -> None:
        if self._last.get(subject) is task:
            del self._last[subject]

    async def _deliver_in_turn(
        self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival], before: asyncio.Task[None] | None
    ) -> None:
        """Messages of one subject are handled in their order, such as the parts of a reply."""
        if before is not None:
            await asyncio.wait({before})
        for delivery in deliveries:
            await self._deliver(delivery, read)

    async def _deliver(self, delivery: Delivery, read: Callable[[Delivery, str], Arrival]) -> None:
        try:
            arrival = read(delivery, self._role)
        except ValueError as error:
            log.error("a message on a subject that is none: %s", error)  # noqa: TRY400  the text says it all
            await delivery.term(str(error))
            return
        alive = _Alive(delivery)
        try:
            outcome = await self._desk.take(arrival)
        finally:
            alive.stop()
        await failpoint("before-ack")
        if outcome.retry_in_s is None:
            await delivery.ack()
        else:
            await delivery.nak(outcome.retry_in_s)


class _Alive:
    """Tells the broker every few seconds that a long piece of work goes on."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._said: asyncio.Task[bool] | None = None
        self._timer = asyncio.get_running_loop().call_later(LONG_WORK_S, self._say)

    def _say(self) -> None:
        self._said = asyncio.ensure_future(self._delivery.in_progress())
        self._timer = asyncio.get_running_loop().call_later(LONG_WORK_S, self._say)

    def stop(self) -> None:
        self._timer.cancel()


async def _keep_alive(pull: Pull, in_batches: list[Delivery]) -> None:
    """Tell the broker of what is handled in batches, or waits here, for long, that it is not forgotten.

    Without that a batch that takes long, such as the first after a fleet was put, would be handed out again, to be
    handled once more, while it is worked on.
    """
    seen: set[int] = set()
    while True:
        await asyncio.sleep(LONG_WORK_S)
        in_batches[:] = [each for each in in_batches if not each.settled]
        here = [*in_batches, *pull.waiting]
        for each in here:
            if each.stream_sequence in seen and not each.settled:
                await each.in_progress()
        seen = {each.stream_sequence for each in here}


def _by_subject(deliveries: list[Delivery]) -> dict[str, list[Delivery]]:
    """Messages of one subject stay in their order; subjects do not wait for each other."""
    groups: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        groups.setdefault(delivery.subject, []).append(delivery)
    return groups


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
