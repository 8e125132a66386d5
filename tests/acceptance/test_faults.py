"""Acceptance scenarios of the operations guide on what calls and meters say: which device is out, and who is off."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

from contracts.codes.end_device_events import EventKind
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage, VerificationKind
from contracts.nouns.work_types import WorkStatusKind
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


async def test_what_speaks_against_a_device_does_so_as_long_as_those_who_are_dark_wait(theatre: Installation) -> None:
    """A neighbour had power after two meters of a transformer lost theirs: that is not out, even hours later."""
    alone = {"T11-1", "T11-2"}
    async with stage(theatre, feeder(), *ALL) as play:
        play.dark = set(alone)
        await play.play(10)
        await play.meters(EventKind.POWER_LOST, *sorted(alone), at=10)
        await play.meters(EventKind.POWER_RESTORED, "T11-3", at=100)
        for hours in (1, 2, 3):
            await play.play(hours * 3600)
            await play.meters(EventKind.POWER_RESTORED, "T31-1", at=hours * 3600)
            await play.play(hours * 3600 + 600)
            assert [off(each) for each in await play.outages()] in ([{"T11-1"}, {"T11-2"}], [{"T11-2"}, {"T11-1"}])
        assert len({outage.mrid for message in play.told for outage in message.noun.unplanned_outage}) == 2


def nobody_is_off_twice(outages: Sequence[UnplannedOutage]) -> bool:
    everybody = [mrid for outage in outages for mrid in off(outage)]
    return len(everybody) == len(set(everybody))


async def test_of_three_faults_under_one_open_breaker_each_repair_shows_the_next(theatre: Installation) -> None:
    """Scenario 24: three faults under one open breaker: after each repair the next is found; no customer in two outages
    at any time; ETR of hidden parts never says "restored"."""
    async with stage(theatre, feeder(), *ALL) as play:
        await play.play(10)
        play.dark = set(POINTS)
        hidden = {"F1": set(under("F1")), "F2": set(under("F2"))}
        await play.play(55)
        await play.switched(feeder("B", at=s(60)))  # the clock of the substation is ahead of ours
        await play.play(600)
        (first,) = await play.outages()
        assert (device(first), off(first)) == ("B", set(POINTS))
        ticket = await play.call("T11-1", 600)

        play.dark = hidden["F1"] | hidden["F2"]
        await repaired(play, first, at=3000)
        await play.switched(feeder(at=s(3020)))
        await play.meters(EventKind.POWER_RESTORED, *under("F3"), at=3030)
        await play.play(3600)
        (first,) = await play.outages()
        assert (state(first), first.verification) == (S.RESTORED, VerificationKind.UNKNOWN), "whole laterals are silent"
        for point in ("T11-1", "T12-1", "T21-1", "T21-2"):
            await play.call(point, 3600)
        await play.play(4200)
        nested = {device(outage) or "": outage for outage in await play.outages()}
        assert nested.keys() == hidden.keys(), "the meters that stay silent show the two fuses"
        for fuse, outage in nested.items():
            assert off(outage) == hidden[fuse]
            assert outage.parent_outage is not None
            assert outage.parent_outage.mrid == first.mrid
            assert outage.reported_start_time == s(60), "they have been dark since the breaker opened"
            estimate = outage.estimated_restoration_time
            assert estimate is not None
            assert estimate.ert > play.now
        last = [each.status for each in play.tickets() if each.mrid == ticket.mrid][-1]
        assert last is not None
        assert "restored" not in (last.reason or "").lower()

        for fuse, at in (("F1", 5000), ("F2", 7000)):
            await repaired(play, nested[fuse], at=at)
            await play.switched(feeder(fuse, at=s(at + 20)))  # the crew found it open
            await play.play(at + 60)
            play.dark -= hidden[fuse]
            await play.switched(feeder(at=s(at + 60)))
            await play.meters(EventKind.POWER_RESTORED, *sorted(hidden[fuse]), at=at + 70)
            await play.play(at + 900)
            assert nobody_is_off_twice(await play.outages())
            assert play.states(nested[fuse].mrid)[-1] == S.CLOSED
        assert await play.outages() == []


async def repaired(play: Stage, outage: UnplannedOutage, *, at: float) -> None:
    """The crew of an outage finds its cause and mends it; on the way nobody is off by two outages."""
    while play.now < s(at):
        await play.play(min(at, (play.now - s(0)).total_seconds() + 300))
        assert nobody_is_off_twice(await play.outages())
    wanted = next(
        order for order in play.orders.values() if order.work[0].work_tasks[0].assets[0].mrid == device(outage)
    )
    await play.crew(wanted, WorkStatusKind.COMPLETED, at, "vegetation")
    await play.play(at + 20)
    assert nobody_is_off_twice(await play.outages())
