"""The settings of meter reading and control, from the environment."""

from collections.abc import Mapping

from services.meter_reading_and_control.domain import Generation

VARIABLE = "BUSBAR_METER_EVENT_CODES"


def generation_from(environ: Mapping[str, str]) -> Generation:
    """Which generation of event codes is passed on; the first, unless the environment says otherwise.

    Raises:
        ValueError: the variable says something else than ``first`` or ``second``.
    """
    text = environ.get(VARIABLE, Generation.FIRST.value)
    if text not in set(Generation):
        raise ValueError(f"{VARIABLE} is '{text}'; it may be 'first' or 'second'")
    return Generation(text)
