"""Messages in MessagePack: the shape of JSON, times as its timestamps.

Reading tolerates nothing: fields in their order, nothing unknown, nothing repeated, no default written out, each value
in its shortest form. So a body is what its message is written as, byte for byte.
"""

import re
from typing import Any

from msgspec import ValidationError, msgpack

from contracts.errors import Malformed
from contracts.interface import CompactForm
from contracts.message import Fault, Message
from shared.codec.guard import check_size
from shared.codec.packing import Packing, tree
from shared.codec.rows import with_rows
from shared.codec.tree import UNEQUAL, document_of, header_values, understood
from shared.codec.wire import Wire

_NOT_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""How a number begins that is infinite or none; other bytes may look like it."""


class MessagePackFormat:
    """Reads and writes the messages of a catalogue as MessagePack."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._packing: Packing[Any] = Packing(wire.document)

    def decode(self, body: bytes, max_bytes: int) -> Message[Any] | Fault:
        """The message that ``body`` tells.

        Raises:
            Malformed: with path and code.
        """
        document = self._packing.read(body, max_bytes)
        message = understood(self._wire, document)
        self._packing.check_shortest(document, body)
        if _NOT_FINITE.search(body) and self._packing.read(body, max_bytes) != document:
            raise Malformed("the message holds a number that is none, which no equality survives")
        return message

    def decode_rows(self, body: bytes, max_bytes: int, form: CompactForm) -> Message[Any] | None:
        """The event that ``body`` tells with a compact form as its payload, if it is written as most are; else None.

        The array that the form reads is taken out, and what is left is read as ever.

        Raises:
            Malformed: 3.1 for too many bytes.
        """
        check_size(body, max_bytes)
        noun, text = form.noun.__name__, msgpack.encode
        before = text("Payload") + b"\x81" + text(noun)
        rest, _, rows = body.partition(before + b"\x81" + text(form.element))
        try:
            compact = form.from_msgpack(rows, 0)
            message = self.decode(rest + before + b"\x80", max_bytes)
        except (ValueError, Malformed):
            return None
        return with_rows(message, compact, form)

    def encode(self, message: Message[Any] | Fault) -> bytes:
        """The body that tells ``message``.

        Raises:
            ValueError: when something in it may not be written.
        """
        document = document_of(self._wire, message)
        try:
            read = self._packing.as_read(document)
        except ValidationError as error:
            raise ValueError(str(error)) from None
        if read != document:
            raise ValueError(UNEQUAL)
        # a whole number in a field of floats is written as a float, as it will be read
        return self._packing.shortest(read)

    def header_values(self, body: bytes, max_bytes: int) -> dict[str, Any]:
        """What can be read of the header's simple fields, by their names in Python.

        Raises:
            Malformed: when the body cannot be parsed at all.
        """
        return header_values(tree(body, max_bytes))
