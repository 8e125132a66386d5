"""Notices: to whom, when and what (metering guide 2.10 and 10).

A notice is held over quiet hours, and for an hour after the last one about the same outage unless it says that power is
away or back. A newer one takes the place of what is still held. Who depends on the supply has no quiet hours. That
power is back is told only to who was told that it was away.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.customer_types import NotificationTriggerKind

T = NotificationTriggerKind

ONCE_IN = timedelta(hours=1)
"""One notice about an outage in so long, but for the beginning and the end."""

_LIMITED = frozenset({T.INITIAL_ETR, T.ETR_CHANGE, T.INFORM_DISPATCHED})


class NoticeState(StrEnum):
    """What became of a notice."""

    HELD = "HELD"
    SENT = "SENT"
    SUPERSEDED = "SUPERSEDED"


class Preference(Struct, frozen=True, kw_only=True):
    """That a customer wants to be told of something, how, and between which times of the day."""

    trigger: NotificationTriggerKind
    channel: str
    earliest: time | None = None
    latest: time | None = None


class Recipient(Struct, frozen=True, kw_only=True):
    """A customer at a usage point; ``critical`` depends on the supply."""

    customer: str
    usage_point: str
    critical: bool
    preferences: tuple[Preference, ...]


class Notice(Struct, frozen=True, kw_only=True):
    """One message to one customer about one outage."""

    mrid: str
    outage: str
    customer: str
    trigger: NotificationTriggerKind
    channel: str
    text: str
    composed_at: datetime
    due_at: datetime
    state: NoticeState = NoticeState.HELD
    sent_at: datetime | None = None


def composed(
    trigger: NotificationTriggerKind,
    text: str,
    outage: str,
    recipients: Iterable[Recipient],
    earlier: Sequence[Notice],
    *,
    now: datetime,
    zone: tzinfo,
    mrids: Iterable[str],
) -> list[Notice]:
    """The notices that a piece of news makes, those that can go now sent, and the held ones that they replace.

    ``recipients`` are those who are concerned, ``earlier`` the notices about this outage so far, and ``mrids`` gives
    the identity of each new one.
    """
    result: list[Notice] = []
    identities = iter(mrids)
    for recipient in sorted(recipients, key=lambda each: (each.customer, each.usage_point)):
        wish = next((each for each in recipient.preferences if each.trigger is trigger), None)
        own = [each for each in [*earlier, *result] if each.customer == recipient.customer]
        if wish is None or any((each.trigger, each.text) == (trigger, text) for each in own):
            continue
        sent = [each for each in own if each.state is NoticeState.SENT]
        held = [each for each in own if each.state is NoticeState.HELD]
        result += [replace(each, state=NoticeState.SUPERSEDED) for each in held]
        if trigger is T.POWER_RESTORED and not sent:
            continue
        after = max([now, *(each.sent_at + ONCE_IN for each in sent if each.sent_at and trigger in _LIMITED)])
        due = after if recipient.critical else _awake(wish, after, zone)
        notice = Notice(
            mrid=next(identities),
            outage=outage,
            customer=recipient.customer,
            trigger=trigger,
            channel=wish.channel,
            text=text,
            composed_at=now,
            due_at=due,
        )
        result.append(delivered(notice, now) if due <= now else notice)
    return result


def delivered(notice: Notice, now: datetime) -> Notice:
    """A notice that has gone out."""
    return replace(notice, state=NoticeState.SENT, sent_at=now)


def wording(trigger: NotificationTriggerKind, estimate: datetime | None, zone: tzinfo) -> str:
    """What a customer reads."""
    until = "" if estimate is None else f" We expect it back by {estimate.astimezone(zone):%H:%M on %d %B}."
    return {
        T.POWER_OUT: f"Your power is out. We are looking into it.{until}",
        T.INITIAL_ETR: f"Your power is out.{until}",
        T.ETR_CHANGE: f"It takes longer or shorter than we said.{until}",
        T.INFORM_DISPATCHED: f"A crew is on its way to restore your power.{until}",
        T.POWER_RESTORED: "Your power is back. If it is not, please call us.",
    }[trigger]


def _awake(wish: Preference, at: datetime, zone: tzinfo) -> datetime:
    """The first moment from ``at`` on at which a customer wants to be told."""
    if wish.earliest is None or wish.latest is None:
        return at
    local = at.astimezone(zone)
    if wish.earliest <= local.time() < wish.latest:
        return at
    day = local.date() if local.time() < wish.earliest else local.date() + timedelta(days=1)
    return datetime.combine(day, wish.earliest, zone)
