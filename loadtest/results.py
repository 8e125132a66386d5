"""What a whole run came to: its rounds, their medians, and the file in which it is kept."""

import math
import os
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from loadtest.rounds import Round
from loadtest.scenario import Scenario

FORMAT = 1
"""Grows when a reader of the file would have to know."""


class Result(Struct, kw_only=True):
    """A run, as it is kept and printed.

    Attributes:
        valid: every round was.
        readings_per_s: the median of what the role had stored in a second, after warm-up.
        ratio_to_raw_limit: the median of the rounds, each with its own raw limit; None where none was measured.
        lost, doubled, wrong: values over all rounds, from what was read back.
        p99_ms: for each load the median of its 99th percentiles from the intended start.
        reached: what the scenario asks for, and whether it was reached.
        search: rates that were tried, with whether each was borne.
        parsing: of each load, see :func:`~loadtest.limits.parsing`.
        peers: what others make of the same work.
    """

    format: int = FORMAT
    scenario: str
    title: str
    at: datetime
    valid: bool
    reasons: tuple[str, ...]
    readings_per_s: float
    ratio_to_raw_limit: float | None
    lost: int
    doubled: int
    wrong: int
    p99_ms: dict[str, float]
    stored_p99_ms: dict[str, float]
    reached: dict[str, bool]
    rounds: list[Round]
    environment: dict[str, Any]
    settings: Scenario
    search: list[tuple[float, bool]] = field(default_factory=list)
    parsing: dict[str, dict[str, float]] = field(default_factory=dict)
    peers: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Under which it is kept."""
        return f"{self.at:%Y%m%dT%H%M%S}-{self.scenario}"


def summed(scenario: Scenario, rounds: list[Round], environment: dict[str, Any]) -> Result:
    """The result of some rounds."""
    ratios = [each.ratio_to_raw_limit for each in rounds if each.ratio_to_raw_limit is not None]
    rate = statistics.median(each.readings_per_s for each in rounds)
    ratio = round(statistics.median(ratios), 4) if ratios else None
    p99 = {name: _median(rounds, name, "acknowledged") for name in rounds[0].loads}
    limits = scenario.limits
    reached = {f"p99 of {name} at most {most:g} ms": p99[name] <= most for name, most in limits.p99_ms.items()}
    for name, share in limits.p99_ratio.items():
        times = p99[name] / p99[share.of] if p99[share.of] else math.inf
        reached[f"p99 of {name} at most {share.most:g} times that of {share.of}: {times:.2f}"] = times <= share.most
    if limits.readings_per_s:
        reached[f"at least {limits.readings_per_s:,.0f} readings a second"] = rate >= limits.readings_per_s
    if limits.ratio_to_raw_limit:
        reached[f"at least {limits.ratio_to_raw_limit:g} of the raw limit"] = (ratio or 0) >= limits.ratio_to_raw_limit
    return Result(
        scenario=scenario.name,
        title=scenario.title,
        at=datetime.now(UTC).replace(microsecond=0),
        valid=all(each.valid for each in rounds),
        reasons=tuple(dict.fromkeys(reason for each in rounds for reason in each.reasons)),
        readings_per_s=round(rate, 1),
        ratio_to_raw_limit=ratio,
        lost=sum(each.lost for each in rounds),
        doubled=sum(each.doubled for each in rounds),
        wrong=sum(each.wrong for each in rounds),
        p99_ms=p99,
        stored_p99_ms={name: _median(rounds, name, "stored") for name in rounds[0].loads},
        reached=reached,
        rounds=rounds,
        environment=environment,
        settings=scenario,
    )


def keep(result: Struct, name: str, folder: Path) -> Path:
    """Write a result into ``folder`` under a name; the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return file


def kept(file: Path) -> Result:
    """A result that was kept.

    Raises:
        ValueError: it is none.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{file} is no result: {error}") from None


def results(folder: Path) -> list[Result]:
    """All results of a folder, the oldest first."""
    return sorted((kept(file) for file in folder.glob("*.json")), key=lambda each: each.at)


def place() -> Path:
    """Where results are kept, unless somebody says otherwise."""
    return Path(os.environ.get("BUSBAR_STATE", ".busbar")) / "loadtest"


def _median(rounds: list[Round], load: str, which: str) -> float:
    found: list[float] = [getattr(each.loads[load], which)["p99"] for each in rounds]
    return round(statistics.median(found), 3)
