"""Which device opens on a fault, and what the devices on the way of its current see.

* The nearest protective device between the fault and its source opens; without one the nearest switch, without any the
  source. A fuse melts on the phases of the fault, all others open on all phases they have.
* Fuse-saving: the first, fast shots of a recloser come before the fuses below it; afterwards these melt first.
* Miscoordination: the device that should open does not, and the next one does.
* Sectionalisers open on no current; they count.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.network import Network

SECTIONALISER = "Sectionaliser"
FUSE = "Fuse"
RECLOSER = "Recloser"

INTERVALS = (0.5, 15.0, 45.0)
"""Seconds between the trips and the reclosings of a recloser for which the model names none."""

LEAST_COUNT = 2

Way = Sequence[tuple[str, int]]
"""What lies between a fault and its source, the nearest first, with the phases of the fault as they are there."""

_SOURCE_VOLTAGE = 7200.0
_SOURCE_OHM = 0.9
_OHM_PER_M = 0.00045
_SHARE = {"lineToGround": 0.8, "lineToLine": 0.87}


class Answer(Struct, frozen=True, kw_only=True):
    """What opens, on which of its phases."""

    device: str
    phases: int


def intervals(network: Network, device: str, conditions: Conditions) -> tuple[float, ...]:
    """After how many seconds a device closes again by itself, shot by shot; none where it does not."""
    each = network.equipment[device]
    if not conditions.reclosing:
        return ()
    if each.reclose_sequences:
        ordered = sorted(each.reclose_sequences, key=lambda shot: shot.reclose_step)
        return tuple(shot.reclose_delay for shot in ordered)
    return INTERVALS if each.kind == RECLOSER else ()


def answering(
    network: Network,
    fault: Fault,
    way: Way,
    *,
    conditions: Conditions,
    stream: Stream,
    is_fast: Callable[[str], bool],
) -> Answer:
    """What opens on a fault; ``is_fast`` says of a device whether its next shot would be a fast one."""
    switches = [each for each in way if network.is_switch(each[0])]
    guards = [
        each
        for each in switches
        if network.equipment[each[0]].protective and network.equipment[each[0]].kind != SECTIONALISER
    ]
    *candidates, last = guards or switches[:1] or way[-1:]
    willing = [each for each in candidates if not _fails(fault, each[0], conditions, stream)]
    willing.append(last)
    device, phases = willing[0]
    if network.equipment[device].kind != FUSE:
        return Answer(device=device, phases=network.phases(device))
    saver = next((each for each, _ in willing[1:] if conditions.fuse_saving and is_fast(each)), None)
    if saver is None:
        return Answer(device=device, phases=phases)
    return Answer(device=saver, phases=network.phases(saver))


def _fails(fault: Fault, device: str, conditions: Conditions, stream: Stream) -> bool:
    return stream.fraction("miscoordination", fault.mrid, device) < conditions.miscoordination


def counting(network: Network, way: Way, tripped: str, shots: int) -> Iterator[tuple[str, int]]:
    """The sectionalisers between a fault and what tripped for it, with the count at which each opens.

    That is one less than the device above has shots, two at least; one more for each further from the fault.
    """
    enough = max(LEAST_COUNT, shots - 1)
    for device, _ in way:
        if device == tripped:
            return
        if network.equipment[device].kind == SECTIONALISER:
            yield device, enough
            enough += 1


def fault_current(network: Network, fault: Fault, way: Way) -> float:
    """The current of a fault in A, from the length of the lines on its way: a rule of thumb for medium voltage [P]."""
    metres = sum(network.equipment[mrid].length or 0.0 for mrid, _ in way)
    amperes = _SOURCE_VOLTAGE / (_SOURCE_OHM + _OHM_PER_M * metres)
    return float(round(amperes * _SHARE.get(fault.kind, 1.0)))


def showing(
    network: Network,
    fault: Fault,
    way: Way,
    *,
    died: Callable[[str], bool],
    conditions: Conditions,
    stream: Stream,
) -> Iterator[str]:
    """The fault indicators that show a current: those on its way, but for some that miss it, and some that err.

    An indicator on what was struck sees the current at the end from which that is fed. Those can err of whose node
    ``died`` says that it lost its supply by the trip.
    """
    passed = {mrid for mrid, _ in way}
    entrance = network.equipment[way[0][0]]
    for mrid, indicators in network.indicators.items():
        for each in indicators:
            at_entrance = mrid == fault.equipment and each.node in {entrance.node1, entrance.node2}
            drawn = stream.fraction("indicator", each.mrid, fault.mrid)
            if mrid in passed or at_entrance:
                if drawn >= conditions.indicator_miss:
                    yield each.mrid
            elif drawn < conditions.indicator_false and died(each.node):
                yield each.mrid


def is_over(moved_at: datetime | None, now: datetime, reset_s: float) -> bool:
    """True when a device that moved at that time has forgotten it."""
    return moved_at is not None and (now - moved_at).total_seconds() >= reset_s
