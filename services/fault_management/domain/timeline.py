"""How an area was at any time: what is built, and the log of what was switched.

Whatever is judged is judged against the network as it was when it happened. The log decides; where network operation
tells a state that no operation in the log explains, the switch moved when that was told. Operations may come late and
in any order; the result depends on their set alone.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Feeder
from services.fault_management.domain.network import Network
from services.fault_management.domain.operation import Operation, fold
from services.fault_management.domain.structure import Structure
from services.fault_management.domain.supply import Supplies, Supply, Told

_END = datetime.max.replace(tzinfo=UTC)


class Moment(Struct, frozen=True, kw_only=True):
    """The state of an area from ``since`` on, until the next moment.

    Attributes:
        opened: what is open, with the open phases as bits.
        operations: what brought it about.
        lit, darkened: who has supply, and who has none, by the word of network operation alone.
    """

    since: datetime | None
    opened: dict[str, int]
    operations: tuple[Operation, ...] = ()
    lit: frozenset[str] = frozenset()
    darkened: frozenset[str] = frozenset()


class Timeline:
    """The states of one area, one after the other.

    Args:
        supplies: the area.
        feeders: its feeders, and those of ties to it, as network operation tells them now.
        operations: the log, from ``start`` on; earlier ones only help to say how it was at ``start``.
        start: operations before it are not told apart.
        since: when each switch was last told to stand otherwise; without it, with the last change of its feeder.

    Attributes:
        structure: what is built.
        start: as given.
        log: the operations of each device in the order of time, with the implied ones.
        implied: what must have happened and is not in the log, as far as network operation tells the state.
        moments: the states, the first since ever.
        memory: room for what others work out of it.
    """

    def __init__(
        self,
        supplies: Supplies,
        feeders: Iterable[Feeder],
        operations: Iterable[Operation] = (),
        start: datetime | None = None,
        since: Mapping[str, datetime] | None = None,
    ) -> None:
        self.structure: Structure = supplies.structure
        self._supplies = supplies
        self.start = start
        told = {feeder.mrid: supplies.told(feeder) for feeder in feeders}
        self._event_time = {mrid: each.at for mrid, each in told.items()}
        known = {each for each in operations if each.device in self.structure.equipment}
        self.log = _by_device(known)
        self._outrun: set[str] = set()
        opened, self.implied = self._reconcile(told, since or {})
        self.log = _by_device({*known, *self.implied})
        moves = sorted((each for log in self.log.values() for each in log if each.open is not None), key=_order)
        self.moments = self._states(opened, moves)
        self._hear(told)
        self.memory: dict[object, object] = {}
        self._networks: list[Network | None] = [None] * len(self.moments)
        self._times = [moment.since for moment in self.moments[1:] if moment.since is not None]

    @classmethod
    def of(cls, feeders: Iterable[Feeder], operations: Iterable[Operation] = ()) -> "Timeline":
        """The timeline of some feeders that are an area."""
        members = list(feeders)
        return cls(Supplies(Structure(members)), members, operations)

    @property
    def network(self) -> Network:
        """The area as it is now."""
        return self.at(_END)

    def at(self, time: datetime) -> Network:
        """The area as it was at ``time``."""
        place = bisect_right(self._times, time)
        network = self._networks[place]
        if network is None:
            network = self._networks[place] = self._network(self.moments[place])
        return network

    def supply(self, moment: Moment) -> Supply:
        """Who has supply at a moment, by the switches."""
        return self._supplies.at(moment.opened)

    def opening(self, device: str, since: datetime | None) -> Operation | None:
        """The operation by which a device that is open at a moment had opened; None where nobody knows."""
        found = None
        for each in self.log.get(device, ()):
            began = each.time <= since if since is not None else self.start is not None and each.time < self.start
            if each.open and began:
                found = each
        return found

    def dead(self, moment: Moment) -> frozenset[str]:
        """The usage points without supply at a moment."""
        return self._supplies.at(moment.opened).dead - moment.lit | moment.darkened

    @cached_property
    def blackouts(self) -> list[frozenset[str]]:
        """The usage points without supply at each moment."""
        return [self.dead(moment) for moment in self.moments]

    def live_from(self, point: str, after: datetime) -> datetime | None:
        """When a usage point that may have lost its supply by ``after`` had it again; None as long as it has not."""
        place = bisect_right(self._times, after)
        for number in range(place, len(self.moments)):
            if point not in self.blackouts[number]:
                since = self.moments[number].since
                return after if number == place or since is None else since
        return None

    def supplied_since(self, point: str) -> datetime:
        """The time of the last change of the usage point's feeder."""
        return self._event_time[self.structure.feeder_of[point]]

    def _network(self, moment: Moment) -> Network:
        return Network(self.structure, self.supply(moment), self.dead(moment))

    def _reconcile(
        self, told: Mapping[str, Told], since: Mapping[str, datetime]
    ) -> tuple[dict[str, int], list[Operation]]:
        """What was open before the log begins, and what must have happened that is not in it.

        The log and the state of a feeder come by different ways, so either may outrun the other: what the log tells of
        a later time than the state of a switch is what will be told next.
        """
        structure = self.structure
        opened: dict[str, int] = {}
        implied: list[Operation] = []
        for mrid in structure.switches:
            moves = [each for each in self.log.get(mrid, ()) if each.open is not None]
            own = structure.phases[mrid]
            if moves:
                opened[mrid] = 0 if moves[0].open else moves[0].phases & own
            else:
                opened[mrid] = own if structure.equipment[mrid].normal_open else 0
            home = structure.home[mrid]
            feeder = told.get(home)
            folded = fold(opened[mrid], moves) & own
            now = folded if feeder is None else feeder.opened.get(mrid, 0)
            if feeder is None or folded == now:
                continue
            at = since.get(mrid, feeder.at)
            if moves and moves[-1].time >= at:
                self._outrun.add(home)
                continue
            for is_open, phases in ((True, now & ~folded), (False, folded & ~now)):
                if phases:
                    name = f"told/{mrid}/{at.isoformat()}/{'open' if is_open else 'close'}"
                    implied.append(Operation(mrid=name, device=mrid, time=at, open=is_open, phases=phases))
        return opened, implied

    def _states(self, opened: dict[str, int], moves: list[Operation]) -> list[Moment]:
        moments = [Moment(since=None, opened=opened)]
        for time, together in groupby(moves, key=lambda each: each.time):
            operations = tuple(together)
            state = dict(moments[-1].opened)
            for each in operations:
                state[each.device] = fold(state.get(each.device, 0), [each]) & self.structure.phases[each.device]
            if self.start is not None and time < self.start:
                moments = [Moment(since=None, opened=state)]
            else:
                moments.append(Moment(since=time, opened=state, operations=operations))
        return moments

    def _hear(self, told: dict[str, Told]) -> None:
        """Let the word of network operation count on who has supply, where nothing has changed since."""
        for mrid in self.structure.feeders:
            if mrid in self._outrun:
                continue
            feeder = told[mrid]
            own = self.structure.points_of[mrid]
            now = self.dead(self.moments[-1]) & own
            place = sum(each.since is None or each.since <= feeder.at for each in self.moments)
            before = self.moments[place - 1]
            if feeder.dead == now or self.dead(before) & own != now:
                continue
            if before.since == feeder.at:
                place -= 1
            else:
                self.moments.insert(place, Moment(since=feeder.at, opened=before.opened))
            lit, darkened = now - feeder.dead, feeder.dead - now
            self.moments[place:] = [
                replace(each, lit=each.lit | lit, darkened=each.darkened | darkened) for each in self.moments[place:]
            ]


def _by_device(operations: Collection[Operation]) -> dict[str, list[Operation]]:
    """The log of each device; an operation whose origin is known stands in for one that was merely implied."""
    explained = {(each.device, each.time, each.open) for each in operations if each.type is not None}
    log: dict[str, list[Operation]] = {}
    for each in sorted(operations, key=_order):
        if each.type is not None or (each.device, each.time, each.open) not in explained:
            log.setdefault(each.device, []).append(each)
    return log


def _order(operation: Operation) -> tuple[datetime, str, bool, str]:
    return operation.time, operation.device, operation.open is None, operation.mrid
