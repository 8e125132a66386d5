"""R8: what the network bears, as far as an act is to blame for it."""

from typing import Any

from msgspec.structs import replace

from contracts.nouns.switching_studies import BranchLoading, NodeVoltage, SeverityKind
from contracts.types import ObjectReference
from services.network_operation.domain.acts import Act, ActKind
from services.network_operation.domain.figures import Figures, Question
from services.network_operation.domain.rules import judged
from services.network_operation.domain.rules.move import Move
from services.network_operation.domain.situation import Situation
from tests.fixtures.switching_yard import yard

K = ActKind
WARN, REFUSE = SeverityKind.WARN, SeverityKind.REFUSE


def told(move: Move) -> set[tuple[str, SeverityKind, str]]:
    return {(each.rule, each.severity, each.object) for each in judged(move)}


def loaded(emergency: float, **more: Any) -> BranchLoading:
    """R1 with so many per cent of its emergency rating, which is a quarter above the normal one."""
    given = {"loading": emergency * 1.25, "emergency_loading": emergency, **more}
    return BranchLoading(power_system_resource=ObjectReference(mrid="R1"), **given)


def low(voltage: float, node: str = "f", **more: Any) -> NodeVoltage:
    return NodeVoltage(voltage=voltage, connectivity_node=ObjectReference(mrid=node), **more)


def r8(
    situation: Situation, act: Act, after: Figures, before: Figures, normal: Figures | None = None
) -> set[tuple[str, SeverityKind, str]]:
    """What R8 finds when the network is ``before`` as it is now and ``after`` once the act is done."""
    now, usual = situation.grid.state.open_masks, yard().grid.state.open_masks

    def figures(question: Question) -> Figures:
        masks = question.grid.state.open_masks
        return before if masks == now else normal if normal is not None and masks == usual else after

    return {each for each in told(Move(act=act, before=replace(situation, figures=figures))) if each[0] == "R8"}


CALM = Figures(status="solved", margin=20.0)


def test_r8_limits_warn_and_emergency_limits_refuse() -> None:
    dark, close = yard(opened="B1 D1"), Act(kind=K.CLOSE, device="Q1")
    assert ("R8", WARN, "Q1") in told(Move(act=close, before=dark))
    assert "R8" not in {each[0] for each in told(Move(act=Act(kind=K.OPEN, device="R1"), before=dark))}
    much = Figures(status="solved", loadings=(loaded(90.0),), voltages=(low(0.94),))
    assert r8(dark, close, much, CALM) == {("R8", WARN, "R1"), ("R8", WARN, "f")}
    more = Figures(status="solved", loadings=(loaded(103.0),), voltages=(low(0.9), low(0.91, "e"), low(0.94, "d")))
    assert r8(dark, close, more, CALM) == {("R8", REFUSE, "R1"), ("R8", REFUSE, "f"), ("R8", WARN, "d")}
    assert r8(dark, close, CALM, CALM) == set()


def test_r8_counts_only_what_the_act_makes_worse() -> None:
    dark, close = yard(opened="B1 D1"), Act(kind=K.CLOSE, device="Q1")
    bad = Figures(status="solved", loadings=(loaded(130.0),), voltages=(low(0.9),))
    assert r8(dark, close, bad, bad) == set()
    slightly = Figures(status="solved", loadings=(loaded(130.4),), voltages=(low(0.8995),))
    assert r8(dark, close, slightly, bad) == set()
    worse = Figures(status="solved", loadings=(loaded(132.0),), voltages=(low(0.895),))
    assert r8(dark, close, worse, bad) == {("R8", REFUSE, "R1"), ("R8", REFUSE, "f")}


def test_r8_cold_load_keeps_no_switch_from_its_normal_position() -> None:
    cold = Figures(status="solved", loadings=(loaded(150.0, cold_load=True),), voltages=(low(0.9, cold_load=True),))
    home = r8(yard(opened="R1"), Act(kind=K.CLOSE, device="R1"), cold, CALM)
    assert home == {("R8", WARN, "R1"), ("R8", WARN, "f")}
    tie = r8(yard(opened="R1"), Act(kind=K.CLOSE, device="Q1"), cold, CALM)
    assert tie == {("R8", REFUSE, "R1"), ("R8", REFUSE, "f")}


def test_r8_what_is_beyond_a_limit_in_the_normal_state_too_keeps_no_switch_from_its_normal_position() -> None:
    much = Figures(status="solved", loadings=(loaded(150.0),), voltages=(low(1.07),))
    going_home, elsewhere = Act(kind=K.CLOSE, device="R1"), Act(kind=K.CLOSE, device="Q1")
    dark = yard(opened="R1 F1")
    assert r8(dark, going_home, much, CALM, normal=much) == {("R8", WARN, "R1"), ("R8", WARN, "f")}
    assert r8(dark, going_home, much, CALM, normal=CALM) == {("R8", REFUSE, "R1"), ("R8", REFUSE, "f")}
    assert r8(dark, elsewhere, much, CALM, normal=much) == {("R8", REFUSE, "R1"), ("R8", REFUSE, "f")}


def test_r8_looks_at_the_opening_of_a_loop_as_well() -> None:
    much = Figures(status="solved", loadings=(loaded(120.0),))
    assert r8(yard(closed="Q1"), Act(kind=K.OPEN, device="D1"), much, CALM) == {("R8", REFUSE, "R1")}
    assert r8(yard(), Act(kind=K.OPEN, device="D1"), much, CALM) == set()
