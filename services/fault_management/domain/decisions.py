"""What operators decide about an outage, and how one is corrected after it was closed (operations guide 2.1, 3.5).

An operator confirms, freezes or dismisses what was inferred, says when power is back and why it went, and closes what
is restored. What was closed stays closed: a correction is another revision of it, with a reason.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Denied, Invalid
from contracts.message import User
from services.fault_management.domain.etr import Etr, EtrSource
from services.fault_management.domain.inference import confirm
from services.fault_management.domain.outage import KNOWN, KNOWN_DARK, LOOSE, Outage, S, move
from services.fault_management.domain.situation import Situation

DUTIES = frozenset({"operator", "supervisor"})
"""Who may decide: ``Header/User/Organization``."""

CAUSES = frozenset(
    {"equipment", "vegetation", "weather", "animal", "thirdParty", "overload", "lossOfSupply", "unknown"}
)
"""The causes that an outage may have."""


class Decision(Struct, frozen=True, kw_only=True):
    """What an operator wants to be otherwise; None is left as it is.

    Attributes:
        by: who says so.
        revision: the revision that he saw.
        since: when the power went, of a closed outage.
        restored: when it was back, by usage point, of a closed outage.
    """

    mrid: str
    by: str
    revision: int
    state: str | None = None
    reason: str | None = None
    cause: str | None = None
    remedy: str | None = None
    device: str | None = None
    frozen: bool | None = None
    expected: datetime | None = None
    since: datetime | None = None
    restored: Mapping[str, datetime] = {}


def operator(user: User | None) -> str:
    """The name of the operator who sends a message.

    Raises:
        Denied: it is somebody else, or nobody.
    """
    if user is None or (user.organization or "").strip().lower() not in DUTIES:
        who = "nobody is named" if user is None else f"'{user.user_id}' is none"
        raise Denied(f"only an operator or a supervisor decides about outages; {who}")
    return user.user_id


def decide(situation: Situation, outage: Outage, asked: Decision) -> Outage:
    """Do to an outage that is not over what an operator wants.

    Raises:
        Conflict: it has changed meanwhile, or is not in a state for that.
        Invalid: what is wanted makes no sense.
    """
    _is_seen(outage, asked)
    if asked.since is not None or asked.restored:
        raise Conflict("times are corrected once the outage is closed", object_id=outage.mrid)
    outage = situation.put(_described(outage, asked, situation.now))
    if asked.state == S.CONFIRMED and outage.state not in KNOWN:
        confirm(situation, replace(outage, by=asked.by, frozen=False), asked.device, f"confirmed by {asked.by}")
    elif asked.state == S.DISMISSED:
        _dismiss(situation, outage, asked)
    elif asked.state == S.CLOSED:
        _close(situation, outage, asked)
    elif asked.state is not None:
        raise Invalid(f"status: an outage is not made {asked.state} by hand", object_id=outage.mrid)
    elif asked.device is not None:
        raise Conflict("the device is named with the confirmation or the end of an outage", object_id=outage.mrid)
    return situation.get(outage.mrid)


def correct(outage: Outage, asked: Decision, others: Iterable[Outage], now: datetime) -> Outage:
    """The next revision of a closed outage.

    Args:
        outage: as it was closed.
        asked: what is to be otherwise.
        others: what other outages there were in that time.
        now: the present instant.

    Raises:
        Conflict: it is not closed, has changed meanwhile, or would overlap another outage of a usage point.
        Invalid: there is no reason, or the times are impossible.
    """
    _is_seen(outage, asked)
    if outage.state is not S.CLOSED or asked.state not in {None, S.CLOSED}:
        raise Conflict(f"the outage is {outage.state} and cannot be changed any more", object_id=outage.mrid)
    if not asked.reason:
        raise Invalid("status/reason: a correction says why", object_id=outage.mrid)
    if asked.frozen is not None or asked.expected is not None:
        raise Conflict("the outage is over", object_id=outage.mrid)
    known = _described(outage, asked, now)
    since, restored = asked.since or outage.since, {**outage.restored, **asked.restored}
    _is_possible(outage, since, restored, now)
    _is_apart(outage, since, restored, others)
    return replace(
        known,
        device=asked.device or outage.device,
        since=since,
        restored=restored,
        revision=outage.revision + 1,
        corrected=True,
        by=asked.by,
        why=f"corrected by {asked.by}: {asked.reason}",
    )


def _is_seen(outage: Outage, asked: Decision) -> None:
    if asked.revision != outage.revision:
        reason = f"revisionNumber: the outage is at revision {outage.revision} and you saw {asked.revision}"
        raise Conflict(reason, object_id=outage.mrid)


def _described(outage: Outage, asked: Decision, now: datetime) -> Outage:
    """``outage`` with what is said of it, whatever its state is then."""
    if asked.cause is not None and asked.cause not in CAUSES:
        raise Invalid(f"cause: it may be {', '.join(sorted(CAUSES))}", object_id=outage.mrid)
    if asked.frozen and outage.state is not S.PREDICTED:
        raise Conflict(f"a prediction can be frozen, and the outage is {outage.state}", object_id=outage.mrid)
    etr = outage.etr
    if asked.expected is not None:
        if outage.state not in LOOSE | KNOWN_DARK:
            raise Conflict("nobody is without supply by this outage", object_id=outage.mrid)
        if asked.expected <= now:
            raise Invalid("estimatedRestorationTime: it is over already", object_id=outage.mrid)
        etr = Etr(time=asked.expected, source=EtrSource.OPERATOR, sure=True)
    return replace(
        outage,
        cause=asked.cause or outage.cause,
        remedy=asked.remedy or outage.remedy,
        frozen=outage.frozen if asked.frozen is None else asked.frozen,
        etr=etr,
        by=asked.by,
    )


def _dismiss(situation: Situation, outage: Outage, asked: Decision) -> None:
    if outage.witnessed or outage.state not in LOOSE | {S.VERIFY, S.CONFIRMED}:
        raise Conflict(f"the outage is {outage.state}: somebody has seen it", object_id=outage.mrid)
    if not asked.reason:
        raise Invalid("status/reason: a dismissal says why", object_id=outage.mrid)
    why = f"dismissed by {asked.by}: {asked.reason}"
    situation.put(move(outage, S.DISMISSED, why=why, dismissed_at=situation.now, frozen=False))


def _close(situation: Situation, outage: Outage, asked: Decision) -> None:
    if outage.state is not S.RESTORED:
        dark = len(outage.points) - len(outage.restored)
        reason = f"the outage is {outage.state}: {dark} usage points have no supply by what is known"
        raise Conflict(reason, object_id=outage.mrid)
    device = asked.device or outage.device
    missing = [n for n, v in (("cause", outage.cause), ("device", device), ("remedy", outage.remedy)) if v is None]
    if missing:
        raise Invalid(f"{', '.join(missing)}: an outage is closed with them", object_id=outage.mrid)
    why = f"closed by {asked.by}" + (f": {asked.reason}" if asked.reason else "")
    verified = situation.put(move(outage, S.VERIFIED, device=device, why=why))
    situation.put(move(verified, S.CLOSED))


def _is_possible(outage: Outage, since: datetime, restored: Mapping[str, datetime], now: datetime) -> None:
    if restored.keys() - set(outage.points):
        raise Invalid("restorationStep: it names usage points that the outage did not have", object_id=outage.mrid)
    if any(at < since for at in restored.values()):
        raise Invalid("actualPeriod: somebody had supply again before it went", object_id=outage.mrid)
    if max(restored.values(), default=since) > now:
        raise Invalid("actualPeriod: it ends in the future", object_id=outage.mrid)


def _is_apart(outage: Outage, since: datetime, restored: Mapping[str, datetime], others: Iterable[Outage]) -> None:
    """No usage point is in two outages at once; what overlapped before may go on doing so no more than it did."""
    for other in others:
        for mrid in set(restored) & set(other.points) if other.mrid != outage.mrid else ():
            end = other.restored.get(mrid)
            overlap = since < (end or restored[mrid]) and other.since < restored[mrid]
            did = outage.since < (end or outage.restored[mrid]) and other.since < outage.restored[mrid]
            if overlap and not did and other.state is not S.DISMISSED:
                raise Conflict(f"{mrid} was without supply by outage {other.mrid} then", object_id=outage.mrid)
