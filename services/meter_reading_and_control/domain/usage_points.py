"""Usage points as they are set up: what may pass there, whether something may, who has it (metering guide 1.3, 4).

UsagePoint has no element for the class of a usage point and for its generators; they stand in its Names, by the
NameType: ``class`` (a word of CustomerKind, or the utility's own), ``generation`` (what is registered there),
``checkUsagePoint`` (the mRID of the usage point whose meter measures the same load), ``checkLossFactor`` (what
passes here for each unit that passes there) and ``transformer`` (the mRID of that of which all is measured here).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import inf, sqrt

from msgspec import Struct

from contracts.codes.end_device_events import EventKind
from contracts.errors import Conflict, Invalid, NotFound, Rejected
from contracts.nouns.customer_agreement_config import CustomerAgreement
from contracts.nouns.service_kinds import UsagePointConnectedKind
from contracts.nouns.units import PhaseCode
from contracts.nouns.usage_point_config import UsagePoint
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.meters import ALWAYS

CLASS, GENERATION, CHECK, LOSSES = "class", "generation", "checkUsagePoint", "checkLossFactor"
TRANSFORMER = "transformer"
"""NameTypes (ours)."""

_NO_AGREEMENT = ("DRAFT", "CANCELLED")
"""Values of the status of an agreement by which nobody has the usage point."""

_HOLDING = frozenset({"SIGNED", "ACTIVE", "SUSPENDED", "TERMINATING"})
"""Those by which somebody has it in the time of the agreement."""

SUSPENDED = "SUSPENDED"
"""That by which he may be disconnected meanwhile, since he does not pay, or deceives (metering guide 2.7)."""


class Agreed(Struct, frozen=True, kw_only=True, order=True):
    """For which time an agreement has a usage point, as a revision of it says; for none where nothing starts.

    Until ``shut_off`` nobody is disconnected by it: a notice was given, and its time runs. ``state`` is the value of
    its status, empty where it says none.
    """

    agreement: str
    usage_point: str
    revision: int
    starts: datetime | None
    ends: datetime | None
    shut_off: datetime | None = None
    state: str = ""


def effective_at(point: UsagePoint) -> datetime:
    """From when on a usage point is set up like this."""
    event = point.configuration_events
    return (event and event.effective_date_time) or ALWAYS


def sorted_out(
    points: Iterable[UsagePoint], known: Mapping[str, UsagePoint], verb: Verb
) -> tuple[list[UsagePoint], list[Rejected]]:
    """Of usage points that are told with ``verb`` each that is new, and why others cannot be.

    Raises:
        Invalid: 5.8, one has no mRID.
    """
    seen = dict(known)
    new: list[UsagePoint] = []
    errors: list[Rejected] = []
    for each in points:
        if not each.mrid:
            raise Invalid("UsagePoint: mRID is missing", code="5.8")
        there = seen.get(each.mrid)
        if verb is Verb.CREATE and there not in {None, each}:
            errors.append(Conflict(f"usage point {each.mrid} is set up otherwise; change it", object_id=each.mrid))
        elif verb is Verb.CHANGE and there is None:
            errors.append(NotFound("there is no such usage point", object_id=each.mrid))
        elif there != each:
            seen[each.mrid] = each
            new.append(each)
    return new, errors


def at(setups: Sequence[UsagePoint], when: datetime) -> UsagePoint | None:
    """How a usage point is set up at that time; None where nobody has said."""
    valid = [each for each in setups if effective_at(each) <= when]
    return max(valid, key=effective_at, default=None)


def named(point: UsagePoint, kind: str) -> str:
    """What the name of that NameType says; empty where there is none."""
    names = (each.name for each in point.names if each.name_type is not None and each.name_type.name == kind)
    return next(names, "")


def checked_by(point: UsagePoint) -> tuple[str, float] | None:
    """The usage point of the check meter and the factor of the losses between both; None where there is none.

    A factor that is no number above 0 is as one that is not told.
    """
    other = named(point, CHECK)
    try:
        factor = float(named(point, LOSSES) or 1)
    except ValueError:
        factor = 1.0
    return (other, factor if 0 < factor < inf else 1.0) if other and other != point.mrid else None


def channels(point: UsagePoint) -> set[str]:
    """The reading types that are to be measured there."""
    return {type_.ref for each in point.metrology_requirements for type_ in each.reading_types}


def rated_w(point: UsagePoint) -> float | None:
    """What may be taken at most, in W: the rated power, else rated current times nominal voltage of the conductors.

    The voltage of a service with three conductors and no neutral is between two of them, as is that of both legs of a
    split-phase service; else it is between a conductor and the neutral. None where too little is told.
    """
    if point.rated_power is not None:
        return point.rated_power
    if point.rated_current is None or point.nominal_service_voltage is None:
        return None
    return point.rated_current * point.nominal_service_voltage * _conductors(point.phase_code)


def _conductors(phases: PhaseCode | None) -> float:
    letters = "" if phases is None else str(phases)
    if phases is PhaseCode.ABC:
        return sqrt(3)
    if letters.endswith("N") and not letters.startswith("s"):
        return max(1, len(letters) - 1)
    return 1


def agreed(agreement: CustomerAgreement) -> list[Agreed]:
    """For which time an agreement has its usage points; it has them for none while it is no more than a draft."""
    interval = agreement.validity_interval
    state = "" if agreement.status is None else agreement.status.value
    is_none = interval is None or state in _NO_AGREEMENT
    return [
        Agreed(
            agreement=agreement.mrid or "",
            usage_point=point.mrid or "",
            revision=agreement.revision_number or 0,
            starts=None if interval is None or is_none else interval.start,
            ends=None if interval is None or is_none else interval.end,
            shut_off=agreement.shut_off_date_time,
            state=state or "",
        )
        for point in agreement.usage_points
    ]


def last_turn(agreed: Agreed, now: datetime) -> datetime | None:
    """When an agreement began or ended last; None where it has done neither."""
    return max((each for each in (agreed.starts, agreed.ends) if each is not None and each <= now), default=None)


def is_vacant(agreements: Iterable[Agreed], begins: datetime, ends: datetime) -> bool:
    """True where the last agreement that is known is over and no other has the usage point in any of that time.

    Of whom no agreement is known that is over, it may be that nobody told of the one that holds.
    """
    known = [each for each in agreements if each.starts is not None and each.starts < ends]
    return bool(known) and all(each.ends is not None and each.ends <= begins for each in known)


def served_by(agreements: Iterable[Agreed], at: datetime) -> Agreed | None:
    """The agreement by which somebody must have supply at that time: one that holds, where none that does is suspended.

    One that says no state, or one that nobody knows, says nothing of it.
    """
    hold = [
        each
        for each in agreements
        if each.state in _HOLDING
        and each.starts is not None
        and each.starts <= at
        and (each.ends is None or at < each.ends)
    ]
    return None if any(each.state == SUSPENDED for each in hold) else min(hold, default=None)


def is_disconnected(
    point: UsagePoint | None, switched: Iterable[tuple[datetime, EventKind]], begins: datetime, ends: datetime
) -> bool:
    """True where nothing can pass in all of that time: by its connectionState, and by what its switch did since."""
    told = [(when, kind is EventKind.DISCONNECTED) for when, kind in switched]
    if point is not None and point.connection_state is not None:
        told.append((effective_at(point), point.connection_state is not UsagePointConnectedKind.CONNECTED))
    before = [each for each in told if each[0] <= begins]
    within = any(begins < when < ends and not is_off for when, is_off in told)
    return bool(before) and max(before)[1] and not within
