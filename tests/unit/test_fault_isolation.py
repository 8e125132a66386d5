"""Where the fault is, what is opened around it, and whom the ties can carry meanwhile."""

import random
from collections.abc import Collection
from itertools import product

import pytest
from msgspec.structs import replace

from services.fault_management.domain.fault_location import Located, Location, locate
from services.fault_management.domain.grid import Grid
from services.fault_management.domain.isolation import (
    CLOSE,
    OPEN,
    Isolation,
    Move,
    Option,
    energised,
    is_safe,
    isolate,
    normal_moves,
    options,
)
from tests.fixtures.tied_feeders import Drawing, feeder_of_six, two_feeders


def after_trip(drawing: Drawing, tripped: str, *, suspect: Collection[str] = ()) -> Grid:
    return Grid([drawing.feeder({*drawing.normally_open, tripped}, suspect=suspect)])


def zone_of(grid: Grid, point: str) -> str:
    return next(mrid for mrid, zone in grid.zones.items() if any(each.mrid == point for each in zone.points))


def shops(grid: Grid, zones: Collection[str]) -> set[str]:
    return {point.mrid for zone in zones for point in grid.zones[zone].points if point.mrid.endswith("shop")}


def opened(moves: Collection[Move]) -> list[str]:
    return [move.switch for move in moves if move.kind is OPEN]


def located(grid: Grid, *flags: str) -> Location:
    found = locate(grid, "B1", flags)
    assert found is not None
    return found


def test_a_zone_ends_at_every_switch_and_every_indicator() -> None:
    drawing = two_feeders()
    drawing.flag("middle", "a1-line", "a1-out")
    grid = Grid([drawing.feeder(drawing.normally_open)])
    assert zone_of(grid, "a1-shop") != zone_of(grid, "a1-home")
    line = grid.gates["middle"]
    assert zone_of(grid, "a1-shop") in {line.one, line.other}
    assert grid.zones[line.across(zone_of(grid, "a1-shop"))].breakable, "the line itself"
    assert {mrid for mrid, gate in grid.gates.items() if not gate.closed} == {"TIE"}


def test_flags_that_agree_point_at_the_zone_between_the_last_that_is_set_and_the_first_that_is_not() -> None:
    grid = after_trip(two_feeders(), "B1")
    found = located(grid, "R1-flag")
    assert found.found is Located.CLEAR
    assert shops(grid, [found.candidates[0].zone]) == {"a2-shop"}
    assert found.candidates[0].score > 0.9
    assert shops(grid, found.feared) == {"a1-shop", "a2-shop", "a3-shop"}, "one flag may be wrong, either way"


def test_flags_that_contradict_are_for_people_and_both_zones_are_shown() -> None:
    grid = after_trip(two_feeders(), "B1")
    found = located(grid, "R2-flag")
    assert found.found is Located.CONTRADICTORY
    scores = {next(iter(shops(grid, [each.zone]))): each.score for each in found.candidates}
    assert scores.keys() == {"a1-shop", "a3-shop"}
    assert scores["a3-shop"] > scores["a1-shop"] > 0.2


def test_without_an_indicator_somebody_must_go_and_look() -> None:
    drawing = two_feeders()
    drawing.flags.clear()
    assert located(after_trip(drawing, "B1")).found is Located.UNKNOWN


def test_nothing_can_be_said_of_what_has_supply_from_elsewhere_or_is_not_known() -> None:
    drawing = two_feeders()
    assert locate(Grid([drawing.feeder({"B1"})]), "B1", ()) is None, "the tie is closed"
    assert locate(after_trip(drawing, "B1"), "nowhere", ()) is None


def plan_for(
    grid: Grid, *flags: str, tripped: str = "B", blocked: Collection[str] = ()
) -> tuple[Isolation, list[Option]]:
    found = locate(grid, tripped, flags)
    assert found is not None
    isolation = isolate(grid, found, tripped, blocked)
    assert isolation is not None
    return isolation, options(grid, found, isolation, tripped, blocked)


