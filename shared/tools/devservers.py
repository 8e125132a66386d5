"""The servers of a development installation, both below one state directory."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from shared.tools.nats_server import MAX_FILE, BrokerUser, NatsServer
from shared.tools.postgres_server import PostgresServer
from shared.tools.server_process import ServerError, make_state

log = logging.getLogger(__name__)

RETRY_S, LONGEST_RETRY_S = 0.5, 10.0
"""How long a server that cannot be started is left alone; doubled each time, up to the second of the two."""


class DevServers:
    """A broker and a database on the loopback address, for which ``async with`` is start and stop.

    Data survive a restart. Both servers end with the process that started them, however that ends.

    Args:
        state: state directory, usually ``.busbar``.
        users: who may connect to the broker.
        nats_port: TCP port of the broker; 0 takes a free one.
        postgres_port: TCP port of the database; 0 takes a free one.
        sync_interval, max_file: when the broker calls fsync and how much it may store, see
            :func:`~shared.tools.nats_server.nats_config`.

    Attributes:
        nats: the broker.
        postgres: the database.
    """

    def __init__(
        self,
        state: Path,
        users: Iterable[BrokerUser],
        *,
        nats_port: int = 0,
        postgres_port: int = 0,
        sync_interval: str = "always",
        max_file: int = MAX_FILE,
        postgres_settings: Mapping[str, str] | None = None,
    ) -> None:
        self._state = state
        self.nats = NatsServer(state, users, port=nats_port, sync_interval=sync_interval, max_file=max_file)
        self.postgres = PostgresServer(state, port=postgres_port, settings=postgres_settings)

    async def start(self) -> None:
        """Start both at once and wait until both take connections.

        Raises:
            ServerError: one of them did not start; the other one is stopped again.
        """
        make_state(self._state)
        starts = [asyncio.create_task(server.start()) for server in (self.nats, self.postgres)]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            await asyncio.wait(starts)
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop both; does nothing to one that does not run."""
        await asyncio.gather(self.nats.stop(), self.postgres.stop())

    async def keep(self) -> None:
        """Start again, on the same ports and data, whichever ends; runs until it is cancelled.

        One that cannot be started, such as a database that is killed while it recovers, is started again after a while.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_keep(self.nats, "nats-server"))
            tasks.create_task(_keep(self.postgres, "PostgreSQL"))

    async def ended(self) -> str:
        """Wait until one of them ends by itself, and return a sentence that says which."""
        watches = {
            asyncio.create_task(self.nats.ended()): "nats-server",
            asyncio.create_task(self.postgres.ended()): "PostgreSQL",
        }
        try:
            done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for watch in watches:
                watch.cancel()
        return " and ".join(f"{watches[watch]} ended with exit code {watch.result()}" for watch in done) + "."

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def _keep(server: NatsServer | PostgresServer, name: str) -> None:
    while True:
        code = await server.ended()
        log.warning("%s ended with %s and is started again", name, code)
        retry_s = RETRY_S
        while True:
            await server.stop()
            try:
                await server.start()
                break
            except ServerError as error:
                log.error("%s", error)  # noqa: TRY400  the text says it all
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)
