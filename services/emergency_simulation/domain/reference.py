"""The reference solution of a storm: what a dispatcher would have done to whom every truth is known at once.

He knows of each fault the moment it strikes, and where it is. What can be operated from afar he operates within
:data:`REMOTE_S`: the part with the fault is cut off as closely as remote switches allow, and what is then sound is fed
again, over ties if need be. The crew that is worth the most customers for its time goes straight to the place, cuts off
the fault by hand as closely as switches allow, repairs, and puts back what opened. Repairs take as long as in the run.

Ways and work by hand, which are chance in the run, take the least that chance allows. What a tie can carry is not
looked at. So this is a mark to measure by, and not a plan: of one fault nobody makes less, and of many hardly anybody.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum

from msgspec import Struct

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.crews import (
    DETOUR,
    HANDLING_S,
    LEAVING_S,
    PARKING_S,
    ROADS,
    UNKNOWN_WAY_S,
    Place,
    distance_km,
    home_of,
    place_of,
    repair_time,
)
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.ledger import MOMENTARY, Darkness
from services.emergency_simulation.domain.network import ALL, EARTH, Network
from services.emergency_simulation.domain.supply import Supply
from services.emergency_simulation.domain.timing import after

REMOTE_S = 60.0
"""From the stroke until everything that is done from afar is done [P]."""


class Stage(IntEnum):
    """How far the reference solution is with a fault: what has cut it off."""

    PROTECTION = 0
    REMOTE = 1
    HAND = 2
    BACK = 3


class Answer(Struct, frozen=True, kw_only=True):
    """What the reference solution does about one fault, and when.

    Attributes:
        isolated_at: it is cut off as closely as switches allow.
        repaired_at: its damage is repaired.
        restored_at: what opened for it is closed again, and with that everybody has power.
    """

    fault: str
    crew: str
    isolated_at: datetime
    repaired_at: datetime
    restored_at: datetime


class Solution(Struct, frozen=True, kw_only=True):
    """The answers in the order of the strokes, and who would have been in the dark and how long."""

    answers: tuple[Answer, ...]
    darkness: tuple[Darkness, ...]


def solve(
    network: Network,
    faults: Iterable[Fault],
    customers: Mapping[str, int],
    crews: Collection[str],
    *,
    seed: int,
    conditions: Conditions,
) -> Solution:
    """The reference solution for the faults that stayed.

    Args:
        network: the network on which they struck.
        faults: what struck; temporary faults that were cleared are no matter for a dispatcher.
        customers: how many are served at each usage point.
        crews: who there is to be sent; one crew where nobody is named.
        seed: the chance of the run, which its repairs share.
        conditions: how the field behaves.
    """
    lasting = sorted((fault for fault in faults if fault.lasting), key=lambda fault: (fault.at, fault.mrid))
    zones = {fault.mrid: [_cut(network, fault, stage) for stage in _CUTTING] for fault in lasting}
    dispatcher = _Dispatcher(network, customers, Stream(seed, "crews"), conditions)
    jobs = dispatcher.jobs(lasting, sorted(crews) or [""])
    stages: list[tuple[datetime, str, Stage]] = []
    answers = []
    for fault in lasting:
        job, cuts = jobs[fault.mrid], zones[fault.mrid]
        back = after(job.repaired_at, REMOTE_S if _is_remote(network, fault.device) else HANDLING_S[0])
        times = (fault.at, after(fault.at, REMOTE_S), after(job.arrived_at, HANDLING_S[0]))
        stages += [(min(at, back), fault.mrid, stage) for stage, at in zip(_CUTTING, times, strict=True)]
        stages.append((back, fault.mrid, Stage.BACK))
        isolated = next(at for at, cut in zip(times, cuts, strict=True) if cut.keys() == cuts[Stage.HAND].keys())
        answers.append(
            Answer(
                fault=fault.mrid,
                crew=job.crew,
                isolated_at=isolated,
                repaired_at=job.repaired_at,
                restored_at=back,
            )
        )
    darkness = _played(network, lasting, zones, sorted(stages))
    return Solution(answers=tuple(answers), darkness=darkness)


_CUTTING = (Stage.PROTECTION, Stage.REMOTE, Stage.HAND)
"""The stages in which something is open because of a fault."""


class _Job(Struct, frozen=True):
    """A crew's way to a fault and its work there."""

    crew: str
    left_at: datetime
    arrived_at: datetime
    repaired_at: datetime


def _cut(network: Network, fault: Fault, stage: Stage) -> dict[str, int]:
    """What is open around a fault at a stage, with the phases that are.

    Protection has opened one device. Later the fault is cut off by whatever is the nearest to it in each direction of
    what may be operated then; what opened by itself and is not needed for that is closed again.
    """
    tripped = fault.equipment if fault.device is None else fault.device
    if stage is Stage.PROTECTION:
        return dict.fromkeys({tripped, *_border(network, fault, {tripped, *network.normally})}, ALL)
    switches = {mrid for mrid in network.mrids if network.is_switch(mrid)}
    if stage is Stage.REMOTE:
        switches = {mrid for mrid in switches if _is_remote(network, mrid)}
    return dict.fromkeys(_border(network, fault, {tripped, *switches, *network.normally}), ALL)


def _is_remote(network: Network, mrid: str | None) -> bool:
    return mrid is not None and network.equipment[mrid].remotely_operable


