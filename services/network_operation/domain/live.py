"""The network as operated now, and what is told of it: the state, and how often each feeder was told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, reduce

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import MOST_CHANGES, Feeder, FeederChange, SwitchState
from contracts.types import ObjectReference
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.network_state import Effect, NetworkState, Operation, modelled
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.positions import Standing
from services.network_operation.domain.structure import Structure
from services.network_operation.domain.temporary import Temporary, placed, removed


class Told(Struct, frozen=True, kw_only=True):
    """The revision in which a feeder was told last, and when that change happened in the field."""

    revision: int
    event_time: datetime


class Mark(Struct, frozen=True):
    """Which state it is: how many there were before it, and what made it; no two states have the same."""

    number: int = 0
    made_by: str = ""


class Wiring(Struct, frozen=True, kw_only=True):
    """What the structure follows from: the model, and what crews have put on the network, in that order."""

    model_revision: int = 0
    temporaries: tuple[Temporary, ...] = ()


class Live:
    """One state of the network, with what was told of it; it does not change.

    Attributes:
        mark: which state it is.
        wiring: of what structure.
        state: what is open and live.
        told: what was told last of each feeder, in the order in which the model tells them.
    """

    def __init__(self, mark: Mark, wiring: Wiring, state: NetworkState, told: Mapping[str, Told]) -> None:
        self.mark = mark
        self.wiring = wiring
        self.state = state
        self.told = told

    @cached_property
    def feeders(self) -> tuple[Feeder, ...]:
        """All feeders as they are now."""
        return tuple(map(self.feeder, self.told))

    def feeder(self, mrid: str) -> Feeder:
        """A feeder as it is now."""
        told = self.told[mrid]
        return replace(self.state.feeder(mrid), revision=told.revision, event_time=told.event_time)

    @cached_property
    def grid(self) -> Grid:
        """What switching is judged by."""
        return Grid(self.state)

    @property
    def opened(self) -> tuple[str, ...]:
        """The switches that are open on some phase."""
        switches = self.state.structure.switches
        return tuple(switches[number].mrid for number, mask in enumerate(self.state.open_masks) if mask)

    def moved(self, state: NetworkState, at: datetime, made_by: str) -> tuple["Live", tuple[FeederChange, ...]]:
        """The network in another state of the same structure since ``at``, and what is told of the feeders.

        A change that no message bears leaves out a revision and lists nothing.
        """
        changes = tuple(self._changes(Effect(self.state, state), state, at))
        told = {change.mrid: Told(revision=change.revision, event_time=at) for change in changes}
        return Live(self._next(made_by), self.wiring, state, {**self.told, **told}), changes

    @property
    def model_version(self) -> str:
        """The version of the model, as its feeders name it."""
        return next((feeder.model_version for feeder in self.state.structure.feeders.values()), "")

    def with_temporary(self, each: Temporary, at: datetime, made_by: str) -> "Live":
        """The network with an object that a crew has placed since ``at``."""
        return self._rewired(placed(self._built, each), (*self._others(each.mrid), each), at, made_by)

    def without_temporary(self, mrid: str, at: datetime, made_by: str) -> "Live":
        """The network without an object that a crew had placed; the same network where nobody had."""
        gone = next((each for each in self.wiring.temporaries if each.mrid == mrid), None)
        feeders = self._built if gone is None else removed(self._built, gone)
        return self._rewired(feeders, self._others(mrid), at, made_by)

    def adopted(
        self, built: Sequence[Feeder], standings: Iterable[Standing], revision: int, at: datetime, made_by: str
    ) -> "Live":
        """The network by another model; what is known of switches, of temporary objects and of revisions goes on."""
        structure = Structure(with_temporaries(built, self.wiring.temporaries))
        before = {mrid: told.revision for mrid, told in self.told.items()}
        told = {each.mrid: Told(revision=before.get(each.mrid, 0) + 1, event_time=at) for each in built}
        wiring = replace(self.wiring, model_revision=revision)
        return Live(self._next(made_by), wiring, standing(structure, standings), told)

    def since(self, before: "Live") -> tuple[str, ...]:
        """The feeders that were told anew since another state of the same model."""
        return tuple(mrid for mrid, told in self.told.items() if told != before.told[mrid])

    def news(self, mrid: str) -> FeederChange:
        """The news that there is this revision of a feeder, which everybody has to ask for."""
        told = self.told[mrid]
        return FeederChange(
            mrid=mrid,
            event_time=told.event_time,
            model_version=self.state.structure.feeders[mrid].model_version,
            revision=told.revision,
        )

    @property
    def _built(self) -> tuple[Feeder, ...]:
        """The feeders as the structure has them, in the order in which the model tells them."""
        return tuple(self.state.structure.feeders[mrid] for mrid in self.told)

    def _others(self, mrid: str) -> tuple[Temporary, ...]:
        return tuple(each for each in self.wiring.temporaries if each.mrid != mrid)

    def _rewired(
        self, feeders: Iterable[Feeder], temporaries: tuple[Temporary, ...], at: datetime, made_by: str
    ) -> "Live":
        """The network with other equipment, switches standing as before.

        No change can tell of equipment: a feeder that has become another leaves out a revision, so that everybody asks.
        """
        wiring = replace(self.wiring, temporaries=temporaries)
        switches = self.state.structure.switch
        positions = {mrid: self.state.open_phases(mrid) for mrid in switches}
        doubted = [mrid for mrid, number in switches.items() if number in self.state.doubted]
        state = NetworkState.of(Structure(feeders), positions, doubted=doubted)
        after = Live(self._next(made_by), wiring, state, self.told)
        others = [new.mrid for old, new in zip(self.feeders, after.feeders, strict=True) if new != old]
        told = {mrid: Told(revision=self.told[mrid].revision + 2, event_time=at) for mrid in others}
        return Live(after.mark, wiring, state, {**self.told, **told})

    def _changes(self, effect: Effect, state: NetworkState, at: datetime) -> Iterator[FeederChange]:
        """What is told of each feeder that has a node or a switch in another state."""
        structure = state.structure
        nodes = _by_feeder((mrid, structure.feeders_of_node[structure.node[mrid]]) for mrid in effect.nodes)
        switches = _by_feeder((mrid, structure.feeders_of_switch[structure.switch[mrid]]) for mrid in effect.switches)
        lost = _by_feeder((mrid, structure.feeders_of_point[mrid]) for mrid in effect.dropped)
        found = _by_feeder((mrid, structure.feeders_of_point[mrid]) for mrid in effect.picked_up)
        for mrid in sorted(nodes.keys() | switches.keys()):
            change = replace(self.news(mrid), event_time=at, revision=self.told[mrid].revision + 1)
            if sum(len(each.get(mrid, ())) for each in (nodes, switches, lost, found)) > MOST_CHANGES:
                yield replace(change, revision=change.revision + 1)
                continue
            yield replace(
                change,
                connectivity_node=tuple(state.node(each) for each in nodes.get(mrid, ())),
                de_energized_usage_point=tuple(ObjectReference(mrid=each) for each in lost.get(mrid, ())),
                energized_usage_point=tuple(ObjectReference(mrid=each) for each in found.get(mrid, ())),
                switch_state=tuple(_state(state, each) for each in switches.get(mrid, ())),
            )

    def _next(self, made_by: str) -> Mark:
        return Mark(self.mark.number + 1, made_by)


EMPTY = Live(Mark(), Wiring(), NetworkState.of(Structure(())), {})
"""Before the first model."""


def standing(structure: Structure, standings: Iterable[Standing]) -> NetworkState:
    """The state of a structure in which switches stand as they are known to."""
    known = [each for each in standings if each.device in structure.switch]
    positions = {each.device: each.open_phases(structure.equipment[each.device]) for each in known}
    return NetworkState.of(structure, positions, doubted=[each.device for each in known if each.is_doubted])


def stood(state: NetworkState, known: Standing) -> NetworkState:
    """The state with one switch as it is known to stand; the same value where that changes nothing."""
    number = state.structure.switch.get(known.device)
    if number is None:
        return state
    wanted, mask = known.open_phases(state.structure.switches[number]), state.open_phases(known.device)
    opening = Operation(device=known.device, open=True, phases=wanted & ~mask)
    closing = Operation(device=known.device, open=False, phases=mask & ~wanted)
    if wanted == mask and known.is_doubted == (number in state.doubted):
        return state
    return state.after(opening, closing, doubted={known.device: known.is_doubted})


def past(built: Iterable[Feeder], opened: Mapping[str, Mapping[str, bool]], at: datetime) -> tuple[Feeder, ...]:
    """The feeders as they were at a time, in the order in which they are given; the past has no revisions.

    Args:
        built: the feeders of the model that was in use.
        opened: which phases of which switches were open then, by their letters; what is not told stood as built.
        at: the time.
    """
    feeders = tuple(built)
    structure = Structure(feeders)
    positions = {}
    for device, phases in opened.items():
        if device in structure.switch:
            stood = modelled(structure.equipment[device])
            told = Phases.of("".join(phases))
            positions[device] = stood & ~told | Phases.of(
                "".join(letter for letter, is_open in phases.items() if is_open)
            )
    state = NetworkState.of(structure, positions)
    return tuple(replace(state.feeder(each.mrid), revision=0, event_time=at) for each in feeders)


def with_temporaries(built: Iterable[Feeder], temporaries: Iterable[Temporary]) -> tuple[Feeder, ...]:
    """The feeders of a model with what crews have put on the network."""
    return reduce(placed, temporaries, tuple(built))


def _by_feeder(members: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    """Members by the feeders that tell them."""
    found: dict[str, list[str]] = {}
    for mrid, feeders in members:
        for feeder in feeders:
            found.setdefault(feeder, []).append(mrid)
    return found


def _state(state: NetworkState, mrid: str) -> SwitchState:
    each = state.device(mrid)
    return SwitchState(mrid=mrid, open=bool(each.open), open_phases=each.open_phases, suspect=each.suspect)
