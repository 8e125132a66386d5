"""The head-end, which who asks for controls plays as well: it does at once what is asked of meters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError
from loadtest.telling import HEAD_END
from shared.config import Settings
from shared.envelope import success
from shared.tools.testing import Peer


@asynccontextmanager
async def answering(settings: Settings) -> AsyncIterator[None]:
    """Answer controls for the time of the block."""
    async with Peer(settings, CATALOGUE, HEAD_END) as peer:
        await peer.serve()
        peer.drain("command", HEAD_END)
        task = asyncio.create_task(_answer(peer), name="head-end")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


async def _answer(peer: Peer) -> None:
    while True:
        heard = await peer.heard.get()
        with suppress(BusbarError):  # the broker may be away; the controls are given up then, which is counted
            await peer.reply(heard.message, success(), heard.message.payload)
