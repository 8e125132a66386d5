"""What network operation saw is known: interruptions by the log of operations become outages, and stay so.

A device that is cycling says nothing yet. One that closed again by itself and stayed closed leaves a momentary outage
for each of its trips; they are told when they are over and need nothing of anybody. Everything else is a confirmed
outage from the moment the device opened.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.fault_management.domain.evidence import HISTORY, SKEW, Evidence, standing
from services.fault_management.domain.interruptions import Interruption, Nature
from services.fault_management.domain.outage import FINAL, KNOWN, LOOSE, SHORT, Outage, S, move
from services.fault_management.domain.prediction import Prediction, predict
from services.fault_management.domain.reclosing import RESET
from services.fault_management.domain.situation import Situation
from services.fault_management.domain.structure import ALL


def see_interruptions(situation: Situation) -> None:
    """Bring the known outages in line with the log of operations."""
    for outage in [*situation.open(KNOWN), *situation.open(frozenset({S.MOMENTARY}))]:
        if _was_none(situation, outage):
            situation.dismiss(outage, "by the log of operations nobody lost supply by it")
    for each in situation.history.interruptions:
        _see(situation, each)


def interruption_of(situation: Situation, outage: Outage) -> Interruption | None:
    """The interruption that an outage is, by the log."""
    if outage.opened_at is None:
        return None
    return next((each for each in situation.history.interruptions if _is_of(outage, each)), None)


def supplied(situation: Situation, outage: Outage) -> Outage:
    """A witnessed outage with who has supply again by the word of network operation, and who was handed over.

    A usage point that loses it anew is interrupted anew, by another outage. Where no operation explains why one has
    supply it stays as it was told.
    """
    topology, own = situation.topology, set(outage.points)
    lit = own & (topology.moments[-1].lit | set(outage.lit))
    handed = own & set(outage.handed)
    restored = {mrid: at for mrid, at in outage.restored.items() if mrid in handed or mrid in lit}
    known = interruption_of(situation, outage)
    if known is not None:
        restored = {mrid: at for mrid, at in known.ended.items() if mrid in own} | restored
        handed |= known.handed & own
    for mrid in sorted(own - restored.keys() - (frozenset() if known is None else known.points)):
        since = topology.live_from(mrid, outage.opened_at or outage.since)
        if since is not None:
            restored[mrid] = since
    return replace(
        outage,
        restored={mrid: max(at, outage.since) for mrid, at in sorted(restored.items())},
        handed=tuple(sorted(handed)),
        lit=tuple(sorted(lit & restored.keys())),
    )


def moved(situation: Situation, outage: Outage) -> Outage:
    """``outage`` in the state that follows from who has supply again."""
    number = len(outage.restored)
    if outage.short and outage.witnessed:
        why = "all its usage points had supply again within minutes"
        return move(outage, S.MOMENTARY, restored_at=outage.restored_at or situation.now, why=why)
    if number == len(outage.points):
        why = "all its usage points have supply again"
        return outage if outage.state is S.RESTORED else move(outage, S.RESTORED, restored_at=situation.now, why=why)
    if number:
        why = f"{number} usage points have supply again"
        return move(outage, S.PARTIALLY_RESTORED, restored_at=None, why=why)
    if outage.state is not S.CONFIRMED:
        return move(outage, S.CONFIRMED, restored_at=None, why="none of its usage points has supply yet")
    return outage


def _was_none(situation: Situation, outage: Outage) -> bool:
    """True for what only an incomplete log had shown."""
    start = situation.topology.start
    if outage.opened_at is None or (start is not None and outage.opened_at < start):
        return False
    return not outage.by_people and interruption_of(situation, outage) is None


def _see(situation: Situation, each: Interruption) -> None:
    own = sorted((outage for outage in situation.all() if _is_of(outage, each)), key=lambda o: (o.since, o.mrid))
    lasting = [outage for outage in own if outage.state not in {S.MOMENTARY, S.DISMISSED}]
    short = [outage for outage in own if outage.state is S.MOMENTARY]
    if each.nature is Nature.PENDING:
        for outage in lasting[:1]:  # told before it was known that the device cycles
            _carry_on(situation, outage, each)
        return
    if short and not lasting and _is_past(situation, each) and short[0].restored.items() <= each.ended.items():
        return
    if each.nature is Nature.MOMENTARY or (not lasting and _is_short(situation, each)):
        _leave(situation, each, [*lasting, *short])
        return
    if not lasting and _is_past(situation, each):
        return
    known = _carry_on(situation, lasting[0], each) if lasting else _confirm(situation, each)
    if known is not None:
        for outage in [*short, *(each for each in lasting[1:] if each.state in KNOWN)]:
            situation.dismiss(outage, f"it is a part of outage {known.mrid}")


def _is_past(situation: Situation, each: Interruption) -> bool:
    """True for what has been over for so long that nothing that is heard only now says anything about it."""
    return each.over and max(each.ended.values()) < situation.now - HISTORY


def _is_of(outage: Outage, each: Interruption) -> bool:
    return outage.device == each.device and outage.opened_at in each.openings


def _is_short(situation: Situation, each: Interruption) -> bool:
    if not each.over:
        return False
    parent, before = _parent(situation, each), _taken(situation, each, "").since
    since = min(at for at in (each.opened_at, before, None if parent is None else parent.since) if at is not None)
    return all(at - since <= SHORT for at in each.ended.values())


def _leave(situation: Situation, each: Interruption, known: list[Outage]) -> None:
    """What is over and was short is momentary, whoever has heard of it before."""
    before = known[0] if known else None
    taken = _taken(situation, each, "" if before is None else before.mrid)
    points = taken.points
    if not points or (before is not None and before.state in FINAL - {S.MOMENTARY}):
        return
    name = situation.network.title(each.device, each.phases)
    why = f"{name} closed again by itself" if each.nature is Nature.MOMENTARY else f"{name} was closed again soon"
    outage = before or situation.suspicion(points, each.opened_at, why)
    news = replace(
        _with(situation, replace(outage, device=each.device), each),
        points=tuple(sorted(points)),
        restored={mrid: each.ended[mrid] for mrid in sorted(points)},
        handed=tuple(sorted(each.handed & points)),
        restored_at=outage.restored_at or situation.now,
    )
    situation.put(replace(news, state=S.MOMENTARY, why=why) if before is None else move(news, S.MOMENTARY, why=why))


class _Taken(Struct, frozen=True):
    """Whom an interruption took, and since when its device is out by the evidence, where that is clearly longer."""

    points: frozenset[str]
    since: datetime | None = None


def _taken(situation: Situation, each: Interruption, own: str) -> _Taken:
    """Whom an interruption took: not those who were dark before for another reason.

    Where the evidence from before says that it was the same device, or all were dark, the device was out before.
    """
    until = max(each.ended.values()) + RESET if each.over else None
    points = each.points - situation.kept_by_word(each.device, each.opened_at, own, until)
    known = situation.hearing.older
    if each.key not in known:
        known[each.key] = _older(situation, each)
    older = known[each.key]
    same: Sequence[Prediction] = [area for area in older if area.device == each.device and points.issubset(area.points)]
    if not same and points.issubset(mrid for area in older for mrid in area.dark):
        same = older
    if same and each.nature is Nature.LASTING and points:
        return _Taken(points, min(area.since for area in same))
    return _Taken(points - {mrid for area in older for mrid in area.points})


def _older(situation: Situation, each: Interruption) -> Sequence[Prediction]:
    """The dark areas among the usage points of an interruption that were dark before it began.

    They are judged by what was heard of the time before it, and of whoever was dark then by all that was heard until
    it ended.
    """
    limit = each.opened_at - SKEW
    last = max(each.ended.values()) + SKEW if each.over else situation.now + SKEW

    def is_left(heard: Evidence) -> bool:
        others = situation.hearing.interrupted.get(heard.usage_point, ()) if heard.dark else ()
        return heard.time <= last and not any(
            other.opened_at < each.opened_at and _covers(other, heard) for other in others
        )

    dark = situation.hearing.dark & each.points
    if not any(heard.dark and heard.time < limit and is_left(heard) for heard in situation.hearing.of(dark)):
        return ()
    own = [heard for heard in situation.hearing.of(sorted(each.points)) if is_left(heard)]
    before = standing((heard for heard in own if heard.time < limit), limit)
    old = {mrid for mrid, stands in before.items() if stands.dark}
    rest = [heard for heard in own if heard.time < limit or heard.usage_point in old]
    return predict(situation.topology, rest, situation.now)


def _covers(each: Interruption, heard: Evidence) -> bool:
    """True when an interruption of its usage point explains what was heard."""
    ended = each.ended.get(heard.usage_point)
    return each.opened_at - SKEW <= heard.time and (ended is None or heard.time <= ended + SKEW)


def _confirm(situation: Situation, each: Interruption) -> Outage | None:
    """A new interruption is a known outage: one that was thought to be there, or that nobody knew of."""
    found = _found_before(situation, each)
    if found is not None:
        return _carry_on(situation, replace(found, felt_at=found.since), each)
    points = _taken(situation, each, "").points
    if not points:
        return None
    inferred = [other for other in situation.open(LOOSE) if points.issuperset(other.points)]
    name = situation.network.title(each.device, each.phases)
    why = f"{name} is reported open and {len(points)} usage points have no supply"
    first = inferred[0] if inferred else situation.suspicion(points, each.opened_at, why)
    known = move(first, S.CONFIRMED, device=each.device, partial=(), taken_from=None, why=why)
    known = situation.establish(_with(situation, known, each), points)
    return situation.put(moved(situation, supplied(situation, known)))


def _found_before(situation: Situation, each: Interruption) -> Outage | None:
    """The outage that the crew made known, at the device that network operation reports open only now."""
    return next(
        (
            outage
            for outage in situation.open(KNOWN)
            if outage.device == each.device
            and outage.opened_at is None
            and not each.points.isdisjoint(outage.points)
            and each.opened_at <= (outage.ended_at or situation.now)
        ),
        None,
    )


def _carry_on(situation: Situation, outage: Outage, each: Interruption) -> Outage | None:
    """A known outage is what the log says of it now; who it took is corrected by late operations alone."""
    seen = _with(situation, outage, each)
    as_found = outage.opening is not None and outage.opening.mrid == each.plan
    if outage.state not in KNOWN or as_found:
        return situation.put(seen)
    points = _taken(situation, each, outage.mrid).points
    if outage.by_people:
        points |= set(outage.points) - _elsewhere(situation, each)
    if not points:
        situation.dismiss(seen, "all its usage points were dark before for another reason")
        return None
    if points == set(outage.points):
        return situation.put(moved(situation, supplied(situation, seen)))
    seen = supplied(situation, replace(seen, points=tuple(sorted(points))))
    return situation.establish(moved(situation, seen), points)


def _elsewhere(situation: Situation, each: Interruption) -> set[str]:
    """The usage points that were dark by another interruption while this one lasted, by the log."""
    end = max(each.ended.values()) if each.over else situation.now
    return {
        mrid
        for other in situation.history.interruptions
        if other.key != each.key and other.nature is not Nature.MOMENTARY and other.opened_at <= end
        for mrid in other.points - each.points
        if other.ended.get(mrid, each.opened_at) >= each.opened_at
    }


def _with(situation: Situation, outage: Outage, each: Interruption) -> Outage:
    """``outage`` as the log has it: when its device opened and on which phases, and of which one it was a part."""
    parent = _parent(situation, each)
    own = situation.network.structure.phases.get(each.device, ALL)
    begun = each.opened_at if parent is None else min(each.opened_at, parent.since)
    before = outage.felt_at or _taken(situation, each, outage.mrid).since
    return replace(
        outage,
        opened_at=each.opened_at,
        since=begun if before is None else min(begun, before),
        parent=outage.taken_from if parent is None else parent.mrid,
        phases=None if each.phases == own else each.phases,
        isolation=each.isolation,
    )


def _parent(situation: Situation, each: Interruption) -> Outage | None:
    """The outage of which an interruption was a part before it turned out to have a reason of its own."""
    parents = (other for other in situation.all() if each.parent is not None and _has_key(other, each.parent))
    return next((other for other in parents if not each.points.isdisjoint(other.points)), None)


def _has_key(outage: Outage, key: tuple[str, datetime]) -> bool:
    return outage.device == key[0] and outage.opened_at == key[1] and outage.state is not S.DISMISSED
