"""Time. Nothing else in the kernel or in a service asks the machine for it.

In production the time of the context is the machine's. In other contexts it may be *granted*: it stands still until
somebody moves it, and jumps. Timestamps of envelopes, nonces and time-outs of transports are always real time.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from contracts.errors import Unavailable


def real_now() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


class Clock(Protocol):
    """The time of a context."""

    def now(self) -> datetime:
        """The present instant, in UTC."""

    async def wait(self, until: datetime | None, changed: asyncio.Event) -> None:
        """Return when ``until`` has come, or ``changed`` is set, or it may be time to look again."""


class SystemClock:
    """The machine's time."""

    def __init__(self, look_again_s: float = 1.0) -> None:
        self._look_again_s = look_again_s

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return real_now()

    async def wait(self, until: datetime | None, changed: asyncio.Event) -> None:
        """Sleep until then, at most a second, since another process may have set an earlier timer."""
        left = self._look_again_s
        if until is not None:
            left = min(left, max(0.0, (until - self.now()).total_seconds()))
        try:
            await asyncio.wait_for(changed.wait(), left)
        except TimeoutError:
            return


class GrantedClock:
    """A time that moves only when it is granted."""

    def __init__(self) -> None:
        self._now: datetime | None = None
        self._granted = asyncio.Event()

    def now(self) -> datetime:
        """The last time that was granted.

        Raises:
            Unavailable: before the first.
        """
        if self._now is None:
            raise Unavailable("no time was granted yet")
        return self._now

    def grant(self, now: datetime) -> None:
        """Move to ``now``; time does not go back."""
        if self._now is None or now > self._now:
            self._now = now
            self._granted.set()
            self._granted = asyncio.Event()

    async def wait(self, until: datetime | None, changed: asyncio.Event) -> None:
        """Return at once when ``until`` has come, else with the next grant or change."""
        if until is not None and self._now is not None and until <= self._now:
            return
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._granted, changed)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def first_grant(self, patience_s: float) -> bool:
        """Wait for the first time; False when none was granted within ``patience_s``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while self._now is None:
                    await self._granted.wait()
        return self._now is not None
