"""Who lost supply by which device and had it again when, by the log of operations and nothing else.

Each loss belongs to the device that opened. Where that closes and another one below it has opened meanwhile, what stays
dark goes over to that one (a nested outage); but where people opened the other one, they isolated the fault, and the
loss stays one. The trips of a reclosing device are judged together: as long as it is cycling nothing is known, when it
holds each trip was a momentary interruption, and when it locks out all of them are one loss since the first trip.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from services.fault_management.domain.evidence import SKEW
from services.fault_management.domain.operation import Operation
from services.fault_management.domain.reclosing import Course, Cycle, cycles
from services.fault_management.domain.timeline import Moment, Timeline


class Nature(StrEnum):
    """What is known of an interruption."""

    PENDING = "pending"
    """A device that caused it, or one above it, is cycling, or a plan that goes on will end it."""

    MOMENTARY = "momentary"
    """The device closed again by itself and stayed closed."""

    LASTING = "lasting"


class Interruption(Struct, frozen=True, kw_only=True):
    """One loss of supply; ``device`` and ``opened_at`` tell it from all others.

    Attributes:
        openings: when the device opened, each time that is a part of it.
        phases: those on which the device opened, as bits.
        points: who lost supply.
        ended: when it ended for a usage point, with supply or by going over to another interruption.
        handed: who went over to another.
        parent: the ``device`` and ``opened_at`` of that of which it took over.
        isolation: the devices that people opened below.
        until: for a pending one, when more is known if nothing happens.
        plan: the switching plan by which the device opened.
    """

    device: str
    opened_at: datetime
    openings: tuple[datetime, ...]
    phases: int
    points: frozenset[str]
    ended: Mapping[str, datetime]
    handed: frozenset[str] = frozenset()
    parent: tuple[str, datetime] | None = None
    isolation: tuple[str, ...] = ()
    nature: Nature = Nature.LASTING
    until: datetime | None = None
    plan: str | None = None

    @property
    def key(self) -> tuple[str, datetime]:
        """What tells it from all others."""
        return self.device, self.opened_at

    @property
    def over(self) -> bool:
        """True when it has ended for everybody."""
        return self.points == self.ended.keys()


class History(Struct, frozen=True, kw_only=True):
    """What the log says up to a time: the interruptions, the earliest first, and the devices that are cycling."""

    interruptions: tuple[Interruption, ...]
    cycling: tuple[Cycle, ...]


def history(timeline: Timeline, now: datetime, found: frozenset[str] = frozenset()) -> History:
    """What the log says up to ``now``.

    Args:
        timeline: the area.
        now: the present instant.
        found: the switching plans by which devices were taken as open that a crew found so; who opened them was a
            fault and nobody.
    """
    walk = timeline.memory.get(found)
    if not isinstance(walk, _Walk):
        walk = timeline.memory[found] = _Walk(timeline, found)
    equipment = timeline.structure.equipment
    sequences = [
        cycle for mrid, log in timeline.log.items() if mrid in equipment for cycle in cycles(equipment[mrid], log, now)
    ]
    cycling = tuple(cycle for cycle in sequences if cycle.course is Course.CYCLING)
    losses = [loss for loss in walk.losses.values() if loss.opened_at <= now + SKEW]
    found_so = [_held_back(timeline, each, cycling) for each in _joined(losses, sequences)]
    ordered = sorted(found_so, key=lambda each: (each.opened_at, each.device))
    return History(interruptions=tuple(ordered), cycling=cycling)


class _Loss:
    """An interruption in the making: the loss by one opening."""

    def __init__(self, opening: Operation, phases: int, parent: tuple[str, datetime] | None) -> None:
        self.device = opening.device
        self.opened_at = opening.time
        self.plan = opening.plan
        self.phases = phases
        self.parent = parent
        self.points: set[str] = set()
        self.ended: dict[str, datetime] = {}
        self.handed: set[str] = set()
        self.isolation: set[str] = set()

    @property
    def key(self) -> tuple[str, datetime]:
        return self.device, self.opened_at


def awaiting(known: History, plans: Collection[str], devices: Collection[str]) -> History:
    """``known``, where nothing is said yet of what one of ``plans`` interrupts: they go on and will end it.

    ``devices`` are those that the plans open, whose state may be told before it is told how that came about.
    """
    held = (
        replace(each, nature=Nature.PENDING)
        if each.plan in plans or (each.plan is None and each.device in devices)
        else each
        for each in known.interruptions
    )
    return replace(known, interruptions=tuple(held)) if plans else known


class _Walk:
    """One walk along the moments of a timeline."""

    def __init__(self, timeline: Timeline, found: frozenset[str]) -> None:
        self._timeline = timeline
        self._found = found
        self.losses: dict[tuple[str, datetime], _Loss] = {}
        self._cause: dict[str, _Loss] = {}
        dark: frozenset[str] = frozenset()
        for moment, dead in zip(timeline.moments, timeline.blackouts, strict=True):
            if moment.since is not None:
                for point in dark - dead:
                    if point in self._cause:
                        self._end(point, moment.since)
                self._hand_over(moment, moment.since, dead & dark)
            self._lose(moment, dead - dark)
            dark = dead

    def _lose(self, moment: Moment, points: frozenset[str]) -> None:
        """Who is newly dark lost supply by the open device next to what is live.

        Where that was open before, they were supplied from elsewhere, and lose that by what opens now.
        """
        if points:
            now = next((each for each in moment.operations if each.open), None)
            for device, section in self._timeline.supply(moment).dead_sections.items():
                opening = self._timeline.opening(device, moment.since)
                if now is not None and opening is not None and opening.time != moment.since:
                    opening = now
                if opening is not None:
                    self._begin(opening, moment, points & section)

    def _hand_over(self, moment: Moment, at: datetime, points: frozenset[str]) -> None:
        """What stays dark although its device closed has another reason."""
        causes = ((point, self._cause.get(point)) for point in points)
        left = {point: cause for point, cause in causes if cause is not None and not moment.opened.get(cause.device)}
        if not left:
            return
        for device, section in self._timeline.supply(moment).dead_sections.items():
            opening = self._timeline.opening(device, moment.since)
            taken = section & left.keys()
            if opening is None or not taken:
                continue
            if opening.by_people and opening.plan not in self._found:
                for point in taken:
                    left[point].isolation.add(device)
                continue
            for point in taken:
                self._end(point, at).handed.add(point)
            parents = sorted({left[point].key for point in taken})
            self._begin(opening, moment, taken, parents[0])

    def _begin(
        self, opening: Operation, moment: Moment, points: frozenset[str], parent: tuple[str, datetime] | None = None
    ) -> None:
        if points:
            key = (opening.device, opening.time)
            loss = self.losses.get(key)
            if loss is None:
                loss = self.losses[key] = _Loss(opening, moment.opened[opening.device], parent)
            loss.points |= points
            for point in points:
                loss.ended.pop(point, None)
                self._cause[point] = loss

    def _end(self, point: str, at: datetime) -> _Loss:
        loss = self._cause.pop(point)
        loss.ended[point] = max(at, loss.opened_at)
        return loss


def _joined(losses: list[_Loss], sequences: Iterable[Cycle]) -> list[Interruption]:
    """The interruptions: what a device lost that locked out at last is one, since its first trip."""
    cycle_of = {(cycle.device, trip): cycle for cycle in sequences for trip in cycle.trips}
    parts: dict[tuple[str, datetime], list[_Loss]] = {}
    for loss in sorted(losses, key=lambda each: each.key):
        parts.setdefault(_whole(loss.key, cycle_of), []).append(loss)
    return [_interruption(key, members, cycle_of) for key, members in parts.items()]


def _whole(key: tuple[str, datetime], cycle_of: Mapping[tuple[str, datetime], Cycle]) -> tuple[str, datetime]:
    cycle = cycle_of.get(key)
    return key if cycle is None or cycle.course is not Course.LOCKED else (key[0], cycle.trips[0])


def _interruption(
    key: tuple[str, datetime], losses: list[_Loss], cycle_of: Mapping[tuple[str, datetime], Cycle]
) -> Interruption:
    cycle = cycle_of.get(losses[0].key)
    ended: dict[str, datetime] = {}
    handed: set[str] = set()
    for loss in losses:  # the last one that a usage point was in counts
        handed = (handed - loss.points) | loss.handed
        ended = {point: at for point, at in ended.items() if point not in loss.points} | loss.ended
    points = frozenset().union(*(loss.points for loss in losses))
    held = Nature.MOMENTARY if points == ended.keys() else Nature.LASTING  # people may have isolated some meanwhile
    natures = {None: Nature.LASTING, Course.LOCKED: Nature.LASTING, Course.HELD: held}
    parent = losses[0].parent
    return Interruption(
        device=key[0],
        opened_at=key[1],
        openings=_openings(losses, cycle),
        phases=losses[-1].phases,
        points=points,
        ended=ended,
        handed=frozenset(handed),
        parent=None if parent is None else _whole(parent, cycle_of),
        isolation=tuple(sorted(set().union(*(loss.isolation for loss in losses)))),
        nature=natures.get(None if cycle is None else cycle.course, Nature.PENDING),
        until=None if cycle is None else cycle.until,
        plan=losses[0].plan,
    )


def _openings(losses: list[_Loss], cycle: Cycle | None) -> tuple[datetime, ...]:
    trips = cycle.trips if cycle is not None and cycle.course is Course.LOCKED else ()
    return tuple(sorted({*(loss.opened_at for loss in losses), *trips}))


def _held_back(timeline: Timeline, each: Interruption, cycling: Iterable[Cycle]) -> Interruption:
    """``each`` as pending while a device above it is cycling that began before it opened."""
    for cycle in cycling:
        if timeline.network.is_under(each.device, cycle.device) and each.opened_at >= cycle.trips[0]:
            return replace(each, nature=Nature.PENDING, until=cycle.until)
    return each
