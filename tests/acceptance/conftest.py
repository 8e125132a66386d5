"""Real servers for the acceptance scenarios of the operations guide."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from contracts.catalogue import CATALOGUE
from shared.config import Context, Settings
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation

SERVICES = Path(__file__).resolve().parents[2] / "services"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def theatre(server_state: Path) -> AsyncIterator[Installation]:
    """Servers on which each scenario has its stage."""
    settings = Settings(context=Context.TESTING, state_dir=server_state.parent / "theatre")
    schemas = [Schema(role, SERVICES / role.replace("-", "_") / "migrations") for role in CATALOGUE.interfaces]
    async with Installation.start(settings, CATALOGUE, schemas) as installation:
        (settings.credentials / Context.TESTING / "admin.nk").symlink_to("../admin.nk")
        yield installation
