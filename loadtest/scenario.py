"""What a run does, as it is written in YAML: the fleet, the loads with their rates, the faults, what it is held to."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import yaml
from msgspec import Meta, Struct

from loadtest.schedule import Arrivals
from shared.fleet.metering import Fleet

FOLDER = Path(__file__).parent / "scenarios"

MOST_METERS = 1_000_000
_DAY_HOURS = 24

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]


class ScenarioError(ValueError):
    """A scenario that cannot be run; the text says why."""


class What(StrEnum):
    """What a load tells or asks."""

    WAVE = "wave"
    """One interval of many meters a message, interval after interval."""

    DAY_BLOCKS = "day_blocks"
    """A day of some meters a message, day after day."""

    GASPS = "gasps"
    """Meters that tell that they lose their power; each meter once."""

    CONTROLS = "controls"
    """A person asks for connects; the head-end, which the driver plays, answers."""

    PINGS = "pings"
    """On-demand: is the meter there?"""

    QUERIES = "queries"
    """The readings of one usage point on the days of the run."""


class Encoding(StrEnum):
    """How messages are written."""

    COMPACT = "compact"
    MSGPACK = "msgpack"
    JSON = "json"
    XML = "xml"


class Load(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stream of messages in the run.

    Attributes:
        what: what they say.
        per_s: how many readings, events or requests are due in a second.
        per_message: meters (of waves and blocks) or events a message.
        encoding: of what is told; questions are asked in MessagePack.
        arrivals: how they are spread.
        start_s, for_s: when in the run; for 0 until its end.
        first_day: how many days after the first day of the scenario its values begin.
        hours: of day blocks, the last hours of the day alone, as they are left when a head-end was away; 0: the day.
        meters: the first meters of the fleet alone; 0: all.
        once: waves or blocks tell each meter once, which takes as long as ``per_s`` says, instead of until the end.
    """

    what: What
    per_s: Annotated[float, Meta(gt=0)]
    per_message: Positive = 1
    encoding: Encoding = Encoding.MSGPACK
    arrivals: Arrivals = Arrivals.CONSTANT
    start_s: Seconds = 0
    for_s: Seconds = 0
    first_day: Annotated[int, Meta(ge=0)] = 0
    hours: Annotated[int, Meta(ge=0, le=24)] = 0
    meters: Annotated[int, Meta(ge=0)] = 0
    once: bool = False
    name: str = ""


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is killed, and when in the run: a role, ``nats`` or ``postgres``; whoever keeps it starts it again."""

    at_s: Seconds
    kill: str


class Ratio(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The 99th percentile of a load may be so many times that of another load of the same run."""

    of: str
    most: Annotated[float, Meta(gt=0)]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the result is held against.

    Attributes:
        p99_ms: for the name of a load, the 99th percentile that it may reach from the intended start.
        p99_ratio: the same, held against another load, such as one of the calm before the storm.
        readings_per_s: the least rate.
        ratio_to_raw_limit: the least share of the raw limit.
    """

    p99_ms: dict[str, float] = {}
    p99_ratio: dict[str, Ratio] = {}
    readings_per_s: float = 0
    ratio_to_raw_limit: float = 0

    @property
    def named(self) -> set[str]:
        """The loads that it speaks of."""
        return {*self.p99_ms, *self.p99_ratio, *(ratio.of for ratio in self.p99_ratio.values())}


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run.

    Attributes:
        title: one sentence.
        role: whose readings are asked for and whose backlog is watched.
        roles: what runs where the driver makes the deployment itself.
        meters, seed, zone, interval_s, day: the fleet, and the first day of its values.
        duration_s, warm_up_s: how long loads run, and how much of that at the beginning does not count.
        drain_s: how long the system may take afterwards to get done.
        generators: processes that make the load.
        lag_limit_ms: a run in which the generator itself is later than this in one of a hundred messages is invalid.
        window: messages of a generator that may be unacknowledged by the broker.
        sample: usage points that are read back one by one; 0 for all.
        kept_in: the tables in which the role keeps what it is told, for the raw limit of the same rows.
    """

    title: str
    name: str = ""
    role: str = "meter-reading-and-control"
    roles: tuple[str, ...] = ("meter-reading-and-control",)
    meters: Positive = 1000
    seed: int = 1
    zone: str = "Europe/Berlin"
    interval_s: Positive = 900
    day: date = date(2024, 1, 8)
    duration_s: Annotated[float, Meta(gt=0)] = 20
    warm_up_s: Seconds = 2
    drain_s: Annotated[float, Meta(gt=0)] = 60
    generators: Positive = 1
    lag_limit_ms: Annotated[float, Meta(gt=0)] = 50
    window: Positive = 256
    sample: Annotated[int, Meta(ge=0)] = 0
    kept_in: tuple[str, ...] = ("block", "tail")
    loads: Annotated[tuple[Load, ...], Meta(min_length=1)]
    faults: tuple[Fault, ...] = ()
    limits: Limits = Limits()

    @property
    def installed(self) -> int:
        """How many meters must be known to the system: all but those that only tell that they lose their power."""
        return max((load.meters or self.meters for load in self.loads if load.what is not What.GASPS), default=0)

    def lasts_s(self, load: Load) -> float:
        """How long a load runs."""
        if load.once:
            values = 1 if load.what is What.WAVE else (load.hours or _DAY_HOURS) * 3600 // self.interval_s
            return (load.meters or self.meters) * values / load.per_s
        return load.for_s or self.duration_s - load.start_s

    def fleet(self) -> Fleet:
        """The meters."""
        return Fleet(self.seed, self.meters, ZoneInfo(self.zone), self.interval_s)


