"""The end of an outage: who has supply again, and whether the meters say so too."""

from datetime import datetime, timedelta

import msgspec

from services.fault_management.domain.evidence import SKEW
from services.fault_management.domain.known import moved, supplied
from services.fault_management.domain.outage import KNOWN, Outage, PlanStatus, S, move
from services.fault_management.domain.situation import Situation

SETTLE = timedelta(seconds=90)
"""How long the meters have to tell of their power before a restoration is judged."""

SILENCE = timedelta(minutes=30)
"""How long a restoration waits for the meters at all."""


def follow_supply(situation: Situation) -> None:
    """Note for each known outage who has supply again; what was over within minutes was momentary."""
    for outage in situation.open(KNOWN):
        seen = _witnessed(situation, outage)
        if seen.witnessed:
            seen = supplied(situation, seen)
        elif seen.state is S.RESTORED:
            continue
        else:
            seen = msgspec.structs.replace(seen, restored=_repaired(situation, seen))
        situation.put(moved(situation, seen))


def _witnessed(situation: Situation, outage: Outage) -> Outage:
    """``outage`` with the time at which network operation reported its device open, if it did."""
    if outage.witnessed or not situation.network.is_open(outage.device):
        return outage
    opening = situation.topology.opening(outage.device or "", situation.now)
    if opening is None or (outage.ended_at is not None and opening.time >= outage.ended_at):
        return outage  # what opened after it was over for all is another outage
    return msgspec.structs.replace(outage, opened_at=opening.time, felt_at=outage.since)


def _repaired(situation: Situation, outage: Outage) -> dict[str, datetime]:
    """Who has supply again by the word of the crew, where network operation never saw the device open.

    The crew may have closed it without telling network operation; then the repair is all that is known, and the meters
    decide. Nobody has supply while a device that the crew found open is still to be told to network operation.
    """
    handed = {mrid: outage.restored[mrid] for mrid in outage.handed}
    own = set(outage.points) - handed.keys()
    if outage.repaired_at is None or awaits_opening(situation, outage) or own & situation.network.dead:
        return handed
    told = {mrid: each.since for mrid, each in situation.standings.items() if not each.dark}
    return handed | {mrid: told.get(mrid, outage.repaired_at) for mrid in own}


def awaits_opening(situation: Situation, outage: Outage) -> bool:
    """True while network operation does not know that a hand-operated device is open which the crew found so."""
    failed = outage.opening is not None and outage.opening.status is PlanStatus.FAILED
    by_hand = situation.network.is_operated_by_hand(outage.device)
    return outage.found and by_hand and not outage.witnessed and not failed


def verify(situation: Situation) -> None:
    """Close what is restored when the meters have confirmed it, or have been silent for too long."""
    for restored in situation.open(frozenset({S.RESTORED})):
        outage = _with_better_times(situation, restored)
        age = situation.now - (outage.restored_at or situation.now)
        if age >= SETTLE and _confirmed(situation, outage):
            verified = move(
                outage, S.VERIFIED, why="a meter under each transformer has reported power, and none denies it"
            )
        elif age >= SILENCE:
            why = f"the meters have not confirmed it within {SILENCE // timedelta(minutes=1)} minutes"
            verified = move(outage, S.VERIFIED, unconfirmed=True, why=why)
        else:
            continue
        situation.put(move(situation.put(verified), S.CLOSED))


def _with_better_times(situation: Situation, outage: Outage) -> Outage:
    """``outage`` with the times of the meters where only the word of the crew was known."""
    if outage.witnessed or outage.repaired_at is None:
        return outage
    return msgspec.structs.replace(outage, restored={**outage.restored, **_repaired(situation, outage)})


def _confirmed(situation: Situation, outage: Outage) -> bool:
    """True when at least one meter under each transformer reported power since, and no usage point lost it again."""
    groups = situation.network.groups
    own = [mrid for mrid in outage.points if mrid not in outage.handed]
    silent = {groups[mrid] for mrid in own if mrid in groups}
    for mrid in own:
        told = situation.standings.get(mrid)
        if told is None:
            continue
        if told.dark and told.latest > outage.restored[mrid] + SKEW:
            return False
        if not told.dark and told.latest >= outage.restored[mrid] - SKEW:
            silent.discard(groups.get(mrid, ""))
    return not silent
