"""The settings of meter reading and control, from the environment."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import MsgspecError, Struct, field, json

from services.meter_reading_and_control.domain.events import Generation
from services.meter_reading_and_control.domain.guards import Rules, moratorium_from
from services.meter_reading_and_control.domain.roster import Roster
from services.meter_reading_and_control.domain.success import CUT_OFF_DAYS
from services.meter_reading_and_control.domain.tamper import CASE, WEIGHTS, Sign
from services.meter_reading_and_control.domain.time_of_use import TariffCalendar
from services.meter_reading_and_control.domain.vee.profiles import Profile
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS, RuleSet

T = TypeVar("T")

VARIABLE = "BUSBAR_METER_EVENT_CODES"
ZONE_VARIABLE = "BUSBAR_METER_TIME_ZONE"
READ_VARIABLE = "BUSBAR_METER_READ_PATIENCE"
TOP_UP_VARIABLE = "BUSBAR_METER_TOP_UP"
WEIGHTS_VARIABLE = "BUSBAR_METER_TAMPER_WEIGHTS"
CASE_VARIABLE = "BUSBAR_METER_TAMPER_CASE"
KEPT_VARIABLE = "BUSBAR_METER_KEPT_DAYS"
VERSIONS_VARIABLE = "BUSBAR_METER_VERSIONS_DAYS"
CUT_OFF_VARIABLE = "BUSBAR_METER_CUT_OFF"
MOST_VARIABLE = "BUSBAR_METER_DISCONNECTIONS"
FEEDER_VARIABLE = "BUSBAR_METER_DISCONNECTIONS_OF_FEEDER"
RATE_VARIABLE = "BUSBAR_METER_HEAD_END_RATE"
COLLECTOR_VARIABLE = "BUSBAR_METER_COLLECTOR_RATE"
SILENT_VARIABLE = "BUSBAR_METER_SILENT_AFTER"
JUDGE_AFTER_VARIABLE = "BUSBAR_METER_JUDGE_AFTER"
JUDGE_LATE_VARIABLE = "BUSBAR_METER_JUDGE_LATE"
STORM_LEAST_VARIABLE = "BUSBAR_METER_STORM_LEAST"
STORM_VARIABLE = "BUSBAR_METER_STORM_GASPS"
RULE_SETS_VARIABLE = "BUSBAR_METER_RULE_SETS"
PROFILES_VARIABLE = "BUSBAR_METER_PROFILES"
CALENDARS_VARIABLE = "BUSBAR_METER_TARIFF_CALENDARS"
MORATORIUM_VARIABLE = "BUSBAR_METER_MORATORIUM"
READ_DAYS_VARIABLE = "BUSBAR_METER_READ_DAYS"
OUTSIDERS_VARIABLE = "BUSBAR_METER_OUTSIDERS"

MOST = 100_000
"""The largest number that is taken: of seconds more than a day, of days more than anybody keeps."""


class Config(Struct, frozen=True, kw_only=True):
    """What is set for one installation.

    Attributes:
        generation: whose event codes are passed on.
        zone: where the market day begins at midnight.
        read_patience: how long a meter that is read now may take to answer.
        top_up: how long after a time of a schedule, and after that, what has not come is asked for.
        cut_off: how long after it what has not come is missing.
        kept: how old a reading may be; months that are older go.
        versions: for how long after its month each version of a value is kept, to be asked for as of a time.
        tamper_weights: what each sign of tampering weighs.
        tamper_case: from which score on people are asked to look.
        guards: what must not be disconnected.
        head_end_rate: how many controls one head-end is sent in a second.
        collector_rate: how many of them are for the meters of one collector.
        storm_rate: so many last gasps a second, for a minute, are a storm.
        silent_after: so many controls that a head-end or collector does not answer are its silence, not that of meters.
        judge_after: how long after its end a market day is judged.
        judge_late: how long what comes later is gathered before its days are judged again; at most twice that.
        storm_least: in an area of fewer usage points gaps are estimated in storms as well.
        read_days: so many days after a market day, at six, its reads are counted.
        outsiders: roles that are given sums in which nobody can be known, and no other readings.
        rule_sets: by which days are judged.
        profiles: how days of classes of usage points look.
        calendars: into which buckets of tariffs intervals fall.
        known: what the process remembers of meters.
    """

    generation: Generation
    zone: ZoneInfo
    read_patience: timedelta
    top_up: timedelta
    cut_off: timedelta
    kept: timedelta
    versions: timedelta
    tamper_weights: Mapping[Sign, int]
    tamper_case: int
    guards: Rules
    head_end_rate: int
    collector_rate: int
    silent_after: int
    judge_after: timedelta
    judge_late: timedelta
    storm_least: int
    storm_rate: int
    read_days: tuple[int, ...] = CUT_OFF_DAYS
    outsiders: frozenset[str] = frozenset()
    rule_sets: tuple[RuleSet, ...] = (INTERVALS,)
    profiles: tuple[Profile, ...] = ()
    calendars: tuple[TariffCalendar, ...] = ()
    known: Roster = field(default_factory=Roster)


def config_from(environ: Mapping[str, str]) -> Config:
    """The settings; the first generation of codes, UTC and a minute, unless the environment says otherwise.

    Raises:
        ValueError: a variable says something that it cannot say.
    """
    return Config(
        generation=generation_from(environ),
        zone=zone_from(environ),
        read_patience=timedelta(seconds=number_from(environ, READ_VARIABLE, 60)),
        top_up=timedelta(seconds=number_from(environ, TOP_UP_VARIABLE, 3600)),
        cut_off=timedelta(seconds=number_from(environ, CUT_OFF_VARIABLE, 86_400)),
        kept=timedelta(days=number_from(environ, KEPT_VARIABLE, 3650)),
        versions=timedelta(days=number_from(environ, VERSIONS_VARIABLE, 1095)),
        tamper_weights=weights_from(environ),
        tamper_case=number_from(environ, CASE_VARIABLE, CASE),
        guards=Rules(
            most_in_an_hour=number_from(environ, MOST_VARIABLE, 50),
            percent_of_feeder=number_from(environ, FEEDER_VARIABLE, 1),
            moratorium=moratorium_from(environ.get(MORATORIUM_VARIABLE, "")),
        ),
        head_end_rate=number_from(environ, RATE_VARIABLE, 100),
        collector_rate=number_from(environ, COLLECTOR_VARIABLE, 10),
        storm_rate=number_from(environ, STORM_VARIABLE, 20),
        silent_after=number_from(environ, SILENT_VARIABLE, 20),
        judge_after=timedelta(seconds=number_from(environ, JUDGE_AFTER_VARIABLE, 21_600)),
        judge_late=timedelta(seconds=number_from(environ, JUDGE_LATE_VARIABLE, 3600)),
        storm_least=number_from(environ, STORM_LEAST_VARIABLE, 100),
        read_days=days_from(environ),
        outsiders=frozenset(environ.get(OUTSIDERS_VARIABLE, "").replace(",", " ").split()),
        rule_sets=rule_sets_from(environ),
        profiles=profiles_from(environ),
        calendars=calendars_from(environ),
    )


def generation_from(environ: Mapping[str, str]) -> Generation:
    """Which generation of event codes is passed on; the first, unless the environment says otherwise.

    Raises:
        ValueError: the variable says something else than ``first`` or ``second``.
    """
    text = environ.get(VARIABLE, Generation.FIRST.value)
    if text not in set(Generation):
        raise ValueError(f"{VARIABLE} is '{text}'; it may be 'first' or 'second'")
    return Generation(text)


def zone_from(environ: Mapping[str, str]) -> ZoneInfo:
    """The zone of the market days; UTC, unless the environment says otherwise.

    Raises:
        ValueError: there is no such zone.
    """
    text = environ.get(ZONE_VARIABLE, "UTC")
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{ZONE_VARIABLE} is '{text}', which is no time zone") from error


def number_from(environ: Mapping[str, str], variable: str, usual: int) -> int:
    """A number of seconds or days; the usual one, unless the environment says otherwise.

    Raises:
        ValueError: the variable says no whole number from 1 to a hundred thousand.
    """
    text = environ.get(variable, str(usual))
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST:
        raise ValueError(f"{variable} is '{text}'; it must be a whole number from 1 to 100000")
    return int(text)


def days_from(environ: Mapping[str, str]) -> tuple[int, ...]:
    """How many days after a market day its reads are counted; 1, 3 and 10, unless the environment says otherwise.

    Raises:
        ValueError: the variable says something else than rising whole numbers with commas between them.
    """
    text = environ.get(READ_DAYS_VARIABLE, ",".join(map(str, CUT_OFF_DAYS)))
    words = text.replace(" ", "").split(",")
    found = tuple(int(each) for each in words if each.isascii() and each.isdigit())
    if len(found) < len(words) or found[0] == 0 or sorted(set(found)) != list(found):
        raise ValueError(f"{READ_DAYS_VARIABLE} is '{text}'; it must be whole numbers that rise, such as '1,3,10'")
    return found


def weights_from(environ: Mapping[str, str]) -> Mapping[Sign, int]:
    """What each sign of tampering weighs; those of the guide, unless the environment says otherwise.

    Raises:
        ValueError: the variable does not say signs with whole numbers, as in ``tamper:4,loadSideVoltage:5``.
    """
    said = dict(WEIGHTS)
    for each in environ.get(WEIGHTS_VARIABLE, "").replace(" ", "").split(","):
        name, _, weight = each.partition(":")
        if each and (name not in set(Sign) or not weight.isascii() or not weight.isdigit()):
            raise ValueError(
                f"{WEIGHTS_VARIABLE} says '{each}'; it may say one of {', '.join(Sign)}, a colon, a number"
            )
        if each:
            said[Sign(name)] = int(weight)
    return said


def rule_sets_from(environ: Mapping[str, str]) -> tuple[RuleSet, ...]:
    """The rule set that stands, and those of the JSON file that the environment names.

    Raises:
        ValueError: there is no such file, it holds no list of rule sets, or two are of one id and version.
    """
    path, told = _listed(environ, RULE_SETS_VARIABLE, RuleSet)
    found = (INTERVALS, *told)
    if len({(each.id, each.version) for each in found}) < len(found):
        raise ValueError(f"{RULE_SETS_VARIABLE} is '{path}': two rule sets have one id and version")
    return found


def profiles_from(environ: Mapping[str, str]) -> tuple[Profile, ...]:
    """The load profiles of the JSON file that the environment names; none where it names none.

    Raises:
        ValueError: there is no such file, it holds no list of profiles, or two are of one class.
    """
    path, found = _listed(environ, PROFILES_VARIABLE, Profile)
    if len({each.of_class for each in found}) < len(found):
        raise ValueError(f"{PROFILES_VARIABLE} is '{path}': two profiles are of one class")
    return found


def calendars_from(environ: Mapping[str, str]) -> tuple[TariffCalendar, ...]:
    """The tariff calendars of the JSON file that the environment names; none where it names none.

    Raises:
        ValueError: there is no such file, it holds no list of calendars, or two begin on one day.
    """
    path, found = _listed(environ, CALENDARS_VARIABLE, TariffCalendar)
    if len({each.since for each in found}) < len(found):
        raise ValueError(f"{CALENDARS_VARIABLE} is '{path}': two calendars begin on one day")
    return found


def _listed(environ: Mapping[str, str], variable: str, kind: type[T]) -> tuple[str, tuple[T, ...]]:
    """The path of the JSON file that a variable names, and the list in it; nothing where it names none."""
    path = environ.get(variable, "")
    try:
        return path, json.decode(Path(path).read_bytes(), type=tuple[kind, ...]) if path else ()  # type: ignore[valid-type]
    except (OSError, MsgspecError) as error:
        raise ValueError(f"{variable} is '{path}': {error}") from error
