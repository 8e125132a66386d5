"""Estimates for the outages of an area: what a crew reports, what is told of it and when to look again (guide 3.9)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.unplanned_outages import CrewStatusKind
from services.fault_management.domain.durations import Circumstances, History, Part, Spread, Took, hours_of
from services.fault_management.domain.etr import (
    ASSESSING,
    MATURITY,
    Etr,
    EtrSource,
    Progress,
    Queued,
    next_look,
    queue,
    remaining,
    updated,
)
from services.fault_management.domain.network import Network
from services.fault_management.domain.outage import KNOWN_DARK, LOOSE, Outage, S
from services.fault_management.domain.situation import Situation

_ENDS = {
    CrewStatusKind.ENROUTE: Part.DISPATCH,
    CrewStatusKind.ARRIVED: Part.TRAVEL,
    CrewStatusKind.FIELD_COMPLETE: Part.REPAIR,
}


class Outlook(Struct, frozen=True, kw_only=True):
    """What an estimate needs to know beyond its area.

    Attributes:
        history: how long the parts of restorations took.
        zone: where the hours of the day are told.
        crews: how many crews work at the same time.
        storm_since: since when so many outages are open that nobody can say who gets a crew when; None in quiet times.
        others: the open outages of other areas, in a storm.
    """

    history: History
    zone: tzinfo
    crews: int = 1
    storm_since: datetime | None = None
    others: tuple[Outage, ...] = ()


def begun(outage: Outage, now: datetime) -> Outage:
    """``outage`` after work was asked for."""
    return outage if outage.progress is not None else replace(outage, progress=Progress(asked_at=now))


def heard_of_crew(
    outage: Outage, crew: CrewStatusKind, at: datetime, now: datetime, *, assessed: bool, expected: datetime | None
) -> Outage:
    """``outage`` after a crew reported at ``at``; a time that it ``expected`` anew is told unless an operator gave one.

    What is expected before the crew is there is a schedule, and not the word of anybody who has seen something. The
    first report of a step counts, so that a report which comes twice changes nothing.
    """
    expected = expected if crew is CrewStatusKind.ARRIVED else None
    progress = outage.progress or Progress(asked_at=outage.suspected_at)
    ended = dict(progress.ended)
    if crew in _ENDS:
        ended.setdefault(_ENDS[crew], at)
    if assessed:
        ended.setdefault(Part.ASSESS, at)
    etr = outage.etr
    manual = etr is not None and etr.source is EtrSource.OPERATOR and not etr.overdue
    if expected is not None and expected != progress.expected and expected > now and not manual:
        etr = Etr(time=expected, source=EtrSource.CREW, sure=Part.ASSESS in ended)
    return replace(outage, etr=etr, progress=replace(progress, ended=ended, expected=expected or progress.expected))


def estimate(situation: Situation, outlook: Outlook) -> None:
    """Say for each outage that is dark when power is expected back.

    What hangs on another open device has no supply before that one is closed, so it is not promised earlier.
    """
    dark = [outage for outage in situation.open(LOOSE | KNOWN_DARK) if _is_due(outage, outlook, situation.now)]
    spreads = _spreads(situation, dark, outlook)
    network, told = situation.network, dict[str, datetime]()
    for outage in sorted(dark, key=lambda each: (_depth(network, each, dark), each.mrid)):
        progress, source = _progress(outage), EtrSource.COMPUTED
        if outlook.storm_since is not None:
            progress = replace(progress, storm=True)
            source = source if progress.manned else EtrSource.STORM
        above = (each.mrid for each in situation.open(LOOSE | KNOWN_DARK) if _is_behind(network, outage, each))
        floor = max((told[mrid] for mrid in above if mrid in told), default=None)
        spread = spreads[outage.mrid]
        etr = updated(outage.etr, spread, progress, situation.now, source=source, not_before=floor)
        told[outage.mrid] = etr.time
        if etr != outage.etr or progress != outage.progress:
            situation.estimate(replace(outage, etr=etr, progress=progress))


def _is_due(outage: Outage, outlook: Outlook, now: datetime) -> bool:
    """True for an outage that has an estimate, or may have its first one now."""
    if outage.etr is not None:
        return True
    return now >= _due(outage, outlook)


def _due(outage: Outage, outlook: Outlook) -> datetime:
    known = outage.state is not S.SUSPECTED and outage.device is not None
    due = outage.suspected_at if known else outage.suspected_at + MATURITY
    if outlook.storm_since is not None and not _progress(outage).manned:
        due = max(due, outlook.storm_since + ASSESSING)
    return due


def _spreads(situation: Situation, dark: Iterable[Outage], outlook: Outlook) -> Mapping[str, Spread]:
    network, now = situation.network, situation.now
    if outlook.storm_since is None:
        return {
            each.mrid: remaining(_progress(each), circumstances(each, network, outlook), outlook.history, now)
            for each in dark
        }
    waiting = {each.mrid: each for each in (*outlook.others, *situation.open(LOOSE | KNOWN_DARK))}
    queued = [
        Queued(
            mrid=each.mrid,
            rank=_rank(each, network),
            since=each.since,
            progress=_progress(each),
            circumstances=circumstances(each, network, outlook),
        )
        for each in waiting.values()
    ]
    return queue(queued, outlook.crews, outlook.history, now)


def _rank(outage: Outage, network: Network) -> int:
    """The rank of its work, as far as its usage points are known here."""
    critical = any(network.points[mrid].critical for mrid in outage.points if mrid in network.points)
    return 2 if critical else 3


def _progress(outage: Outage) -> Progress:
    return outage.progress or Progress(asked_at=outage.suspected_at)


def _is_behind(network: Network, outage: Outage, other: Outage) -> bool:
    """True when ``outage`` has no supply while the device of ``other`` is open."""
    if outage.device is None or other.device is None or outage.mrid == other.mrid:
        return False
    return outage.device != other.device and network.is_under(outage.device, other.device)


def _depth(network: Network, outage: Outage, outages: Iterable[Outage]) -> int:
    """How many outages it is behind: what is above is estimated first."""
    return sum(_is_behind(network, outage, each) for each in outages)


def circumstances(outage: Outage, network: Network, outlook: Outlook) -> Circumstances:
    """What the durations of an outage depend on."""
    device = network.structure.equipment.get(outage.device or "")
    progress = _progress(outage)
    return Circumstances(
        device="" if device is None else device.kind,
        cause=outage.cause or "",
        hours=hours_of(progress.asked_at.astimezone(outlook.zone).hour),
        storm=progress.storm or outlook.storm_since is not None,
    )


def took(outage: Outage, network: Network, outlook: Outlook) -> list[Took]:
    """How long the parts of an outage took that is over, as far as both ends of a part are known."""
    if outage.progress is None:
        return []
    ended = dict(outage.progress.ended)
    if outage.ended_at is not None and Part.REPAIR in ended:
        ended[Part.RESTORE] = outage.ended_at
    known, found = circumstances(outage, network, outlook), []
    start: datetime | None = outage.progress.asked_at
    for part in Part:
        end = ended.get(part)
        if start is not None and end is not None:
            minutes = max(end - start, timedelta(0)) / timedelta(minutes=1)
            found.append(Took(part=part, circumstances=known, minutes=minutes))
        start = end
    return found


def next_estimate(outage: Outage, outlook: Outlook, now: datetime) -> datetime | None:
    """When the estimate of an outage must be looked at although nothing happens; None when it need not be."""
    if outage.state not in LOOSE | KNOWN_DARK:
        return None
    if outage.etr is None:
        return max(_due(outage, outlook), now + timedelta(minutes=1))
    return next_look(outage.etr, outage.suspected_at, now)
