"""Network operation on real servers: values that are kept, and switches that stand where an operator says."""

import pytest
from msgspec.structs import replace

from contracts.errors import Conflict, Denied, Invalid, NotFound
from contracts.nouns.measurements import (
    Analog,
    AnalogValue,
    Measurements,
    MeasurementType,
    MeasurementValueQuality,
    Source,
    SwitchPosition,
    Validity,
)
from contracts.nouns.operational_tags import OperationalTagType
from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.control_room import EVE, OPERATOR, ControlRoom, control_room, discrete, plans, until
from tests.fixtures.switching_yard import NOON, switching, yard

OPEN, CLOSED, BETWEEN = SwitchPosition.OPEN, SwitchPosition.CLOSED, SwitchPosition.INTERMEDIATE


def current(room: ControlRoom, device: str, amperes: float) -> Analog:
    return Analog(
        measurement_type=MeasurementType.CURRENT,
        unit_symbol="A",
        analog_values=(AnalogValue(time_stamp=room.now, value=amperes),),
        power_system_resource=ObjectReference(mrid=device),
    )


async def values(room: ControlRoom, *named: str) -> Measurements:
    answer = await room.ask(Verb.GET, Measurements, ids=list(named))
    assert isinstance(answer, Measurements)
    return answer


async def heard(room: ControlRoom, device: str) -> None:
    async def is_there() -> bool:
        found = await values(room, device)
        return bool(found.analog or found.discrete)

    await until(is_there)


async def is_open(room: ControlRoom, device: str) -> bool | None:
    return {each.mrid: each.open for each in (await room.feeder()).equipment}[device]


def taking_back(device: str) -> Measurements:
    return Measurements(
        discrete=(discrete(device, MeasurementType.SWITCH_POSITION, 1, NOON),),
    )


async def test_a_value_that_is_measured_all_the_time_is_told_until_it_is_old_and_then_says_so(
    dms: Installation,
) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        await room.measure(current(room, "B1", 120.0))
        await heard(room, "B1")
        (fresh,) = (await values(room, "B1")).analog
        assert (fresh.analog_values[0].value, fresh.analog_values[0].measurement_value_quality) == (120.0, None)
        await room.report("R1", CLOSED)
        await heard(room, "R1")
        await room.pass_time(seconds=61)
        (old,) = (await values(room)).analog
        quality = old.analog_values[0].measurement_value_quality
        assert quality is not None
        assert (quality.old_data, quality.validity) == (True, Validity.QUESTIONABLE)
        (position,) = (await values(room)).discrete
        assert position.discrete_values[0].measurement_value_quality is None


