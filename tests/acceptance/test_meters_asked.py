"""Acceptance scenarios 1, 9, 10, 12 and 13 of the operations guide: what meters say when they are asked, and do not."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from contracts.codes.end_device_controls import CONNECT, DISCONNECT, PING
from contracts.codes.end_device_events import EventKind
from contracts.message import Request
from contracts.nouns.customer_agreement_config import CustomerAgreement, CustomerAgreementConfig
from contracts.nouns.customer_config import Customer, CustomerConfig
from contracts.nouns.customer_types import CustomerNotification
from contracts.nouns.customer_types import NotificationTriggerKind as Trigger
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls
from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.incident_information import IncidentInformation
from contracts.nouns.network_models import ModelStatusKind, NetworkModel, NetworkModels
from contracts.nouns.reliability_indices import InterruptionKind, ReliabilityIndices
from contracts.nouns.trouble_tickets import TroubleTickets, TroubleTicketState
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage, VerificationKind
from contracts.nouns.work_types import WorkStatusKind
from contracts.types import DateTimeInterval, Name, ObjectReference, Reference
from contracts.verbs import Verb
from services.compliance_management.service import service as compliance
from services.customer_management.service import service as customer_management
from services.fault_management.service import service as fault_management
from services.meter_reading_and_control.service import service as meter_reading
from services.work_management.service import service as work_management
from shared.envelope import success
from shared.tools.testing import Installation
from tests.acceptance.stage import Stage, points, stage
from tests.fixtures.small_feeder import POINTS, T0, TRANSFORMERS, feeder, under

S, T = OutageState, TroubleTicketState
MRC, CO, CM = meter_reading.role, compliance.role, customer_management.role


def asked(play: Stage) -> list[str | None]:
    """The usage points whose meters the head-end was to ask, in order."""
    controls = [control for noun in play.said(EndDeviceControls) for control in noun.end_device_control]
    pings = [control for control in controls if control.end_device_control_type.ref == PING]
    return [point.mrid for control in pings for point in control.usage_points]


def state(outage: UnplannedOutage) -> str | None:
    return None if outage.status is None else outage.status.value


async def test_a_customer_who_calls_with_a_meter_that_answers_is_told_that_the_problem_is_likely_inside(
    theatre: Installation,
) -> None:
    """Scenario 1: given no outage, when 1 customer calls and the ping answers, then VERIFY, no dispatch, caller told
    "problem likely inside"."""
    async with stage(theatre, feeder(), fault_management, meter_reading, work_management) as play:
        await play.play(10)
        ticket = await play.call("T11-1", 8)
        assert ticket.status is not None
        assert ticket.status.value == T.ATTACHED
        await play.play(20)
        assert asked(play) == ["T11-1"]
        (outage,) = await play.outages()
        assert (state(outage), points(outage.trouble_ticket)) == (S.VERIFY, {ticket.mrid})
        told = play.tickets()[-1]
        assert told.status is not None
        assert (told.mrid, told.status.value) == (ticket.mrid, T.CALLBACK_DUE)
        assert "problem is likely inside" in (told.status.reason or "")

        await play.play(3600)
        assert not play.orders, "nobody is sent"
        assert [state(each) for each in await play.outages()] == [S.VERIFY]
        fine = replace(told, status=replace(told.status, value=T.CALLBACK_OK, reason="a fuse in the house"))
        await play.order_operator(Verb.CHANGE, TroubleTickets(trouble_ticket=(fine,)))
        await play.play(3610)
        assert await play.outages() == []
        assert play.states(outage.mrid) == [S.SUSPECTED, S.VERIFY, S.DISMISSED]


async def lose_and_restore(play: Stage, *silent: str) -> str | None:
    """The breaker opens at 0 s and is closed at 600 s; those who have power then say so, but for the silent ones."""
    play.dark = set(POINTS)
    await play.switched(feeder("B", at=play.at(0)))
    await play.meters(EventKind.POWER_LOST, *POINTS, at=0)
    await play.play(600)
    play.dark -= set(POINTS) - set(silent)
    await play.switched(feeder(at=play.at(600)))
    await play.meters(EventKind.POWER_RESTORED, *(mrid for mrid in POINTS if mrid not in silent), at=600)
    await play.play(620)
    (outage,) = await play.outages()
    assert (state(outage), outage.verification) == (S.RESTORED, None)
    return outage.mrid


async def test_a_transformer_that_stays_dark_after_its_feeder_is_restored_is_a_nested_outage_within_ten_minutes(
    theatre: Installation,
) -> None:
    """Scenario 9: feeder restored; one transformer stays dark, its collector is alive: nested outage within 10 min,
    start back-dated, CMI of those customers counted once."""
    own = [mrid for mrid in POINTS if mrid.startswith("T11")]
    async with stage(theatre, feeder(), fault_management, meter_reading, work_management, compliance) as play:
        await play.peers["network-model-management"].serve(play.snapshot)
        model = NetworkModel(mrid="model", model_format="CIM100 RDF/XML", status_kind=ModelStatusKind.ACTIVE)
        told = NetworkModels(network_model=(model,))
        await play.peers["network-model-management"].tell(Verb.CREATED, told, key="model")
        await play.play(0)
        parent = await lose_and_restore(play, *own)
        await play.play(600 + 600)
        (nested,) = await play.outages()
        assert (state(nested), points(nested.opened_switches)) == (S.PREDICTED, {"T11"})
        assert points(nested.de_energized_usage_point) == set(own)
        assert nested.parent_outage == ObjectReference(mrid=parent)
        assert nested.reported_start_time == T0
        assert set(asked(play)) < set(own), "some of those who were not heard, and nobody else"
        assert play.states(parent)[-2:] == [S.VERIFIED, S.CLOSED]

        (order,) = (each for each in play.orders.values() if each.work[0].work_tasks[0].assets[0].mrid == "T11")
        await play.crew(order, WorkStatusKind.ON_SITE, 1200, "equipment")
        await play.play(1800)
        play.dark = set()
        await play.crew(order, WorkStatusKind.COMPLETED, 1800, "equipment")
        await play.meters(EventKind.POWER_RESTORED, *own, at=1790)
        await play.play(1800 + 120)
        assert await play.outages() == []
        assert play.states(nested.mrid)[-2:] == [S.VERIFIED, S.CLOSED]

        period = Request(start_time=T0 - timedelta(hours=18), end_time=T0 + timedelta(hours=1))
        answer = await play.peers["operator"].request(CO, Verb.GET, ReliabilityIndices, question=period)
        unplanned = next(
            index
            for index in answer.noun.reliability_index
            if index.interruption_kind is InterruptionKind.UNPLANNED and index.major_event_days_included
        )
        assert unplanned.customer_interruptions == len(POINTS), "each was interrupted once"
        assert unplanned.customer_minutes == pytest.approx(24 * 10 + 6 * 1790 / 60)


async def test_given_a_feeder_restored_when_the_sample_ping_of_one_transformer_is_off_then_they_hear_no_restored(
    theatre: Installation,
) -> None:
    """Scenario 23 of the metering guide: a new outage there, and its customers are told once they have power again."""
    own = [mrid for mrid in POINTS if mrid.startswith("T11")]
    other = next(mrid for mrid in POINTS if mrid not in own)
    services = (fault_management, meter_reading, work_management, customer_management)
    async with stage(theatre, feeder(), *services) as play:
        await play.play(0)
        await moved_in(play, anna=own[0], bert=other)
        play.off = set(own)
        parent = await lose_and_restore(play, *own)
        await play.play(600 + 600)
        (nested,) = await play.outages()
        assert (state(nested), points(nested.opened_switches)) == (S.PREDICTED, {"T11"})
        assert points(nested.de_energized_usage_point) == set(own)
        assert set(asked(play)) < set(own), "a sample"
        assert play.states(parent)[-2:] == [S.VERIFIED, S.CLOSED]
        assert (await was_told(play, parent), await was_told(play, nested.mrid)) == ({"bert"}, set())

        (order,) = (each for each in play.orders.values() if each.work[0].work_tasks[0].assets[0].mrid == "T11")
        await play.crew(order, WorkStatusKind.ON_SITE, 1200, "equipment")
        await play.play(1800)
        play.dark = play.off = set()
        await play.crew(order, WorkStatusKind.COMPLETED, 1800, "equipment")
        await play.meters(EventKind.POWER_RESTORED, *own, at=1790)
        await play.play(1800 + 120)
        assert await play.outages() == []
        assert (await was_told(play, parent), await was_told(play, nested.mrid)) == ({"bert"}, {"anna"})


async def moved_in(play: Stage, **homes: str) -> None:
    """Customers with their usage points, who want to hear everything."""
    operator, told = (
        play.peers["operator"],
        [CustomerNotification(contact_type="sms", trigger=each) for each in Trigger],
    )
    for name, point in homes.items():
        who = Customer(mrid=name, names=(Name(name=name),), notifications=tuple(told))
        agreement = CustomerAgreement(
            mrid=f"{name} at {point}",
            customer=ObjectReference(mrid=name),
            usage_points=(ObjectReference(mrid=point),),
            validity_interval=DateTimeInterval(start=T0 - timedelta(days=1)),
        )
        for noun in (CustomerConfig(customer=(who,)), CustomerAgreementConfig(customer_agreement=(agreement,))):
            assert success() == (await operator.request(CM, Verb.CREATE, noun)).reply


async def was_told(play: Stage, outage: str | None) -> set[str | None]:
    """The customers who were told that they have power again, as customer management says of an outage."""
    answer = await play.peers["operator"].request(CM, Verb.GET, IncidentInformation, ids=[outage or ""])
    notices = [] if answer.payload is None else answer.noun.incident[0].customer_notifications
    return {each.customer and each.customer.mrid for each in notices if each.trigger is Trigger.POWER_RESTORED}


async def test_where_a_whole_lateral_is_silent_nothing_is_invented_and_its_customers_are_called_back(
    theatre: Installation,
) -> None:
    """Scenario 10: feeder restored; all meters of a lateral silent because the collector's pole is down: state UNKNOWN,
    no nested outage invented, no VERIFIED either; callback list made."""
    async with stage(theatre, feeder(), fault_management, meter_reading, work_management) as play:
        await play.play(0)
        ticket = await play.call("T31-2", 0, mrid="ticket")
        parent = await lose_and_restore(play, *under("F3"))
        play.dark, play.mute = set(), set(under("F3"))
        await play.play(1200)
        (outage,) = await play.outages()
        assert (outage.mrid, state(outage), outage.verification) == (parent, S.RESTORED, VerificationKind.UNKNOWN)
        assert points(outage.unverified_usage_point) == set(under("F3"))
        told = play.tickets()[-1]
        assert told.status is not None
        assert (told.mrid, told.status.value) == (ticket.mrid, T.CALLBACK_DUE)

        await play.play(600 + 1900)
        assert await play.outages() == []
        assert S.VERIFIED not in play.states()
        assert set(play.states()) == {S.SUSPECTED, S.CONFIRMED, S.RESTORED, S.CLOSED}, "no outage is invented"
        (closed,) = [
            each
            for message in play.told
            if message.header.verb is Verb.CLOSED and message.header.noun == "UnplannedOutages"
            for each in message.noun.unplanned_outage
        ]
        assert (closed.verification, points(closed.unverified_usage_point)) == (
            VerificationKind.UNKNOWN,
            set(under("F3")),
        )
        last = play.tickets()[-1]
        assert last.status is not None
        assert last.status.value == T.CALLBACK_DUE, "he is still to be called back"


async def test_no_answer_of_a_meter_takes_a_hazard_away(theatre: Installation) -> None:
    """Scenario 12, the end of it: not pinged away although the meter answers."""
    async with stage(theatre, feeder(), fault_management, meter_reading, work_management) as play:
        await play.play(10)
        ticket = await play.call("T11-1", 8, trouble_code="openNeutral")
        await play.call("T12-1", 9)
        await play.play(1000)
        assert asked(play) == ["T12-1"], "who has no power is asked about, and who is in danger is not"
        (order,) = play.orders.values()
        assert order.work[0].work_tasks[0].assets[0].mrid == "T11-1"
        shown = await play.order_operator(Verb.GET, TroubleTickets, ids=[ticket.mrid])
        (kept,) = shown.noun.trouble_ticket
        assert kept.status is not None
        assert kept.status.value == T.NON_OUTAGE


def wide() -> Feeder:
    """The small feeder with ten usage points to a transformer."""
    narrow = feeder()
    each = {point.mrid[:3]: point for point in narrow.usage_point}
    return replace(
        narrow,
        usage_point=tuple(
            replace(each[transformer], mrid=f"{transformer}-{number}", name=str(number), critical=False)
            for transformer in TRANSFORMERS
            for number in range(1, 11)
        ),
    )


def control(code: str, point: str) -> EndDeviceControls:
    return EndDeviceControls(
        end_device_control=(
            EndDeviceControl(
                mrid=f"{code} {point}",
                end_device_control_type=Reference(ref=code),
                end_devices=(EndDevice(mrid=f"{point}-meter"),),
                usage_points=(ObjectReference(mrid=point),),
            ),
        )
    )


async def test_forty_customers_who_are_disconnected_and_a_meter_that_is_exchanged_make_no_outage(
    theatre: Installation,
) -> None:
    """Scenario 13: remote disconnect for non-payment of 40 customers and a meter exchange: gasps and silence create no
    outage."""
    gone = [f"{transformer}-{number}" for transformer in ("T11", "T12", "T21", "T31") for number in range(1, 11)]
    async with stage(theatre, wide(), fault_management, meter_reading, work_management) as play:
        await play.play(0)
        for mrid in gone:
            await play.peers["operator"].command(MRC, Verb.CREATE, control(DISCONNECT, mrid))
        await play.play(5)
        await play.meters(EventKind.POWER_LOST, *gone, at=4)
        await play.meters(EventKind.METER_REMOVED, "T32-1", at=60)
        await play.meters(EventKind.POWER_LOST, "T32-1", at=50)
        await play.play(300)
        await play.meters(EventKind.METER_INSTALLED, "T32-1", at=290)
        await play.play(1800)
        assert await play.outages() == []
        assert play.states() == []
        assert asked(play) == []

        play.dark = {point.mrid for point in wide().usage_point}
        await play.switched(opened(wide()))
        await play.play(2400)
        play.dark = set(gone)
        await play.switched(replace(wide(), event_time=play.at(2400)))
        await play.meters(EventKind.POWER_RESTORED, "T32-1", at=2400)
        await play.play(2400 + 120)
        assert await play.outages() == [], "their silence keeps nothing open"
        assert play.states()[-2:] == [S.VERIFIED, S.CLOSED]
        assert asked(play) == []

        play.dark = set()
        await play.peers["operator"].command(MRC, Verb.CREATE, control(CONNECT, "T11-1"))
        await play.play(2700)
        await play.meters(EventKind.POWER_LOST, "T11-1", at=2690)
        await play.play(2710)
        (outage,) = await play.outages()
        assert points(outage.de_energized_usage_point) == {"T11-1"}, "who is connected again is a customer like others"


def opened(before: Feeder) -> Feeder:
    """The feeder with its breaker open."""
    dead = feeder("B", at=before.event_time + timedelta(seconds=1800))
    return replace(
        before, event_time=dead.event_time, equipment=dead.equipment, connectivity_node=dead.connectivity_node
    )
