"""Each tool of the gate bites: in a copy of the tree, a violation is planted and the tool names it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.tools.shape import check

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and the settings of the project; what is planted does not touch the real tree."""
    for name in ("contracts", "loadtest", "services", "shared"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".importlinter", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def _plant(copy: Path, name: str, text: str) -> Path:
    path = copy / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _run(copy: Path, tool: str, *arguments: str) -> tuple[int, str]:
    command = [str(BIN / tool), *arguments]
    ended = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


SOUND = (
    '"""A doubled number."""\n\n\ndef double(number: int) -> int:\n    """Twice ``number``."""\n    return number * 2\n'
)


@pytest.mark.parametrize(
    ("planted", "code"),
    [
        ("import os\n", "F401"),
        ("def undocumented() -> None:\n    return None\n", "D103"),
        ("x = eval('1')\n", "S307"),
    ],
)
def test_ruff_names_a_planted_violation(copy: Path, planted: str, code: str) -> None:
    path = _plant(copy, "shared/planted.py", SOUND)
    assert _run(copy, "ruff", "check", "--no-cache", str(path))[0] == 0
    path.write_text(SOUND + planted, encoding="utf-8")
    status, output = _run(copy, "ruff", "check", "--no-cache", "--output-format=concise", str(path))
    assert status == 1
    assert code in output


def test_the_formatter_names_a_planted_violation(copy: Path) -> None:
    path = _plant(copy, "shared/planted.py", SOUND)
    assert _run(copy, "ruff", "format", "--no-cache", "--check", str(path))[0] == 0
    path.write_text(SOUND.replace("number * 2", "number*2"), encoding="utf-8")
    status, output = _run(copy, "ruff", "format", "--no-cache", "--check", str(path))
    assert status == 1
    assert "planted.py" in output


def test_mypy_names_a_planted_violation(copy: Path) -> None:
    path = _plant(copy, "contracts/planted.py", SOUND)
    assert _run(copy, "mypy", "--cache-dir=cache", str(path)) == (0, "Success: no issues found in 1 source file\n")
    path.write_text(
        SOUND.replace("number * 2", "str(number)") + "\n\ndef untyped(number):\n    ...\n", encoding="utf-8"
    )
    status, output = _run(copy, "mypy", "--cache-dir=cache", str(path))
    assert status == 1
    assert "[return-value]" in output
    assert "[no-untyped-def]" in output


@pytest.mark.parametrize(
    ("name", "statement", "contract", "link"),
    [
        (
            "services/planted/service.py",
            "import services.neighbour.store",
            "Services meet on the bus alone",
            "services.planted.service -> services.neighbour.store",
        ),
        (
            "services/planted/domain.py",
            "import services.planted.store",
            "A service decides at the bottom and speaks at the top",
            "services.planted.domain -> services.planted.store",
        ),
        (
            "services/planted/domain.py",
            "import asyncpg",
            "A domain module computes",
            "services.planted.domain -> asyncpg",
        ),
        (
            "services/planted/store.py",
            "import shared.tools.shape",
            "Only the composition root and what measures import the tools",
            "services.planted.store -> shared.tools.shape",
        ),
        (
            "services/planted/store.py",
            "import services.__main__",
            "Nobody imports the composition root",
            "services.planted.store -> services.__main__",
        ),
        (
            "shared/planted.py",
            "import contracts.nouns.planted",
            "The kernel knows no noun, no code list and no interface",
            "shared.planted -> contracts.nouns.planted",
        ),
        (
            "shared/planted.py",
            "import services.planted.store",
            "The house stands on the kernel, the kernel on the contracts",
            "shared.planted -> services.planted.store",
        ),
        ("contracts/planted.py", "import lxml.etree", "Contracts are data", "contracts.planted -> lxml"),
        (
            "loadtest/planted.py",
            "import services.planted.store",
            "What measures knows no service",
            "loadtest.planted -> services.planted.store",
        ),
    ],
)
def test_import_linter_names_a_planted_violation(
    copy: Path, name: str, statement: str, contract: str, link: str
) -> None:
    for sound in ("services/planted/__init__.py", "services/neighbour/__init__.py", "contracts/nouns/planted.py"):
        _plant(copy, sound, "")
    _plant(copy, "services/planted/store.py", "")
    _plant(copy, "services/neighbour/store.py", "")
    if not (copy / "services/__main__.py").exists():
        _plant(copy, "services/__main__.py", "")
    _plant(copy, name, f"{statement}\n")
    status, output = _run(copy, "lint-imports", "--no-cache")
    assert status == 1
    assert f"{contract} BROKEN" in output
    assert link in output


def test_the_check_of_the_shape_names_a_planted_violation(copy: Path) -> None:
    before = check(copy)
    _plant(copy, "shared/misc.py", "")
    (found,) = set(check(copy)) - set(before)
    assert found.path == "shared/misc.py"
