"""How an outage lives: its states, and which may follow which (values in, values out)."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from contracts.nouns.unplanned_outages import CrewStatusKind, OutageState
from services.fault_management.domain.etr import Etr, Progress
from services.fault_management.domain.evidence import QUALIFIED, SKEW, Evidence, EvidenceKind
from services.fault_management.domain.isolation import Move

S = OutageState

NEXT: dict[OutageState, frozenset[OutageState]] = {
    S.SUSPECTED: frozenset({S.VERIFY, S.PREDICTED, S.CONFIRMED, S.DISMISSED}),
    S.VERIFY: frozenset({S.SUSPECTED, S.PREDICTED, S.CONFIRMED, S.DISMISSED}),
    S.PREDICTED: frozenset({S.SUSPECTED, S.VERIFY, S.CONFIRMED, S.RESTORED, S.DISMISSED}),
    S.CONFIRMED: frozenset({S.PARTIALLY_RESTORED, S.RESTORED, S.MOMENTARY, S.DISMISSED}),
    S.PARTIALLY_RESTORED: frozenset({S.RESTORED, S.MOMENTARY, S.CONFIRMED, S.DISMISSED}),
    S.RESTORED: frozenset({S.VERIFIED, S.CLOSED, S.MOMENTARY, S.CONFIRMED, S.PARTIALLY_RESTORED, S.DISMISSED}),
    S.VERIFIED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.MOMENTARY: frozenset({S.DISMISSED}),
    S.DISMISSED: frozenset(),
}
"""Which state may follow which. PREDICTED falls back when the evidence thins out, is dismissed when another outage
explains it, is restored without confirmation when all who were dark report power again, and is VERIFY when the meter of
the only one who called has power. RESTORED that nobody could verify is closed without VERIFIED. What the log of
operations had shown goes back a step, or is dismissed, when operations that are told late say otherwise."""

LOOSE = frozenset({S.SUSPECTED, S.PREDICTED})
"""Inferred, and inferred again with each new evidence; everything later is known and stays where it is."""

INFERRED = LOOSE | {S.VERIFY}
"""Nobody knows that it is an outage."""

KNOWN_DARK = frozenset({S.CONFIRMED, S.PARTIALLY_RESTORED})
"""Known, with usage points still without supply."""

KNOWN = KNOWN_DARK | {S.RESTORED}
"""Known and not yet verified."""

FINAL = frozenset({S.CLOSED, S.DISMISSED, S.MOMENTARY})


SHORT = timedelta(minutes=5)
"""An interruption of up to so long is momentary, to the instant (IEEE 1366)."""


class PlanStatus(StrEnum):
    """How far a switching plan is that we asked for."""

    ASKED = "asked"
    COMPLETED = "completed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class Plan(Struct, frozen=True, kw_only=True):
    """A switching plan that we asked for.

    Attributes:
        moves: what it switches, where that is more than the device of the outage.
        isolating: the switches that it opens to cut the fault off.
        why: what it is for, in a sentence.
        draft: it waits for an operator.
    """

    mrid: str
    status: PlanStatus = PlanStatus.ASKED
    moves: tuple[Move, ...] = ()
    isolating: tuple[str, ...] = ()
    why: str | None = None
    draft: bool = False


class Outage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One outage.

    Attributes:
        feeder: the feeder of its first usage point.
        revision: how often it was told; see :func:`told`.
        since: when the power went; of a nested outage, when that of its parent went.
        suspected_at: when we first heard of it.
        device: the device or transformer that is out; None while it is not known.
        phases: the phases that are out, as bits; None where they are all those of the device, or nobody knows which.
        points: the usage points that are or were without supply by it, sorted.
        partial: usage points that said they miss a part of their power, which it explains, sorted.
        parent: the outage of which it was a part before it turned out to have a reason of its own.
        taken_from: the same by the evidence, whatever the log of operations says.
        felt_at: since when it was known to be dark before its device was seen to open.
        why: one sentence on what the latest change of state rests on.
        tickets: the calls that it explains, sorted.
        found: the crew said which device it is.
        opened_at: when the device opened by the word of network operation, which will report its closing too.
        isolation: the devices that people opened to cut the fault off, sorted.
        restored: when its interruption ended for a usage point: power came back, or another outage took over.
        lit: the usage points that have supply by the word of network operation, though no operation explains it.
        handed: the usage points that another outage took over, since something below is out too.
        restored_at: when we knew that it has ended for all.
        unconfirmed: it was closed without the word of the meters of all its transformers.
        work: the mRID of the work.
        work_asked: work was asked for.
        recalled: the work was taken back; when it is needed after all it is another work.
        trouble: what another role refused or could not do, for an operator to see to.
        repaired_at: when the crew said that it is done.
        opening: the plan that tells network operation of a device which the crew found open.
        closing: the plan that closes the device after the repair.
        advised: it was asked what can be switched for it.
        restoring: the plan that isolates the fault and supplies the rest.
        returning: the plan that leads back to the normal state after the repair.
        progress: how far the work is, once it was asked for or a crew has reported.
        etr: when power is expected back, as last told.
        frozen: an operator wants it as it is; it is not inferred again.
        by: the operator who last decided about it.
        remedy: what was done about it.
        dismissed_at: when an operator said that there is none.
        corrected: it was corrected after it was closed; nothing but another correction changes it.
        unknown: the usage points of which nobody can say whether they have supply again.
    """

    mrid: str
    feeder: str
    state: OutageState
    since: datetime
    suspected_at: datetime
    points: tuple[str, ...]
    why: str
    revision: int = 0
    device: str | None = None
    phases: int | None = None
    partial: tuple[str, ...] = ()
    parent: str | None = None
    taken_from: str | None = None
    felt_at: datetime | None = None
    tickets: tuple[str, ...] = ()
    found: bool = False
    opened_at: datetime | None = None
    isolation: tuple[str, ...] = ()
    restored: dict[str, datetime] = {}
    lit: tuple[str, ...] = ()
    handed: tuple[str, ...] = ()
    restored_at: datetime | None = None
    unconfirmed: bool = False
    cause: str | None = None
    crew: CrewStatusKind | None = None
    work: str | None = None
    work_asked: bool = False
    recalled: bool = False
    trouble: str | None = None
    repaired_at: datetime | None = None
    opening: Plan | None = None
    closing: Plan | None = None
    advised: bool = False
    restoring: Plan | None = None
    returning: Plan | None = None
    progress: Progress | None = None
    etr: Etr | None = None
    frozen: bool = False
    by: str | None = None
    remedy: str | None = None
    dismissed_at: datetime | None = None
    corrected: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def witnessed(self) -> bool:
        """True when network operation reported the device open."""
        return self.opened_at is not None

    @property
    def by_people(self) -> bool:
        """True when a crew was there, or an operator confirmed it."""
        confirmed = self.by is not None and self.state in KNOWN
        return self.found or self.cause is not None or self.repaired_at is not None or confirmed

    @property
    def short(self) -> bool:
        """True when it has ended for everybody within the time of a momentary interruption."""
        over = len(self.restored) == len(self.points)
        return over and all(at - self.since <= SHORT for at in self.restored.values())

    @property
    def expected(self) -> Etr | None:
        """When those who are dark may expect their power; None when nobody is, and when what people said ran out."""
        dark = self.state in LOOSE | KNOWN_DARK
        return self.etr if dark and self.etr is not None and not self.etr.overdue else None

    @property
    def ended_at(self) -> datetime | None:
        """When the last usage point had power again, once all have, or when an operator dismissed it."""
        if self.dismissed_at is not None:
            return self.dismissed_at
        return max(self.restored.values()) if self.restored and self.restored_at is not None else None


