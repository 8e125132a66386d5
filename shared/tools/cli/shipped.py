"""The networks that come with Busbar, by name: files, drawings that are made on first use, and those of pandapower.

A town of 3,000 usage points is a document of 15 MB, one of 30,000 ten times that. What a short script writes in a
second does not lie in the repository as well: it is drawn when it is first wanted and kept in the state folder, under a
digest of the scripts, so that a changed script draws anew.
"""

import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from contracts.errors import Invalid, NotFound

SHIPPED = Path(__file__).resolve().parents[3] / "infra" / "networks"
_SCRIPT = "make_{}.py"


def file_of(name: str, state_dir: Path) -> Path:
    """The file of that path, else of the network of that name; ``town:30000`` is one for so many usage points.

    Raises:
        NotFound: there is neither.
        Invalid: the network cannot be drawn in that size.
    """
    if Path(name).exists():
        return Path(name)
    stem, _, size = name.partition(":")
    for file in (SHIPPED / f"{name}.xml", *_of_pandapower(name)):
        if file.exists():
            return file
    script = SHIPPED / _SCRIPT.format(stem)
    if script.exists():
        return _drawn(script, stem, size, state_dir)
    shipped = {each.stem for each in SHIPPED.glob("*.xml")} | {
        each.stem.removeprefix("make_") for each in SHIPPED.glob(_SCRIPT.format("*"))
    }
    raise NotFound(f"there is no file '{name}', and no network of that name is shipped ({_listed(shipped)})")


def is_drawn(name: str) -> bool:
    """True for a network that is drawn by one of our scripts, which lacks nothing that a storm needs."""
    return not Path(name).exists() and (SHIPPED / _SCRIPT.format(name.partition(":")[0])).exists()


def _drawn(script: Path, stem: str, size: str, state_dir: Path) -> Path:
    if size and not size.isdecimal():
        raise Invalid(f"'{stem}:{size}': the size is a number of usage points")
    sources = b"".join(each.read_bytes() for each in sorted(SHIPPED.glob("*.py")))
    folder = state_dir / "networks" / hashlib.sha256(sources).hexdigest()[:12]
    file = folder / f"{stem}{f'-{size}' if size else ''}.xml"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    words = [*(("--usage-points", size) if size else ()), "--output", str(unfinished)]
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Invalid(f"'{script.name}' draws no network: {done.stderr.strip().rpartition('error: ')[2]}")
    return unfinished.replace(file)


def _of_pandapower(name: str) -> tuple[Path, ...]:
    """Where pandapower, if it is installed, has a network of this name."""
    package = find_spec("pandapower")
    if package is None or package.origin is None or not name.isidentifier():
        return ()
    return (Path(package.origin).parent / "networks" / f"{name}.json",)


def _listed(names: set[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"
