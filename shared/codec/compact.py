"""Events whose noun is in its compact form: MessagePack of the header as elsewhere, and of the form in the Payload.

``{"Header": {...}, "Payload": {...}}``. Reading tolerates nothing, as with :mod:`shared.codec.msgpack`: a body is what
its message is written as, byte for byte.
"""

from typing import Any

from msgspec import Struct, defstruct

from contracts.errors import Malformed
from contracts.interface import CompactForm
from contracts.message import Fault, Header, Message
from shared.codec.fragment import with_canonical_fragments
from shared.codec.packing import Packing, tree
from shared.codec.tree import header_values, uncarried


class CompactFormat:
    """Reads and writes the events of one noun in its compact form."""

    def __init__(self, form: CompactForm) -> None:
        self._form = form
        self._name = form.noun.__name__
        fields = [("Header", Header), ("Payload", form.struct)]
        self._document = defstruct("CompactEvent", fields, kw_only=True)
        self._packing: Packing[Any] = Packing(self._document)

    def decode(self, body: bytes, max_bytes: int) -> Message[Any]:
        """The message that ``body`` tells, with the noun as its payload.

        Raises:
            Malformed: with path and code.
        """
        message = self.decode_compact(body, max_bytes)
        return Message(header=message.header, payload=self._form.expanded(message.payload))

    def decode_compact(self, body: bytes, max_bytes: int) -> Message[Any]:
        """The message that ``body`` tells, with the compact form as its payload.

        Raises:
            Malformed: with path and code.
        """
        document = self._packing.read(body, max_bytes)
        self._packing.check_shortest(document, body)
        if not document.Header.verb.is_event:
            raise Malformed("Header/Verb is not that of an event", code="2.9")
        if document.Header.noun != self._name:
            raise Malformed("Payload holds another noun than the header names", code="2.5")
        if (found := self._form.problem(document.Payload) or uncarried(document)) is not None:
            raise Malformed(f"Payload {found}")
        try:
            header = with_canonical_fragments(document.Header)
        except ValueError as error:
            raise Malformed(f"Header holds an any element that {error}") from None
        return Message(header=header, payload=document.Payload)

    def encode(self, message: Message[Any] | Fault) -> bytes:
        """The body that tells ``message``, whose payload is the noun or its compact form.

        Raises:
            ValueError: when it is no event of this noun, or something in it may not be written.
        """
        if isinstance(message, Fault) or message.payload is None or not message.header.verb.is_event:
            raise ValueError(f"only events with a {self._name} have a compact form")
        if message.request is not None or message.reply is not None or message.enclosure is not None:
            raise ValueError(f"an event with more than a {self._name} has no compact form")
        payload: Struct = message.payload
        compact = payload if isinstance(payload, self._form.struct) else self._form.condensed(payload)
        document = self._document(Header=with_canonical_fragments(message.header), Payload=compact)
        if (found := self._form.problem(compact) or uncarried(document)) is not None:
            raise ValueError(f"Payload {found}")
        return self._packing.shortest(document)

    def header_values(self, body: bytes, max_bytes: int) -> dict[str, Any]:
        """What can be read of the header's simple fields, by their names in Python.

        Raises:
            Malformed: when the body cannot be parsed at all.
        """
        return header_values({"CompactEvent": tree(body, max_bytes)})
