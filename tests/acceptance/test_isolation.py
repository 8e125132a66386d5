"""Acceptance scenarios 14, 16 and 17 of the operations guide: who isolates a fault, and when nobody must.

The feeder is ``S - B - 1 - R1 - 2 ... R5 - 6`` with an indicator behind each R, and ties T5 and T6 to other sources.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contracts.message import User
from contracts.nouns.measurements import MeasurementType, SwitchPosition
from contracts.nouns.network_models import NetworkModel, NetworkModels
from contracts.nouns.operational_tags import OperationalTag, OperationalTags, OperationalTagState, OperationalTagType
from contracts.nouns.switching_plans import SwitchingPlan, SwitchingPlans, SwitchingPlanState
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage
from contracts.nouns.work_types import WorkStatusKind
from contracts.types import ObjectReference, Status
from contracts.verbs import Verb
from services.fault_management.config import SWITCHING
from services.fault_management.service import service as fault_management
from services.network_operation.service import service as network_operation
from services.work_management.service import service as work_management
from shared.tools.testing import Installation
from tests.acceptance.stage import Stage, points, stage
from tests.fixtures.tied_feeders import Drawing, feeder_of_six

NO = "network-operation"
OLA, EVE = User(user_id="ola", organization="operator"), User(user_id="eve", organization="crew")
P, S, TAG = SwitchingPlanState, OutageState, OperationalTagType
T = MeasurementType


@asynccontextmanager
async def feeder_in_operation(theatre: Installation, drawing: Drawing) -> AsyncIterator[Stage]:
    """Network operation, fault management and work management, who know the feeder."""
    feeder = drawing.feeder(drawing.normally_open)
    async with stage(theatre, feeder, network_operation, fault_management, work_management) as play:
        models = play.peers["network-model-management"]
        model = NetworkModel(mrid="six", model_format="CIM100 RDF/XML", revision=1)
        await models.tell(Verb.CREATED, NetworkModels(network_model=(model,)), key="six")
        await play.play(10)
        yield play


async def tripped(play: Stage, at: float, *flags: str) -> UnplannedOutage:
    """The breaker trips and the indicators say what they saw; the outage half a minute later."""
    await play.play(at)
    for flag in flags:
        await play.measured(flag, (T.FAULT_INDICATION, 1))
    await play.measured("B", (T.SWITCH_POSITION, SwitchPosition.OPEN), (T.TRIP, 1))
    await play.play(at + 30)
    (outage,) = await play.outages()
    return outage


async def plan(play: Stage, outage: UnplannedOutage) -> SwitchingPlan:
    """The last plan of an outage, as network operation has it."""
    mrid = outage.switching_plans[-1].mrid or ""
    answer = await play.peers["operator"].request(NO, Verb.GET, SwitchingPlans, ids=[mrid])
    (found,) = answer.noun.switching_plan
    assert isinstance(found, SwitchingPlan)
    return found


def state(plan: SwitchingPlan) -> str | None:
    return None if plan.status is None else plan.status.value


def dark(outage: UnplannedOutage) -> set[str | None]:
    return points(outage.de_energized_usage_point)


async def test_a_located_fault_is_isolated_by_itself_and_the_others_get_supply_until_all_goes_back(
    theatre: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCHING, "auto")
    async with feeder_in_operation(theatre, feeder_of_six()) as play:
        outage = await tripped(play, 60, "R1-flag", "R2-flag")
        assert play.commands == ["R1 open", "R4 open", "B close", "T5 close"]
        assert outage.status is not None
        assert outage.status.value == S.PARTIALLY_RESTORED
        assert dark(outage) == {"2-shop", "3-shop", "4-shop"}
        assert points(outage.outage_isolation_equipment) == {"R1", "R4"}
        carried_out = await plan(play, outage)
        assert (state(carried_out), carried_out.author) == (P.COMPLETED, ObjectReference(mrid="fault-management"))
        assert (carried_out.purpose or "").startswith("FLISR")
        assert "30 customers, 0 of them critical, get supply meanwhile" in (carried_out.comment or "")

        (order,) = play.orders.values()
        await play.crew(order, WorkStatusKind.ON_SITE, 100, "equipment")
        await play.play(3600)
        assert len(play.commands) == 4, "nothing is switched while somebody works"
        await play.crew(order, WorkStatusKind.COMPLETED, 3600, "equipment")
        await play.play(3660)
        assert play.commands[4:] == ["T5 open", "R1 close", "R4 close"]
        (restored,) = await play.outages()
        assert restored.status is not None
        assert (restored.status.value, dark(restored)) == (S.RESTORED, set())


async def test_what_could_be_switched_waits_for_an_operator_who_issues_it(theatre: Installation) -> None:
    async with feeder_in_operation(theatre, feeder_of_six()) as play:
        outage = await tripped(play, 60, "R1-flag", "R2-flag")
        draft = await plan(play, outage)
        assert (state(draft), play.commands) == (P.DRAFT, [])
        assert "between" in (draft.comment or "")
        issued = SwitchingPlans(switching_plan=(SwitchingPlan(mrid=draft.mrid, status=Status(value=P.ISSUED)),))
        await play.peers["operator"].request(NO, Verb.CHANGE, issued, user=OLA)
        await play.play(120)
        assert play.commands == ["R1 open", "R4 open", "B close", "T5 close"]
        (restored,) = await play.outages()
        assert dark(restored) == {"2-shop", "3-shop", "4-shop"}


async def test_a_draft_that_nobody_used_is_taken_back_when_the_crew_was_faster(theatre: Installation) -> None:
    async with feeder_in_operation(theatre, feeder_of_six()) as play:
        outage = await tripped(play, 60, "R1-flag", "R2-flag")
        draft = await plan(play, outage)
        (order,) = play.orders.values()
        await play.play(600)
        await play.crew(order, WorkStatusKind.COMPLETED, 600, "equipment")
        await play.play(700)
        answer = await play.peers["operator"].request(NO, Verb.GET, SwitchingPlans, ids=[draft.mrid])
        assert state(answer.noun.switching_plan[0]) == P.CANCELLED
        assert play.commands == ["B close"], "the breaker alone, after the repair"


async def test_indicators_that_contradict_leave_all_to_people_who_see_both_places(
    theatre: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 14: FI flags contradict (downstream set, upstream not): FLISR goes manual, shows both zones with
    scores."""
    monkeypatch.setenv(SWITCHING, "auto")
    async with feeder_in_operation(theatre, feeder_of_six()) as play:
        outage = await tripped(play, 60, "R2-flag")
        assert play.commands == []
        assert outage.switching_plans == ()
        said = outage.comment or ""
        assert "contradict" in said
        assert "between R2-flag, R3 (67 %) or between B, R1 (28 %)" in said, "each place with its probability"


