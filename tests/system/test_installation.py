"""What a newcomer does: clone, make, and nothing else."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import ROOT

pytestmark = pytest.mark.installation

SYSTEM_PYTHON = Path("/usr/bin/python3")


@pytest.fixture(params=["whoever runs the tests", "nobody"])
def user(request: pytest.FixtureRequest) -> str | None:
    """Who installs; None is whoever we are."""
    if request.param != "nobody":
        return None
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    return "nobody"


@pytest.fixture
def clone(user: str | None) -> Iterator[Path]:
    """A fresh clone that belongs to that user, in a folder that everybody can reach."""
    folder = Path(tempfile.mkdtemp(prefix="busbar-clone-", dir="/var/tmp"))
    folder.chmod(0o755)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "busbar")], check=True)
    if user is not None:
        account = pwd.getpwnam(user)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    yield folder / "busbar"
    shutil.rmtree(folder, ignore_errors=True)


def test_a_fresh_clone_is_installed_by_make_and_plays_a_storm(clone: Path, user: str | None) -> None:
    words = ["make", "install"]
    if SYSTEM_PYTHON.exists():
        words.append(f"PYTHON={SYSTEM_PYTHON}")
    installed = _run(words, clone, user)
    assert installed.returncode == 0, installed.stdout[-2000:] + installed.stderr[-2000:]
    stormed = _run([".venv/bin/busbar", "storm", "--faults", "1", "--json"], clone, user)
    assert stormed.returncode == 0, stormed.stderr[-2000:]
    report = json.loads(stormed.stdout)
    assert (report["matched"], report["customers_dark_at_end"]) == (1, 0)


def _run(words: list[str], folder: Path, user: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BUSBAR_", "VIRTUAL_"))}
    environment["HOME"] = "/nonexistent" if user else environment.get("HOME", "/")
    return subprocess.run(
        words,
        cwd=folder,
        env=environment,
        user=user,
        group=None if user is None else pwd.getpwnam(user).pw_gid,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
