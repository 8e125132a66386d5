"""``python -m tests.nightly``: the storm of the README with other seeds, and with faults in the machinery.

Each seed is a storm of its own on servers of its own; a line is printed for each, and the distribution at the end. The
exit code is 1 when one breaks a promise: every fault understood, at least ten of twelve before a crew was there, nobody
in the dark, no message lost, no effect twice, no gap, and customer-minutes as in truth.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from math import isclose
from os import environ
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHAOS = ("kill", "freeze", "nats", "postgres")
FAULTS = 12
PREDICTED = 10 / 12
"""The share of faults that is to be known before a crew is there."""


def main(words: Sequence[str] | None = None) -> int:
    """Play the storms; 0 when all kept what is promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.nightly", description=__doc__.partition("\n")[0])
    parser.add_argument("--first", type=int, default=101, help="the first seed")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds")
    parser.add_argument("--faults", type=int, default=FAULTS)
    parser.add_argument("--network", default="town")
    parser.add_argument("--no-chaos", action="store_true", help="leave out the storms with faults in the machinery")
    given = parser.parse_args(words)
    storm = ("--network", given.network, "--faults", str(given.faults))
    found = [_played(seed, *storm) for seed in range(given.first, given.first + given.seeds)]
    if not given.no_chaos:
        calm = next((each for each in found if each), None) or _played(given.first, *storm)
        for kind in CHAOS:
            struck = _played(given.first, *storm, "--chaos", kind)
            found.append(struck)
            if struck is not None and calm is not None and struck["truth"] != calm["truth"]:
                print(f"seed {given.first} with {kind}: another storm than without")
                found.append(None)
    _distribution([each for each in found if each is not None])
    return 0 if all(each is not None and not _broken(each) for each in found) else 1


def _played(seed: int, *words: str) -> dict[str, Any] | None:
    """The report of a storm; None where it gave none."""
    with tempfile.TemporaryDirectory(prefix="busbar-nightly-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "services", "storm", "--json", "--seed", str(seed), *words],
            cwd=ROOT,
            env={**environ, "BUSBAR_STATE": str(Path(folder) / "state")},
            capture_output=True,
            text=True,
            check=False,
        )
    name = f"seed {seed}" + (f" with {words[-1]}" if "--chaos" in words else "")
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        print(f"{name}: no report; exit code {done.returncode}\n{done.stderr[-2000:]}", flush=True)
        return None
    broken = _broken(report)
    told = f"{report['matched']} of {report['faults']} understood, {report['predicted_right']} before a crew"
    blows = f", {len(report['blows'])} blows" if report["chaos"] else ""
    print(f"{name}: {told}, {report['real_s']:.0f} s{blows}; {', '.join(broken) or 'all promises kept'}", flush=True)
    return report


def _broken(report: dict[str, Any]) -> list[str]:
    """The promises that a storm did not keep, in words."""
    minutes, told = report["truth"]["customer_minutes"], report["ledger"]["customer_minutes"]
    promises = {
        f"{report['matched']} of {report['faults']} understood": report["matched"] == report["faults"],
        f"{report['predicted_right']} known before a crew": report["predicted_right"] >= PREDICTED * report["faults"],
        f"{report['customers_dark_at_end']} in the dark": report["customers_dark_at_end"] == 0,
        f"{report['messages_lost']} messages lost": report["messages_lost"] == 0,
        f"{report['effects_doubled']} effects doubled": report["effects_doubled"] == 0,
        f"{report['sequence_gaps']} gaps": report["sequence_gaps"] == 0,
        f"{told} customer-minutes reported of {minutes}": isclose(minutes, told, rel_tol=1e-6, abs_tol=1e-3),
        "nothing was struck": report["chaos"] is None or bool(report["blows"]),
    }
    return [sentence for sentence, kept in promises.items() if not kept]


def _distribution(reports: Iterable[dict[str, Any]]) -> None:
    reports = list(reports)
    if not reports:
        return
    print(f"\n{len(reports)} storms; least, median and greatest of")
    for title, values in (
        ("faults known before a crew", [each["predicted_right"] for each in reports]),
        ("customers interrupted", [each["customers_interrupted"] for each in reports]),
        ("SAIDI in truth, minutes", [each["truth"]["saidi"] for each in reports]),
        ("score", [each["score"]["percent"] for each in reports if each["score"]]),
        ("hours of the storm", [each["granted_s"] / 3600 for each in reports]),
        ("seconds it took", [each["real_s"] for each in reports]),
    ):
        if values:
            print(f"  {title:28} {min(values):10.1f} {median(values):10.1f} {max(values):10.1f}")


if __name__ == "__main__":
    sys.exit(main())
