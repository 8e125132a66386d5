"""Whether somebody tampers with a meter: signs are weighed, and enough of them are a case (metering guide 7, 13 F4).

`watched -> case`, `watched -> cleared`, either `-> explained` by work at the place within a day. A case is looked at by
people: a published set of rules finds 95 % at 10 % false alarms, so nobody is accused by this.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.vee.beside import BACK
from services.meter_reading_and_control.domain.vee.findings import Finding
from services.meter_reading_and_control.domain.vee.sides import WATT_HOURS
from services.meter_reading_and_control.domain.vee.statistics import Before, Uses
from services.meter_reading_and_control.domain.vee.validation import named

WINDOW = timedelta(days=30)
"""So long a sign counts [P]."""

PAIR = timedelta(minutes=5)
"""A meter that tells of tampering and loses its power within this was taken off, or tilted [P]."""

AFTER_OUTAGE = timedelta(hours=24)
"""So long after power came back a reversed meter may have been turned while it was off [P]."""


class Sign(StrEnum):
    """What speaks for tampering; the weights are settings."""

    TAMPER = "tamper"
    REVERSE_AFTER_OUTAGE = "reverseAfterOutage"
    LOAD_SIDE_VOLTAGE = "loadSideVoltage"
    TAMPER_AND_POWER_LOSS = "tamperAndPowerLoss"
    USAGE_ON_INACTIVE = "usageOnInactive"
    LOAD_WITHOUT_VOLTAGE = "loadWithoutVoltage"
    ZERO_AMONG_NEIGHBOURS = "zeroAmongNeighbours"
    USAGE_DROPPED = "usageDropped"
    BALANCE_LOSS = "balanceLoss"


WEIGHTS: Mapping[Sign, int] = {
    Sign.TAMPER: 4,
    Sign.REVERSE_AFTER_OUTAGE: 4,
    Sign.LOAD_SIDE_VOLTAGE: 5,
    Sign.TAMPER_AND_POWER_LOSS: 3,
    Sign.USAGE_ON_INACTIVE: 5,
    Sign.LOAD_WITHOUT_VOLTAGE: 4,
    Sign.ZERO_AMONG_NEIGHBOURS: 2,
    Sign.USAGE_DROPPED: 3,
    Sign.BALANCE_LOSS: 3,
}
"""The weights of the guide, of those signs that events of meters and their days show."""

SHOWN_BY: Mapping[Sign, str] = {
    Sign.USAGE_ON_INACTIVE: "V19",
    Sign.LOAD_WITHOUT_VOLTAGE: "V30",
    Sign.ZERO_AMONG_NEIGHBOURS: "V18",
}
"""The rules that find signs in days that are over; zero is one only where neighbours have their usual use."""

NEIGHBOURS = 3
"""So many others behind its transformer, and more than half of them, must be as usual for zero to be a sign [P]."""

LEFT = 0.4
"""Less than this share of what was usual is a drop: by more than 60 per cent."""

CASE = 8
"""From this on a person must look."""

TELLING = frozenset({EventKind.TAMPER, EventKind.REVERSE_FLOW, EventKind.LOAD_SIDE_VOLTAGE})
"""The events because of which a usage point is looked at."""


class Happened(Struct, frozen=True, kw_only=True, order=True):
    """An event at a usage point."""

    at: datetime
    kind: EventKind


class SuspicionState(StrEnum):
    """How a suspicion stands."""

    WATCHED = "watched"
    CASE = "case"
    CLEARED = "cleared"
    EXPLAINED = "explained"


class Suspicion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is suspected of one usage point.

    Attributes:
        usage_point, meter: where.
        since: the first sign.
        latest: the last one.
        signs: what was seen.
        score: the sum of their weights.
        reading: the question to its meter that was asked last; its answer goes into the case, an earlier one does not.
        request: the service request that was made of it; empty while there is none.
        reason: why it stands as it does.
    """

    usage_point: str
    meter: str
    since: datetime
    latest: datetime
    state: SuspicionState
    signs: tuple[Sign, ...] = ()
    score: int = 0
    reading: str = ""
    request: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """True while it is watched, or a case."""
        return self.state in {SuspicionState.WATCHED, SuspicionState.CASE}


