"""What speaks for and against power at a usage point, judged by when it happened and never by when it arrived."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

SKEW = timedelta(seconds=30)
"""By how much clocks in the field may disagree (meters differ by some seconds, remote terminals by their scan)."""

HISTORY = timedelta(minutes=60)
"""A last gasp that is older than this when it arrives says nothing about now."""


class EvidenceKind(StrEnum):
    """What was heard of a usage point."""

    GASP = "gasp"
    RESTORED = "restored"
    CALL = "call"


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
        return self.kind is not EvidenceKind.RESTORED


class Standing(Struct, frozen=True, kw_only=True):
    """What the newest evidence says about a usage point.

    Attributes:
        dark: the power is missing.
        since: the beginning of that, the first evidence of the same kind without a contradiction in between.
        latest: the newest evidence.
    """

    dark: bool
    since: datetime
    latest: datetime


def standing(evidence: Iterable[Evidence], now: datetime) -> dict[str, Standing]:
    """Where each usage point stands; at the same instant power outweighs its absence.

    What claims to come from the future (a broken clock) is left out until its time has come.
    """
    result: dict[str, Standing] = {}
    for each in sorted(set(evidence), key=lambda e: (e.time, not e.dark)):
        if each.time > now + SKEW:
            continue
        before = result.get(each.usage_point)
        since = before.since if before is not None and before.dark == each.dark else each.time
        result[each.usage_point] = Standing(dark=each.dark, since=since, latest=each.time)
    return result
