"""The `busbar` command as a user has it: processes in a folder of the test's own, and what they print."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
IEEE13 = ROOT.parent / "shared" / "samples" / "models" / "IEEE13.xml"
BUSBAR = (sys.executable, "-m", "services")


class Shell:
    """A folder in which `busbar` is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self._started: list[subprocess.Popen[str]] = []

    def call(self, *words: str, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Call `busbar` and wait for its end."""
        return subprocess.run(
            [*BUSBAR, *words],
            cwd=ROOT,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `busbar` and leave it running."""
        process = subprocess.Popen(
            [*BUSBAR, *words],
            cwd=ROOT,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def storm(self, *words: str, timeout_s: float = 120.0) -> dict[str, Any]:
        """The report of a storm that ended well, on a small network where no other is named."""
        done = self.call("storm", "--json", "--network", "harbour", *words, timeout_s=timeout_s)
        assert done.returncode == 0, done.stderr[-3000:]
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def wait_for(self, file: str, timeout_s: float = 30.0) -> Path:
        """A file below the state folder, once it is there."""
        path = self.state / file
        deadline = time.monotonic() + timeout_s
        while not path.exists():
            assert time.monotonic() < deadline, f"there is no {file} after {timeout_s} s"
            time.sleep(0.05)
        return path

    def kill(self, role: str) -> int:
        """Kill the process of a role, by its own pid; how many there were."""
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                environment = (folder / "environ").read_bytes()
                mine = f"BUSBAR_STATE={self.state}".encode() in environment.split(b"\0")
                if mine and b"run" in words and role.encode() in words:
                    os.kill(int(folder.name), signal.SIGKILL)
                    return 1
        return 0

    def stop(self) -> None:
        """End what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "BUSBAR_STATE": str(self.state)}


@contextlib.contextmanager
def folder_of_its_own() -> Iterator[Shell]:
    """A folder in which `busbar` is called, whose servers end with the block."""
    folder = Path(tempfile.mkdtemp(prefix="busbar-system-", dir=_fast_folder()))
    folder.chmod(0o711)
    made = Shell(folder)
    yield made
    made.stop()
    shutil.rmtree((made.state / "postgres").resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A folder of the test's own, whose servers end with the test."""
    with folder_of_its_own() as made:
        yield made


@pytest.fixture(params=["harbour", "IEEE13"])
def network(request: pytest.FixtureRequest) -> str:
    """Our network, and one that others wrote."""
    if request.param == "harbour":
        return "harbour"
    if not IEEE13.exists():
        pytest.skip("the feeder that others wrote is not here")
    return str(IEEE13)


def _fast_folder() -> str | None:
    """Memory where there is enough of it: making databases on a disk takes most of such a test's time."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30:
        return str(memory)
    return None
