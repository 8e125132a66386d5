"""Where and when a storm strikes: the same for the same seed, network, switch positions, conditions and start.

Where the model tells places, squalls move over the map and strike what lies in their way (``weather.py``).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct, structs

from contracts.errors import Invalid
from contracts.nouns.training_scenarios import FaultKind, TrainingScenario
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.faults import Fault, cause_of, damage_of, hazard_of, kind_of
from services.emergency_simulation.domain.network import EARTH, Network
from services.emergency_simulation.domain.protection import Move, Outcome, Protection, Relay
from services.emergency_simulation.domain.supply import Supply
from services.emergency_simulation.domain.timing import after
from services.emergency_simulation.domain.weather import APART_S, Weather


class Played(Struct, frozen=True, kw_only=True):
    """A fault with all that its protection does by itself: what is in the dark by it at the end, and what moved."""

    fault: Fault
    opened: dict[str, int]
    moves: tuple[Move, ...]
    outcomes: tuple[Outcome, ...]


def play_out(
    supply: Supply, opened: Mapping[str, int], fault: Fault, conditions: Conditions, seed: int, *others: Fault
) -> Played:
    """Let one fault strike, and go on until nothing more happens by itself.

    ``others`` have struck before. The supply is left as the fault leaves it.
    """
    faults = {each.mrid: each for each in (*others, fault)}
    relays: dict[str, Relay] = {}
    due: dict[str, datetime] = {}
    outcomes: list[Outcome] = []
    protection = Protection(supply, opened, others, relays, conditions=conditions, seed=seed)
    outcome = protection.strike(fault, fault.at)
    while True:
        outcomes.append(outcome)
        faults |= {each.mrid: each for each in outcome.faults}
        relays |= {each.device: each for each in outcome.relays}
        opened = outcome.opened
        due |= dict(outcome.recloses)
        if not due:
            break
        device, at = min(due.items(), key=lambda each: (each[1], each[0]))
        del due[device]
        active = [each for each in faults.values() if each.struck and not (each.repaired and each.final)]
        outcome = Protection(supply, opened, active, relays, conditions=conditions, seed=seed).reclose(device, at)
    moves = tuple(move for each in outcomes for move in each.moves)
    return Played(fault=faults[fault.mrid], opened=outcome.opened, moves=moves, outcomes=tuple(outcomes))


def plan_faults(
    network: Network, opened: Mapping[str, int], scenario: TrainingScenario, start: datetime, conditions: Conditions
) -> list[Fault]:
    """The strokes of a storm, the first 1 to 5 minutes after its start, the others on average 10 minutes apart [P].

    A place in the way of a squall is struck sooner than another, and when the squall passes. Lines are struck before
    anything else. No two permanent faults open the same device or darken the same usage point; where wide ones leave no
    room for the others, only laterals without protection of their own below them are struck.
    Temporary faults, which reclosing clears, come beside them.

    Raises:
        Invalid: when the network has no room for so many.
    """
    planner = _Planner(network, opened, scenario, start, conditions)
    supply = Supply(network)
    supply.move(opened)
    guards = guards_of(supply)
    inner = innermost(network, guards)
    places = planner.places()
    chosen = planner.apart(supply, places)
    if len(chosen) < scenario.faults:
        narrow = [place for place in places if guard_above(network, place, guards) in inner]
        chosen = planner.apart(supply, narrow)
    if len(chosen) < scenario.faults:
        raise Invalid(f"the network has room for {len(chosen)} faults that do not touch, not for {scenario.faults}")
    permanent = list(planner.timed(chosen, "next"))
    struck = {fault.equipment for fault in permanent}
    passing = planner.passing(supply, (place for place in places if place not in struck))
    wanted = scenario.temporary_faults or 0
    if len(passing) < wanted:
        raise Invalid(f"{len(passing)} temporary faults could be cleared by reclosing on this network, not {wanted}")
    temporary = planner.timed(passing, "passing")
    return sorted([*permanent, *temporary], key=lambda fault: (fault.at, fault.mrid))


class _Planner:
    """What the strokes of one storm have in common."""

    def __init__(
        self,
        network: Network,
        opened: Mapping[str, int],
        scenario: TrainingScenario,
        start: datetime,
        conditions: Conditions,
    ) -> None:
        self._network = network
        self._opened = opened
        self._scenario = scenario
        self._start = start
        self._conditions = conditions
        self._stream = Stream(scenario.seed, "faults")
        weather = weather_of(network, scenario, start)
        self._struck = {mrid: found for mrid in network.mrids if (found := weather.strike(mrid)) is not None}

    def places(self) -> list[str]:
        """What can be struck, in the order of chance and weather, whatever the order of the model; lines first."""
        network = self._network
        places = (
            mrid
            for mrid, ends in zip(network.mrids, network.ends, strict=True)
            if ends is not None and ends[0] != EARTH and not network.is_switch(mrid)
        )
        kinds = network.equipment
        drawn = sorted(
            (kinds[mrid].kind != "ACLineSegment", mrid not in self._struck, self._rank(mrid), mrid) for mrid in places
        )
        return [mrid for *_, mrid in drawn]

    def _rank(self, mrid: str) -> float:
        return self._struck[mrid][0] if mrid in self._struck else self._stream.fraction("place", mrid)

    def apart(self, supply: Supply, places: Iterable[str]) -> list[Fault]:
        """The first of the places whose faults darken somebody and do not touch one another, as many as are wanted."""
        chosen: list[Fault] = []
        taken: set[str] = set()
        for place in places:
            if len(chosen) == self._scenario.faults:
                break
            for fault in self._permanent(place):
                played = play_out(supply, self._opened, fault, self._conditions, self._scenario.seed).fault
                supply.move(self._opened)
                touched = {*played.dark, *(() if played.device is None else (played.device,))}
                if played.dark:
                    if not taken & touched:
                        taken |= touched
                        chosen.append(fault)
                    break
        return chosen

    def _permanent(self, place: str) -> Iterator[Fault]:
        """The fault that chance has for a place, and one on all its phases, in case that the first darkens nobody."""
        has = self._network.phases(place)
        kind, phases = kind_of(self._stream, place, has, self._conditions)
        yield self._fault(place, kind, phases)
        if phases != has:
            yield self._fault(place, FaultKind.THREE_PHASE, has)

    def passing(self, supply: Supply, places: Iterable[str]) -> list[Fault]:
        """Temporary faults that the protection clears, so that the interruption is momentary; as many as are wanted."""
        chosen: list[Fault] = []
        for place in places:
            if len(chosen) == (self._scenario.temporary_faults or 0):
                break
            fault = self._temporary(place)
            played = play_out(supply, self._opened, fault, self._conditions, self._scenario.seed)
            supply.move(self._opened)
            if not played.fault.dark and any(step.lost for outcome in played.outcomes for step in outcome.steps):
                chosen.append(fault)
        return chosen

    def _temporary(self, place: str) -> Fault:
        """The temporary fault that chance has for a place."""
        wires = structs.replace(self._conditions, open_conductor=0.0)
        kind, phases = kind_of(self._stream, place, self._network.phases(place), wires)
        return structs.replace(
            self._fault(place, kind, phases),
            temporary=True,
            damage="none",
            hazard=None,
            cause=cause_of(self._stream, place, temporary=True),
        )

    def _fault(self, place: str, kind: FaultKind, phases: int) -> Fault:
        """A fault whose mRID follows from its place, so that what is drawn for it does not depend on its turn."""
        damage = "conductor" if kind is FaultKind.OPEN_CONDUCTOR else damage_of(self._stream, place)
        return Fault(
            mrid=self._stream.identity("fault", place, self._start.isoformat()),
            scenario=self._scenario.mrid,
            equipment=place,
            cause=cause_of(self._stream, place),
            at=self._start,
            kind=kind,
            phases=phases,
            damage=damage,
            hazard=hazard_of(self._stream, place, damage, self._conditions),
        )

    def timed(self, faults: Iterable[Fault], process: str) -> Iterator[Fault]:
        """The faults with their times: when the squall passes, else one after the other."""
        at = after(self._start, self._stream.between(60, 300, "first", process))
        for number, fault in enumerate(faults):
            if fault.equipment in self._struck:
                yield structs.replace(fault, at=self._struck[fault.equipment][1])
                continue
            yield structs.replace(fault, at=at)
            at = after(at, self._stream.exponential(APART_S, process, str(number)))


def weather_of(network: Network, scenario: TrainingScenario, start: datetime) -> Weather:
    """The weather of a storm."""
    return Weather(network, scenario.seed, scenario.faults + (scenario.temporary_faults or 0), start)


class Guard(Struct, frozen=True, order=True):
    """What opens in the end on a fault at a node; nodes nearer to a source have a lower ``rank``."""

    rank: int
    device: str


def guards_of(supply: Supply) -> dict[int, Guard]:
    """The nearest protective device above each live node; without one the nearest switch; without any the source."""
    network = supply.network
    guards: dict[int, Guard] = {EARTH: Guard(0, "")}
    queue: list[tuple[int, str | None, str | None, str]] = [(EARTH, None, None, "")]
    for node, protective, switch, source in queue:
        for other, mrid in supply.neighbours(node):
            if other in guards:
                continue
            each = network.equipment[mrid]
            first = source or mrid
            nearer = mrid if each.protective else protective
            nearest = mrid if network.is_switch(mrid) else switch
            guards[other] = Guard(len(guards), nearer or nearest or first)
            queue.append((other, nearer, nearest, first))
    del guards[EARTH]
    return guards


def guard_above(network: Network, equipment: str, guards: Mapping[int, Guard]) -> str | None:
    """What opens on a fault at a piece of equipment, seen from its end nearer to a source; None when it is dead."""
    each = network.equipment[equipment]
    ends = [network.place_of[name] for name in (each.node1, each.node2) if name is not None]
    found = [guards[node] for node in ends if node in guards]
    return min(found).device if found else None


def innermost(network: Network, guards: Mapping[int, Guard]) -> frozenset[str]:
    """The guards of usage points that have no guard of other usage points below them."""
    direct = {guards[node].device for node in network.points if node in guards}
    outer: set[str] = set()
    for device in direct:
        below, upper = device, guard_above(network, device, guards)
        while upper is not None and upper != below and upper not in outer:
            outer.add(upper)
            below, upper = upper, guard_above(network, upper, guards)
    return frozenset(direct - outer)
