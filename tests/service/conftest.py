"""A broker and a database for the tests of the kernel, with the keys of the toy roles."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.config import Context, Settings
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation
from tests.service.toys.interfaces import CATALOGUE
from tests.service.toys.services import gate, make_depot, make_ledger, make_shop, make_simulation


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def toy_servers(server_state: Path) -> AsyncIterator[Installation]:
    """Servers that know the toy roles."""
    settings = Settings(context=Context.TESTING, state_dir=server_state.parent / "toys", request_timeout_s=2.0)
    services = (make_shop(), make_depot(), make_ledger(), make_simulation())
    schemas = [Schema(service.role, service.migrations) for service in services]
    async with Installation.start(settings, CATALOGUE, schemas) as installation:
        yield installation


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def toys(toy_servers: Installation) -> Installation:
    """The toy installation with a context that is empty at the beginning of each module."""
    await toy_servers.prepare()
    return toy_servers


@pytest.fixture(autouse=True)
def closed_gate() -> None:
    """What waits in a test waits for that test."""
    gate.close()
