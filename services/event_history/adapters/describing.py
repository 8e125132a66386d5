"""What the bytes of a message say about it, found without reading it whole: it may be of any noun, or hostile.

A message in XML or JSON is searched by expressions; nothing is resolved or built. One in MessagePack is decoded. What
cannot be found is left out, and the message is kept all the same.
"""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

MSGPACK = "application/msgpack"
MENTIONS = 5_000
"""Of so many objects at most it is noted that a message names them."""

_HEADER_BYTES = 8_192
_FIELDS = ("Source", "MessageID", "CorrelationID", "Timestamp")
_XML = {name: re.compile(rf"<(?:[\w.-]+:)?{name}(?:\s[^<>]*)?>([^<>]{{1,256}})</".encode()) for name in _FIELDS}
_JSON = {name: re.compile(rf'"{name}"\s*:\s*"([^"\\]{{1,256}})"'.encode()) for name in _FIELDS}
_XML_MRID = re.compile(rb"<(?:[\w.-]+:)?mRID(?:\s[^<>]*)?>\s*([^<>]{1,256}?)\s*</")
_JSON_MRID = re.compile(rb'"mRID"\s*:\s*"([^"\\]{1,256})"')


class Described(Struct, frozen=True, kw_only=True):
    """What is known of a message beside its subject; ``mrids`` are the objects that it names, sorted."""

    source: str | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    time_stamp: datetime | None = None
    mrids: tuple[str, ...] = ()


def described(body: bytes, content_type: str) -> Described:
    """What ``body`` says about itself."""
    if content_type.startswith(MSGPACK):
        return _of_tree(body)
    is_json = body.lstrip()[:1] in {b"{", b"["}
    head = body[:_HEADER_BYTES]
    found = {name: expression.search(head) for name, expression in (_JSON if is_json else _XML).items()}
    text = {name: _text(match.group(1)) for name, match in found.items() if match is not None}
    mrids = {_text(match.group(1)) for match in (_JSON_MRID if is_json else _XML_MRID).finditer(body)}
    return _made(text, mrids)


def _of_tree(body: bytes) -> Described:
    try:
        tree = msgspec.msgpack.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return Described()
    text: dict[str, str] = {}
    mrids: set[str] = set()
    for key, value in _pairs(tree):
        if key in _FIELDS:
            text.setdefault(key, str(value))
        elif key == "mRID":
            mrids.add(str(value))
    return _made(text, mrids)


def _pairs(tree: Any) -> Iterator[tuple[str, Any]]:
    """All keys with plain values, at any depth."""
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            for key, value in each.items():
                if isinstance(value, dict | list):
                    waiting.append(value)
                else:
                    yield str(key), value
        elif isinstance(each, list):
            waiting += each


def _made(text: dict[str, str], mrids: set[str]) -> Described:
    return Described(
        source=text.get("Source"),
        message_id=text.get("MessageID"),
        correlation_id=text.get("CorrelationID"),
        time_stamp=_instant(text.get("Timestamp")),
        mrids=tuple(sorted(mrids)[:MENTIONS]),
    )


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", "replace")).strip()


def _instant(text: str | None) -> datetime | None:
    try:
        instant = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant is not None and instant.tzinfo is not None else None
