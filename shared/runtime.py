"""Running services: one process, any of them, started in order and stopped in order.

New, Starting, Running, Stopping, Stopped or Failed: each role says so on the readiness page. Stopping goes not-ready
first, takes nothing new, finishes what was begun, empties the outbox and closes. A task that fails stops the process
and names itself.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from contracts.errors import Unavailable
from contracts.interface import Catalogue
from shared.admin import Admin
from shared.batches import Batches
from shared.bus.connection import Bus
from shared.bus.permissions import permissions
from shared.bus.subjects import Space
from shared.clock import Clock, GrantedClock, SystemClock
from shared.codec import Codec
from shared.config import Settings
from shared.envelope import Writer
from shared.following import Follower
from shared.gaps import Gaps
from shared.granting import Granter, asked_roles, listener
from shared.handling import Desk
from shared.health import Health, LoopWatchdog, Phase
from shared.http import application, serving
from shared.intake import Intake
from shared.outbox import Relay
from shared.resources import Pool, ServiceResources
from shared.service import Service
from shared.store import Database
from shared.telemetry import Metrics, Telemetry, bound
from shared.timers import Timers

log = logging.getLogger(__name__)

FLUSH_S = 5.0
"""How long a stopping service tries to send what it has said."""

GRANTED_START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
"""Where granted time begins: a Monday morning."""


class Running:
    """A process with its services.

    Attributes:
        metrics: the numbers of the process.
        health: the state of its roles.
        clock: the time of the context.
    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, telemetry: Telemetry, external: frozenset[str]
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.telemetry = telemetry
        self.external = external
        self.metrics = Metrics()
        self.health = Health(LoopWatchdog(self.metrics))
        self.clock: Clock = GrantedClock() if settings.granted_clock else SystemClock()
        self.writer = Writer(Space(settings.root, settings.context), Codec(catalogue), catalogue)
        self.pool = Pool()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, service: Service[Any], stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Start one service; ``stack`` gets what stops it."""
        health = self.health.role(service.role)
        try:
            await _Starting(self, service, stack, tasks).start()
        except BaseException:
            health.phase = Phase.FAILED
            raise

    def lose(self, role: str, reason: str) -> None:
        """A connection will not come back: the process ends, and whoever started it starts it again."""
        if not self.lost.done():
            self.lost.set_exception(Unavailable(f"'{role}' lost the broker for good: {reason}"))

    async def watch(self) -> None:
        """Ends with the reason when a connection is lost for good."""
        await self.lost


class _Starting:
    """The parts of one service, made in order, each with its end."""

    def __init__(
        self, running: Running, service: Service[Any], stack: AsyncExitStack, tasks: asyncio.TaskGroup
    ) -> None:
        self._running = running
        self._service = service
        self._stack = stack
        self._tasks = tasks
        self._loops: list[asyncio.Task[None]] = []
        self._health = running.health.role(service.role)

    async def start(self) -> None:
        running, service, settings = self._running, self._service, self._running.settings
        with bound(role=service.role):
            database = await self._open_database()
            buses = {interface.role: await self._connect(interface.role) for interface in service.interfaces}
            own = buses[service.role]
            await self._set_clock(own)
            resources = ServiceResources(
                buses, running.writer, running.pool, running.telemetry, settings.request_timeout_s
            )
            relay = Relay(database, buses, running.telemetry, running.metrics, service.role)
            desk = Desk(
                service=service,
                database=database,
                writer=running.writer,
                clock=running.clock,
                resources=resources,
                relay=relay,
                telemetry=running.telemetry,
                metrics=running.metrics,
                memory=None if service.memory is None else service.memory(),
            )
            timers = Timers(
                service=service,
                database=database,
                desk=desk,
                clock=running.clock,
                telemetry=running.telemetry,
            )
            desk.timers = timers
            follower = Follower(desk, running.writer, resources, running.catalogue, running.metrics, service.role)
            batches = Batches(service, database, desk, running.metrics)
            admin = Admin(
                role=service.role,
                database=database,
                desk=desk,
                relay=relay,
                timers=timers,
                follower=follower,
                clock=running.clock,
            )
            self._run(relay.run(), "relay")
            self._stack.push_async_callback(relay.flush, FLUSH_S)
            self._run(Gaps(database, own, running.metrics, service.role).run(), "gaps")
            await admin.open(own)
            self._stack.push_async_callback(admin.close)
            self._run(timers.run(), "timers")
            self._grant(own)
            for interface in service.interfaces:
                intake = Intake(
                    service=service,
                    interface=interface,
                    bus=buses[interface.role],
                    desk=desk,
                    batches=batches,
                    follower=follower,
                    catalogue=running.catalogue,
                    metrics=running.metrics,
                    requests_in_flight=settings.requests_in_flight,
                )
                await intake.open(self._tasks)
                self._stack.push_async_callback(intake.close)
            self._stack.callback(self._phase, Phase.STOPPING)
            self._phase(Phase.RUNNING)
            log.info("running")

    async def _open_database(self) -> Database:
        settings = self._running.settings
        database = await Database.open(
            settings.login(self._service.role), least=settings.pool_min, most=settings.pool_max
        )
        self._stack.callback(self._phase, Phase.STOPPED)
        self._stack.push_async_callback(database.close)
        self._health.database = True
        return database

    async def _connect(self, role: str) -> Bus:
        running, settings = self._running, self._running.settings
        bus = await Bus.connect(
            settings.nats_url.split(","),
            role=role,
            context=settings.context,
            root=settings.root,
            seed_file=settings.seed_file(role),
            on_lost=lambda reason: running.lose(role, reason),
        )
        self._stack.push_async_callback(bus.close)
        grants = self._service.grants_clock and role == self._service.role and settings.granted_clock
        await bus.self_test(permissions(running.catalogue, settings.root, settings.context, role, grants_clock=grants))
        self._health.bus = True
        return bus

    async def _set_clock(self, bus: Bus) -> None:
        """Where time is granted, know it before anything is handled; the granter begins by itself."""
        clock = self._running.clock
        if not isinstance(clock, GrantedClock) or self._service.grants_clock:
            return
        listening = await bus.subscribe(bus.space.clock, listener(clock))
        self._stack.push_async_callback(listening.stop)

    def _grant(self, bus: Bus) -> None:
        clock = self._running.clock
        if not isinstance(clock, GrantedClock) or not self._service.grants_clock:
            return
        played = {interface.role for interface in self._service.interfaces[1:]}
        roles = asked_roles(self._running.catalogue, played, self._running.external)
        self._run(Granter(bus, clock, roles, start=GRANTED_START).run(), "granter")

    def _run(self, loop: Any, name: str) -> None:
        task = self._tasks.create_task(loop, name=f"{self._service.role} {name}")
        self._loops.append(task)

        async def end() -> None:
            task.cancel()
            await asyncio.wait({task})

        self._stack.push_async_callback(end)

    def _phase(self, phase: Phase) -> None:
        if self._health.phase is not Phase.FAILED:
            self._health.phase = phase


@asynccontextmanager
async def running(
    *services: Service[Any],
    settings: Settings,
    catalogue: Catalogue,
    telemetry: Telemetry | None = None,
    external: Sequence[str] = (),
) -> AsyncIterator[Running]:
    """Run services until the block ends.

    Args:
        services: each alone, or all together; they meet on the bus either way.
        settings: of the process.
        catalogue: of all nouns and interfaces.
        telemetry: where spans go; by default what the settings say.
        external: roles that products have taken.

    Raises:
        BaseExceptionGroup: a task of a service failed; the process must end.
    """
    process = Running(settings, catalogue, telemetry or Telemetry.from_settings(settings), frozenset(external))
    async with asyncio.TaskGroup() as tasks:
        watching = [
            tasks.create_task(process.watch(), name="broker"),
            tasks.create_task(process.health.watchdog.run(), name="loop watchdog"),
        ]
        async with AsyncExitStack() as stack:
            stack.callback(process.telemetry.close)
            stack.callback(process.pool.close)
            if settings.http_port:
                pages = application(process.health, process.metrics)
                await stack.enter_async_context(serving(pages, settings.http_host, settings.http_port))
            for service in services:
                await process.start(service, await stack.enter_async_context(AsyncExitStack()), tasks)
            yield process
        for task in watching:
            task.cancel()