def move(outage: Outage, state: OutageState, **changes: Any) -> Outage:
    """``outage`` in ``state``, with further changes.

    Raises:
        ValueError: when ``state`` may not follow; no input leads there.
    """
    if state is not outage.state and state not in NEXT[outage.state]:
        raise ValueError(f"outage {outage.mrid} cannot go from {outage.state} to {state}")
    return msgspec.structs.replace(outage, state=state, **changes)


def is_loose(outage: Outage) -> bool:
    """True for what is inferred again with each new evidence."""
    return outage.state in INFERRED and not outage.frozen


def explains(outage: Outage, evidence: Evidence) -> bool:
    """True when a known ``outage`` is the reason of dark ``evidence``: the point was without supply by it then.

    What an operator dismissed explains what was heard until then. Who misses a part of the power does so until it is
    over for all. Where nobody but the meters said that it is over, what comes later is another matter at once.
    A momentary outage that was shorter than a meter waits before it gasps is no reason for a gasp.
    """
    if outage.dismissed_at is not None:
        return evidence.usage_point in outage.points and evidence.time <= outage.dismissed_at
    if is_loose(outage) or outage.state is S.DISMISSED:
        return False
    if evidence.usage_point in outage.points:
        ended = outage.restored.get(evidence.usage_point)
    elif evidence.kind is EvidenceKind.PARTIAL and evidence.usage_point in outage.partial:
        ended = outage.ended_at
    else:
        return False
    if outage.state is S.MOMENTARY and evidence.kind is EvidenceKind.GASP and ended is not None:
        began = outage.opened_at or outage.since
        if ended - began < QUALIFIED:
            return False
    slack = SKEW if outage.witnessed or outage.by_people else timedelta(0)
    return outage.since - SKEW <= evidence.time and (ended is None or evidence.time <= ended + slack)


def told(outage: Outage) -> tuple[object, ...]:
    """What others are told at once when it changes; who belongs to a mere suspicion is told with its next state."""
    points = () if outage.state is S.SUSPECTED else outage.points
    since = None if outage.state in LOOSE else outage.since
    place = (outage.device, outage.phases, outage.parent)
    return (
        outage.state,
        place,
        points,
        since,
        outage.cause,
        outage.crew,
        outage.restored,
        outage.trouble,
        outage.expected,
        outage.frozen,
        outage.remedy,
        outage.unknown,
    )
