"""The system under test: one that the driver makes for itself, or one that is there.

Its own has embedded servers and a process for each role, so that each can be killed, watched and counted by itself.
One that is there is known by an address and the seeds of two roles; its database and its processes are its own affair.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import Struct

from contracts.catalogue import CATALOGUE
from loadtest.scenario import ScenarioError
from shared.config import Context, Settings
from shared.store import Login
from shared.tools.bootstrap import Schema, broker_users, make_credentials, prepare
from shared.tools.devservers import DevServers
from shared.tools.nats_server import HOST
from shared.tools.testing import administrator, located

ROOT = Path(__file__).resolve().parents[1]

CAPACITY_BYTES = 28 << 30
"""What the streams of the run may hold; the broker refuses more, which is not what is measured.

A quarter of it is for readings: some fifteen rounds of waves of 280,000 readings a second."""

POSTGRES = {"shared_buffers": "4GB", "max_wal_size": "4GB", "min_wal_size": "4GB"}
"""What a database for load has beside the settings for development (docs/operations.md, PostgreSQL under load)."""

_READY_S = 60.0
_STOP_S = 30.0
"""Longer than a service waits for what it has begun."""


class Deployment(Struct, frozen=True, kw_only=True):
    """Where the system under test is.

    Attributes:
        settings: addresses, root, context, and where the seeds are.
        administrator: of its database; None where that is not ours.
        servers: ours, or None.
        parts: the processes of the roles, by role; none where they are not ours.
        roles, zone: what runs there, and where its market day begins at midnight.
    """

    settings: Settings
    administrator: Login | None = None
    servers: DevServers | None = None
    parts: dict[str, "Part"] = {}
    roles: tuple[str, ...] = ()
    zone: str = ""

    async def staff(self, processes: int) -> None:
        """Have so many new processes of each role; those that were there are stopped in order.

        Raises:
            ScenarioError: one does not start.
        """
        for part in self.parts.values():
            await part.stop()
        self.parts.clear()
        for role in self.roles:
            for number in range(processes):
                part = Part(role, self.settings, self.zone, number)
                self.parts[role if number == 0 else f"{role}-{number + 1}"] = part
                await part.start()

    def pids(self) -> dict[str, int]:
        """The processes that can be watched, by name."""
        found = {name: part.pid for name, part in self.parts.items()}
        if self.servers is not None:
            found |= {"nats": self.servers.nats.pid, "postgres": self.servers.postgres.pid}
        return found

    def kill(self, name: str) -> None:
        """Kill a role or a server, as a machine that loses its power would; it is started again.

        Raises:
            ScenarioError: it is not ours to kill.
        """
        pids = self.pids()
        if name not in pids:
            raise ScenarioError(f"'{name}' cannot be killed; there are {', '.join(sorted(pids)) or 'none'}")
        os.kill(pids[name], signal.SIGKILL)


class Part:
    """A role as a process of its own, started again when it dies.

    Attributes:
        deaths: how often it did.
        page: where it tells its numbers.
    """

    def __init__(self, role: str, settings: Settings, zone: str, number: int = 0) -> None:
        self._role = role
        self._zone = zone
        self._settings = settings
        self._log = settings.state_dir / "logs" / f"{role}-{number}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.deaths = 0
        self._port = _free_port()
        self.page = f"http://{HOST}:{self._port}/metrics"

    @property
    def pid(self) -> int:
        """Its process id, 0 while it has none."""
        return 0 if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start, and wait until it works.

        Raises:
            ScenarioError: it ended, or was not ready in time.
        """
        await asyncio.to_thread(self._log.unlink, missing_ok=True)
        await self._spawn()
        async with asyncio.timeout(_READY_S):
            while "Running in context" not in await asyncio.to_thread(self.said):
                if self._process is not None and self._process.returncode is not None:
                    raise ScenarioError(f"'{self._role}' does not start: {self.said()[-800:]}")
                await asyncio.sleep(0.05)
        self._watch = asyncio.create_task(self._restart(), name=f"watch {self._role}")

    def said(self) -> str:
        """What it printed."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    async def stop(self) -> None:
        """Stop it in order."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _restart(self) -> None:
        while self._process is not None:
            await self._process.wait()
            self.deaths += 1
            await self._spawn()

    async def _spawn(self) -> None:
        settings = self._settings
        environment = {
            **os.environ,
            "BUSBAR_ROOT": settings.root,
            "BUSBAR_CONTEXT": settings.context,
            "BUSBAR_NATS_URL": settings.nats_url,
            "BUSBAR_POSTGRES_HOST": settings.postgres_host,
            "BUSBAR_POSTGRES_PORT": str(settings.postgres_port),
            "BUSBAR_STATE": str(settings.state_dir),
            "BUSBAR_CREDENTIALS": str(settings.credentials.absolute()),
            "BUSBAR_LOG_LEVEL": "WARNING",
            "BUSBAR_HTTP_PORT": str(self._port),
            "BUSBAR_METER_TIME_ZONE": self._zone,
            "PYTHONUNBUFFERED": "1",
        }
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services",
                "run",
                self._role,
                "--parent",
                str(os.getpid()),
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )


@asynccontextmanager
async def own(
    roles: tuple[str, ...], processes: int, *, zone: str, sync_interval: str, folder: Path | None = None
) -> AsyncIterator[Deployment]:
    """A deployment of one's own for the time of the block, in the context testing; nothing of it stays.

    Args:
        roles: what runs.
        processes: how many processes take each role.
        zone: where the market day begins at midnight.
        sync_interval: when the broker calls fsync.
        folder: where the servers keep their data; by default a temporary folder.
    """
    state = await asyncio.to_thread(_folder, folder)
    settings = Settings(context=Context.TESTING, state_dir=state / "state")
    schemas = [_schema(role) for role in roles]
    make_credentials(settings.credentials, CATALOGUE, schemas, settings.root)
    users = broker_users(settings.credentials, CATALOGUE, settings.root)
    servers = DevServers(
        settings.state_dir,
        users,
        sync_interval=sync_interval,
        max_file=CAPACITY_BYTES,
        postgres_settings=POSTGRES,
    )
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(servers)
            keeping = asyncio.create_task(servers.keep(), name="embedded servers")
            stack.push_async_callback(_cancelled, keeping)
            settings = located(settings, servers)
            login = administrator(servers)
            await prepare(settings, CATALOGUE, schemas, login, capacity_bytes=CAPACITY_BYTES)
            deployment = Deployment(settings=settings, administrator=login, servers=servers, roles=roles, zone=zone)
            stack.push_async_callback(deployment.staff, 0)
            await deployment.staff(processes)
            yield deployment
    finally:
        await asyncio.to_thread(shutil.rmtree, (settings.state_dir / "postgres").resolve(), ignore_errors=True)
        await asyncio.to_thread(shutil.rmtree, state, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as made:
        made.bind((HOST, 0))
        port: int = made.getsockname()[1]
        return port


def _folder(place: Path | None) -> Path:
    """A new folder that an unprivileged PostgreSQL can reach."""
    made = Path(tempfile.mkdtemp(prefix="busbar-load-", dir=place))
    made.chmod(0o711)
    return made


def _schema(role: str) -> Schema:
    migrations = ROOT / "services" / role.replace("-", "_") / "migrations"
    if role not in CATALOGUE.interfaces or not migrations.is_dir():
        raise ScenarioError(f"'{role}' is no role that can be run here")
    return Schema(role, migrations)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