def signs(events: Iterable[Happened], at: datetime) -> tuple[Sign, ...]:
    """What the events of a usage point show until ``at``, each once, in the order of :class:`Sign`."""
    recent = sorted(each for each in events if at - WINDOW <= each.at <= at + PAIR)
    by_kind = {kind: [each.at for each in recent if each.kind is kind] for kind in EventKind}
    tampers, losses = by_kind[EventKind.TAMPER], by_kind[EventKind.POWER_LOST]
    returns, reversals = by_kind[EventKind.POWER_RESTORED], by_kind[EventKind.REVERSE_FLOW]
    found = {
        Sign.TAMPER: bool(tampers),
        Sign.REVERSE_AFTER_OUTAGE: any(
            timedelta() <= turned - back <= AFTER_OUTAGE for turned in reversals for back in returns
        ),
        Sign.LOAD_SIDE_VOLTAGE: any(_is_open(recent, seen) for seen in by_kind[EventKind.LOAD_SIDE_VOLTAGE]),
        Sign.TAMPER_AND_POWER_LOSS: any(abs(one - other) <= PAIR for one in tampers for other in losses),
    }
    return tuple(sign for sign in Sign if found.get(sign))


def is_use(reading_type: ReadingTypeCode) -> bool:
    """True for energy that is used, of which days may show signs; not for what flows back."""
    return reading_type.unit == WATT_HOURS and reading_type.flow_direction != BACK


def shown(finding: Finding) -> frozenset[Sign]:
    """What the findings of a day may be signs of."""
    bits = finding.of_day
    for each in finding.of_intervals:
        bits |= each
    found = named(bits)
    return frozenset(sign for sign, rule in SHOWN_BY.items() if rule in found)


def are_as_usual(before: Before) -> bool:
    """True where neighbours use what they are used to: enough of them, and more than half of those that are known."""
    is_known = before.mean > 0
    as_usual = int((is_known & (before.idle_days == 0)).sum())
    return as_usual >= NEIGHBOURS and 2 * as_usual > int(is_known.sum())


def has_dropped(share: float, others: Uses) -> bool:
    """True where less is used than before, and than it would be with the change of the neighbours.

    Args:
        share: what was used in a month for each unit of the year before it.
        others: the same of the others behind its transformer, of whom enough must be known.
    """
    known = others[~np.isnan(others)]
    return len(known) >= NEIGHBOURS and share < LEFT and share < LEFT * float(np.median(known))


def _is_open(events: Iterable[Happened], at: datetime) -> bool:
    """True when the disconnect switch was open at that time."""
    moves = [each for each in events if each.at <= at and each.kind in {EventKind.CONNECTED, EventKind.DISCONNECTED}]
    return bool(moves) and moves[-1].kind is EventKind.DISCONNECTED


def suspected(
    before: Suspicion | None, new: Suspicion, weights: Mapping[Sign, int], case: int, work: str | None
) -> Suspicion:
    """What is suspected after another sign.

    Args:
        before: what was suspected of the usage point.
        new: the usage point with the signs of its events.
        weights: of each sign.
        case: the score from which on it is a case.
        work: what explains the signs, if anything does.
    """
    score = sum(weights.get(sign, 0) for sign in new.signs)
    if before is not None and before.is_open:
        latest = max(new.latest, before.latest)
        new = replace(new, since=before.since, latest=latest, reading=before.reading, request=before.request)
    if not new.signs and before is not None and before.state is SuspicionState.WATCHED:
        return replace(new, state=SuspicionState.CLEARED, reason="nothing of it is found any more")
    if work is not None:
        return replace(new, score=score, state=SuspicionState.EXPLAINED, reason=f"work {work} at the place")
    was_case = before is not None and before.state is SuspicionState.CASE
    state = SuspicionState.CASE if score >= case or was_case else SuspicionState.WATCHED
    return replace(new, score=score, state=state, reason=", ".join(new.signs))


def cleared(suspicion: Suspicion, at: datetime) -> Suspicion:
    """A suspicion after the meter said that it is closed again: a case stays one, what was only watched ends."""
    if suspicion.state is SuspicionState.WATCHED:
        return replace(suspicion, state=SuspicionState.CLEARED, reason=f"cleared at {at.isoformat()}")
    return suspicion


def explained(suspicion: Suspicion, work: str) -> Suspicion:
    """A suspicion after it is known that people were at work there."""
    return replace(suspicion, state=SuspicionState.EXPLAINED, reason=f"work {work} at the place")
