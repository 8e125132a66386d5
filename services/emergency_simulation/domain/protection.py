"""The field at work: what opens, closes again and opens anew, and who loses power by it, one instant at a time.

Which device opens is the matter of ``coordination.py``. The rules here, each as far as the conditions have it:

* A recloser (and a breaker with shots) closes again after each of its intervals and locks out when they are used up;
  after a time closed it has forgotten them (:data:`RESET_S`). What people close onto a fault opens at once for good.
* A sectionaliser counts the trips above it, and opens when it has counted enough, while it is dead.
* A temporary fault is gone after a time without voltage, or not; one that is cut off for good surely is.
* A broken wire that touches nothing darkens what is beyond it, and no device opens.

Nothing waits here: what is due later is told (:attr:`Outcome.recloses`), and whoever keeps the time calls again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, structs

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.coordination import (
    Way,
    answering,
    counting,
    fault_current,
    intervals,
    is_over,
    showing,
)
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.network import ALL, SOURCE
from services.emergency_simulation.domain.supply import Supply

RELAY_TIME = timedelta(milliseconds=100)
"""Between the current of a fault and the device that opens for it, and between two operations of one instant."""

RESET_S = 60.0
"""A device that has been closed for so long has forgotten its trips (30 to 60 s are usual)."""


class Operation(Struct, frozen=True):
    """A device that opens or closes, on all its phases where none are named."""

    device: str
    open: bool
    phases: int = ALL


class Move(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device that has moved.

    Attributes:
        trip: protection opened it.
        lockout: it will not close by itself any more.
        reclose: it closed by itself.
        current: the current of the fault that it saw, in A.
    """

    device: str
    open: bool
    phases: int
    at: datetime
    trip: bool = False
    lockout: bool = False
    reclose: bool = False
    current: float | None = None


class Relay(Struct, frozen=True, kw_only=True):
    """What a device that protects remembers.

    Attributes:
        trips: how often it tripped, or a sectionaliser saw a trip, in this sequence.
        moved_at: when it tripped or closed last.
        enabled: it may close again by itself.
    """

    device: str
    trips: int = 0
    moved_at: datetime | None = None
    enabled: bool = True


class Flag(Struct, frozen=True, kw_only=True):
    """A fault indicator that shows, or no longer shows, that the current of a fault has passed."""

    indicator: str
    at: datetime
    shows: bool = True