async def test_of_values_that_come_late_twice_or_from_a_test_the_newest_true_one_is_kept(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        old = current(room, "B1", 100.0)
        await room.pass_time(seconds=5)
        new = current(room, "B1", 120.0)
        await room.pass_time(seconds=5)
        tried = current(room, "B1", 999.0).analog_values[0]
        trial = replace(tried, measurement_value_quality=MeasurementValueQuality(test=True))
        both = replace(new, analog_values=(*old.analog_values, *new.analog_values, trial))
        last = replace(current(room, "B1", 1.0), measurement_type=MeasurementType.ACTIVE_POWER, unit_symbol="W")
        await room.measure(both, old, new, old, last)

        async def all_are_heard() -> bool:
            return last in (await values(room, "B1")).analog

        await until(all_are_heard)
        assert set((await values(room, "B1")).analog) == {new, last}


async def test_a_switch_between_its_positions_keeps_its_last_state_and_is_suspect(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        for position in (BETWEEN, SwitchPosition.BAD):
            await room.pass_time(seconds=1)
            await room.report("R1", position)

        async def is_suspect() -> bool:
            (recloser,) = (each for each in (await room.feeder()).equipment if each.mrid == "R1")
            return (recloser.open, recloser.suspect) == (False, True)

        await until(is_suspect)
        assert all(message.header.noun != "SwitchingEvents" for message in room.told())


async def test_the_word_of_an_operator_goes_before_telemetry_until_its_end_and_survives_a_restart(
    dms: Installation,
) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        (told,) = (await room.dress("R1", OPEN)).discrete
        quality, said = (
            told.discrete_values[0].measurement_value_quality,
            told.discrete_values[0].substitution,
        )
        assert quality is not None
        assert said is not None
        assert (quality.source, said.operator) == (Source.SUBSTITUTED, ObjectReference(mrid="ola"))
        assert await is_open(room, "R1")
        dead = {node.mrid for node in (await room.feeder()).connectivity_node if node.source_phases is None}
        assert {"g", "h"} <= dead

        await room.pass_time(minutes=10)
        await room.report("R1", CLOSED)
        await room.restart()
        assert await is_open(room, "R1")
        assert len((await values(room, "R1")).discrete) == 2

        await room.pass_time(minutes=51)
        await room.seen("R1", is_open=False)
        (measured,) = (await values(room, "R1")).discrete
        assert measured.discrete_values[0].substitution is None
        events = [each.noun.switching_event[0] for each in room.told() if each.header.noun == "SwitchingEvents"]
        assert [(each.kind, each.reason) for each in events] == [
            (SwitchActionKind.OPEN, "ola: seen"),
            (SwitchActionKind.CLOSE, "the word of an operator has ended"),
        ]


async def test_a_word_that_is_taken_back_leaves_what_telemetry_has_told_meanwhile(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        await room.dress("Q1", CLOSED)
        assert await is_open(room, "Q1") is False
        await room.ask(Verb.DELETE, taking_back("Q1"), OPERATOR)
        assert await is_open(room, "Q1") is True
        with pytest.raises(NotFound):
            await room.ask(Verb.DELETE, taking_back("Q1"), OPERATOR)
        await room.pass_time(hours=2)
        assert await is_open(room, "Q1") is True


async def test_a_word_is_refused_without_person_reason_and_end_and_where_it_could_hide_danger(
    dms: Installation,
) -> None:
    async with control_room(dms, *yard(opened="B2").grid.feeders) as room:
        with pytest.raises(Denied):
            await room.dress("R1", OPEN, EVE)
        for hours in (25, -1):
            with pytest.raises(Invalid, match="24 hours"):
                await room.dress("R1", OPEN, hours=hours)
        with pytest.raises(Invalid, match="no switch"):
            await room.dress("L1", OPEN)
        with pytest.raises(Invalid, match="a reason and an end"):
            await room.ask(Verb.CREATE, taking_back("R1"), OPERATOR)

        await room.hang("B2", EVE)
        with pytest.raises(Conflict, match="HOLD_OPEN of 'eve'"):
            await room.dress("B2", CLOSED)
        await room.hang("Q2", EVE, OperationalTagType.CAUTION)
        await room.dress("Q2", OPEN)
        with pytest.raises(Conflict, match="R1: where Q2 stands is only the word of an operator"):
            await room.hang("Q2", EVE)
        with pytest.raises(Conflict, match="R14: where Q2 stands is the word of an operator"):
            await room.ask(Verb.CREATE, plans("remote", switching(1, SwitchActionKind.CLOSE, "Q2")), None)


async def test_only_the_phases_that_an_operator_names_stand_where_he_says(dms: Installation) -> None:
    async with control_room(dms, *yard().grid.feeders) as room:
        told = await room.dress("R1", OPEN, phases=PhaseCode.A)
        assert [(each.phases, each.discrete_values[0].value) for each in told.discrete] == [
            (PhaseCode.A, OPEN),
            (PhaseCode.BC, CLOSED),
        ]
        feeder = await room.feeder()
        assert {each.mrid: each.open_phases for each in feeder.equipment}["R1"] is PhaseCode.A
        assert {node.mrid: node.source_phases for node in feeder.connectivity_node}["h"] is PhaseCode.BC
