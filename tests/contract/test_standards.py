"""The page about the standard tells of everything that there is, with the same marks as the modules."""

import importlib
import re
from pathlib import Path

import contracts
from contracts.catalogue import CATALOGUE, ROLES

PAGE = (Path(contracts.__file__).parents[1] / "docs" / "standards.md").read_text()
ROW = re.compile(r"^\| (\w+) \| [^|]+ \| `nouns/(\w+)\.py` \| `([^`]+)` \| (X|S|V|GK|P) \|$", re.MULTILINE)


def test_every_noun_has_its_row_with_file_namespace_and_mark() -> None:
    rows = {noun: (module, namespace, mark) for noun, module, namespace, mark in ROW.findall(PAGE)}
    assert set(rows) == set(CATALOGUE.nouns)
    for noun, (module, namespace, mark) in rows.items():
        found = importlib.import_module(f"contracts.nouns.{module}")
        assert CATALOGUE.nouns[noun].__module__ == found.__name__
        assert namespace == found.NAMESPACE
        assert f"[{mark}]" in (found.__doc__ or ""), noun


def test_every_role_has_its_row_that_says_whether_it_runs() -> None:
    for role, interface in ROLES.interfaces.items():
        line = f"| {role} | {interface.title} | {interface.part} | `interfaces/{role.replace('-', '_')}.py` |"
        runs = "plays it" if interface.field else "runs"
        assert f"{line} {runs if role in CATALOGUE.interfaces else 'not yet'} |" in PAGE
