"""Meters and where they are, made known before the run as a utility would: by requests of an operator."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError, Unavailable, from_reply
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.types import ObjectReference
from contracts.verbs import Verb
from loadtest.scenario import Scenario, ScenarioError
from loadtest.watching import connected
from shared.codec import CONTENT_MSGPACK
from shared.config import Settings
from shared.fleet.metering import Fleet, texts
from shared.store import Login
from shared.tools.testing import Peer

_SEGMENTS = """
SELECT size.setting::bigint * 1048576 / segment.setting::bigint FROM pg_settings AS size, pg_settings AS segment
WHERE size.name = 'min_wal_size' AND segment.name = 'wal_segment_size'
"""
"""How many files of its log PostgreSQL keeps to use them again.

One that is new is filled with zeros first, by whoever commits just then: 30 to 60 ms in which nobody else does. A
database that has been in use for some time uses those again that it has.
"""

AT_ONCE = 3
"""Requests that are open at a time: while one is written down the next is read."""

METERS = 1000
"""Meters of one message."""

_SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_TRIES = 20


async def install(settings: Settings, scenario: Scenario, progress: Callable[[int], None], *, first: int = 0) -> None:
    """Make the meters of ``scenario`` known, from the ``first`` on, and put each where it measures.

    What is known already stays as it is.

    Raises:
        ScenarioError: a meter or its place is refused.
    """
    fleet = scenario.fleet()
    async with Peer(settings, CATALOGUE, "operator") as peer:
        for begin in range(first, scenario.installed, AT_ONCE * METERS):
            last = min(begin + AT_ONCE * METERS, scenario.installed)
            parts = [np.arange(start, min(start + METERS, last)) for start in range(begin, last, METERS)]
            for order in (_set_up, _put):
                await asyncio.gather(*(_asked(peer, scenario.role, order(fleet, meters)) for meters in parts))
            progress(last)


async def settle(administrator: Login, database: str) -> None:
    """Bring a new database to where one is that has been in use for long: with statistics and a log that goes round."""
    connection = await connected(administrator, database)
    try:
        await connection.execute("VACUUM (ANALYZE)")
        for _ in range(await connection.fetchval(_SEGMENTS)):
            await connection.execute("SELECT pg_logical_emit_message(false, 'busbar', '')")
            await connection.execute("SELECT pg_switch_wal()")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _set_up(fleet: Fleet, meters: NDArray[np.int64]) -> MeterConfig:
    event = ConfigurationEvent(effective_date_time=_SINCE)
    return MeterConfig(
        meter=tuple(Meter(mrid=name, configuration_events=event) for name in texts(fleet.meter_ids(meters)))
    )


def _put(fleet: Fleet, meters: NDArray[np.int64]) -> MasterDataLinkageConfig:
    names, points = texts(fleet.meter_ids(meters)), texts(fleet.point_ids(meters))
    return MasterDataLinkageConfig(
        configuration_event=ConfigurationEvent(effective_date_time=_SINCE),
        meter=tuple(ObjectReference(mrid=name) for name in names),
        usage_point=tuple(ObjectReference(mrid=point) for point in points),
    )


async def _asked(peer: Peer, role: str, noun: MeterConfig | MasterDataLinkageConfig) -> None:
    for _ in range(_TRIES):
        try:
            answer = await peer.request(role, Verb.CREATE, noun, timeout_s=30, content_type=CONTENT_MSGPACK)
        except Unavailable:
            await asyncio.sleep(0.2)
            continue
        error: BusbarError | None = None if answer.reply is None else from_reply(answer.reply)
        if isinstance(error, Unavailable):
            await asyncio.sleep(0.2)
            continue
        if error is not None:
            raise ScenarioError(f"'{role}' refuses a meter of the fleet: {error.reason} ({error.code})")
        return
    raise ScenarioError(f"'{role}' does not answer")
