"""What passes transformers is held against what those behind them used, once their days have been judged."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain import balance, calendar
from services.meter_reading_and_control.domain.balance import WEEK, WITHIN, Used
from services.meter_reading_and_control.domain.membership import covers, groups_in
from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.domain.tamper import is_use
from services.meter_reading_and_control.domain.vee.days import is_judged
from services.meter_reading_and_control.domain.vee.statistics import whole_days
from services.meter_reading_and_control.service.beside import factor_of
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.guarding import where
from services.meter_reading_and_control.service.tampering import weigh
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views.derived import SECONDARY, Equipment
from shared.work import Wake, Work

AT_ONCE = 20
"""So many transformers are looked at in one transaction."""


@service.on_wake("balance")
async def look_at_balances(wake: Wake, work: Work[Store]) -> None:
    """The days until one have been judged: the transformers that have a meter are looked at, some at once."""
    some = await work.store.transformer_meters(wake.payload, AT_ONCE)
    for transformer, point in some:
        await look_at_balance(transformer, point, date.fromisoformat(wake.key), work)
    if len(some) == AT_ONCE:
        work.wake("balance", wake.key, work.now, some[-1][0], new_thread=True)


async def look_at_balance(transformer: str, point: str, last: date, work: Work[Store]) -> None:
    """Whether what passes a transformer was lost for a week; where that is news those behind it are weighed."""
    days = [last - back * calendar.DAY for back in reversed(range(WITHIN))]
    members = await members_of(transformer, point, days, work)
    points = sorted(members)
    passed, *used = await used_on([point, *points], days, work)
    shares = balance.losses(passed, used, np.array([members[each] for each in points], np.bool_).reshape(-1, WITHIN))
    found = balance.lasting(shares)
    known = await work.store.balance_loss(transformer)
    if found is None or (known is None and not found[0]):
        return
    is_lost, at = found
    if is_lost:
        mean = float(np.mean(shares[~np.isnan(shares)][-WEEK:]))
        await work.store.save_balance_loss(transformer, days[at], mean)
    else:
        await work.store.end_balance_loss(transformer)
    if (known is not None) is is_lost:
        return
    work.count("transformers", balance="lost" if is_lost else "even")
    period = calendar.bounds(days[at], work.store.memory.zone)
    there = [each for each in points if members[each][at]]
    meters = {usage_point: meter for meter, usage_point in (await where(there, work)).items() if usage_point in there}
    before = await work.store.suspicions(meters)
    for each, meter in sorted(meters.items()):
        await weigh(each, meter, period, before.get(each), work)


async def members_of(
    transformer: str, own: str, days: Sequence[date], work: Work[Store]
) -> Mapping[str, Sequence[bool]]:
    """The usage points behind a transformer, and on which days each was; that of its own meter is none of them."""
    served = await work.store.served([transformer], None)
    starts = [calendar.bounds(day, work.store.memory.zone)[0] for day in days]
    return {
        point: [covers(spells, at) for at in starts]
        for group in groups_in(served, [transformer])
        for point, spells in group.members.items()
        if point != own and any(covers(spells, at) for at in starts)
    }


async def used_on(points: Sequence[str], days: Sequence[date], work: Work[Store]) -> list[Used]:
    """What usage points used on days, as the first of them tells it; where one tells it otherwise it is not known."""
    firsts = await work.store.firsts_of(points)
    told = {point: {ReadingTypeCode.parse(each): first for each, first in of.items()} for point, of in firsts.items()}
    code = next((each for each in told.get(points[0], ()) if is_use(each) and is_judged(each)), None)
    own = [(point, each) for point in points for each in balance.alike(code, told.get(point, ()))]
    known = await work.store.statistics([told[point][each] for point, each in own])
    use, is_known = whole_days(known, days[0].toordinal(), len(days))
    equipment = await equipment_of(points, work)
    begins = calendar.bounds(days[0], work.store.memory.zone)[0]
    parts: dict[str, list[Used]] = {point: [] for point in points}
    for row, (point, each) in enumerate(own):
        factor = factor_of(equipment.get(point), begins) if each.commodity == SECONDARY else 1.0
        parts[point].append(Used(use=use[row] * factor * balance.weight_of(each), is_known=is_known[row]))
    return [balance.together(each, len(days)) for each in parts.values()]


async def equipment_of(points: Sequence[str], work: Work[Store]) -> Mapping[str, Equipment]:
    """The meters of usage points that are, or ever were, behind instrument transformers."""
    installed = dict(grouped(await work.store.installed(points), lambda each: each.usage_point))
    ratios = await work.store.with_ratios([each.meter for of_point in installed.values() for each in of_point])
    setups = await work.store.setups(ratios, None) if ratios else {}
    return {point: Equipment(installed=installed[point], setups=setups) for point in points if point in installed}
