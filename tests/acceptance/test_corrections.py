"""Acceptance scenario 23 of the operations guide, and what else operators decide about outages."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.errors import BusbarError, Conflict, Denied, Invalid, NotFound, from_reply
from contracts.message import Id, Option, Request, Result, User
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrders
from contracts.nouns.network_models import ModelStatusKind, NetworkModel, NetworkModels
from contracts.nouns.reliability_indices import ReliabilityIndex, ReliabilityIndices
from contracts.nouns.unplanned_outages import (
    CrewStatusKind,
    EstimatedRestorationTime,
    OutageState,
    OutageStatusKind,
    UnplannedOutage,
    UnplannedOutages,
)
from contracts.nouns.work_types import WorkStatusKind
from contracts.types import DateTimeInterval, Status
from contracts.verbs import Verb
from services.compliance_management.service import service as compliance
from services.fault_management.service import service as fault_management
from services.meter_reading_and_control.service import service as meter_reading
from services.work_management.service import service as work_management
from shared.tools.testing import Installation
from tests.acceptance.stage import Stage, points, stage
from tests.fixtures.small_feeder import POINTS, T0, feeder, under

CO = "compliance-management"
DAY = 86400
MINUTE = 60
OLA = User(user_id="ola", organization="operator")
S = OutageState


async def interrupted(play: Stage, device: str, at: float, minutes: float) -> None:
    """A device trips and is closed again; the outage is over, and closed half an hour later."""
    await play.play(at)
    await play.switched(feeder(device, at=play.at(at)))
    await play.play(at + minutes * MINUTE)
    await play.switched(feeder(at=play.at(at + minutes * MINUTE)))
    await play.play(at + minutes * MINUTE + 40 * MINUTE)


async def change(play: Stage, outage: UnplannedOutage, user: User | None = OLA, **wishes: Any) -> UnplannedOutage:
    """What an operator wants to be otherwise; the outage as it is then.

    Raises:
        BusbarError: fault management says no.
    """
    asked = UnplannedOutage(
        mrid=outage.mrid, outage_kind=outage.outage_kind, revision_number=outage.revision_number, **wishes
    )
    noun = UnplannedOutages(unplanned_outage=(asked,))
    answer = await play.order_operator(Verb.CHANGE, noun, user=user)
    assert answer.reply is not None
    failure = from_reply(answer.reply)
    if failure is not None:
        raise failure
    (changed,) = answer.noun.unplanned_outage
    assert isinstance(changed, UnplannedOutage)
    return changed


def last_told(play: Stage) -> UnplannedOutage:
    """What was told last of an outage."""
    told = [message.payload for message in play.told if isinstance(message.payload, UnplannedOutages)]
    return told[-1].unplanned_outage[-1]


async def counted(play: Stage, request: Request) -> ReliabilityIndex:
    """The first index that is answered."""
    answer = await play.peers["operator"].request(CO, Verb.GET, ReliabilityIndices, question=request)
    assert answer.reply is not None
    assert answer.reply.result is Result.OK, answer.reply
    index = answer.noun.reliability_index[0]
    assert isinstance(index, ReliabilityIndex)
    return index


async def test_an_outage_that_was_closed_with_a_wrong_start_is_corrected_and_the_indices_are_restated(
    theatre: Installation,
) -> None:
    """Scenario 23: outage closed with wrong start; corrected next day: revision 2, indices restated, MED classification
    of that day re-evaluated, old report reproducible."""
    start = feeder(at=T0 - timedelta(days=1))
    async with stage(theatre, start, fault_management, compliance) as play:
        models = play.peers["network-model-management"]
        await models.serve(play.snapshot)
        model = NetworkModel(mrid="model", model_format="CIM100 RDF/XML", status_kind=ModelStatusKind.ACTIVE)
        await models.tell(Verb.CREATED, NetworkModels(network_model=(model,)))
        for day, minutes in enumerate((20, 25, 30)):
            await interrupted(play, "F2", day * DAY + 10, minutes)
        bad_day = 304 * DAY
        await interrupted(play, "B", bad_day, 60)
        (closed,) = [
            outage
            for message in play.told
            if isinstance(message.payload, UnplannedOutages) and message.header.verb is Verb.CLOSED
            for outage in message.payload.unplanned_outage
            if points(outage.opened_switches) == {"B"}
        ]

        midnight = play.at(bad_day) - timedelta(hours=18)
        period = DateTimeInterval(start=midnight, end=midnight + timedelta(days=1))
        asked = ReliabilityIndices(reliability_index=(ReliabilityIndex(mrid="day", rule_set="", period=period),))
        answer = await play.peers["operator"].request(CO, Verb.CREATE, asked)
        (filed,) = answer.noun.reliability_index
        assert (filed.revision, filed.customer_interruptions, filed.customer_minutes) == (1, 30, 30 * 60)
        assert filed.major_event_days == 1, "an hour for everybody is much more than ever before"

        await play.play(bad_day + DAY)
        began = play.at(bad_day + 53 * MINUTE)
        with pytest.raises(Invalid, match="a correction says why"):
            await change(play, closed, actual_period=DateTimeInterval(start=began))
        why = Status(reason="the clock of the substation was wrong")
        with pytest.raises(Conflict, match=f"at revision {closed.revision_number}"):
            await change(
                play,
                replace(closed, revision_number=1),
                actual_period=DateTimeInterval(start=began),
                status=why,
            )
        corrected = await change(play, closed, actual_period=DateTimeInterval(start=began), status=why, remedy="none")
        assert corrected.revision_number == closed.revision_number + 1
        assert corrected.actual_period is not None
        assert (corrected.actual_period.start, corrected.actual_period.end) == (began, play.at(bad_day + 3600))
        assert corrected.status is not None
        assert (corrected.status.value, corrected.status.reason) == (
            S.CLOSED,
            "corrected by ola: the clock of the substation was wrong",
        )
        await play.play(bad_day + DAY + 600)
        verb = [message.header.verb for message in play.told if isinstance(message.payload, UnplannedOutages)][-1]
        assert verb is Verb.CHANGED

        restated = await counted(play, Request(id=(Id(value="day"),)))
        assert (restated.revision, restated.customer_interruptions, restated.customer_minutes) == (2, 30, 30 * 7)
        assert restated.major_event_days == 0
        assert (
            await counted(play, Request(id=(Id(value="day"),), option=(Option(name="revision", value="1"),))) == filed
        )
        assert filed.data_cut_off is not None
        then = (
            Option(name="ledgerRevision", value=str(filed.ledger_revision)),
            Option(name="dataCutOff", value=filed.data_cut_off.isoformat()),
            Option(name="majorEventDays", value="included"),
        )
        again = await counted(play, Request(start_time=period.start, end_time=period.end, option=then))
        same = {"mrid": "day", "created_date_time": filed.created_date_time, "revision": 1}
        assert replace(again, **same, major_event_days_included=filed.major_event_days_included) == filed


async def test_a_prediction_is_frozen_confirmed_and_given_a_time_by_an_operator_alone(theatre: Installation) -> None:
    async with stage(theatre, feeder(), fault_management, work_management, meter_reading) as play:
        await play.play(40)
        play.dark = set(under("F1"))
        await play.meters(EventKind.POWER_LOST, *under("F1"), at=0)
        await play.play(200)
        (predicted,) = await play.outages()
        for nobody in (None, User(user_id="eve", organization="crew")):
            with pytest.raises(Denied, match="only an operator"):
                await change(play, predicted, nobody, frozen=True)
        frozen = await change(play, predicted, frozen=True)
        assert frozen.frozen
        await play.meters(EventKind.POWER_RESTORED, *under("F1")[:3], at=210)
        await play.meters(EventKind.POWER_LOST, *under("F2"), at=210)
        await play.play(400)
        outages = {each.mrid: each for each in await play.outages()}
        assert points(outages[frozen.mrid].opened_switches) == {"F1"}, "it stays although meters have power"
        assert points(outages[frozen.mrid].de_energized_usage_point) == set(under("F1"))
        assert {"T21"} in [points(each.opened_switches) for each in outages.values()] or {"F2"} in [
            points(each.opened_switches) for each in outages.values()
        ]

        wish = EstimatedRestorationTime(ert=play.at(7200))
        timed = await change(play, outages[frozen.mrid], estimated_restoration_time=wish, cause="weather")
        assert timed.estimated_restoration_time is not None
        assert (timed.estimated_restoration_time.ert, timed.estimated_restoration_time.ert_source) == (
            play.at(7200),
            "operator",
        )
        confirmed = await change(play, timed, status=Status(value=S.CONFIRMED))
        assert (confirmed.outage_kind, confirmed.cause) == (OutageStatusKind.CONFIRMED, "weather")
        await play.play(3600)
        assert (await play.outages())[0].estimated_restoration_time == timed.estimated_restoration_time
        assert play.said(MaintenanceOrders), "crews have it"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"cause": "aliens"}, "cause: it may be animal", "2.29"),
    ({"status": Status(value=S.RESTORED)}, "not made RESTORED by hand", "2.29"),
    ({"status": Status(value=S.DISMISSED, reason="no")}, "somebody has seen it", "5.2"),
    ({"status": Status(value=S.CLOSED)}, "30 usage points have no supply", "5.2"),
    ({"frozen": True}, "a prediction can be frozen", "5.2"),
    ({"actual_period": DateTimeInterval(start=T0 - timedelta(hours=1))}, "once the outage is closed", "5.2"),
    ({"estimated_restoration_time": EstimatedRestorationTime(ert=T0)}, "it is over already", "2.29"),
]


async def test_what_may_not_be_is_refused_with_its_code_and_changes_nothing(theatre: Installation) -> None:
    async with stage(theatre, feeder(), fault_management) as play:
        await play.play(1)
        await play.switched(feeder("B", at=play.at(0)))
        await play.play(60)
        (outage,) = await play.outages()
        for wishes, refusal, code in REFUSED:
            with pytest.raises(BusbarError, match=refusal) as refused:
                await change(play, outage, **wishes)
            assert refused.value.code == code
        assert await play.outages() == [outage]


async def test_an_operator_closes_what_is_restored_with_cause_device_and_remedy(theatre: Installation) -> None:
    async with stage(theatre, feeder(), fault_management) as play:
        await play.play(1)
        await play.switched(feeder("B", at=play.at(0)))
        await play.play(1200)
        await play.switched(feeder(at=play.at(1200)))
        await play.play(1210)
        (restored,) = await play.outages()
        with pytest.raises(Invalid, match="cause, remedy: an outage is closed with them"):
            await change(play, restored, status=Status(value=S.CLOSED))
        closed = await change(
            play, restored, status=Status(value=S.CLOSED), cause="animal", remedy="a nest was taken away"
        )
        assert closed.status is not None
        assert (closed.status.value, closed.remedy, closed.cause) == (S.CLOSED, "a nest was taken away", "animal")
        assert len(closed.energized_usage_point) == len(POINTS)
        await play.play(1220)
        assert play.told[-1].header.verb is Verb.CLOSED
        with pytest.raises(NotFound):
            await change(play, replace(closed, mrid="nothing"), frozen=False)


async def test_what_an_operator_dismissed_is_not_suspected_again_by_the_same_evidence(theatre: Installation) -> None:
    async with stage(theatre, feeder(), fault_management, meter_reading) as play:
        await play.play(40)
        play.dark = set(under("F1"))
        await play.meters(EventKind.POWER_LOST, *under("F1"), at=0)
        await play.play(200)
        (predicted,) = await play.outages()
        status = Status(value=S.DISMISSED, reason="a test of the meters")
        dismissed = await change(play, predicted, status=status)
        assert dismissed.cancelled_date_time == play.now
        await play.play(900)
        assert await play.outages() == []
        await play.call("T11-1", 905)
        assert len(await play.outages()) == 1, "what is heard later counts"


async def test_what_a_crew_finds_after_an_outage_was_closed_is_taken_into_its_record_and_no_time_moves(
    theatre: Installation,
) -> None:
    async with stage(theatre, feeder(), fault_management, work_management, meter_reading) as play:
        await play.play(40)
        play.dark = set(under("F1"))
        await play.meters(EventKind.POWER_LOST, *under("F1"), at=0)
        await play.play(200)
        (order,) = play.orders.values()
        await play.play(400)
        play.dark.clear()
        await play.meters(EventKind.POWER_RESTORED, *under("F1"), at=400)
        await play.play(3000)
        closed = last_told(play)
        assert closed.status is not None
        assert (closed.status.value, closed.cause, points(closed.opened_switches)) == (S.CLOSED, None, {"F1"})

        await play.play(3010)
        await play.crew(order, WorkStatusKind.ENROUTE, 3010)
        await play.play(3020)
        assert last_told(play) == closed, "that somebody is on his way is no finding"
        task = replace(order.work[0].work_tasks[0], assets=(Asset(mrid="F2"),))
        there = replace(order, work=(replace(order.work[0], work_tasks=(task,)),))
        await play.play(3600)
        await play.crew(there, WorkStatusKind.ON_SITE, 3600, "vegetation")
        await play.play(3700)
        found = last_told(play)
        assert (found.cause, points(found.opened_switches)) == ("vegetation", {"F2"})
        assert found.revision_number == closed.revision_number + 1
        assert play.told[-1].header.verb is Verb.CHANGED
        same = ("mrid", "actual_period", "status", "energized_usage_point", "restoration_step")
        assert [getattr(found, each) for each in same] == [getattr(closed, each) for each in same]
        await play.play(4000)
        await play.crew(there, WorkStatusKind.COMPLETED, 4000, "vegetation")
        await play.play(4100)
        assert last_told(play).status_kind is CrewStatusKind.FIELD_COMPLETE
        asked = Request(id=(Id(value=closed.mrid),))
        answer = await play.peers["operator"].request("fault-management", Verb.GET, UnplannedOutages, question=asked)
        assert answer.noun.unplanned_outage[0].cause == "vegetation"
        assert await play.outages() == []
