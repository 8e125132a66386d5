"""What the rules look at: the Python modules of the tree, read once, and what each of them imports and names."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

PLACES = ("contracts", "docs", "infra", "loadtest", "services", "shared", "tests")
"""The first level of the tree; what lies beside it belongs to tools and is not looked at."""

_LEFT_OVERS = frozenset({"__pycache__", "node_modules"})


class Problem(Struct, frozen=True, order=True):
    """One place where the tree is not as promised.

    Attributes:
        path: the file or folder, from the root, with slashes.
        line: the line in the file, from 1; 0 when the whole file or folder is meant.
        sentence: what is wrong and which rule says so.
    """

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


class Module(Struct, frozen=True):
    """A Python file that could be read.

    Attributes:
        path: from the root of the tree.
        text: the source.
        syntax: its syntax tree.
        aliases: what each imported name stands for (``np`` is ``numpy``, ``now`` is ``datetime.datetime.now``).
    """

    path: PurePosixPath
    text: str
    syntax: ast.Module
    aliases: Mapping[str, str]

    @property
    def name(self) -> str:
        """The dotted name under which it is imported."""
        return dotted_path(self.path)

    @property
    def package(self) -> tuple[str, ...]:
        """The parts of the package that a relative import starts from: the folder."""
        return self.path.parts[:-1]

    def full_name(self, node: ast.expr) -> str | None:
        """The dotted name of an expression such as ``dt.now``, with aliases put back; None for other expressions."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        parts.append(self.aliases.get(node.id, node.id))
        return ".".join(reversed(parts))

    def problem(self, line: int, sentence: str) -> Problem:
        """A problem at a line of this file."""
        return Problem(str(self.path), line, sentence)


class Import(Struct, frozen=True):
    """One name that a module imports, as a dotted module name; it starts with dots when it leaves the tree."""

    target: str
    line: int


def paths_of(root: Path) -> list[PurePosixPath]:
    """All files and folders of the places of the tree, from ``root``, without what tools leave behind; sorted."""
    found: list[PurePosixPath] = []
    for place in PLACES:
        for path in (root / place).rglob("*"):
            relative = PurePosixPath(path.relative_to(root).as_posix())
            if not any(part in _LEFT_OVERS or part.startswith(".") for part in relative.parts):
                found.append(relative)
    return sorted(found)


def read(root: Path, paths: Iterable[PurePosixPath]) -> tuple[list[Module], list[Problem]]:
    """The Python modules among ``paths``, and the files that are not Python although they say so."""
    modules: list[Module] = []
    problems: list[Problem] = []
    for path in paths:
        if path.suffix != ".py":
            continue
        text = (root / path).read_text(encoding="utf-8")
        try:
            syntax = ast.parse(text, filename=str(path))
        except SyntaxError as error:
            problems.append(Problem(str(path), error.lineno or 0, f"cannot be read as Python: {error.msg}"))
        else:
            modules.append(Module(path=path, text=text, syntax=syntax, aliases=_aliases(syntax)))
    return modules, problems


def dotted_path(path: PurePosixPath) -> str:
    """The dotted module name of a file or folder: ``services/x/__init__.py`` is ``services.x``."""
    parts = path.with_suffix("").parts if path.suffix == ".py" else path.parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(module: Module, known: frozenset[str]) -> Iterator[Import]:
    """Everything that ``module`` imports, wherever the statement stands; ``known`` names the modules of the tree.

    ``from a import b`` means the module ``a.b`` where there is one, otherwise the module ``a``.
    """
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            source = _source_of(module, node)
            # a name of the standard library's own kind (``from importlib import util``) is a module as well
            candidates = {
                name if name in known or source == "importlib" else source
                for name in (f"{source}.{alias.name}" for alias in node.names)
            }
            for target in sorted(candidates):
                yield Import(target, node.lineno)


def within(name: str, *packages: str) -> bool:
    """True when the dotted ``name`` is one of ``packages`` or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _source_of(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    kept = len(module.package) - (node.level - 1)
    if kept <= 0:
        return "." * node.level + (node.module or "")
    return ".".join((*module.package[:kept], *((node.module,) if node.module else ())))


def _aliases(syntax: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found
