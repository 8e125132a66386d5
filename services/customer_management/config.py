"""The settings of customer management, from the environment."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

VARIABLE = "BUSBAR_CUSTOMER_TIME_ZONE"


def zone_from(environ: Mapping[str, str]) -> ZoneInfo:
    """The zone in which customers read the clock; UTC, unless the environment says otherwise.

    Raises:
        ValueError: there is no such zone.
    """
    text = environ.get(VARIABLE, "UTC")
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{VARIABLE} is '{text}', which is no time zone") from error
