"""Scenarios 15 and 20 of the guide, as far as they are network operation's: what the network bears."""

from datetime import datetime

import pytest

from contracts.nouns.get_switching_studies import SwitchingOption
from contracts.nouns.measurements import SwitchPosition
from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.switching_studies import FeederLoading, RuleViolation, StudyOperation, SwitchingStudy
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.control_room import OPERATOR, ControlRoom, control_room, plans, until
from tests.fixtures.loaded_yard import electrical, loaded_yard
from tests.fixtures.switching_yard import NOON, piece, switching

OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE


def option(mrid: str, **operations: SwitchActionKind) -> SwitchingOption:
    """Operations by device, in their order."""
    return SwitchingOption(
        mrid=mrid,
        operation=tuple(
            StudyOperation(kind=kind, operated_switch=ObjectReference(mrid=device))
            for device, kind in operations.items()
        ),
    )


def found(study: SwitchingStudy, rule: str) -> list[RuleViolation]:
    return [each for each in study.rule_violation if each.rule == rule]


async def study(room: ControlRoom, *options: SwitchingOption) -> tuple[SwitchingStudy, ...]:
    """What automation is told, once there is a power flow."""
    await solved(room, NOON)
    return await room.look_ahead(*options)


async def loading(room: ControlRoom) -> FeederLoading:
    """How the yard is loaded."""
    (now,) = await room.look_ahead(SwitchingOption(mrid="now"))
    (of,) = now.feeder_loading
    return of


async def solved(room: ControlRoom, at: datetime) -> FeederLoading:
    """How the yard is loaded, once that was computed at this time or later."""

    async def is_computed() -> bool:
        of = await loading(room)
        times = [time for time in (of.calculated_date_time, of.failed_date_time) if time is not None]
        return bool(times) and max(times) >= at

    await until(is_computed)
    return await loading(room)


async def reported(room: ControlRoom, device: str, position: SwitchPosition) -> None:
    """Telemetry tells where a switch stands now, and network operation knows it."""
    await room.report(device, position)
    await room.seen(device, is_open=position is SwitchPosition.OPEN)


async def test_closing_a_tie_between_two_substations_is_refused_and_within_one_the_loop_current_is_shown(
    dms: Installation,
) -> None:
    """Scenario 20."""
    yard = loaded_yard()
    async with control_room(dms, yard, electrical=(electrical(yard),)) as room:
        within, between = await study(room, option("within", Q1=CLOSE), option("between", Q2=CLOSE))
        assert within.feasible
        assert within.power_flow == "solved"
        # along the loop of three equal lines: (108 A - x) + (93 A - x) = 29 A + x
        assert within.loop_current == pytest.approx(57.3, rel=0.03)
        loop = found(within, "R6")[0]
        assert (loop.severity, loop.reason) == (
            "warn",
            f"it closes a loop in which {within.loop_current:.0f} A would flow",
        )
        assert not found(within, "R8")
        assert not between.feasible
        assert [each.severity for each in found(between, "R6")] == ["refuse"]
        assert "different sources" in await room.refusal(
            Verb.CREATE, plans("between", switching(1, CLOSE, "Q2")), OPERATOR
        )
    for group, reason in (("Yy0", "differ by 30 degrees"), (None, "is unknown")):
        yard = loaded_yard(piece("T2", "PowerTransformer", "grid1", "bay", connection=group))
        async with control_room(dms, yard, electrical=(electrical(yard),)) as room:
            (between,) = await study(room, option("between", Q2=CLOSE))
            assert not between.feasible
            assert reason in found(between, "R6")[0].reason


