"""Section 2.5 of the guide, and what of its scenarios is an alarm, on real servers."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.errors import Conflict, Denied, NotFound
from contracts.message import User
from contracts.nouns.alarms import Alarm, AlarmAction, AlarmActionKind, AlarmFlood, AlarmPriority, Alarms, AlarmState
from contracts.nouns.measurements import Analog, AnalogValue, Discrete, MeasurementType, SwitchPosition
from contracts.nouns.operational_tags import OperationalTagType
from contracts.nouns.switching_plans import SwitchActionKind, SwitchingPlanState
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.control_room import (
    COLLEAGUE,
    EVE,
    OPERATOR,
    SUPERVISOR,
    ControlRoom,
    control_room,
    discrete,
    plans,
    until,
)
from tests.fixtures.loaded_yard import electrical, loaded_yard
from tests.fixtures.switching_yard import EQUIPMENT, POINTS, feeder, piece, switching, yard

S, K = AlarmState, AlarmActionKind
OPEN, CLOSED = SwitchPosition.OPEN, SwitchPosition.CLOSED


async def alarms(room: ControlRoom, *named: str) -> dict[str, Alarm]:
    """The alarms that are not over, or those that are named."""
    answer = await room.ask(Verb.GET, Alarms, ids=list(named))
    return {alarm.mrid: alarm for alarm in answer.alarm}


async def states(room: ControlRoom) -> dict[str, str | None]:
    """The state of each alarm that is not over."""
    found = await alarms(room)
    return {mrid: alarm.status.value for mrid, alarm in found.items() if alarm.status is not None}


async def shows(room: ControlRoom, expected: dict[str, AlarmState]) -> None:
    """Wait until the list of alarms is this one."""
    seen: dict[str, str | None] = {}

    async def is_so() -> bool:
        seen.clear()
        seen.update(await states(room))
        return seen == expected

    try:
        await until(is_so)
    except TimeoutError:
        assert seen == expected


async def act(
    room: ControlRoom, alarm: str, kind: AlarmActionKind, person: User = OPERATOR, **more: Any
) -> AlarmState | None:
    """What an alarm is after a person has done something about it."""
    asked = Alarm(mrid=alarm, alarm_action=AlarmAction(kind=kind, **more))
    (after,) = (await room.ask(Verb.CHANGE, Alarms(alarm=(asked,)), person)).alarm
    return AlarmState(after.status.value)


def voltage(room: ControlRoom, device: str, volts: float) -> Analog:
    return Analog(
        max_value=253.0,
        measurement_type=MeasurementType.VOLTAGE,
        min_value=207.0,
        unit_symbol="V",
        analog_values=(AnalogValue(time_stamp=room.now, value=volts),),
        power_system_resource=ObjectReference(mrid=device),
    )


def yes_or_no(room: ControlRoom, device: str, kind: MeasurementType, *, is_so: bool) -> Discrete:
    return discrete(device, kind, int(is_so), room.now)


def of_voltage(kind: str, device: str) -> str:
    """The alarm of a voltage that has no mRID of its own."""
    return f"{kind}/{device}//PhaseVoltage/"


async def test_after_a_feeder_trip_one_alarm_calls_and_those_of_the_dead_section_are_suppressed(
    dms: Installation,
) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        await room.trip("B1")
        await room.pass_time(seconds=2)
        await room.measure(
            voltage(room, "L1", 0.0),
            voltage(room, "L3", 3.0),
            yes_or_no(room, "L2", MeasurementType.COMMUNICATION, is_so=False),
            yes_or_no(room, "F1", MeasurementType.OUTSTATION_FAULT, is_so=True),
        )
        children = (of_voltage("LIMIT_LOW", "L1"), of_voltage("LIMIT_LOW", "L3"), "COMMUNICATION/L2", "OUTSTATION/F1")
        await shows(room, {"TRIP/B1": S.UNACKNOWLEDGED, **dict.fromkeys(children, S.SUPPRESSED)})
        found = await alarms(room)
        assert {found[child].parent for child in children} == {ObjectReference(mrid="TRIP/B1")}
        assert found["TRIP/B1"].feeder == (ObjectReference(mrid="yard"),)

        called = [
            alarm.mrid
            for message in room.told()
            if message.header.noun == "Alarms"
            for alarm in message.noun.alarm
            if alarm.status.value == S.UNACKNOWLEDGED
        ]
        assert called == ["TRIP/B1"]

        await room.pass_time(seconds=10)
        await room.report("B1", CLOSED)
        await room.seen("B1", is_open=False)
        await room.measure(voltage(room, "L1", 230.0), yes_or_no(room, "L2", MeasurementType.COMMUNICATION, is_so=True))
        await shows(
            room,
            {
                "TRIP/B1": S.RETURNED_UNACKNOWLEDGED,
                of_voltage("LIMIT_LOW", "L3"): S.SUPPRESSED,
                "OUTSTATION/F1": S.SUPPRESSED,
            },
        )
        await room.pass_time(seconds=70)
        await shows(
            room,
            {
                "TRIP/B1": S.RETURNED_UNACKNOWLEDGED,
                of_voltage("LIMIT_LOW", "L3"): S.UNACKNOWLEDGED,
                "OUTSTATION/F1": S.UNACKNOWLEDGED,
                **{f"COMMUNICATION/{line}": S.UNACKNOWLEDGED for line in ("L1", "L3")},
            },
        )


async def test_a_recloser_that_tries_and_is_locked_out_is_one_alarm_that_gets_worse(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        await room.trip("R1")
        await shows(room, {"TRIP/R1": S.UNACKNOWLEDGED})
        await room.pass_time(seconds=1)
        await room.report("R1", CLOSED)
        await shows(room, {"TRIP/R1": S.RETURNED_UNACKNOWLEDGED})
        await room.trip("R1")
        await shows(room, {"TRIP/R1": S.UNACKNOWLEDGED})
        assert await act(room, "TRIP/R1", K.ACKNOWLEDGE) is S.ACKNOWLEDGED
        await room.measure(yes_or_no(room, "R1", MeasurementType.LOCKOUT, is_so=True))
        await shows(room, {"TRIP/R1": S.UNACKNOWLEDGED})
        found = (await alarms(room))["TRIP/R1"]
        assert (found.priority, found.description) == (AlarmPriority.HIGH, "R1 is locked out")


async def test_an_alarm_leaves_the_list_when_it_was_acknowledged_and_has_cleared_in_either_order(
    dms: Installation,
) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        for device in ("B1", "R1"):
            await room.trip(device)
        await shows(room, {"TRIP/B1": S.UNACKNOWLEDGED, "TRIP/R1": S.UNACKNOWLEDGED})
        assert await act(room, "TRIP/B1", K.ACKNOWLEDGE) is S.ACKNOWLEDGED
        assert await act(room, "TRIP/B1", K.ACKNOWLEDGE, COLLEAGUE) is S.ACKNOWLEDGED
        mark = (await alarms(room))["TRIP/B1"].acknowledgement
        assert mark is not None
        assert mark.operator == ObjectReference(mrid="ola")
        await room.pass_time(seconds=1)
        for device in ("B1", "R1"):
            await room.report(device, CLOSED)
        await shows(room, {"TRIP/R1": S.RETURNED_UNACKNOWLEDGED})
        twice = (Alarm(mrid="TRIP/R1", alarm_action=AlarmAction(kind=K.ACKNOWLEDGE)),) * 2
        (over_now,) = (await room.ask(Verb.CHANGE, Alarms(alarm=twice), OPERATOR)).alarm
        assert over_now.status.value == S.NORMAL
        assert await states(room) == {}
        over = await alarms(room, "TRIP/B1", "TRIP/R1")
        assert {alarm.status and alarm.status.value for alarm in over.values()} == {S.NORMAL}
        revisions = [
            alarm.revision_number
            for message in room.told()
            if message.header.noun == "Alarms"
            for alarm in message.noun.alarm
            if alarm.mrid == "TRIP/R1"
        ]
        assert revisions == [1, 2, 3]
        with pytest.raises(NotFound):
            await act(room, "TRIP/B2", K.ACKNOWLEDGE)


async def test_an_alarm_on_the_shelf_comes_back_when_its_time_is_over_even_after_a_restart(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        await room.measure(voltage(room, "L1", 260.0))
        high = of_voltage("LIMIT_HIGH", "L1")
        await shows(room, {high: S.UNACKNOWLEDGED})
        until_then = room.now + timedelta(seconds=45)
        with pytest.raises(Denied):
            await act(room, high, K.SHELVE, EVE, reason="the sensor drifts", until_date_time=until_then)
        shelved = await act(room, high, K.SHELVE, reason="the sensor drifts", until_date_time=until_then)
        assert shelved is S.SHELVED
        await room.pass_time(seconds=20)
        await room.measure(voltage(room, "L1", 252.0))
        await room.restart()
        await shows(room, {high: S.SHELVED})
        assert (await alarms(room))[high].active, "within the dead band it has not cleared"
        await room.pass_time(seconds=30)
        await shows(room, {high: S.UNACKNOWLEDGED})
        assert (await alarms(room))[high].shelving is None
        await room.measure(voltage(room, "L1", 230.0))
        await shows(room, {high: S.RETURNED_UNACKNOWLEDGED})


async def test_a_breaker_that_trips_under_a_hot_line_tag_is_an_alarm_that_a_person_must_reset(
    dms: Installation,
) -> None:
    """Scenario 16: a crew holds a hot-line tag on the tie feeder, the breaker trips there: alarm."""
    async with control_room(dms, *yard().grid.feeders) as room:
        await room.switch("reclosing off", switching(1, SwitchActionKind.DISABLE_RECLOSING, "R1"))
        tag = await room.hang("R1", EVE, OperationalTagType.HOT_LINE)
        assert await states(room) == {}
        await room.trip("R1")
        await shows(room, {"TRIP/R1": S.UNACKNOWLEDGED, "TAG_CONFLICT/R1": S.UNACKNOWLEDGED})
        conflict = (await alarms(room))["TAG_CONFLICT/R1"]
        assert conflict.priority is AlarmPriority.CRITICAL
        assert conflict.description == "R1: TRIP although 'eve' holds a tag HOT_LINE"
        with pytest.raises(Conflict):
            await act(room, "TAG_CONFLICT/R1", K.TAKE_OUT_OF_SERVICE, SUPERVISOR, reason="noise")
        assert await act(room, "TAG_CONFLICT/R1", K.ACKNOWLEDGE) is S.ACKNOWLEDGED

        await room.take_away(tag, EVE)
        assert (await states(room))["TAG_CONFLICT/R1"] == S.LATCHED_ACKNOWLEDGED
        assert await act(room, "TAG_CONFLICT/R1", K.RESET) is S.NORMAL
        assert await states(room) == {"TRIP/R1": S.UNACKNOWLEDGED}


async def test_a_tagged_switch_that_somebody_closes_in_the_field_is_an_alarm(dms: Installation) -> None:
    async with control_room(dms, *yard(opened="B2").grid.feeders) as room:
        await room.hang("B2", EVE)
        await room.pass_time(seconds=1)
        await room.report("B2", CLOSED)
        await shows(room, {"TAG_CONFLICT/B2": S.UNACKNOWLEDGED})


async def test_a_section_with_panels_that_lost_its_supply_is_an_alarm_unless_a_trip_explains_it(
    dms: Installation,
) -> None:
    """Scenario 21 as an alarm: after its fuse is open a lateral with panels is possibly live."""
    panels = piece("PV", "PowerElectronicsConnection", "f")
    async with control_room(dms, *yard(panels).grid.feeders) as room:
        await room.switch("open", switching(1, SwitchActionKind.OPEN, "F1"), person=None)
        await shows(room, {"POSSIBLY_LIVE/e": S.UNACKNOWLEDGED})
        await room.switch("close", switching(1, SwitchActionKind.CLOSE, "F1"), person=None)
        await shows(room, {"POSSIBLY_LIVE/e": S.RETURNED_UNACKNOWLEDGED})
        assert await act(room, "POSSIBLY_LIVE/e", K.ACKNOWLEDGE) is S.NORMAL
        await room.trip("B1")
        await shows(room, {"TRIP/B1": S.UNACKNOWLEDGED, "POSSIBLY_LIVE/a": S.SUPPRESSED})


async def test_feeders_that_stand_parallel_are_an_alarm_that_says_since_when(dms: Installation) -> None:
    pieces = {each.mrid: each for each in EQUIPMENT}
    north = feeder(
        "north", (pieces[mrid] for mrid in ["S1", "T1", "B1", "L1", "D1", "L2", "F1", "L3", "Q1"]), POINTS[:3]
    )
    south = feeder("south", (pieces[mrid] for mrid in ["S1", "T1", "R1", "L4", "Q1"]), POINTS[3:])
    async with control_room(dms, north, south) as room:
        await room.pass_time(minutes=3)
        await room.report("Q1", CLOSED)
        await shows(room, {"PARALLELED/north+south": S.UNACKNOWLEDGED})
        assert (await alarms(room))["PARALLELED/north+south"].created_date_time == room.now
        await room.pass_time(minutes=1)
        await room.report("R1", OPEN)
        await shows(room, {"PARALLELED/north+south": S.RETURNED_UNACKNOWLEDGED})


async def test_a_feeder_that_is_loaded_beyond_an_emergency_rating_is_an_alarm_until_it_is_not(
    dms: Installation,
) -> None:
    whole = loaded_yard()
    async with control_room(dms, whole, electrical=(electrical(whole),)) as room:
        for device, position in (("D1", OPEN), ("Q1", CLOSED)):
            await room.pass_time(seconds=1)
            await room.report(device, position)
            await room.seen(device, is_open=position is OPEN)
        await shows(room, {"OVERLOAD/yard": S.UNACKNOWLEDGED})
        assert "most of all L4" in ((await alarms(room))["OVERLOAD/yard"].description or "")
        await room.pass_time(seconds=1)
        await room.report("Q1", OPEN)
        await shows(room, {"OVERLOAD/yard": S.RETURNED_UNACKNOWLEDGED})


async def test_a_switch_that_is_not_believed_and_a_command_that_fails_are_alarms_until_the_switch_moves(
    dms: Installation,
) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        room.broken = {"B2": "the drive is stuck"}
        await room.ask(Verb.CREATE, plans("stuck", switching(1, SwitchActionKind.OPEN, "B2")), OPERATOR)
        await room.standing_still("stuck")
        await shows(room, {"COMMAND_FAILED/B2": S.UNACKNOWLEDGED})
        await room.pass_time(seconds=1)
        await room.report("B2", SwitchPosition.INTERMEDIATE)
        await shows(room, {"COMMAND_FAILED/B2": S.UNACKNOWLEDGED, "SUSPECT/B2": S.UNACKNOWLEDGED})
        await room.pass_time(seconds=1)
        await room.report("B2", OPEN)
        await shows(room, {"COMMAND_FAILED/B2": S.RETURNED_UNACKNOWLEDGED, "SUSPECT/B2": S.RETURNED_UNACKNOWLEDGED})
        await room.settled("stuck", SwitchingPlanState.COMPLETED)


async def test_a_switch_whose_outstation_stays_silent_is_not_believed_any_more(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        await room.report("R1", CLOSED)
        await room.pass_time(seconds=5)
        await room.measure(yes_or_no(room, "R1", MeasurementType.COMMUNICATION, is_so=False))
        await shows(room, {"COMMUNICATION/R1": S.UNACKNOWLEDGED})
        await room.pass_time(seconds=62)
        await shows(room, {"COMMUNICATION/R1": S.UNACKNOWLEDGED, "SUSPECT/R1": S.SUPPRESSED})
        await room.measure(yes_or_no(room, "R1", MeasurementType.COMMUNICATION, is_so=True))
        await room.report("R1", CLOSED)
        await shows(room, {"COMMUNICATION/R1": S.RETURNED_UNACKNOWLEDGED})


async def test_more_than_ten_alarms_in_ten_minutes_are_a_flood_until_fewer_than_five_come(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        for number in range(11):
            await room.measure(replace(voltage(room, "L1", 260.0), mrid=f"sensor {number}"))

        async def flood() -> AlarmFlood | None:
            told: AlarmFlood | None = (await room.ask(Verb.GET, Alarms)).alarm_flood
            return told

        async def is_flooded() -> bool:
            return await flood() is not None

        async def is_over() -> bool:
            return await flood() is None

        await until(is_flooded)
        told = await flood()
        assert told is not None
        assert told.count == 11
        for _ in range(12):
            await room.pass_time(minutes=1)
        await until(is_over)
        floods = [
            message.noun.alarm_flood
            for message in room.told()
            if message.header.noun == "Alarms" and message.noun.alarm_flood is not None
        ]
        assert [each.end_date_time is None for each in floods] == [True, False]
