"""Lost events: a number that is missing for a while is asked of its producer, which still keeps the row.

Order needs a moment where several replicas share a durable, so a gap is asked for only after some seconds.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping

import msgspec

from contracts.errors import BusbarError
from shared.admin import Replay
from shared.bus.connection import Bus
from shared.bus.subjects import AdminSubject, AdminVerb
from shared.store import DATABASE_ERRORS, Database
from shared.telemetry import Metrics

log = logging.getLogger(__name__)

GRACE_S = 3.0
"""How long a number may be missing before somebody is asked."""

LOOK_S = 1.0
ASKED_MOST = 12
"""After so many times, each twice as late as the one before, the loss is an alarm for people."""


class Gaps:
    """Asks for what one service misses.

    Args:
        buses: by producer, the connection of the role that hears it and may ask it.
    """

    def __init__(self, database: Database, buses: Mapping[str, Bus], metrics: Metrics, role: str) -> None:
        self._database = database
        self._buses = buses
        self._asked = metrics.counter("busbar_sequence_gaps_total", "Events found missing and asked for", role=role)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._ask()
            except (*DATABASE_ERRORS, BusbarError) as error:
                log.warning("gaps are not asked for now: %s", error)

    async def _ask(self) -> None:
        rows = await self._database.pool.fetch(
            "UPDATE gap SET asked = asked + 1 WHERE (producer, subject, sequence) IN ("
            "  SELECT producer, subject, sequence FROM gap"
            "  WHERE asked < $2 AND noticed_at < now() - make_interval(secs => $1 * 2 ^ asked)"
            "  LIMIT 500 FOR UPDATE SKIP LOCKED"
            ") RETURNING producer, subject, sequence, asked",
            GRACE_S,
            ASKED_MOST,
        )
        missing: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in rows:
            missing[row["producer"], row["subject"]].append(row["sequence"])
            if row["asked"] == ASKED_MOST:
                log.error("an event is lost", extra={"subject": row["subject"], "sequence": row["sequence"]})
        for (producer, subject), sequences in missing.items():
            log.warning("events are missing; asking for them", extra={"subject": subject, "count": len(sequences)})
            self._asked.add(len(sequences))
            bus = self._buses.get(producer)
            if bus is None:
                continue
            where = AdminSubject(root=bus.space.root, context=bus.space.context, role=producer, verb=AdminVerb.REPLAY)
            wanted = Replay(subject=subject, sequences=tuple(sorted(sequences)))
            await bus.publish_core(str(where), msgspec.json.encode(wanted))
