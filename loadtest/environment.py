"""The card of a run: on what it ran, and how durable that is; no figure means anything without it."""

import os
import platform
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from loadtest.deployment import Deployment
from loadtest.watching import connected

FSYNC_S = 0.5
_BLOCK = b"\0" * 8192


def fsyncs_per_s(folder: Path) -> float:
    """How often in a second a block of 8 KiB can be written and forced to the disk below ``folder``."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        count, began = 0, time.monotonic()
        while time.monotonic() - began < FSYNC_S:
            file.seek(0)
            file.write(_BLOCK)
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - began)


async def card(deployment: Deployment, sync_interval: str | None) -> dict[str, Any]:
    """What a reader must know of the machine, the versions and the durability."""
    told: dict[str, Any] = {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("nats-py", "asyncpg", "msgspec", "numpy", "uvloop")},
        "revision": _revision(),
        "load_average": round(os.getloadavg()[0], 2),
        "sync_interval": sync_interval or "not known: the servers are not ours",
    }
    if deployment.servers is not None:
        told["fsync_per_s"] = round(fsyncs_per_s(deployment.settings.state_dir))
    if deployment.administrator is not None:
        connection = await connected(deployment.administrator)
        try:
            for name in ("server_version", "synchronous_commit", "fsync", "shared_buffers", "max_wal_size"):
                told[f"postgres_{name}"] = await connection.fetchval("SELECT current_setting($1)", name)
        finally:
            await connection.close()
    return told


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _revision() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  whichever git the user has
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or version("busbar")
