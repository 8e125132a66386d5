"""A service as a value: its interface, its store and its handlers. Running it is another act (``shared.runtime``)."""

import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from msgspec import Struct

from contracts.errors import Malformed
from contracts.interface import Interface, Mode, NounType, Subscription
from contracts.message import Message
from contracts.verbs import Verb
from shared.recording import Record
from shared.store import Store
from shared.work import Wake, Work

S = TypeVar("S", bound=Store)
P = TypeVar("P")
F = TypeVar("F", bound=Callable[..., Any])


class Kind(StrEnum):
    """What brings a message to a handler."""

    SERVED = "served"
    HEARD = "heard"
    BATCH = "batch"
    REPLY = "reply"


class Handler(Struct, frozen=True, kw_only=True):
    """A function of a service with what it was declared for.

    Attributes:
        interface: the role, own or played, for which it acts.
        subscription: for what is heard: from whom and how it scales.
        pages: True for an asynchronous generator, each of whose values is one part of the reply.
        compact: it takes the compact form of the noun as it is.
        in_turn: its batches are small, and a process handles one after the other.
    """

    kind: Kind
    interface: Interface
    verb: Verb
    noun: NounType
    function: Callable[..., Any]
    subscription: Subscription | None = None
    pages: bool = False
    compact: bool = False
    in_turn: bool = False


