"""The areas as one running process knows them: the last topology of each feeder, and what follows from it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from contracts.nouns.feeder_topology import Feeder, FeederChange
from services.fault_management.config import Rules
from services.fault_management.domain.durations import History
from services.fault_management.domain.network import Network, areas
from services.fault_management.domain.operation import Operation
from services.fault_management.domain.structure import Structure, open_phases, switches
from services.fault_management.domain.supply import Supplies
from services.fault_management.domain.timeline import Timeline

MEMORY = timedelta(hours=24)
"""So far back operations are told apart; what is older is how it was."""


class Memory:
    """The supply trees of all areas, as one running process last heard of them, and the settings."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.complete = False
        self._feeders: dict[str, Feeder] = {}
        self._since: dict[str, dict[str, datetime]] = {}
        self._areas: dict[str, tuple[str, ...]] = {}
        self._supplies: dict[tuple[str, ...], Supplies] = {}
        self._timelines: dict[tuple[tuple[str, ...], bool], tuple[object, Timeline]] = {}
        self._feeder_of: dict[str, str] = {}
        self._opened: dict[str, datetime] = {}
        self.durations: tuple[datetime, History] | None = None

    def put(self, feeder: Feeder) -> bool:
        """Take a feeder unless it is older than what is here; False when it is.

        What is here already counts as taken, since the transaction that took it may have failed.
        """
        known = self._feeders.get(feeder.mrid)
        others = [each for each in self._feeders.values() if each.model_version != feeder.model_version]
        if any(each.event_time > feeder.event_time for each in others):
            return False
        same_model = known is not None and known.model_version == feeder.model_version
        if known is not None and same_model and known.revision >= feeder.revision:
            return known.revision == feeder.revision
        for each in others:
            del self._feeders[each.mrid]
        self._feeders[feeder.mrid] = feeder
        self._since[feeder.mrid] = _since(feeder, known if same_model else None, self._since.get(feeder.mrid, {}))
        if known is None or not same_model:
            self._supplies.clear()
            self._timelines.clear()
        before = frozenset[str]() if known is None else _closed_ties(known)
        self._opened |= dict.fromkeys(before - _closed_ties(feeder), feeder.event_time)
        if known is None or not same_model or before != _closed_ties(feeder):
            self._redraw()
        return True

    def ties_opened(self, times: Mapping[str, datetime]) -> None:
        """Take when ties were opened; what they joined stays one area as long as operations are told apart."""
        self._opened |= times
        self._redraw()

    @property
    def ties(self) -> frozenset[str]:
        """What is open in the normal state."""
        known = self._feeders.values()
        return frozenset(each.mrid for feeder in known for each in feeder.equipment if each.normal_open)

    @property
    def told_apart(self) -> datetime:
        """Since when operations are told apart, as seen from the last change of any feeder."""
        return max(feeder.event_time for feeder in self._feeders.values()) - MEMORY

    def apply(self, change: FeederChange) -> Feeder | None:
        """A feeder after a change, or as it is where that change is its last; None where the change does not follow."""
        known = self._feeders.get(change.mrid)
        if known is None or (known.model_version, known.revision) == (change.model_version, change.revision):
            return known
        return known.after(change)

    def missing(self, changes: Iterable[FeederChange]) -> tuple[str, ...] | None:
        """The feeders that have to be asked for before ``changes`` mean something; none named is all, None is no one.

        That is all after a new model, and else those that missed a change.
        """
        models = {feeder.model_version for feeder in self._feeders.values()}
        asked = []
        for change in changes:
            known = self._feeders.get(change.mrid)
            if known is None or change.model_version not in models:
                return ()
            if change.revision > known.revision + 1:
                asked.append(change.mrid)
        return tuple(asked) or None

    def networks(self, points: Iterable[str] = (), devices: Iterable[str] = ()) -> list[Network]:
        """The areas in which these usage points and devices are, each once; unknown ones are in none."""
        feeders = {self._feeder_of[mrid] for mrid in (*points, *devices) if mrid in self._feeder_of}
        areas = {self._areas[feeder] for feeder in feeders}
        return [self._timeline(area, ()).network for area in sorted(areas)]

    def feeders_of(self, points: Iterable[str]) -> list[str]:
        """The feeders of these usage points, each once; unknown ones are of none."""
        return sorted({self._feeder_of[mrid] for mrid in points if mrid in self._feeder_of})

    def network(self, feeder: str) -> Network | None:
        """The area of a feeder."""
        area = self._areas.get(feeder)
        return None if area is None else self._timeline(area, ()).network

    def around(self, feeder: str) -> tuple[Feeder, ...]:
        """The feeders of an area, and those to which its ties lead, as they are now."""
        area = self._areas.get(feeder)
        if area is None:
            return ()
        structure = self._timeline(area, ()).structure
        ends = {node for each in structure.equipment.values() if each.normal_open for node in (each.node1, each.node2)}
        return tuple(
            told
            for mrid, told in sorted(self._feeders.items())
            if mrid in structure.told_by or any(node.mrid in ends for node in told.connectivity_node)
        )

    def timeline(self, area: tuple[str, ...], operations: Iterable[Operation], start: datetime) -> Timeline:
        """An area as it was at any time since ``start``."""
        return self._timeline(area, tuple(operations), start)

    def _timeline(
        self, area: tuple[str, ...], operations: tuple[Operation, ...], start: datetime | None = None
    ) -> Timeline:
        """The timeline of an area; the latest is kept as long as nothing is switched."""
        supplies = self._supplies.get(area)
        if supplies is None:
            others = [feeder for mrid, feeder in self._feeders.items() if mrid not in area]
            supplies = self._supplies[area] = Supplies(Structure([self._feeders[mrid] for mrid in area], others))
        feeders = [self._feeders[mrid] for mrid in supplies.structure.told_by if mrid in self._feeders]
        revisions = tuple((feeder.mrid, feeder.model_version, feeder.revision) for feeder in feeders)
        state = (revisions, operations, sum(start is not None and each.time < start for each in operations))
        known = self._timelines.get((area, start is None))
        if known is None or known[0] != state:
            since = {mrid: at for feeder in feeders for mrid, at in self._since[feeder.mrid].items()}
            timeline = Timeline(supplies, feeders, operations, start, since)
            known = self._timelines[area, start is None] = (state, timeline)
        return known[1]

    def _redraw(self) -> None:
        """Find the areas anew; they depend on the model, and on the ties that are closed or were so lately."""
        since = self.told_apart
        self._opened = {tie: at for tie, at in self._opened.items() if at >= since}
        drawn = [tuple(feeder.mrid for feeder in area) for area in areas(self._feeders.values(), self._opened)]
        self._areas = {mrid: area for area in drawn for mrid in area}
        known = self._feeders.values()
        self._feeder_of = {each.mrid: feeder.mrid for feeder in known for each in feeder.equipment}
        self._feeder_of |= {point.mrid: feeder.mrid for feeder in known for point in feeder.usage_point}


def _closed_ties(feeder: Feeder) -> frozenset[str]:
    return frozenset(each.mrid for each in feeder.equipment if each.normal_open and each.open is False)


def _since(feeder: Feeder, known: Feeder | None, since: Mapping[str, datetime]) -> dict[str, datetime]:
    """When each switch of a feeder was last told to stand otherwise than before, as it was ``known``."""
    stood = {} if known is None else {each.mrid: open_phases(each) for each in known.equipment}
    return {
        each.mrid: since[each.mrid] if stood.get(each.mrid) == open_phases(each) else feeder.event_time
        for each in feeder.equipment
        if switches(each)
    }
