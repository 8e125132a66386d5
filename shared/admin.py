"""What a running service tells of itself and lets an operator do, by messages in JSON on its admin subjects.

``status`` is asked by whoever grants the clock, ``replay`` by a consumer that misses events, the rest by the `busbar`
command. A product that takes a role need not offer any of this.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from contracts.errors import Unavailable
from shared import dead_letters
from shared.bus.connection import Bus
from shared.bus.listening import Listening
from shared.bus.messages import Received
from shared.bus.subjects import AdminVerb
from shared.clock import Clock
from shared.following import Follower
from shared.handling import Desk
from shared.outbox import Relay, replay
from shared.store import DATABASE_ERRORS, Database
from shared.timers import Timers, set_wakes
from shared.work import Wake

log = logging.getLogger(__name__)


class Status(Struct, frozen=True, kw_only=True):
    """Whether a service is at rest.

    Attributes:
        now: the time of the context, as the service knows it.
        in_flight: messages and wakes being handled, and events heard and not yet handled.
        unsent: rows that wait in the outbox.
        next_wake: when its earliest timer is due, but for those that do not drive time.
        done: everything handled and sent so far; it must not change while a system is at rest.
    """

    role: str
    now: datetime | None
    in_flight: int
    unsent: int
    next_wake: datetime | None
    done: int


class Replay(Struct, frozen=True, kw_only=True):
    """The numbers that a consumer misses on a subject."""

    subject: str
    sequences: tuple[int, ...]


class Requeue(Struct, frozen=True, kw_only=True):
    """The dead letter that shall be handled once more."""

    id: int


class Requeued(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a dead letter.

    Attributes:
        done: it had its effect, now or before; a wake is set again.
        reason: why it had none.
    """

    id: int
    done: bool
    reason: str | None = None


class Refused(Struct, frozen=True, kw_only=True):
    """Why a question is not answered."""

    error: str


class Unsent(Struct, frozen=True, kw_only=True):
    """The state of the outbox."""

    unsent: int
    oldest_at: datetime | None
    kept: int


class Admin:
    """The admin exchange of one running service, under its own role."""

    def __init__(
        self,
        *,
        role: str,
        database: Database,
        desk: Desk,
        relay: Relay,
        timers: Timers,
        follower: Follower,
        clock: Clock,
        idle_wakes: Collection[str] = (),
    ) -> None:
        self._role = role
        self._idle_wakes = [*idle_wakes]
        self._database = database
        self._desk = desk
        self._relay = relay
        self._timers = timers
        self._follower = follower
        self._clock = clock
        self._listening: list[Listening] = []

    async def open(self, bus: Bus, played: Sequence[Bus] = ()) -> None:
        """Answer from now on; status is asked of every process, the rest of one.

        Args:
            bus: the connection of the service's own role.
            played: those of further roles, whose events are asked for again under their own names.
        """
        answers: dict[AdminVerb, Callable[[bytes], Awaitable[Any]]] = {
            AdminVerb.STATUS: self._status,
            AdminVerb.DEAD_LETTERS: self._dead_letters,
            AdminVerb.REQUEUE: self._requeue,
            AdminVerb.REPLAY: self._replay,
            AdminVerb.OUTBOX: self._outbox,
        }
        for verb, answer in answers.items():
            subject = bus.space.admin_of(self._role, verb)
            callback = _answering(bus, answer)
            if verb is AdminVerb.STATUS:
                self._listening.append(await bus.subscribe(subject, callback))
            else:
                self._listening.append(await bus.serve(subject, self._role, callback))
        for other in played:
            subject = other.space.admin_of(other.role, AdminVerb.REPLAY)
            self._listening.append(await other.serve(subject, other.role, _answering(other, self._replay)))

    async def close(self) -> None:
        """Answer no longer."""
        for listening in self._listening:
            await listening.stop()

    async def status(self) -> Status:
        """The state of this process."""
        before = self._desk.in_flight + self._follower.waiting
        row = await self._database.pool.fetchrow(
            "SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND id <> ALL($2::bigint[])) AS unsent,"
            " (SELECT min(at) FROM wake WHERE name <> ALL($1::text[])) AS wake",
            self._idle_wakes,
            self._relay.unmarked,
        )
        try:
            now = self._clock.now()
        except Unavailable:
            now = None
        return Status(
            role=self._role,
            now=now,
            in_flight=max(before, self._desk.in_flight + self._follower.waiting),
            unsent=row["unsent"] if row else 0,
            next_wake=row["wake"] if row else None,
            done=self._desk.handled + self._relay.sent,
        )

    async def _status(self, _: bytes) -> Status:
        return await self.status()

    async def _dead_letters(self, _: bytes) -> list[dead_letters.DeadLetter]:
        async with self._database.pool.acquire() as connection:
            return await dead_letters.listed(connection)

    async def _requeue(self, body: bytes) -> Requeued | Refused:
        number = msgspec.json.decode(body, type=Requeue).id
        async with self._database.pool.acquire() as connection, connection.transaction():
            letter = await dead_letters.take_up(connection, number)
            if letter is None:
                return Refused(error=f"there is no dead letter {number}")
            if isinstance(letter, Wake):
                await set_wakes(connection, [letter])
        if isinstance(letter, Wake):
            self._timers.tell(letter.at)
            return Requeued(id=number, done=True)
        outcome = await self._desk.take(letter)
        return Requeued(id=number, done=outcome.failure is None, reason=outcome.failure)

    async def _replay(self, body: bytes) -> dict[str, int]:
        wanted = msgspec.json.decode(body, type=Replay)
        async with self._database.pool.acquire() as connection:
            count = await replay(connection, wanted.subject, wanted.sequences)
        log.warning("events are sent again", extra={"subject": wanted.subject, "count": count})
        self._relay.tell_left_over()
        return {"sent_again": count}

    async def _outbox(self, _: bytes) -> Unsent:
        row = await self._database.pool.fetchrow(
            "SELECT count(*) FILTER (WHERE sent_at IS NULL) AS unsent, "
            "min(created_at) FILTER (WHERE sent_at IS NULL) AS oldest, count(*) AS kept FROM outbox"
        )
        assert row is not None  # noqa: S101  an aggregate has one row
        return Unsent(unsent=row["unsent"], oldest_at=row["oldest"], kept=row["kept"])


def _answering(bus: Bus, answer: Callable[[bytes], Awaitable[Any]]) -> Callable[[Received], Awaitable[None]]:
    """Answer one admin question; a bad one gets a sentence."""

    async def callback(received: Received) -> None:
        try:
            told = await answer(received.body)
        except msgspec.MsgspecError as error:
            told = Refused(error=f"the question cannot be read: {error}")
        except DATABASE_ERRORS as error:
            told = Refused(error=f"the database does not answer: {error}")
        if received.reply:
            await bus.publish_core(received.reply, msgspec.json.encode(told))

    return callback
