"""What speaks for and against power at a usage point, judged by when it happened and never by when it arrived."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

SKEW = timedelta(seconds=30)
"""By how much clocks in the field may disagree (meters differ by some seconds, remote terminals by their scan)."""

HISTORY = timedelta(minutes=60)
"""A last gasp that is older than this when it arrives says nothing about now."""

QUALIFIED = timedelta(seconds=30)
"""So long at least a meter has no power before it gasps (30 to 45 s are usual), so that it does not for each shot."""

SERVICE_WORK = timedelta(minutes=10)
"""Within this of the removal or installation of a meter, what it tells is about the work at it and not about supply."""


class EvidenceKind(StrEnum):
    """What was heard of a usage point."""

    GASP = "gasp"
    RESTORED = "restored"
    ANSWERED = "answered"
    """A meter that was asked answered, so that it had power then; since when, it does not say."""

    CALL = "call"
    PARTIAL = "partial"
    """A customer has part of the power: a phase is missing."""

    SILENT = "silent"
    """A meter that can be reached did not answer when its power should have been back."""

    OFF = "off"
    """A meter that was asked, or its battery, answered that it has no power; since when, it does not say."""

    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    REMOVED = "removed"
    INSTALLED = "installed"


DARK = frozenset({EvidenceKind.GASP, EvidenceKind.CALL, EvidenceKind.PARTIAL, EvidenceKind.SILENT, EvidenceKind.OFF})
"""What says that power is missing."""

ABOUT_THE_METER = frozenset(
    {EvidenceKind.DISCONNECTED, EvidenceKind.CONNECTED, EvidenceKind.REMOVED, EvidenceKind.INSTALLED}
)
"""What says why a meter tells of power, or is silent, and nothing about the supply."""


class Evidence(Struct, frozen=True, kw_only=True, order=True):
    """One thing heard; all four attributes together say what it is, so hearing it again adds nothing.

    Attributes:
        time: when it happened.
        source: the meter that told, or the ticket of the call.
    """

    usage_point: str
    time: datetime
    kind: EvidenceKind
    source: str

    @property
    def dark(self) -> bool:
        """True for what says that the power is missing."""
        return self.kind in DARK


class Outcome(StrEnum):
    """What came of asking a meter whether it has power."""

    ANSWERED = "answered"
    SILENT = "silent"
    """It did not answer in time, which says nothing by itself."""

    REFUSED = "refused"
    """It could not be asked."""


class Ping(Struct, frozen=True, kw_only=True):
    """A meter that was asked whether it has power; ``outcome`` is None as long as nothing came of it."""

    mrid: str
    usage_point: str
    asked_at: datetime
    outcome: Outcome | None = None


class Standing(Struct, frozen=True, kw_only=True):
    """What the newest evidence says about a usage point.

    Attributes:
        dark: the power is missing.
        partial: only a part of it is.
        since: the beginning of that, the first evidence of the same kind without a contradiction in between.
        latest: the newest evidence.
        lost: a meter told of the loss, so that it had power until then; what is only called may be older.
        returned: when power came back by the word of a meter or a customer; None where meters have only answered.
    """

    dark: bool
    since: datetime
    latest: datetime
    partial: bool = False
    lost: bool = False
    returned: datetime | None = None


def standing(evidence: Iterable[Evidence], now: datetime) -> dict[str, Standing]:
    """Where each usage point stands; at the same instant power outweighs its absence.

    What claims to come from the future (a broken clock) is left out until its time has come, and so is what only the
    work at a meter made it tell.
    """
    result: dict[str, Standing] = {}
    for each in sorted(about_supply(evidence), key=lambda e: (e.time, not e.dark)):
        if each.time > now + SKEW:
            continue
        before = result.get(each.usage_point)
        goes_on = before is not None and before.dark == each.dark
        result[each.usage_point] = Standing(
            dark=each.dark,
            since=before.since if before is not None and goes_on else each.time,
            latest=each.time,
            partial=each.kind is EvidenceKind.PARTIAL and (before is None or not goes_on or before.partial),
            lost=each.kind is EvidenceKind.GASP or (before is not None and goes_on and before.lost),
            returned=_returned(each, before if goes_on else None),
        )
    return result


def _returned(each: Evidence, before: Standing | None) -> datetime | None:
    if before is not None and before.returned is not None:
        return before.returned
    return each.time if each.kind is EvidenceKind.RESTORED else None


def about_supply(evidence: Iterable[Evidence]) -> list[Evidence]:
    """The evidence, each piece once, without what the work at a meter explains.

    A usage point that was disconnected on purpose is silent or dark until it is connected again; and around the
    exchange of a meter neither the old nor the new one tells anything of the supply.
    """
    pieces = set(evidence)
    work: dict[str, list[Evidence]] = {}
    for each in pieces:
        if each.kind in ABOUT_THE_METER:
            work.setdefault(each.usage_point, []).append(each)
    spans = {mrid: list(_spans(sorted(events))) for mrid, events in work.items()}
    return [
        each
        for each in pieces
        if each.kind not in ABOUT_THE_METER
        and not (
            each.dark
            and any(
                start - SKEW <= each.time and (end is None or each.time <= end)
                for start, end in spans.get(each.usage_point, ())
            )
        )
    ]


def cut_off(evidence: Iterable[Evidence]) -> frozenset[str]:
    """The usage points that are disconnected on purpose or without a meter; their silence says nothing."""
    latest: dict[str, Evidence] = {}
    for each in sorted(each for each in set(evidence) if each.kind in ABOUT_THE_METER):
        latest[each.usage_point] = each
    return frozenset(mrid for mrid, each in latest.items() if each.kind in _BEGINS)


_BEGINS = frozenset({EvidenceKind.DISCONNECTED, EvidenceKind.REMOVED})


def _spans(events: list[Evidence]) -> Iterator[tuple[datetime, datetime | None]]:
    """The times in which what a meter tells is explained; ``events`` about it are in the order of time."""
    began: datetime | None = None
    for each in events:
        margin = timedelta(0) if each.kind in {EvidenceKind.DISCONNECTED, EvidenceKind.CONNECTED} else SERVICE_WORK
        if each.kind in _BEGINS:
            began = each.time - margin if began is None else began
        else:
            yield began or each.time - margin, each.time + (margin or SKEW)
            began = None
    if began is not None:
        yield began, None
