"""Granting time: the clock of a context moves to the next timer of any service, but only when everything is at rest.

At rest means, for all roles at once: nothing pending and nothing unacknowledged in any durable, no message in flight,
no unsent row, no due wake. One look at a moving system can miss what travels between two looks, so two looks in a row
must find the same rest and the same counts of what was done (the double counting of distributed termination). A role
that does not answer is not at rest: a slow or dead service pauses the time instead of distorting it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from contracts.errors import BusbarError
from contracts.interface import Catalogue
from shared.admin import Status
from shared.bus.connection import Bus
from shared.bus.messages import Received
from shared.bus.subjects import AdminSubject, AdminVerb
from shared.bus.topology import streams
from shared.clock import GrantedClock

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.02
ANSWER_S = 0.5
SAY_AGAIN_S = 0.5
DEBT_S = 1.0


class Pace:
    """How fast time may pass; what was lost to slow services is caught up with for :data:`DEBT_S` at most."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._at: datetime | None = None
        self._due_s = 0.0

    def early_s(self, at: datetime, real_s: float) -> float:
        """How long ``at`` is still to come, at ``real_s`` of the loop's clock; 0 when it may be granted."""
        if self._speed is None or self._at is None:
            return 0.0
        return max(0.0, self._due_s + (at - self._at).total_seconds() / self._speed - real_s)

    def granted(self, now: datetime, real_s: float) -> None:
        """Time was moved to ``now``."""
        if self._at is None or self._speed is None:
            self._at, self._due_s = now, real_s
        elif now > self._at:
            due_s = self._due_s + (now - self._at).total_seconds() / self._speed
            self._at, self._due_s = now, max(due_s, real_s - DEBT_S)


class Granter:
    """Moves the clock of one context.

    Args:
        bus: the connection of the role that may.
        roles: the services whose rest matters.
        absent: those of them that may never have been there: products that answer no such question, and services that
            join later. What waits for them in a stream stops the time; their silence does not, until they have
            answered once.
        start: where time begins, when nobody has been granted any.
        speed: at most so many times as fast as the real time; as fast as the system comes to rest where it is None.
    """

    def __init__(
        self,
        bus: Bus,
        clock: GrantedClock,
        roles: tuple[str, ...],
        *,
        absent: frozenset[str],
        start: datetime,
        speed: float | None = None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._roles = roles
        self._absent = set(absent)
        self._start = start
        self._pace = Pace(speed)
        self._busy: str | None = None
        """The role that was not at rest at the last look: it is asked before all others."""

    async def run(self) -> None:
        """Grant until cancelled; the present time is said again and again, for whoever joins."""
        await self._grant(await self._first())
        said_at = asyncio.get_running_loop().time()
        while True:
            at = await self._next()
            early_s = 0.0 if at is None else self._pace.early_s(at, asyncio.get_running_loop().time())
            if at is not None and not early_s:
                await self._grant(at)
                said_at = asyncio.get_running_loop().time()
                continue
            if asyncio.get_running_loop().time() - said_at > SAY_AGAIN_S:
                await self._grant(self._clock.now())
                said_at = asyncio.get_running_loop().time()
            await asyncio.sleep(max(LOOK_AGAIN_S, min(early_s, SAY_AGAIN_S)))

    async def _first(self) -> datetime:
        """Where time stands: this process may have been started again, and the others know."""
        answers = await asyncio.gather(*(self._status(role) for role in self._roles))
        known = [status.now for status in answers if status is not None and status.now is not None]
        return max(known, default=self._start)

    async def _grant(self, now: datetime) -> None:
        self._clock.grant(now)
        self._pace.granted(now, asyncio.get_running_loop().time())
        try:
            await self._bus.publish_core(self._bus.space.clock, msgspec.json.encode({"now": now}))
        except BusbarError as error:
            log.warning("the time cannot be told: %s", error)

    async def _next(self) -> datetime | None:
        """The earliest timer of a system at rest; None while it moves, or when nothing is to come."""
        try:
            first = await self._look()
            if first is None:
                return None
            second = await self._look()
        except BusbarError as error:
            log.debug("no look at the system: %s", error)
            return None
        if second is None or [status.done for status in first] != [status.done for status in second]:
            return None
        wakes = [status.next_wake for status in second if status.next_wake is not None]
        return min(wakes, default=None)

    async def _look(self) -> list[Status] | None:
        """The states of all roles, or None when one of them, or a stream, is not at rest."""
        now = self._clock.now()
        if self._busy is not None and not _rests(await self._status(self._busy), now):
            return None
        self._busy = None
        answers = await asyncio.gather(*(self._status(role) for role in self._roles))
        statuses = [status for status in answers if status is not None]
        self._absent -= {status.role for status in statuses}
        self._busy = next((status.role for status in statuses if not _rests(status, now)), None)
        if self._busy is not None or len(statuses) < len(self._roles) - len(self._absent):
            return None
        space = self._bus.space
        backlogs = await asyncio.gather(
            *(self._bus.backlog(stream.name) for stream in streams(space.root, space.context) if not stream.objects)
        )
        return None if any(backlogs) else statuses

    async def _status(self, role: str) -> Status | None:
        subject = AdminSubject(
            root=self._bus.space.root, context=self._bus.space.context, role=role, verb=AdminVerb.STATUS
        )
        try:
            answer = await self._bus.request(str(subject), b"", timeout_s=ANSWER_S)
            return msgspec.json.decode(answer.body, type=Status)
        except (BusbarError, msgspec.MsgspecError):
            return None


def _rests(status: Status | None, now: datetime) -> bool:
    """True when a role has nothing to do at this time, and knows the time."""
    if status is None:
        return False
    due = status.next_wake is not None and status.next_wake <= now
    return not (status.in_flight or status.unsent or due or status.now != now)


def listener(clock: GrantedClock) -> Callable[[Received], Awaitable[None]]:
    """What a service does with a time that is granted."""

    async def take(received: Received) -> None:
        clock.grant(msgspec.json.decode(received.body, type=dict[str, datetime])["now"])

    return take


def asked_roles(catalogue: Catalogue, own: str, played: set[str]) -> tuple[str, ...]:
    """The roles whose rest matters: the own, and all that serve or hear something, without those played by it."""
    return tuple(
        role
        for role, interface in catalogue.interfaces.items()
        if (interface.serves or interface.subscribes or role == own) and role not in played
    )
