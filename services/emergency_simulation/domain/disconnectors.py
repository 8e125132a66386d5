"""Switches and loads of meters: they obey, refuse, or say nothing, having moved or not (guide 14)."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.meters import Spell

REFUSES = 0.01
"""The share of orders that a meter refuses."""

SILENT = 0.02
"""The share of orders after which a meter says nothing; half of them it has carried out."""


OPTS_OUT = 0.05
"""The share of orders to shed load of which a customer opts out, where he may."""


class Obedience(StrEnum):
    """What a meter makes of an order to its switch."""

    DONE = "done"
    REFUSED = "refused"
    DONE_SILENTLY = "doneSilently"
    NOT_DONE_SILENTLY = "notDoneSilently"


MOVES = frozenset({Obedience.DONE, Obedience.DONE_SILENTLY})
"""After these the switch stands as it was ordered."""


def obeyed(stream: Stream, usage_point: str, at: datetime) -> Obedience:
    """What the meter of a usage point makes of an order that reaches it at a time."""
    draw = stream.fraction("switch", usage_point, at.isoformat())
    if draw < REFUSES:
        return Obedience.REFUSED
    if draw < REFUSES + SILENT / 2:
        return Obedience.DONE_SILENTLY
    return Obedience.NOT_DONE_SILENTLY if draw < REFUSES + SILENT else Obedience.DONE


def sheds(stream: Stream, usage_point: str, at: datetime, *, mandatory: bool) -> bool:
    """Whether a customer lets his load be controlled at a time; he has no say where it is mandatory."""
    return mandatory or stream.fraction("optOut", usage_point, at.isoformat()) >= OPTS_OUT


def unsupplied(*times: Iterable[Spell]) -> list[Spell]:
    """The times without supply, oldest first and none overlapping: of the network and of the switch together."""
    found: list[Spell] = []
    for spell in sorted((each for spells in times for each in spells), key=lambda each: each.began):
        last = found[-1] if found else None
        if last is None or (last.ended is not None and last.ended < spell.began):
            found.append(spell)
        elif last.ended is not None and (spell.ended is None or spell.ended > last.ended):
            found[-1] = replace(last, ended=spell.ended)
    return found