def test_the_nearest_switches_are_opened_and_both_sides_get_supply_again() -> None:
    grid = after_trip(feeder_of_six(), "B")
    isolation, ways = plan_for(grid, "R1-flag", "R2-flag")
    assert shops(grid, isolation.area) == {"2-shop", "3-shop", "4-shop"}
    assert opened(isolation.moves) == ["R1", "R4"]
    assert shops(grid, isolation.upstream) == {"1-shop"}
    assert shops(grid, ways[0].zones) == {"5-shop", "6-shop"}
    assert [(move.switch, move.kind) for move in ways[0].moves] == [("T5", CLOSE)]
    assert {tuple(opened(way.moves)) for way in ways if len(way.zones) == 4} >= {(), ("R5",)}


def test_a_switch_that_is_tagged_or_not_believed_is_left_alone_and_the_next_one_taken() -> None:
    tagged, _ = plan_for(after_trip(feeder_of_six(), "B"), "R1-flag", "R2-flag", blocked={"R4"})
    assert opened(tagged.moves) == ["R1", "R5"]
    doubtful, _ = plan_for(after_trip(feeder_of_six(), "B", suspect={"R1"}), "R1-flag", "R2-flag")
    assert opened(doubtful.moves) == ["R4"]
    assert doubtful.upstream == frozenset(), "the breaker itself is the border"


def test_a_device_that_cannot_be_closed_from_afar_leaves_its_part_to_the_ties() -> None:
    isolation, ways = plan_for(after_trip(feeder_of_six(), "B"), "R1-flag", "R2-flag", blocked={"B"})
    assert isolation.upstream == frozenset()
    assert all(move.switch != "B" for way in ways for move in way.moves)


def test_nobody_is_fed_from_two_sides() -> None:
    grid = after_trip(feeder_of_six(), "B")
    _, ways = plan_for(grid, "R1-flag", "R2-flag")
    for way in ways:
        closing = {move.switch for move in way.moves if move.kind is CLOSE}
        assert closing != {"T5", "T6"} or "R5" in opened(way.moves)


def test_a_plan_that_would_feed_the_fault_is_not_safe() -> None:
    grid = after_trip(feeder_of_six(), "B")
    feared = {zone_of(grid, "3-shop")}
    close = Move(switch="B", kind=CLOSE)
    assert not is_safe(grid, [close], feared)
    assert is_safe(grid, [Move(switch="R1", kind=OPEN), close], feared)
    assert not is_safe(grid, [close, Move(switch="R1", kind=OPEN)], feared)


def test_the_way_back_to_normal_breaks_before_it_makes_unless_it_may_make_first() -> None:
    drawing = feeder_of_six()
    grid = Grid([drawing.feeder({"R4", "T6"})])
    normal = {mrid: bool(each.normal_open) for mrid, each in drawing.equipment.items() if each.open is not None}
    back, close = Move(switch="T5", kind=OPEN), Move(switch="R4", kind=CLOSE)
    assert normal_moves(grid, normal, {"R4", "T5", "R1"}, make_first=False) == (back, close)
    assert normal_moves(grid, normal, {"R4", "T5", "R1"}, make_first=True) == (close, back)


