"""How the field reads what it is told, and what it says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.catalogue import CATALOGUE
from contracts.errors import Invalid
from contracts.message import Message
from contracts.nouns.controls import Command, Controls, SetPoint
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrder, Work, WorkTask
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.unplanned_outages import OutageState, OutageStatusKind, UnplannedOutage
from contracts.nouns.work_types import WorkStatusKind
from contracts.types import ObjectReference, Status
from services.emergency_simulation import views
from services.emergency_simulation.config import odds_from
from services.emergency_simulation.domain.behaviour import Odds
from services.emergency_simulation.domain.network import Operation
from services.emergency_simulation.domain.scenario import Fault
from shared.codec import CONTENT_XML, Codec

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
NOW = datetime(2026, 3, 14, 19, 9, 12, tzinfo=UTC)


def example(name: str) -> SwitchingPlans:
    message = Codec(CATALOGUE).decode((EXAMPLES / "SwitchingPlans" / name).read_bytes(), CONTENT_XML)
    assert isinstance(message, Message)
    assert isinstance(message.noun, SwitchingPlans)
    return message.noun


def test_a_crew_carries_out_the_steps_that_name_a_crew_and_reports_their_time() -> None:
    told = example("execute.xml")
    assert views.instructed(told) == [Operation("e0170000-0000-4000-8000-000000000072", open=False)]
    before, after = (
        [step.switch_action for step in plans.switching_plan[0].switching_step_groups[0].switching_step]
        for plans in (told, views.executed(told, NOW))
    )
    assert [action.executed_date_time for action in after if action is not None] == [NOW, None]
    assert before[1] == after[1]
    assert views.instructed(views.executed(told, NOW)) == [
        Operation("e0170000-0000-4000-8000-000000000071", open=False)
    ]


def test_a_command_that_is_not_to_open_or_close_a_switch_is_refused() -> None:
    device = ObjectReference(mrid="breaker")
    opening = Command(control_type="SwitchPosition", value=1, power_system_resource=device)
    assert views.commanded(Controls(command=(opening,))) == [Operation("breaker", open=True)]
    for wrong in (
        Controls(command=(Command(control_type="SwitchPosition", value=3, power_system_resource=device),)),
        Controls(command=(Command(control_type="TapPosition", value=1, power_system_resource=device),)),
        Controls(command=(Command(control_type="SwitchPosition", value=1, power_system_resource=ObjectReference()),)),
        Controls(set_point=(SetPoint(control_type="Voltage", value=1.0, power_system_resource=device),)),
    ):
        with pytest.raises(Invalid):
            views.commanded(wrong)


def test_a_crew_reports_the_device_and_the_cause_that_it_found_or_that_it_found_nothing() -> None:
    task = WorkTask(mrid="task", assets=(Asset(mrid="predicted"),))
    order = MaintenanceOrder(mrid="order", work=(Work(mrid="work", work_tasks=(task,)),))
    assert views.place(order) == "predicted"
    fault = Fault(
        mrid="fault", scenario="storm", equipment="line", cause="vegetation", at=NOW, device="fuse", struck=True
    )
    (work,) = views.found(order, fault, NOW).work
    assert (work.status_kind, work.last_modified_date_time) == (WorkStatusKind.ON_SITE, NOW)
    assert [(record.type, record.reason) for record in work.activity_records] == [("finding", "vegetation")]
    assert [asset.mrid for asset in work.work_tasks[0].assets] == ["fuse"]
    (nothing,) = views.found(order, None, NOW).work
    assert [record.reason for record in nothing.activity_records] == ["unknown"]
    assert [asset.mrid for asset in nothing.work_tasks[0].assets] == ["predicted"]
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


def test_how_well_the_field_is_seen_comes_from_the_environment() -> None:
    assert odds_from({}) == Odds(message_loss=0.0, message_double=0.0, call=0.1)
    assert odds_from({"BUSBAR_SIMULATION_MESSAGE_LOSS": "0.3"}).message_loss == 0.3
    for text in ("much", "1.1", "-0.1", "nan"):
        with pytest.raises(ValueError, match=f"BUSBAR_SIMULATION_CALL is '{text}', but must be a probability"):
            odds_from({"BUSBAR_SIMULATION_CALL": text})
