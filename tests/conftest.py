"""Real servers for every test: one broker and one database cluster a session, one database a test."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import nkeys  # type: ignore[import-untyped]  # it has neither annotations nor stubs
import pytest
import pytest_asyncio
from hypothesis import settings

from contracts.catalogue import CATALOGUE
from shared.config import Context, Settings
from shared.tools.bootstrap import Schema
from shared.tools.nats_server import BrokerUser, NatsServer
from shared.tools.postgres_server import PostgresServer
from shared.tools.testing import Installation

# The gate draws the same examples each time, so that what it says follows from the code; `make explore` draws others.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

_MEMORY = Path("/dev/shm")  # the memory file system of Linux; in a container it may be tiny
_ROOM_BYTES = 4 * 1024**3
_SERVICES = Path(__file__).resolve().parents[1] / "services"


@contextmanager
def _state(place: Path) -> Iterator[Path]:
    """A state directory at a short path that an unprivileged PostgreSQL can reach; pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="busbar-", dir=place))
    folder.chmod(0o711)
    yield folder / "state"
    shutil.rmtree((folder / "state" / "postgres").resolve(), ignore_errors=True)  # it may be a link
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server_state() -> Iterator[Path]:
    """The state directory of the session's servers, in memory if there is room: a database is cloned in 10 ms there."""
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    with _state(_MEMORY if in_memory else Path(tempfile.gettempdir())) as state:
        yield state


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory of the test's own on the disk, not made yet."""
    with _state(Path(tempfile.gettempdir())) as own:
        yield own


@pytest.fixture(scope="session")
def nats_seed() -> str:
    """The seed of a user of the broker who may do everything."""
    seed: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode()


@pytest.fixture(scope="session")
def nats_user(nats_seed: str) -> BrokerUser:
    """The same user as the broker knows it."""
    return BrokerUser(nkeys.from_seed(bytearray(nats_seed.encode())).public_key.decode(), {})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats_server(server_state: Path, nats_user: BrokerUser) -> AsyncIterator[NatsServer]:
    """A broker with JetStream; connect with ``nats_seed``."""
    async with NatsServer(server_state, [nats_user]) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(server_state: Path) -> AsyncIterator[PostgresServer]:
    """A PostgreSQL cluster."""
    async with PostgresServer(server_state) as server:
        yield server


@pytest.fixture(scope="session")
def database_template() -> str:
    """The database that ``database`` clones; override it with one that has the wanted tables."""
    return "template0"


@pytest_asyncio.fixture
async def database(postgres_server: PostgresServer, database_template: str) -> AsyncIterator[str]:
    """Where to connect to a database of the test's own, which is dropped afterwards."""
    name = f"test_{uuid4().hex}"
    administrator = await asyncpg.connect(postgres_server.dsn())
    try:
        await administrator.execute(f"CREATE DATABASE {name} TEMPLATE {database_template}")
        yield postgres_server.dsn(name)
        await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await administrator.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dms(server_state: Path) -> AsyncIterator[Installation]:
    """Servers that know the roles of the DMS; a test prepares the context that it needs."""
    settings = Settings(context=Context.TESTING, state_dir=server_state.parent / "dms")
    schemas = [Schema(role, _SERVICES / role.replace("-", "_") / "migrations") for role in CATALOGUE.interfaces]
    async with Installation.start(settings, CATALOGUE, schemas) as installation:
        for context in (Context.TESTING, Context.TRAINING):
            (settings.credentials / context / "admin.nk").symlink_to("../admin.nk")
        yield installation
