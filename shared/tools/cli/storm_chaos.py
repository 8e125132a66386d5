"""Faults in the machinery while a storm goes on: processes killed or frozen, servers killed, by a seed.

One blow at a time: what was struck has recovered before the next. Its time is real; the storm's own stands still while
a service is away, so that the outages must be the same as in a storm in which nothing was struck.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from random import Random
from statistics import median

from msgspec import Struct

from contracts.errors import BusbarError, Unavailable
from shared.bus.subjects import AdminVerb
from shared.config import Settings
from shared.tools.cli.asking import told
from shared.tools.cli.processes import Supervisor
from shared.tools.testing import Peer

RECOVERY_S = 60.0
"""Who does not answer for so long after a blow will not."""

LOOK_S = 0.1
ANSWER_S = 0.5


class ChaosKind(StrEnum):
    """What is done, to whom."""

    KILL = "kill"
    """SIGKILL for the process of a role, one role after the other in an order that the seed draws."""
    FREEZE = "freeze"
    """SIGSTOP for the process of a role, and SIGCONT some seconds later."""
    NATS = "nats"
    """SIGKILL for the broker."""
    POSTGRES = "postgres"
    """SIGKILL for the database, which then recovers from its log."""


PAUSE_S = (1.0, 4.0)
"""The least and the longest time between a recovery and the next blow, in s."""

FIRST_S = (0.1, 0.5)
"""The same from when the storm was ordered to the first blow: one that is short is struck as well."""

FROZEN_S = (1.0, 4.0)


class Blow(Struct, frozen=True, kw_only=True):
    """One fault of the machinery.

    Attributes:
        kind: what was done.
        target: the role or the server.
        at_s: when, in s of real time from when the storm was ordered.
        away_s: how long it took until all who were struck answered again.
    """

    kind: ChaosKind
    target: str
    at_s: float
    away_s: float


class Chaos:
    """The blows of one storm.

    Attributes:
        blows: those from which was recovered.
    """

    def __init__(
        self,
        kind: ChaosKind,
        seed: int,
        *,
        settings: Settings,
        supervisor: Supervisor,
        roles: Sequence[str],
        voice: Peer,
    ) -> None:
        self._kind = kind
        self._draw = Random(f"{kind} {seed}")  # noqa: S311  it decides who is struck, and keeps no secret
        self._settings = settings
        self._supervisor = supervisor
        self._roles = roles
        self._voice = voice
        self._began = asyncio.get_running_loop().time()
        self._is_over = asyncio.Event()
        self.blows: list[Blow] = []

    async def rage(self) -> None:
        """Strike until :meth:`calm_down`; each role has had its turn before one has another."""
        pause_s = FIRST_S
        while True:
            for target in self._targets():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._is_over.wait(), self._draw.uniform(*pause_s))
                    return
                await self._strike(target)
                pause_s = PAUSE_S

    def calm_down(self) -> None:
        """Strike no more; who was struck recovers yet, and that blow counts."""
        self._is_over.set()

    async def recovered(self, roles: Sequence[str]) -> None:
        """Wait until each of ``roles`` answers.

        Raises:
            Unavailable: one does not.
        """
        for role in roles:
            try:
                async with asyncio.timeout(RECOVERY_S):
                    await self._answers(role)
            except TimeoutError:
                raise Unavailable(f"'{role}' has not recovered in {RECOVERY_S:.0f} s") from None

    async def _answers(self, role: str) -> None:
        while True:
            with suppress(BusbarError):
                await told(self._voice, role, AdminVerb.OUTBOX, timeout_s=ANSWER_S)
                return
            await asyncio.sleep(LOOK_S)

    def _targets(self) -> Sequence[str]:
        if self._kind in {ChaosKind.NATS, ChaosKind.POSTGRES}:
            return (str(self._kind),)
        return self._draw.sample(self._roles, len(self._roles))

    async def _strike(self, target: str) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time()
        match self._kind:
            case ChaosKind.FREEZE:
                await self._freeze(target)
                struck: Sequence[str] = (target,)
            case ChaosKind.KILL:
                old = await self._pid_of(target)
                os.kill(old, signal.SIGKILL)
                while self._supervisor.pids.get(target, old) == old:  # noqa: ASYNC110  a process tells nobody of its start
                    await asyncio.sleep(LOOK_S)
                struck = (target,)
            case _:
                old = await self._pid_of_server(target)
                os.kill(old, signal.SIGKILL)
                while await self._pid_of_server(target) == old:  # noqa: ASYNC110  a server tells nobody of its start
                    await asyncio.sleep(LOOK_S)
                struck = self._roles
        await self.recovered(struck)
        self.blows.append(
            Blow(kind=self._kind, target=target, at_s=round(at - self._began, 3), away_s=round(loop.time() - at, 3))
        )

    async def _freeze(self, role: str) -> None:
        pid = await self._pid_of(role)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(self._draw.uniform(*FROZEN_S))
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def _pid_of(self, role: str) -> int:
        while role not in self._supervisor.pids:  # noqa: ASYNC110  a process tells nobody of its start
            await asyncio.sleep(LOOK_S)
        return self._supervisor.pids[role]

    async def _pid_of_server(self, server: str) -> int:
        """The process of a server that is ours; one that is being started may have none for a moment.

        Raises:
            Unavailable: the settings name servers that are somebody else's.
        """
        file = self._settings.state_dir / server / "server.lock"
        if not file.exists():
            raise Unavailable(f"the server '{server}' is not ours to kill")
        while not (text := file.read_text(encoding="ascii")):  # noqa: ASYNC110  a file tells nobody of what is written
            await asyncio.sleep(LOOK_S)
        return int(text)


@asynccontextmanager
async def raging(chaos: Chaos | None, roles: Sequence[str]) -> AsyncIterator[None]:
    """Strike for the time of the block, and let all recover after it; None strikes nobody.

    Raises:
        Unavailable: who was struck does not recover; the block is cancelled then.
    """
    if chaos is None:
        yield
        return
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(chaos.rage())
            yield
            chaos.calm_down()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    await chaos.recovered(roles)


def blow_lines(blows: Sequence[Blow]) -> list[str]:
    """What was struck and how long it was away, in words; nothing where nothing was struck."""
    if not blows:
        return []
    away = [blow.away_s for blow in blows]
    struck = ", ".join(sorted({blow.target for blow in blows}))
    times = f"back after {median(away):.1f} s in the median, {max(away):.1f} s at the most"
    return [f"{len(blows)} blows ({blows[0].kind}) to {struck}: {times}."]
