"""When meters, customers and crews do what they do: the observation model between the truth and the system.

All times are whole seconds, so that much happens at the same instant of a granted clock. Figures marked [P] are our
proposals; the others were published for meters with 30 to 45 seconds of qualification.
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from services.emergency_simulation.domain.chance import Stream


class Odds(Struct, frozen=True, kw_only=True):
    """How well the field can be seen.

    Attributes:
        message_loss: the share of meter messages that never arrive.
        message_double: the share of those that arrive twice.
        call: the probability that a usage point in the dark calls; 0.08 to 0.12 is usual.
    """

    message_loss: float = 0.0
    message_double: float = 0.0
    call: float = 0.1


class Spell(Struct, frozen=True, kw_only=True):
    """A time without power at a usage point, or the time with power that follows it.

    Attributes:
        number: how many spells in the dark the usage point has had; tells an old spell from the present one.
        since: when it began.
    """

    usage_point: str
    number: int
    since: datetime


class Due(Struct, frozen=True, kw_only=True):
    """Something that a usage point will do at a time, if its spell lasts; ``key`` tells a double from its original."""

    key: str
    at: datetime
    spell: Spell


CAUSES = (("vegetation", 0.4), ("weather", 0.65), ("equipment", 0.85), ("animal", 0.95), ("thirdParty", 1.0))
"""The cause of a fault with its cumulative share [P]; trees dominate in storms."""


def after(start: datetime, seconds: float) -> datetime:
    """The first whole second at least ``seconds`` after ``start``."""
    moment = start + timedelta(seconds=math.ceil(seconds))
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)


def cause_of(stream: Stream, fault: str) -> str:
    """What a crew will find to have caused a fault."""
    drawn = stream.fraction("cause", fault)
    return next(cause for cause, share in CAUSES if drawn < share)


def last_gasps(stream: Stream, spell: Spell, odds: Odds) -> list[Due]:
    """The messages of a meter that lost power: it waits 30 to 45 s to be sure, then the radio takes up to 20 s [P]."""
    return _messages(stream, spell, odds, "gasp", (30, 45))


def power_ups(stream: Stream, spell: Spell, odds: Odds) -> list[Due]:
    """The messages of a meter that has power again, after 5 to 20 s [P] and the radio."""
    return _messages(stream, spell, odds, "up", (5, 20))


def ping_time(stream: Stream, point: str, now: datetime) -> datetime:
    """When the answer of a meter that was asked comes back by the radio: 2 to 15 s [P]."""
    return after(now, stream.between(2, 15, "ping", point, now.isoformat()))


def calls(stream: Stream, spells: Iterable[Spell], odds: Odds) -> list[Due]:
    """The calls about one loss of power, on average 8 minutes after it (5 to 10 are usual).

    Somebody always calls: where chance would leave all silent, the one who was nearest to calling does.
    """
    wanting = sorted((stream.fraction("call", spell.usage_point, str(spell.number)), spell) for spell in spells)
    callers = [spell for want, spell in wanting if want < odds.call] or [spell for _, spell in wanting[:1]]
    return [
        Due(
            key=spell.usage_point,
            at=after(spell.since, 60 + stream.exponential(420, "delay", *_name(spell))),
            spell=spell,
        )
        for spell in callers
    ]


def command_time(stream: Stream, device: str, now: datetime) -> datetime:
    """When the drive of a device has moved after a command: 2 to 6 s [P]."""
    return after(now, stream.between(2, 6, "command", device, now.isoformat()))


def scan_time(stream: Stream, device: str, now: datetime) -> datetime:
    """When a change of position reaches the control centre: 1 to 5 s [P]."""
    return after(now, stream.between(1, 5, "scan", device, now.isoformat()))


def departure(stream: Stream, place: str, now: datetime) -> datetime:
    """When a crew that was dispatched to a device leaves: 1 to 3 minutes [P]."""
    return after(now, stream.between(60, 180, "departure", place, now.isoformat()))


def finding_time(stream: Stream, place: str, now: datetime) -> datetime:
    """When a crew on its way has arrived and looked: 10 to 25 minutes and 3 to 10 minutes [P]."""
    travel = stream.between(600, 1500, "travel", place, now.isoformat())
    return after(now, travel + stream.between(180, 600, "look", place, now.isoformat()))


def repair_time(stream: Stream, fault: str, now: datetime) -> datetime:
    """When the damage is repaired: log-normal, median 45 minutes [P]."""
    return after(now, stream.lognormal(2700, 0.4, "repair", fault))


def switching_time(stream: Stream, plan: str, now: datetime) -> datetime:
    """When a crew has switched by hand: 4 to 12 minutes [P]."""
    return after(now, stream.between(240, 720, "switching", plan, now.isoformat()))


def _messages(stream: Stream, spell: Spell, odds: Odds, kind: str, wait: tuple[float, float]) -> list[Due]:
    name = (kind, *_name(spell))
    if stream.fraction("loss", *name) < odds.message_loss:
        return []
    sent = stream.between(*wait, "delay", *name)
    first = Due(key=spell.usage_point, at=after(spell.since, sent + stream.between(1, 20, "radio", *name)), spell=spell)
    if stream.fraction("double", *name) >= odds.message_double:
        return [first]
    again = after(first.at, stream.between(1, 60, "again", *name))
    return [first, Due(key=f"{spell.usage_point} again", at=again, spell=spell)]


def _name(spell: Spell) -> tuple[str, str]:
    return spell.usage_point, str(spell.number)
