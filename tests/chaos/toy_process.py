"""One toy service in a process of its own, to be killed: ``python -m tests.chaos.toy_process ROLE``."""

import asyncio
import os
import signal
import sys

from shared.config import Settings
from shared.runtime import running
from shared.telemetry import configure_logging
from tests.service.toys.interfaces import CATALOGUE
from tests.service.toys.services import make_depot, make_ledger, make_shop

_MAKERS = {"shop": make_shop, "depot": make_depot, "ledger": make_ledger}


async def main(role: str) -> None:
    """Run until told to stop."""
    settings = Settings.from_environment(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with running(_MAKERS[role](), settings=settings, catalogue=CATALOGUE):
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
