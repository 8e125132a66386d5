"""Many events, one transaction, one acknowledgement for each: the way of the readings.

Messages that are alike but for their rows reach the handler as one, with the rows of all, where it takes the compact
form. The inbox is not asked: the handler knows a double by the content's own key. A message of a batch that cannot be
read is put aside by itself. When a batch fails by a defect its messages are handled one by one, so that the one that is
at fault is found, and likewise what may have ended the process: what was handed out before is marked, handled together
once more, and alone if the mark is still there the next time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import asyncpg

from contracts.errors import Rejected, Unavailable
from contracts.interface import Interface
from contracts.message import Message
from shared.arrival import Arrival
from shared.bus.messages import Delivery
from shared.bus.subjects import EventSubject
from shared.codec import CONTENT_XML
from shared.envelope import CONTENT_TYPE, SEQUENCE, Cause
from shared.handling import Desk
from shared.inbox import hear
from shared.service import Handler, Kind, Service
from shared.store import Database, Transaction, is_away
from shared.suspects import Suspects
from shared.telemetry import Hop, Metrics, Telemetry

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Batches that are handled at a time: one is read while the other is written, and what waits grows together."""

BATCH_BYTES = 4 << 20
"""How much one batch holds at most."""

IN_TURN_BYTES = 64 << 10
"""The same where batches are handled in turn: a few milliseconds of the processor between two statements."""

GATHER_S = 0.05
"""How soon after the last batch began another does where they are handled in turn, unless as much waits as it may hold.

A batch costs some thirty statements however little is in it; so one that is alone is handled at once, and of many few
batches are made."""

ATTEMPTS = 3
"""How often a batch that loses against another transaction (40001, 40P01) is tried."""

RETRY_S = 1.0
"""How long a batch whose time has not come waits; doubled with each delivery, at most 30 s."""


Key = tuple[str, str, str]


class _Piece:
    """What is told at once: by one message, or by several that are alike but for their rows."""

    def __init__(
        self, message: Message[Any], deliveries: list[Delivery], arrival_of: Callable[[Delivery], Arrival]
    ) -> None:
        self.message = message
        self.deliveries = deliveries
        self.arrival_of = arrival_of

    @property
    def arrival(self) -> Arrival:
        """How the first came."""
        return self.arrival_of(self.deliveries[0])


class _Turn:
    """What waits for one handler, and how much of it is handled at a time.

    Attributes:
        free: is held while a batch is handled.
    """

    def __init__(self, handler: Handler) -> None:
        self.free = asyncio.Semaphore(1 if handler.in_turn else AT_ONCE)
        self.most_bytes = IN_TURN_BYTES if handler.in_turn else BATCH_BYTES
        self._gather_s = GATHER_S if handler.in_turn else 0.0
        self._waiting: list[Delivery] = []
        self._not_before = 0.0

    def wait(self, deliveries: Iterable[Delivery]) -> None:
        """They wait."""
        self._waiting += deliveries

    async def gather(self) -> None:
        """Until a batch may begin."""
        clock = asyncio.get_running_loop().time
        if clock() < self._not_before and sum(len(each.body) for each in self._waiting) < self.most_bytes:
            await asyncio.sleep(self._not_before - clock())
        self._not_before = clock() + self._gather_s

    def take(self) -> list[Delivery]:
        """The first that wait, as many as one batch may hold; none where others took them."""
        taken = next(iter(_parts(self._waiting, self.most_bytes)), [])
        del self._waiting[: len(taken)]
        return taken


