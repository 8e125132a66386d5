"""The feeders as they are now: the model as built, with the positions that were heard of and what is live."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import ConnectivityNode, Equipment, Feeder
from contracts.nouns.measurements import DiscreteValue, Measurements, SwitchPosition, Validity
from services.network_operation.domain.energisation import NONE, Network, Phases, live_phases

SWITCH_POSITION = "SwitchPosition"
"""The type of the measurements and of the commands that are about the position of a switch."""


class Position(Struct, frozen=True, kw_only=True):
    """Where a switch stands since ``at``, the time of the operation in the field."""

    device: str
    open: bool
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
        if _is_good(value) and value.value in {SwitchPosition.OPEN, SwitchPosition.CLOSED}
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
    """The feeders that differ after the operation, each with its next revision; none when nothing changes."""
    placed = [_placed(feeder, {position.device: position}) for feeder in feeders]
    return tuple(
        replace(after, revision=before.revision + 1, event_time=position.at)
        for before, after in zip(feeders, _energised(placed), strict=True)
        if after != before
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


def _is_good(value: DiscreteValue) -> bool:
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
