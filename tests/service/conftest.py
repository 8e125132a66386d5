"""A broker and a database for the kernel's tests, with the keys of the toy roles; a context of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.config import Settings
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation
from tests.service.toys.interfaces import CATALOGUE
from tests.service.toys.services import make_depot, make_ledger, make_shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def toy_servers(tmp_path_factory: object) -> AsyncIterator[Installation]:
    """Servers that know the toy roles."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="busbar-toys-"))
    folder.chmod(0o711)
    settings = Settings(context="testing", state_dir=folder, request_timeout_s=2.0)
    schemas = [Schema(service.role, service.migrations) for service in (make_shop(), make_depot(), make_ledger())]
    async with Installation.start(settings, CATALOGUE, schemas) as installation:
        yield installation


@pytest_asyncio.fixture
async def toys(toy_servers: Installation) -> Installation:
    """The toy installation with an empty context."""
    await toy_servers.prepare()
    return toy_servers
