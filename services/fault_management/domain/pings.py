"""Asking the meter of the one customer on whose word alone an outage is thought to be (operations guide 2.1).

A meter that answers has power: the trouble of who called is likely inside, nobody is sent, and he is called back. What
rests on one last gasp alone was none. A meter that does not answer says nothing, since the radio may be why.
"""

from datetime import timedelta

from services.fault_management.domain.evidence import SKEW, Evidence, EvidenceKind
from services.fault_management.domain.outage import LOOSE, Outage, S, is_loose, move
from services.fault_management.domain.situation import Situation

GASP_WAIT = timedelta(minutes=2)
"""How long a single last gasp waits for others before its meter is asked [P]; a customer does not wait."""


def question_suspicions(situation: Situation) -> None:
    """Have the meters asked on whose word alone, or their customers', outages rest: once after each time it is said."""
    for outage in filter(is_loose, situation.open(LOOSE)):
        point = _rests_on(situation, outage)
        told = None if point is None else situation.standings.get(point)
        if point is None or told is None or not told.dark or told.partial or point in situation.cut_off:
            continue
        asked = any(ping.usage_point == point and ping.asked_at >= told.latest for ping in situation.pings)
        waited = situation.now >= outage.suspected_at + GASP_WAIT
        if not asked and (waited or _is_called(situation, outage)):
            situation.ask([point])


def after_an_answer(situation: Situation, outage: Outage) -> Outage | None:
    """An inferred outage when the meter of the only one who reported it has answered since.

    None where several reported it, or where a meter or a customer said that power has come back: then it was away.
    """
    point = _rests_on(situation, outage)
    told = None if point is None else situation.standings.get(point)
    if point is None or told is None or told.dark or told.returned is not None:
        return None
    why = "the meter of the only one who reported it has power"
    if not _is_called(situation, outage):
        return move(outage, S.DISMISSED, why=why)
    return move(outage, S.VERIFY, device=None, phases=None, points=(point,), partial=(), why=why)


def _rests_on(situation: Situation, outage: Outage) -> str | None:
    """The only usage point of which it was said that its power is missing."""
    said = {each.usage_point for each in _reports(situation, outage)}
    return said.pop() if len(said) == 1 else None


def rests_on_silence(situation: Situation, outage: Outage) -> bool:
    """True where no meter and no customer said anything: meters that were asked have not answered, and no more."""
    kinds = {each.kind for each in _reports(situation, outage)}
    return kinds == {EvidenceKind.SILENT}


def _is_called(situation: Situation, outage: Outage) -> bool:
    return any(each.kind is EvidenceKind.CALL for each in _reports(situation, outage))


def _reports(situation: Situation, outage: Outage) -> list[Evidence]:
    heard = situation.hearing.of({*outage.points, *outage.partial})
    return [each for each in heard if each.dark and each.time >= outage.since - SKEW]
