"""How well a process is: what each role in it waits for, and whether its event loop still turns."""

import asyncio
import logging
from enum import StrEnum

from msgspec import Struct

from shared.telemetry import Metrics

LOG = logging.getLogger(__name__)


class Phase(StrEnum):
    """Where a role is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class RoleHealth(Struct, kw_only=True):
    """What one role needs in order to work; the kernel sets it, the readiness page tells it.

    Attributes:
        database: whether the database answers; None for a role that has none.
        bus: whether the broker is connected and lets the role speak and hear what its interface says.
    """

    phase: Phase = Phase.STARTING
    database: bool | None = None
    bus: bool = False

    @property
    def ready(self) -> bool:
        """True when work may come; no other role is asked, since what it lacks only delays work."""
        return self.phase is Phase.RUNNING and self.bus and self.database is not False


class Health:
    """The roles of one process and the watchdog of its loop."""

    def __init__(self, watchdog: "LoopWatchdog") -> None:
        self.watchdog = watchdog
        self.roles: dict[str, RoleHealth] = {}

    def role(self, role: str) -> RoleHealth:
        """The health of ``role``, made when first asked for."""
        return self.roles.setdefault(role, RoleHealth())

    @property
    def ready(self) -> bool:
        """True when the process has roles and all are ready."""
        return bool(self.roles) and all(health.ready for health in self.roles.values())


class LoopWatchdog:
    """Measures how late the event loop is, since what blocks it delays every message of every role.

    Args:
        metrics: gets ``busbar_loop_lag_seconds``.
        interval_s: between two measurements.
        limit_s: a lag above this is logged.
        patience_s: without a measurement for so long, the process is no longer alive.
    """

    def __init__(
        self, metrics: Metrics, *, interval_s: float = 0.25, limit_s: float = 0.1, patience_s: float = 30.0
    ) -> None:
        self._lag = metrics.histogram("busbar_loop_lag_seconds", "How late the event loop woke its watchdog")
        self._interval_s = interval_s
        self._limit_s = limit_s
        self._patience_s = patience_s
        self._last: float | None = None

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._interval_s
            await asyncio.sleep(self._interval_s)
            self._last = loop.time()
            lag = max(0.0, self._last - due)
            self._lag.observe(lag)
            if lag > self._limit_s:
                LOG.warning("the event loop was blocked for %.0f ms", lag * 1000, extra={"lag_s": round(lag, 3)})

    @property
    def alive(self) -> bool:
        """True while :meth:`run` keeps measuring."""
        return self._last is not None and asyncio.get_running_loop().time() - self._last < self._patience_s
