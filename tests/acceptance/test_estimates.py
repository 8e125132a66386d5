"""Acceptance scenario 24 of the operations guide, and when power is expected back."""

from contracts.codes.end_device_events import EventKind
from contracts.nouns.trouble_tickets import TroubleTicketState
from contracts.nouns.unplanned_outages import UnplannedOutage, UnplannedOutages
from contracts.nouns.work_types import WorkStatusKind
from services.fault_management.service import service as fault_management
from services.meter_reading_and_control.service import service as meter_reading
from services.work_management.service import service as work_management
from shared.tools.testing import Installation
from tests.acceptance.stage import Stage, points, stage
from tests.fixtures.small_feeder import POINTS, feeder, under


def told(play: Stage) -> list[UnplannedOutage]:
    """Every value of an outage that was told, in order."""
    nouns = (message.payload for message in play.told if isinstance(message.payload, UnplannedOutages))
    return [outage for noun in nouns for outage in noun.unplanned_outage]


async def dark_by(play: Stage, device: str) -> UnplannedOutage:
    """The outage at a device, not over; its fault is what the crew will find there."""
    (outage,) = [each for each in await play.outages() if points(each.opened_switches) == {device}]
    assert outage.estimated_restoration_time is not None
    assert outage.estimated_restoration_time.ert > play.now
    return outage


def nobody_was_told_too_much(play: Stage, dark: set[str], until: float) -> None:
    """No customer in two outages, no estimate in the past, and nobody who was ``dark`` heard that it was over."""
    latest: dict[str, UnplannedOutage] = {}
    for outage in told(play):
        latest[outage.mrid] = outage
        now = [mrid for each in latest.values() for mrid in points(each.de_energized_usage_point)]
        assert len(now) == len(set(now)), "nobody is in two outages"
        estimate, at = outage.estimated_restoration_time, outage.last_modified_date_time
        assert at is not None
        assert estimate is None or estimate.ert > at
    for ticket in play.tickets():
        assert ticket.status is not None
        if points((ticket.usage_point,) if ticket.usage_point else ()) <= dark:
            over = (ticket.status.date_time or play.now) >= play.at(until)
            assert over or ticket.status.value != TroubleTicketState.CLOSED
            assert over or "Your power is back" not in (ticket.status.reason or "")


async def mend(play: Stage, device: str, start: int, end: int) -> None:
    """A crew goes to a device, finds damage and repairs it."""
    order = next(each for each in reversed(play.orders.values()) if each.work[0].work_tasks[0].assets[0].mrid == device)
    for status, at in ((WorkStatusKind.ENROUTE, start), (WorkStatusKind.ON_SITE, start + 600)):
        await play.play(at)
        await play.crew(order, status, at, None if status is WorkStatusKind.ENROUTE else "vegetation")
        await play.play(at + 5)
    sure = (await dark_by(play, device)).estimated_restoration_time
    assert sure is not None
    assert sure.confidence_kind == "high", "somebody has seen it"
    await play.play(end)
    await play.crew(order, WorkStatusKind.COMPLETED, end, "vegetation")
    await play.play(end + 5)


async def test_of_faults_behind_each_other_the_next_is_found_after_each_repair_and_nobody_is_told_too_much(
    theatre: Installation,
) -> None:
    """Scenario 24: three faults under one open breaker: after each repair the next is found; no customer in two outages
    at any time; ETR of hidden parts never says "restored"."""
    async with stage(theatre, feeder(), fault_management, work_management, meter_reading) as play:
        await play.play(1)
        play.dark = set(POINTS)
        await play.switched(feeder("B", at=play.at(0)))
        await play.play(30)
        first = await play.call("T12-1", 60)
        assert first.status is not None
        assert first.status.value == TroubleTicketState.INFORMED
        assert first.estimated_restoration_time is not None
        assert "We expect the power back by" in (first.status.reason or "")
        await dark_by(play, "B")
        await mend(play, "B", 600, 3600)
        play.dark -= set(under("F2", "F3"))
        await play.play(3700)
        await play.switched(feeder(at=play.at(3700)))
        await play.meters(EventKind.POWER_RESTORED, *under("F2", "F3"), at=3700)
        await play.play(3760)

        for number, point in enumerate(under("F1")):
            await play.call(point, 3770 + number)
        await play.play(3900)
        fuse = await dark_by(play, "F1")
        assert fuse.parent_outage is not None
        assert points(fuse.de_energized_usage_point) == set(under("F1"))
        await mend(play, "F1", 4000, 6000)
        await play.switched(feeder("F1", at=play.at(6000)))
        await play.play(6200)
        play.dark = {mrid for mrid in under("F1") if mrid.startswith("T12")}
        await play.switched(feeder(at=play.at(6200)))
        await play.meters(EventKind.POWER_RESTORED, *(set(under("F1")) - play.dark), at=6200)
        await play.play(6260)

        for number, point in enumerate(sorted(play.dark)):
            await play.call(point, 6270 + number)
        await play.play(6400)
        transformer = await dark_by(play, "T12")
        assert points(transformer.de_energized_usage_point) == play.dark
        await mend(play, "T12", 6500, 9000)
        still_dark, play.dark = set(play.dark), set()
        await play.meters(EventKind.POWER_RESTORED, *still_dark, at=9000)
        await play.play(12000)
        assert await play.outages() == []
        nobody_was_told_too_much(play, still_dark, until=9000)


async def test_an_estimate_is_moved_before_it_runs_out_and_kept_with_who_gave_it(theatre: Installation) -> None:
    async with stage(theatre, feeder(), fault_management, work_management, meter_reading) as play:
        await play.play(1)
        play.dark = set(under("F3"))
        ticket = await play.call("T31-1", 0)
        assert ticket.estimated_restoration_time is None, "nothing is promised before a device is named"
        await play.meters(EventKind.POWER_LOST, *under("F3"), at=0)
        await play.play(600)
        times = [await dark_by(play, "F3")]
        for hours in range(1, 10):
            await play.play(600 + hours * 3600)
            times.append(await dark_by(play, "F3"))
        estimates = [each.estimated_restoration_time for each in times]
        shown = [each.ert for each in estimates if each is not None]
        assert shown == sorted(shown)
        assert len(set(shown)) > 2, "no crew goes, and it is moved again and again"
        assert {each.ert_source for each in estimates if each is not None} == {"computed"}
        assert {each.confidence_kind for each in estimates if each is not None} == {"low"}
        last = play.tickets()[-1]
        assert last.estimated_restoration_time == estimates[-1], "the caller hears each of them"
