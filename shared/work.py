"""What a handler gets: one instant, one transaction, and the words in which it may speak. Never the bus."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from msgspec import Struct, structs

from contracts.errors import BusbarError
from contracts.interface import Ask, Interface
from contracts.message import Id, Reply, Request
from contracts.verbs import Verb
from shared.bus.subjects import partition
from shared.envelope import Cause, Row, Writer
from shared.store import Transaction, is_not_now

S = TypeVar("S")
T = TypeVar("T")

log = logging.getLogger(__name__)


class Wake(Struct, frozen=True, kw_only=True):
    """A timer that is due.

    Attributes:
        name: which handler it is for.
        key: what it is about; at most one wake of a name waits for a key.
        at: when it was due, in the time of the context.
        payload: what was given when it was set.
        id: follows from what set it, so that it is another one when it is set again.
        thread: the CorrelationID of what set it.
        trace: headers with the trace context of what set it.
    """

    name: str
    key: str
    at: datetime
    payload: str = ""
    id: str = ""
    thread: str | None = None
    trace: dict[str, str] = {}


class Later:
    """The type of :data:`LATER`."""


LATER: Final = Later()
"""Returned by a handler that will answer with :meth:`Work.answer`; the asker gets an acknowledgement (0.3)."""


class Whole(Struct, frozen=True, kw_only=True):
    """A result that says itself how the request ended, such as one whose items were refused in part.

    Attributes:
        reply: the result, with an error for each part that was refused.
        payload: what was done; None when that is nothing.
    """

    reply: Reply
    payload: Any = None


class AskedTooLateError(RuntimeError):
    """A handler asks another role after its transaction has begun, which is a defect of the handler."""


class Sent(Struct, frozen=True, kw_only=True):
    """A command whose reply is awaited."""

    message_id: str
    asker: str
    role: str
    verb: Verb
    noun: str
    about: str


class Answer(Struct, frozen=True, kw_only=True):
    """An answer to a request that was kept open."""

    ticket: str
    message_id: str
    payload: Any
    error: BusbarError | None
    more: bool


class Resources(Protocol):
    """What the running process lends to a unit of work."""

    async def ask(self, interface: Interface, role: str, noun: type[Any], request: Request | None, cause: Cause) -> Any:
        """Put a ``get`` to ``role`` and return the payload of its whole reply."""

    async def compute(self, function: Callable[..., T], *values: Any) -> T:
        """Run ``function`` in the process pool."""

    @property
    def blobs(self) -> Any:
        """The object store of the context."""


class Work(Generic[S]):
    """One unit of work: a message, a batch or a wake, from its first read to its commit.

    Attributes:
        store: the service's store, bound to this transaction.
        now: the time of the context, the same instant throughout; UTC.
        principal: the role that asks or tells, as the broker vouches; the own role for a wake.
        about: in the handler of a reply, what was given to :meth:`send`.
        cause: what it is done for; the identities of all that it says are derived from it.
        given: how many parts of its answer the inbox that waits has got already.
    """

    def __init__(
        self,
        *,
        store: S,
        transaction: Transaction,
        now: datetime,
        interfaces: tuple[Interface, ...],
        writer: Writer,
        resources: Resources,
        cause: Cause,
        principal: str,
        about: str = "",
        granted: bool = False,
    ) -> None:
        self.store = store
        self.now = now
        self.principal = principal
        self.about = about
        self._granted = granted
        self._transaction = transaction
        self._interfaces = interfaces
        self._writer = writer
        self._resources = resources
        self.cause = cause
        self.given = 0
        self._count = 0
        self.rows: list[Row] = []
        self.sent: list[Sent] = []
        self.wakes: dict[tuple[str, str], Wake | None] = {}
        self.answers: list[Answer] = []
        self.counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    @property
    def ticket(self) -> str:
        """Names the request that is being handled, for an answer later."""
        return self.cause.new_id(self._interfaces[0].role, "ticket")

    @property
    def blobs(self) -> Any:
        """The object store: ``await put(bytes)`` gives a reference, ``await get(reference)`` the checked bytes."""
        return self._resources.blobs

    def new_id(self) -> str:
        """A new identity, a UUID; the same one when the same message is handled again."""
        self._count += 1
        return self.cause.new_id(self._interfaces[0].role, str(self._count))

    @asynccontextmanager
    async def part(self, name: str, *, is_trial: bool = False) -> AsyncIterator["Work[S]"]:
        """A unit of work within this one: undone when it fails, else as if it had been done and said here.

        What it says has identities of its own, which follow from ``name``. What is only a trial is undone in any case.
        """
        part = Work(
            store=self.store,
            transaction=self._transaction,
            now=self.now,
            interfaces=self._interfaces,
            writer=self._writer,
            resources=self._resources,
            cause=structs.replace(self.cause, identity=f"{self.cause.identity}\n{name}"),
            principal=self.principal,
            about=self.about,
            granted=self._granted,
        )
        async with self._transaction.part(is_trial=is_trial):
            yield part
        if is_trial:
            return
        self.rows += part.rows
        self.sent += part.sent
        self.wakes |= part.wakes
        self.answers += part.answers
        self.counts += part.counts

    async def attempt(self, name: str, do: "Callable[[Work[S]], Awaitable[None]]", *, is_trial: bool = False) -> str:
        """Do a part of this work; where that fails it is undone, and the rest of the work can go on.

        A defect is logged under ``name``. What is only a trial is undone in any case.

        Returns: why it failed; empty where it did not.

        Raises:
            Exception: where nothing is wrong with it and all of the work is to be tried again.
        """
        try:
            async with self.part(name, is_trial=is_trial) as part:
                await do(part)
        except Exception as error:
            if is_not_now(error):
                raise
            log.exception("a defect spoiled a part", extra={"part": name})
            return f"{type(error).__name__}: {error}"
        return ""

    async def request(
        self,
        noun: type[T],
        *,
        role: str | None = None,
        ids: Sequence[str] = (),
        query: Struct | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> T:
        """Ask the role that serves ``get`` of ``noun``; the parts of its reply are put together.

        Raises:
            Unavailable: nobody answers in time.
            BusbarError: what the other role answered.
            AskedTooLateError: after the first write, since a transaction must not wait for a neighbour.
        """
        if self._transaction.begun:
            raise AskedTooLateError(f"a question about {noun.__name__} must come before the first write")
        interface, ask = self._asking(Verb.GET, noun, role)
        await self._transaction.release()
        request = None
        if ids or query is not None or start is not None or end is not None:
            request = Request(start_time=start, end_time=end, id=tuple(Id(value=value) for value in ids), query=query)
        answer: T = await self._resources.ask(interface, ask.role, noun, request, self.cause)
        return answer

    def send(
        self, verb: Verb, payload: Any, *, about: str = "", role: str | None = None, ids: Sequence[str] = ()
    ) -> None:
        """Give a command to the role that serves it; it waits for that role as long as it takes.

        The reply arrives at the handler declared with ``on_reply``, with ``about`` as ``work.about``. ``ids`` stand in
        the Request, for a noun that has no identity of its own.
        """
        interface, ask = self._asking(verb, type(payload), role)
        message_id = self.new_id()
        self.rows.append(
            self._writer.command(interface, ask.role, verb, payload, ids=ids, message_id=message_id, cause=self.cause)
        )
        self._await(interface, ask, message_id, about)

    def inquire(
        self,
        noun: type[Any],
        *,
        about: str,
        role: str | None = None,
        ids: Sequence[str] = (),
        query: Struct | None = None,
    ) -> None:
        """Ask the role that serves ``get`` of ``noun`` without waiting, since its answer may take minutes.

        The replies arrive at the handler declared with ``on_reply``, with ``about`` as ``work.about``; all but the last
        tell a part (0.1). A question is not kept for a role that is away: who asks sets a wake for the end of patience.
        """
        interface, ask = self._asking(Verb.GET, noun, role)
        message_id = self.new_id()
        request = Request(id=tuple(Id(value=value) for value in ids), query=query)
        self.rows.append(
            self._writer.inquiry(interface, ask.role, noun, request, message_id=message_id, cause=self.cause)
        )
        self._await(interface, ask, message_id, about)

    def publish(self, verb: Verb, payload: Any, *, key: str, role: str | None = None) -> None:
        """Tell an event; events of one ``key`` arrive in the order in which they were told.

        ``payload`` is a noun or its compact form, which is told as it is where whoever hears it reads that. A service
        that plays several roles of which more than one tells such events names the ``role``.
        """
        noun = self._writer.noun_of(payload)
        for interface in self._interfaces:
            tells = any(told.verb is verb and told.noun is noun for told in interface.publishes)
            if tells and role in {None, interface.role}:
                row = self._writer.event(interface, verb, payload, key=key, message_id=self.new_id(), cause=self.cause)
                self.rows.append(row)
                return
        raise KeyError(f"'{self._interfaces[0].role}' does not publish '{verb} {noun.__name__}'")

    def lines(self, verb: Verb, noun: type[Any], keys: Iterable[str]) -> list[list[str]]:
        """The ``keys`` of events that travel in one line, for what is told of many objects at once.

        An event that is told with any key of a line arrives in order with those that are told with the others.
        """
        lane = next(
            told.lane for each in self._interfaces for told in each.publishes if (told.verb, told.noun) == (verb, noun)
        )
        found: dict[int, list[str]] = {}
        for key in dict.fromkeys(keys):
            found.setdefault(partition(key, lane), []).append(key)
        return list(found.values())

    def wake(self, name: str, key: str, at: datetime, payload: str = "", *, new_thread: bool = False) -> None:
        """Be woken at ``at``; a wake of the same name and key that still waits is replaced.

        With ``new_thread`` what comes of it is a story of its own, with another CorrelationID than this one.
        """
        identity = self._identity_of_wake(name, key, at)
        self.wakes[name, key] = Wake(
            name=name,
            key=key,
            at=at,
            payload=payload,
            id=identity,
            thread=identity if new_thread else self.cause.thread,
            trace=self.cause.trace,
        )

    def _identity_of_wake(self, name: str, key: str, at: datetime) -> str:
        """A new one, as a wake that is set anew while it is fired is another.

        Where time is granted that can only be said of the present instant, so of several messages that set one wake it
        does not matter which comes last: all that follows from the wake is the same whenever the same story is played.
        """
        if self._granted and at > self.now:
            role = self._interfaces[0].role
            return Cause(identity=f"{name}\n{key}\n{at.isoformat()}", thread=None, trace={}).new_id(role, "wake")
        return self.new_id()

    def cancel_wake(self, name: str, key: str) -> None:
        """Do not be woken after all; nothing happens when no such wake waits."""
        self.wakes[name, key] = None

    def answer(self, ticket: str, payload: Any = None, *, more: bool = False, error: BusbarError | None = None) -> None:
        """Answer a request that was kept open with :data:`LATER`.

        With ``more`` the answer is a part (0.1) and another must follow; without it the request is closed. A payload
        that is :class:`Whole` says itself how it ended.
        """
        self.answers.append(Answer(ticket=ticket, message_id=self.new_id(), payload=payload, error=error, more=more))

    def count(self, what: str, **labels: str) -> None:
        """Count something that people want to see in the metrics, once this is committed.

        The labels are few words of few kinds, never an mRID.
        """
        self.counts[what, tuple(sorted(labels.items()))] += 1

    async def compute(self, function: Callable[..., T], *values: Any) -> T:
        """Run a pure function of a module in the process pool; its values must survive pickling."""
        return await self._resources.compute(function, *values)

    def _await(self, interface: Interface, ask: Ask, message_id: str, about: str) -> None:
        self.sent.append(
            Sent(
                message_id=message_id,
                asker=interface.role,
                role=ask.role,
                verb=ask.verb,
                noun=ask.noun.__name__,
                about=about,
            )
        )

    def _asking(self, verb: Verb, noun: type[Any], role: str | None) -> tuple[Interface, Ask]:
        found = [
            (interface, ask)
            for interface in self._interfaces
            for ask in interface.asks
            if ask.verb is verb and ask.noun is noun and role in {None, ask.role}
        ]
        if len(found) != 1:
            own = self._interfaces[0].role
            raise KeyError(f"'{own}' asks '{verb} {noun.__name__}' of {len(found)} roles; name one in its interface")
        return found[0]
