"""Many events, one transaction, one acknowledgement for each: the way of the readings.

The inbox is not asked: the handler knows a double by the content's own key. A message of a batch that cannot be read
is put aside by itself. When a batch fails by a defect its messages are handled one by one, so that the one that is at
fault is found, and likewise what may have ended the process: what was handed out before is marked, handled together
once more, and alone if the mark is still there the next time.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import asyncpg

from contracts.errors import BusbarError, Rejected, Unavailable
from contracts.interface import Interface
from contracts.message import Message
from shared.arrival import Arrival
from shared.bus.messages import Delivery
from shared.envelope import Cause
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

IN_TURN_BYTES = 96 << 10
"""The same where batches are handled in turn: some ten milliseconds of the processor at a time."""

ATTEMPTS = 3
"""How often a batch that loses against another transaction (40001, 40P01) is tried."""

RETRY_S = 1.0
"""How long a batch whose time has not come waits; doubled with each delivery, at most 30 s."""


Key = tuple[str, str, str]


class _Piece:
    """One message of a batch, in all its forms."""

    def __init__(self, delivery: Delivery, arrival: Arrival, message: Message[Any]) -> None:
        self.delivery = delivery
        self.arrival = arrival
        self.message = message


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
        self._turns = {
            _key(each): asyncio.Semaphore(1 if each.in_turn else AT_ONCE)
            for each in service.handlers
            if _is_batch(each)
        }
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
            group = groups.get(_key_of(delivery))
            (rest if group is None else group).append(delivery)
        parts = [
            part
            for key, group in groups.items()
            for part in _parts(group, IN_TURN_BYTES if handlers[key].in_turn else BATCH_BYTES)
        ]
        return parts, rest

    async def take(self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival], role: str) -> None:
        """Handle one batch for ``role`` and settle each of its messages; raises nothing but cancellation."""
        self._desk.in_flight += 1
        try:
            async with self._turns[_key_of(deliveries[0])]:
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
        pieces = [piece for delivery in deliveries if (piece := await self._read(delivery, read, role)) is not None]
        fresh = [piece for piece in pieces if piece.arrival.deliveries == 1]
        if fresh and not await self._handle(fresh):
            for piece in fresh:
                await self._handle_alone(piece)
        if len(fresh) < len(pieces):
            await self._take_again([piece for piece in pieces if piece.arrival.deliveries > 1])

    async def _take_again(self, pieces: list[_Piece]) -> None:
        """What was handed out before is handled together once more, but for what may have ended the process."""
        marked = await self._suspects.mark_unmarked([piece.arrival for piece in pieces])
        together = [piece for piece in pieces if piece.arrival.stream_sequence in marked]
        alone = [piece for piece in pieces if piece.arrival.stream_sequence not in marked]
        if together:
            try:
                are_done = await self._handle(together)
            finally:
                await self._suspects.forgive(*(piece.arrival for piece in together))
            alone = alone if are_done else [*together, *alone]
        for piece in alone:
            await self._handle_alone(piece)

    async def _read(self, delivery: Delivery, read: Callable[[Delivery, str], Arrival], role: str) -> _Piece | None:
        try:
            arrival = read(delivery, role)
        except ValueError as error:
            log.error("a message on a subject that is none: %s", error)  # noqa: TRY400  the text says it all
            await delivery.term(str(error))
            return None
        try:
            return _Piece(delivery, arrival, self._desk.read(arrival, compact=self._handler(arrival).compact))
        except BusbarError as error:
            await self._desk.put_aside(arrival, error.code, error.reason)
            await delivery.ack()
            return None

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
        async with self._suspects.watched(piece.arrival) as may_be_handled:
            if not may_be_handled:
                reason = "its handling ended the process again and again"
                await self._desk.put_aside(piece.arrival, "5.3", reason)
                await piece.delivery.ack()
                return
            try:
                await self._handle_unless_lost([piece])
            except Exception as error:
                if is_away(error) or isinstance(error, Unavailable):
                    await self._suspects.forgive(piece.arrival)
                    raise
                await self._spoiled(piece, error)
            else:
                await self._suspects.forgive(piece.arrival)

    async def _spoiled(self, piece: _Piece, error: Exception) -> None:
        if isinstance(error, Rejected):
            code, reason, retry_in_s = error.code, error.reason, None
        else:
            log.error("a defect spoiled a message", exc_info=error, extra={"subject": piece.arrival.subject})
            retry_in_s = await self._suspects.blame(piece.arrival)
            code, reason = "5.3", f"its handling failed again and again; the last time: {type(error).__name__}"
        if retry_in_s is not None:
            await piece.delivery.nak(retry_in_s)
            return
        await self._desk.put_aside(piece.arrival, code, reason)
        await piece.delivery.ack()

    async def _handle_together(self, pieces: list[_Piece]) -> None:
        first = pieces[0].arrival
        handler = self._handler(first)
        hop = Hop(
            destination=first.stream or "",
            subject=first.subject,
            verb=first.verb,
            noun=first.noun,
            size=sum(len(piece.arrival.body) for piece in pieces),
            group=first.role,
        )
        transaction = Transaction(self._database)
        with self._telemetry.process(first.role, hop, first.headers):
            trace: dict[str, str] = {}
            self._telemetry.inject(trace)
            cause = Cause(identity=f"batch\n{first.role}\n{first.place}", thread=None, trace=trace)
            try:
                work = self._desk.work(cause, transaction, principal=first.source)
                await handler.function([piece.message for piece in pieces], work)
                await hear(await transaction.writing(), [piece.arrival for piece in pieces])
                await self._desk.write(work, transaction)
            finally:
                await transaction.release()
        self._messages.add(len(pieces))
        await Delivery.ack_all([piece.delivery for piece in pieces])

    def _handler(self, arrival: Arrival) -> Handler:
        handler = self._service.handler(Kind.BATCH, arrival.role, arrival.verb, arrival.noun, arrival.source)
        if handler is None:
            raise Rejected(f"'{arrival.role}' does not take '{arrival.verb} {arrival.noun}' in batches", code="2.9")
        return handler


def _is_batch(handler: Handler) -> bool:
    return handler.kind is Kind.BATCH


def _key(handler: Handler) -> Key:
    """Who tells what a handler of batches takes, with the noun and the verb, as in the subject of an event."""
    role = "" if handler.subscription is None else handler.subscription.role
    return role, handler.noun.__name__, str(handler.verb)


def _key_of(delivery: Delivery) -> Key:
    role, noun, verb = delivery.subject.split(".")[-4:-1]
    return role, noun, verb


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
