"""Customers in the dark and their telephones."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, structs

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.meters import Spell
from services.emergency_simulation.domain.timing import after

FIRST_S = 60.0
"""Nobody calls before this."""

MEAN_S = 420.0
"""How long a customer waits on average besides; 5 to 10 minutes in all are usual."""

AGAIN_S = (1800.0, 5400.0)
"""When those who call again do so, after their first call [P]."""

TALK = timedelta(minutes=2)
"""How long a call takes a line [P]."""

REDIAL_S = (60.0, 300.0)
"""After how long somebody who found all lines busy tries again [P]."""

POWER_OUT = "powerOut"


class Call(Struct, frozen=True, kw_only=True):
    """A call that will be made, if the time in the dark that it is about still lasts.

    Attributes:
        usage_point: who calls.
        number: the spell in the dark; 0 for a danger, which is told whatever becomes of the power.
        turn: 0 for the first call about it, 1 for one more, 2 for one by who was told that his power is back.
        about: the usage point that the call names: a neighbour's where the address is wrong.
        code: what is told, as the code of a trouble ticket.
    """

    usage_point: str
    number: int
    turn: int
    about: str
    code: str
    at: datetime
    tries: int = 0


def calls(stream: Stream, spells: Iterable[Spell], points: Sequence[str], conditions: Conditions) -> list[Call]:
    """The calls about one loss of power, on average 8 minutes after it.

    Somebody always calls: where chance would leave all silent, the one who was nearest to calling does. ``points`` are
    all usage points in the order of mRIDs; a wrong address is that of the next one.
    """
    wanting = sorted((stream.fraction("call", spell.usage_point, str(spell.number)), spell) for spell in spells)
    callers = [spell for want, spell in wanting if want < conditions.call] or [spell for _, spell in wanting[:1]]
    made = []
    for spell in callers:
        name = (spell.usage_point, str(spell.number))
        at = after(spell.began, FIRST_S + stream.exponential(MEAN_S, "delay", *name))
        wrong = stream.fraction("address", *name) < conditions.wrong_address
        about = _neighbour(spell.usage_point, points) if wrong else spell.usage_point
        first = Call(usage_point=spell.usage_point, number=spell.number, turn=0, about=about, code=POWER_OUT, at=at)
        made.append(first)
        if stream.fraction("again", *name) < conditions.call_again:
            later = after(at, stream.between(*AGAIN_S, "later", *name))
            made.append(structs.replace(first, turn=1, about=spell.usage_point, at=later))
    return made


def callbacks(stream: Stream, spells: Iterable[Spell], now: datetime, conditions: Conditions) -> list[Call]:
    """The calls of those in the dark who were told that their power is back, 1 to 10 minutes later [P]."""
    made = []
    for spell in spells:
        name = (spell.usage_point, str(spell.number))
        if stream.fraction("callback", *name) < conditions.callback:
            at = after(now, stream.between(60, 600, "answer", *name))
            point = spell.usage_point
            made.append(Call(usage_point=point, number=spell.number, turn=2, about=point, code=POWER_OUT, at=at))
    return made


def alarms(stream: Stream, fault: Fault, near: Iterable[str]) -> list[Call]:
    """The call of somebody who sees the danger at a fault, 2 to 10 minutes after it struck [P]."""
    who = min(near, key=lambda point: (stream.fraction("witness", fault.mrid, point), point), default=None)
    if fault.hazard is None or who is None:
        return []
    at = after(fault.at, stream.between(120, 600, "alarm", fault.mrid))
    return [Call(usage_point=who, number=0, turn=0, about=who, code=fault.hazard, at=at)]


def redialled(stream: Stream, call: Call, now: datetime) -> datetime:
    """When somebody who found all lines busy tries again."""
    return after(now, stream.between(*REDIAL_S, "redial", call.usage_point, str(call.number), str(call.tries)))


def _neighbour(point: str, points: Sequence[str]) -> str:
    return points[(bisect_left(points, point) + 1) % len(points)]
