"""A new model of the network takes the place of the old one."""

from contracts.message import Message
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.verbs import Verb
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.service.alarms import judge
from services.network_operation.service.declared import service
from services.network_operation.service.power_flow import follow_loads
from services.network_operation.service.topology import recheck_proofs
from services.network_operation.store import Store
from shared.work import Work


@service.on(Verb.CREATED, NetworkModels)
async def adopt_model(message: Message[NetworkModels], work: Work[Store]) -> None:
    """A new model replaces the old one; what is known of its switches is carried over by mRID."""
    revision = max((model.revision or 0 for model in message.noun.network_model), default=0)
    built = await work.request(FeederTopology)
    live = await work.store.lock_network()
    if revision < live.wiring.model_revision:
        return
    feeders = built.whole()
    live = live.adopted(feeders, await work.store.standings(), revision, work.now, work.new_id())
    await work.store.replace_model(live, feeders, work.now)
    for mrid in live.told:
        work.publish(Verb.CHANGED, FeederTopology(feeder_change=(live.news(mrid),)), key=mrid)
    await recheck_proofs(live, work)
    await judge(Scope(everything=True), work)
    await follow_loads(live, work.now, work)
