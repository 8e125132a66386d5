"""The life of what is wrong with an asset, from the finding to the day on which somebody sees that it is well again.

Of one code an asset has one event at a time: a finding that is made again, by whomever and however often, joins it. So
work is asked for once.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.asset_health_events import AssetHealthState
from services.asset_management.domain.findings import Finding, Priority


class Step(StrEnum):
    """What happens to a health event."""

    RANKED = "ranked"
    REQUESTED = "requested"
    GIVEN_UP = "givenUp"
    REMEDIED = "remedied"
    SEEN_AGAIN = "seenAgain"
    SEEN_WELL = "seenWell"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    CLOSED = "closed"


A = AssetHealthState

NEXT: Mapping[tuple[AssetHealthState, Step], AssetHealthState] = {
    (A.OPEN, Step.RANKED): A.PRIORITISED,
    (A.PRIORITISED, Step.REQUESTED): A.WORK_REQUESTED,
    (A.PRIORITISED, Step.REMEDIED): A.REMEDIED,
    (A.PRIORITISED, Step.SEEN_AGAIN): A.PRIORITISED,
    (A.PRIORITISED, Step.SEEN_WELL): A.VERIFIED,
    (A.PRIORITISED, Step.ACCEPTED): A.ACCEPTED_RISK,
    (A.WORK_REQUESTED, Step.GIVEN_UP): A.PRIORITISED,
    (A.WORK_REQUESTED, Step.REMEDIED): A.REMEDIED,
    (A.WORK_REQUESTED, Step.SEEN_AGAIN): A.WORK_REQUESTED,
    (A.REMEDIED, Step.SEEN_AGAIN): A.PRIORITISED,
    (A.REMEDIED, Step.SEEN_WELL): A.VERIFIED,
    (A.ACCEPTED_RISK, Step.SEEN_AGAIN): A.ACCEPTED_RISK,
    (A.ACCEPTED_RISK, Step.SEEN_WELL): A.VERIFIED,
    (A.ACCEPTED_RISK, Step.EXPIRED): A.PRIORITISED,
    (A.VERIFIED, Step.CLOSED): A.CLOSED,
}
"""What leads where; a finding that is seen again joins the event that is open, whatever became of it so far."""

OVER = frozenset({A.VERIFIED, A.CLOSED})
"""A finding of the same code that comes after one of these is a new event."""


def moved(state: AssetHealthState, step: Step) -> AssetHealthState:
    """The state after a step.

    Raises:
        Conflict: the table refuses it.
    """
    after = NEXT.get((state, step))
    if after is None:
        raise Conflict(f"a health event that is '{state}' cannot be '{step}'")
    return after


def may(state: AssetHealthState, step: Step) -> bool:
    """True when the table has the step."""
    return (state, step) in NEXT


class HealthEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is wrong with an asset.

    Attributes:
        created_at, changed_at: when it was entered, and last told.
        since: when it was seen first.
        seen_at: when it was last seen.
        source: the data set in which it was seen first; ``tested`` where that is a test.
        work: the work that was asked for.
        remedied_at: when that work was done.
        until, by: how long the risk is accepted, and by whom.
        note: why it is as it is.
    """

    mrid: str
    asset: str
    code: str
    priority: Priority
    reason: str
    advice: str
    state: AssetHealthState
    created_at: datetime
    changed_at: datetime
    since: datetime
    seen_at: datetime
    revision: int = 0
    source: str | None = None
    tested: bool = False
    work: str | None = None
    remedied_at: datetime | None = None
    until: datetime | None = None
    by: str | None = None
    note: str | None = None

    @property
    def needs_work(self) -> bool:
        """True when work is to be asked for now; what is least urgent waits for work that is planned anyway."""
        return self.state is A.PRIORITISED and self.priority is not Priority.P4

    @property
    def latest(self) -> datetime:
        """By when it is to be remedied."""
        return self.since + timedelta(days=self.priority.days)


class Sight(Struct, frozen=True, kw_only=True):
    """When something was seen of an asset, and where that is written; ``tested`` where that is a test."""

    asset: str
    at: datetime
    source: str | None = None
    tested: bool = False


def raised(finding: Finding, sight: Sight, mrid: str, now: datetime) -> HealthEvent:
    """The event that a finding becomes, with its priority."""
    return HealthEvent(
        mrid=mrid,
        asset=sight.asset,
        code=finding.code,
        priority=finding.priority,
        reason=finding.reason,
        advice=finding.advice,
        state=NEXT[A.OPEN, Step.RANKED],
        created_at=now,
        changed_at=now,
        since=sight.at,
        seen_at=sight.at,
        source=sight.source,
        tested=sight.tested,
    )


def seen_again(event: HealthEvent, finding: Finding, at: datetime) -> HealthEvent:
    """The event after the same was found at another time; it may be more urgent now.

    What was seen before the work was done is no news after it.
    """
    if event.remedied_at is not None and at <= event.remedied_at:
        return event
    worse = min(event.priority, finding.priority)
    told = replace(
        event,
        priority=worse,
        reason=finding.reason if at >= event.seen_at else event.reason,
        since=min(event.since, at),
        seen_at=max(event.seen_at, at),
    )
    return replace(told, state=moved(event.state, Step.SEEN_AGAIN))


def seen_well(event: HealthEvent, at: datetime) -> HealthEvent:
    """The event after somebody looked and found nothing wrong; work that was asked for goes on."""
    if at <= max(event.seen_at, event.remedied_at or event.seen_at) or not may(event.state, Step.SEEN_WELL):
        return event
    return replace(event, state=moved(event.state, Step.SEEN_WELL))


def remedied(event: HealthEvent, at: datetime) -> HealthEvent:
    """The event after its work was done; nothing where it was done already or is not waited for."""
    if not may(event.state, Step.REMEDIED):
        return event
    return replace(event, state=moved(event.state, Step.REMEDIED), remedied_at=at)


def given_up(event: HealthEvent, why: str) -> HealthEvent:
    """The event after its work was refused or cancelled."""
    if not may(event.state, Step.GIVEN_UP):
        return event
    return replace(event, state=moved(event.state, Step.GIVEN_UP), work=None, note=why)


def expired(event: HealthEvent) -> HealthEvent:
    """The event after the time ended for which its risk was accepted."""
    if not may(event.state, Step.EXPIRED):
        return event
    return replace(event, state=moved(event.state, Step.EXPIRED), until=None, by=None)


def decided(
    event: HealthEvent, state: AssetHealthState, *, until: datetime | None, by: str | None, now: datetime
) -> HealthEvent:
    """The event after a person decided on it: a risk accepted until a day, seen well, or closed.

    Raises:
        Conflict: the event is in a state that does not allow it.
        Invalid: nobody accepts the risk, or for ever.
    """
    if state is A.ACCEPTED_RISK:
        if until is None or by is None or until <= now:
            raise Invalid("a risk is accepted by somebody (status/remark or User) until a time to come", code="5.8")
        return replace(event, state=moved(event.state, Step.ACCEPTED), until=until, by=by)
    step = {A.VERIFIED: Step.SEEN_WELL, A.CLOSED: Step.CLOSED, A.REMEDIED: Step.REMEDIED}.get(state)
    if step is None:
        raise Conflict(f"nobody makes a health event '{state}' by hand; it is '{event.state}'", object_id=event.mrid)
    return replace(event, state=moved(event.state, step))
