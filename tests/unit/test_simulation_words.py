"""How the field reads what it is told, and what it says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from contracts.catalogue import CATALOGUE
from contracts.errors import Invalid, NotFound
from contracts.message import Message
from contracts.nouns.controls import Command, Controls, SetPoint
from contracts.nouns.maintenance_orders import Asset, Crew, MaintenanceOrder, Work, WorkTask
from contracts.nouns.measurements import Measurements
from contracts.nouns.switching_plans import (
    GroundAction,
    JumperAction,
    SwitchAction,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingStep,
    SwitchingStepGroup,
    TempEquipActionKind,
    VerificationAction,
)
from contracts.nouns.unplanned_outages import OutageState, OutageStatusKind, UnplannedOutage
from contracts.nouns.work_types import WorkStatusKind
from contracts.types import ObjectReference, Status
from services.emergency_simulation import views
from services.emergency_simulation.config import conditions_from
from services.emergency_simulation.domain.callers import Call
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.grounds import DeadTest, Grounding, line_at
from services.emergency_simulation.domain.meters import MeterWord, Sent, Spell
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.protection import Flag, Move, Operation
from shared.codec import CONTENT_XML, Codec
from tests.fixtures.streets import street

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
NOW = datetime(2026, 3, 14, 19, 9, 12, tzinfo=UTC)


def example(name: str) -> SwitchingPlans:
    message = Codec(CATALOGUE).decode((EXAMPLES / "SwitchingPlans" / name).read_bytes(), CONTENT_XML)
    assert isinstance(message, Message)
    assert isinstance(message.noun, SwitchingPlans)
    return message.noun


def test_a_crew_carries_out_the_steps_that_name_a_crew_and_reports_their_time() -> None:
    told = example("execute.xml")
    assert views.instructed(told).operations == (Operation("e0170000-0000-4000-8000-000000000072", open=False),)
    before, after = (
        [step.switch_action for step in plans.switching_plan[0].switching_step_groups[0].switching_step]
        for plans in (told, views.executed(told, NOW))
    )
    assert [action.executed_date_time for action in after if action is not None] == [NOW, None]
    assert before[1] == after[1]
    left = views.instructed(views.executed(told, NOW))
    assert left.operations == (Operation("e0170000-0000-4000-8000-000000000071", open=False),)


def steps(*actions: SwitchingStep) -> SwitchingPlans:
    group = SwitchingStepGroup(sequence_number=1, switching_step=actions)
    return SwitchingPlans(switching_plan=(SwitchingPlan(mrid="plan", switching_step_groups=(group,)),))


def test_what_a_crew_does_besides_switching_is_read_by_its_kind_and_what_it_cannot_do_is_refused() -> None:
    line, breaker = ObjectReference(mrid="line"), ObjectReference(mrid="breaker")
    blocking = SwitchAction(kind=SwitchActionKind.DISABLE_RECLOSING, operated_switch=breaker)
    looking = VerificationAction(verification_condition="lamps are lit", power_system_resource=line)
    test = VerificationAction(verification_condition="Tested dead", power_system_resource=line)
    ground = GroundAction(kind=TempEquipActionKind.REMOVE, ground=ObjectReference(mrid="g"))
    told = views.instructed(
        steps(
            SwitchingStep(sequence_number=1, switch_action=blocking),
            SwitchingStep(sequence_number=2, verification_action=looking),
            SwitchingStep(sequence_number=3, verification_action=test),
            SwitchingStep(sequence_number=4, ground_action=ground),
        )
    )
    assert (told.operations, told.settings) == ((), (views.Setting("breaker", enabled=False),))
    assert (told.tests, told.grounds) == ((DeadTest(place="line"),), (Grounding(mrid="g"),))
    assert (told.devices, told.sites) == (("breaker",), ("line",))
    jumper = JumperAction(kind=TempEquipActionKind.PLACE)
    with pytest.raises(Invalid, match="carry out no JumperAction"):
        views.instructed(steps(SwitchingStep(sequence_number=1, jumper_action=jumper)))


def test_a_crew_works_at_a_line_or_a_node_and_nowhere_else() -> None:
    network = Network([street()])
    assert [line_at(network, place) for place in ("line-a", "n3")] == ["line-a", "line-a"]
    with pytest.raises(Invalid, match="at a line or a node alone"):
        line_at(network, "fuse-a")
    with pytest.raises(NotFound, match="no such place"):
        line_at(network, "nowhere")


def test_a_command_that_is_not_to_open_or_close_a_switch_is_refused() -> None:
    device = ObjectReference(mrid="breaker")
    opening = Command(control_type="SwitchPosition", value=1, power_system_resource=device)
    blocking = Command(control_type="ReclosingEnabled", value=0, power_system_resource=device)
    assert views.commanded(Controls(command=(opening, blocking))) == [
        Operation("breaker", open=True),
        views.Setting("breaker", enabled=False),
    ]
    for wrong in (
        Controls(command=(Command(control_type="SwitchPosition", value=3, power_system_resource=device),)),
        Controls(command=(Command(control_type="TapPosition", value=1, power_system_resource=device),)),
        Controls(command=(Command(control_type="ReclosingEnabled", value=2, power_system_resource=device),)),
        Controls(command=(Command(control_type="SwitchPosition", value=1, power_system_resource=ObjectReference()),)),
        Controls(set_point=(SetPoint(control_type="Voltage", value=1.0, power_system_resource=device),)),
    ):
        with pytest.raises(Invalid):
            views.commanded(wrong)


def test_a_crew_reports_the_device_and_the_cause_that_it_found_or_that_it_found_nothing() -> None:
    task = WorkTask(mrid="task", assets=(Asset(mrid="predicted"),))
    order = MaintenanceOrder(mrid="order", work=(Work(mrid="work", work_tasks=(task,)),))
    assert views.place(order) == "predicted"
    (work,) = views.found(order, "vegetation", "fuse", NOW, WorkStatusKind.ON_SITE).work
    assert (work.status_kind, work.last_modified_date_time) == (WorkStatusKind.ON_SITE, NOW)
    assert [(record.type, record.reason) for record in work.activity_records] == [("finding", "vegetation")]
    assert [asset.mrid for asset in work.work_tasks[0].assets] == ["fuse"]
    (nothing,) = views.found(order, None, None, NOW, WorkStatusKind.ON_SITE).work
    assert [record.reason for record in nothing.activity_records] == ["unknown"]
    assert [asset.mrid for asset in nothing.work_tasks[0].assets] == ["predicted"]
    assert views.crew_of(order) == "crew"
    given = structs.replace(task, crews=(Crew(mrid="crew 7"),))
    assert views.crew_of(MaintenanceOrder(mrid="order", work=(Work(work_tasks=(given,)),))) == "crew 7"
    with pytest.raises(Invalid, match="does not know where to go"):
        views.place(MaintenanceOrder(mrid="order"))


def test_an_outage_covers_who_is_dark_and_who_was_and_a_dismissed_one_is_closed() -> None:
    outage = UnplannedOutage(
        mrid="outage",
        outage_kind=OutageStatusKind.PREDICTED,
        revision_number=4,
        de_energized_usage_point=(ObjectReference(mrid="a"),),
        energized_usage_point=(ObjectReference(mrid="b"),),
        opened_switches=(ObjectReference(mrid="fuse"),),
        status=Status(value=OutageState.DISMISSED),
    )
    said = views.heard(outage, closed=False)
    assert said.devices == {"fuse"}
    assert said.usage_points == {"a", "b"}
    assert said.closed
    inside = structs.replace(outage, status=Status(value=OutageState.VERIFY))
    assert views.heard(inside, closed=False).closed, "nobody plays those who call customers back"
    passed = structs.replace(outage, status=Status(value=OutageState.MOMENTARY))
    assert views.heard(passed, closed=False).closed, "also where what its crew found is told later"
    assert not views.heard(structs.replace(outage, status=Status(value=OutageState.SUSPECTED)), closed=False).closed


def test_how_the_field_behaves_comes_from_the_environment() -> None:
    assert conditions_from({}) == Conditions()
    said = {"MESSAGE_LOSS": "0.3", "RECLOSING": "off", "FAST_SHOTS": "2", "FUSE_SAVING": "true"}
    named = {f"BUSBAR_SIMULATION_{name}": text for name, text in said.items()}
    assert conditions_from(named) == Conditions(message_loss=0.3, reclosing=False, fast_shots=2, fuse_saving=True)
    for name, text, sentence in (
        ("CALL", "much", "BUSBAR_SIMULATION_CALL is 'much', but must be a number"),
        ("CALL", "1.1", "call is 1.1, but must be a probability from 0 to 1"),
        ("CALL", "nan", "call is nan, but must be a probability"),
        ("LINES", "1.5", "BUSBAR_SIMULATION_LINES is '1.5', but must be a whole number"),
        ("RECLOSING", "perhaps", "BUSBAR_SIMULATION_RECLOSING is 'perhaps', but must be on or off"),
    ):
        with pytest.raises(ValueError, match=sentence):
            conditions_from({f"BUSBAR_SIMULATION_{name}": text})


def told(measurements: Measurements) -> list[tuple[str, int, datetime, str | None]]:
    return [
        (each.measurement_type, each.discrete_values[0].value, each.discrete_values[0].time_stamp, each.phases)
        for each in measurements.discrete
    ]


def test_a_trip_is_told_with_its_position_its_current_and_what_follows_of_it_in_one_message() -> None:
    trip = Move(device="recloser", open=True, phases=7, at=NOW, trip=True, lockout=True, current=812.0)
    words = views.moved(trip, has=7)
    assert told(words) == [
        ("SwitchPosition", 1, NOW, None),
        ("ProtectionTrip", 1, NOW, None),
        ("Lockout", 1, NOW, None),
    ]
    assert [(each.measurement_type, each.analog_values[0].value) for each in words.analog] == [("FaultCurrent", 812.0)]
    one = Move(device="recloser", open=True, phases=2, at=NOW, trip=True)
    assert told(views.moved(one, has=7)) == [("SwitchPosition", 1, NOW, "B"), ("ProtectionTrip", 1, NOW, "B")]
    closed = Move(device="recloser", open=False, phases=2, at=NOW)
    assert told(views.moved(closed, has=2)) == [("SwitchPosition", 2, NOW, None)]


def test_indicators_and_settings_are_told_as_states() -> None:
    assert told(views.flagged(Flag(indicator="flag", at=NOW))) == [("FaultIndication", 1, NOW, None)]
    assert told(views.flagged(Flag(indicator="flag", at=NOW, shows=False))) == [("FaultIndication", 0, NOW, None)]
    assert told(views.set_to(views.Setting("recloser", enabled=False), NOW)) == [("ReclosingEnabled", 0, NOW, None)]


def test_what_a_meter_says_twice_is_one_event_with_the_time_by_its_own_clock() -> None:
    network = Network([street()])
    spell = Spell(usage_point="a1", number=2, began=NOW, ended=NOW + timedelta(hours=1))
    sent = [Sent(usage_point="a1", number=2, word=word, at=NOW) for word in (*MeterWord, MeterWord.LOST)]
    heard = views.meter_events([(each, spell) for each in sent], network, 1, Conditions())
    assert [(each.end_device_event_type.ref, each.created_date_time) for each in heard.end_device_event] == [
        ("3.26.9.185", NOW),
        ("3.26.9.216", NOW + timedelta(hours=1)),
    ]
    wrong = views.meter_events([(sent[0], spell)], network, 1, Conditions(clock_error=60.0))
    (event,) = wrong.end_device_event
    assert event.mrid == heard.end_device_event[0].mrid
    assert event.created_date_time != NOW
    assert (event.assets, event.usage_point) == (ObjectReference(mrid="a1-meter"), ObjectReference(mrid="a1"))


def test_a_caller_names_the_danger_and_the_address_that_he_believes_to_be_his() -> None:
    made = Call(usage_point="a1", number=0, turn=0, about="a2", code="wireDown", at=NOW)
    (ticket,) = views.call(made, 1, NOW).trouble_ticket
    assert (ticket.trouble_code, ticket.usage_point) == ("wireDown", ObjectReference(mrid="a2"))
    assert [hazard.type for hazard in ticket.hazards] == ["wireDown"]
    (plain,) = views.call(structs.replace(made, code="powerOut"), 1, NOW).trouble_ticket
    assert plain.hazards == ()
    assert plain.mrid != ticket.mrid
