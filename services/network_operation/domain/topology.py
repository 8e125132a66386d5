"""The feeders as they are now: the model as built, with the positions that were heard of and what is live."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import (
    MOST_CHANGES,
    ConnectivityNode,
    Equipment,
    Feeder,
    FeederChange,
    SwitchState,
)
from contracts.nouns.measurements import DiscreteValue, Measurements, MeasurementType, SwitchPosition, Validity
from contracts.types import ObjectReference
from services.network_operation.domain.energisation import NONE, Network, Phases, live_phases

T = TypeVar("T")

SWITCH_POSITION = "SwitchPosition"
"""The type of the measurements and of the commands that are about the position of a switch."""


class Position(Struct, frozen=True, kw_only=True):
    """Where a switch stands since ``at``, the time of the operation in the field."""

    device: str
    open: bool
    at: datetime


class Reclosing(Struct, frozen=True, kw_only=True):
    """Whether a device closes again by itself after a trip, since ``at``."""

    device: str
    enabled: bool
    at: datetime


def positions_in(measurements: Measurements) -> tuple[Position, ...]:
    """The positions that may be believed, oldest first.

    A value of bad quality and a switch between its positions or with both contacts set tell nothing: what was known
    stays.
    """
    found = [
        Position(
            device=discrete.power_system_resource.mrid, open=value.value == SwitchPosition.OPEN, at=value.time_stamp
        )
        for discrete in measurements.discrete
        if discrete.measurement_type == SWITCH_POSITION
        and discrete.power_system_resource is not None
        and discrete.power_system_resource.mrid is not None
        for value in discrete.discrete_values
        if is_good(value) and value.value in {SwitchPosition.OPEN, SwitchPosition.CLOSED}
    ]
    return tuple(sorted(found, key=lambda position: position.at))


def is_news(heard: Position, known: Position | None) -> bool:
    """False for what happened before what is known, and for what is known already.

    Of two operations in one instant the one heard later counts: one switch's messages arrive in their order.
    """
    return known is None or heard.at > known.at or (heard.at == known.at and heard.open != known.open)


def switches(feeders: Iterable[Feeder]) -> dict[str, Equipment]:
    """The equipment that switches, by mRID."""
    return {each.mrid: each for feeder in feeders for each in feeder.equipment if each.open is not None}


def operated(feeders: tuple[Feeder, ...], position: Position) -> tuple[Feeder, ...]:
    """The feeders that differ after the operation, each with its next revision; none when nothing changes.

    A change that no message bears leaves out one revision.
    """
    placed = [_placed(feeder, {position.device: position}) for feeder in feeders]
    return rewired(feeders, placed, position.at)


def rewired(before: tuple[Feeder, ...], after: Iterable[Feeder], at: datetime) -> tuple[Feeder, ...]:
    """The feeders that differ after equipment was added or taken away, each with its next revision.

    No change can tell other equipment: such a feeder leaves out one revision, so that everybody asks for it.
    """
    pairs = zip(before, _energised(list(after)), strict=True)
    return tuple(
        replace(new, revision=old.revision + (1 if _is_told(old, new) else 2), event_time=at)
        for old, new in pairs
        if new != old
    )


def adopted(
    built: Iterable[Feeder], before: Iterable[Feeder], positions: Mapping[str, Position], at: datetime
) -> tuple[Feeder, ...]:
    """The feeders of a new model with the positions carried over by mRID; revisions go on from those ``before``."""
    revisions = {feeder.mrid: feeder.revision for feeder in before}
    placed = [_placed(feeder, positions) for feeder in built]
    return tuple(
        replace(feeder, revision=revisions.get(feeder.mrid, 0) + 1, event_time=at) for feeder in _energised(placed)
    )


def difference(before: Feeder, after: Feeder) -> FeederChange:
    """What is told of a feeder that became ``after``.

    Where that is more than a change can tell nothing is listed and, as in ``after``, a revision is left out.
    """
    change = news(after)
    if after.revision > before.revision + 1:
        return change
    nodes = tuple(new for old, new in _pairs(before.connectivity_node, after.connectivity_node) if old != new)
    states = tuple(_state(new) for old, new in _pairs(before.equipment, after.equipment) if old != new)
    had, has = _supplied_points(before), _supplied_points(after)
    return replace(
        change,
        connectivity_node=nodes,
        de_energized_usage_point=_references(had - has),
        energized_usage_point=_references(has - had),
        switch_state=states,
    )


def news(feeder: Feeder) -> FeederChange:
    """The news that there is this revision of a feeder, which everybody has to ask for."""
    return FeederChange(
        mrid=feeder.mrid, event_time=feeder.event_time, model_version=feeder.model_version, revision=feeder.revision
    )


def reclosing_in(measurements: Measurements) -> tuple[Reclosing, ...]:
    """What may be believed of who closes again by itself, oldest first."""
    found = [
        Reclosing(device=discrete.power_system_resource.mrid, enabled=value.value != 0, at=value.time_stamp)
        for discrete in measurements.discrete
        if discrete.measurement_type == MeasurementType.RECLOSING_ENABLED
        and discrete.power_system_resource is not None
        and discrete.power_system_resource.mrid is not None
        for value in discrete.discrete_values
        if is_good(value)
    ]
    return tuple(sorted(found, key=lambda heard: heard.at))


def is_good(value: DiscreteValue) -> bool:
    """True for a value that may be believed: valid as far as is known, and no test."""
    quality = value.measurement_value_quality
    return quality is None or (quality.validity in {None, Validity.GOOD} and not quality.test)


def _placed(feeder: Feeder, positions: Mapping[str, Position]) -> Feeder:
    """The feeder with its switches in these positions."""
    equipment = tuple(
        replace(each, open=positions[each.mrid].open) if each.open is not None and each.mrid in positions else each
        for each in feeder.equipment
    )
    return replace(feeder, equipment=equipment)


def _energised(feeders: list[Feeder]) -> Iterator[Feeder]:
    """The feeders with the phases on which each of their nodes is live, seen over all feeders together."""
    live = live_phases(Network(feeders))
    for feeder in feeders:
        nodes = tuple(_supplied(node, live) for node in feeder.connectivity_node)
        yield replace(feeder, connectivity_node=nodes)


def _supplied(node: ConnectivityNode, live: Mapping[str, Phases]) -> ConnectivityNode:
    return replace(node, source_phases=live.get(node.mrid, NONE).code)


def _pairs(before: Sequence[T], after: Sequence[T]) -> Iterator[tuple[T, T]]:
    """Members of one feeder before and after; only their states differ."""
    return zip(before, after, strict=True)


def _is_told(before: Feeder, after: Feeder) -> bool:
    """True when a change can tell the difference and a message bears it."""
    same = [each.mrid for each in before.equipment] == [each.mrid for each in after.equipment]
    return same and _size(before, after) <= MOST_CHANGES


def _size(before: Feeder, after: Feeder) -> int:
    nodes = {new.mrid for old, new in _pairs(before.connectivity_node, after.connectivity_node) if old != new}
    return len(nodes) + sum(point.node in nodes for point in after.usage_point) + 1


def _state(each: Equipment) -> SwitchState:
    return SwitchState(mrid=each.mrid, open=bool(each.open), open_phases=each.open_phases, suspect=each.suspect)


def _supplied_points(feeder: Feeder) -> set[str]:
    """The usage points that have all their phases."""
    live = {node.mrid: Phases.of(node.source_phases) for node in feeder.connectivity_node if node.source_phases}
    wanted = ((point.mrid, Phases.of(point.phases), live.get(point.node, NONE)) for point in feeder.usage_point)
    return {mrid for mrid, phases, has in wanted if phases & has == phases}


def _references(mrids: set[str]) -> tuple[ObjectReference, ...]:
    return tuple(ObjectReference(mrid=mrid) for mrid in sorted(mrids))
