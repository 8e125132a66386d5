"""The DMS that a command works with: the one that runs here, one named by its addresses, or one of its own.

`busbar up` notes in ``up.json`` where its servers are and which contexts run on them; the file is its owner's alone.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from contracts.errors import Unavailable
from shared.config import Context, Settings
from shared.store import Login
from shared.tools.bootstrap import Schema, broker_users, make_credentials, prepare
from shared.tools.cli.composition import Composition
from shared.tools.devservers import DevServers
from shared.tools.nats_server import HOST
from shared.tools.postgres_server import SUPERUSER


class RunningContext(Struct, frozen=True, kw_only=True):
    """A context that somebody runs: who, whether its time is granted, and how fast at most."""

    pid: int
    granted_clock: bool
    granted_speed: float | None = None
    external: tuple[str, ...] = ()


class Note(Struct, kw_only=True):
    """What ``up.json`` says.

    Attributes:
        pid: the process that keeps the servers.
        contexts: what runs on them, the newest last.
    """

    pid: int
    root: str
    nats_url: str
    postgres_host: str
    postgres_port: int
    postgres_password: str
    credentials: str
    contexts: dict[str, RunningContext] = {}

    @property
    def administrator(self) -> Login:
        """The administrator of the database."""
        return Login(
            host=self.postgres_host,
            port=self.postgres_port,
            database="postgres",
            user=SUPERUSER,
            password=self.postgres_password,
        )

    def settings(self, settings: Settings, context: str | None) -> Settings:
        """``settings`` for a context that runs here, by default the newest.

        Raises:
            Unavailable: when no context runs.
        """
        alive = [name for name, running in self.contexts.items() if _is_alive(running.pid)]
        name = context or (alive[-1] if alive else None)
        if name is None:
            raise Unavailable("no context runs on these servers; name one with --context")
        running = self.contexts.get(name)
        return structs.replace(
            settings,
            root=self.root,
            context=Context(name),
            nats_url=self.nats_url,
            postgres_host=self.postgres_host,
            postgres_port=self.postgres_port,
            credentials_dir=Path(self.credentials),
            granted_clock=running is not None and running.granted_clock,
            granted_speed=None if running is None else running.granted_speed,
        )


def noted(state: Path) -> Note | None:
    """What runs here, or None."""
    file = state / "up.json"
    if not file.exists():
        return None
    note = msgspec.json.decode(file.read_bytes(), type=Note)
    return note if _is_alive(note.pid) else None


def rewrite(state: Path, change: Callable[[Note | None], Note | None]) -> None:
    """Change ``up.json`` under a lock; what ``change`` returns is written, None removes the file."""
    with (state / "up.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        file = state / "up.json"
        note = change(msgspec.json.decode(file.read_bytes(), type=Note) if file.exists() else None)
        if note is None:
            file.unlink(missing_ok=True)
        else:
            fresh = state / "up.json.new"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(msgspec.json.format(msgspec.json.encode(note), indent=2))
            fresh.replace(file)


@asynccontextmanager
async def servers(settings: Settings, composition: Composition) -> AsyncIterator[Note]:
    """The servers that run here, or such of one's own for the time of the block.

    Raises:
        ServerError: the servers cannot be started.
    """
    found = noted(settings.state_dir)
    if found is not None:
        yield found
        return
    schemas = composition.schemas()
    make_credentials(settings.credentials, composition.catalogue, schemas, settings.root)
    users = broker_users(settings.credentials, composition.catalogue, settings.root)
    async with DevServers(settings.state_dir, users) as started:
        note = Note(
            pid=os.getpid(),
            root=settings.root,
            nats_url=started.nats.url,
            postgres_host=str(started.postgres.socket_folder or HOST),
            postgres_port=started.postgres.port,
            postgres_password=started.postgres.password,
            credentials=str(settings.credentials.absolute()),
        )
        rewrite(settings.state_dir, lambda _: note)
        keeping = asyncio.create_task(started.keep(), name="embedded servers")
        try:
            yield note
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            rewrite(settings.state_dir, lambda _: None)


@asynccontextmanager
async def context_of(
    settings: Settings,
    composition: Composition,
    note: Note,
    *,
    afresh: bool,
    external: frozenset[str] = frozenset(),
) -> AsyncIterator[Settings]:
    """Prepare a context on servers and hold it for the time of the block.

    Raises:
        Unavailable: somebody else runs this context here.
    """
    held = note.settings(structs.replace(settings, granted_clock=False), settings.context)
    held = structs.replace(held, granted_clock=settings.granted_clock, granted_speed=settings.granted_speed)
    with (settings.state_dir / f"{settings.context}.lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"the context '{settings.context}' runs here already") from None
        schemas: list[Schema] = composition.schemas()
        await prepare(held, composition.catalogue, schemas, note.administrator, afresh=afresh)
        running = RunningContext(
            pid=os.getpid(),
            granted_clock=settings.granted_clock,
            granted_speed=settings.granted_speed,
            external=tuple(sorted(external)),
        )
        rewrite(settings.state_dir, lambda now: _with(now, settings.context, running))
        try:
            yield held
        finally:
            rewrite(settings.state_dir, lambda now: _with(now, settings.context, None))


def _with(note: Note | None, context: str, running: RunningContext | None) -> Note | None:
    if note is None:
        return None
    contexts = {name: each for name, each in note.contexts.items() if name != context}
    if running is not None:
        contexts[context] = running
    return structs.replace(note, contexts=contexts)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