class Strike:
    """A random small network, a fault in it, and what the indicators show of that; at most one of them is wrong."""

    def __init__(self, number: int) -> None:
        chance = random.Random(number)
        self.drawing = drawing = Drawing()
        feeders = chance.randint(2, 3)
        ends: list[str] = []
        for side in "abc"[:feeders]:
            drawing.plain(f"S{side}", "EnergySource", f"{side}0")
            drawing.switch(f"B{side}", "Breaker", f"{side}0", f"{side}1-in")
            out = [f"{side}1-in"]
            for section in range(1, chance.randint(3, 5)):
                at = out[-1] if chance.random() < 0.8 else chance.choice(out)
                node = f"{side}{section + 1}-in"
                drawing.switch(f"{side}R{section}", "LoadBreakSwitch", at, node)
                if chance.random() < 0.8:
                    drawing.flag(f"{side}R{section}-flag", f"{side}R{section}", node)
                out.append(self._section(f"{side}{section + 1}", node, chance))
            ends += chance.sample(out, min(2, len(out)))
            drawing.plain(f"{side}1-line", "ACLineSegment", f"{side}1-in", f"{side}1-out")
            drawing.point(f"{side}1-shop", f"{side}1-out", chance.randint(1, 20))
        for number_of_tie in range(chance.randint(1, 3)):
            one, other = chance.sample(ends, 2)
            drawing.switch(f"T{number_of_tie}", "LoadBreakSwitch", one, other, normal_open=True)
        lines = sorted(m for m, e in drawing.equipment.items() if e.kind == "ACLineSegment" and m.startswith("a"))
        self.struck = chance.choice(lines)
        self.tripped = "Ba"
        if self.struck.endswith("branch"):
            drawing.equipment.pop(self.struck.replace("branch", "fuse"))
            drawing.plain(self.struck.replace("branch", "joint"), "ACLineSegment", *self._ends_of_branch())
        self.grid = after_trip(drawing, self.tripped)
        self.flags = self._shown(chance)
        self.capacity = {f"B{side}": chance.randint(5, 60) for side in "abc"[:feeders]}

    def _section(self, section: str, node: str, chance: random.Random) -> str:
        drawing = self.drawing
        drawing.plain(f"{section}-line", "ACLineSegment", node, f"{section}-out")
        drawing.point(f"{section}-shop", f"{section}-out", chance.randint(1, 20), critical=chance.random() < 0.1)
        if chance.random() < 0.5:
            drawing.switch(f"{section}-fuse", "Fuse", f"{section}-out", f"{section}-lateral")
            drawing.plain(f"{section}-branch", "ACLineSegment", f"{section}-lateral", f"{section}-end")
            drawing.point(f"{section}-home", f"{section}-end", chance.randint(1, 5))
        return f"{section}-out"

    def _ends_of_branch(self) -> tuple[str, str]:
        """The lateral of a fault above which the breaker tripped hangs on its section without a fuse."""
        section = self.struck.removesuffix("-branch")
        return f"{section}-out", f"{section}-lateral"

    @property
    def sources(self) -> list[str]:
        return [zone for zone, each in self.grid.zones.items() if each.source]

    @property
    def fault(self) -> str:
        """The zone of the fault."""
        return self._zone(self.drawing.equipment[self.struck].node2 or "")

    def _zone(self, node: str) -> str:
        points = [each.mrid for each in self.drawing.points.values() if each.node == node]
        return zone_of(self.grid, points[0])

    def _shown(self, chance: random.Random) -> frozenset[str]:
        """The true flags, one of which is wrong as often as at least one of them would be."""
        closed = self.grid.closed - {self.tripped}
        passed = {
            gate.mrid
            for gate in self.grid.gates.values()
            if not gate.switch and self.fault not in self._fed(closed - {gate.mrid})
        }
        flags = sorted(gate.mrid for gate in self.grid.gates.values() if not gate.switch)
        for flag in chance.sample(flags, len(flags)):
            if chance.random() < (0.05 if flag in passed else 0.02):
                return frozenset(passed.symmetric_difference({flag}))
        return frozenset(passed)

    def _fed(self, closed: Collection[str]) -> Collection[str]:
        head = self.grid.gates[self.tripped]
        return self.grid.reach([head.one, head.other], closed)

    def bears(self, moves: Collection[Move]) -> bool:
        """Each breaker carries no more customers than its capacity."""
        zones = self.grid.zones
        now = set(self.grid.closed)
        for move in moves:
            now ^= {move.switch}
        for breaker, capacity in self.capacity.items():
            if breaker not in now or breaker == self.tripped:
                continue
            others = set(self.capacity) - {breaker}
            carried = self.grid.reach([self.grid.gates[breaker].other], now - others - {breaker})
            before = self.grid.reach([self.grid.gates[breaker].other], self.grid.closed - others - {breaker})
            extra = sum(zones[zone].customers for zone in carried.keys() - before.keys())
            if extra > capacity:
                return False
        return True


def proposal(strike: Strike) -> tuple[Location, Isolation, list[Option]] | None:
    found = locate(strike.grid, strike.tripped, strike.flags)
    if found is None or found.found is not Located.CLEAR:
        return None
    isolation = isolate(strike.grid, found, strike.tripped, ())
    if isolation is None:
        return None
    return found, isolation, options(strike.grid, found, isolation, strike.tripped, ())


