"""The power flow of network operation on real servers, while its neighbours are silent."""

from contracts.nouns.get_switching_studies import SwitchingOption
from contracts.nouns.switching_plans import (
    JumperAction,
    SwitchActionKind,
    SwitchingStep,
    TempEquipActionKind,
)
from contracts.nouns.switching_studies import StudyOperation, SwitchingStudy
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.control_room import OPERATOR, ControlRoom, control_room, plans, references, until
from tests.fixtures.loaded_yard import electrical, loaded_yard
from tests.fixtures.switching_yard import switching

CLOSE = SwitchActionKind.CLOSE


async def study(room: ControlRoom) -> tuple[SwitchingStudy, SwitchingStudy]:
    """How the network is, and what closing the tie would do."""
    tie = StudyOperation(kind=CLOSE, operated_switch=ObjectReference(mrid="Q1"))
    now, later = await room.look_ahead(SwitchingOption(mrid="now"), SwitchingOption(mrid="tie", operation=(tie,)))
    return now, later


async def test_without_electrical_data_there_are_no_figures_and_switching_goes_on_until_there_are(
    dms: Installation,
) -> None:
    yard = loaded_yard(opened="B1 D1")
    async with control_room(dms, yard, electrical=(electrical(yard),), mute=("ElectricalModels",)) as room:
        now, tie = await study(room)
        assert (now.power_flow, [each.power_flow for each in now.feeder_loading]) == ("not solved yet", [None])
        assert (tie.power_flow, tie.margin, tie.picked_up_power) == ("not solved: no electrical data", None, None)
        assert [each.reason for each in tie.rule_violation if each.rule == "R8"] == [
            "loading and voltage are unknown: not solved: no electrical data"
        ]
        plan = await room.switch("tie", switching(1, CLOSE, "Q1"))
        assert plan.status is not None
        assert plan.status.value == "COMPLETED"
        room.mute = ()

        async def is_solved() -> bool:
            return (await study(room))[0].power_flow == "solved"

        await until(is_solved)
        (of,) = (await study(room))[0].feeder_loading
        # what was not known when the tie was closed
        assert of.highest_loading is not None
        assert of.highest_loading > 130
        assert of.most_loaded == ObjectReference(mrid="L4")


async def test_what_a_crew_puts_up_makes_the_feeder_unknown_until_it_is_taken_away(dms: Installation) -> None:
    yard = loaded_yard()
    async with control_room(dms, yard, electrical=(electrical(yard),)) as room:

        async def says(status: str) -> None:
            async def is_so() -> bool:
                return (await study(room))[0].power_flow == status

            await until(is_so)

        def jumper(kind: TempEquipActionKind) -> SwitchingStep:
            action = JumperAction(kind=kind, jumper=ObjectReference(mrid="j"), jumped_equipments=references(["b", "c"]))
            return SwitchingStep(sequence_number=1, jumper_action=action)

        await says("solved")
        await room.ask(Verb.CREATE, plans("put up", jumper(TempEquipActionKind.PLACE)), OPERATOR)
        await says("not solved: no electrical data of the Jumper 'j'")
        (of,) = (await study(room))[0].feeder_loading
        assert of.power_flow == "solved"
        assert of.calculated_date_time is not None
        await room.ask(Verb.CREATE, plans("take away", jumper(TempEquipActionKind.REMOVE)), OPERATOR)
        await says("solved")
