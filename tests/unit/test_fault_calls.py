"""What becomes of a call, and what the caller is told."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.trouble_tickets import IncidentHazard, TroubleTicket, TroubleTicketState
from contracts.nouns.unplanned_outages import CrewStatusKind
from contracts.types import ObjectReference, Status
from services.fault_management.config import rules_from
from services.fault_management.domain.calls import (
    Concern,
    amended,
    attached,
    called_again,
    concern_of,
    explaining,
    hazard_in,
    is_news,
    is_same_caller,
    reported,
    unlocated,
    with_call,
)
from services.fault_management.domain.etr import Etr, EtrSource
from services.fault_management.domain.outage import Outage, S
from services.fault_management.domain.words import told_to_caller
from tests.fixtures.small_feeder import T0, s

T = TroubleTicketState


def ticket(mrid: str = "t", at: float = 0, point: str | None = "p", **details: Any) -> TroubleTicket:
    place = None if point is None else ObjectReference(mrid=point)
    return TroubleTicket(mrid=mrid, date_time_of_report=s(at), usage_point=place, **details)


def outage(state: S, **details: Any) -> Outage:
    return Outage(
        **{
            "mrid": "o",
            "feeder": "f",
            "state": state,
            "since": T0,
            "suspected_at": T0,
            "points": ("p", "q"),
            "why": "",
            "device": "F1",
            "tickets": ("t",),
            **details,
        }
    )


@pytest.mark.parametrize(
    ("told", "concern"),
    [
        (ticket(), Concern.SUPPLY),
        (ticket(trouble_code="partialPower"), Concern.SUPPLY),
        (ticket(trouble_code="wireDown"), Concern.HAZARD),
        (ticket(trouble_code="powerOut", hazards=(IncidentHazard(type="fire"),)), Concern.HAZARD),
        (ticket(trouble_code="powerOut", hazards=(IncidentHazard(type="treeOnLine"),)), Concern.SUPPLY),
        (ticket(trouble_code="flicker"), Concern.OTHER),
        (ticket(trouble_code="somethingElse"), Concern.OTHER),
        (ticket(description="Half of the lamps are BRIGHT, the others dim"), Concern.HAZARD),
        (ticket(description="A bright flash, then dark"), Concern.SUPPLY),
    ],
)
def test_a_call_is_about_the_supply_or_a_hazard_or_something_else(told: TroubleTicket, concern: Concern) -> None:
    assert concern_of(told) is concern


def test_the_same_caller_is_known_for_ten_minutes_by_place_and_name() -> None:
    first = ticket()
    customer = ObjectReference(mrid="ada")
    assert is_same_caller(first, ticket("u", at=600))
    assert not is_same_caller(first, ticket("u", at=601))
    assert not is_same_caller(first, ticket("u", point="q"))
    assert not is_same_caller(replace(first, customer=customer), ticket("u", customer=ObjectReference(mrid="bob")))
    assert not is_same_caller(replace(first, status=Status(value=T.CLOSED)), ticket("u", at=1))
    again = called_again(replace(first, description="dark"), ticket("u", at=60, comment="still"))
    assert (again.mrid, again.description, again.comment, again.date_time_of_report) == ("t", "dark", "still", T0)


def test_calls_of_one_hazard_at_one_place_are_one_incident_with_one_work() -> None:
    wire = ticket(trouble_code="wireDown")
    incident = with_call([], wire, ("i", "w"), T0)
    assert (incident.kind, incident.rank, incident.work, incident.tickets) == ("wireDown", 1, "w", ("t",))
    more = with_call([incident], ticket("u", trouble_code="wireDown"), ("j", "x"), T0)
    assert (more.mrid, more.work, more.tickets) == ("i", "w", ("t", "u"))
    other = with_call([incident], ticket("v", trouble_code="flicker"), ("j", "x"), T0)
    assert (other.mrid, other.rank) == ("j", 5)
    told = reported(wire, incident, T0)
    assert told.status is not None
    assert (told.status.value, told.incident) == (T.NON_OUTAGE, ObjectReference(mrid="i"))
    done = reported(told, replace(incident, closed_at=s(60)), s(60)).status
    assert done is not None
    assert done.value == T.CLOSED


def test_a_place_that_nobody_knows_waits_for_a_clerk_and_a_hazard_there_is_urgent() -> None:
    plain, danger = unlocated(ticket(point=None), T0).status, unlocated(ticket(trouble_code="fire"), T0).status
    assert plain is not None
    assert danger is not None
    assert (plain.value, plain.remark, danger.remark) == (T.UNLOCATED, None, "urgent")
    found = amended(ticket(point=None), ticket(point="p"), s(60))
    assert is_news(ticket(point=None), found)


def test_calling_back_ends_a_ticket_or_brings_it_back() -> None:
    due = attached(ticket(), outage(S.RESTORED, unknown=("p",)), T0, UTC)
    assert due.status is not None
    assert due.status.value == T.CALLBACK_DUE

    def told(state: str) -> TroubleTicket:
        return amended(due, replace(ticket(), status=Status(value=state)), s(60))

    for state, after, news in (
        (T.CALLBACK_OK, T.CLOSED, False),
        (T.CALLBACK_NO_ANSWER, T.CALLBACK_NO_ANSWER, False),
        (T.CALLBACK_NEGATIVE, T.CALLBACK_NEGATIVE, True),
    ):
        changed = told(state)
        assert changed.status is not None
        assert (changed.status.value, is_news(due, changed)) == (after, news)
    with pytest.raises(Invalid, match="what may be told"):
        told("ATTACHED")
    no_answer = attached(told(T.CALLBACK_NO_ANSWER), outage(S.RESTORED, unknown=("p",)), s(90), UTC).status
    assert no_answer is not None
    assert no_answer.value == T.CALLBACK_NO_ANSWER, "it stays as it is while the outage does"


def test_a_ticket_is_informed_from_the_first_estimate_on_and_grows_by_what_is_new() -> None:
    bare = attached(ticket(), outage(S.PREDICTED), T0, UTC)
    assert bare.status is not None
    assert (bare.status.value, bare.revision_number) == (T.ATTACHED, 1)
    assert attached(bare, outage(S.PREDICTED), s(60), UTC) is bare
    etr = Etr(time=s(5400), source=EtrSource.COMPUTED)
    informed = attached(bare, outage(S.CONFIRMED, etr=etr), s(60), UTC)
    assert informed.status is not None
    assert (informed.status.value, informed.revision_number) == (T.INFORMED, 2)
    assert informed.estimated_restoration_time is not None
    assert informed.estimated_restoration_time.ert == s(5400)


def test_callers_are_told_what_is_known_and_never_that_it_is_over_where_that_is_not_known() -> None:
    etr = Etr(time=s(5400), source=EtrSource.COMPUTED, sure=True)
    words = told_to_caller(outage(S.CONFIRMED, etr=etr, crew=CrewStatusKind.ENROUTE), "p", UTC)
    assert words.endswith("concerns 2 connections. A crew is on its way. We expect the power back by 19:30.")
    late = told_to_caller(outage(S.CONFIRMED, etr=replace(etr, overdue=True)), "p", UTC)
    assert "cannot say yet" in late
    assert "likely inside" in told_to_caller(outage(S.VERIFY, device=None), "p", UTC)
    assert "finding out" in told_to_caller(outage(S.SUSPECTED, device=None), "p", UTC)
    partly = outage(S.PARTIALLY_RESTORED, restored={"q": s(60)}, etr=etr)
    assert "should be back" in told_to_caller(partly, "q", UTC)
    assert "expect the power back by 19:30" in told_to_caller(partly, "p", UTC)
    hidden = outage(S.CLOSED, restored={"p": s(60), "q": s(60)}, unknown=("p",))
    assert "cannot see" in told_to_caller(hidden, "p", UTC)
    assert "is back" in told_to_caller(hidden, "q", UTC)


def test_a_ticket_belongs_to_the_latest_outage_that_is_not_over() -> None:
    old = outage(S.CLOSED, mrid="old")
    first, second = (
        outage(S.SUSPECTED, mrid="first"),
        outage(S.SUSPECTED, mrid="second", suspected_at=T0 + timedelta(1)),
    )
    assert explaining([old, first, second], "t") == second
    assert explaining([old], "t") == old
    assert explaining([old], "u") is None


def test_the_time_zone_is_a_setting_and_a_wrong_one_is_refused_by_name() -> None:
    assert str(rules_from({"BUSBAR_FAULT_TIME_ZONE": "Europe/Berlin"}).zone) == "Europe/Berlin"
    with pytest.raises(ValueError, match="BUSBAR_FAULT_TIME_ZONE is 'Mars'"):
        rules_from({"BUSBAR_FAULT_TIME_ZONE": "Mars"})


def test_a_word_of_a_hazard_is_found_wherever_it_stands() -> None:
    assert hazard_in(ticket(trouble_code="wireDown", hazards=(IncidentHazard(type="fire"),))) == "wireDown"
    assert hazard_in(ticket(comment="some bright, some dim")) == "openNeutral"
    assert hazard_in(ticket()) is None
