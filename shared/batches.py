"""Many events, one transaction, one acknowledgement for each: the way of the readings.

The inbox is not asked: the handler knows a double by the content's own key. A message of a batch that cannot be read
is put aside by itself; when the batch as a whole fails, its messages come again.
"""

import logging
from collections.abc import Callable
from typing import Any

import asyncpg

from contracts.errors import BusbarError, Unavailable
from contracts.interface import Interface
from contracts.message import Message
from shared.arrival import Arrival
from shared.bus.messages import Delivery
from shared.envelope import Cause
from shared.handling import Desk
from shared.service import Handler, Kind, Service
from shared.store import Database, Transaction
from shared.telemetry import Metrics

log = logging.getLogger(__name__)

RETRY_S = 1.0


class Batches:
    """The batch handlers of one running service."""

    def __init__(self, service: Service[Any], database: Database, desk: Desk, metrics: Metrics) -> None:
        self._service = service
        self._database = database
        self._desk = desk
        self._messages = metrics.counter(
            "busbar_batched_messages_total", "Messages handled in batches", role=service.role
        )

    def split(self, deliveries: list[Delivery], interface: Interface) -> tuple[list[list[Delivery]], list[Delivery]]:
        """The deliveries that a batch handler takes, grouped by handler, and the rest."""
        handlers = {
            (each.subscription.role, each.noun.__name__, str(each.verb)): each
            for each in self._service.handlers
            if each.kind is Kind.BATCH and each.interface is interface and each.subscription is not None
        }
        if not handlers:
            return [], deliveries
        groups: dict[tuple[str, str, str], list[Delivery]] = {key: [] for key in handlers}
        rest: list[Delivery] = []
        for delivery in deliveries:
            tokens = delivery.subject.split(".")
            group = groups.get((tokens[-4], tokens[-3], tokens[-2]))
            (rest if group is None else group).append(delivery)
        return [group for group in groups.values() if group], rest

    async def take(self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival]) -> None:
        """Handle one batch and settle each of its messages."""
        self._desk.in_flight += 1
        try:
            await self._take(deliveries, read)
        except (Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("not now: %s", error, extra={"messages": len(deliveries)})
            await self._again(deliveries)
        except Exception:
            log.exception("a defect spoiled a batch", extra={"messages": len(deliveries)})
            await self._again(deliveries)
        finally:
            self._desk.in_flight -= 1
            self._desk.handled += len(deliveries)

    async def _take(self, deliveries: list[Delivery], read: Callable[[Delivery, str], Arrival]) -> None:
        readable: list[tuple[Delivery, Message[Any]]] = []
        handler: Handler | None = None
        for delivery in deliveries:
            arrival = read(delivery, self._service.role)
            handler = handler or self._service.handler(
                Kind.BATCH, arrival.role, arrival.verb, arrival.noun, arrival.source
            )
            try:
                readable.append((delivery, self._desk.read(arrival)))
            except BusbarError as error:
                await self._desk.put_aside(arrival, error)
                await delivery.ack()
        if handler is None or not readable:
            return
        first = deliveries[0]
        cause = Cause(identity=f"batch\n{first.stream}\n{first.stream_sequence}", thread=None, trace={})
        transaction = Transaction(self._database)
        try:
            work = self._desk.work(cause, transaction, principal=self._service.role)
            await handler.function([message for _, message in readable], work)
            await self._desk.write(work, transaction)
        finally:
            await transaction.release()
        self._messages.add(len(readable))
        for delivery, _ in readable:
            await delivery.ack()

    @staticmethod
    async def _again(deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            if not delivery.settled:
                await delivery.nak(min(RETRY_S * 2 ** min(delivery.num_delivered - 1, 5), 30.0))
