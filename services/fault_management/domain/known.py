"""What network operation saw is known: interruptions by the log of operations become outages, and stay so.

A device that is cycling says nothing yet. One that closed again by itself and stayed closed leaves a momentary outage
for each of its trips; they are told when they are over and need nothing of anybody. Everything else is a confirmed
outage from the moment the device opened.
"""

from datetime import datetime

from msgspec.structs import replace

from services.fault_management.domain.evidence import HISTORY, SKEW
from services.fault_management.domain.interruptions import Interruption, Nature
from services.fault_management.domain.outage import FINAL, KNOWN_DARK, LOOSE, SHORT, Outage, S, move
from services.fault_management.domain.situation import Situation
from services.fault_management.domain.structure import ALL


def see_interruptions(situation: Situation) -> None:
    """Bring the known outages in line with the log of operations."""
    for each in situation.history.interruptions:
        if each.nature is not Nature.PENDING:
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
    lit = own & topology.moments[-1].lit | set(outage.lit)
    restored = {mrid: at for mrid, at in outage.restored.items() if mrid in outage.handed or mrid in outage.lit}
    handed = set(outage.handed)
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


def _see(situation: Situation, each: Interruption) -> None:
    own = [outage for outage in situation.all() if _is_of(outage, each)]
    lasting = [outage for outage in own if outage.state not in {S.MOMENTARY, S.DISMISSED}]
    short = [outage for outage in own if outage.state is S.MOMENTARY]
    if each.nature is Nature.MOMENTARY or (_is_short(each) and not lasting):
        _leave(situation, each, [*lasting, *short])
        return
    if not lasting and each.over and max(each.ended.values()) < situation.now - HISTORY:
        return
    known = _carry_on(situation, lasting[0], each) if lasting else _confirm(situation, each, short)
    if known is not None:
        for outage in short:
            situation.dismiss(outage, f"it was the beginning of outage {known.mrid}")


def _is_of(outage: Outage, each: Interruption) -> bool:
    return outage.device == each.device and outage.opened_at in each.openings


def _is_short(each: Interruption) -> bool:
    return each.over and all(at - each.opened_at <= SHORT for at in each.ended.values())


def _leave(situation: Situation, each: Interruption, known: list[Outage]) -> None:
    """What is over and was short is momentary, whoever has heard of it before."""
    before = known[0] if known else None
    points = each.points - situation.kept(each.device, each.opened_at, but=[outage.mrid for outage in known])
    if not points or (before is not None and before.state in FINAL - {S.MOMENTARY}):
        return
    name = situation.network.title(each.device, each.phases)
    why = f"{name} closed again by itself" if each.nature is Nature.MOMENTARY else f"{name} was closed again soon"
    outage = before or situation.suspicion(points, each.opened_at, why)
    news = replace(
        outage,
        device=each.device,
        opened_at=each.opened_at,
        since=each.opened_at,
        points=tuple(sorted(points)),
        restored={mrid: each.ended[mrid] for mrid in sorted(points)},
        handed=tuple(sorted(each.handed & points)),
        restored_at=outage.restored_at or situation.now,
    )
    situation.put(replace(news, state=S.MOMENTARY, why=why) if before is None else move(news, S.MOMENTARY, why=why))


def _confirm(situation: Situation, each: Interruption, short: list[Outage]) -> Outage | None:
    """A new interruption is a known outage: one that was thought to be there, or that nobody knew of."""
    found = _found_before(situation, each)
    if found is not None:
        return _carry_on(situation, found, each)
    points = each.points - situation.kept(each.device, each.opened_at, but=[outage.mrid for outage in short])
    if not points:
        return None
    inferred = [other for other in situation.open(LOOSE) if not points.isdisjoint(other.points)]
    # the time of the operation is better than the clock of a meter, except where the darkness is clearly older
    older = [other.since for other in inferred if other.since < each.opened_at - SKEW]
    name = situation.network.title(each.device, each.phases)
    why = f"{name} is reported open and {len(points)} usage points have no supply"
    first = inferred[0] if inferred else situation.suspicion(points, each.opened_at, why)
    begun = min([each.opened_at, *older])
    known = move(first, S.CONFIRMED, device=each.device, since=begun, why=why)
    return situation.establish(_with(situation, known, each), points)


def _found_before(situation: Situation, each: Interruption) -> Outage | None:
    """The outage that the crew made known, at the device that network operation reports open only now."""
    return next(
        (
            outage
            for outage in situation.open(KNOWN_DARK)
            if outage.device == each.device and outage.opened_at is None and not each.points.isdisjoint(outage.points)
        ),
        None,
    )


def _carry_on(situation: Situation, outage: Outage, each: Interruption) -> Outage:
    """A known outage takes over what the log says about it now; who it took is corrected by late operations alone."""
    seen = _with(situation, outage, each)
    if outage.state in KNOWN_DARK:
        seen = supplied(situation, seen)
    as_found = outage.opening is not None and outage.opening.mrid == each.plan
    if outage.state not in KNOWN_DARK or as_found:
        return situation.put(seen)
    points = each.points - situation.kept(each.device, min(outage.since, each.opened_at), but=(outage.mrid,))
    if outage.found or outage.cause is not None:
        points |= set(outage.points)
    return situation.establish(seen, points) if points and points != set(outage.points) else situation.put(seen)


def _with(situation: Situation, outage: Outage, each: Interruption) -> Outage:
    """``outage`` as the log has it: when its device opened and on which phases, and of which one it was a part."""
    parents = (other for other in situation.all() if each.parent is not None and _has_key(other, each.parent))
    parent = next((other for other in parents if not each.points.isdisjoint(other.points)), None)
    own = situation.network.structure.phases.get(each.device, ALL)
    since = min(outage.since, each.opened_at)
    if parent is not None and parent.mrid != outage.mrid:
        outage = replace(outage, parent=parent.mrid)
        since = min(since, parent.since)
    return replace(
        outage,
        opened_at=each.opened_at,
        since=since,
        phases=None if each.phases == own else each.phases,
        isolation=each.isolation,
    )


def _has_key(outage: Outage, key: tuple[str, datetime]) -> bool:
    return outage.device == key[0] and outage.opened_at == key[1] and outage.state is not S.DISMISSED
