"""Acceptance scenario 12 of the operations guide: some lights bright, some dim."""

from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.trouble_tickets import TroubleTicketState
from contracts.nouns.work_types import WorkStatusKind
from services.fault_management.service import service as fault_management
from services.meter_reading_and_control.service import service as meter_reading
from services.work_management.service import service as work_management
from shared.tools.testing import Installation
from tests.acceptance.stage import stage
from tests.fixtures.small_feeder import feeder

WORDS = "Half my lights are bright, half dim"


async def test_half_bright_and_half_dim_is_a_hazard_at_once_although_the_meter_answers(theatre: Installation) -> None:
    """Scenario 12: trouble code "half my lights are bright, half dim": hazard incident at once, not grouped, not pinged
    away although the meter answers."""
    async with stage(theatre, feeder(), fault_management, meter_reading, work_management) as play:
        await play.play(10)
        ticket = await play.call("T11-1", 8, description=WORDS)
        assert ticket.status is not None
        assert ticket.status.value == TroubleTicketState.NON_OUTAGE
        assert "crew is sent at once" in (ticket.status.reason or "")
        neighbour = await play.call("T11-2", 9, description=WORDS.upper())
        assert ticket.incident is not None
        assert neighbour.incident is not None
        assert neighbour.incident != ticket.incident, "nothing is grouped"
        await play.play(20)
        orders = sorted(play.orders.values(), key=lambda order: order.work[0].work_tasks[0].assets[0].mrid or "")
        assert [order.work[0].work_tasks[0].assets[0].mrid for order in orders] == ["T11-1", "T11-2"]
        assert {order.work[0].priority.rank for order in orders if order.work[0].priority} == {1}
        assert await play.outages() == []

        await play.play(1800)
        assert await play.outages() == [], "no ping and no time makes an outage of it"
        await play.crew(orders[0], WorkStatusKind.COMPLETED, 1800, "equipment")
        await play.play(1810)
        closed = play.tickets()[-1]
        assert (closed.mrid, closed.status and closed.status.value) == (ticket.mrid, TroubleTicketState.CLOSED)
        assert len(play.said(MaintenanceOrders)) > 0


async def test_who_calls_again_within_ten_minutes_updates_the_ticket(theatre: Installation) -> None:
    """Scenario 3, in part: the same customer calls three times and is one ticket and one vote."""
    async with stage(theatre, feeder(), fault_management, work_management, meter_reading) as play:
        await play.play(10)
        play.dark = {"T11-1"}
        first = await play.call("T11-1", 5, mrid="first")
        again = await play.call("T11-1", 8, mrid="second", description="Still dark")
        assert (again.mrid, again.incident) == ("first", first.incident)
        assert again.description == "Still dark"
        await play.play(300)
        (outage,) = await play.outages()
        assert [ticket.mrid for ticket in outage.trouble_ticket] == ["first"]
        assert len(outage.de_energized_usage_point) == 1
        assert not play.orders, "one customer is no outage of a device yet"