def _border(network: Network, fault: Fault, cutting: Collection[str]) -> set[str]:
    """The nearest of ``cutting`` in every direction from the fault; what is struck itself may be one of them."""
    if fault.equipment in cutting:
        return {fault.equipment}
    ends = network.ends[network.edge_of[fault.equipment]]
    seen = set(ends or ())
    queue = deque(seen)
    border: set[str] = set()
    while queue:
        for way in network.ways[queue.popleft()]:
            mrid = network.mrids[way.edge]
            if mrid in cutting:
                border.add(mrid)
            elif way.other != EARTH and way.other not in seen:
                seen.add(way.other)
                queue.append(way.other)
    return border


class _Dispatcher:
    """Sends the crews: whoever is free takes what is worth the most customers for each hour of his."""

    def __init__(self, network: Network, customers: Mapping[str, int], stream: Stream, conditions: Conditions) -> None:
        self._network = network
        self._customers = customers
        self._stream = stream
        self._conditions = conditions

    def jobs(self, faults: Sequence[Fault], crews: Sequence[str]) -> dict[str, _Job]:
        """Who goes to each fault and when; ``faults`` are in the order of their strokes."""
        free: dict[str, tuple[datetime, Place | None]] = {
            crew: (datetime.min.replace(tzinfo=UTC), home_of(self._stream, self._network, crew)) for crew in crews
        }
        waiting = list(faults)
        jobs: dict[str, _Job] = {}
        while waiting:
            crew = min(free, key=lambda each: (free[each][0], each))
            now, here = max(free[crew][0], waiting[0].at), free[crew][1]
            options = [(fault, self._job(fault, crew, now, here)) for fault in waiting if fault.at <= now]
            fault, job = max(options, key=lambda each: (self._worth(*each), -each[0].at.timestamp(), each[0].mrid))
            jobs[fault.mrid] = job
            waiting.remove(fault)
            free[crew] = (after(job.repaired_at, HANDLING_S[0]), place_of(self._network, fault.equipment) or here)
        return jobs

    def _worth(self, fault: Fault, job: _Job) -> float:
        """Customers for each second of the crew."""
        seconds = (job.repaired_at - job.left_at).total_seconds()
        return sum(self._customers.get(point, 0) for point in fault.dark) / max(1.0, seconds)

    def _job(self, fault: Fault, crew: str, now: datetime, here: Place | None) -> _Job:
        goal = place_of(self._network, fault.equipment)
        if here is None or goal is None:
            way_s = UNKNOWN_WAY_S[0]
        else:
            way_s = max(PARKING_S, distance_km(here, goal) * DETOUR / (ROADS[1] * self._conditions.speed) * 3600.0)
        arrived = after(now, LEAVING_S[0] + way_s)
        return _Job(crew, now, arrived, repair_time(self._stream, fault, arrived, self._conditions))


def _played(
    network: Network,
    faults: Sequence[Fault],
    zones: Mapping[str, Sequence[Mapping[str, int]]],
    stages: Iterable[tuple[datetime, str, Stage]],
) -> tuple[Darkness, ...]:
    """Who is in the dark and how long, when the stages are gone through; only who was so in the run can be."""
    supply = Supply(network)
    supply.move(network.normally)
    concerned = {fault.mrid: frozenset(fault.dark) for fault in faults}
    now_open: dict[str, Stage] = {}
    began: dict[str, datetime] = {}
    told: list[Darkness] = []
    for at, mrid, stage in stages:
        if stage is Stage.BACK:
            now_open.pop(mrid, None)
        else:
            now_open[mrid] = stage
        supply.move(_opened(network, now_open, zones))
        may = frozenset().union(*(concerned[each] for each in now_open)) if now_open else frozenset()
        dark = supply.dark & may
        lit = began.keys() - dark
        told += [Darkness(usage_point=point, began=began.pop(point), ended=at) for point in sorted(lit)]
        began |= dict.fromkeys(dark - began.keys(), at)
    return tuple(sorted(told))


def _opened(
    network: Network, stages: Mapping[str, Stage], zones: Mapping[str, Sequence[Mapping[str, int]]]
) -> dict[str, int]:
    """What is open: the normal state, without the ties that help, and with what cuts off the faults."""
    by_hand = Stage.HAND in stages.values()
    helping = {mrid for mrid in network.normally if by_hand or _is_remote(network, mrid)} if stages else frozenset()
    opened = {mrid: phases for mrid, phases in network.normally.items() if mrid not in helping}
    for mrid, stage in stages.items():
        opened |= zones[mrid][stage]
    return opened


def lit_again(fault: Fault, spells: Mapping[str, Iterable[Darkness]], until: datetime) -> datetime | None:
    """When the last who was in the dark by a fault had power again; momentary times in the dark do not count."""
    over = (each for point in fault.dark for each in spells.get(point, ()))
    lasted = ((each.began, each.ended or until) for each in over)
    return max((ended for began, ended in lasted if ended > fault.at and ended - began > MOMENTARY), default=None)


def waited_out(faults: Iterable[Fault], spells: Mapping[str, Iterable[Darkness]], until: datetime) -> list[Darkness]:
    """Who would have been in the dark and how long, had nobody switched before a fault was repaired.

    ``spells`` are the times in the dark of the run, whose repairs this takes, by usage point.
    """
    spans: dict[str, tuple[datetime, datetime]] = {}
    for fault in faults:
        ended = lit_again(fault, spells, until) if fault.lasting else None
        for point in fault.dark if ended is not None else ():
            began, last = spans.get(point, (fault.at, ended))
            spans[point] = (min(began, fault.at), max(last or fault.at, ended or fault.at))
    return [Darkness(usage_point=point, began=began, ended=last) for point, (began, last) in sorted(spans.items())]
