"""What others tell of the places of meters: people at work, and outages on purpose."""

from contracts.message import Message
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.planned_outage_notifications import PlannedOutageNotifications
from contracts.verbs import Verb
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.tampering import explain
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import surroundings
from shared.work import Work


@service.on(Verb.CHANGED, MaintenanceOrders)
@service.on(Verb.CLOSED, MaintenanceOrders)
@service.on(Verb.CANCELED, MaintenanceOrders)
async def hear_of_work(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """While people are at a usage point its meter's last gasp says nothing of the network."""
    for each in surroundings.progress(message.noun, work.now):
        if each.has_left:
            await work.store.end_work(each.work, each.at)
        elif places := await work.store.begin_work(each.work, each.places, each.at):
            await explain(each.work, places, each.at, work)


@service.on(Verb.CREATED, PlannedOutageNotifications)
async def hear_of_planned_outage(message: Message[PlannedOutageNotifications], work: Work[Store]) -> None:
    """While the power is off on purpose a last gasp is what everybody expects."""
    for notice in message.noun.planned_outage_notification:
        await work.store.save_planned(notice.mrid, surroundings.planned(notice))
