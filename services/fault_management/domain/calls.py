"""What customers report: what becomes of a call, and what the caller is told (operations guide 2.2).

A missing supply is evidence. A hazard is nobody's evidence: it is work at once, whatever the meters say. Everything
else goes to the same list of work, behind the outages.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.trouble_tickets import TroubleCode, TroubleTicket, TroubleTicketState
from contracts.nouns.unplanned_outages import EstimatedRestorationTime
from contracts.types import ObjectReference, Status
from services.fault_management.domain.etr import shown
from services.fault_management.domain.outage import FINAL, Outage, S
from services.fault_management.domain.situation import Situation
from services.fault_management.domain.words import DONE, HAZARD, NO_OUTAGE, NO_PLACE, TROUBLE, told_to_caller

SAME_CALLER = timedelta(minutes=10)
"""Whoever calls again within this about the same place is updated, not counted twice [P]."""

HAZARDS = frozenset({TroubleCode.FIRE, TroubleCode.OPEN_NEUTRAL, TroubleCode.WIRE_DOWN})
"""What is dangerous to people, so that it waits for nobody."""

_MISSING = frozenset({None, TroubleCode.PARTIAL_POWER, TroubleCode.POWER_OUT})
_HALF_BRIGHT = ("bright", "dim")
"""Words that together tell of an open neutral, whatever else the ticket says."""

T = TroubleTicketState
CALLED_BACK = frozenset({T.CALLBACK_OK, T.CALLBACK_NEGATIVE, T.CALLBACK_NO_ANSWER})
"""What may be reported of a call back."""


class Concern(StrEnum):
    """What a call is about."""

    SUPPLY = "supply"
    HAZARD = "hazard"
    OTHER = "other"


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Trouble that is no outage: a hazard, or what else somebody should look after.

    Attributes:
        kind: the hazard, or the word of the caller.
        point: where it is.
        tickets: who reported it, sorted.
        closed_at: when the work was done.
    """

    mrid: str
    kind: str
    hazard: bool
    point: str
    opened_at: datetime
    work: str
    tickets: tuple[str, ...] = ()
    closed_at: datetime | None = None

    @property
    def rank(self) -> int:
        """How urgent its work is: life and safety come before every outage, and all else after."""
        return 1 if self.hazard else 5


def hazard_in(ticket: TroubleTicket) -> str | None:
    """The danger that a ticket tells of, by its code, its hazards or its words."""
    said = [ticket.trouble_code, *(hazard.type for hazard in ticket.hazards)]
    known = next((word for word in said if word in HAZARDS), None)
    words = " ".join(text for text in (ticket.subject, ticket.description, ticket.comment) if text).lower()
    if known is None and all(word in words for word in _HALF_BRIGHT):
        return TroubleCode.OPEN_NEUTRAL
    return known


def concern_of(ticket: TroubleTicket) -> Concern:
    """What a ticket is about."""
    if hazard_in(ticket) is not None:
        return Concern.HAZARD
    return Concern.SUPPLY if ticket.trouble_code in _MISSING else Concern.OTHER


def point_of(ticket: TroubleTicket) -> str | None:
    """The usage point that a ticket names."""
    return None if ticket.usage_point is None else ticket.usage_point.mrid


def is_same_caller(before: TroubleTicket, ticket: TroubleTicket) -> bool:
    """True when ``ticket`` is the caller of ``before`` once more, soon after."""
    if before.mrid == ticket.mrid:
        return True
    gap = abs(ticket.date_time_of_report - before.date_time_of_report)
    named = ticket.customer is None or before.customer is None or ticket.customer == before.customer
    return gap <= SAME_CALLER and named and point_of(before) == point_of(ticket) and not _is_over(before)


def called_again(before: TroubleTicket, ticket: TroubleTicket) -> TroubleTicket:
    """The ticket ``before`` after its caller called again; what is new is added, nothing is forgotten."""
    return replace(
        before,
        comment=ticket.comment or before.comment,
        description=ticket.description or before.description,
        hazards=tuple(dict.fromkeys((*before.hazards, *ticket.hazards))),
        notification=ticket.notification or before.notification,
        subject=ticket.subject or before.subject,
        trouble_code=ticket.trouble_code or before.trouble_code,
        usage_point=ticket.usage_point or before.usage_point,
    )


def amended(before: TroubleTicket, news: TroubleTicket, now: datetime) -> TroubleTicket:
    """A ticket for which a clerk has found the place, or of which it is known what calling back came to.

    Raises:
        Invalid: the news are nothing that others may say of a ticket.
    """
    state = None if news.status is None or news.status.value is None else news.status.value
    if state not in {None, T.CLOSED, *CALLED_BACK} or (state is None and news.usage_point is None):
        raise Invalid("what may be told of a ticket is its place, a call back, or its end", object_id=before.mrid)
    located = replace(before, usage_point=news.usage_point or before.usage_point)
    if state is None:
        return located
    over = state in {T.CLOSED, T.CALLBACK_OK}
    reason = None if news.status is None else news.status.reason
    status = Status(date_time=now, reason=reason, remark=state, value=T.CLOSED if over else state)
    incident = None if before.incident is None else before.incident.mrid
    return _with(located, incident, status, None if over else before.estimated_restoration_time)


