"""The settings of the event history, from the environment."""

from collections.abc import Mapping

VARIABLE = "BUSBAR_HISTORY_BODY_DAYS"


def body_days_from(environ: Mapping[str, str]) -> int | None:
    """How many days the body of a message is kept; unset or empty for ever. Header and hash stay in any case.

    Raises:
        ValueError: the variable is no whole number of days from 1 on.
    """
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{VARIABLE} is '{text}'; it may be a number of days from 1 on")
    return int(text)
