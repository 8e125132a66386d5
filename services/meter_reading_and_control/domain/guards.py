"""What must not be disconnected, or not by one person alone, and what must not be connected again (metering guide 9).

Guards are asked when a control is accepted and again when it is about to be sent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct

from contracts.codes.end_device_controls import ControlKind
from contracts.errors import Rejected
from contracts.nouns.service_requests import ServiceRequest, ServiceRequestState
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.quiet import Quiet
from services.meter_reading_and_control.domain.usage_points import SUSPENDED, Agreed, served_by

HOUR = timedelta(hours=1)

FEEDER = "feeder"
"""The type of a group of end devices that are fed together (ours)."""

CLOSING = frozenset({ControlKind.CONNECT, ControlKind.ARM_FOR_CLOSURE})
"""What closes a disconnect switch, or lets the customer close it."""

DISPUTE = "dispute"
"""The type of a request of a customer who disputes a bill or a debt (ours)."""

_SETTLED = frozenset({ServiceRequestState.RESOLVED, ServiceRequestState.CONFIRMED, ServiceRequestState.CANCELLED})


class Rules(Struct, frozen=True, kw_only=True):
    """What is set.

    Attributes:
        most_in_an_hour: so many are disconnected within an hour by one person's word.
        percent_of_feeder: so many of the devices of a feeder, but one always.
        moratorium: days of the year between which nobody is disconnected, as ``(month, day)``, both included.
    """

    most_in_an_hour: int = 50
    percent_of_feeder: int = 1
    moratorium: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()


class Feeder(Struct, frozen=True, kw_only=True):
    """A feeder of which devices are to be disconnected.

    Attributes:
        name: the mRID of the group.
        devices: how many it feeds.
        asked: how many of these are to be disconnected now.
        disconnected: how many were in the last hour, or are under way.
    """

    name: str
    devices: int
    asked: int
    disconnected: int


class Dispute(Struct, frozen=True, kw_only=True):
    """A dispute of a customer about a usage point or an agreement, as a revision of the request says."""

    request: str
    revision: int
    usage_point: str | None
    agreement: str | None
    is_open: bool


class Facts(Struct, frozen=True, kw_only=True):
    """What is known now.

    Attributes:
        needs: why a usage point is critical, by its mRID; the word of customer management.
        dark: devices and usage points of which the last word is that the power was lost.
        disputed: devices and usage points about which a dispute is open.
        noticed: until when nobody is disconnected at devices and usage points, since a notice was given.
        agreed: the agreements about devices and usage points, where some are known.
        fed: devices and usage points with voltage behind their open switch.
        quiet: the devices that a campaign leaves alone for now, and why.
        disconnected: how many were disconnected in the last hour, or are under way.
        feeders: the feeders of what is to be disconnected, where they are known.
        second: who else has said that the same is to be done.
    """

    needs: dict[str, str]
    dark: frozenset[str]
    disputed: frozenset[str] = frozenset()
    noticed: Mapping[str, datetime] = {}
    agreed: Mapping[str, Sequence[Agreed]] = {}
    fed: frozenset[str] = frozenset()
    quiet: Mapping[str, Quiet] = {}
    disconnected: int = 0
    feeders: tuple[Feeder, ...] = ()
    second: frozenset[str] = frozenset()


def forbidden(command: Command, facts: Facts, rules: Rules, now: datetime, zone: tzinfo) -> Rejected | None:
    """Why one device must not be told; None where it may."""
    why = next(_reasons(command, facts, rules, now, zone), None)
    return None if why is None else Rejected(why, code="6.1", object_id=command.mrid)


def _reasons(command: Command, facts: Facts, rules: Rules, now: datetime, zone: tzinfo) -> Iterator[str]:
    if command.ends is not None and command.ends <= now:
        yield "its time is over"
    if command.campaign and command.device in facts.quiet:
        yield facts.quiet[command.device].why
    places = {each for each in (command.meter, command.usage_point) if each is not None}
    if command.kind in CLOSING and places & facts.fed:
        yield "there is voltage behind its open switch"
    if command.kind is not ControlKind.DISCONNECT:
        return
    yield from (
        f"who lives there depends on the supply ({facts.needs[each]})" for each in sorted(places) if each in facts.needs
    )
    if places & facts.dark:
        yield "there is an outage; what a switch did could not be told"
    if places & facts.disputed:
        yield "a dispute about it is open"
    at = now if command.starts is None else max(now, command.starts)
    notices = (facts.noticed[each] for each in sorted(places) if each in facts.noticed)
    agreed = (served_by(facts.agreed[each], at) for each in sorted(places) if each in facts.agreed)
    yield from (f"the agreement about it is {each.state} and not {SUSPENDED}" for each in agreed if each is not None)
    yield from (f"a notice was given, which runs until {until.isoformat()}" for until in notices if until > at)
    if _in_moratorium(now.astimezone(zone).date(), rules):
        yield "nobody is disconnected on this day of the year"


def dispute_in(request: ServiceRequest) -> Dispute | None:
    """The dispute that a request of a customer is; None where it is something else."""
    if request.type != DISPUTE:
        return None
    return Dispute(
        request=request.mrid,
        revision=request.revision_number or 0,
        usage_point=None if request.usage_point is None else request.usage_point.mrid,
        agreement=None if request.customer_agreement is None else request.customer_agreement.mrid,
        is_open=request.status is None or request.status.value not in _SETTLED,
    )


def needs_second_person(commands: Sequence[Command], facts: Facts, rules: Rules) -> Rejected | None:
    """That so many disconnections are not done by one person's word: mass switching is the attack to fear."""
    many = sum(command.kind is ControlKind.DISCONNECT for command in commands)
    crowded = next((each for each in facts.feeders if _is_crowded(each, rules)), None)
    if not many or (many + facts.disconnected <= rules.most_in_an_hour and crowded is None):
        return None
    user = commands[0].user
    if facts.second - {user} and user:
        return None
    count = f"{many + facts.disconnected} disconnections"
    if crowded is not None:
        together = crowded.asked + crowded.disconnected
        count = f"{together} disconnections on {crowded.name}, which feeds {crowded.devices},"
    reason = f"{count} within an hour need the word of a second person: the same controls, from another user"
    return Rejected(reason, code="6.1", object_id=commands[0].mrid)


def _is_crowded(feeder: Feeder, rules: Rules) -> bool:
    most = max(feeder.devices * rules.percent_of_feeder // 100, 1)
    return feeder.asked > 0 and feeder.asked + feeder.disconnected > most


def same_words(commands: Iterable[Command]) -> list[str]:
    """What two people must have said alike: what is to be done with which device, and by which control."""
    return sorted({f"{each.kind} {each.device} {each.mrid}" for each in commands})


def moratorium_from(text: str) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """The days of the year in words such as ``12-20/01-06,07-01/07-31``.

    Raises:
        ValueError: it cannot be read.
    """
    found: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for word in filter(None, text.split(",")):
        first, last = (_day(each) for each in word.strip().split("/"))
        found.append((first, last))
    return tuple(found)


def _day(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"2000-{text}")
    return day.month, day.day


def _in_moratorium(day: date, rules: Rules) -> bool:
    here = (day.month, day.day)
    return any(
        first <= here <= last if first <= last else (here >= first or here <= last) for first, last in rules.moratorium
    )


def points_of(commands: Iterable[Command]) -> list[str]:
    """The devices and usage points of commands, each once."""
    return sorted({each for command in commands for each in (command.meter, command.usage_point) if each is not None})
