"""How well the played field can be seen, from the environment."""

from collections.abc import Mapping

from msgspec import structs

from services.emergency_simulation.domain.behaviour import Odds

PREFIX = "BUSBAR_SIMULATION_"


def odds_from(environ: Mapping[str, str]) -> Odds:
    """The odds set by BUSBAR_SIMULATION_MESSAGE_LOSS, _MESSAGE_DOUBLE and _CALL, each a probability from 0 to 1.

    Raises:
        ValueError: with one sentence that names the variable whose value is no probability.
    """
    given = {
        name: environ[PREFIX + name.upper()] for name in Odds.__struct_fields__ if PREFIX + name.upper() in environ
    }
    return structs.replace(Odds(), **{name: _probability(name, text) for name, text in given.items()})


def _probability(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{PREFIX}{name.upper()} is '{text}', but must be a probability from 0 to 1")
    return value