def named(name: str) -> Scenario:
    """The scenario of a name or of a file.

    Raises:
        ScenarioError: there is none, or it cannot be read.
    """
    file = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not file.is_file():
        raise ScenarioError(f"there is no scenario '{name}'; there are {', '.join(names())}")
    return read(file.read_text(encoding="utf-8"), file.stem)


def read(text: str, name: str) -> Scenario:
    """The scenario that YAML says.

    Raises:
        ScenarioError: it is none, or what it says cannot be.
    """
    try:
        found = msgspec.convert(yaml.safe_load(text), Scenario)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ScenarioError(f"scenario '{name}': {error}") from None
    loads = tuple(msgspec.structs.replace(load, name=load.name or load.what.value) for load in found.loads)
    return checked(msgspec.structs.replace(found, name=name, loads=loads))


def checked(scenario: Scenario) -> Scenario:
    """The same scenario, if it can be.

    Raises:
        ScenarioError: it cannot.
    """
    problems = {
        "two loads have one name": len({load.name for load in scenario.loads}) < len(scenario.loads),
        "it warms up for longer than it runs": scenario.warm_up_s >= scenario.duration_s,
        "a load begins after the end": any(load.start_s >= scenario.duration_s for load in scenario.loads),
        "a limit is for no load": not scenario.limits.named <= {load.name for load in scenario.loads},
        "a fleet has 1 to 1,000,000 meters": not 1 <= scenario.meters <= MOST_METERS,
        "what is told once is not told by the end; let it run longer": any(
            load.start_s + scenario.lasts_s(load) > scenario.duration_s for load in scenario.loads if load.once
        ),
        "only waves and blocks can be told once": any(
            load.once and load.what not in {What.WAVE, What.DAY_BLOCKS} for load in scenario.loads
        ),
        "there is no generator": scenario.generators < 1,
        "a load has more meters than the fleet": any(load.meters > scenario.meters for load in scenario.loads),
    }
    for problem, there in problems.items():
        if there:
            raise ScenarioError(f"scenario '{scenario.name}': {problem}")
    return scenario


def names() -> list[str]:
    """The scenarios that come with the driver."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))
