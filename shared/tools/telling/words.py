"""What a storm says to people, line by line: only what is news."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from contracts.message import Message
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.unplanned_outages import UnplannedOutages
from shared.tools.telling.story import Story

PROGRESS = timedelta(minutes=30)
"""How often, in the time of the story, it is said how things stand."""

_STEPS = {
    "dispatch": "is sent to",
    "depart": "is on its way to",
    "arrive": "is at",
    "finding": "has found the fault at",
    "complete": "is done at",
    "cancel": "is called back from",
}
"""The steps of an order that are told, in their order."""


class News:
    """Turns messages into lines, each thing once.

    Args:
        story: what has heard each message already.
        faults: how many faults are to come.
    """

    def __init__(self, story: Story, faults: int) -> None:
        self._story = story
        self._faults = faults
        self._outages: dict[str, tuple[object, ...]] = {}
        self._steps: set[tuple[str, str]] = set()
        self._switched: set[tuple[datetime, str, str]] = set()
        self._next = story.start + PROGRESS

    def of(self, message: Message[Any]) -> Iterator[str]:
        """The lines about a message; none where it brings no news."""
        payload = message.payload
        if isinstance(payload, UnplannedOutages):
            verb = str(message.header.verb)
            for outage in payload.unplanned_outage:
                yield from self._outage(outage.mrid, verb)
        elif isinstance(payload, MaintenanceOrders):
            for order in payload.maintenance_order:
                yield from self._order(order.mrid or "")
        elif isinstance(payload, SwitchingPlans):
            for plan in payload.switching_plan:
                yield from self._plan(plan.mrid)
        if self._story.now >= self._next:
            while self._next <= self._story.now:
                self._next += PROGRESS
            yield _line(self._story.now, standing(self._story, self._faults))

    def _outage(self, mrid: str, verb: str) -> Iterator[str]:
        tale = self._story.outages.get(mrid)
        if tale is None:
            return
        told = (tale.state, tale.device, tale.customers)
        if told != self._outages.get(mrid):
            self._outages[mrid] = told
            device = self._story.name_of(tale.device) or "-"
            yield _line(self._story.now, f"outage {verb:8} {tale.state:20} {tale.customers:4} customers  {device}")

    def _order(self, mrid: str) -> Iterator[str]:
        order = self._story.orders.get(mrid)
        if order is None:
            return
        for step, words in _STEPS.items():
            if step in order.steps and (mrid, step) not in self._steps:
                self._steps.add((mrid, step))
                place = self._story.name_of(order.device) or "a customer"
                cause = f" ({order.cause})" if step == "finding" and order.cause is not None else ""
                yield _line(order.steps[step], f"{order.crew or 'a crew'} {words} {place}{cause}")

    def _plan(self, mrid: str) -> Iterator[str]:
        for step in self._story.plans[mrid].done:
            if step not in self._switched:
                self._switched.add(step)
                at, device, what = step
                yield _line(at, f"switched: {what} {self._story.name_of(device)}")


def standing(story: Story, faults: int) -> str:
    """How things stand, in one sentence."""
    return (
        f"{story.struck} of {faults} faults have struck; outages open: {len(story.open_outages)}, customers off: "
        f"{story.off}, crews out: {len(story.crews_out)}"
    )


def _line(at: datetime, text: str) -> str:
    return f"{at:%H:%M:%S}  {text}"