def whole(isolation: Isolation, option: Option | None, tripped: str) -> list[Move]:
    head = [Move(switch=tripped, kind=CLOSE)] if isolation.upstream else []
    return [*isolation.moves, *head, *(() if option is None else option.moves)]


def best(strike: Strike, isolation: Isolation, ways: list[Option]) -> Option | None:
    head = [Move(switch=strike.tripped, kind=CLOSE)] if isolation.upstream else []
    return next((way for way in ways if strike.bears([*isolation.moves, *head, *way.moves])), None)


def served(strike: Strike, moves: Collection[Move]) -> int:
    at_last = [strike.grid.reach(strike.sources, strike.grid.closed), *energised(strike.grid, list(moves))][-1]
    return sum(strike.grid.zones[zone].customers for zone in at_last)


@pytest.mark.parametrize("block", range(20))
def test_no_closing_ever_feeds_the_fault(block: int) -> None:
    proposals = restored = 0
    for number in range(100 * block, 100 * (block + 1)):
        strike = Strike(number)
        proposed = proposal(strike)
        if proposed is None:
            continue
        found, isolation, ways = proposed
        assert strike.fault in found.feared
        proposals += 1
        for way in [None, *ways]:
            moves = whole(isolation, way, strike.tripped)
            assert is_safe(strike.grid, moves, found.feared)
            assert all(strike.fault not in zones for zones in energised(strike.grid, moves)), number
            restored += bool(way) or bool(isolation.upstream)
    assert proposals > 40
    assert restored > 40


def optimum(strike: Strike, found: Location) -> int:
    """The most customers that any state of the switches serves, without a loop, the fault, or too much load."""
    grid = strike.grid
    free = sorted(
        mrid for mrid, gate in grid.gates.items() if gate.switch and gate.operable and _near(strike, gate.mrid)
    )
    most = 0
    for states in product((False, True), repeat=len(free)):
        moves = [
            Move(switch=mrid, kind=CLOSE if closed else OPEN)
            for mrid, closed in zip(free, states, strict=True)
            if grid.gates[mrid].closed != closed
        ]
        ordered = sorted(moves, key=lambda move: (move.kind is CLOSE, move.switch))
        if strike.bears(ordered) and is_safe(grid, ordered, found.feared) and _is_forest(strike, ordered):
            most = max(most, served(strike, ordered))
    return most


def _near(strike: Strike, mrid: str) -> bool:
    """Switches of the struck feeder and the ties; the others stay as they are."""
    return mrid == strike.tripped or mrid.startswith(("aR", "T"))


def _is_forest(strike: Strike, moves: Collection[Move]) -> bool:
    now = set(strike.grid.closed)
    for move in moves:
        now ^= {move.switch}
    for closing in sorted(now):
        gate = strike.grid.gates[closing]
        ends = strike.grid.reach([gate.one], now - {closing})
        sources = [zone for zone, each in strike.grid.zones.items() if each.source]
        if gate.other in ends:
            return False
        if all(
            any(zone in strike.grid.reach([end], now - {closing}) for zone in sources) for end in (gate.one, gate.other)
        ):
            return False
    return True


def test_no_state_of_the_switches_serves_more_customers_than_the_best_option() -> None:
    compared = 0
    for number in range(400):
        strike = Strike(number)
        proposed = proposal(strike)
        if proposed is None or compared == 60:
            continue
        found, isolation, ways = proposed
        ours = served(strike, whole(isolation, best(strike, isolation, ways), strike.tripped))
        everybody = sum(zone.customers for zone in strike.grid.zones.values())
        assert everybody - ours <= 1.1 * (everybody - optimum(strike, found)), number
        compared += 1
    assert compared == 60


def test_relabelling_changes_no_plan() -> None:
    drawing = feeder_of_six()
    feeder = drawing.feeder({*drawing.normally_open, "B"})
    shuffled = replace(feeder, equipment=feeder.equipment[::-1], connectivity_node=feeder.connectivity_node[::-1])
    assert plan_for(Grid([feeder]), "R1-flag") == plan_for(Grid([shuffled]), "R1-flag")
