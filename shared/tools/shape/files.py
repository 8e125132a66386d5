"""How files are named, how long they are, and what a folder of a service may hold."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from shared.tools.shape.tree import Module, Problem

FILE_LINES = 400
README_LINES = 40

_FORBIDDEN_WORDS = frozenset({"base", "common", "helpers", "manager", "misc", "utils"})
"""Words that say nothing of what is inside, so that everything comes to lie there."""

_OF_SERVICES = frozenset({"README.md", "__init__.py", "__main__.py"})
_OF_A_SERVICE = frozenset({"README.md", "__init__.py", "config.py", "migrations"})
_ALSO_PACKAGES = ("adapters", "domain", "service", "store", "views")
_WITH_PAGES = frozenset({"console", "gateway"})
_PAGES = frozenset({"routes", "web"})

_MIGRATION = re.compile(r"(\d{4})_[a-z0-9]+(_[a-z0-9]+)*\.sql")
_REASON = re.compile(rf"(^|[.!?:)] )Longer than {FILE_LINES} lines because \w")


def name_problems(paths: Iterable[PurePosixPath]) -> Iterator[Problem]:
    """Files and folders whose names hold a word that says nothing."""
    for path in paths:
        words = set(re.split(r"[_\-]", path.name.partition(".")[0].lower()))
        for word in sorted(words & _FORBIDDEN_WORDS):
            yield Problem(str(path), 0, f"is named '{word}': a name says what is inside")


def length_problems(module: Module) -> Iterator[Problem]:
    """A file that is too long and does not say why."""
    lines = len(module.text.splitlines())
    docstring = " ".join((ast.get_docstring(module.syntax) or "").split())
    if lines > FILE_LINES and not _REASON.search(docstring):
        sentence = f"has {lines} lines: its docstring must say 'Longer than {FILE_LINES} lines because ...'"
        yield module.problem(1, sentence)


def service_problems(root: Path, paths: Iterable[PurePosixPath]) -> Iterator[Problem]:
    """Services that are not of the one shape; ``paths`` are those of the tree, from ``root``."""
    entries: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        match path.parts:
            case ("services", name) if not (root / path).is_dir() and name not in _OF_SERVICES:
                yield Problem(str(path), 0, "lies beside the services: a service is a folder")
            case ("services", service, entry, *_):
                entries[service].add(entry)
    for service, present in sorted(entries.items()):
        yield from _shape_problems(service, present)
        yield from _readme_problems(root, service)
        if "migrations" in present:
            yield from _migration_problems(root, service)


def _shape_problems(service: str, present: set[str]) -> Iterator[Problem]:
    folder = f"services/{service}"
    twins = {f"{name}.py" for name in _ALSO_PACKAGES}
    allowed = _OF_A_SERVICE | twins | set(_ALSO_PACKAGES) | (_PAGES if service in _WITH_PAGES else set())
    for entry in sorted(present - allowed):
        yield Problem(f"{folder}/{entry}", 0, "is not on the list of names of a service")
    if "README.md" not in present:
        yield Problem(folder, 0, "has no README.md")
    if not {"service", "service.py"} & present:
        yield Problem(folder, 0, "has no service.py and no package service")
    for name in _ALSO_PACKAGES:
        if {name, f"{name}.py"} <= present:
            yield Problem(f"{folder}/{name}", 0, f"stands beside {name}.py: one of the two is never imported")


def _readme_problems(root: Path, service: str) -> Iterator[Problem]:
    path = PurePosixPath("services", service, "README.md")
    if not (root / path).is_file():
        return
    lines = len((root / path).read_text(encoding="utf-8").splitlines())
    if lines > README_LINES:
        yield Problem(str(path), README_LINES + 1, f"has {lines} lines: more than {README_LINES} are not read")


def _migration_problems(root: Path, service: str) -> Iterator[Problem]:
    folder = PurePosixPath("services", service, "migrations")
    expected = 1
    for name in sorted(entry.name for entry in (root / folder).iterdir() if entry.name != "__pycache__"):
        numbered = _MIGRATION.fullmatch(name)
        if numbered is None:
            yield Problem(str(folder / name), 0, "is not named as migrations are: 0001_what_it_does.sql")
            continue
        number = int(numbered[1])
        if number != expected:
            yield Problem(str(folder / name), 0, f"has the number {number:04} where {expected:04} comes next")
        expected = number + 1
