"""Meters and where they are, made known before the run as a utility would: by requests of an operator."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError, Unavailable, from_reply
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.types import ObjectReference
from contracts.verbs import Verb
from loadtest.scenario import Scenario, ScenarioError
from shared.codec import CONTENT_MSGPACK
from shared.config import Settings
from shared.fleet.metering import texts
from shared.tools.testing import Peer

AT_ONCE = 32
"""Requests that are open at a time."""

METERS = 200
"""Meters of one MeterConfig."""

_SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_TRIES = 20


async def install(settings: Settings, scenario: Scenario, progress: Callable[[int], None]) -> None:
    """Make the meters of ``scenario`` known and put each where it measures; what is known already stays.

    Raises:
        ScenarioError: a meter or its place is refused.
    """
    fleet = scenario.fleet()
    async with Peer(settings, CATALOGUE, "operator") as peer:
        for first in range(0, scenario.installed, METERS):
            meters = np.arange(first, min(first + METERS, scenario.installed))
            names, points = texts(fleet.meter_ids(meters)), texts(fleet.point_ids(meters))
            config = MeterConfig(
                meter=tuple(
                    Meter(mrid=name, configuration_events=ConfigurationEvent(effective_date_time=_SINCE))
                    for name in names
                )
            )
            await _asked(peer, scenario.role, config)
            links = [
                MasterDataLinkageConfig(
                    configuration_event=ConfigurationEvent(effective_date_time=_SINCE),
                    meter=(ObjectReference(mrid=name),),
                    usage_point=(ObjectReference(mrid=point),),
                )
                for name, point in zip(names, points, strict=True)
            ]
            for place in range(0, len(links), AT_ONCE):
                await asyncio.gather(*(_asked(peer, scenario.role, each) for each in links[place : place + AT_ONCE]))
            progress(int(meters[-1]) + 1)


async def _asked(peer: Peer, role: str, noun: MeterConfig | MasterDataLinkageConfig) -> None:
    for _ in range(_TRIES):
        try:
            answer = await peer.request(role, Verb.CREATE, noun, timeout_s=10, content_type=CONTENT_MSGPACK)
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
