"""`busbar data`: write a folder of messages for the network that is in use, to be loaded."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from contracts.errors import Conflict, NotFound
from contracts.nouns.feeder_topology import Feeder, FeederTopology
from contracts.verbs import Verb
from shared.codec import CONTENT_XML
from shared.config import Settings
from shared.tools.cli.asking import asked, operator
from shared.tools.cli.composition import Composition
from shared.tools.cli.network import MANAGEMENT
from shared.tools.data import File
from shared.tools.data.assets import assets
from shared.tools.data.customers import customers
from shared.tools.data.meters import meters
from shared.tools.data.work import work


class Maker(Protocol):
    """Makes the files of a folder from the feeders of a network."""

    def __call__(self, feeders: tuple[Feeder, ...], *, context: str, day: date) -> Iterator[File]:
        """The files, in any order."""


MAKERS: Mapping[str, Maker] = {"assets": assets, "customers": customers, "meters": meters, "work": work}
"""What can be made, by its word on the command line."""


async def make(settings: Settings, composition: Composition, kind: str, folder: Path, *, day: date) -> int:
    """Write the messages of a kind for the active network into a folder.

    Raises:
        NotFound: there is no network.
        Conflict: something else lies in the folder, which would be loaded as well.
    """
    async with operator(settings, composition) as peer:
        topology: FeederTopology = await asked(peer, MANAGEMENT, Verb.GET, FeederTopology, timeout_s=60.0)
        feeders = topology.whole()
        if not feeders:
            raise NotFound("there is no network to make data for; import one with `busbar network import`")
        made = MAKERS[kind](feeders, context=settings.context, day=day)
        files = {each.name: peer.codec.encode(each.message, CONTENT_XML) for each in made}
    await asyncio.to_thread(_write, folder, files)
    sys.stdout.write(f"{len(files)} messages are in {folder}.\n")
    return 0


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    others = sorted(each.name for each in folder.iterdir() if each.name not in files)
    if others:
        raise Conflict(f"there is something else in '{folder}', such as '{others[0]}'")
    for name, body in files.items():
        (folder / name).write_bytes(body)
