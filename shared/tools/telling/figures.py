"""The figures of a storm: what was inferred beside what was true, how long it took, and how much was done."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from statistics import median

from msgspec import Struct

from contracts.nouns.training_scenarios import Fault, TrainingScenario
from contracts.nouns.unplanned_outages import OutageState
from shared.tools.telling.story import OutageTale, Story

OPEN = "open"


class Spread(Struct, frozen=True, kw_only=True):
    """How long something took: how often it was seen, and in seconds the median and the worst; None if never."""

    seen: int
    median_s: float | None
    worst_s: float | None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Spread":
        """The spread of those values that are there."""
        known = sorted(each for each in values if each is not None)
        return cls(
            seen=len(known),
            median_s=round(median(known), 1) if known else None,
            worst_s=round(known[-1], 1) if known else None,
        )


class FaultLine(Struct, frozen=True, kw_only=True):
    """One fault that stayed, as it was and as it was told.

    Attributes:
        struck_at: when.
        equipment: what was struck.
        device: what opened for it in truth.
        predicted_device: what the outage named before any crew had said what it found.
        confirmed_device: what it named in the end.
        customers: how many were in the dark in truth; None where that was not told.
        customers_told: the most that the outage covered.
        detected_s: from the stroke until an outage first told of it.
        isolated_s: until the part with the fault was known to be cut off: the outage named the device that opened, or,
            where there was switching, its last opening.
        restored_s: until the outage was restored, everybody included.
        closed_s: until it was closed.
    """

    fault: str
    outage: str | None
    struck_at: datetime
    equipment: str | None
    device: str | None
    predicted_device: str | None
    confirmed_device: str | None
    customers: int | None
    customers_told: int
    detected_s: float | None
    isolated_s: float | None
    restored_s: float | None
    closed_s: float | None


class Times(Struct, frozen=True, kw_only=True):
    """Over all faults that stayed, from the stroke on."""

    detect: Spread
    isolate: Spread
    restore: Spread


class Done(Struct, frozen=True, kw_only=True):
    """How much was done.

    Attributes:
        switching_plans: plans that were told of.
        switching_steps: steps of them that were carried out; what was only written down as found is none.
        switching_failed: steps that failed, or of which nobody knows what became.
        work_orders: orders to crews.
        work_orders_closed: those that came to their end.
        crews: crews that went out.
        calls: calls of customers.
        callers_informed: those who were told when power is expected.
        customers_told: customers who were told of their outage, called or not.
        last_gasps: last gasps of meters that came in.
    """

    switching_plans: int
    switching_steps: int
    switching_failed: int
    work_orders: int
    work_orders_closed: int
    crews: int
    calls: int
    callers_informed: int
    customers_told: int
    last_gasps: int


def fault_lines(story: Story, scenario: TrainingScenario) -> Iterator[FaultLine]:
    """Each fault that stayed, in the order of the strokes."""
    outage_of = {match.fault: match.outage for match in scenario.outage_match}
    for fault in sorted(scenario.fault, key=lambda each: (each.occurred_date_time, each.mrid)):
        if not fault.temporary or fault.mrid in outage_of:
            yield _line(story, fault, _tale(story, fault, outage_of.get(fault.mrid)))


def times(lines: Iterable[FaultLine]) -> Times:
    """How long it took to detect, to isolate and to restore."""
    lines = tuple(lines)
    return Times(
        detect=Spread.of(line.detected_s for line in lines),
        isolate=Spread.of(line.isolated_s for line in lines),
        restore=Spread.of(line.restored_s for line in lines),
    )


def done(story: Story) -> Done:
    """How much was done by the word of those who did it."""
    orders = story.orders.values()
    return Done(
        switching_plans=sum(bool(plan.done or plan.failed) for plan in story.plans.values()),
        switching_steps=sum(len(plan.done) for plan in story.plans.values()),
        switching_failed=sum(plan.failed for plan in story.plans.values()),
        work_orders=len(orders),
        work_orders_closed=sum("complete" in order.steps or "close" in order.steps for order in orders),
        crews=len({order.crew for order in orders if order.crew is not None and "depart" in order.steps}),
        calls=len(story.calls),
        callers_informed=len(story.informed),
        customers_told=story.plan.count(story.told),
        last_gasps=len(story.gasps),
    )


def _tale(story: Story, fault: Fault, outage: str | None) -> OutageTale | None:
    """What was told of a fault: by its outage, or by the one that stayed, where that was a shot before or dismissed."""
    tale = story.outages.get(outage or "")
    if tale is None or tale.restored_at is not None:
        return tale
    same = [each for each in story.outages.values() if each.device == tale.device]
    later = [each for each in same if each.restored_at is not None and each.restored_at > fault.occurred_date_time]
    return min(later, key=lambda each: (each.began, each.mrid), default=tale)


def _first_told(story: Story, tale: OutageTale, fault: Fault) -> datetime:
    """When an outage of the same device first told of a fault that stayed."""
    told = (
        each.heard_at
        for each in story.outages.values()
        if each.device == tale.device and each.state != OutageState.MOMENTARY
    )
    return min((at for at in told if at >= fault.occurred_date_time), default=tale.heard_at)


def _line(story: Story, fault: Fault, tale: OutageTale | None) -> FaultLine:
    at = fault.occurred_date_time
    found = None if tale is None else _found_at(story, tale)
    return FaultLine(
        fault=fault.mrid,
        outage=None if tale is None else tale.mrid,
        struck_at=at,
        equipment=story.name_of(fault.equipment),
        device=story.name_of(fault.device),
        predicted_device=None if tale is None else story.name_of(tale.named_before(found)),
        confirmed_device=None if tale is None else story.name_of(tale.device),
        customers=story.plan.count(each.mrid or "" for each in fault.usage_point) if fault.usage_point else None,
        customers_told=0 if tale is None else tale.customers,
        detected_s=None if tale is None else _since(at, _first_told(story, tale, fault)),
        isolated_s=None if tale is None else _since(at, _isolated_at(story, tale)),
        restored_s=None if tale is None else _since(at, tale.restored_at),
        closed_s=None if tale is None else _since(at, tale.closed_at),
    )


def _found_at(story: Story, tale: OutageTale) -> datetime | None:
    """When a crew first said what it found."""
    return min((each.steps["finding"] for each in story.orders_for(tale.mrid) if "finding" in each.steps), default=None)


def _isolated_at(story: Story, tale: OutageTale) -> datetime | None:
    """When the part with the fault was known to be cut off: by protection, or by switching where there was some."""
    opened = [
        at for plan in story.plans.values() if plan.outage == tale.mrid for at, _, what in plan.done if what == OPEN
    ]
    known = next((since for since, device in tale.named if device == tale.device), None)
    return max(opened, default=known)


def _since(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else max(0.0, round((end - begin).total_seconds(), 1))