async def test_a_breaker_that_trips_under_a_hot_line_tag_is_closed_by_nobody(
    theatre: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 16: crew holds a hot-line tag on the tie feeder, breaker trips there: no reclosing, no FLISR closing."""
    monkeypatch.setenv(SWITCHING, "auto")
    async with feeder_in_operation(theatre, feeder_of_six()) as play:
        tag = OperationalTag(
            mrid="hot line",
            type=TAG.HOT_LINE,
            power_system_resource=ObjectReference(mrid="B"),
            status=Status(value=OperationalTagState.PLACED),
        )
        answer = await play.peers["operator"].request(
            NO, Verb.CREATE, OperationalTags(operational_tag=(tag,)), user=EVE
        )
        assert answer.reply is not None
        assert not answer.reply.error, answer.reply
        outage = await tripped(play, 60, "R1-flag", "R2-flag")
        assert play.commands == []
        assert (outage.switching_plans, outage.comment) == (
            (),
            "no switching is proposed: 'eve' holds a hot-line tag there",
        )


async def test_a_sequence_whose_switch_fails_is_left_to_the_operator_and_nothing_else_closes(
    theatre: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 17: during a FLISR sequence a switch answers "failed", then reports open 40 s later: sequence stopped,
    step pending, operator decides; nothing else closes."""
    monkeypatch.setenv(SWITCHING, "auto")
    async with feeder_in_operation(theatre, feeder_of_six()) as play:
        play.broken = {"R4": "the drive did not move"}
        outage = await tripped(play, 60, "R1-flag", "R2-flag")
        assert play.commands == ["R1 open", "R4 open"]
        assert state(await plan(play, outage)) == P.ABORTED
        assert "the drive did not move" in (outage.comment or "")
        await play.play(110)
        await play.measured("R4", (T.SWITCH_POSITION, SwitchPosition.OPEN))
        await play.play(900)
        assert play.commands == ["R1 open", "R4 open"]
        (still,) = await play.outages()
        assert len(dark(still)) == 6
