"""JSON Schemas (2020-12) from the structs, by msgspec: one for each noun, and one for the envelope.

They say what is written: nothing unknown, and what is absent is left out. Reading JSON tolerates ``null`` for it as
well. The schema of the envelope refers to those of the nouns by their file names.
"""

from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import inspect

from contracts.interface import Catalogue, NounType
from shared.codec.shape import ROOT, namespace
from shared.codec.wire import ANY, Wire
from shared.tools.generate.members import members_of

Schema = dict[str, Any]

_HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$comment": "Generated from the contracts by `busbar contracts`; what is changed by hand is lost.",
}
_SAYS_NOTHING: dict[str, tuple[object, ...]] = {"default": (None, ()), "required": ([],)}
"""Keywords that tell what is so anyway, with the values that do."""


def noun_schema(noun: NounType) -> str:
    """The schema of the profile whose container is ``noun``; ``xml`` tells its namespace, as OpenAPI does."""
    return _written({**_HEAD, "xml": {"namespace": namespace(noun)}, **_strict(msgspec.json.schema(noun))})


def message_schema(catalogue: Catalogue) -> str:
    """The schema of a whole message: an object of one field, which is the root element."""
    schema = _strict(msgspec.json.schema(Wire(Catalogue((), ())).document))
    definitions = schema["$defs"]
    document = definitions.pop("document")
    for section, names in profiles(catalogue).items():
        definitions[section]["properties"] |= {name: {"$ref": f"{name}.json"} for name in names}
    roots = {**document, "title": "Message of IEC 61968-100", "minProperties": 1, "maxProperties": 1}
    return _written({**_HEAD, **roots, "$defs": definitions})


def profiles(catalogue: Catalogue) -> dict[str, list[str]]:
    """The nouns that may stand in a Request and in a Payload, by the name of the section."""
    sections = {member.wire: member.type for member in members_of(Wire(catalogue).bodies[ANY])}
    return {
        section: [member.wire for member in members_of(held.cls) if member.place == ROOT]
        for section, held in sections.items()
        if section in {"Request", "Payload"} and isinstance(held, inspect.StructType)
    }


def _strict(schema: Any) -> Any:
    """What msgspec says of a type, without the null of what is absent and without anything unknown."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    choices = schema.get("anyOf", [])
    present = [choice for choice in choices if choice != {"type": "null"}]
    if len(present) == 1:
        schema = {**{key: held for key, held in schema.items() if key != "anyOf"}, **present[0]}
    kept = {key: _strict(held) for key, held in schema.items() if held not in _SAYS_NOTHING.get(key, ())}
    if isinstance(kept.get("description"), str):
        kept["description"] = cleandoc(kept["description"])
    if kept.get("type") == "object":
        kept["additionalProperties"] = False
    return kept


def _written(schema: Schema) -> str:
    return msgspec.json.format(msgspec.json.encode(schema)).decode() + "\n"