async def test_a_tie_of_seven_tenths_brings_back_the_hospital_alone_and_after_three_hours_nobody(
    dms: Installation,
) -> None:
    """Scenario 15, network operation's half; what was dark may always come back the way it is fed normally."""
    yard = loaded_yard()
    async with control_room(dms, yard, electrical=(electrical(yard),)) as room:
        everybody, hospital = (option("all", D1=OPEN, Q1=CLOSE), option("hospital", D1=OPEN, F1=OPEN, Q1=CLOSE))
        await solved(room, NOON)
        await room.trip("B1")
        whole, part = await room.look_ahead(everybody, hospital)
        assert (whole.feasible, whole.customers_picked_up, part.feasible, part.customers_picked_up) == (
            False,
            50,
            True,
            20,
        )
        (refusal,) = [each for each in found(whole, "R8") if each.severity == "refuse"]
        assert (refusal.sequence_number, refusal.power_system_resource) == (2, ObjectReference(mrid="L4"))
        (line,) = whole.branch_loading
        assert line.current is not None
        assert line.emergency_loading is not None
        assert 120 < line.current < 130
        assert refusal.reason == (
            f"L4 would carry {line.loading:.0f} % of its rating, {line.emergency_loading:.0f} % of its emergency rating"
        )
        assert part.margin is not None
        assert part.margin > 20
        assert part.picked_up_power == 1.2e6
        assert "R8: L4 would carry" in await room.refusal(
            Verb.CREATE, plans("all", switching(1, OPEN, "D1"), switching(1, CLOSE, "Q1")), None
        )

        await room.pass_time(hours=3)
        part, home = await room.look_ahead(hospital, option("home", B1=CLOSE))
        assert not part.feasible
        assert part.picked_up_power is not None
        # after three hours loads take two and two thirds of what they took
        assert abs(part.picked_up_power - 1.2e6 * 8 / 3) < 1e4
        (cold,) = [each for each in found(part, "R8") if each.severity == "refuse"]
        assert cold.reason.startswith("L4 would carry 1")
        assert cold.reason.endswith("while the load is cold")
        assert home.feasible
        warned = [each for each in found(home, "R8") if each.severity == "warn"]
        assert "while the load is cold" in warned[0].reason
        restored = await room.switch("home", switching(1, CLOSE, "B1"))
        assert restored.status is not None
        assert restored.status.value == "COMPLETED"


async def test_loads_become_warm_again_and_the_loading_of_the_network_follows_them(dms: Installation) -> None:
    yard = loaded_yard()
    async with control_room(dms, yard, electrical=(electrical(yard),)) as room:
        warm = (await solved(room, NOON)).highest_loading
        assert warm is not None
        await room.trip("B1")
        without = (await solved(room, room.now)).highest_loading
        assert without is not None
        assert without < warm
        await room.pass_time(hours=2)
        await reported(room, "B1", SwitchPosition.CLOSED)
        cold = (await solved(room, room.now)).highest_loading
        assert cold is not None
        assert 2.2 * warm < cold < 2.5 * warm
        await room.pass_time(minutes=80)
        warmer = (await solved(room, room.now)).highest_loading
        assert warmer is not None
        assert 1.3 * warm < warmer < 1.6 * warm


async def test_the_last_good_power_flow_stays_with_its_time_when_a_newer_one_fails(dms: Installation) -> None:
    """Behind the fuse is a line without an impedance."""
    yard = loaded_yard(opened="F1")
    async with control_room(dms, yard, electrical=(electrical(yard, without="L3"),)) as room:
        good = await solved(room, NOON)
        assert (good.power_flow, good.calculated_date_time, good.failure) == ("solved", NOON, None)
        assert good.most_loaded is not None
        await room.pass_time(minutes=1)
        await reported(room, "F1", SwitchPosition.CLOSED)
        for restarted in (False, True):
            if restarted:
                await room.restart()
            failed = await solved(room, room.now)
            assert failed.calculated_date_time == NOON
            assert (failed.failed_date_time, failed.failure) == (
                room.now,
                "not solved: 1 branches without an impedance",
            )
            assert failed.highest_loading == good.highest_loading
        (now, tie) = await room.look_ahead(SwitchingOption(mrid="now"), option("tie", Q1=CLOSE))
        assert now.power_flow == "not solved: 1 branches without an impedance"
        assert tie.power_flow == "not solved: 1 branches without an impedance"
        assert (tie.margin, tie.branch_loading, tie.loop_current) == (None, (), None)
        assert "loading and voltage are unknown" in found(tie, "R8")[0].reason
        await room.pass_time(minutes=1)
        await reported(room, "F1", SwitchPosition.OPEN)
        again = await solved(room, room.now)
        assert (again.calculated_date_time, again.failure) == (room.now, None)


async def test_a_plan_that_became_an_overload_is_neither_issued_nor_carried_on(dms: Installation) -> None:
    """The tie bears the hospital, and not those behind the fuse as well."""
    yard = loaded_yard(opened="B1 D1 F1")
    async with control_room(dms, yard, electrical=(electrical(yard),)) as room:
        await solved(room, NOON)
        later = switching(1, CLOSE, "Q1", planned_date_time=room.now.replace(minute=30))
        (plan,) = (await room.ask(Verb.CREATE, plans("tie", later), OPERATOR)).switching_plan
        assert plan.status.value == "ISSUED"
        await room.pass_time(minutes=1)
        await reported(room, "F1", SwitchPosition.CLOSED)
        assert "R8: L4 would carry" in await room.refusal(
            Verb.CREATE, plans("too much", switching(1, CLOSE, "Q1")), OPERATOR
        )
        await room.pass_time(minutes=30)
        stopped = await room.standing_still("tie")
        assert stopped.status is not None
        assert "R8: L4 would carry" in (stopped.status.reason or "")
        assert room.commands == []
