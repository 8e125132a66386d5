"""What a change of the contracts breaks, seen from a peer that still speaks as before.

Two versions of the generated schemas are compared. The contracts are broken where they refuse, or no longer answer,
what they allowed: an exchange or an event is gone; an element is gone, has another type or place, or a narrower one; an
element became mandatory; an enumeration lost a value. Optional additions break nothing.

A reader accepts the revision before its own. So what is taken away is at first not written any more, which is one
revision, and gone one revision later: a break is allowed where the revision of every role that serves or tells the noun
grew by at least two. A noun that no role serves or tells is nobody's promise yet.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import which
from typing import Any

import yaml
from msgspec import Struct

from contracts.interface import Catalogue
from shared.tools.generate import SCHEMAS, generated

Node = Mapping[str, Any]

STEPS = 2
"""By how much a revision grows before what it promised may be gone."""

_ENVELOPE = "Message"
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_FIXED = ("pattern", "format", "multipleOf", "contentEncoding")
_WIDER = {("integer", "number")}


class Contracts(Struct, frozen=True):
    """One version of what is compared.

    Attributes:
        revisions: for each role, the revision of its interface.
        promises: what the roles serve and tell, by its ids in AsyncAPI, ``role.serves.verb.Noun.transport`` and
            ``role.publishes.verb.Noun``; with the Get profile that may qualify it, if one may.
        schemas: for each noun, and the envelope, its JSON Schema.
    """

    revisions: Mapping[str, int]
    promises: Mapping[str, str | None]
    schemas: Mapping[str, Node]

    @staticmethod
    def of(files: Mapping[str, str]) -> "Contracts":
        """The version that these generated files, by path, tell of."""
        document = yaml.safe_load(files[f"{SCHEMAS}/asyncapi.yaml"])
        return Contracts(
            revisions={role: int(told["revision"]) for role, told in document["info"]["x-roles"].items()},
            promises={
                name: operation.get("x-query")
                for name, operation in document["operations"].items()
                if name.split(".")[1] in {"serves", "publishes"}
            },
            schemas={
                Path(name).stem: json.loads(text) for name, text in files.items() if name.startswith(f"{SCHEMAS}/json/")
            },
        )

    def promisers(self, noun: str) -> frozenset[str]:
        """The roles that serve or tell ``noun``, or are asked with it; all of them for the envelope."""
        if noun == _ENVELOPE:
            return frozenset(self.revisions)
        return frozenset(
            name.split(".")[0] for name, query in self.promises.items() if noun in {name.split(".")[3], query}
        )


def breaks_since(revision: str, root: Path, catalogue: Catalogue) -> list[str]:
    """What ``catalogue`` breaks of the contracts that git has under ``revision``, in sentences.

    Raises:
        ValueError: when git knows no such revision below ``root``, or it has no generated schemas.
    """
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()
    if not commit:
        raise ValueError(f"git knows no revision '{revision}' of this tree")
    names = _git(root, "ls-tree", "-r", "--name-only", commit, f"{SCHEMAS}/").split()
    if f"{SCHEMAS}/asyncapi.yaml" not in names:
        raise ValueError(f"the revision '{revision}' has no generated schemas to compare with")
    wanted = [name for name in names if name.endswith((".json", ".yaml"))]
    before = Contracts.of({name: _git(root, "show", f"{commit}:{name}") for name in wanted})
    return list(breaks(before, Contracts.of(generated(catalogue))))


def breaks(before: Contracts, after: Contracts) -> Iterator[str]:
    """What ``after`` breaks of ``before``, in sentences."""
    held = {role for role, revision in before.revisions.items() if after.revisions.get(role, 0) - revision < STEPS}
    for promise, query in before.promises.items():
        role, what, verb, noun, *transport = promise.split(".")
        said = f"{role} no longer {what} '{verb} {noun}'" + "".join(f" by {each}" for each in transport)
        if role not in held:
            continue
        if promise not in after.promises:
            yield f"{said}; {_grown(role, before, after)}"
        elif query is not None and after.promises[promise] != query:
            yield f"{said} with {query}; {_grown(role, before, after)}"
    for noun, schema in before.schemas.items():
        roles = sorted(held & before.promisers(noun))
        if roles and noun in after.schemas:
            grown = ", ".join(_grown(role, before, after) for role in roles)
            for flaw in _Comparison(noun, schema, after.schemas[noun]).flaws():
                yield f"{flaw}; {grown}"


def _grown(role: str, before: Contracts, after: Contracts) -> str:
    now = after.revisions.get(role)
    return f"{role} was at revision {before.revisions[role]} and is " + ("gone" if now is None else f"at {now}")


class _Comparison:
    """Two schemas of one noun."""

    def __init__(self, noun: str, before: Node, after: Node) -> None:
        self._noun = noun
        self._before = before
        self._after = after
        self._seen: set[tuple[str, str]] = set()

    def flaws(self) -> Iterator[str]:
        """What the schema after refuses of what the one before allowed, as sentences about paths."""
        if self._before.get("xml") != self._after.get("xml"):
            yield f"{self._noun} has another namespace"
        yield from self._between(self._noun, self._before, self._after)

    def _between(self, path: str, old: Node, new: Node) -> Iterator[str]:
        names = old.get("$ref", path), new.get("$ref", path)
        if names in self._seen:
            return
        self._seen.add(names)
        old, new = _resolved(self._before, old), _resolved(self._after, new)
        if "enum" in new:
            if "enum" not in old:
                yield f"{path} takes nothing but the values of an enumeration any more"
            yield from (
                f"{path} has lost the value '{lost}'" for lost in old.get("enum", ()) if lost not in new["enum"]
            )
            return
        kinds = old.get("type", "string"), new.get("type", "string")
        if kinds[0] != kinds[1] and kinds not in _WIDER:
            yield f"{path} was of the type {kinds[0]} and is of the type {kinds[1]}"
            return
        yield from _narrowed(path, old, new)
        if kinds[1] == "array":
            yield from self._between(path, old["items"], new["items"])
        elif kinds[1] == "object":
            yield from self._members(path, old, new)

    def _members(self, path: str, old: Node, new: Node) -> Iterator[str]:
        were = {name: held for name, held in old["properties"].items() if not _is_profile(held)}
        are = new["properties"]
        yield from (f"{path}/{name} was removed or renamed" for name in were if name not in are)
        kept = [name for name in were if name in are]
        if kept != [name for name in are if name in were]:
            yield f"the elements of {path} stand in another order"
        required = set(new.get("required", ())) - set(old.get("required", ()))
        yield from (f"{path}/{name} became mandatory" for name in are if name in required)
        for name in kept:
            yield from self._between(f"{path}/{name}", were[name], are[name])


def _resolved(schema: Node, part: Node) -> Node:
    """What a reference within ``schema`` stands for, with what stands beside it."""
    if not part.get("$ref", "").startswith("#/$defs/"):
        return part
    beside = {key: held for key, held in part.items() if key not in {"$ref", "$defs"}}
    return {**schema["$defs"][part["$ref"].removeprefix("#/$defs/")], **beside}


def _is_profile(held: Node) -> bool:
    """True for a noun in the envelope, which has a schema of its own."""
    return str(held.get("$ref", "")).endswith(".json")


def _narrowed(path: str, old: Node, new: Node) -> Iterator[str]:
    for key in (*_LOWER, *_UPPER, *_FIXED):
        was, now = old.get(key), new.get(key)
        if now is None or now == was:
            continue
        widened = was is not None and key not in _FIXED and (now < was if key in _LOWER else now > was)
        if not widened:
            yield f"{path} is narrower: its {key} was {'not set' if was is None else was} and is {now}"


def _git(root: Path, *words: str) -> str:
    """What git says to ``words``; nothing when it refuses."""
    program = which("git")
    if program is None:
        raise ValueError("git is not installed, and it has the older contracts")
    command = [program, "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the words are ours
    return done.stdout if done.returncode == 0 else ""
