"""Electrical data in parts, each of which fits in a message."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from msgspec import json
from msgspec.structs import fields, replace

from contracts.nouns.electrical_models import ElectricalModel

LARGEST_PART = 150_000
"""How many bytes of JSON a part has at most; written as XML they are about three times as many."""

_LISTS = tuple(field.name for field in fields(ElectricalModel) if field.default == () and field.name != "names")


def parts_of(model: ElectricalModel) -> Iterator[ElectricalModel]:
    """The same data in one part or several; a single element is never cut."""
    empty = replace(model, **dict.fromkeys(_LISTS, ()))
    held: defaultdict[str, list[Any]] = defaultdict(list)
    size = count = 0
    for name in _LISTS:
        for element in getattr(model, name):
            weight = len(json.encode(element))
            if size and size + weight > LARGEST_PART:
                yield replace(empty, **{each: tuple(elements) for each, elements in held.items()})
                held.clear()
                size, count = 0, count + 1
            held[name].append(element)
            size += weight
    if held or not count:
        yield replace(empty, **{each: tuple(elements) for each, elements in held.items()})
