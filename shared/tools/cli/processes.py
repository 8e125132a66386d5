"""Services as processes of their own: started, watched, started again when they die, stopped together."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from shared.config import Settings

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0
STOP_S = 10.0


class Supervisor:
    """Keeps one process for each role.

    Attributes:
        pids: the process of each role that runs now.
        restarts: how often each had to be started again.
    """

    def __init__(self, settings: Settings, roles: Iterable[str], command: tuple[str, ...]) -> None:
        self._settings = settings
        self._roles = tuple(roles)
        self._command = command
        self._tasks: list[asyncio.Task[None]] = []
        self.pids: dict[str, int] = {}
        self.restarts = dict.fromkeys(self._roles, 0)

    async def start(self) -> None:
        """Start all."""
        self._tasks = [asyncio.create_task(self._keep(role)) for role in self._roles]

    async def stop(self) -> None:
        """Ask all to stop and wait for them; whoever takes too long is killed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, role: str) -> None:
        delay_s = FIRST_DELAY_S
        while True:
            begun = asyncio.get_running_loop().time()
            process = await self._spawn(role)
            self.pids[role] = process.pid
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await _end(process)
                raise
            self.pids.pop(role, None)
            self.restarts[role] += 1
            log.warning("'%s' ended with %s and is started again", role, code)
            lived = asyncio.get_running_loop().time() - begun
            delay_s = FIRST_DELAY_S if lived > LONGEST_DELAY_S else min(delay_s * 2, LONGEST_DELAY_S)
            await asyncio.sleep(delay_s)

    async def _spawn(self, role: str) -> asyncio.subprocess.Process:
        logs = self._settings.state_dir / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"{self._settings.context}-{role}.log").open("ab") as handle:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *self._command,
                "run",
                role,
                "--context",
                self._settings.context,
                "--parent",
                str(os.getpid()),
                env={**os.environ, "BUSBAR_STATE": str(self._settings.state_dir.absolute()), "BUSBAR_HTTP_PORT": "0"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                start_new_session=True,
            )


@asynccontextmanager
async def supervised(settings: Settings, roles: Iterable[str], command: tuple[str, ...]) -> AsyncIterator[Supervisor]:
    """Processes for the time of the block; ``command`` is what follows the interpreter."""
    supervisor = Supervisor(settings, roles, command)
    await supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def parent_gone(parent: int) -> None:
    """Return when ``parent`` is no longer the parent of this process: nobody would stop it."""
    while os.getppid() == parent:  # noqa: ASYNC110  the system has no event for this
        await asyncio.sleep(0.5)


MODULE = ("-m", "services")
"""How the command is run as a module."""
