"""``python -m tests.fuzz [--seconds S] [TARGET ...]``: fuzz each decoder for so long, and tell what came of it.

The first inputs are made of the golden examples. A target fails by any exception that is not Malformed, by a message
that is not equal to itself when it is written and read again, by an input that takes more than ``LONGEST_S``, and when
the process grows beyond ``MOST_RSS_MIB``. The input at fault is kept, and its file is named.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.targets import TARGETS, seeds

SECONDS = 60
LONGEST_S = 20
MOST_RSS_MIB = 256
"""A process that has imported everything has about 60 MiB; the rest is room for the largest input and the corpus."""

LARGEST_INPUT = 1 << 16

_FOUND = re.compile(r"^stat::(number_of_executed_units|peak_rss_mb):\s*(\d+)$", re.MULTILINE)
_MISSING = (
    "There is no atheris in this environment. `make install` brings it along on Linux (x86-64, CPython 3.11 to 3.13);\n"
    "elsewhere build it from source: pip install atheris needs clang with libFuzzer.\n"
    "`pytest tests/fuzz` mutates the same examples without it.\n"
)


def main() -> int:
    """Fuzz the targets that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the decoders.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"for each target, {SECONDS} by default")
    wanted = parser.parse_args()
    if find_spec("atheris") is None:
        sys.stderr.write(_MISSING)
        return 2
    if unknown := set(wanted.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    failed = [target for target in wanted.targets or TARGETS if not fuzz(target, wanted.seconds)]
    sys.stdout.write(f"Defects in {', '.join(failed)}.\n" if failed else "No defect was found.\n")
    return 1 if failed else 0


def fuzz(target: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own; True when nothing was found."""
    kept = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as corpus:
        for place, seed in enumerate(seeds(target)):
            (Path(corpus) / f"{place:04d}").write_bytes(seed)
        options = {
            "max_total_time": seconds,
            "timeout": LONGEST_S,
            "rss_limit_mb": MOST_RSS_MIB,
            "max_len": LARGEST_INPUT,
            "artifact_prefix": f"{kept}/",
            "print_final_stats": 1,
            "verbosity": 0,
        }
        command = [sys.executable, "-m", "tests.fuzz.run", target, corpus]
        command += [f"-{name}={value}" for name, value in options.items()]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    told = done.stdout.decode(errors="replace")
    numbers = dict(_FOUND.findall(told))
    inputs, memory = numbers.get("number_of_executed_units", "?"), numbers.get("peak_rss_mb", "?")
    sys.stdout.write(f"{target:12} {inputs:>9} inputs  {memory:>4} MiB at most\n")
    if done.returncode == 0:
        kept.rmdir()
        return True
    sys.stdout.write(f"{told}\nThe input at fault is in {kept}.\n")
    return False


if __name__ == "__main__":
    sys.exit(main())
