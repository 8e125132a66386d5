"""Messages in JSON.

msgspec reads JSON in C and passes over fields that it does not know, repeated ones too. So what was understood is
written again: when that is what came, nothing was passed over; when it is not, the names are looked at one by one.

Reading tolerates: any order, white space, ``null`` and defaults written out, any spelling of numbers, strings and times
that RFC 8259 and RFC 3339 allow. JSON has no form for infinite numbers, so a message with one is not written.
"""

import json
import re
from typing import Any

import msgspec
from msgspec import DecodeError, Struct, ValidationError

from contracts.errors import Malformed
from contracts.message import Fault, Message
from shared.codec.flaws import clipped, malformed
from shared.codec.guard import check_count, check_size
from shared.codec.shape import parts_of
from shared.codec.tree import UNEQUAL, document_of, header_values, understood
from shared.codec.wire import Wire

_AT_BYTE = re.compile(r"\(byte (\d+)\)")


class JsonFormat:
    """Reads and writes the messages of a catalogue as JSON."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._decoder = msgspec.json.Decoder(wire.document)
        self._encoder = msgspec.json.Encoder()
        self._utc = msgspec.msgpack.Decoder(wire.document)

    def decode(self, body: bytes, max_bytes: int) -> Message[Any] | Fault:
        """The message that ``body`` tells.

        Raises:
            Malformed: with path, code and, where the JSON itself is broken, the line.
        """
        _check(body, max_bytes)
        try:
            document = self._decoder.decode(body)
            if self._encoder.encode(document) != msgspec.json.format(body, indent=-1):
                _refuse_passed_over(json.loads(body, object_pairs_hook=_Object), self._wire.document, "")
        except ValidationError as error:
            raise malformed(error) from None
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _broken(body, error) from None
        return understood(self._wire, document)

    def encode(self, message: Message[Any] | Fault) -> bytes:
        """The body that tells ``message``.

        Raises:
            ValueError: when something in it may not be written.
        """
        document = document_of(self._wire, message)
        written = self._encoder.encode(document)
        if self._read(written) == document:
            return written
        # JSON drops the seconds of an offset that has some; MessagePack has UTC alone
        written = self._encoder.encode(self._utc.decode(msgspec.msgpack.encode(document)))
        if self._read(written) == document:
            return written
        raise ValueError(UNEQUAL)

    def _read(self, written: bytes) -> Any:
        try:
            return self._decoder.decode(written)
        except ValidationError as error:
            raise ValueError(str(error)) from None

    def header_values(self, body: bytes, max_bytes: int) -> dict[str, Any]:
        """What can be read of the header's simple fields, by their names in Python.

        Raises:
            Malformed: when the body cannot be parsed at all.
        """
        _check(body, max_bytes)
        try:
            return header_values(msgspec.json.decode(body))
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _broken(body, error) from None


def _check(body: bytes, max_bytes: int) -> None:
    check_size(body, max_bytes)
    check_count(body.count(b",") + body.count(b"{") + body.count(b"["))


def _broken(body: bytes, error: Exception) -> Malformed:
    at = _AT_BYTE.search(str(error))
    line = None if at is None else 1 + body.count(b"\n", 0, int(at[1]))
    return Malformed("the message is not well-formed JSON, or nested too deep", line=line)


class _Object(dict[str, Any]):
    """A JSON object that knows whether it named something twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeats = len(self) < len(pairs)


def _refuse_passed_over(value: Any, struct: type[Struct], path: str) -> None:
    """Refuse names that msgspec passed over in a value that it read as ``struct``.

    Raises:
        Malformed: 1.8.
    """
    known = {part.wire: part for part in parts_of(struct)}
    where = path or "the message"
    if value.repeats:
        raise Malformed(f"{where} holds something twice")
    for name, held in value.items():
        part = known.get(name)
        if part is None:
            raise Malformed(f"{where} holds an unknown element {clipped(name)}")
        if part.struct is None or held is None:
            continue
        below = f"{path}/{name}" if path else name
        if part.many:
            for place, item in enumerate(held, 1):
                _refuse_passed_over(item, part.struct, f"{below}[{place}]")
        else:
            _refuse_passed_over(held, part.struct, below)
