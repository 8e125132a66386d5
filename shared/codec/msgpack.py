"""Messages in MessagePack: the shape of JSON, times as its timestamps.

Reading tolerates nothing: fields in their order, nothing unknown, nothing repeated, no default written out, each value
in its shortest form. So a body is what its message is written as, byte for byte.
"""

import re
from datetime import datetime
from typing import Any

from msgspec import DecodeError, Struct, ValidationError, msgpack, to_builtins

from contracts.errors import Malformed
from contracts.message import Fault, Message
from shared.codec.flaws import malformed
from shared.codec.guard import check_size
from shared.codec.tree import UNEQUAL, document_of, header_values, understood
from shared.codec.wire import Wire

_NOT_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""How a number begins that is infinite or none; other bytes may look like it."""


class MessagePackFormat:
    """Reads and writes the messages of a catalogue as MessagePack."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._decoder = msgpack.Decoder(wire.document)
        self._encoder = msgpack.Encoder()

    def decode(self, body: bytes, max_bytes: int) -> Message[Any] | Fault:
        """The message that ``body`` tells.

        Raises:
            Malformed: with path and code.
        """
        check_size(body, max_bytes)
        try:
            document = self._decoder.decode(body)
        except ValidationError as error:
            raise malformed(error) from None
        except (DecodeError, UnicodeDecodeError, RecursionError):
            raise Malformed("the message is not well-formed MessagePack, or nested too deep") from None
        message = understood(self._wire, document)
        if self._shortest(document) != body:
            raise Malformed("the message holds something unknown, repeated, out of order, needless or not shortest")
        if _NOT_FINITE.search(body) and self._decoder.decode(body) != document:
            raise Malformed("the message holds a number that is none, which no equality survives")
        return message

    def encode(self, message: Message[Any] | Fault) -> bytes:
        """The body that tells ``message``.

        Raises:
            ValueError: when something in it may not be written.
        """
        document = document_of(self._wire, message)
        try:
            read = self._decoder.decode(self._encoder.encode(document))
        except ValidationError as error:
            raise ValueError(str(error)) from None
        if read != document:
            raise ValueError(UNEQUAL)
        # a whole number in a field of floats is written as a float, as it will be read
        return self._shortest(read)

    def _shortest(self, document: Struct) -> bytes:
        """The one body of ``document``; by itself msgspec gives large structs longer headers than they need."""
        return self._encoder.encode(to_builtins(document, builtin_types=(datetime, bytes)))

    def header_values(self, body: bytes, max_bytes: int) -> dict[str, Any]:
        """What can be read of the header's simple fields, by their names in Python.

        Raises:
            Malformed: when the body cannot be parsed at all.
        """
        check_size(body, max_bytes)
        try:
            return header_values(msgpack.decode(body))
        except (DecodeError, UnicodeDecodeError, RecursionError):
            raise Malformed("the message is not well-formed MessagePack, or nested too deep") from None
