"""Which conditions hold now, and which alarms that judges.

Everything follows from the present state: of the network, of what a device did last, of what is measured. What is
looked at is a :class:`Scope`; an alarm in it whose condition does not hold any more has cleared.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.alarms import Alarm, AlarmKind, AlarmPriority
from contracts.nouns.feeder_topology import SafetyStateKind
from contracts.nouns.measurements import MeasurementType
from contracts.nouns.operational_tags import OperationalTag, OperationalTagType
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import SwitchActionKind
from services.network_operation.domain.acts import ActKind
from services.network_operation.domain.alarms.machine import Condition
from services.network_operation.domain.feeder_flow import LastFlow
from services.network_operation.domain.feeding import Feeding
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.measured import CONTINUOUS, Point
from services.network_operation.domain.positions import Position, Standing
from services.network_operation.domain.rules.blocking import covered
from services.network_operation.domain.tags import FORBIDDEN, device_of, holder_of, in_force, kind_of

BY_PROTECTION = frozenset({SwitchingEventType.TRIP, SwitchingEventType.LOCKOUT})

DEAD_BAND = 0.01
"""By how much of a limit a value must be back within it before its alarm clears [P]."""

OF_NETWORK = frozenset({AlarmKind.SUSPECT, AlarmKind.FAULTED, AlarmKind.POSSIBLY_LIVE})
OF_DEVICE = frozenset({AlarmKind.TRIP, AlarmKind.TAG_CONFLICT})
OF_EQUIPMENT = frozenset({AlarmKind.COMMUNICATION, AlarmKind.OUTSTATION})
LIMITS = frozenset({AlarmKind.LIMIT_HIGH, AlarmKind.LIMIT_LOW})

_SAFETY = {
    SafetyStateKind.FAULTED: (AlarmKind.FAULTED, AlarmPriority.CRITICAL, "has voltage and a ground"),
    SafetyStateKind.POSSIBLY_LIVE: (AlarmKind.POSSIBLY_LIVE, AlarmPriority.HIGH, "has no supply and may be live"),
}


class Scope(Struct, frozen=True, kw_only=True):
    """What something may have changed; the state of the network as a whole is always looked at.

    Attributes:
        devices: what was operated, tagged or named by protection.
        equipment: what something was measured of.
        points: the newest values of those.
        obeyed: devices that moved, or did otherwise what they were told.
        failed: commands that failed.
        flows: the last power flow of all feeders.
        everything: also all devices that have an alarm, and all feeders; after the network was rebuilt.
    """

    devices: frozenset[str] = frozenset()
    equipment: frozenset[str] = frozenset()
    points: tuple[Point, ...] = ()
    obeyed: frozenset[str] = frozenset()
    failed: tuple[Condition, ...] = ()
    flows: tuple[LastFlow, ...] = ()
    everything: bool = False

    def with_known(self, known: Iterable[Alarm]) -> "Scope":
        """The scope with the devices that have an alarm, where it is about everything."""
        if not self.everything:
            return self
        own = (alarm.power_system_resource for alarm in known if alarm.kind in OF_DEVICE)
        return replace(self, devices=self.devices | {each.mrid for each in own if each is not None and each.mrid})

    def feeders(self, grid: Grid) -> frozenset[str]:
        """The feeders of which it is looked at whether they stand parallel: all, or those of the devices."""
        structure = grid.state.structure
        if self.everything:
            return frozenset(structure.feeders)
        numbers = (structure.switch[device] for device in self.devices if device in structure.switch)
        return frozenset(chain.from_iterable(structure.feeders_of_switch[number] for number in numbers))

    def judges(self, alarm: Alarm, feeders: frozenset[str]) -> bool:
        """True when an alarm clears unless its condition is found; ``feeders`` are :meth:`feeders`."""
        resource = "" if alarm.power_system_resource is None else alarm.power_system_resource.mrid or ""
        measured = (point for point in self.points if point.is_good)
        looked_at = {
            **dict.fromkeys(OF_NETWORK, True),
            **dict.fromkeys(OF_DEVICE, resource in self.devices),
            **dict.fromkeys(OF_EQUIPMENT, resource in self.equipment),
            **dict.fromkeys(LIMITS, any(alarm.mrid == f"{alarm.kind}/{point.key}" for point in measured)),
            AlarmKind.COMMAND_FAILED: resource in self.obeyed,
            AlarmKind.OVERLOAD: bool(self.flows),
            AlarmKind.PARALLELED: self.everything or bool(feeders & {each.mrid for each in alarm.feeder}),
        }
        return alarm.kind is not None and looked_at[alarm.kind]


class Facts(Struct, frozen=True, kw_only=True):
    """What conditions are found from.

    Attributes:
        grid: the network now.
        feeding: the heads of its feeders.
        known: the alarms that are not over, by mRID.
        last: what each device of the scope did last.
        points: all points of the equipment of the scope.
        tags: the tags that hang.
        now: the time.
        stale: for how long a value that is measured all the time counts.
    """

    grid: Grid
    feeding: Feeding
    known: Mapping[str, Alarm]
    last: Mapping[str, SwitchingEvent]
    points: tuple[Point, ...]
    tags: tuple[OperationalTag, ...]
    now: datetime
    stale: timedelta


def found(scope: Scope, facts: Facts) -> tuple[Condition, ...]:
    """All conditions that hold in a scope; those of the network since the last operation in it."""
    grid = facts.grid
    since = min(facts.now, max((each.created_date_time for each in facts.last.values()), default=facts.now))
    return (
        *network_conditions(grid, since),
        *parallel_feeders(grid, facts.feeding, scope.feeders(grid), since),
        *device_conditions(scope.devices, facts),
        *limit_conditions(scope.points, facts.known, grid),
        *chain.from_iterable(
            outstation_conditions(equipment, facts.points, grid, facts.now, facts.stale)
            for equipment in sorted(scope.equipment)
        ),
        *overloads(scope.flows, grid),
        *scope.failed,
    )


def network_conditions(grid: Grid, at: datetime) -> Iterator[Condition]:
    """Switches that are not believed, and sections that have a ground and voltage, or may be live."""
    state, structure = grid.state, grid.state.structure
    for number in sorted(state.doubted):
        switch = structure.switches[number]
        yield Condition(
            kind=AlarmKind.SUSPECT,
            object=switch.mrid,
            since=at,
            text=f"what is told of {switch.name} cannot be believed",
            feeders=structure.feeders_of_switch[number],
        )
    seen: set[int] = set()
    for zone, safety in sorted(state.specials.items()):
        if safety not in _SAFETY or zone in seen:
            continue
        kind, priority, what = _SAFETY[safety]
        some = structure.nodes[structure.nodes_of_zone.of([zone])[0]]
        section = {other for other in state.reach(some) if state.specials.get(other) is safety}
        seen |= section
        nodes = sorted(structure.nodes[number] for number in structure.nodes_of_zone.of(sorted(section)))
        yield Condition(
            kind=kind,
            object=nodes[0],
            since=at,
            text=f"the section of '{nodes[0]}' with {len(nodes)} nodes {what}",
            priority=priority,
            feeders=structure.feeders_of_node[structure.node[nodes[0]]],
        )


def parallel_feeders(grid: Grid, feeding: Feeding, among: frozenset[str], at: datetime) -> Iterator[Condition]:
    """The feeders that stand parallel, as far as one of ``among`` is concerned."""
    for feeders in feeding.parallels(grid.state, among):
        yield Condition(
            kind=AlarmKind.PARALLELED,
            object="+".join(feeders),
            since=at,
            text=f"the feeders {', '.join(feeders)} stand parallel",
            feeders=feeders,
            resource=feeders[0],
        )


def device_conditions(devices: Iterable[str], facts: Facts) -> Iterator[Condition]:
    """What the last operation of a device means as long as the device stands as it left it."""
    grid, structure = facts.grid, facts.grid.state.structure
    for device in sorted(devices):
        event, switch = facts.last.get(device), structure.switch.get(device)
        if event is None or switch is None:
            continue
        feeders, name = structure.feeders_of_switch[switch], grid.name(device)
        if event.type in BY_PROTECTION and grid.state.open_phases(device):
            locked = event.type == SwitchingEventType.LOCKOUT
            yield Condition(
                kind=AlarmKind.TRIP,
                object=device,
                since=event.created_date_time,
                text=f"{name} {'is locked out' if locked else 'has tripped'}",
                priority=AlarmPriority.HIGH if locked else AlarmPriority.MEDIUM,
                feeders=feeders,
                phases=event.phases,
            )
        before = facts.known.get(f"{AlarmKind.TAG_CONFLICT}/{device}")
        broken = (
            tag for tag in facts.tags if _contradicts(event, tag, device, grid) and _hung_then(event, tag, before)
        )
        conflict = next(broken, None)
        if conflict is not None:
            yield Condition(
                kind=AlarmKind.TAG_CONFLICT,
                object=device,
                since=event.created_date_time,
                text=f"{name}: {event.type} although '{holder_of(conflict)}' holds a tag {kind_of(conflict)}",
                priority=AlarmPriority.CRITICAL,
                feeders=feeders,
            )


def command_failed(device: str, reason: str, grid: Grid, at: datetime) -> Condition:
    """That a device has not done what it was told."""
    number = grid.state.structure.switch.get(device)
    return Condition(
        kind=AlarmKind.COMMAND_FAILED,
        object=device,
        since=at,
        text=f"{grid.name(device)} has not obeyed: {reason}",
        priority=AlarmPriority.HIGH,
        feeders=() if number is None else grid.state.structure.feeders_of_switch[number],
    )


def limit_conditions(points: Iterable[Point], known: Mapping[str, Alarm], grid: Grid) -> Iterator[Condition]:
    """Values beyond the limits that their points name; an alarm stays until the value is well within again."""
    for point in points:
        if point.analog is None or not point.is_good:
            continue
        for kind, limit, sign in (
            (AlarmKind.LIMIT_HIGH, point.analog.max_value, 1),
            (AlarmKind.LIMIT_LOW, point.analog.min_value, -1),
        ):
            before = known.get(f"{kind}/{point.key}")
            band = 0.0 if limit is None or before is None or not before.active else abs(limit) * DEAD_BAND
            if limit is not None and (point.value - limit) * sign > -band:
                unit = point.analog.unit_symbol or ""
                side = "above" if sign > 0 else "below"
                yield Condition(
                    kind=kind,
                    object=point.key,
                    since=point.at,
                    text=f"{point.type} of {grid.name(point.equipment)}: {side} its limit of {limit:g} {unit}".strip(),
                    feeders=feeders_of(point.equipment, grid),
                    phases=point.analog.phases,
                    resource=point.equipment,
                )


def overloads(flows: Iterable[LastFlow], grid: Grid) -> Iterator[Condition]:
    """Feeders that are loaded beyond an emergency rating, by the last power flow that succeeded."""
    for flow in flows:
        good = flow.good
        if good is not None and good.margin is not None and good.margin < 0:
            yield Condition(
                kind=AlarmKind.OVERLOAD,
                object=flow.feeder,
                since=good.made_at,
                text=f"loaded beyond an emergency rating, most of all {grid.name(good.most_loaded or flow.feeder)}",
                priority=AlarmPriority.HIGH,
                feeders=(flow.feeder,),
            )


def outstation_conditions(
    equipment: str, points: Iterable[Point], grid: Grid, now: datetime, stale: timedelta
) -> Iterator[Condition]:
    """What the points of one piece of equipment say of its outstation."""
    own = tuple(point for point in points if point.equipment == equipment)
    name, feeders = grid.name(equipment), feeders_of(equipment, grid)
    silent = [point for point in own if is_unreached(point)]
    old = [point for point in own if point.type in CONTINUOUS and (point.is_old(now, stale) or _says_old(point))]
    if silent or old:
        yield Condition(
            kind=AlarmKind.COMMUNICATION,
            object=equipment,
            since=min(point.at for point in (*silent, *old)),
            text=f"the outstation of {name} does not answer" if silent else f"nothing new is measured of {name}",
            priority=AlarmPriority.LOW,
            feeders=feeders,
        )
    troubled = [point for point in own if point.type == MeasurementType.OUTSTATION_FAULT and point.value]
    if troubled:
        yield Condition(
            kind=AlarmKind.OUTSTATION,
            object=equipment,
            since=min(point.at for point in troubled),
            text=f"the outstation of {name} is in trouble",
            priority=AlarmPriority.LOW,
            feeders=feeders,
        )


def is_unreached(point: Point) -> bool:
    """True for the word that an outstation does not answer."""
    return point.type == MeasurementType.COMMUNICATION and not point.value


def about(points: tuple[Point, ...]) -> Scope:
    """The scope of what was measured."""
    kinds = CONTINUOUS | {MeasurementType.COMMUNICATION, MeasurementType.OUTSTATION_FAULT}
    return Scope(equipment=frozenset(point.equipment for point in points if point.type in kinds), points=points)


def about_tag(tag: OperationalTag, grid: Grid) -> Scope:
    """The scope of a tag."""
    return Scope(devices=frozenset(covered(device_of(tag), grid)))


def doubts(points: Iterable[Point], known: Standing) -> Iterator[Position]:
    """That a switch of which telemetry told before is not believed any more, since its outstation does not answer."""
    for point in points:
        if is_unreached(point) and known.telemetry and point.equipment == known.device:
            yield Position(device=known.device, open=False, at=point.at, sure=False)


def is_watched(point: Point) -> bool:
    """True for a point about which something has to be done when nothing more is heard."""
    return point.type in CONTINUOUS or is_unreached(point)


def feeders_of(equipment: str, grid: Grid) -> tuple[str, ...]:
    """The feeders in which equipment is told; of what is no switch, those of its first node."""
    structure = grid.state.structure
    number, known = structure.switch.get(equipment), structure.equipment.get(equipment)
    if number is not None:
        return structure.feeders_of_switch[number]
    return () if known is None else structure.feeders_of_node[structure.node[known.node1]]


def _says_old(point: Point) -> bool:
    return point.quality is not None and bool(point.quality.old_data)


def _contradicts(event: SwitchingEvent, tag: OperationalTag, device: str, grid: Grid) -> bool:
    """Whether the last operation of a device is one that a tag forbids."""
    if not in_force(tag) or device not in covered(device_of(tag), grid):
        return False
    if event.type in BY_PROTECTION:
        return kind_of(tag) is OperationalTagType.HOT_LINE
    if event.type == SwitchingEventType.RECLOSE and kind_of(tag) is OperationalTagType.HOT_LINE:
        return True
    act = ActKind.CLOSE if event.kind is SwitchActionKind.CLOSE else ActKind.OPEN
    return device == device_of(tag) and act in FORBIDDEN[kind_of(tag)]


def _hung_then(event: SwitchingEvent, tag: OperationalTag, known: Alarm | None) -> bool:
    """Whether a tag hung there already when a device moved.

    A tag tells when it last came into its state, and it may have been verified or handed over since: then the alarm of
    that operation is known.
    """
    if known is not None and known.active and known.created_date_time == event.created_date_time:
        return True
    since = None if tag.status is None else tag.status.date_time
    return since is None or since < event.created_date_time
