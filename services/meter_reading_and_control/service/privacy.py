"""What is given to roles outside: sums that tell nothing of one usage point, and nothing else (metering guide 16)."""

from collections.abc import AsyncIterator, Sequence

from contracts.errors import Denied
from contracts.message import Request
from contracts.nouns.meter_readings import MeterReadings
from services.meter_reading_and_control.domain import calendar, privacy
from services.meter_reading_and_control.domain.membership import Group, covers, united
from services.meter_reading_and_control.domain.privacy import LEAST_MEMBERS, Shares
from services.meter_reading_and_control.service.coincidence import added, counts
from services.meter_reading_and_control.service.sums import values_on
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import sums
from services.meter_reading_and_control.views.answers import Question
from shared.work import Work


def is_outside(work: Work[Store]) -> bool:
    """True where a role asks, as the broker vouches for it, that gets no readings of single usage points."""
    return work.principal in work.store.memory.outsiders


def refuse_single(request: Request, work: Work[Store]) -> None:
    """Refuse a role outside everything but whole sums.

    Raises:
        Denied: 7.5, it asks for something else.
    """
    adding = sums.adding_in(request)
    if adding is None or adding.is_peak or adding.least_share < 1:
        raise Denied(f"'{work.principal}' is given sums of groups in which nobody is missing, and nothing else")


async def released(
    groups: Sequence[Group], asked: Question, adding: sums.Adding, work: Work[Store]
) -> AsyncIterator[MeterReadings]:
    """The sums of groups, if all of them may be given; who was in them, and when, is remembered.

    Raises:
        Denied: 7.7, one would tell of single usage points.
    """
    await work.store.lock_released()
    for group in groups if adding.each else [united(groups)]:
        await release(group, asked, work)
    async for page in added(groups, asked, adding, work):
        yield page


async def release(group: Group, asked: Question, work: Work[Store]) -> None:
    """Remember that the sums of a group are given.

    Raises:
        Denied: 7.7, they must not be.
    """
    zone, members = work.store.memory.zone, sorted(group.members)
    types = sums.types_of(await work.store.types_of(members), sums.types_to_add(asked))
    shares = {code: Shares() for code in sorted(types.added)}
    async for day, _ in work.store.known_pages(members, calendar.days(asked.start, asked.end, zone), calendar.DAY):
        starts = {code: tally.starts for code, tally in sums.empty_tallies(types, day, zone).items()}
        within = {code: counts(code, of_type, asked, work.now) for code, of_type in starts.items()}
        counted = {code: [0] * len(of_type) for code, of_type in starts.items()}
        async for point, values in values_on(day, members, types, asked, work):
            for code in types.expected(point):
                belongs = (covers(group.members[point], start) for start in starts[code])
                does = [one and other for one, other in zip(within[code], belongs, strict=True)]
                counted[code] = [so_far + is_in for so_far, is_in in zip(counted[code], does, strict=True)]
                shares[code].see(point, sums.in_type(code, values, len(starts[code])), does)
        for of_type in counted.values():
            privacy.refuse_few(group.name, of_type)
    for each in shares.values():
        each.refuse_large(group.name)
        if each.members:
            period = asked.start, min(asked.end, work.now)
            if await work.store.was_released_alike(sorted(each.members), period, LEAST_MEMBERS):
                raise Denied(
                    f"sum of {group.name}: with one that was given it tells of fewer than {LEAST_MEMBERS}", code="7.7"
                )
            await work.store.save_released(sorted(each.members), period, work.now)
