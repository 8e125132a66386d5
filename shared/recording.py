"""Recording: every message of a lane as it lies in its stream, for who keeps them all.

Nothing is read, so nothing can be refused: a batch is kept in one transaction and acknowledged after the commit, and
tried again as a whole where that fails. One batch of a lane is under way at a time, so they are kept in their order.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from contracts.interface import Lane
from shared.bus.messages import Delivery
from shared.envelope import Cause
from shared.store import Database, Transaction, is_away

if TYPE_CHECKING:
    from shared.handling import Desk

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""How long a batch that could not be kept waits; doubled with each delivery, at most 30 s."""


class Record(Struct, frozen=True, kw_only=True):
    """A message as the broker has it.

    Attributes:
        sequence: its place in the stream of the lane; a stream that is made anew begins again at 1.
        stored_at: when the broker stored it, in real time.
    """

    lane: Lane
    sequence: int
    subject: str
    headers: Mapping[str, str]
    body: bytes
    stored_at: datetime


class Recorder:
    """The handler of recorded messages of one running service."""

    def __init__(
        self, keep: Callable[[list[Record], Any], Awaitable[None]], database: Database, desk: "Desk", role: str
    ) -> None:
        self._keep = keep
        self._database = database
        self._desk = desk
        self._role = role

    async def take(self, deliveries: list[Delivery], lane: Lane) -> None:
        """Keep one batch and settle each of its messages; raises nothing but cancellation."""
        self._desk.in_flight += 1
        transaction = Transaction(self._database)
        try:
            records = [_record(delivery, lane) for delivery in deliveries]
            cause = Cause(identity=f"record\n{self._role}\n{lane}\n{records[0].sequence}", thread=None, trace={})
            work = self._desk.work(cause, transaction, principal=self._role)
            await self._keep(records, work)
            await self._desk.write(work, transaction)
            await Delivery.ack_all(deliveries)
        except Exception as error:
            if is_away(error):
                log.warning("not now: %s", error, extra={"messages": len(deliveries)})
            else:
                log.exception("a batch could not be recorded", extra={"messages": len(deliveries)})
            for delivery in deliveries:
                await delivery.nak(min(RETRY_S * 2 ** min(delivery.num_delivered - 1, 5), 30.0))
        finally:
            await transaction.release()
            self._desk.in_flight -= 1
            self._desk.handled += len(deliveries)


def _record(delivery: Delivery, lane: Lane) -> Record:
    return Record(
        lane=lane,
        sequence=delivery.stream_sequence,
        subject=delivery.subject,
        headers=dict(delivery.headers),
        body=delivery.body,
        stored_at=delivery.timestamp,
    )
