"""Agreements: their life, and that nobody else has one for the same usage point at the same time.

An agreement holds from its start up to, not including, its end; so a move out and a move in of one day meet at
midnight. Gaps are legal: the usage point is vacant.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.customer_agreement_config import CustomerAgreement
from contracts.types import DateTimeInterval, Status


class AgreementState(StrEnum):
    """Where an agreement is in its life: the values of ``CustomerAgreement.status`` (metering guide 2.7)."""

    DRAFT = "DRAFT"
    SIGNED = "SIGNED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    TERMINATING = "TERMINATING"
    ENDED = "ENDED"
    FINAL_BILLED = "FINAL_BILLED"
    ARCHIVED = "ARCHIVED"
    CANCELLED = "CANCELLED"


A = AgreementState

NEXT: dict[AgreementState, frozenset[AgreementState]] = {
    A.DRAFT: frozenset({A.SIGNED, A.CANCELLED}),
    A.SIGNED: frozenset({A.ACTIVE, A.CANCELLED}),
    A.ACTIVE: frozenset({A.SUSPENDED, A.TERMINATING}),
    A.SUSPENDED: frozenset({A.ACTIVE, A.TERMINATING}),
    A.TERMINATING: frozenset({A.ACTIVE, A.ENDED}),
    A.ENDED: frozenset({A.FINAL_BILLED}),
    A.FINAL_BILLED: frozenset({A.ARCHIVED}),
    A.ARCHIVED: frozenset(),
    A.CANCELLED: frozenset(),
}
"""Which state may follow which; a notice may be withdrawn before the end has come."""

SERVED = frozenset({A.ACTIVE, A.SUSPENDED, A.TERMINATING})
"""Somebody lives there."""

CLAIMS = frozenset(A) - {A.DRAFT, A.CANCELLED}
"""The usage point is, was or will be this customer's in the time of the agreement."""

BY_TIME = {A.SIGNED: A.ACTIVE, A.TERMINATING: A.ENDED}
"""What happens by itself: at the start, and at the end."""


class Claim(Struct, frozen=True, kw_only=True):
    """That an agreement has a usage point from a time on, in one direction of the energy."""

    agreement: str
    usage_point: str
    direction: str
    starts: datetime
    ends: datetime | None


def state(agreement: CustomerAgreement) -> AgreementState:
    """Where an agreement is in its life.

    Raises:
        Invalid: the status is none of an agreement.
    """
    value = A.DRAFT.value if agreement.status is None or agreement.status.value is None else agreement.status.value
    if value not in set(A):
        raise Invalid(f"status/value: '{value}'; an agreement may be {', '.join(A)}", object_id=agreement.mrid)
    return A(value)


def direction(agreement: CustomerAgreement) -> str:
    """``export`` for what is fed in, else ``import``."""
    return "export" if (agreement.type or "").lower() == "export" else "import"


def begun(agreement: CustomerAgreement, now: datetime) -> CustomerAgreement:
    """A new agreement in the state in which it begins: as it says, or as its time says.

    Raises:
        Invalid: it has no start, or it ends before it starts, or has no customer or no usage point.
    """
    interval = agreement.validity_interval or DateTimeInterval()
    if interval.start is None:
        raise Invalid("validityInterval/start: an agreement says from when on it holds", object_id=agreement.mrid)
    if interval.end is not None and interval.end <= interval.start:
        raise Invalid("validityInterval: it ends before it starts", object_id=agreement.mrid)
    if agreement.customer is None or agreement.customer.mrid is None or not _points(agreement):
        raise Invalid("an agreement is of a customer, about usage points", object_id=agreement.mrid)
    told = A.SIGNED if agreement.status is None else state(agreement)
    return passed(_in_state(agreement, told, now, None), now)


def moved(before: CustomerAgreement, wanted: CustomerAgreement, now: datetime) -> CustomerAgreement:
    """An agreement after a change: another state, another end, another tariff; who it is with stays.

    Raises:
        Conflict: the state may not follow, or the customer or the usage points would be others.
    """
    old, new = state(before), state(wanted) if wanted.status is not None else state(before)
    if new is not old and new not in NEXT[old]:
        raise Conflict(f"an agreement that is {old} cannot become {new}", object_id=before.mrid)
    another_point = bool(wanted.usage_points) and _points(wanted) != _points(before)
    if another_point or wanted.customer not in {None, before.customer}:
        raise Conflict("another customer or another usage point needs another agreement", object_id=before.mrid)
    given = {name: value for name in wanted.__struct_fields__ if (value := getattr(wanted, name)) not in {None, ()}}
    merged = replace(before, **given)
    if new is A.TERMINATING and (merged.validity_interval is None or merged.validity_interval.end is None):
        raise Invalid("validityInterval/end: a notice says when the agreement ends", object_id=before.mrid)
    reason = None if wanted.status is None else wanted.status.reason
    changed = _in_state(merged, new, now, reason)
    return passed(replace(changed, revision_number=(before.revision_number or 0) + 1), now)


def passed(agreement: CustomerAgreement, now: datetime) -> CustomerAgreement:
    """The agreement after what time alone has done to it."""
    while (due := turns_at(agreement)) is not None and due <= now:
        agreement = _in_state(agreement, BY_TIME[state(agreement)], due, None)
    return agreement


def turns_at(agreement: CustomerAgreement) -> datetime | None:
    """When an agreement turns by itself, if it does."""
    interval = agreement.validity_interval or DateTimeInterval()
    return {A.SIGNED: interval.start, A.TERMINATING: interval.end}.get(state(agreement))


def claims(agreement: CustomerAgreement) -> tuple[Claim, ...]:
    """The usage points that an agreement claims."""
    interval = agreement.validity_interval or DateTimeInterval()
    if state(agreement) not in CLAIMS or interval.start is None:
        return ()
    return tuple(
        Claim(
            agreement=agreement.mrid or "",
            usage_point=point,
            direction=direction(agreement),
            starts=interval.start,
            ends=interval.end,
        )
        for point in _points(agreement)
    )


def check_claims(wanted: Iterable[Claim], others: Iterable[Claim]) -> None:
    """That nobody else has the usage points in that time.

    Raises:
        Conflict: somebody has.
    """
    others = tuple(others)
    for claim in wanted:
        for other in others:
            same = (claim.usage_point, claim.direction) == (other.usage_point, other.direction)
            if same and claim.agreement != other.agreement and _meet(claim, other):
                raise Conflict(
                    f"the agreement {other.agreement} has the usage point {claim.usage_point} in that time",
                    object_id=claim.agreement,
                )


def _meet(one: Claim, other: Claim) -> bool:
    return (other.ends is None or one.starts < other.ends) and (one.ends is None or other.starts < one.ends)


def _points(agreement: CustomerAgreement) -> tuple[str, ...]:
    return tuple(sorted(point.mrid for point in agreement.usage_points if point.mrid is not None))


def _in_state(agreement: CustomerAgreement, to: AgreementState, at: datetime, reason: str | None) -> CustomerAgreement:
    return replace(agreement, status=Status(date_time=at, reason=reason, value=to), last_modified_date_time=at)
