"""The settings of compliance management, from the environment: how a utility counts."""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from contracts.nouns.reliability_indices import ComparisonKind, CountingRules, DeviationKind

ZONE = "BUSBAR_INDEX_TIME_ZONE"
DEVIATION = "BUSBAR_INDEX_DEVIATION"
CEMI = "BUSBAR_INDEX_CEMI"
CELID = "BUSBAR_INDEX_CELID_HOURS"

_CEMI = re.compile(r"(>=?)([1-9]\d?)")


def zone_named(name: str) -> ZoneInfo:
    """A time zone of the IANA data base.

    Raises:
        ValueError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is no time zone of the IANA data base") from error


def rules_from(environ: Mapping[str, str]) -> CountingRules:
    """How interruptions are counted where the asker does not say otherwise.

    Raises:
        ValueError: a variable cannot be what it is set to.
    """
    zone, deviation = environ.get(ZONE, "UTC"), environ.get(DEVIATION, DeviationKind.SAMPLE.value)
    cemi, hours = environ.get(CEMI, ">=4"), environ.get(CELID, "8")
    zone_named(zone)
    if deviation not in set(DeviationKind):
        raise ValueError(f"{DEVIATION} is '{deviation}'; it may be 'sample' or 'population'")
    many = _CEMI.fullmatch(cemi)
    if many is None:
        raise ValueError(f"{CEMI} is '{cemi}'; it may be '>=' or '>' with a number from 1 to 99, such as '>=4'")
    if not re.fullmatch(r"[1-9]\d{0,2}", hours):
        raise ValueError(f"{CELID} is '{hours}'; it may be a whole number of hours from 1 to 999")
    return CountingRules(
        celid_hours=float(hours),
        cemi_comparison=ComparisonKind.AT_LEAST if many[1] == ">=" else ComparisonKind.MORE_THAN,
        cemi_interruptions=int(many[2]),
        deviation=DeviationKind(deviation),
        time_zone=zone,
    )
