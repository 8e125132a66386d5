"""A storm is told as it was heard: on the map, in lines, on the terminal and in the figures at its end."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.message import Message
from contracts.nouns.feeder_topology import (
    ConnectivityNode,
    Equipment,
    Feeder,
    FeederChange,
    FeederTopology,
    UsagePoint,
)
from contracts.nouns.maintenance_orders import Asset, Crew, MaintenanceOrder, MaintenanceOrders, Work, WorkTask
from contracts.nouns.measurements import Analog, AnalogValue, Measurements, MeasurementType
from contracts.nouns.scenario_scores import Course, CourseKind, CustomersOff, ScenarioScore
from contracts.nouns.training_scenarios import Fault, OutageMatch, TrainingScenario, TrainingScenarios
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.nouns.work_types import ActivityRecord
from contracts.types import Name, NameType, ObjectReference, Status
from contracts.verbs import Verb
from shared.bus.subjects import Space
from shared.codec import Codec
from shared.envelope import Writer
from shared.granting import DEBT_S, Pace
from shared.tools.telling.figures import fault_lines, times
from shared.tools.telling.page import Facts, page
from shared.tools.telling.plan import Plan
from shared.tools.telling.screen import Screen, can_redraw
from shared.tools.telling.story import Story
from shared.tools.telling.text_map import TextMap
from shared.tools.telling.words import News

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
WRITER = Writer(Space("busbar", "training"), Codec(CATALOGUE), CATALOGUE)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def piece(mrid: str, kind: str, *nodes: str, place: tuple[float, float], **more: Any) -> Equipment:
    one, *other = nodes
    return Equipment(
        mrid=mrid,
        kind=kind,
        name=f"the {mrid}",
        node1=one,
        node2=other[0] if other else None,
        longitude=place[0],
        latitude=place[1],
        phases=PhaseCode.ABC,
        protective=kind == "Fuse",
        remotely_operable=False,
        **more,
    )


@pytest.fixture
def plan() -> Plan:
    """A source and a breaker at (0, 0), lines to (2, 0) and (4, 0), and a fuse there with two houses."""
    equipment = (
        piece("source", "EnergySource", "n0", place=(0.0, 0.0)),
        piece("breaker", "Breaker", "n0", "n1", place=(0.0, 0.0), normal_open=False),
        piece("line1", "ACLineSegment", "n1", "n2", place=(1.0, 0.0)),
        piece("line2", "ACLineSegment", "n2", "n3", place=(3.0, 0.0)),
        piece("fuse", "Fuse", "n3", "n4", place=(4.0, 0.1), normal_open=False),
    )
    points = tuple(
        UsagePoint(
            mrid=f"house{number}",
            critical=False,
            customers=number,
            latitude=0.5,
            longitude=4.0 + number / 10,
            meter=f"m{number}",
            name=f"{number} Street",
            node="n4",
            phases=PhaseCode.ABC,
        )
        for number in (1, 2)
    )
    feeder = Feeder(mrid="f", event_time=START, model_version="1", revision=1, equipment=equipment, usage_point=points)
    return Plan(FeederTopology(feeder=(feeder,)))


@pytest.fixture
def story(plan: Plan) -> Story:
    return Story(plan, START)


def say(verb: Verb, payload: Any, source: str = "fault-management") -> Message[Any]:
    header = WRITER.header(source, verb, type(payload).__name__, message_id="1", thread=None)
    return Message(header=header, payload=payload)


def outage(
    revision: int, minutes: float, state: str, *houses: str, mrid: str = "o", device: str | None = None
) -> Message[Any]:
    told = UnplannedOutage(
        mrid=mrid,
        outage_kind=OutageStatusKind.PREDICTED,
        revision_number=revision,
        last_modified_date_time=at(minutes),
        reported_start_time=at(0),
        de_energized_usage_point=tuple(ObjectReference(mrid=house) for house in houses),
        opened_switches=() if device is None else (ObjectReference(mrid=device),),
        status=Status(value=state),
    )
    return say(Verb.CHANGED, UnplannedOutages(unplanned_outage=(told,)))


def order(minutes: float, *steps: str) -> Message[Any]:
    records = tuple(ActivityRecord(created_date_time=at(minutes), type=step) for step in steps)
    task = WorkTask(assets=(Asset(mrid="fuse"),), crews=(Crew(names=(Name(name="Crew 1"),)),))
    work = Work(last_modified_date_time=at(minutes), activity_records=records, work_tasks=(task,))
    told = MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid="w", work=(work,)),))
    return say(Verb.CHANGED, told, "work-management")


def test_a_row_of_lines_is_drawn_as_it_was_surveyed(plan: Plan) -> None:
    """A line tells its middle, so its far end follows from the near one."""
    assert (plan.nodes["n1"], plan.nodes["n2"]) == ((0.0, 0.0), (2.0, 0.0))
    assert {line.mrid for line in plan.lines} >= {"line1", "line2"}
    assert plan.box == (0.0, 0.0, 4.2, 0.5)


def test_who_is_in_two_outages_is_off_once_and_on_again_when_both_are_over(story: Story) -> None:
    story.hear(outage(1, 2, "PREDICTED", "house1", "house2"))
    story.hear(outage(1, 3, "SUSPECTED", "house2", mrid="other"))
    assert story.off == 3
    story.hear(outage(2, 9, "CLOSED"))
    assert story.off == 2
    story.hear(outage(2, 9, "DISMISSED", mrid="other"))
    assert (story.off, story.open_outages) == (0, [])


def test_an_older_word_about_an_outage_changes_nothing(story: Story) -> None:
    story.hear(outage(2, 5, "CONFIRMED", "house1", device="fuse"))
    story.hear(outage(1, 2, "SUSPECTED", "house2"))
    assert story.outages["o"].state == "CONFIRMED"
    assert story.dark == {"house1"}


def test_each_thing_is_told_once(story: Story) -> None:
    news = News(story, faults=1)
    told: list[str] = []
    messages = [
        outage(1, 2, "PREDICTED", "house1", device="fuse"),
        outage(2, 3, "PREDICTED", "house1", device="fuse"),
        order(4, "dispatch", "depart"),
        order(5, "dispatch", "depart", "arrive"),
        outage(3, 40, "RESTORED", device="fuse"),
    ]
    for message in messages:
        story.hear(message)
        told += news.of(message)
    assert [line[10:26] for line in told if "outage changed" in line] == ["outage changed  "] * 2
    assert [line[10:] for line in told if "Crew 1" in line] == [
        "Crew 1 is sent to the fuse",
        "Crew 1 is on its way to the fuse",
        "Crew 1 is at the fuse",
    ]
    assert sum("faults have struck" in line for line in told) == 1, "half an hour has passed"


@pytest.mark.parametrize("unicode", [True, False])
def test_the_map_shows_who_is_off_where_power_is_gone_and_where_the_crew_is(story: Story, unicode: bool) -> None:
    drawn = TextMap(story.plan, 40, 10, unicode=unicode)
    before = "".join(sign for row in drawn.draw(story) for sign, _ in row)
    story.hear(outage(1, 2, "CONFIRMED", "house1", "house2", device="fuse"))
    story.hear(order(4, "dispatch"))
    nodes = (ConnectivityNode(mrid="n3"), ConnectivityNode(mrid="n4"))
    change = FeederChange(mrid="f", event_time=at(2), model_version="1", revision=2, connectivity_node=nodes)
    story.hear(say(Verb.CHANGED, FeederTopology(feeder_change=(change,)), "network-operation"))
    after = drawn.draw(story)
    signs = "".join(sign for row in after for sign, _ in row)
    off = "▒" if unicode else "%"
    assert off not in before
    assert off in signs
    assert "1" in signs, "the number of the crew"
    assert {len(row) for row in after} == {40}
    assert any(style == "dark" for row in after for _, style in row)


def test_a_gale_is_drawn_around_its_station_until_it_has_gone_and_hides_nothing(story: Story) -> None:
    drawn = TextMap(story.plan, 40, 10)
    calm = drawn.draw(story)
    for gust, sign in ((30.0, "≈"), (20.0, "~"), (9.0, None)):
        value = AnalogValue(time_stamp=at(1), value=gust)
        analog = Analog(
            measurement_type=MeasurementType.WIND_GUST,
            analog_values=(value,),
            power_system_resource=ObjectReference(mrid="source"),
        )
        told = Measurements(analog=(analog,))
        story.hear(say(Verb.CREATED, told, "scada"))
        assert story.gusts.get("source") != gust, "another role has no station"
        story.hear(say(Verb.CREATED, told, "weather"))
        rows = drawn.draw(story)
        assert {sign for row in rows for sign, style in row if style == "weather"} == ({sign} if sign else set())
        for before, after in zip(calm, rows, strict=True):
            assert all(old == new for old, new in zip(before, after, strict=True) if old[0] != " ")


@given(st.integers(20, 200), st.integers(12, 60))
def test_a_screen_of_any_size_is_filled_and_not_overfilled(columns: int, rows: int) -> None:
    empty = Story(Plan(FeederTopology()), START)
    screen = Screen(io.StringIO(), empty, title="a storm", faults=3, colour=False)
    frame = screen.frame(columns, rows)
    assert len(frame) <= rows
    assert max(map(len, frame[1:])) <= columns


def test_only_a_terminal_that_can_move_its_cursor_is_drawn_on() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert can_redraw(Terminal(), {"TERM": "xterm"})
    assert not can_redraw(Terminal(), {"TERM": "dumb"})
    assert not can_redraw(io.StringIO(), {"TERM": "xterm"})


def test_what_was_inferred_before_the_crew_stands_beside_what_was_confirmed_and_what_was_true(story: Story) -> None:
    crewed: MaintenanceOrder = _payload(order(20, "dispatch", "arrive", "finding")).maintenance_order[0]
    because = Name(name="o", name_type=NameType(name="UnplannedOutage"))
    named = replace(crewed.work[0], names=(because,))
    for message in (
        outage(1, 2, "SUSPECTED", "house1"),
        outage(2, 3, "PREDICTED", "house1", device="breaker"),
        say(Verb.CHANGED, MaintenanceOrders(maintenance_order=(replace(crewed, work=(named,)),)), "work-management"),
        outage(3, 21, "CONFIRMED", "house1", device="fuse"),
        outage(4, 50, "RESTORED", device="fuse"),
        outage(5, 52, "CLOSED", device="fuse"),
    ):
        story.hear(message)
    fault = Fault(mrid="x", device="fuse", equipment="line2", occurred_date_time=at(1))
    match = OutageMatch(device_found=True, fault="x", outage="o")
    scenario = TrainingScenario(mrid="s", faults=1, seed=1, fault=(fault,), outage_match=(match,))
    story.hear(say(Verb.CHANGED, TrainingScenarios(training_scenario=(scenario,)), "emergency-simulation"))
    (line,) = fault_lines(story, scenario)
    assert (line.device, line.predicted_device, line.confirmed_device) == ("the fuse", "the breaker", "the fuse")
    assert (line.detected_s, line.isolated_s, line.restored_s, line.closed_s) == (60, 20 * 60, 49 * 60, 51 * 60)
    assert times([line]).restore.worst_s == 49 * 60
    assert times([]).detect.seen == 0


def test_a_page_stands_alone_and_holds_no_text_that_could_act(plan: Plan) -> None:
    plan.names["fuse"] = "</script><script>alert(1)</script>"
    story = Story(plan, START)
    for message in (
        outage(1, 2, "PREDICTED", "house1", device="fuse"),
        order(4, "depart", "arrive", "complete"),
        outage(2, 50, "RESTORED", device="fuse"),
    ):
        story.hear(message)
    fault = Fault(mrid="x", device="fuse", equipment="line2", occurred_date_time=at(1))
    match = OutageMatch(device_found=True, fault="x", outage="o")
    scenario = TrainingScenario(
        mrid="s", faults=1, seed=1, start_time=START, end_time=at(60), fault=(fault,), outage_match=(match,)
    )
    off = (CustomersOff(customers=3, date_time=at(1)), CustomersOff(customers=0, date_time=at(50)))
    course = Course(customer_minutes=147.0, kind=CourseKind.RUN, customers_off=off)
    score = ScenarioScore(mrid="s", score=50.0, waiting_score=25.0, course=(course,))
    facts = Facts(
        title="A storm on <town>",
        verdict="Everybody has power again.",
        is_good=True,
        cards=(("score", "50", "of 100"),),
        lines=tuple(fault_lines(story, scenario)),
        indices={"in truth": {"SAIFI": 1.0, "CAIDI": None}},
        done=("One work order.",),
        observed=("Nothing missing.",),
    )
    text = page(story, scenario, score, facts)
    assert text.count("</script>") == 2, "the data and the script"
    assert "alert(1)</script>" not in text
    assert "A storm on &lt;town&gt;" in text
    assert not re.search(r"https?:|src=|@import|url\(", text), "nothing is fetched"
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert (data["length"], data["off"]) == (3600, [[120, 1], [3000, 0]])
    assert [crew[:3] for crew in data["crews"]] == [[240, 240, 240]]
    assert 'class="curve true" d="M' in text


def test_a_fault_whose_outage_was_dismissed_by_mistake_is_told_by_the_one_that_stayed(story: Story) -> None:
    for message in (
        outage(1, 2, "PREDICTED", "house1", device="fuse"),
        outage(2, 9, "DISMISSED", device="fuse"),
        outage(1, 12, "PREDICTED", "house1", mrid="again", device="fuse"),
        outage(2, 50, "RESTORED", mrid="again", device="fuse"),
    ):
        story.hear(message)
    fault = Fault(mrid="x", device="fuse", equipment="line2", occurred_date_time=at(1))
    match = OutageMatch(device_found=True, fault="x", outage="o")
    scenario = TrainingScenario(mrid="s", faults=1, seed=1, fault=(fault,), outage_match=(match,))
    (line,) = fault_lines(story, scenario)
    assert line.outage == "again"
    assert (line.detected_s, line.restored_s) == (60, 49 * 60)


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 3)), max_size=30), st.floats(0.5, 1000))
def test_granted_time_is_never_faster_than_it_may_be(steps: list[tuple[float, float]], speed: float) -> None:
    """Each step is (how far the next timer is, how late the system was); early ones wait."""
    pace = Pace(speed)
    story_s = real_s = 0.0
    pace.granted(START, real_s)
    for far, late_s in steps:
        story_s += far
        real_s += late_s
        real_s += pace.early_s(START + timedelta(seconds=story_s), real_s)
        pace.granted(START + timedelta(seconds=story_s), real_s)
        assert story_s <= (real_s + 1e-3) * speed + 1e-3
        assert pace.early_s(START + timedelta(seconds=story_s + speed), real_s) >= 1 - DEBT_S - 1e-3


def _payload(message: Message[Any]) -> Any:
    return message.payload
