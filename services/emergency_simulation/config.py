"""How the played field behaves, from the environment."""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct, structs

from contracts.errors import Invalid
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.reading import Habits
from services.emergency_simulation.domain.software import Ills

T = TypeVar("T", bound=Struct)

PREFIX = "BUSBAR_SIMULATION_"

WORDS = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def conditions_from(environ: Mapping[str, str]) -> Conditions:
    """The conditions set by BUSBAR_SIMULATION_<NAME>, such as _MESSAGE_LOSS or _RECLOSING.

    Raises:
        ValueError: with one sentence that names the variable whose value cannot be.
    """
    return _from(environ, Conditions)


def habits_from(environ: Mapping[str, str]) -> Habits:
    """What goes wrong in scheduled readings, set by BUSBAR_SIMULATION_READING_<NAME>, such as _READING_MISS.

    Raises:
        ValueError: with one sentence that names the variable whose value cannot be.
    """
    return _from(environ, Habits)


def ills_from(environ: Mapping[str, str]) -> Ills:
    """What goes wrong with new software, set by BUSBAR_SIMULATION_SOFTWARE_<NAME>, such as _SOFTWARE_HASH.

    Raises:
        ValueError: with one sentence that names the variable whose value cannot be.
    """
    return _from(environ, Ills)


def _from(environ: Mapping[str, str], kind: type[T]) -> T:
    said: dict[str, Any] = {}
    for each in structs.fields(kind):
        text = environ.get(PREFIX + each.name.upper())
        if text is not None:
            said[each.name] = _read(PREFIX + each.name.upper(), each.type, text)
    try:
        return kind(**said)
    except Invalid as error:
        raise ValueError(f"{PREFIX}*: {error.reason}") from error


def _read(name: str, kind: type, text: str) -> bool | float | int:
    try:
        if kind is bool:
            return WORDS[text.strip().lower()]
        return int(text) if kind is int else float(text)
    except (KeyError, ValueError) as error:
        wanted = "on or off" if kind is bool else "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} is '{text}', but must be {wanted}") from error
