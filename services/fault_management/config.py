"""The settings of fault management, from the environment."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

ZONE = "BUSBAR_FAULT_TIME_ZONE"


class Rules(Struct, frozen=True, kw_only=True):
    """How this utility wants its faults managed.

    Attributes:
        zone: the time zone in which callers are told the time.
    """

    zone: ZoneInfo


def rules_from(environ: Mapping[str, str]) -> Rules:
    """The settings.

    Raises:
        ValueError: a variable cannot be what it is set to.
    """
    name = environ.get(ZONE, "UTC")
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{ZONE} is '{name}', which is no time zone of the IANA data base") from error
    return Rules(zone=zone)
