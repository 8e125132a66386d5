"""What is generated from the contracts, checked in and verified fresh: schemas, AsyncAPI and the tables of interfaces.

The sources are the struct types and the catalogue, and nothing else, so the same contracts give the same bytes.
:mod:`~shared.tools.generate.completeness` says what people have still to write by hand,
:mod:`~shared.tools.generate.breaks` what a change breaks.
"""

from collections.abc import Mapping
from pathlib import Path

from contracts.interface import Catalogue
from shared.tools.generate import asyncapi, diagrams, json_schema, tables, xsd

SCHEMAS = "contracts/schemas"
ARCHITECTURE = "docs/architecture.md"
"""The page whose generated parts stand between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->``."""


def generated(catalogue: Catalogue) -> Mapping[str, str]:
    """The text of every generated file, by its path below the root of the tree."""
    files = {
        f"{SCHEMAS}/asyncapi.yaml": asyncapi.document(catalogue),
        f"{SCHEMAS}/json/Message.json": json_schema.message_schema(catalogue),
        f"{SCHEMAS}/xsd/Message.xsd": xsd.message_schema(),
        "contracts/interfaces/README.md": tables.page(catalogue),
    }
    for name, noun in catalogue.nouns.items():
        files[f"{SCHEMAS}/json/{name}.json"] = json_schema.noun_schema(noun)
        files[f"{SCHEMAS}/xsd/{name}.xsd"] = xsd.noun_schema(noun)
    return dict(sorted(files.items()))


def write(root: Path, catalogue: Catalogue) -> list[str]:
    """Bring the generated files below ``root`` up to date, and say in sentences what was changed."""
    changes = []
    files = _whole(root, catalogue)
    for name, text in files.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changes.append(f"{'rewrote' if path.exists() else 'wrote'} {name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in _leftovers(root, files):
        (root / name).unlink()
        changes.append(f"removed {name}")
    return changes


def stale(root: Path, catalogue: Catalogue) -> list[str]:
    """What is not as it would be generated, in sentences; empty when all is fresh."""
    found = []
    files = _whole(root, catalogue)
    for name, text in files.items():
        path = root / name
        if not path.exists():
            found.append(f"{name} is missing; run `busbar contracts`")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{name} is not what the contracts generate; run `busbar contracts` instead of editing it")
    return found + [f"{name} belongs to no noun; run `busbar contracts`" for name in _leftovers(root, files)]


def _whole(root: Path, catalogue: Catalogue) -> Mapping[str, str]:
    """The generated files, and the page with generated parts as it should be, where the tree has it."""
    files = dict(generated(catalogue))
    page = root / ARCHITECTURE
    if page.exists():
        files[ARCHITECTURE] = _spliced(page.read_text(encoding="utf-8"), diagrams.regions(catalogue))
    return files


def _spliced(page: str, parts: Mapping[str, str]) -> str:
    """The page with its generated parts renewed.

    Raises:
        ValueError: the page has no place for one of them.
    """
    for name, text in parts.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        before, opened, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise ValueError(f"{ARCHITECTURE} has no place from '{begin}' to '{end}'")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return page


def _leftovers(root: Path, files: Mapping[str, str]) -> list[str]:
    """Files among the generated ones that nothing generates any more."""
    present = {path.relative_to(root).as_posix() for path in (root / SCHEMAS).rglob("*") if path.is_file()}
    return sorted(present - files.keys())
