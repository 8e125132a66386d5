"""Compressed payloads: ``Payload/Compressed`` holds the noun, gzipped and in base64, and ``Format`` says XML.

What is compressed is the XML of the noun in every encoding of the message, since ``Format`` has words for XML and for
none of the others: so a gateway may turn a message into another encoding without opening it.

Compression is a matter of the wire alone. In memory a message has its noun in :attr:`Message.payload` and nothing in
:attr:`Enclosure.compressed`; it is equal to, and has the same digest as, the message that came uncompressed.
61968-100:2013 says gzip and leaves the text encoding to practice, which is base64.

Reading tolerates white space inside the base64, and a ``Format`` that is missing. It refuses anything else beside
``Compressed``, as the schema does.
"""

import gzip
import zlib
from base64 import b64decode, b64encode
from typing import Any

from msgspec.structs import replace

from contracts.errors import Malformed
from contracts.message import Enclosure, Fault, Message
from contracts.verbs import Verb
from shared.codec.profiles import Profiles

FORMAT = "XML"
"""What ``Format`` says of a compressed noun."""

MAX_EXPANDED_BYTES = 8 << 20
"""The largest document that is unpacked."""

MOST_RATIO = 100
"""How many times larger a document may be than what it is unpacked from; gzip could do a thousand."""

_LEVEL = 6
_GZIP = 16 + zlib.MAX_WBITS
_WHERE = "Payload/Compressed"


def compressed(message: Message[Any] | Fault, profiles: Profiles) -> Message[Any] | Fault:
    """``message`` as it is written with its noun compressed; the same message gives the same bytes.

    A message that has no noun, or more beside it, is returned as it is, since the schema allows nothing beside
    ``Compressed``; and so is one whose noun a reader would refuse to unpack.

    Raises:
        ValueError: when the noun breaks its contract.
    """
    if isinstance(message, Fault) or message.payload is None or message.enclosure is not None:
        return message
    if message.header.verb is Verb.GET or type(message.payload).__name__ != message.header.noun:
        return message  # the parts of the message do not agree, which is told where it is written
    document = profiles.write(message.payload)
    packed = gzip.compress(document, _LEVEL, mtime=0)
    if len(document) > _most_bytes(packed):
        return message
    return replace(message, payload=None, enclosure=Enclosure(compressed=b64encode(packed).decode(), format=FORMAT))


def expanded(message: Message[Any] | Fault, profiles: Profiles) -> Message[Any] | Fault:
    """``message`` as it is in memory, with a noun that came compressed as its payload.

    Raises:
        Malformed: 3.1 for what would be too large, 2.5 for another noun, 1.8 for what cannot be unpacked or has
            something beside it, and whatever is refused in a noun that comes uncompressed.
    """
    if isinstance(message, Fault) or message.enclosure is None or message.enclosure.compressed is None:
        return message
    text, form = message.enclosure.compressed, message.enclosure.format
    if message.payload is not None or message.enclosure != Enclosure(compressed=text, format=form):
        raise Malformed(f"{_WHERE} stands beside what it should hold")
    if form not in {None, FORMAT}:
        raise Malformed("Payload/Format of a compressed payload is not XML")
    noun = message.header.noun
    if message.header.verb is Verb.GET or noun not in profiles.nouns:
        raise Malformed(f"{_WHERE} does not belong to this verb and noun")
    payload = profiles.read(_unpacked(text), noun, _WHERE)
    return replace(message, payload=payload, enclosure=None)


def _unpacked(text: str) -> bytes:
    """What was packed, with never more than the limit of it in memory."""
    try:
        packed = b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise Malformed(f"{_WHERE} is not base64") from None
    most = _most_bytes(packed)
    machine = zlib.decompressobj(_GZIP)
    try:
        document = machine.decompress(packed, most + 1)
    except zlib.error:
        raise Malformed(f"{_WHERE} is not gzip, or was damaged") from None
    if len(document) > most:
        raise Malformed(f"{_WHERE} has more than {most} bytes when it is unpacked", code="3.1")
    if not machine.eof or machine.unused_data:
        raise Malformed(f"{_WHERE} is cut off, or has something behind its end")
    return document


def _most_bytes(packed: bytes) -> int:
    return min(MAX_EXPANDED_BYTES, MOST_RATIO * len(packed))
