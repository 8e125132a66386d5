"""What is proposed to network operation after a device has locked out: isolate the fault, supply the rest, go back.

Network operation looks ahead at every way that is asked of it and says which its rules refuse; the best of the others
is proposed. Where people have to decide, nothing is proposed and the outage says why (operations guide 3.6, 5 and 6).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.operational_tags import OperationalTag, OperationalTagState, OperationalTagType
from contracts.nouns.switching_studies import SeverityKind, SwitchingStudy
from contracts.nouns.unplanned_outages import CrewStatusKind
from services.fault_management.domain.fault_location import Candidate, Located, Location, locate
from services.fault_management.domain.grid import Grid
from services.fault_management.domain.isolation import CLOSE, Move, is_safe, isolate, normal_moves, options
from services.fault_management.domain.outage import KNOWN, KNOWN_DARK, Outage, Plan, PlanStatus
from services.fault_management.domain.situation import Situation, Wish

SCAN = timedelta(seconds=10)
"""So long the flags of fault indicators are awaited after a device has locked out."""

HEARD = timedelta(seconds=1)
"""So long after a repair network operation has heard of it too; before, it closes nothing that isolates the fault."""

AGAIN = timedelta(minutes=5)
"""A way back that was refused is asked for again after this: what speaks against it may pass."""

TOGETHER = timedelta(seconds=60)
"""Devices of one area that open within this have a reason in common, which somebody must see first."""

LOOKED_AT = 12
"""So many ways are given to network operation to look at."""


class Scene(Struct, frozen=True, kw_only=True):
    """What a proposal is made of.

    Attributes:
        feeders: those of the area and of its ties, as they are now.
        tripped: the device that locked out.
        flags: the fault indicators that show a fault.
        tags: what hangs on devices and feeders.
        back: after the repair, the switches that were moved and are to go back.
    """

    feeders: tuple[Feeder, ...]
    tripped: str
    flags: frozenset[str] = frozenset()
    tags: tuple[OperationalTag, ...] = ()
    back: frozenset[str] = frozenset()


class Way(Struct, frozen=True, kw_only=True):
    """One way to switch, and what is to be said of it."""

    mrid: str
    moves: tuple[Move, ...]
    effect: str
    isolating: tuple[str, ...] = ()


class Advice(Struct, frozen=True, kw_only=True):
    """The ways, the best first; without any, why people must decide."""

    ways: tuple[Way, ...] = ()
    why: str = ""


def advise(scene: Scene) -> Advice:
    """Which ways there are, without what network operation says of them."""
    grid, names = Grid(scene.feeders), _names(scene.feeders)
    if scene.back:
        return Advice(ways=tuple(_ways_back(scene, grid)), why="nothing is to go back")
    found = locate(grid, scene.tripped, scene.flags)
    if found is None:
        return Advice(why="what it fed is not simply dark")
    held = _hot_line(scene, grid, found)
    place = " or ".join(_described(grid, each, names) for each in found.candidates)
    if held is not None:
        return Advice(why=f"'{held}' holds a hot-line tag there")
    if found.found is Located.UNKNOWN:
        return Advice(why="no fault indicator tells where the fault is")
    if found.found is Located.CONTRADICTORY:
        return Advice(why=f"the fault indicators contradict one another: the fault is {place}")
    blocked = {device for tag in scene.tags if (device := _device(tag)) is not None and _forbids(tag)}
    return Advice(
        ways=tuple(_ways(grid, found, scene.tripped, blocked, place)),
        why=f"the fault is {place} and cannot be isolated from afar",
    )


def _ways_back(scene: Scene, grid: Grid) -> Iterator[Way]:
    """Back to normal, at best so that nobody is interrupted; else what is closed closes last."""
    pieces = [each for feeder in scene.feeders for each in feeder.equipment]
    normal = {each.mrid: bool(each.normal_open) for each in pieces if each.mrid in scene.back & grid.gates.keys()}
    for make_first, said in ((True, "nobody is interrupted"), (False, "the way round is opened first")):
        moves = normal_moves(grid, normal, normal, make_first=make_first)
        if moves:
            effect = f"The fault is repaired: back to the normal state; {said}"
            yield Way(mrid="make first" if make_first else "break first", moves=moves, effect=effect)


def _ways(grid: Grid, found: Location, tripped: str, blocked: Collection[str], place: str) -> Iterator[Way]:
    isolation = isolate(grid, found, tripped, blocked)
    if isolation is None:
        return
    first = isolation.moves + ((Move(switch=tripped, kind=CLOSE),) if isolation.upstream else ())
    by_ties = options(grid, found, isolation, tripped, blocked)[: LOOKED_AT - 1]
    ends = [(each.moves, each.zones) for each in by_ties]
    for number, (moves, zones) in enumerate([*ends, ((), frozenset[str]())], start=1):
        if (moves or isolation.upstream) and is_safe(grid, first + moves, found.feared):
            supplied = [grid.zones[zone] for zone in zones | isolation.upstream]
            customers, critical = (sum(zone.customers for zone in supplied), sum(zone.critical for zone in supplied))
            effect = f"The fault is {place}; {customers} customers, {critical} of them critical, get supply meanwhile"
            cut = tuple(move.switch for move in isolation.moves)
            yield Way(mrid=f"way {number}", moves=first + moves, effect=effect, isolating=cut)


def chosen(advice: Advice, studies: Iterable[SwitchingStudy], plan: str) -> Plan | None:
    """The best way that no rule of network operation refuses, as a plan that says what it does and why not more."""
    by_way = {study.mrid: study for study in studies}
    refused: list[str] = []
    for way in advice.ways:
        study = by_way.get(way.mrid)
        if study is not None and study.feasible:
            better = f"; a better way is refused: {refused[0]}" if refused else ""
            return Plan(mrid=plan, moves=way.moves, isolating=way.isolating, why=f"{way.effect}{better}")
        refused += [] if study is None else _refusals(study)
    return None


def _refusals(study: SwitchingStudy) -> list[str]:
    return [f"{each.rule}: {each.reason}" for each in study.rule_violation if each.severity is SeverityKind.REFUSE]


def next_switching(situation: Situation, outage: Outage) -> datetime | None:
    """When it is to be asked what can be switched for an outage, as far as that has just become known."""
    before = situation.before(outage.mrid)
    if awaits_return(outage):
        return None if before is not None and awaits_return(before) else situation.now + HEARD
    if not awaits_proposal(situation, outage):
        return None
    known = before is not None and before.witnessed and before.state in KNOWN_DARK
    return None if known else situation.now + SCAN


def awaits_proposal(situation: Situation, outage: Outage) -> bool:
    """True for an outage by a device that opened by itself, of which nobody has asked yet what can be switched."""
    if outage.state not in KNOWN_DARK or outage.advised or outage.repaired_at is not None:
        return False
    opening = situation.topology.opening(outage.device or "", situation.now)
    return outage.witnessed and opening is not None and not opening.by_people


def awaits_return(outage: Outage) -> bool:
    """True when what was switched for an outage is to go back, since the fault is repaired."""
    switched = outage.restoring is not None and outage.restoring.status in {PlanStatus.COMPLETED, PlanStatus.FAILED}
    return switched and outage.repaired_at is not None and outage.returning is None and outage.state in KNOWN


def moved_for(outage: Outage) -> frozenset[str]:
    """The switches that were to be moved for an outage, and its device."""
    moves = () if outage.restoring is None else outage.restoring.moves
    return frozenset({outage.device or "", *(move.switch for move in moves)})


def offer(
    situation: Situation, outage: Outage, advice: Advice, studies: Sequence[SwitchingStudy], *, automatic: bool
) -> None:
    """Have the best way carried out, or leave it to an operator as a draft; or say why there is none.

    No machine switches where a crew is, nor where two devices opened together.
    """
    if not awaits_return(outage) and not awaits_proposal(situation, outage):
        return
    plan = chosen(advice, studies, situation.new_id())
    if plan is None:
        refused = next((text for study in studies for text in _refusals(study)), advice.why)
        trouble = f"no switching is proposed: {refused}"
        situation.put(replace(outage, advised=True, trouble=trouble))
    elif awaits_return(outage):
        situation.put(replace(outage, returning=replace(plan, draft=not automatic)))
        situation.wishes.append((Wish.RETURNING, outage.mrid))
    else:
        why_not = _why_by_hand(situation, outage)
        said = plan.why if why_not is None else f"{plan.why}; for an operator to decide: {why_not}"
        plan = replace(plan, why=said, draft=not automatic or why_not is not None)
        situation.put(replace(outage, advised=True, restoring=plan))
        situation.wishes.append((Wish.RESTORING, outage.mrid))


def is_unused(plan: Plan | None) -> bool:
    """True when nothing was switched by a proposal: there is none, or it waits for an operator, or was taken back."""
    return plan is None or plan.status is PlanStatus.WITHDRAWN or (plan.draft and plan.status is PlanStatus.ASKED)


def withdraw(situation: Situation, outage: Outage) -> None:
    """Take back a draft that nobody has used until the fault was repaired or everybody had supply."""
    plan = outage.restoring
    waits = plan is not None and plan.draft and plan.status is PlanStatus.ASKED
    if plan is not None and waits and (outage.repaired_at is not None or outage.state not in KNOWN_DARK):
        situation.put(replace(outage, restoring=replace(plan, status=PlanStatus.WITHDRAWN)))
        situation.wishes.append((Wish.WITHDRAWAL, outage.mrid))


def _why_by_hand(situation: Situation, outage: Outage) -> str | None:
    if outage.crew is CrewStatusKind.ARRIVED:
        return "a crew is on the site"
    at = outage.opened_at
    for other in situation.open(KNOWN_DARK):
        if other.mrid != outage.mrid and at and other.opened_at and abs(other.opened_at - at) <= TOGETHER:
            return f"{situation.network.title(other.device)} opened at the same time"
    return None


def _hot_line(scene: Scene, grid: Grid, found: Location) -> str | None:
    """Who holds a hot-line tag on what has tripped, or on something that it feeds."""
    own = {feeder.mrid for feeder in scene.feeders if any(each.mrid == scene.tripped for each in feeder.equipment)}
    area = {gate.mrid for zone in found.below for gate in grid.at(zone)} | own
    holders = (_holder(tag) for tag in scene.tags if tag.type == OperationalTagType.HOT_LINE and _device(tag) in area)
    return next(holders, None)


def _device(tag: OperationalTag) -> str | None:
    return None if tag.power_system_resource is None else tag.power_system_resource.mrid


def _holder(tag: OperationalTag) -> str:
    return (tag.author and tag.author.mrid) or "somebody"


def _forbids(tag: OperationalTag) -> bool:
    state = None if tag.status is None else tag.status.value
    return tag.type != OperationalTagType.CAUTION and state != OperationalTagState.REMOVED


def _names(feeders: Sequence[Feeder]) -> Mapping[str, str]:
    named = {each.mrid: each.name or each.mrid for feeder in feeders for each in feeder.equipment}
    return named | {each.mrid: each.name or each.mrid for feeder in feeders for each in feeder.fault_indicator}


def _described(grid: Grid, candidate: Candidate, names: Mapping[str, str]) -> str:
    """A zone by what surrounds it, with its probability."""
    around = sorted(names.get(gate.mrid, gate.mrid) for gate in grid.at(candidate.zone))
    return f"between {', '.join(around)} ({round(100 * candidate.score)} %)"
