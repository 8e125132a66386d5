"""The settings of fault management, from the environment."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

ZONE = "BUSBAR_FAULT_TIME_ZONE"
CREWS = "BUSBAR_FAULT_CREWS"
STORM = "BUSBAR_FAULT_STORM"
SWITCHING = "BUSBAR_FAULT_SWITCHING"

MODES = ("manual", "auto", "off")


class Rules(Struct, frozen=True, kw_only=True):
    """How this utility wants its faults managed.

    Attributes:
        zone: the time zone in which callers are told the time.
        crews: how many crews work at the same time in a storm.
        switching: whether isolation and restoration are drafted for an operator (``manual``), carried out by themselves
            (``auto``), or not thought of (``off``).
        storm: with more open outages than this it is a storm, and estimates are made of the whole queue.
    """

    zone: ZoneInfo
    crews: int
    storm: int
    switching: str


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
    switching = environ.get(SWITCHING, MODES[0])
    if switching not in MODES:
        raise ValueError(f"{SWITCHING} is '{switching}', and may be {', '.join(MODES)}")
    return Rules(
        zone=zone, crews=_number(environ, CREWS, "4"), storm=_number(environ, STORM, "12"), switching=switching
    )


def _number(environ: Mapping[str, str], name: str, default: str) -> int:
    text = environ.get(name, default)
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{name} is '{text}', which is no whole number from 1 on")
    return int(text)
