"""Days that are over are judged some hours later, and once more where something comes late."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from contracts.codes.end_device_events import EventKind
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.columns import EPOCH
from services.meter_reading_and_control.domain.events import Heard
from services.meter_reading_and_control.domain.vee.statistics import HISTORY
from services.meter_reading_and_control.store import Store
from shared.work import Work

POWER = frozenset({EventKind.POWER_LOST, EventKind.POWER_RESTORED})
SWITCHED = frozenset({EventKind.CONNECTED, EventKind.DISCONNECTED})

JUST_BEFORE = timedelta(minutes=5)
"""What comes so shortly before a day is judged may not be seen then, and counts as late."""


def judged_at(day: date, work: Work[Store]) -> datetime:
    """When a market day is judged."""
    return calendar.bounds(day, work.store.memory.zone)[1] + work.store.memory.judge_after


def is_late(day: date, work: Work[Store]) -> bool:
    """True for what comes when its day may have been judged."""
    return calendar.bounds(day, work.store.memory.zone)[1] <= late_before(work)


def late_before(work: Work[Store]) -> datetime:
    """The end of the last day that may have been judged; all before it may have been."""
    day = calendar.market_day(work.now - work.store.memory.judge_after + JUST_BEFORE, work.store.memory.zone)
    return calendar.bounds(day, work.store.memory.zone)[0]


def have_judged(days: Iterable[date], work: Work[Store]) -> None:
    """Have days judged when they are over; not those whose time has come."""
    for day in sorted(set(days)):
        if not is_late(day, work):
            work.wake("day-over", day.isoformat(), judged_at(day, work), new_thread=True)


async def judge_again(late: Iterable[tuple[date, int]], work: Work[Store]) -> None:
    """Have bunches judged again of days that were, when what comes together has come; and those judged beside them."""
    if of := set(late):
        await work.store.judge_again(of, work.now)
        pause = work.store.memory.judge_late
        turn = (work.now - EPOCH) // pause + 2
        work.wake("judge", str(turn), EPOCH + turn * pause, new_thread=True)


async def heed(told: Mapping[str, set[date]], work: Work[Store]) -> None:
    """Have the days judged of which something is new, by usage point."""
    have_judged((day for days in told.values() for day in days), work)
    late = {point: [day for day in days if is_late(day, work)] for point, days in told.items()}
    if points := [point for point, days in late.items() if days]:
        bunches = await work.store.bunches_of(points)
        await judge_again(
            ((day, bunch) for point in points for day in late[point] for bunch in bunches.get(point, ())), work
        )


async def heed_power(heard: Sequence[Heard], work: Work[Store]) -> None:
    """Have the days judged again of which something else is known now that power went or came."""
    zone, edge = work.store.memory.zone, late_before(work)
    told = [each for each in heard if each.usage_point is not None and each.kind in POWER]
    back = {each.usage_point or "" for each in told if each.kind is EventKind.POWER_RESTORED}
    off = await work.store.outages_at(sorted(back)) if back else {}
    found: dict[str, set[date]] = {}
    for each in told:
        point, at = each.usage_point or "", each.happened_at
        since = next((down for down, up in off.get(point, ()) if up == at), at)
        if since < edge:
            days = calendar.each_day(*calendar.days(since, at, zone))
            found.setdefault(point, set()).update(day for day in days if is_late(day, work))
    await heed(found, work)


async def heed_switches(heard: Sequence[Heard], work: Work[Store]) -> None:
    """Have the days judged again in which a switch was open or closed, as is told late; at most those of four weeks."""
    zone = work.store.memory.zone
    told = [each for each in heard if each.usage_point is not None and each.kind in SWITCHED]
    late = [each for each in told if is_late(calendar.market_day(each.happened_at, zone), work)]
    known = await work.store.switched(each.usage_point or "" for each in late) if late else []
    found: dict[str, set[date]] = {}
    for each in late:
        point, at = each.usage_point or "", each.happened_at
        moved = [when for other, when, _ in known if other == point and when > at]
        days = calendar.each_day(*calendar.days(at, min([*moved, at + HISTORY, work.now]), zone))
        found.setdefault(point, set()).update(day for day in days if is_late(day, work))
    await heed(found, work)


async def heed_since(changed: Mapping[str, datetime], work: Work[Store]) -> None:
    """Have the days judged again since when something is otherwise at usage points, as is told late.

    What has been so for more than four weeks counts for days to come: a town that is set up is not judged anew.
    """
    zone = work.store.memory.zone
    await heed(
        {
            point: {day for day in calendar.each_day(*calendar.days(since, work.now, zone)) if is_late(day, work)}
            for point, since in changed.items()
            if work.now - HISTORY <= since < work.now
        },
        work,
    )
