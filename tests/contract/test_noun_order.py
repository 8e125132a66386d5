"""The elements of every noun stand in the order of its schema.

All are compared with a table of their facts, written apart from the structs. What has no public profile follows the
rule that holds in those that have one as well: attributes first, mRID before the others, then by the alphabet; then
what has parts of its own, by the alphabet, with no regard to case.
"""

import importlib
import pkgutil
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest
from msgspec.structs import FieldInfo, fields

from contracts import nouns
from contracts.catalogue import CATALOGUE

TABLE = Path(__file__).with_name("wire_order.txt").read_text()
UNPUBLISHED = "# Part two:"
"""Where the table goes over from the published profiles to those that are written by the rule."""


def enumerations_of(module: str) -> dict[str, list[str]]:
    held = vars(importlib.import_module(f"contracts.nouns.{module}"))
    return {
        name: [str(member.value) for member in value]
        for name, value in held.items()
        if isinstance(value, type) and issubclass(value, StrEnum) and value.__module__ == f"contracts.nouns.{module}"
    }


def structs_of(module: str) -> dict[str, type[msgspec.Struct]]:
    held = vars(importlib.import_module(f"contracts.nouns.{module}"))
    return {
        name: value
        for name, value in held.items()
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        and value.__module__ == f"contracts.nouns.{module}"
    }


MODULES = sorted(
    found.name
    for found in pkgutil.iter_modules(nouns.__path__)
    if structs_of(found.name) or enumerations_of(found.name)
)


def facts(lines: str) -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = {}
    module = ""
    for line in lines.splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            module = line
            table[module] = {}
        else:
            name, _, *items = line.replace(":", " =", 1).split()
            table[module][name] = items
    return table


FACTS = facts(TABLE)
BY_RULE = sorted(facts(f"#{TABLE.partition(UNPUBLISHED)[2]}"))


def told(field: FieldInfo) -> str:
    if get_origin(field.type) is tuple:
        return f"{field.encode_name}*"
    return field.encode_name if field.required else f"{field.encode_name}?"


def has_parts(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return True
    return any(has_parts(argument) for argument in get_args(annotation))


def by_rule(field: FieldInfo) -> tuple[bool, bool, str]:
    return has_parts(field.type), field.encode_name != "mRID", field.encode_name.casefold()


def test_every_module_is_in_the_table_of_facts() -> None:
    assert set(MODULES) == set(FACTS)


@pytest.mark.parametrize("module", sorted(FACTS))
def test_a_noun_has_its_elements_in_the_order_and_number_of_the_table(module: str) -> None:
    written = {name: [told(field) for field in fields(struct)] for name, struct in structs_of(module).items()}
    assert written | enumerations_of(module) == FACTS[module]


@pytest.mark.parametrize("module", BY_RULE)
def test_a_noun_without_a_public_profile_follows_the_ordering_rule(module: str) -> None:
    for struct in structs_of(module).values():
        found = [field.encode_name for field in fields(struct)]
        assert found == [field.encode_name for field in sorted(fields(struct), key=by_rule)], struct.__name__


def test_what_follows_the_rule_says_that_it_is_not_verified() -> None:
    for noun in CATALOGUE.nouns.values():
        module = importlib.import_module(noun.__module__)
        unverified = any(mark in (module.__doc__ or "") for mark in ("[P]", "[GK]"))
        assert unverified == (noun.__module__.rpartition(".")[2] in BY_RULE), noun


def test_every_struct_is_frozen_and_says_nothing_of_what_is_absent() -> None:
    for module in MODULES:
        for struct in structs_of(module).values():
            assert struct.__struct_config__.frozen, struct
            assert struct.__struct_config__.omit_defaults, struct


def test_every_noun_is_named_as_its_module_and_has_a_namespace() -> None:
    namespaces = set()
    for name, noun in CATALOGUE.nouns.items():
        module = importlib.import_module(noun.__module__)
        assert module.__name__.rpartition(".")[2].replace("_", "") == name.lower()
        assert module.NAMESPACE.endswith(f"{name}#")
        namespaces.add(module.NAMESPACE)
    assert len(namespaces) == len(CATALOGUE.nouns)


def test_every_noun_that_exists_is_in_the_catalogue() -> None:
    exist = {module for module in MODULES if hasattr(importlib.import_module(f"contracts.nouns.{module}"), "NAMESPACE")}
    assert exist == {noun.__module__.rpartition(".")[2] for noun in CATALOGUE.nouns.values()}