class Step(Struct, frozen=True, kw_only=True):
    """Who lost power and who got it back at an instant."""

    at: datetime
    lost: frozenset[str]
    lit: frozenset[str]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of operations and faults.

    Attributes:
        moves: every device that moved, in order; one may close and open again.
        opened: all that is open now, with the phases that are.
        steps: who lost power and got it back, in the order of time.
        faults: those that have changed.
        relays: the memories that have changed.
        recloses: the devices that will close by themselves, and when.
        flags: the fault indicators that were set.
    """

    moves: tuple[Move, ...]
    opened: dict[str, int]
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    relays: tuple[Relay, ...]
    recloses: tuple[tuple[str, datetime], ...]
    flags: tuple[Flag, ...]


class Protection:
    """The field from one instant on: give it what happens, and take from it what became of that.

    Args:
        supply: what is live; it is moved along.
        opened: what is open, with the phases that are.
        faults: those that have struck and are not gone.
        relays: the memories of the devices, by device.
    """

    def __init__(
        self,
        supply: Supply,
        opened: Mapping[str, int],
        faults: Iterable[Fault] = (),
        relays: Mapping[str, Relay] | None = None,
        *,
        conditions: Conditions,
        seed: int,
    ) -> None:
        self._supply = supply
        self._network = supply.network
        self._opened = dict(opened)
        self._faults = {fault.mrid: fault for fault in sorted(faults, key=lambda each: each.mrid)}
        self._faults_before = dict(self._faults)
        self._relays = dict(relays or {})
        self._relays_before = dict(self._relays)
        self._conditions = conditions
        self._stream = Stream(seed, "protection")
        self._moves: list[Move] = []
        self._steps: list[Step] = []
        self._recloses: dict[str, datetime] = {}
        self._flags: list[Flag] = []
        for fault in self._faults.values():
            if fault.opens and fault.struck:
                self._set(fault.equipment, fault.phases, is_open=True)
        supply.move(self._opened)

    def strike(self, fault: Fault, at: datetime) -> Outcome:
        """Something breaks."""
        fault = structs.replace(fault, struck=True)
        if fault.opens:
            self._set(fault.equipment, fault.phases, is_open=True)
            fault = structs.replace(fault, dark=tuple(sorted(self._step(at))), final=True)
        elif fault.temporary and not self._supply.is_fed(fault.equipment, fault.phases):
            fault = structs.replace(fault, repaired=True, final=True)
        self._faults[fault.mrid] = fault
        self._protect(at)
        self._settle()
        return self._outcome()

    def operate(self, operations: Iterable[Operation], at: datetime) -> Outcome:
        """People, or a drive at their command, operate devices one after the other."""
        for number, operation in enumerate(operations):
            now, device = at + number * RELAY_TIME, operation.device
            self._remember(device, trips=0, moved_at=now)
            self._no_longer_tries(device)
            if self._set(device, operation.phases, is_open=operation.open):
                phases = operation.phases & self._network.phases(device)
                self._moves.append(Move(device=device, open=operation.open, phases=phases, at=now))
                self._step(now)
            self._protect(now + RELAY_TIME, closed=None if operation.open else device)
        self._settle()
        return self._outcome()

    def reclose(self, device: str, at: datetime) -> Outcome:
        """A device closes by itself; unless the fault has gone it opens again."""
        for fault in self._faults.values():
            if fault.temporary and device in fault.trying:
                self._faults[fault.mrid] = self._after_dead_time(fault)
        self._no_longer_tries(device)
        self._remember(device, moved_at=at)
        if self._set(device, ALL, is_open=False):
            phases = self._network.phases(device)
            self._moves.append(Move(device=device, open=False, phases=phases, at=at, reclose=True))
            self._step(at)
        self._protect(at + RELAY_TIME)
        self._settle()
        return self._outcome()

    def repair(self, fault: Fault, at: datetime) -> Outcome:
        """What was broken is whole again; where no switch opened but the source itself, that comes back now."""
        self._faults[fault.mrid] = structs.replace(fault, repaired=True, final=True, trying=())
        if fault.opens:
            self._set(fault.equipment, ALL, is_open=False)
        if fault.device is not None and self._network.equipment[fault.device].kind == SOURCE:
            self._set(fault.device, ALL, is_open=False)
        self._step(at)
        self._protect(at + RELAY_TIME)
        self._settle()
        return self._outcome()

    def enable(self, device: str, *, enabled: bool) -> Outcome:
        """A device may close again by itself, or may not."""
        self._remember(device, enabled=enabled)
        return self._outcome()

    def _protect(self, at: datetime, *, closed: str | None = None) -> None:
        """Open what must open until no fault is fed; ``closed`` is what people have just closed."""
        while (fault := next((each for each in self._faults.values() if self._is_fed(each)), None)) is not None:
            self._trip(fault, at, closed)
            at += RELAY_TIME

    def _is_fed(self, fault: Fault) -> bool:
        draws = fault.struck and not fault.repaired and not fault.opens
        return draws and self._supply.is_fed(fault.equipment, fault.phases)

    def _trip(self, fault: Fault, at: datetime, closed: str | None) -> None:
        way = self._supply.way_to_source(fault.equipment, fault.phases)
        answer = answering(
            self._network,
            fault,
            way,
            conditions=self._conditions,
            stream=self._stream,
            is_fast=lambda device: self._is_fast(device, at),
        )
        device, relay = answer.device, self._fresh(answer.device, at)
        shots = intervals(self._network, device, self._conditions)
        goes_on = device != closed and relay.enabled and relay.trips < len(shots)
        self._remember(device, trips=relay.trips + 1, moved_at=at)
        self._set(device, answer.phases, is_open=True)
        current = fault_current(self._network, fault, way)
        self._moves.append(
            Move(device=device, open=True, phases=answer.phases, at=at, trip=True, lockout=not goes_on, current=current)
        )
        lost = self._open_with_flags(fault, way, at)
        dark = (lost | set(fault.dark if fault.device is not None else ())) & self._supply.dark
        trying = {*fault.trying, device} if goes_on else {*fault.trying} - {device}
        self._faults[fault.mrid] = structs.replace(
            fault, device=device, dark=tuple(sorted(dark)), final=False, trying=tuple(sorted(trying))
        )
        if goes_on:
            self._recloses[device] = at + timedelta(seconds=shots[relay.trips])
            self._count(fault.mrid, way, device, len(shots), at + RELAY_TIME)

    def _open_with_flags(self, fault: Fault, way: Way, at: datetime) -> set[str]:
        """Take the supply from what a trip has cut off, and set the indicators; gives who lost power."""
        had = list(self._supply.live)
        lost = self._step(at)
        place_of, live = self._network.place_of, self._supply.live

        def died(node: str) -> bool:
            return node in place_of and bool(had[place_of[node]] & ~live[place_of[node]])

        shown = showing(self._network, fault, way, died=died, conditions=self._conditions, stream=self._stream)
        self._flags += [Flag(indicator=indicator, at=at) for indicator in shown]
        return lost

    def _is_fast(self, device: str, at: datetime) -> bool:
        relay = self._fresh(device, at)
        shots = intervals(self._network, device, self._conditions)
        return relay.enabled and relay.trips < min(self._conditions.fast_shots, len(shots))

    def _count(self, mrid: str, way: Way, tripped: str, shots: int, at: datetime) -> None:
        """The sectionalisers below a device that tripped count, and the first that has enough opens."""
        if not self._conditions.sectionalising:
            return
        for device, enough in counting(self._network, way, tripped, shots):
            count = self._fresh(device, at).trips + 1
            self._remember(device, trips=count, moved_at=at)
            if count >= enough:
                phases = self._network.phases(device)
                self._set(device, phases, is_open=True)
                self._moves.append(Move(device=device, open=True, phases=phases, at=at, trip=True, lockout=True))
                self._step(at)
                self._faults[mrid] = structs.replace(self._faults[mrid], device=device)
                return

    def _after_dead_time(self, fault: Fault) -> Fault:
        """A temporary fault after a time without voltage: gone, or not."""
        count = fault.dead_times + 1
        gone = self._stream.fraction("vanishing", fault.mrid, str(count)) < self._conditions.vanishing
        return structs.replace(fault, dead_times=count, repaired=gone)

    def _settle(self) -> None:
        """The protection has done with the faults for which no device will close again: who is dark now stays so."""
        for fault in list(self._faults.values()):
            if fault.device is not None and not fault.trying and not fault.final:
                repaired = fault.repaired or fault.temporary
                self._faults[fault.mrid] = structs.replace(fault, final=True, repaired=repaired)

    def _no_longer_tries(self, device: str) -> None:
        """A device that closes, or that people take in hand, has made its attempt."""
        for fault in list(self._faults.values()):
            if device in fault.trying:
                trying = tuple(each for each in fault.trying if each != device)
                self._faults[fault.mrid] = structs.replace(fault, trying=trying)

    def _fresh(self, device: str, at: datetime) -> Relay:
        """What a device remembers at this time."""
        relay = self._relays.get(device) or Relay(device=device)
        forgotten = device not in self._opened and is_over(relay.moved_at, at, RESET_S)
        return structs.replace(relay, trips=0) if forgotten else relay

    def _remember(self, device: str, **changes: Any) -> None:
        self._relays[device] = structs.replace(self._relays.get(device) or Relay(device=device), **changes)

    def _set(self, device: str, phases: int, *, is_open: bool) -> bool:
        """Open or close a device on these phases; False when it stands there already."""
        own = self._network.phases(device)
        before = self._opened.get(device, 0) & own
        after = (before | phases & own) if is_open else before & ~phases
        if after:
            self._opened[device] = after
        else:
            self._opened.pop(device, None)
        return after != before

    def _step(self, at: datetime) -> set[str]:
        """Bring the supply up to date; gives who lost power."""
        lost, lit = self._supply.move(self._opened)
        if lost or lit:
            self._steps.append(Step(at=at, lost=frozenset(lost), lit=frozenset(lit)))
        for fault in list(self._faults.values()) if lit else ():
            if not fault.final and not lit.isdisjoint(fault.dark):
                dark = tuple(point for point in fault.dark if point not in lit)
                self._faults[fault.mrid] = structs.replace(fault, dark=dark)
        return lost

    def _outcome(self) -> Outcome:
        faults, relays = self._faults.values(), self._relays.values()
        return Outcome(
            moves=tuple(self._moves),
            opened=dict(self._opened),
            steps=tuple(self._steps),
            faults=tuple(fault for fault in faults if fault != self._faults_before.get(fault.mrid)),
            relays=tuple(relay for relay in relays if relay != self._relays_before.get(relay.device)),
            recloses=tuple(sorted(self._recloses.items())),
            flags=tuple(self._flags),
        )
