"""The end of an outage: who has supply again, by the word of network operation or of the crew."""

from datetime import datetime

import msgspec

from services.fault_management.domain.known import moved, supplied
from services.fault_management.domain.outage import KNOWN, Outage, PlanStatus, S
from services.fault_management.domain.situation import Situation


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
    told = {mrid: each.returned for mrid, each in situation.standings.items() if not each.dark}
    return handed | {mrid: told.get(mrid) or outage.repaired_at for mrid in own}


def awaits_opening(situation: Situation, outage: Outage) -> bool:
    """True while network operation does not know that a hand-operated device is open which the crew found so."""
    failed = outage.opening is not None and outage.opening.status is PlanStatus.FAILED
    by_hand = situation.network.is_operated_by_hand(outage.device)
    return outage.found and by_hand and not outage.witnessed and not failed


def with_better_times(situation: Situation, outage: Outage) -> Outage:
    """``outage`` with the times of the meters where only the word of the crew was known."""
    if outage.witnessed or outage.repaired_at is None:
        return outage
    return msgspec.structs.replace(outage, restored={**outage.restored, **_repaired(situation, outage)})
