"""Acceptance scenarios of the operations guide on what calls and meters say: which device is out, and who is off."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

from contracts.codes.end_device_events import EventKind
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage
from services.fault_management.service import service as fault_management
from services.meter_reading_and_control.service import service as meter_reading
from services.work_management.service import service as work_management
from shared.tools.testing import Installation
from tests.acceptance.stage import Stage, points, stage
from tests.fixtures.phased_feeders import below, feeders
from tests.fixtures.small_feeder import POINTS, feeder, s, under

S = OutageState
ALL = (fault_management, meter_reading, work_management)


def state(outage: UnplannedOutage) -> str | None:
    return None if outage.status is None else outage.status.value


def device(outage: UnplannedOutage) -> str | None:
    (opened,) = outage.opened_switches
    return opened.mrid


def off(outage: UnplannedOutage) -> set[str | None]:
    return points(outage.de_energized_usage_point)


async def test_two_callers_of_a_transformer_make_it_the_outage_and_a_third_raises_it_to_the_fuse(
    theatre: Installation,
) -> None:
    """Scenario 2: when 2 of 6 customers of a transformer call within 10 min, then one PREDICTED at the transformer; a
    third from the next transformer of the same fuse raises it to the fuse, same outage id."""
    async with stage(theatre, feeder(), *ALL) as play:
        play.dark = set(under("F1"))
        await play.play(10)
        await play.call("T11-1", 10)
        await play.play(300)
        await play.call("T11-2", 300)
        await play.play(420)
        (first,) = await play.outages()
        assert (state(first), device(first)) == (S.PREDICTED, "T11")
        assert off(first) == {f"T11-{number}" for number in range(1, 7)}
        await play.call("T12-1", 420)
        await play.play(540)
        (raised,) = await play.outages()
        assert (raised.mrid, state(raised), device(raised)) == (first.mrid, S.PREDICTED, "F1")
        assert off(raised) == set(under("F1"))
        assert len(raised.trouble_ticket) == 3


async def test_three_calls_and_six_gasps_of_one_customer_are_one_vote_of_each_kind(theatre: Installation) -> None:
    """Scenario 3: when the same customer calls three times and his meter gasps six times, then it is one vote of each
    kind."""
    async with stage(theatre, feeder(), *ALL) as play:
        play.dark = {"T11-1"}
        await play.play(10)
        for number in range(6):
            await play.meters(EventKind.POWER_LOST, "T11-1", at=5 + number)
        for at in (12, 14, 16):
            await play.call("T11-1", at)
        await play.play(600)
        (outage,) = await play.outages()
        assert (state(outage), off(outage)) == (S.SUSPECTED, {"T11-1"}), "nine messages of one house are no transformer"
        assert len(outage.trouble_ticket) == 1
        assert not play.orders
        await play.meters(EventKind.POWER_LOST, "T11-2", at=590)
        await play.play(700)
        (outage,) = await play.outages()
        assert (state(outage), device(outage)) == (S.PREDICTED, "T11"), "a second house is the second vote"


async def test_gasps_of_one_phase_of_a_lateral_are_its_fuse_on_that_phase(theatre: Installation) -> None:
    """Scenario 4: given gasps of all A-phase meters of a lateral while B, C meters answer, then the prediction is
    "fuse, phase A" and only A customers count."""
    async with stage(theatre, feeders(), *ALL) as play:
        play.dark = set(below("FA"))
        await play.play(60)
        await play.meters(EventKind.POWER_LOST, *below("FA"), at=30)
        await play.meters(EventKind.POWER_RESTORED, *below("FB", "FC"), at=40)
        await play.play(300)
        (outage,) = await play.outages()
        assert (state(outage), device(outage), outage.phases) == (S.PREDICTED, "F", PhaseCode.A)
        assert off(outage) == set(below("FA"))
        assert outage.original_customers_served == len(below("FA"))


@asynccontextmanager
async def _transferred(theatre: Installation, *, late: Random | None) -> AsyncIterator[Stage]:
    """Four transformers go dark, and at ten minutes the operator moves a section to the other feeder.

    Their gasps come at once, or 20 min later in an order of ``late``, some of them twice.
    """
    gasps = below("H1", "H2", "K1", "K2")
    async with stage(theatre, feeders(), *ALL) as play:
        play.dark = set(gasps)
        await play.play(60)
        if late is None:
            await play.meters(EventKind.POWER_LOST, *gasps, at=60)
        await play.play(600)
        await play.switched(*feeders(["D", "N"], at=s(600)))
        await play.play(1260)
        if late is not None:
            doubled: Sequence[str] = late.sample([*gasps, *gasps[::3]], len(gasps) + len(gasps[::3]))
            await play.meters(EventKind.POWER_LOST, *doubled, at=60)
        await play.play(1500)
        yield play


async def test_gasps_that_come_late_after_the_tie_was_closed_end_in_the_outages_of_their_own_time(
    theatre: Installation,
) -> None:
    """Scenario 7: gasps arrive 20 min late in random order with duplicates after the operator switched the tie: the
    prediction equals the one from ordered delivery and uses the topology of the event time."""
    found: list[list[tuple[str | None, str | None, set[str | None], datetime | None]]] = []
    for late in (None, Random(7), Random(8)):
        async with _transferred(theatre, late=late) as play:
            outages = sorted(await play.outages(), key=lambda each: device(each) or "")
            found.append([(state(each), device(each), off(each), each.reported_start_time) for each in outages])
    assert [(each[0], each[1]) for each in found[0]] == [(S.PREDICTED, "H"), (S.PREDICTED, "K")]
    assert found[1] == found[0]
    assert found[2] == found[0]


async def test_a_house_that_was_dark_before_the_trip_is_dark_after_it_and_gets_its_crew(theatre: Installation) -> None:
    """Scenario 8: a call at 14:15 from a house, SCADA trip at 14:30 of the feeder above: two outages; after the feeder
    is restored the house is still off and gets its crew."""
    async with stage(theatre, feeder(), *ALL) as play:
        play.dark = {"T11-1"}
        await play.play(10)
        await play.call("T11-1", 10)
        await play.play(840)
        (house,) = await play.outages()
        play.dark = set(POINTS)
        await play.switched(feeder("B", at=s(840)))
        await play.play(870)
        trip, same = sorted(await play.outages(), key=lambda each: -len(off(each)))
        assert same.mrid == house.mrid
        assert (state(trip), device(trip), off(trip)) == (S.CONFIRMED, "B", set(POINTS) - {"T11-1"})
        play.dark = {"T11-1"}
        await play.switched(feeder(at=s(1740)))
        await play.play(1740)
        await play.meters(EventKind.POWER_RESTORED, *sorted(set(POINTS) - play.dark), at=1745)
        await play.play(3600)
        (left,) = await play.outages()
        assert (left.mrid, off(left)) == (house.mrid, {"T11-1"})
        assert play.states(trip.mrid)[-1] in {S.VERIFIED, S.CLOSED}
        crews = [order for order in play.orders.values() if order.work[0].work_tasks[0].assets[0].mrid == "T11-1"]
        assert len(crews) == 1
