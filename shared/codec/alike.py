"""Bodies that differ in few values only, checked many at once: one is read, and the others are held against it.

A message of one reading costs most for what is the same in all of them: names, header, reading type, times. Where
bodies are as long as one that was read and differ from it only where certain values stand, and what stands there is
such a value too, they say the same with these values. What is not sure is left to be read by itself.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from msgspec import Struct, msgpack

Array = np.ndarray[Any, np.dtype[Any]]
Value = str | bytes | datetime

_PLAIN = np.zeros(256, bool)
_PLAIN[0x20:0x7F] = True
_PLAIN[[ord('"'), ord("\\")]] = False
"""What stands for itself in a text of every encoding."""

_SECOND_BITS, _NANOSECONDS, _MICROSECOND = 34, 10**9, 1000
_TIME_HEAD, _TIME_BYTES = 2, (4, 8)


class Span(Struct, frozen=True):
    """Where a value stands in the bodies, and what it may be.

    Attributes:
        begin, end: its content, behind what says how long it is.
        kind: the type of the value.
    """

    begin: int
    end: int
    kind: type[Any]


def spans_of(body: bytes, values: Sequence[Value]) -> list[Span] | None:
    """Where ``values`` seem to stand in ``body``, one behind the other; None where one is not found, or not free."""
    spans: list[Span] = []
    at = 0
    for value in values:
        written = msgpack.encode(value)
        length = len(written) - _TIME_HEAD if isinstance(value, datetime) else len(value)
        found = body.find(written, at)
        if found < 0 or length == 0 or (isinstance(value, str) and not _is_plain(value)):
            return None
        if isinstance(value, datetime) and length not in _TIME_BYTES:
            return None
        at = found + len(written)
        spans.append(Span(at - length, at, type(value)))
    return spans


def others(values: Sequence[Value]) -> list[Value]:
    """Values as long as ``values`` and different from them: where one does not stand in its place this shows it."""
    return [_other(value) for value in values]


def filled(body: bytes, spans: Sequence[Span], values: Sequence[Value]) -> bytes:
    """``body`` with ``values`` in the places of others."""
    parts, at = [], 0
    for span, value in zip(spans, values, strict=True):
        parts += [body[at : span.begin], msgpack.encode(value)[span.begin - span.end :]]
        at = span.end
    return b"".join([*parts, body[at:]])


def fitting(bodies: Array, body: bytes, spans: Sequence[Span]) -> Array:
    """Which of ``bodies`` [bodies x bytes] are ``body`` with other values that may stand in the places of its own."""
    same = bodies == np.frombuffer(body, np.uint8)
    fits = np.ones(len(bodies), bool)
    for span in spans:
        same[:, span.begin : span.end] = True
        if span.kind is str:
            fits &= _PLAIN[bodies[:, span.begin : span.end]].all(axis=1)
        elif span.kind is datetime:
            fits &= _are_times(bodies[:, span.begin : span.end])
    fits &= same.all(axis=1)
    return fits


def values_at(bodies: Array, span: Span) -> list[Any]:
    """What stands there in each of ``bodies``: texts or bytes."""
    width = span.end - span.begin
    content = bodies[:, span.begin : span.end].tobytes()
    told = content.decode("ascii") if span.kind is str else content
    return [told[at : at + width] for at in range(0, len(told), width)]


def _is_plain(text: str) -> bool:
    return text.isascii() and bool(_PLAIN[np.frombuffer(text.encode(), np.uint8)].all())


def _are_times(content: Array) -> Array:
    """Which are times as MessagePack has them: 32 bits of seconds, or 30 bits of nanoseconds and 34 of seconds."""
    if content.shape[1] == _TIME_BYTES[0]:
        return np.ones(len(content), bool)
    told = np.ascontiguousarray(content).view(">u8")[:, 0].astype(np.uint64)
    nanoseconds = told >> np.uint64(_SECOND_BITS)
    is_shortest = (nanoseconds > 0) & (nanoseconds < _NANOSECONDS) & (nanoseconds % np.uint64(_MICROSECOND) == 0)
    found: Array = is_shortest
    return found


def _other(value: Value) -> Value:
    if isinstance(value, str):
        return "".join("b" if letter == "a" else "a" for letter in value)
    if isinstance(value, bytes):
        return bytes(each ^ 0xFF for each in value)
    another = datetime.fromtimestamp(1 if value.timestamp() == 0 else 0, UTC)
    return another + timedelta(microseconds=(value.microsecond + 1) % 999_999 + 1) if value.microsecond else another
