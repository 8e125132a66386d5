"""From evidence to outages: which areas are dark, and since when and by which device it is known."""

from collections import Counter
from datetime import datetime, timedelta

from msgspec.structs import replace

from services.fault_management.domain.evidence import SKEW, Evidence, standing
from services.fault_management.domain.outage import KNOWN_DARK, LOOSE, Outage, S, explains, move
from services.fault_management.domain.prediction import Prediction, predict
from services.fault_management.domain.situation import Situation

HOLD = timedelta(seconds=60)
"""How long a suspicion waits for more evidence before it names a device: meters gasp after 30 to 45 s."""

PATIENCE = timedelta(minutes=15)
"""After this a suspicion that nothing contradicts is worth a visit."""


def see_open_devices(situation: Situation) -> None:
    """What network operation reports open, with dead customers below it, is an outage, and a known one."""
    for device, since, dark in situation.network.dead_sections():
        _see_open(situation, device, since, dark)


def _see_open(situation: Situation, device: str, since: datetime, dark: frozenset[str]) -> None:
    points = dark - situation.kept(device, since)
    if not points:
        return
    situation.hand_over(points, since)
    inferred = [other for other in situation.open(LOOSE) if not points.isdisjoint(other.points)]
    # the time of the operation is better than the clock of a meter, except where the darkness is clearly older
    begun = min([since, *(other.since for other in inferred if other.since < since - SKEW)])
    why = f"{situation.network.name(device)} is reported open and {len(points)} usage points have no supply"
    first = inferred[0] if inferred else situation.suspicion(points, since, why)
    known = move(first, S.CONFIRMED, device=device, since=begun, witnessed=True, why=why)
    situation.establish(known, points)


def confirm(situation: Situation, outage: Outage, device: str | None, why: str) -> None:
    """The crew was there: ``outage`` is known, at ``device`` if that is a switch, else where it was thought to be.

    Where another known outage has that device already, it is the same outage.
    """
    network = situation.network
    found = device is not None and network.is_switch(device) and bool(network.under(device))
    where = device if found else outage.device
    for other in situation.open(KNOWN_DARK):
        if where is not None and other.device == where:
            situation.dismiss(outage, f"it belongs to outage {other.mrid}")
            return
    reach = network.under(where) if found and where is not None else frozenset(outage.points)
    points = reach - situation.kept(where, outage.since, but=outage.mrid)
    situation.establish(move(outage, S.CONFIRMED, device=where, found=found, why=why), points)


def infer(situation: Situation) -> None:
    """Predict from what no known outage explains, and bring the inferred outages in line with it."""
    loose = situation.open(LOOSE)
    dark = {mrid: each.since for mrid, each in standing(_unexplained(situation), situation.now).items() if each.dark}
    for outage in situation.open(KNOWN_DARK):
        own = [dark.get(mrid) for mrid in outage.points if mrid not in outage.restored]
        if own and all(own):  # everybody was dark before: so was the outage
            begun = min(at for at in own if at is not None)
            situation.put(replace(outage, since=min(outage.since, begun)))
    known = [outage for outage in situation.all() if outage.state not in LOOSE]
    rest = _unexplained(situation)
    unexplained = {mrid for mrid, each in standing(rest, situation.now).items() if each.dark}
    known_dark = {mrid for o in known if o.state in KNOWN_DARK for mrid in o.points if mrid not in o.restored}
    predictions = predict(situation.network, rest, situation.now, outside=frozenset(known_dark - unexplained))
    claims = _claims(predictions, loose)
    for prediction, outages in zip(predictions, claims, strict=True):
        first = outages[0] if outages else situation.suspicion(prediction.dark, prediction.since, prediction.why)
        kept = situation.put(_inferred(situation, first, prediction))
        for other in outages[1:]:
            situation.dismiss(other, f"it belongs to outage {kept.mrid}")
        for outage in situation.open(KNOWN_DARK):
            situation.release(outage, kept.points)
    claimed = {outage.mrid for outages in claims for outage in outages}
    for outage in loose:
        if outage.mrid not in claimed:
            _let_go(situation, outage)


def _unexplained(situation: Situation) -> list[Evidence]:
    """The evidence without the darkness that known outages explain."""
    known = [outage for outage in situation.all() if outage.state not in LOOSE]
    return [each for each in situation.heard if not (each.dark and any(explains(outage, each) for outage in known))]


def _claims(predictions: tuple[Prediction, ...], outages: list[Outage]) -> list[list[Outage]]:
    """Which outages stand behind each prediction, the oldest first.

    An outage that splits goes with its bigger part; where several come together the oldest lives on.
    """
    claims: list[list[Outage]] = [[] for _ in predictions]
    for outage in outages:
        own = set(outage.points)
        shares = Counter({i: len(own.intersection(each.points)) for i, each in enumerate(predictions)})
        for best, share in shares.most_common(1):
            if share:
                claims[best].append(outage)
    return claims


def _inferred(situation: Situation, outage: Outage, prediction: Prediction) -> Outage:
    """``outage`` as ``prediction`` has it: a suspicion while it is held back or weak, else a prediction."""
    age = situation.now - outage.suspected_at
    held = outage.state is S.SUSPECTED and age < HOLD
    if not held and prediction.likely:
        return move(
            outage,
            S.PREDICTED,
            device=prediction.device,
            points=prediction.points,
            since=prediction.since,
            why=prediction.why,
        )
    state = S.PREDICTED if age >= PATIENCE else S.SUSPECTED
    why = f"{prediction.why}, for {PATIENCE // timedelta(minutes=1)} minutes" if age >= PATIENCE else prediction.why
    return move(outage, state, device=None, points=prediction.dark, since=prediction.since, why=why)


def _let_go(situation: Situation, outage: Outage) -> None:
    """Nothing that is left speaks for ``outage``: another explains it, or the power is there again."""
    told = {mrid: situation.standings[mrid] for mrid in outage.points if mrid in situation.standings}
    if any(each.dark for each in told.values()):
        dark = [each for each in situation.heard if each.dark and each.usage_point in told]
        for other in situation.all():
            if any(explains(other, each) for each in dark):
                situation.dismiss(outage, f"it belongs to outage {other.mrid}")
                return
        return
    if outage.state is S.SUSPECTED or not told:
        situation.dismiss(outage, "all who reported no power have it again")
        return
    last = max(each.since for each in told.values())
    restored = {mrid: told[mrid].since if mrid in told else last for mrid in outage.points}
    why = "all who reported no power have it again"
    situation.put(move(outage, S.RESTORED, restored=restored, restored_at=situation.now, why=why))
