"""What the demonstration loads: folders of messages made from a network, as a utility's own systems would send them.

A maker is a function from the feeders of a network to files, each with one message. It knows the contracts and no
service. The same network and the same day make the same bytes, so a folder can be made and loaded again.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from contracts.message import Header, Message
from contracts.nouns.feeder_topology import Feeder, UsagePoint
from contracts.nouns.location_types import CoordinateSystem
from contracts.verbs import Verb
from shared.bus.subjects import OPERATOR

IDENTITIES = UUID("5b0d7f0c-6f0e-4a53-9a3c-0a2f4f0c8d11")

IN_A_MESSAGE = 250
"""So many objects go in one message, which stays far below what a broker takes."""

CRS = CoordinateSystem(crs_urn="urn:ogc:def:crs:EPSG::4326")
"""Longitude and latitude in degrees."""


class File(NamedTuple):
    """A file of a folder: files with one number may be loaded side by side, and after those with a smaller one."""

    name: str
    message: Message[Any]


def identity(key: str) -> str:
    """The mRID that follows from a key."""
    return str(uuid5(IDENTITIES, key))


def share(key: str) -> float:
    """A number from 0 until before 1 that follows from a key and looks like chance."""
    return int.from_bytes(sha256(key.encode()).digest()[:6]) / 2**48


def between(key: str, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most`` that follows from a key."""
    return least + int(share(key) * (most - least + 1))


def file(name: str, verb: Verb, payload: Any, *, context: str, day: date) -> File:
    """A request in a file, with a whole header; its identity follows from its name and what it says."""
    noun = type(payload).__name__
    message_id = identity(f"{name} {sha256(repr(payload).encode()).hexdigest()}")
    header = Header(
        verb=verb,
        noun=noun,
        context=context.upper(),
        timestamp=datetime.combine(day, time(), UTC),
        source=OPERATOR,
        message_id=message_id,
        correlation_id=message_id,
    )
    return File(f"{name}.xml", Message(header=header, payload=payload))


def in_parts(name: str, objects: Iterable[Any], container: Callable[[tuple[Any, ...]], Any]) -> list[tuple[str, Any]]:
    """Objects in messages that are not too large, each with the name of its file."""
    left = iter(objects)
    parts: list[tuple[str, Any]] = []
    while some := tuple(islice(left, IN_A_MESSAGE)):
        parts.append((f"{name}-{len(parts) + 1:03}", container(some)))
    return parts


def points_of(feeders: Sequence[Feeder]) -> list[UsagePoint]:
    """The usage points of all feeders, each once, in the order of their mRIDs."""
    found = {point.mrid: point for feeder in feeders for point in feeder.usage_point}
    return [found[mrid] for mrid in sorted(found)]
