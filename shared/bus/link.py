"""The life of one connection: made with patience, made anew for ever with jitter, and given up with a reason."""

import asyncio
import logging
import secrets
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from nats.aio.client import Client, Server

from contracts.errors import Denied, Unavailable
from shared.bus.faults import Faults
from shared.bus.transport import AbortingTransport

_log = logging.getLogger(__name__)
_random = secrets.SystemRandom()

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0
PINGS_MISSING = 2
_CONNECT_TIMEOUT_S = 2
_CLOSE_TIMEOUT_S = 2

OnLost = Callable[[str], None]
"""Is told, once and in words, why a connection will not come back by itself."""


class Link:
    """The client of nats-py with the callbacks of the bus.

    Args:
        faults: the listener for errors.
        on_lost: is told why the connection will not come back; the process should end.
        on_down: is called when the connection breaks.
        on_up: is called when it is back.
    """

    def __init__(self, faults: Faults, on_lost: OnLost, on_down: Callable[[], None], on_up: Callable[[], None]) -> None:
        self.client = Client()
        self.transport = AbortingTransport()
        self._up = asyncio.Event()
        self._faults = faults
        self._on_lost = on_lost
        self._on_down = on_down
        self._on_up = on_up
        self._attempts = 0
        self._closing = False
        self._lost = False
        self._watchdog: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """True when the client believes that it is connected."""
        return bool(self.client.is_connected)

    async def open(
        self,
        servers: Sequence[str],
        *,
        name: str,
        inbox: str,
        seed_file: Path | None,
        tls: ssl.SSLContext | None,
        patience_s: float,
        ping_interval_s: float,
    ) -> None:
        """Makes the first connection.

        Raises:
            Denied: when the broker does not accept the credentials.
            Unavailable: when there is none within ``patience_s``.
        """
        self.client._transport = self.transport  # noqa: SLF001 - nats-py has no other way to be given one
        options: dict[str, Any] = {
            "servers": list(servers),
            "name": name,
            "inbox_prefix": inbox,
            "nkeys_seed": None if seed_file is None else str(seed_file),
            "tls": tls,
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "reconnect_time_wait": FIRST_DELAY_S,
            "max_reconnect_attempts": -1,
            "reconnect_to_server_handler": self._next_server,
            "ping_interval": ping_interval_s,
            "max_outstanding_pings": PINGS_MISSING,
            "pending_size": 0,
            "error_cb": self._faults.error,
            "disconnected_cb": self._disconnected,
            "reconnected_cb": self._reconnected,
            "closed_cb": self._closed,
        }
        try:
            async with asyncio.timeout(patience_s):
                await self.client.connect(**options)
        except TimeoutError:
            await self.close()
            reason = self._faults.last or "no answer"
            raise Unavailable(f"no broker at {', '.join(servers)} within {patience_s:g} s: {reason}") from None
        except Denied:
            await self.close()
            raise
        self._faults.connecting = False
        self._up.set()

    def watch(self, echo: Callable[[float], Awaitable[object]], interval_s: float, limit_s: float) -> None:
        """Starts the watchdog.

        Args:
            echo: hears itself over the broker within the given seconds, or raises Unavailable.
            interval_s: how often.
            limit_s: how long there may be no echo while the client believes that it is connected.
        """
        self._watchdog = asyncio.create_task(self._watch(echo, interval_s, limit_s), name="watchdog of the bus")

    async def wait_up(self) -> None:
        """Waits until the connection is there."""
        await self._up.wait()

    async def close(self) -> None:
        """Closes the connection and keeps silent about it."""
        self._closing = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self.client.close()
        except OSError:  # a TimeoutError too: what was still to be sent cannot be, and nats-py stops half-way
            self.transport.close()

    async def _watch(self, echo: Callable[[float], Awaitable[object]], interval_s: float, limit_s: float) -> None:
        loop = asyncio.get_running_loop()
        heard_at = loop.time()
        while not self._lost:
            await asyncio.sleep(interval_s)
            if not self.connected:
                heard_at = loop.time()
                if self._given_up():
                    self._lose(f"the client has stopped reconnecting: {self._faults.last or 'no reason given'}")
                continue
            try:
                await echo(interval_s)
                heard_at = loop.time()
            except Unavailable:
                if self.connected and loop.time() - heard_at >= limit_s:
                    self._lose(f"connected, and no echo for {loop.time() - heard_at:.0f} s")

    def _given_up(self) -> bool:
        """True when nobody reconnects: an error that nats-py does not foresee ends its task without a word."""
        task = self.client._reconnection_task  # noqa: SLF001 - it is told nowhere else
        if task is None or not task.done():
            return False
        if not task.cancelled() and (error := task.exception()) is not None:
            self._faults.last = repr(error)
        return not self.connected

    def _next_server(self, servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
        """The server that failed least, after a jittered delay that doubles with each attempt."""
        delay_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(self._attempts, 16))
        self._attempts += 1
        fewest = min(server.reconnects for server in servers)
        server = _random.choice([server for server in servers if server.reconnects == fewest])
        return server, _random.uniform(0.5 * delay_s, delay_s)

    async def _disconnected(self) -> None:
        self._up.clear()
        if not self._closing:
            _log.warning("the connection to the broker is lost", extra={"reason": self._faults.last})
        self._faults.contained(self._on_down)

    async def _reconnected(self) -> None:
        self._attempts = 0
        self._faults.counters.reconnects += 1
        self._up.set()
        _log.info("the connection to the broker is back")
        self._faults.contained(self._on_up)

    async def _closed(self) -> None:
        if not self._closing:
            self._lose(f"the broker has ended the connection: {self.client.last_error or 'no reason given'}")

    def _lose(self, reason: str) -> None:
        if self._lost or self._closing:
            return
        self._lost = True
        _log.critical("the bus is lost", extra={"reason": reason})
        self._faults.contained(self._on_lost, reason)
