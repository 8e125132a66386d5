"""From evidence to outages: which areas are dark by what nobody knows the reason of yet (operations guide 3.3)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.fault_management.domain.evidence import HISTORY, SKEW, Evidence, EvidenceKind, Standing, standing
from services.fault_management.domain.interruptions import Nature
from services.fault_management.domain.outage import INFERRED, KNOWN_DARK, LOOSE, Outage, S, explains, is_loose, move
from services.fault_management.domain.pings import after_an_answer
from services.fault_management.domain.prediction import Prediction, predict
from services.fault_management.domain.reclosing import MARGIN, RESET, open_intervals
from services.fault_management.domain.situation import Situation
from services.fault_management.domain.structure import ALL

HOLD = timedelta(seconds=60)
"""How long a suspicion waits for more evidence before it names a device: meters gasp after 30 to 45 s."""

CALL_LAG = timedelta(minutes=30)
"""So long after their power went most of those who call have called; policy."""

_EVER = datetime.min.replace(tzinfo=UTC)

PATIENCE = timedelta(minutes=15)
"""After this a suspicion that nothing contradicts is worth a visit."""


def confirm(situation: Situation, outage: Outage, device: str | None, why: str) -> None:
    """The crew was there: ``outage`` is known, at ``device`` if that is a switch, else where it was thought to be.

    Where another known outage has that device already, it is the same outage.
    """
    network = situation.network
    found = device is not None and network.is_switch(device) and bool(network.tree.under(device))
    where = device if found else outage.device
    for other in situation.open(KNOWN_DARK):
        if where is not None and other.device == where:
            situation.dismiss(outage, f"it belongs to outage {other.mrid}")
            return
    phases = outage.phases if where == outage.device else None
    then = situation.topology.at(outage.since)
    reach = then.under(where, ALL if phases is None else phases) if found and where is not None else frozenset[str]()
    points = (reach or frozenset(outage.points)) - situation.kept(where, outage.since, but=outage.mrid)
    if outage.state is S.VERIFY and not points:
        situation.dismiss(outage, "its usage point is dark by another outage")
        return
    known = move(outage, S.CONFIRMED, device=where, phases=phases, found=found, taken_from=outage.parent, why=why)
    situation.establish(known, points)


def infer(situation: Situation) -> None:
    """Predict from what no known outage explains, and bring the inferred outages in line with it."""
    loose = [outage for outage in situation.open(INFERRED) if is_loose(outage)]
    _predate(situation)
    _attach_partial(situation)
    left = _left(situation)
    predictions = predict(situation.topology, left.evidence, situation.now, outside=left.outside)
    claims = _claims(predictions, loose)
    for prediction, outages in zip(predictions, claims, strict=True):
        kept = _take(situation, prediction, outages, loose, left.told)
        for other in outages:
            if other.mrid != kept.mrid:
                situation.dismiss(other, f"it belongs to outage {kept.mrid}")
    claimed = {outage.mrid for outages in claims for outage in outages}
    for outage in loose:
        if outage.mrid not in claimed:
            _let_go(situation, outage, left)


def _take(
    situation: Situation,
    prediction: Prediction,
    outages: list[Outage],
    loose: list[Outage],
    told: Mapping[str, Standing],
) -> Outage:
    """The outage that is a prediction: a known one at the same device, or one that is inferred.

    Who was dark before a known outage began never belonged to it, unless that would leave it nobody.
    """
    by_people = [outage for outage in situation.open(KNOWN_DARK) if not situation.began_by_log(outage)]
    for outage in by_people:
        if prediction.likely and outage.device == prediction.device is not None:
            known = replace(outage, since=min(outage.since, prediction.since))
            return situation.establish(known, frozenset(prediction.points).union(outage.points))
    owner: Outage | None = None
    for outage in by_people:
        if not situation.release(outage, prediction.points):
            owner, prediction = outage, _without(prediction, outage.points)
    if owner is not None and not prediction.dark:
        return owner
    first = outages[0] if outages else _split_off(situation, prediction, loose)
    kept = situation.put(_inferred(situation, first, prediction, told))
    if kept.parent is not None and kept.state is S.PREDICTED:
        situation.hand_down(kept.parent, kept.points)
    return kept


def _without(prediction: Prediction, points: Iterable[str]) -> Prediction:
    gone = set(points)
    return replace(
        prediction,
        points=tuple(mrid for mrid in prediction.points if mrid not in gone),
        dark=tuple(mrid for mrid in prediction.dark if mrid not in gone),
    )


class _Left(Struct, frozen=True, kw_only=True):
    """What is left to be explained.

    Attributes:
        evidence: what was heard, without the darkness that is known or of which nothing can be said yet.
        told: what it says about each usage point.
        outside: the usage points that are dark by a known outage, with the time since when.
        deferred: those at or below devices that are cycling, with the time since when.
    """

    evidence: list[Evidence]
    told: Mapping[str, Standing]
    outside: Mapping[str, datetime]
    deferred: Mapping[str, datetime]


def _left(situation: Situation) -> _Left:
    deferred = _deferred(situation)
    known = [*situation.open(KNOWN_DARK), *(each for each in situation.open(LOOSE) if each.frozen)]
    by_log = [outage for outage in known if situation.began_by_log(outage)]
    taken = {mrid for outage in by_log for mrid in outage.points if mrid not in outage.restored}
    evidence = [
        each
        for each in situation.unexplained
        if not (each.dark and (each.usage_point in taken or _is_deferred(each, deferred)))
    ]
    told = standing(evidence, situation.now)
    outside = dict.fromkeys(taken, _EVER)
    for outage in known:
        for mrid in set(outage.points) - outage.restored.keys() - taken:
            if mrid not in told or not told[mrid].dark:
                outside[mrid] = outage.since
    return _Left(evidence=evidence, told=told, outside=outside, deferred=deferred)


def _predate(situation: Situation) -> None:
    """Where everybody in an outage that people made known was dark before, it began before.

    So it did where a device above had tripped just before: power that was there for a moment between did not hold.
    """
    dark = {mrid: each.since for mrid, each in standing(situation.unexplained, situation.now).items() if each.dark}
    for outage in situation.open(KNOWN_DARK):
        if situation.began_by_log(outage):
            continue
        own = [dark.get(mrid) for mrid in outage.points if mrid not in outage.restored]
        begun = min(at for at in own if at is not None) if own and all(own) else outage.since
        first = _first_trip(situation, outage.device, min(outage.since, begun))
        if first < outage.since:
            situation.put(replace(outage, since=first))


def _first_trip(situation: Situation, device: str | None, since: datetime) -> datetime:
    """When the first trip was of the sequence, above ``device``, in whose course that opened at ``since``, if any.

    A fuse that melts after the fast trip of a recloser, or a sectionaliser that opens while that is open, leaves its
    customers without power since the first trip, but for the moments in which it did not hold.
    """
    if device is None:
        return since
    for each in sorted(situation.history.interruptions, key=lambda each: each.opened_at, reverse=True):
        is_trip = each.nature is Nature.MOMENTARY and situation.network.is_under(device, each.device)
        if is_trip and each.opened_at <= since < max(each.ended.values()) + RESET:
            since = each.opened_at
    return since


def _attach_partial(situation: Situation) -> None:
    """Who misses a part of the power below a device that is known to be out on some phases belongs to that outage."""
    missing = [each for each in situation.unexplained if each.kind is EvidenceKind.PARTIAL]
    for outage in situation.open(KNOWN_DARK) if missing else ():
        tree, phases = situation.network.tree, outage.phases
        if outage.device is None or phases is None:
            continue
        partly = tree.under(outage.device, phases) - tree.wholly_under(outage.device, phases)
        new = {each.usage_point for each in missing if each.time >= outage.since - SKEW} & partly
        if new:
            situation.put(replace(outage, partial=tuple(sorted(new.union(outage.partial)))))


def _deferred(situation: Situation) -> dict[str, datetime]:
    """The usage points at or below devices that are cycling, with when that began: nothing is said of them yet."""
    found: dict[str, datetime] = {}
    for cycle in situation.history.cycling:
        begun = cycle.trips[0]
        for mrid in situation.topology.at(begun).tree.under(cycle.device):
            found[mrid] = min(begun, found.get(mrid, begun))
    return found


def _is_deferred(each: Evidence, deferred: Mapping[str, datetime]) -> bool:
    return each.usage_point in deferred and each.time >= deferred[each.usage_point] - SKEW


def _claims(predictions: tuple[Prediction, ...], outages: list[Outage]) -> list[list[Outage]]:
    """Which outages stand behind each prediction, the oldest first.

    An outage that splits goes with its bigger part; where several come together the oldest lives on.
    """
    claims: list[list[Outage]] = [[] for _ in predictions]
    for outage in outages:
        own = {*outage.points, *outage.partial}
        shares = Counter({i: len(own.intersection({*each.points, *each.dark})) for i, each in enumerate(predictions)})
        for best, share in shares.most_common(1):
            if share:
                claims[best].append(outage)
    return claims


def _split_off(situation: Situation, prediction: Prediction, loose: list[Outage]) -> Outage:
    """A new outage; where others had its usage points before, it is a part of the oldest of them."""
    own = {*prediction.points, *prediction.dark}
    parent = next((outage for outage in loose if not own.isdisjoint(outage.points)), None)
    outage = situation.suspicion(prediction.dark, prediction.since, prediction.why)
    return outage if parent is None else replace(outage, parent=parent.mrid, taken_from=parent.mrid)


def _inferred(situation: Situation, outage: Outage, prediction: Prediction, told: Mapping[str, Standing]) -> Outage:
    """``outage`` as ``prediction`` has it: a suspicion while it is held back or weak, else a prediction."""
    age = situation.now - outage.suspected_at
    held = outage.state is S.SUSPECTED and age < hold(situation, outage.points)
    above = _never_restored(situation, prediction, told)
    outage = replace(outage, parent=outage.taken_from if above is None else above.mrid)
    since = _hidden(situation, prediction) if above is None else above.since
    partial = tuple(sorted(set(prediction.dark) - set(prediction.points)))
    if not held and prediction.likely:
        return move(
            outage,
            S.PREDICTED,
            device=prediction.device,
            phases=prediction.phases,
            points=prediction.points,
            partial=partial,
            since=since,
            why=prediction.why,
        )
    state = S.PREDICTED if age >= PATIENCE else S.SUSPECTED
    why = f"{prediction.why}, for {PATIENCE // timedelta(minutes=1)} minutes" if age >= PATIENCE else prediction.why
    own = tuple(mrid for mrid in prediction.dark if mrid not in partial)
    return move(outage, state, device=None, phases=None, points=own, partial=partial, since=since, why=why)


def _hidden(situation: Situation, prediction: Prediction) -> datetime:
    """Since when the area of ``prediction`` is dark, where trips of a device above have hidden how that began.

    A meter that gasps during a trip is taken to have power again after it, as most have. Where one of the area did so,
    and none of the area has had power since, as far as anybody heard, it has been dark since then. Where nobody but a
    caller tells of it, it is dark since the trips that came shortly before: what made the device above trip is there.
    """
    since = prediction.since
    area = {*prediction.points, *prediction.dark}
    heard = situation.hearing.of(area)
    over = [each for each in situation.all() if each.state not in INFERRED and not area.isdisjoint(each.points)]
    begun = [
        each.time
        for each in heard
        if each.kind is EvidenceKind.GASP
        and each.time < since
        and {outage.state for outage in over if explains(outage, each)} == {S.MOMENTARY}
    ]
    if not begun and any(each.kind is EvidenceKind.CALL and each.time == since for each in heard):
        held = (each for each in situation.history.interruptions if each.nature is Nature.MOMENTARY and each.over)
        closed = (max(each.ended.values()) for each in held if each.points.issuperset(prediction.points))
        begun = [at for at in closed if since - CALL_LAG <= at < since]
    if not begun or any(not each.dark and each.time > max(begun) for each in heard):
        return since
    return max(begun)


def hold(situation: Situation, points: Iterable[str]) -> timedelta:
    """How long a suspicion waits before it names a device: as long as a recloser above may still close again."""
    tree, equipment = situation.network.tree, situation.network.structure.equipment
    above = {device for mrid in points if mrid in situation.network.points for device in tree.chain(mrid)}
    return max([HOLD, *(open_intervals(equipment[mrid]) + MARGIN for mrid in above)])


_BACK = frozenset({S.RESTORED, S.VERIFIED, S.CLOSED})


def _never_restored(situation: Situation, prediction: Prediction, told: Mapping[str, Standing]) -> Outage | None:
    """The outage that was thought to be over for all who are dark, while they have had no power since: it is nested.

    Customers who call may have been dark all along; a meter that tells of a loss had power until then.
    """
    back = (outage for outage in situation.all() if outage.state in _BACK)
    for outage in sorted(back, key=lambda each: (each.since, each.mrid)):
        seen = outage.witnessed or outage.by_people
        if seen and all(_still_dark(situation, outage, mrid, told[mrid]) for mrid in prediction.dark):
            return outage
    return None


def _still_dark(situation: Situation, outage: Outage, point: str, each: Standing) -> bool:
    restored = outage.restored.get(point)
    if restored is None or each.lost or not restored <= each.since <= restored + HISTORY:
        return False
    return not any(
        not heard.dark and restored - SKEW <= heard.time <= each.since for heard in situation.hearing.of([point])
    )


def _let_go(situation: Situation, outage: Outage, left: _Left) -> None:
    """Nothing that is left speaks for ``outage``: another explains it, or the power is there again."""
    told = {mrid: situation.standings[mrid] for mrid in outage.points if mrid in situation.standings}
    dark = [each for each in situation.hearing.of(sorted(told)) if each.dark]
    if any(each.dark for each in told.values()):
        if outage.state is S.VERIFY or any(_is_deferred(each, left.deferred) for each in dark):
            return
        for other in situation.all():
            own = set(other.points) if other.state in KNOWN_DARK else frozenset[str]()
            if any(explains(other, each) or each.usage_point in own for each in dark):
                situation.dismiss(outage, f"it belongs to outage {other.mrid}")
                return
        return
    answered = after_an_answer(situation, outage)
    if answered is not None:
        situation.put(answered)
        return
    why = "all who reported no power have it again"
    if outage.state is not S.PREDICTED or not told:
        situation.dismiss(outage, why)
        return
    back = {mrid: each.returned or each.since for mrid, each in told.items()}
    restored = {mrid: back.get(mrid, max(back.values())) for mrid in outage.points}
    situation.put(move(outage, S.RESTORED, restored=restored, restored_at=situation.now, why=why))