class Batches:
    """The batch handlers of one running service."""

    def __init__(
        self, service: Service[Any], database: Database, desk: Desk, telemetry: Telemetry, metrics: Metrics
    ) -> None:
        self._service = service
        self._database = database
        self._desk = desk
        self._telemetry = telemetry
        self._suspects = Suspects(database)
        self._turns = {_key(each): _Turn(each) for each in service.handlers if _is_batch(each)}
        self._messages = metrics.counter(
            "busbar_batched_messages_total", "Messages handled in batches", role=service.role
        )

    def split(self, deliveries: list[Delivery], interface: Interface) -> tuple[list[list[Delivery]], list[Delivery]]:
        """The deliveries that a batch handler takes, grouped by handler, and the rest."""
        handlers = {
            _key(each): each for each in self._service.handlers if _is_batch(each) and each.interface is interface
        }
        if not handlers:
            return [], deliveries
        groups: dict[Key, list[Delivery]] = {key: [] for key in handlers}
        rest: list[Delivery] = []
        for delivery in deliveries:
            try:
                group = groups.get(_key_in(delivery.subject), rest)
            except ValueError:
                group = rest
            group.append(delivery)
        parts = [part for key, group in groups.items() for part in _parts(group, self._turns[key].most_bytes)]
        return parts, rest

    async def take(self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival], role: str) -> None:
        """Handle one batch for ``role`` and settle each of its messages; raises nothing but cancellation.

        With ``deliveries`` goes what waited before them. Where all of that is more than a batch holds, whoever has put
        the others comes for the rest.
        """
        self._desk.in_flight += 1
        turn = self._turns[_key_in(deliveries[0].subject)]
        turn.wait(deliveries)
        try:
            async with turn.free:
                await turn.gather()
                await self._desk.precedence.give_way()
                deliveries = turn.take()
                await self._take(deliveries, read, role)
        except Exception as error:
            if is_away(error) or isinstance(error, Unavailable):
                log.warning("not now: %s", error, extra={"messages": len(deliveries)})
            else:
                log.exception("a batch could not be handled", extra={"messages": len(deliveries)})
            for delivery in deliveries:
                if not delivery.settled:
                    await delivery.nak(min(RETRY_S * 2 ** min(delivery.num_delivered - 1, 5), 30.0))
        finally:
            self._desk.in_flight -= 1
            self._desk.handled += len(deliveries)

    async def _take(self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival], role: str) -> None:

        def arrival_of(delivery: Delivery) -> Arrival:
            return read(delivery, role)

        again = [delivery for delivery in deliveries if delivery.num_delivered > 1]
        fresh = [delivery for delivery in deliveries if delivery.num_delivered == 1] if again else deliveries
        for delivery in await self._take_together(fresh, arrival_of):
            await self._take_alone(delivery, arrival_of)
        if again:
            await self._take_again(again, arrival_of)

    async def _take_again(self, deliveries: list[Delivery], arrival_of: Callable[[Delivery], Arrival]) -> None:
        """What was handed out before is handled together once more, but for what may have ended the process."""
        marked = await self._suspects.mark_unmarked([arrival_of(delivery) for delivery in deliveries])
        together = [delivery for delivery in deliveries if delivery.stream_sequence in marked]
        alone = [delivery for delivery in deliveries if delivery.stream_sequence not in marked]
        if together:
            try:
                alone = await self._take_together(together, arrival_of) + alone
            finally:
                await self._suspects.forgive(*(arrival_of(delivery) for delivery in together))
        for delivery in alone:
            await self._take_alone(delivery, arrival_of)

    async def _take_together(
        self, deliveries: list[Delivery], arrival_of: Callable[[Delivery], Arrival]
    ) -> list[Delivery]:
        """Read and handle messages in one transaction; gives those that have to be handled alone."""
        pieces = await self._read(deliveries, arrival_of)
        if not pieces or await self._handle(pieces):
            return []
        return [delivery for piece in pieces for delivery in piece.deliveries]

    async def _take_alone(self, delivery: Delivery, arrival_of: Callable[[Delivery], Arrival]) -> None:
        for piece in await self._read([delivery], arrival_of):
            await self._handle_alone(piece)

    async def _read(self, deliveries: list[Delivery], arrival_of: Callable[[Delivery], Arrival]) -> list[_Piece]:
        """What can be read; the rest is put aside, each for its own reason."""
        encodings: dict[str, list[Delivery]] = {}
        for delivery in deliveries:
            encodings.setdefault(delivery.headers.get(CONTENT_TYPE, CONTENT_XML), []).append(delivery)
        pieces: list[_Piece] = []
        for content_type, group in encodings.items():
            pieces += await self._read_encoded(group, content_type, arrival_of)
        return sorted(pieces, key=lambda piece: piece.deliveries[0].stream_sequence)

    async def _read_encoded(
        self, deliveries: list[Delivery], content_type: str, arrival_of: Callable[[Delivery], Arrival]
    ) -> list[_Piece]:
        pieces: list[_Piece] = []
        found = self._desk.reader.read_many(
            [delivery.body for delivery in deliveries],
            content_type,
            lambda place: arrival_of(deliveries[place]),
            compact=self._handler(arrival_of(deliveries[0])).compact,
        )
        for told, places in found:
            tellers = [deliveries[place] for place in places]
            if isinstance(told, Message):
                pieces.append(_Piece(told, tellers, arrival_of))
                continue
            for delivery in tellers:
                await self._desk.put_aside(arrival_of(delivery), told.code, told.reason)
                await delivery.ack()
        return pieces

    async def _handle(self, pieces: list[_Piece]) -> bool:
        """Handle messages in one transaction; False when a defect, or a rule, is in the way of one of them."""
        try:
            await self._handle_unless_lost(pieces)
        except Exception as error:
            if is_away(error) or isinstance(error, Unavailable):
                raise
            log.warning("a batch failed and is handled one by one", exc_info=error, extra={"messages": len(pieces)})
            return False
        return True

    async def _handle_unless_lost(self, pieces: list[_Piece]) -> None:
        """Handle messages in one transaction, again at once when it lost against another."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._handle_together(pieces)
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                log.debug("a batch lost against another transaction")
        return await self._handle_together(pieces)

    async def _handle_alone(self, piece: _Piece) -> None:
        """Handle what one message tells."""
        arrival, delivery = piece.arrival, piece.deliveries[0]
        async with self._suspects.watched(arrival) as may_be_handled:
            if not may_be_handled:
                reason = "its handling ended the process again and again"
                await self._desk.put_aside(arrival, "5.3", reason)
                await delivery.ack()
                return
            try:
                await self._handle_unless_lost([piece])
            except Exception as error:
                if is_away(error) or isinstance(error, Unavailable):
                    await self._suspects.forgive(arrival)
                    raise
                await self._spoiled(delivery, arrival, error)
            else:
                await self._suspects.forgive(arrival)

    async def _spoiled(self, delivery: Delivery, arrival: Arrival, error: Exception) -> None:
        if isinstance(error, Rejected):
            code, reason, retry_in_s = error.code, error.reason, None
        else:
            log.error("a defect spoiled a message", exc_info=error, extra={"subject": arrival.subject})
            retry_in_s = await self._suspects.blame(arrival)
            code, reason = "5.3", f"its handling failed again and again; the last time: {type(error).__name__}"
        if retry_in_s is not None:
            await delivery.nak(retry_in_s)
            return
        await self._desk.put_aside(arrival, code, reason)
        await delivery.ack()

    async def _handle_together(self, pieces: list[_Piece]) -> None:
        first = pieces[0].arrival
        deliveries = [delivery for piece in pieces for delivery in piece.deliveries]
        numbered = [pieces[0].arrival_of(each) for each in deliveries if SEQUENCE in each.headers]
        handler = self._handler(first)
        hop = Hop(
            destination=first.stream or "",
            subject=first.subject,
            verb=first.verb,
            noun=first.noun,
            size=sum(len(delivery.body) for delivery in deliveries),
            group=first.role,
        )
        transaction = Transaction(self._database, give_way=self._desk.precedence.give_way)
        with self._telemetry.process(first.role, hop, first.headers):
            trace: dict[str, str] = {}
            self._telemetry.inject(trace)
            identity = f"batch\n{first.role}\n{identity_of(deliveries)}"
            cause = Cause(identity=identity, thread=_thread(pieces), trace=trace)
            try:
                work = self._desk.work(cause, transaction, principal=first.source)
                await handler.function([piece.message for piece in pieces], work)
                await hear(await transaction.writing(), numbered)
                await self._desk.write(work, transaction)
            finally:
                await transaction.release()
        self._messages.add(len(deliveries))
        await Delivery.ack_all(deliveries)

    def _handler(self, arrival: Arrival) -> Handler:
        handler = self._service.handler(Kind.BATCH, arrival.role, arrival.verb, arrival.noun, arrival.source)
        if handler is None:
            raise Rejected(f"'{arrival.role}' does not take '{arrival.verb} {arrival.noun}' in batches", code="2.9")
        return handler


def identity_of(deliveries: Sequence[Delivery]) -> str:
    """What the identities of all that a batch says follow from: where its messages lie in their stream, in a digest.

    The first message alone would not do. When it comes again, with others than before, what is told of these must not
    get the identities of what was said then.
    """
    places = b"%b %b" % (deliveries[0].stream.encode(), b",".join([each.place for each in deliveries]))
    return blake2b(places, digest_size=16).hexdigest()


def _thread(pieces: Iterable[_Piece]) -> str | None:
    """The thread on which everything in a batch was told; None where there are several, or nobody can know."""
    headers = [piece.message.header if len(piece.deliveries) == 1 else None for piece in pieces]
    threads = {None if each is None else each.correlation_id or each.message_id for each in headers}
    return threads.pop() if len(threads) == 1 else None


def _is_batch(handler: Handler) -> bool:
    return handler.kind is Kind.BATCH


def _key(handler: Handler) -> Key:
    """Who tells what a handler of batches takes, with the noun and the verb, as in the subject of an event."""
    role = "" if handler.subscription is None else handler.subscription.role
    return role, handler.noun.__name__, str(handler.verb)


@lru_cache(maxsize=1024)
def _key_in(subject: str) -> Key:
    told = EventSubject.parse(subject)
    return told.source, told.noun, told.verb


def _parts(deliveries: list[Delivery], most_bytes: int) -> list[list[Delivery]]:
    """Deliveries in their order, in parts that are not too large."""
    parts: list[list[Delivery]] = []
    size = most_bytes
    for delivery in deliveries:
        size += len(delivery.body)
        if size > most_bytes:
            parts.append([])
            size = len(delivery.body)
        parts[-1].append(delivery)
    return parts
