"""Running services: one process, any of them, started in order and stopped in order.

New, Starting, Running, Stopping, Stopped or Failed: each role says so on the readiness page. Stopping goes not-ready
first, takes nothing new, finishes what was begun, empties the outbox and closes. A task that fails stops the process
and names itself.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from contracts.errors import Unavailable
from contracts.interface import Catalogue
from shared.admin import Admin
from shared.batches import Batches
from shared.bus.connection import Bus
from shared.bus.discovery import announce
from shared.bus.permissions import permissions
from shared.bus.subjects import Space
from shared.cleaning import Cleaner
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
from shared.intake import FINISH_S, Intake
from shared.outbox import Relay
from shared.recording import Recorder
from shared.resources import Pool, ServiceResources
from shared.service import Service
from shared.store import DATABASE_ERRORS, Database
from shared.telemetry import Metrics, Telemetry, bound
from shared.timers import Timers

log = logging.getLogger(__name__)

START_PATIENCE_S = 60.0
"""How long a starting service waits for a database or a broker that is away."""

FLUSH_S = 5.0
"""How long a stopping service tries to send what it has said."""

FIRST_GRANT_S = 1.0
"""How long a service waits for the present time of a granted clock before it takes messages all the same."""

WATCH_S = 2.0
"""How often a service looks after its own health."""

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

    def stopping(self) -> None:
        """Say of all roles that nothing new should come, before the first of them stops."""
        for health in self.health.roles.values():
            if health.phase is Phase.RUNNING:
                health.phase = Phase.STOPPING

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
            follower = Follower(
                desk,
                running.writer,
                resources,
                catalogue=running.catalogue,
                metrics=running.metrics,
                role=service.role,
            )
            batches = Batches(service, database, desk, running.telemetry, running.metrics)
            recorder = None if service.recorder is None else Recorder(service.recorder, database, desk, service.role)
            admin = Admin(
                role=service.role,
                database=database,
                desk=desk,
                relay=relay,
                timers=timers,
                follower=follower,
                clock=running.clock,
                idle_wakes=service.idle_wakes,
            )
            self._run(relay.run(), "relay")
            self._stack.push_async_callback(relay.flush, FLUSH_S)
            self._run(Cleaner(database).run(), "cleaner")
            self._run(self._watch(database, buses.values(), desk), "watch")
            heard = {
                heard.role: buses[interface.role] for interface in service.interfaces for heard in interface.subscribes
            }
            self._run(Gaps(database, heard, running.metrics, service.role).run(), "gaps")
            await admin.open(own, [bus for role, bus in buses.items() if role != service.role])
            self._stack.push_async_callback(admin.close)
            self._run(timers.run(), "timers", timers.close)
            self._grant(own)
            for interface in service.interfaces:
                intake = Intake(
                    service=service,
                    interface=interface,
                    bus=buses[interface.role],
                    desk=desk,
                    batches=batches,
                    recorder=recorder,
                    follower=follower,
                    catalogue=running.catalogue,
                    metrics=running.metrics,
                    requests_in_flight=settings.requests_in_flight,
                )
                await intake.open(self._tasks)
                self._stack.push_async_callback(intake.close)
                announced = await announce(buses[interface.role], interface)
                self._stack.push_async_callback(announced.stop)
            self._stack.callback(self._phase, Phase.STOPPING)
            self._phase(Phase.RUNNING)
            log.info("running")

    async def _open_database(self) -> Database:
        settings = self._running.settings
        database = await Database.open(
            settings.login(self._service.role),
            least=settings.pool_min,
            most=settings.pool_max,
            patience_s=START_PATIENCE_S,
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
            patience_s=START_PATIENCE_S,
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
        if not await clock.first_grant(FIRST_GRANT_S):
            log.warning("nobody has granted a time yet; what comes waits for it")

    def _grant(self, bus: Bus) -> None:
        clock = self._running.clock
        if not isinstance(clock, GrantedClock) or not self._service.grants_clock:
            return
        played = {interface.role for interface in self._service.interfaces[1:]}
        roles = asked_roles(self._running.catalogue, self._service.role, played)
        speed = self._running.settings.granted_speed
        granter = Granter(bus, clock, roles, absent=self._running.external, start=GRANTED_START, speed=speed)
        self._run(granter.run(), "granter")

    async def _watch(self, database: Database, buses: Iterable[Bus], desk: Desk) -> None:
        """Keep the health and the gauges of this service true."""
        metrics, role = self._running.metrics, self._service.role
        backlog = {"unsent": 0.0, "oldest": 0.0}
        metrics.gauge("busbar_in_flight", "Messages and wakes being handled", lambda: desk.in_flight, role=role)
        metrics.gauge("busbar_outbox_unsent", "Rows that wait to be sent", lambda: backlog["unsent"], role=role)
        metrics.gauge("busbar_outbox_oldest_seconds", "Age of the oldest", lambda: backlog["oldest"], role=role)
        while True:
            self._health.bus = all(bus.connected for bus in buses)
            try:
                async with asyncio.timeout(WATCH_S * 2):
                    row = await database.pool.fetchrow(
                        "SELECT count(*) AS unsent, extract(epoch FROM now() - min(created_at)) AS oldest "
                        "FROM outbox WHERE sent_at IS NULL"
                    )
                backlog = {name: float(value or 0) for name, value in dict(row or {}).items()}
                self._health.database = True
            except DATABASE_ERRORS as error:
                self._health.database = False
                log.warning("the database does not answer: %s", error)
            await asyncio.sleep(WATCH_S)

    def _run(self, loop: Coroutine[Any, Any, None], name: str, close: Callable[[], None] | None = None) -> None:
        """Run a loop until the service stops; with ``close`` it ends by itself, else it is cancelled."""
        task = self._tasks.create_task(self._named(loop, name), name=f"{self._service.role} {name}")

        async def end() -> None:
            if close is not None:
                close()
                await asyncio.wait({task}, timeout=FINISH_S)
            task.cancel()
            await asyncio.wait({task})

        self._stack.push_async_callback(end)

    async def _named(self, loop: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await loop
        except Exception:
            self._health.phase = Phase.FAILED
            log.critical("the task '%s' failed; the process ends", name, exc_info=True)
            raise

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
        external: roles that products have taken, or that join later; granted time does not wait for their word.

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
            for service in sorted(services, key=lambda each: not each.grants_clock):
                await process.start(service, await stack.enter_async_context(AsyncExitStack()), tasks)
            try:
                yield process
            finally:
                process.stopping()
        for task in watching:
            task.cancel()
