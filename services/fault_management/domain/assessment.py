"""What all that is known of an area says about its outages, asked again whenever something new is heard.

The whole situation is judged, not the news, so the order in which the news came does not matter.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from contracts.nouns.unplanned_outages import CrewStatusKind
from services.fault_management.domain.estimates import begun, heard_of_crew
from services.fault_management.domain.evidence import SKEW, Evidence, EvidenceKind
from services.fault_management.domain.inference import PATIENCE, confirm, hold, infer
from services.fault_management.domain.known import see_interruptions
from services.fault_management.domain.network import Network
from services.fault_management.domain.outage import (
    INFERRED,
    KNOWN_DARK,
    LOOSE,
    Outage,
    Plan,
    PlanStatus,
    S,
    explains,
    move,
)
from services.fault_management.domain.pings import GASP_WAIT, question_suspicions, rests_on_silence
from services.fault_management.domain.proposal import is_unused, withdraw
from services.fault_management.domain.restoration import awaits_opening, follow_supply
from services.fault_management.domain.situation import Situation, Wish
from services.fault_management.domain.verification import (
    DOUBT,
    SILENCE,
    WAVES,
    hear_silence,
    question_restored,
    verify,
)

_NOBODY_NEEDED = frozenset({S.DISMISSED, S.VERIFY})

_THERE = frozenset({CrewStatusKind.ARRIVED, CrewStatusKind.FIELD_COMPLETE})
"""A crew that is on the site is not recalled: it sees for itself."""


class Report(Struct, frozen=True, kw_only=True):
    """What work management says about the work on an outage.

    Attributes:
        crew: where the crew is.
        cause: the cause that the crew found; None as long as it has found nothing.
        device: the device at which it found it.
        repaired_at: when the work was done, if it is.
        at: when this was reported.
        expected: when the crew thinks that power will be back.
    """

    crew: CrewStatusKind
    cause: str | None = None
    device: str | None = None
    repaired_at: datetime | None = None
    at: datetime | None = None
    expected: datetime | None = None


def assess(situation: Situation) -> Situation:
    """Judge the area: what is known open, what the evidence adds, who has supply again, and what is to be asked for."""
    hear_silence(situation)
    see_interruptions(situation)
    infer(situation)
    follow_supply(situation)
    verify(situation)
    question_suspicions(situation)
    question_restored(situation)
    for outage in situation.open():
        heard = situation.hearing.of({*outage.points, *outage.partial})
        calls = {each.source for each in heard if each.kind is EvidenceKind.CALL and _joins(outage, each)}
        tickets = tuple(sorted(calls.union(outage.tickets)))
        _wish(situation, situation.put(msgspec.structs.replace(outage, tickets=tickets)))
    for outage in situation.changed:
        withdraw(situation, outage)
    for outage in situation.changed:
        unwanted = outage.state in _NOBODY_NEEDED and outage.work_asked and not outage.recalled
        if unwanted and outage.crew not in _THERE:
            situation.put(msgspec.structs.replace(outage, recalled=True))
            situation.wishes.append((Wish.RECALL, outage.mrid))
    return situation


def report(situation: Situation, outage: Outage, news: Report) -> None:
    """Take what the crew says; a finding or the end of the work makes an inferred outage known.

    What was taken to be dark still, as nothing was heard of it after a restoration, is over when the crew finds nothing
    there. Whoever has no power all the same is heard of anew.
    """
    at, assessed = news.at or situation.now, news.cause is not None
    known = heard_of_crew(outage, news.crew, at, situation.now, assessed=assessed, expected=news.expected)
    outage = situation.put(
        msgspec.structs.replace(
            known,
            crew=news.crew,
            cause=news.cause or outage.cause,
            repaired_at=outage.repaired_at or news.repaired_at,
        )
    )
    silent = outage.parent is not None or rests_on_silence(situation, outage)
    if outage.state in INFERRED and news.cause is None and news.repaired_at is not None and silent:
        why = "the crew has found nothing that is out or broken"
        situation.put(move(outage, S.DISMISSED, why=why, dismissed_at=situation.now, frozen=False))
    elif outage.state in INFERRED and (news.cause is not None or news.repaired_at is not None):
        confirm(situation, outage, None if news.cause is None else news.device, "the crew has been there")


def report_late(outage: Outage, news: Report, network: Network | None) -> Outage:
    """What a crew has found belongs in the record of an outage that is over; its times and usage points do not move.

    The device is taken where only inference had named one: network operation has seen what opened. What an operator
    has said stays, and only a cause that is missing is added. Of what was dismissed there is nothing to be found.
    """
    is_said = outage.by is not None
    if outage.state not in {S.CLOSED, S.MOMENTARY} or news.cause is None or (is_said and outage.cause is not None):
        return outage
    is_named = network is not None and network.is_switch(news.device) and not outage.witnessed and not is_said
    device = news.device if is_named else outage.device
    known = msgspec.structs.replace(outage, cause=news.cause, crew=news.crew, device=device)
    return known if known == outage else msgspec.structs.replace(known, revision=outage.revision + 1)


def end_plan(situation: Situation, outage: Outage, plan: str, trouble: str | None) -> None:
    """A switching plan that ``outage`` asked for is over, with ``trouble`` if it was not carried out.

    It is not asked for again: nothing is closed onto a fault a second time without an operator.
    """
    status = PlanStatus.COMPLETED if trouble is None else PlanStatus.FAILED
    for name in ("opening", "closing", "restoring", "returning"):
        asked: Plan | None = getattr(outage, name)
        if asked is not None and asked.mrid == plan and asked.status is PlanStatus.ASKED:
            ended = msgspec.structs.replace(asked, status=status)
            situation.put(msgspec.structs.replace(outage, trouble=trouble or outage.trouble, **{name: ended}))


def begin_plan(situation: Situation, outage: Outage, plan: str) -> None:
    """A draft that waited for an operator is being carried out."""
    for name in ("restoring", "returning"):
        asked: Plan | None = getattr(outage, name)
        if asked is not None and asked.mrid == plan and asked.draft:
            situation.put(msgspec.structs.replace(outage, **{name: msgspec.structs.replace(asked, draft=False)}))


def next_look(situation: Situation, outage: Outage) -> tuple[str, datetime] | None:
    """The wake that ``outage`` needs after now: its name and when."""
    now = situation.now
    held = outage.suspected_at + hold(situation, outage.points)
    name, times = {
        S.SUSPECTED: ("predict", (held, *(outage.suspected_at + wait for wait in (GASP_WAIT, PATIENCE)))),
        S.PREDICTED: ("predict", (outage.suspected_at + GASP_WAIT,)),
        S.RESTORED: ("verify", tuple((outage.restored_at or now) + wait for wait in (*WAVES, DOUBT, SILENCE))),
    }.get(outage.state, ("", ()))
    return min(((name, at) for at in times if at > now), default=None)


def _joins(outage: Outage, call: Evidence) -> bool:
    if outage.state in LOOSE:
        return call.usage_point in outage.points and call.time >= outage.since - SKEW
    return explains(outage, call)


def _wish(situation: Situation, outage: Outage) -> None:
    """Ask once for each thing that ``outage`` needs: work, and the switching before and after it."""
    if outage.state not in KNOWN_DARK | {S.PREDICTED}:
        return
    if not outage.work_asked or outage.recalled:
        wanted = msgspec.structs.replace(outage, work_asked=True, recalled=False, crew=None, work=situation.new_id())
        outage = situation.put(begun(wanted, situation.now))
        situation.wishes.append((Wish.WORK, outage.mrid))
    if outage.state in KNOWN_DARK and outage.opening is None and awaits_opening(situation, outage):
        outage = situation.put(msgspec.structs.replace(outage, opening=Plan(mrid=situation.new_id())))
        situation.wishes.append((Wish.OPENING, outage.mrid))
    repaired = outage.repaired_at is not None and is_unused(outage.restoring)
    if repaired and outage.closing is None and situation.network.is_open(outage.device):
        outage = situation.put(msgspec.structs.replace(outage, closing=Plan(mrid=situation.new_id())))
        situation.wishes.append((Wish.CLOSING, outage.mrid))
