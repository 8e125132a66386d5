"""What is no longer needed goes: sent rows past the replay horizon, and what was remembered of old messages."""

import asyncio
import logging
from datetime import timedelta

from shared.store import DATABASE_ERRORS, Database

log = logging.getLogger(__name__)

REPLAY_HORIZON = timedelta(days=7)
"""How long a sent row is kept, so that it can be sent again."""

MEMORY = timedelta(days=15)
"""How long a message is known; a day longer than any stream keeps one that may be handed out again."""

DEAD_LETTERS = timedelta(days=90)
"""How long a dead letter waits for somebody to look."""

EVERY_S = 600.0
BATCH = 5000
"""Rows that are removed by one statement, so that none takes long."""

_RULES = (
    ("outbox", "created_at < now() - $1::interval AND sent_at IS NOT NULL", REPLAY_HORIZON),
    ("inbox", "received_at < now() - $1::interval", MEMORY),
    ("nonce", "seen_at < now() - $1::interval", MEMORY),
    ("failure", "at < now() - $1::interval", MEMORY),
    ("sent", "replied_at < now() - $1::interval", MEMORY),
    ("sent", "sent_at < now() - $1::interval AND verb = 'get'", MEMORY),
    ("gap", "noticed_at < now() - $1::interval", MEMORY),
    ("dead_letter", "at < now() - $1::interval", DEAD_LETTERS),
)
"""Table, what is too old in it, and the age; what is still unsent, unanswered or open stays, but for lost questions."""


class Cleaner:
    """Cleans the tables of the kernel in one service's schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Clean now and then until cancelled."""
        while True:
            try:
                await self.clean()
            except DATABASE_ERRORS as error:
                log.warning("nothing is cleaned for now: %s", error)
            await asyncio.sleep(EVERY_S)

    async def clean(self) -> int:
        """Remove what is too old.

        Returns:
            how many rows that were.
        """
        removed = 0
        for table, is_old, age in _RULES:
            while True:
                tag = await self._database.pool.execute(
                    f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("  # noqa: S608  all parts are constants
                    f"SELECT ctid FROM {table} WHERE {is_old} LIMIT {BATCH}))",
                    age,
                )
                count = int(tag.rpartition(" ")[2])
                removed += count
                if count < BATCH:
                    break
        return removed
