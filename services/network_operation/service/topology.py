"""What is connected and live, as it changes, and what is told of it."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from itertools import chain

from contracts.errors import NotFound
from contracts.message import Message, Request
from contracts.nouns.feeder_topology import FeederChange, FeederTopology
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb
from services.network_operation.domain.clearances import still_valid
from services.network_operation.domain.live import Live, past
from services.network_operation.domain.network_state import NetworkState
from services.network_operation.service.declared import service
from services.network_operation.service.power_flow import follow_loads
from services.network_operation.store import Store
from shared.work import Work


@service.on(Verb.GET, FeederTopology)
async def tell_feeders(message: Message[FeederTopology], work: Work[Store]) -> AsyncIterator[FeederTopology]:
    """The feeders as they are now, or were at the EndTime; one in each part of the reply, a large one in several."""
    request = message.request or Request()
    if request.end_time is not None and request.end_time < work.now:
        built, at = await work.store.built_at(request.end_time), request.end_time
        feeders = past(built, await work.store.open_at(at), at)
    else:
        feeders = (await work.store.network()).feeders
    wanted = {each.value for each in request.id}
    missing = wanted - {feeder.mrid for feeder in feeders}
    if missing:
        raise NotFound("there is no such feeder", object_id=min(missing))
    if not feeders:
        yield FeederTopology()
    for part in chain.from_iterable(feeder.parts() for feeder in feeders if not wanted or feeder.mrid in wanted):
        yield FeederTopology(feeder=(part,))


@service.on(Verb.CREATED, UnplannedOutages)
@service.on(Verb.CHANGED, UnplannedOutages)
@service.on(Verb.CLOSED, UnplannedOutages)
async def hear_of_outages(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """Nothing is closed onto a fault that fault management knows of."""
    for outage in message.noun.unplanned_outage:
        await work.store.save_outage(outage)


async def move_network(live: Live, state: NetworkState, at: datetime, work: Work[Store]) -> None:
    """Make a state the present one since ``at``, and tell what is different."""
    if state is not live.state:
        live, changes = live.moved(state, at, work.new_id())
        await keep_network(live, changes, work)
        await follow_loads(live, at, work)


async def keep_network(live: Live, changes: Iterable[FeederChange], work: Work[Store]) -> None:
    """Keep the next state of the network, and tell the changes of its feeders."""
    told = tuple(changes)
    await work.store.keep_network(live, [change.mrid for change in told])
    for change in told:
        work.publish(Verb.CHANGED, FeederTopology(feeder_change=(change,)), key=change.mrid)
    await recheck_proofs(live, work)


async def recheck_proofs(live: Live, work: Work[Store]) -> None:
    """Forget that a section was tested dead where that is no longer sure."""
    proofs = await work.store.proofs()
    if proofs:
        await work.store.keep_proofs(still_valid(proofs, live.grid))