def is_news(before: TroubleTicket, ticket: TroubleTicket) -> bool:
    """True when a changed ticket has to be answered anew: its place was found, or the supply is still missing."""
    negative = ticket.status is not None and ticket.status.value == T.CALLBACK_NEGATIVE
    return negative or point_of(before) != point_of(ticket)


def is_settled(before: TroubleTicket, ticket: TroubleTicket) -> bool:
    """True when a ticket about a missing supply says that it is there, or a clerk has closed one that was called back.

    Closing any other ticket says nothing of the supply.
    """
    said = None if ticket.status is None else ticket.status.remark
    had = None if before.status is None else before.status.value
    waiting = had in {T.CALLBACK_DUE, T.CALLBACK_NEGATIVE, T.CALLBACK_NO_ANSWER}
    return concern_of(ticket) is Concern.SUPPLY and (said == T.CALLBACK_OK or (said == T.CLOSED and waiting))


def with_call(incidents: Iterable[Incident], ticket: TroubleTicket, mrids: tuple[str, str], now: datetime) -> Incident:
    """The incident that a ticket tells of: one of those that are open at its place, or a new one.

    Args:
        incidents: those of the place that are open.
        ticket: it names its place.
        mrids: the identities of a new incident and of its work.
        now: the present instant.
    """
    kind = hazard_in(ticket) or ticket.trouble_code or ""
    known = next((each for each in incidents if each.kind == kind), None)
    incident = known or Incident(
        mrid=mrids[0],
        kind=kind,
        hazard=concern_of(ticket) is Concern.HAZARD,
        point=point_of(ticket) or "",
        opened_at=now,
        work=mrids[1],
    )
    return replace(incident, tickets=tuple(sorted({*incident.tickets, ticket.mrid or ""})))


def attached(ticket: TroubleTicket, outage: Outage, now: datetime, zone: tzinfo) -> TroubleTicket:
    """A ticket with the outage that explains it, and what its caller may be told now."""
    if _is_over(ticket) and outage.state in FINAL:
        return ticket
    before = None if ticket.status is None else ticket.status.value
    state = T.ATTACHED if outage.expected is None else T.INFORMED
    if outage.state is S.VERIFY or point_of(ticket) in outage.unknown:
        state = T(before) if before in CALLED_BACK else T.CALLBACK_DUE
    elif outage.state in FINAL:
        state = T.CLOSED
    words = told_to_caller(outage, point_of(ticket) or "", zone)
    etr = None if outage.expected is None else shown(outage.expected)
    return _with(ticket, outage.mrid, Status(date_time=now, reason=words, remark=outage.state, value=state), etr)


def reported(ticket: TroubleTicket, incident: Incident, now: datetime) -> TroubleTicket:
    """A ticket that tells of no outage, with what its caller may be told."""
    words = HAZARD if incident.hazard else TROUBLE
    state = T.NON_OUTAGE
    if incident.closed_at is not None:
        words, state = DONE, T.CLOSED
    return _with(ticket, incident.mrid, Status(date_time=now, reason=words, remark=incident.kind, value=state))


def unlocated(ticket: TroubleTicket, now: datetime) -> TroubleTicket:
    """A ticket whose place nobody knows; it waits for a clerk, and the urgent ones are marked."""
    remark = "urgent" if concern_of(ticket) is Concern.HAZARD else None
    return _with(ticket, None, Status(date_time=now, reason=NO_PLACE, remark=remark, value=T.UNLOCATED))


def unexplained(ticket: TroubleTicket, now: datetime) -> TroubleTicket:
    """A ticket about a missing supply that came back before anything was made of it."""
    return _with(ticket, None, Status(date_time=now, reason=NO_OUTAGE, value=T.CLOSED))


def explaining(outages: Iterable[Outage], ticket: str) -> Outage | None:
    """The outage to which a ticket belongs: of several one that is not over, and of these the latest."""
    having = [outage for outage in outages if ticket in outage.tickets]
    return max(having, key=lambda each: (each.state not in FINAL, each.suspected_at, each.mrid), default=None)


def callers_to_tell(situation: Situation) -> list[tuple[Outage, list[str]]]:
    """The outages of which callers should hear something new, with the tickets of these callers."""
    result = []
    for outage in situation.changed:
        before = situation.before(outage.mrid)
        if before is None or _news(before) != _news(outage):
            own = [each for each in outage.tickets if explaining(situation.all(), each) == outage]
            result.append((outage, own))
    return [(outage, tickets) for outage, tickets in result if tickets]


def _news(outage: Outage) -> tuple[object, ...]:
    return (outage.state, outage.crew, outage.expected, outage.unknown, outage.tickets)


def _is_over(ticket: TroubleTicket) -> bool:
    return ticket.status is not None and ticket.status.value == T.CLOSED


def _with(
    ticket: TroubleTicket, incident: str | None, status: Status, etr: EstimatedRestorationTime | None = None
) -> TroubleTicket:
    """The ticket in a state; its revision grows when it says something else than before."""
    before = ticket.status
    same = before is not None and replace(before, date_time=status.date_time) == status
    if same and ticket.estimated_restoration_time == etr:
        return ticket
    return replace(
        ticket,
        last_modified_date_time=status.date_time,
        resolved_date_time=status.date_time if status.value == T.CLOSED else None,
        revision_number=(ticket.revision_number or 0) + 1,
        estimated_restoration_time=etr,
        incident=None if incident is None else ObjectReference(mrid=incident),
        status=status,
    )
