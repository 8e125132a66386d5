"""What callers are told, in plain words; never more than is known."""

from collections.abc import Callable
from datetime import tzinfo

from contracts.nouns.unplanned_outages import CrewStatusKind
from services.fault_management.domain.etr import Etr
from services.fault_management.domain.outage import FINAL, LOOSE, Outage, S

HAZARD = "This is dangerous: please stay away and keep others away. A crew is sent at once."
TROUBLE = "Thank you. Somebody will look after it."
DONE = "It has been looked after."
NO_PLACE = "We have taken it down, and could not find the place. Somebody will call you back."
NO_OUTAGE = "We know of no outage at your place any more. Please call again if you have no power."

_RULES: tuple[tuple[Callable[[Outage, str], bool], str], ...] = (
    (
        lambda outage, _: outage.state is S.VERIFY,
        "Your meter has power, so the problem is likely inside. Please check your main switch and your fuses.",
    ),
    (lambda outage, _: outage.state is S.DISMISSED, NO_OUTAGE),
    (
        lambda outage, point: point in outage.unknown,
        "We cannot see whether your power is back. Please tell us if it is not.",
    ),
    (lambda outage, _: outage.state in FINAL, "Your power is back. Please call again if it is not."),
    (
        lambda outage, point: point in outage.restored,
        "Your power should be back, and we are making sure. Please call again if it is not.",
    ),
    (
        lambda outage, _: outage.state in LOOSE and outage.device is None,
        "We have heard of it and are finding out what has happened.",
    ),
)
"""Who is told which words: the first rule that holds."""

_CREW = {
    CrewStatusKind.ASSIGNED: " A crew has it.",
    CrewStatusKind.ENROUTE: " A crew is on its way.",
    CrewStatusKind.ARRIVED: " A crew is working on it.",
    CrewStatusKind.FIELD_COMPLETE: " It is repaired, and the supply will be switched on.",
}


def told_to_caller(outage: Outage, point: str, zone: tzinfo) -> str:
    """What somebody at ``point`` may be told of an outage; never that it is over where that is not known."""
    words = next((text for holds, text in _RULES if holds(outage, point)), None)
    if words is not None:
        return words
    number = len(outage.points) - len(outage.restored)
    crew = "" if outage.crew is None else _CREW.get(outage.crew, "")
    return (
        f"We know of an outage at your place that concerns {number} connections.{crew} {_when(outage.expected, zone)}"
    )


def _when(etr: Etr | None, zone: tzinfo) -> str:
    if etr is None:
        return "We cannot say yet when the power will be back."
    time = f"{etr.time.astimezone(zone):%H:%M}"
    return f"We expect the power back by {time}{'.' if etr.sure else ', and will know better later.'}"
