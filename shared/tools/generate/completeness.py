"""What belongs to a contract and is written by hand: examples, the facts about the order, and where it comes from."""

import re
from collections.abc import Iterator
from pathlib import Path

from contracts.interface import Catalogue
from contracts.verbs import Verb

_EXAMPLES = "contracts/examples"
_ORDER = "tests/contract/wire_order.txt"
_STANDARDS = "docs/standards.md"
_ROW = re.compile(r"^\| (\w+) \| [^|]+ \| `nouns/\w+\.py` \|", re.MULTILINE)


def promised(catalogue: Catalogue) -> frozenset[tuple[str, Verb]]:
    """Noun and verb of everything that the roles serve or tell, with a reply for each noun that is served."""
    interfaces = catalogue.interfaces.values()
    served = {(each.noun.__name__, each.verb) for interface in interfaces for each in interface.serves}
    told = {(each.noun.__name__, each.verb) for interface in interfaces for each in interface.publishes}
    return frozenset(served | told | {(noun, Verb.REPLY) for noun, _ in served})


def incomplete(root: Path, catalogue: Catalogue) -> list[str]:
    """What is missing or too much below ``root``, in sentences; empty when each contract has all that belongs to it."""
    return [*_examples(root, catalogue), *_nouns(root, catalogue)]


def _examples(root: Path, catalogue: Catalogue) -> Iterator[str]:
    wanted = {
        f"{_EXAMPLES}/{noun}/{verb}.{encoding}": f"{verb} {noun}"
        for noun, verb in promised(catalogue)
        for encoding in ("xml", "json")
    }
    present = {path.relative_to(root).as_posix() for path in (root / _EXAMPLES).rglob("*") if path.is_file()}
    for name in sorted(wanted.keys() - present):
        yield f"'{wanted[name]}' is served or told and has no example {name}"
    for name in sorted(present - wanted.keys()):
        yield f"{name} is an example of nothing that any role serves or tells"


def _nouns(root: Path, catalogue: Catalogue) -> Iterator[str]:
    sources = set(_ROW.findall((root / _STANDARDS).read_text(encoding="utf-8")))
    facts = set((root / _ORDER).read_text(encoding="utf-8").splitlines())
    for name, noun in catalogue.nouns.items():
        if name not in sources:
            yield f"{name} has no line in {_STANDARDS}"
        if noun.__module__.rpartition(".")[2] not in facts:
            yield f"{name} has no lines in {_ORDER}"
