"""`busbar up`, `busbar run`, `busbar migrate`: the DMS as a whole, some of its roles, its schemas."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import structs

from contracts.errors import Unavailable
from contracts.nouns.feeder_topology import FeederTopology
from contracts.verbs import Verb
from shared.config import Settings
from shared.runtime import running
from shared.tools.cli.asking import asked, operator
from shared.tools.cli.composition import Composition
from shared.tools.cli.installation import context_of, noted, servers
from shared.tools.cli.network import MANAGEMENT, import_network, networks
from shared.tools.cli.processes import MODULE, parent_gone, supervised

log = logging.getLogger(__name__)

DEFAULT_NETWORK = "harbour"
OPERATION = "network-operation"

START_S = 60.0
"""How long a role may take to start before a network is imported, and to have it afterwards."""

COLLECTED = (10_000, 20, 20)
"""How many objects more there are when the collector looks at the new ones; how often until it looks at older ones.

A batch of readings makes some ten thousand, which are gone when it is done.
"""


async def up(
    settings: Settings,
    composition: Composition,
    *,
    without: frozenset[str],
    external: frozenset[str],
    isolate: bool,
    network: str | None,
) -> int:
    """Run the whole DMS until it is interrupted."""
    if noted(settings.state_dir) is not None:
        raise Unavailable(f"a DMS runs already in '{settings.state_dir}'; `busbar run ROLE` joins it")
    began = asyncio.get_running_loop().time()
    stop = interrupted()
    async with (
        servers(settings, composition) as note,
        context_of(settings, composition, note, afresh=False, external=external) as held,
        services(held, composition, without=without | external, external=external, isolate=isolate),
    ):
        has_models = network is not None or MANAGEMENT not in without | external
        imported = await first_network(held, composition, network) if has_models else None
        if has_models and OPERATION not in without | external:
            await network_in_operation(held, composition)
        took = asyncio.get_running_loop().time() - began
        count = len(composition.roles(held.context, without | external))
        say(f"Ready in {took:.1f} s: context {held.context}, {count} services.")
        say(f"  broker    {note.nats_url}")
        say(f"  database  port {note.postgres_port}")
        say(f"  keys      {note.credentials}")
        if imported:
            say(f"  network   {imported}")
        say("Try in another terminal: busbar list | busbar tail UnplannedOutages | busbar storm --faults 1")
        await stop.wait()
        say("Stopping.")
    return 0


async def run(
    settings: Settings, composition: Composition, roles: list[str], *, context: str | None, parent: int | None
) -> int:
    """Run some roles on the servers that run here, or on those that the settings name."""
    note = noted(settings.state_dir)
    external: tuple[str, ...] = ()
    if note is not None:
        settings = note.settings(settings, context)
        external = note.contexts[settings.context].external if settings.context in note.contexts else ()
    elif context is not None:
        settings = structs.replace(settings, context=type(settings.context)(context))
    stop = interrupted()
    if parent is not None:
        asyncio.get_running_loop().create_task(_stop_without(parent, stop))
    loaded = [composition.load(role) for role in roles]
    async with running(*loaded, settings=settings, catalogue=composition.catalogue, external=external):
        _keep_what_is_here()
        say(f"Running in context {settings.context}: {', '.join(roles)}.")
        await stop.wait()
    return 0


def _keep_what_is_here() -> None:
    """Spare the collector of cycles what is there for the life of the process.

    Going through a hundred thousand objects of contracts and codecs again and again costs as much as reading the
    messages, and is a stall of 50 ms each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)


@asynccontextmanager
async def services(
    settings: Settings,
    composition: Composition,
    *,
    without: frozenset[str],
    external: frozenset[str],
    isolate: bool,
) -> AsyncIterator[Any]:
    """The services of a context for the time of the block: in this process, or each in one of its own."""
    roles = composition.roles(settings.context, without)
    if isolate:
        async with supervised(settings, roles, MODULE) as supervisor:
            yield supervisor
        return
    loaded = [composition.load(role) for role in roles]
    async with running(
        *loaded, settings=settings, catalogue=composition.catalogue, external=sorted(external)
    ) as process:
        yield process


@asynccontextmanager
async def whole(settings: Settings, composition: Composition) -> AsyncIterator[Settings]:
    """A DMS of one's own on embedded servers, for the time of the block."""
    async with (
        servers(settings, composition) as note,
        context_of(settings, composition, note, afresh=False) as held,
        services(held, composition, without=frozenset(), external=frozenset(), isolate=False),
    ):
        yield held


async def first_network(settings: Settings, composition: Composition, network: str | None) -> str | None:
    """Import the network that was named, or ours where there is none yet; None when one was there.

    Raises:
        BusbarError: the model is refused.
    """
    if network is None and await networks(settings, composition, patience_s=START_S):
        return None
    model = await import_network(settings, composition, network or DEFAULT_NETWORK)
    return f"{model.description or model.mrid}"


async def network_in_operation(settings: Settings, composition: Composition, version: str | None = None) -> None:
    """Wait, at most for :data:`START_S`, until network operation has that version of the network, or any."""
    deadline = asyncio.get_running_loop().time() + START_S
    async with operator(settings, composition) as peer:
        while asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(Unavailable):
                topology: FeederTopology = await asked(peer, OPERATION, Verb.GET, FeederTopology)
                if topology.feeder and version in {None, topology.feeder[0].model_version}:
                    return
            await asyncio.sleep(0.05)


def interrupted() -> asyncio.Event:
    """Set when this process is asked to stop; a second time ends it at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if stop.is_set():
            sys.exit(130)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    return stop


async def _stop_without(parent: int, stop: asyncio.Event) -> None:
    await parent_gone(parent)
    log.warning("the process that started this one is gone")
    stop.set()


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