class Service(Generic[S]):
    """The declaration of one service.

    Args:
        interface: what the service promises under its own name.
        store: its subclass of :class:`shared.store.Store`.
        plays: interfaces of further roles that it takes, each with a connection and a principal of its own.
        memory: makes what one running process keeps in memory; found again as ``work.store.memory``.
        grants_clock: the service moves the granted clock of contexts that have one.
    """

    def __init__(
        self,
        interface: Interface,
        *,
        store: type[S],
        plays: tuple[Interface, ...] = (),
        memory: Callable[[], Any] | None = None,
        grants_clock: bool = False,
    ) -> None:
        self.interface = interface
        self.interfaces = (interface, *plays)
        self.store = store
        self.memory = memory
        self.grants_clock = grants_clock
        self.handlers: list[Handler] = []
        self.recorder: Callable[[list[Record], Work[S]], Awaitable[None]] | None = None
        self.wakes: dict[str, Callable[[Wake, Work[S]], Awaitable[None]]] = {}
        self.idle_wakes: set[str] = set()

    @property
    def role(self) -> str:
        """The kebab-case name of the role."""
        return self.interface.role

    @property
    def schema(self) -> str:
        """The schema and the login in PostgreSQL."""
        return self.role.replace("-", "_")

    @property
    def migrations(self) -> Path:
        """The folder of numbered SQL files beside the module, or the package, of the store."""
        module = sys.modules[self.store.__module__]
        place = Path(module.__file__ or "").resolve()
        return (place.parents[1] if hasattr(module, "__path__") else place.parent) / "migrations"

    def on(
        self, verb: Verb, noun: type[P], *, source: str | None = None
    ) -> Callable[
        [Callable[[Message[P], Work[S]], Awaitable[Any] | AsyncIterator[Any]]],
        Callable[[Message[P], Work[S]], Awaitable[Any] | AsyncIterator[Any]],
    ]:
        """Declare the handler of a request (imperative verb) or of an event (past tense).

        ``source`` is needed only where two roles tell the same event.
        """

        def declare(function: F) -> F:
            if verb.is_event:
                interface, subscription = self._subscription(verb, noun, source)
                self._add(Kind.HEARD, interface, verb, noun, function, subscription=subscription)
            else:
                self._add(Kind.SERVED, self._serving(verb, noun), verb, noun, function)
            return function

        return declare

    def on_batch(
        self, verb: Verb, noun: type[P], *, source: str | None = None, compact: bool = False, in_turn: bool = False
    ) -> Callable[
        [Callable[[list[Message[P]], Work[S]], Awaitable[None]]], Callable[[list[Message[P]], Work[S]], Awaitable[None]]
    ]:
        """Declare the handler of many events at once: one transaction, one acknowledgement for each message.

        The handler de-duplicates by the content's own key; the inbox is not asked. With ``compact`` the payload of what
        came in the compact form of the noun is that form, else always the noun; and messages of one row that differ in
        that, and in time and identifiers of the header, come as one: with all their rows and the header of the first.
        With ``in_turn`` a process handles one batch after the other, in the order of the lane, and small ones, so that
        nothing else waits long for the processor; it is for messages whose handling costs much more than their bytes.
        """

        def declare(function: F) -> F:
            interface, subscription = self._subscription(verb, noun, source)
            if subscription.mode is not Mode.SHARED:
                raise ValueError(f"{self.role}: a batch of '{verb} {noun.__name__}' cannot be {subscription.mode}")
            self._add(
                Kind.BATCH,
                interface,
                verb,
                noun,
                function,
                subscription=subscription,
                compact=compact,
                in_turn=in_turn,
            )
            return function

        return declare

    def on_record(
        self, function: Callable[[list[Record], Work[S]], Awaitable[None]]
    ) -> Callable[[list[Record], Work[S]], Awaitable[None]]:
        """Declare who keeps the messages of the lanes that the interface records: many at once, in one transaction.

        What is recorded is not read; the handler knows a double by its place at the broker.
        """
        if self.recorder is not None or not self.interface.records:
            raise ValueError(f"{self.role} records nothing, or declares it twice")
        self.recorder = function
        return function

    def on_reply(
        self, verb: Verb, noun: type[P]
    ) -> Callable[[Callable[[Message[P], Work[S]], Awaitable[None]]], Callable[[Message[P], Work[S]], Awaitable[None]]]:
        """Declare the handler of the reply to a command that this service sends."""

        def declare(function: F) -> F:
            for interface in self.interfaces:
                if any(ask.verb is verb and ask.noun is noun for ask in interface.asks):
                    self._add(Kind.REPLY, interface, verb, noun, function)
                    return function
            raise ValueError(f"{self.role} does not ask '{verb} {noun.__name__}'")

        return declare

    def on_wake(
        self, name: str, *, drives_time: bool = True
    ) -> Callable[[Callable[[Wake, Work[S]], Awaitable[None]]], Callable[[Wake, Work[S]], Awaitable[None]]]:
        """Declare what happens when a wake of this name is due.

        Granted time does not move for the sake of one that does not drive it, such as of housekeeping that never
        ends; it happens when time passes by.
        """

        def declare(function: F) -> F:
            if not drives_time:
                self.idle_wakes.add(name)
            if name in self.wakes:
                raise ValueError(f"{self.role} declares the wake '{name}' twice")
            self.wakes[name] = function
            return function

        return declare

    def handler(self, kind: Kind, role: str, verb: Verb, noun: str, source: str | None = None) -> Handler | None:
        """The handler for a message that came to ``role``, or None."""
        for handler in self.handlers:
            if handler.kind is kind and handler.interface.role == role and handler.verb is verb:
                heard_of = None if handler.subscription is None else handler.subscription.role
                if handler.noun.__name__ == noun and (source is None or heard_of == source):
                    return handler
        return None

    def taker(self, kind: Kind, role: str, verb: Verb, noun: str, source: str | None = None) -> Handler:
        """The handler for a message that came to ``role``.

        Raises:
            Malformed: 2.5 or 2.9, the role takes nothing of this noun, or not with this verb.
        """
        handler = self.handler(kind, role, verb, noun, source)
        if handler is None:
            known = any(each.kind is kind and each.noun.__name__ == noun for each in self.handlers)
            what, code = ("Verb", "2.9") if known else ("Noun", "2.5")
            raise Malformed(f"Header/{what}: '{role}' does not take '{verb} {noun}'", code=code)
        return handler

    def problems(self) -> Iterator[str]:
        """What the interfaces promise and no handler keeps."""
        if self.interface.records and self.recorder is None:
            yield f"{self.role} records '{self.interface.records[0]}' without a handler"
        for interface in self.interfaces:
            for exchange in interface.serves:
                if self.handler(Kind.SERVED, interface.role, exchange.verb, exchange.noun.__name__) is None:
                    yield f"{interface.role} serves '{exchange.verb} {exchange.noun.__name__}' without a handler"
            for heard in interface.subscribes:
                found = (
                    self.handler(kind, interface.role, heard.verb, heard.noun.__name__, heard.role)
                    for kind in (Kind.HEARD, Kind.BATCH)
                )
                if not any(found):
                    yield f"{interface.role} hears '{heard.verb} {heard.noun.__name__}' without a handler"

    def _serving(self, verb: Verb, noun: NounType) -> Interface:
        for interface in self.interfaces:
            if any(exchange.verb is verb and exchange.noun is noun for exchange in interface.serves):
                return interface
        raise ValueError(f"{self.role} does not serve '{verb} {noun.__name__}'")

    def _subscription(self, verb: Verb, noun: NounType, source: str | None) -> tuple[Interface, Subscription]:
        found = [
            (interface, heard)
            for interface in self.interfaces
            for heard in interface.subscribes
            if heard.verb is verb and heard.noun is noun and source in {None, heard.role}
        ]
        if len(found) != 1:
            raise ValueError(f"{self.role} hears '{verb} {noun.__name__}' of {len(found)} roles; name the source")
        return found[0]

    def _add(
        self,
        kind: Kind,
        interface: Interface,
        verb: Verb,
        noun: NounType,
        function: Callable[..., Any],
        *,
        subscription: Subscription | None = None,
        compact: bool = False,
        in_turn: bool = False,
    ) -> None:
        source = None if subscription is None else subscription.role
        if self.handler(kind, interface.role, verb, noun.__name__, source) is not None:
            raise ValueError(f"{self.role} declares '{verb} {noun.__name__}' twice")
        self.handlers.append(
            Handler(
                kind=kind,
                interface=interface,
                verb=verb,
                noun=noun,
                function=function,
                subscription=subscription,
                pages=inspect.isasyncgenfunction(function),
                compact=compact,
                in_turn=in_turn,
            )
        )
