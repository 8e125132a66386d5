"""Messages to bytes and back, in three encodings that say the same.

XML is what the standard says; JSON and MessagePack carry the same names. Writing is strict and canonical: what the
schema refuses is not written. Reading is strict too; what it tolerates is listed in :mod:`shared.codec.xsd`,
:mod:`shared.codec.xml_reader`, :mod:`shared.codec.guard`, :mod:`shared.codec.wire`, :mod:`shared.codec.compression`,
:mod:`shared.codec.json` and :mod:`shared.codec.msgpack`, and nothing else is; :mod:`shared.codec.legacy` tolerates
more, for who asks for it. A message is equal to itself after any round trip through any of the encodings, compressed
or not. Events of a noun that has a compact form may be written in that too (:mod:`shared.codec.compact`).
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from msgspec.msgpack import Encoder

from contracts.errors import Malformed
from contracts.interface import Catalogue
from contracts.message import Fault, Header, Message
from shared.codec import compression
from shared.codec.compact import CompactFormat
from shared.codec.guard import MAX_BYTES
from shared.codec.json import JsonFormat
from shared.codec.msgpack import MessagePackFormat
from shared.codec.profiles import Profiles
from shared.codec.wire import Wire
from shared.codec.xml import XmlFormat

__all__ = ["CONTENT_JSON", "CONTENT_MSGPACK", "CONTENT_XML", "MAX_BYTES", "Codec", "digest"]

CONTENT_XML = "application/xml"
CONTENT_JSON = "application/json"
CONTENT_MSGPACK = "application/msgpack"

_CANONICAL = Encoder(order="deterministic")


class Codec:
    """Reads and writes the messages of one catalogue.

    A content type may carry parameters (``application/xml; charset=utf-8``), which are not looked at: XML says itself
    in what encoding it is, and JSON is UTF-8.

    Attributes:
        profiles: reads and writes nouns on their own.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        wire = Wire(catalogue)
        xml = XmlFormat(wire)
        self.profiles = Profiles(wire, xml)
        self._forms = tuple(catalogue.compact.values())
        self._formats: dict[str, XmlFormat | JsonFormat | MessagePackFormat | CompactFormat] = {
            CONTENT_XML: xml,
            CONTENT_JSON: JsonFormat(wire),
            CONTENT_MSGPACK: MessagePackFormat(wire),
            **{form.content_type: CompactFormat(form) for form in self._forms},
        }

    def decode(self, body: bytes, content_type: str, *, max_bytes: int = MAX_BYTES) -> Message[Any] | Fault:
        """The message that ``body`` tells; a noun that came compressed is its payload like any other.

        Raises:
            Malformed: when it does not honour the contract: 1.5, 1.6 and 1.7 for what is missing in Header, Request
                and Payload, 2.5 for the noun, 2.9 for the verb, 3.1 for too much, 1.8 for the rest. The reason names
                the field by its path; nothing else of the content is in it.
        """
        return compression.expanded(self._format(content_type).decode(body, max_bytes), self.profiles)

    def decode_compact(self, body: bytes, content_type: str, *, max_bytes: int = MAX_BYTES) -> Message[Any] | Fault:
        """As :meth:`decode`, but the payload of an event may be the compact form of its noun.

        It is for an event in that form, and for one in XML or MessagePack that is written as most are (:mod:`.rows`).

        Raises:
            Malformed: as for :meth:`decode`.
        """
        encoding = self._format(content_type)
        if isinstance(encoding, CompactFormat):
            return encoding.decode_compact(body, max_bytes)
        if isinstance(encoding, XmlFormat | MessagePackFormat):
            for form in self._forms:
                if (message := encoding.decode_rows(body, max_bytes, form)) is not None:
                    return message
        return self.decode(body, content_type, max_bytes=max_bytes)

    def decode_many(
        self, bodies: Sequence[bytes], content_type: str, *, compact: bool
    ) -> list[tuple[Message[Any] | Fault | Malformed, list[int]]]:
        """What ``bodies`` tell, as :meth:`decode` or :meth:`decode_compact` gives or raises it, and which of them.

        In a compact form those that are alike but for their rows are one message
        (:meth:`shared.codec.compact.CompactFormat.decode_many`).
        """
        encoding = self._formats.get(_base(content_type))
        if compact and isinstance(encoding, CompactFormat):
            return [*encoding.decode_many(bodies, MAX_BYTES)]
        decode = self.decode_compact if compact else self.decode
        return [(_told(decode, body, content_type), [place]) for place, body in enumerate(bodies)]

    def encode(self, message: Message[Any] | Fault, content_type: str, *, compress: bool = False) -> bytes:
        """The body that tells ``message``, with the noun compressed where ``compress`` asks for it and the schema can.

        Raises:
            ValueError: when the message breaks its contract, which is a defect of who made it.
            Malformed: when the content type is none of those that are known.
        """
        if isinstance(message, Message) and message.enclosure is not None and message.enclosure.compressed is not None:
            raise ValueError("the enclosure holds Compressed, which is made when the message is written")
        written = compression.compressed(message, self.profiles) if compress else message
        return self._format(content_type).encode(written)

    def read_header(self, body: bytes, content_type: str) -> Header | None:
        """As much of the header as can be read, for answering a message that cannot be; None without verb or noun."""
        try:
            values = self._format(content_type).header_values(body, MAX_BYTES)
        except Malformed:
            return None
        return Header(**values) if {"verb", "noun"} <= values.keys() else None

    def _format(self, content_type: str) -> XmlFormat | JsonFormat | MessagePackFormat | CompactFormat:
        found = self._formats.get(_base(content_type))
        if found is None:
            raise Malformed(f"the message is in none of the encodings {', '.join(self._formats)}")
        return found


def _base(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _told(
    decode: Callable[[bytes, str], Message[Any] | Fault], body: bytes, content_type: str
) -> Message[Any] | Fault | Malformed:
    try:
        return decode(body, content_type)
    except Malformed as error:
        return error


def digest(message: Message[Any]) -> bytes:
    """The SHA-256 of what a message asks or tells: verb, noun, request, payload and enclosure.

    It is the same for the same message in any encoding; header fields such as time and nonce are not in it.
    """
    header = message.header
    told = (header.verb, header.noun, message.request, message.payload, message.enclosure)
    return sha256(_CANONICAL.encode(told)).digest()
