"""What customers are to know of an outage, and what of it is news.

Nothing is said of a mere suspicion. An estimate that moves by no more than a quarter of an hour is no news unless it
is later than what was said; power is back only when the meters have confirmed it (metering guide 10).
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.customer_types import NotificationTriggerKind
from contracts.nouns.unplanned_outages import CrewStatusKind, OutageState

T = NotificationTriggerKind

SMALL = timedelta(minutes=15)
"""An estimate that moves by less, and not beyond what was said, is not worth a message."""

OUT = frozenset({OutageState.PREDICTED, OutageState.CONFIRMED, OutageState.PARTIALLY_RESTORED})
BACK = frozenset({OutageState.VERIFIED, OutageState.CLOSED})
OVER = frozenset({OutageState.CLOSED, OutageState.DISMISSED, OutageState.MOMENTARY})
_UNDER_WAY = frozenset({CrewStatusKind.ENROUTE, CrewStatusKind.ARRIVED})


class Known(Struct, frozen=True, kw_only=True):
    """What is known of one outage.

    Attributes:
        revision: of the outage; what is older says nothing.
        points: the usage points that are or were without supply by it, sorted.
        estimate: when power is expected back.
        told_estimate: what of it was said to customers.
        cause: what the crew found.
        crew: where the crew is.
        out_told: customers were told that power is out.
        crew_told: they were told that somebody is on the way.
        unverified: those of the usage points that should have power again while nobody can say whether they have.
    """

    outage: str
    revision: int
    state: OutageState
    points: tuple[str, ...]
    began_at: datetime | None = None
    estimate: datetime | None = None
    told_estimate: datetime | None = None
    cause: str | None = None
    crew: CrewStatusKind | None = None
    out_told: bool = False
    crew_told: bool = False
    unverified: tuple[str, ...] = ()


def concerned(known: Known, trigger: NotificationTriggerKind) -> tuple[str, ...]:
    """The usage points for which a piece of news is true: that power is back is not where nobody can say so."""
    gone = set(known.unverified) if trigger is T.POWER_RESTORED else set[str]()
    return tuple(point for point in known.points if point not in gone)


def news(before: Known | None, heard: Known) -> tuple[Known, tuple[NotificationTriggerKind, ...]]:
    """What is known now, and what of it customers are to be told; nothing for what is older than what is known."""
    if before is not None and heard.revision <= before.revision:
        return before, ()
    known = heard
    if before is not None:
        known = replace(
            heard,
            points=tuple(sorted({*before.points, *heard.points})),
            told_estimate=before.told_estimate,
            out_told=before.out_told,
            crew_told=before.crew_told,
        )
    triggers: list[NotificationTriggerKind] = []
    if known.state in OUT:
        is_news = known.estimate is not None and _is_news(known.told_estimate, known.estimate)
        if not known.out_told:
            triggers.append(T.POWER_OUT)
        elif is_news:
            triggers.append(T.INITIAL_ETR if known.told_estimate is None else T.ETR_CHANGE)
        if known.crew in _UNDER_WAY and not known.crew_told:
            triggers.append(T.INFORM_DISPATCHED)
        told = known.estimate if is_news else known.told_estimate
        known = replace(known, out_told=True, told_estimate=told, crew_told=known.crew_told or known.crew in _UNDER_WAY)
    if known.state in BACK and known.out_told and (before is None or before.state not in BACK):
        triggers.append(T.POWER_RESTORED)
    return known, tuple(triggers)


def _is_news(told: datetime | None, estimate: datetime) -> bool:
    return told is None or estimate > told or told - estimate > SMALL
