"""``python -m tests.speed.footprint [--json]``: what the whole DMS takes at rest, with both of its servers.

`busbar up` is started with a state of its own; it says itself how long it took to be ready. Then it is left alone.
Memory is the proportional set size of the process and all that descend from it (``/proc/PID/smaps_rollup``), so that
what PostgreSQL's processes share counts once. CPU is what all of them used from one end of the rest to the other
(``/proc/PID/stat``: utime, stime, and those of children that ended and were waited for), as a share of one core.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct, to_builtins

READY = re.compile(r"^Ready in ([0-9.]+) s: .* (\d+) services")
LIMIT_MIB = 1229
LIMIT_READY_S = 10.0
LIMIT_CPU = 0.05

_TICKS = os.sysconf("SC_CLK_TCK")
_SERVERS = {"postgres": "database", "nats-server": "broker"}


class Footprint(Struct, frozen=True, kw_only=True):
    """What the DMS takes.

    Attributes:
        pss_mib: MiB, by part: services, database, broker.
        rest_s: how long it was left alone.
        cpu: cores in use at rest, by part.
    """

    network: str
    services: int
    ready_s: float
    pss_mib: dict[str, float]
    rest_s: float
    cpu: dict[str, float]

    @property
    def small(self) -> bool:
        """Within the limits of memory, start and rest."""
        total_mib, cores = sum(self.pss_mib.values()), sum(self.cpu.values())
        return total_mib <= LIMIT_MIB and self.ready_s <= LIMIT_READY_S and cores < LIMIT_CPU


def measure(network: str, settle_s: float, rest_s: float) -> Footprint:
    """Start a DMS, leave it alone, and say what it took.

    Raises:
        RuntimeError: it did not get ready.
    """
    with tempfile.TemporaryDirectory(prefix="busbar-footprint-") as state, _up(network, state) as (process, ready):
        time.sleep(settle_s)
        before, began = _used_s(process.pid), time.monotonic()
        time.sleep(rest_s)
        after, took_s = _used_s(process.pid), time.monotonic() - began
        return Footprint(
            network=network,
            services=int(ready[2]),
            ready_s=float(ready[1]),
            pss_mib=_pss_mib(process.pid),
            rest_s=round(took_s, 1),
            cpu={part: round((after[part] - before.get(part, 0.0)) / took_s, 4) for part in sorted(after)},
        )


@contextmanager
def _up(network: str, state: str) -> Iterator[tuple[subprocess.Popen[str], re.Match[str]]]:
    command = [sys.executable, "-m", "services", "up", "--network", network]
    environ = os.environ | {"BUSBAR_STATE": state, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = next((found for line in process.stdout if (found := READY.match(line))), None)
        if ready is None:
            raise RuntimeError("busbar up ended before it was ready")
        yield process, ready
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _tree(pid: int) -> Iterator[tuple[int, str]]:
    """A process and all that descend from it, each with the part of the DMS that it is."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            children.setdefault(int(_stat(path)[1]), []).append(int(path.parent.name))
    waiting = [(pid, "services")]
    while waiting:
        each, part = waiting.pop()
        with suppress(FileNotFoundError, ProcessLookupError):
            name = Path(f"/proc/{each}/comm").read_text(encoding="utf-8").strip()
            part = _SERVERS.get(name, part)
            yield each, part
        waiting += [(child, part) for child in children.get(each, [])]


def _stat(path: Path) -> list[str]:
    """The fields after the name of the command, which may hold blanks: state, parent ..."""
    return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _used_s(pid: int) -> dict[str, float]:
    used: dict[str, float] = {}
    for each, part in _tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = _stat(Path(f"/proc/{each}/stat"))
            used[part] = used.get(part, 0.0) + sum(int(ticks) for ticks in fields[11:15]) / _TICKS
    return used


def _pss_mib(pid: int) -> dict[str, float]:
    held: dict[str, float] = {}
    for each, part in _tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text(encoding="utf-8").splitlines():
                if line.startswith("Pss:"):
                    held[part] = held.get(part, 0.0) + int(line.split()[1]) / 1024
    return {part: round(mib, 1) for part, mib in sorted(held.items())}


def main() -> int:
    """Measure and print; 0 when all is within the limits."""
    parser = argparse.ArgumentParser(description="What the whole DMS takes at rest, with both servers.")
    parser.add_argument("--network", default="town")
    parser.add_argument("--settle", type=float, default=20.0, help="seconds before the rest is measured")
    parser.add_argument("--rest", type=float, default=60.0, help="seconds of rest")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.network, asked.settle, asked.rest)
    if asked.json:
        print(json.dumps(to_builtins(found) | {"small": found.small}))
    else:
        print(f"{found.network}: {found.services} services, ready in {found.ready_s:.1f} s")
        print(f"memory {sum(found.pss_mib.values()):.0f} MiB: {found.pss_mib}")
        print(f"CPU at rest {sum(found.cpu.values()):.1%} of a core over {found.rest_s:.0f} s: {found.cpu}")
    return 0 if found.small else 1


if __name__ == "__main__":
    sys.exit(main())
