"""The golden examples: one storm, told in XML and in JSON, for every exchange and every event."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import canonicalize

import pytest
from msgspec import Struct
from msgspec.structs import fields, replace

import contracts
from contracts.catalogue import ROLES
from contracts.codes.end_device_events import EventKind, kind_of
from contracts.codes.reading_quality import ReadingQualityCode
from contracts.codes.reading_type import ReadingTypeCode
from contracts.codes.reply_codes import MEANINGS
from contracts.message import Message
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec

FOLDER = Path(contracts.__file__).with_name("examples")
EXAMPLES = sorted(f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*/*.xml"))
CODEC = Codec(ROLES)
INTERFACES = ROLES.interfaces.values()


def xml(example: str) -> bytes:
    return (FOLDER / f"{example}.xml").read_bytes()


def read(example: str) -> Message[Any]:
    message = CODEC.decode(xml(example), CONTENT_XML)
    assert isinstance(message, Message)
    return message


def canonical(document: bytes) -> str:
    return canonicalize(from_file=BytesIO(document), strip_text=True, rewrite_prefixes=True)


def promised() -> set[str]:
    """Noun and verb of everything that the interfaces serve or tell, with a reply for each noun that is served."""
    served = {(exchange.noun.__name__, exchange.verb) for role in INTERFACES for exchange in role.serves}
    told = {(told.noun.__name__, told.verb) for role in INTERFACES for told in role.publishes}
    replies = {(noun, Verb.REPLY) for noun, _ in served}
    return {f"{noun}/{verb}" for noun, verb in served | told | replies}


def test_every_exchange_and_every_event_has_its_example_and_no_other_is_there() -> None:
    assert set(EXAMPLES) == promised()


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_says_in_its_header_what_its_file_name_says(example: str) -> None:
    header = read(example).header
    assert f"{header.noun}/{header.verb}" == example


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_written_again_is_the_same_document(example: str) -> None:
    assert canonical(CODEC.encode(read(example), CONTENT_XML)) == canonical(xml(example))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_says_the_same_in_json(example: str) -> None:
    document = (FOLDER / f"{example}.json").read_bytes()
    assert CODEC.decode(document, CONTENT_JSON) == read(example)
    assert json.loads(CODEC.encode(read(example), CONTENT_JSON)) == json.loads(document)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_goes_through_messagepack_unchanged(example: str) -> None:
    assert CODEC.decode(CODEC.encode(read(example), CONTENT_MSGPACK), CONTENT_MSGPACK) == read(example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_who_speaks_in_an_example_may_say_it(example: str) -> None:
    header = read(example).header
    role = ROLES.interfaces[header.source or ""]
    said = {asked.noun.__name__ for asked in role.asks if asked.verb is header.verb}
    said |= {told.noun.__name__ for told in role.publishes if told.verb is header.verb}
    if header.verb is Verb.REPLY:
        said = {served.noun.__name__ for served in role.serves}
    assert header.noun in said


def test_no_two_examples_are_the_same_message() -> None:
    told = [read(example).header.message_id for example in EXAMPLES]
    assert len(set(told)) == len(told)


def test_a_get_that_has_a_profile_is_qualified_by_it() -> None:
    for role in INTERFACES:
        for exchange in role.serves:
            if exchange.query is not None:
                request = read(f"{exchange.noun.__name__}/get").request
                assert request is not None
                assert isinstance(request.query, exchange.query)


def test_the_codes_of_the_examples_are_known() -> None:
    for example in EXAMPLES:
        reply = read(example).reply
        assert reply is None or all(error.code in MEANINGS for error in reply.error)
    gasps = read("EndDeviceEvents/created").noun.end_device_event
    assert {kind_of(gasp.end_device_event_type.ref) for gasp in gasps} == {EventKind.POWER_LOST}


def identities(value: Any) -> set[str]:
    """Every mRID anywhere in a value."""
    if isinstance(value, tuple):
        return set().union(*(identities(item) for item in value))
    if not isinstance(value, Struct):
        return set()
    mrid = getattr(value, "mrid", None)
    return set(filter(None, [mrid])).union(*(identities(getattr(value, field.name)) for field in fields(value)))


def test_the_examples_tell_one_story() -> None:
    outage = read("UnplannedOutages/created").noun.unplanned_outage[0]
    closed = read("UnplannedOutages/closed").noun.unplanned_outage[0]
    plan = read("SwitchingPlans/create").noun.switching_plan[0]
    request = read("WorkRequests/create").noun.work_request[0]
    order = read("MaintenanceOrders/created").noun.maintenance_order[0]
    ticket = read("TroubleTickets/create").noun.trouble_ticket[0]
    feeder = read("FeederTopology/reply").noun.feeder[0]

    assert closed.mrid == outage.mrid == plan.outage.mrid
    assert request.work[0].mrid == order.work[0].mrid
    assert outage.mrid in {name.name for name in request.work[0].names}
    assert ticket.mrid in identities(closed)

    equipment = {item.mrid for item in feeder.equipment}
    assert {switch.mrid for switch in outage.opened_switches} <= equipment
    assert {step.action.operated_switch.mrid for step in plan.switching_step_groups[0].switching_step} <= equipment

    trip = read("SwitchingEvents/created").noun.switching_event[0]
    assert [switch.mrid for switch in outage.opened_switches] == [trip.operated_switch.mrid]
    assert trip.operated_switch.mrid in identities(read("Measurements/created").noun)

    dark = {point.mrid for point in outage.de_energized_usage_point}
    change = read("FeederTopology/changed").noun.feeder_change[0]
    assert {point.mrid for point in change.energized_usage_point} == dark
    assert {state.mrid for state in change.switch_state} <= equipment
    before = replace(feeder, revision=change.revision - 1)
    after = before.after(change)
    assert after is not None
    assert (after.equipment, after.usage_point) == (before.equipment, before.usage_point)
    assert dark == {point.mrid for point in feeder.usage_point}
    assert dark == {point.mrid for point in closed.energized_usage_point}
    assert outage.original_customers_served == sum(point.customers for point in feeder.usage_point)
    assert ticket.usage_point.mrid in dark


def test_the_days_before_and_after_belong_to_the_same_story() -> None:
    outage = read("UnplannedOutages/created").noun.unplanned_outage[0]
    feeder = read("FeederTopology/reply").noun.feeder[0]
    equipment = {item.mrid for item in feeder.equipment}
    points = {point.mrid for point in feeder.usage_point}

    incident = read("IncidentInformation/closed").noun.incident[0]
    assert incident.outage.mrid == outage.mrid
    assert {ticket.mrid for ticket in incident.trouble_tickets} == identities(
        read("TroubleTickets/create").noun
    ) - points

    planned = read("PlannedOutages/changed").noun.planned_outage[0]
    assert {item.mrid for item in (*planned.equipments, *planned.outage_isolation_equipment)} <= equipment
    assert {point.mrid for point in planned.de_energized_usage_point} == points
    assert read("PlannedOutages/canceled").noun.planned_outage[0].mrid == planned.mrid
    notice = read("PlannedOutageNotifications/created").noun.planned_outage_notification[0]
    assert notice.planned_outage.mrid == planned.mrid

    recloser = read("Assets/changed").noun.asset[0]
    assert {place.mrid for place in recloser.power_system_resources} == {
        switch.mrid for switch in outage.opened_switches
    }
    assert read("Crews/changed").noun.crew[0].mrid in identities(read("MaintenanceOrders/created").noun)

    customer = read("CustomerConfig/create").noun.customer[0]
    agreement = read("CustomerAgreementConfig/reply").noun.customer_agreement[0]
    assert customer.names == read("TroubleTickets/create").noun.trouble_ticket[0].customer.names
    assert agreement.customer.mrid == customer.mrid
    settled = read("MeterReadings/created").noun.meter_reading[0]
    assert settled.usage_point.mrid in {point.mrid for point in agreement.usage_points} <= points
    assert {served.mrid for served in agreement.service_locations} <= identities(
        read("ServiceLocationConfig/create").noun
    )


def test_the_indices_of_the_examples_follow_from_the_outage() -> None:
    closed = read("UnplannedOutages/closed").noun.unplanned_outage[0]
    counted = read("ReliabilityIndices/created").noun.reliability_index[0]
    minutes = (closed.actual_period.end - closed.actual_period.start).total_seconds() / 60
    period = (counted.period.end - counted.period.start).total_seconds() / 60
    assert counted.customers_served == closed.original_customers_served
    assert counted.saidi == counted.caidi == pytest.approx(minutes, abs=0.005)
    assert counted.asai == pytest.approx(1 - minutes / period, abs=5e-7)


def test_the_readings_of_the_examples_have_types_and_qualities_that_are_known() -> None:
    noun = read("MeterReadings/created").noun
    for reading_type in noun.reading_type:
        names = ReadingTypeCode.parse(reading_type.mrid).names
        assert (names["measuring_period"], names["unit"]) == (reading_type.measuring_period, reading_type.unit)
    for quality in noun.reading_quality_type:
        assert ReadingQualityCode.parse(quality.mrid).names[:2] == (quality.system_id, quality.category)


def test_one_thread_runs_through_the_story() -> None:
    told = ("UnplannedOutages/created", "WorkRequests/create", "MaintenanceOrders/closed", "UnplannedOutages/closed")
    assert len({read(example).header.correlation_id for example in told}) == 1
