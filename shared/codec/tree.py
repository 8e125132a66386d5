"""What JSON and MessagePack share: the same names and the same shape, read and written by msgspec.

``{"RequestMessage": {"Header": {...}, "Request": {...}, "Payload": {"UnplannedOutages": {...}}}}``; an element that
may stand several times is an array, the text of an element with attributes is ``value``, ``any`` elements are XML text.
"""

import re
from typing import Any

from msgspec import Struct, ValidationError, convert, json, msgpack

from contracts.errors import Malformed
from contracts.message import Fault, Header, Message
from shared.codec.fragment import with_canonical_fragments
from shared.codec.shape import parts_of
from shared.codec.wire import MisfitError, Wire

_NO_CHARACTER = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:u00|b|f)|\xef\xbf[\xbe\xbf]")
"""What no XML can carry, as JSON spells it: control characters, U+FFFE and U+FFFF."""

UNEQUAL = "the message holds a number that is not finite, or a list that is no tuple: it would not be read as it is"
"""Why a message is not written that would not be equal to itself when it is read."""

_JSON = json.Encoder()
_WIDTHS = msgpack.Encoder()


def understood(wire: Wire, document: Any) -> Message[Any] | Fault:
    """The message of a document that was read without loss.

    Raises:
        Malformed: when its parts do not agree, or another encoding could not carry it.
    """
    present = [root for root in wire.bodies if getattr(document, root) is not None]
    if len(present) != 1:
        raise Malformed("the message holds none or several of the root elements")
    root = present[0]
    if (sentence := uncarried(document)) is not None:
        raise Malformed(f"{root} {sentence}")
    try:
        return wire.assemble(root, with_canonical_fragments(getattr(document, root)))
    except MisfitError as error:
        raise Malformed(f"{root}/{'/'.join(error.path)} {error.reason}", code=error.code) from None
    except ValueError as error:
        raise Malformed(f"{root} holds an any element that {error}") from None


def document_of(wire: Wire, message: Message[Any] | Fault) -> Struct:
    """The document that tells ``message``.

    Raises:
        ValueError: when something in it may not be written.
    """
    root, body = wire.disassemble(message)
    document = wire.document(**{root: with_canonical_fragments(body)})
    if (sentence := uncarried(document)) is not None:
        raise ValueError(f"{root} {sentence}")
    return document


def uncarried(document: Struct) -> str | None:
    """What is in a document that not every encoding can carry, as a sentence about it."""
    text = _JSON.encode(document)
    # one character is found much faster than a pattern
    if (b"\\" in text or b"\xef" in text) and _NO_CHARACTER.search(text):
        return "holds a character that XML cannot carry"
    try:
        _WIDTHS.encode(document)
    except OverflowError:
        return "holds an integer of more than 64 bits, or a time out of the range of times"
    return None


def header_values(document: Any) -> dict[str, Any]:
    """What can be read of the header's simple fields in a document of any shape, by their names in Python."""
    body = next(iter(document.values()), None) if isinstance(document, dict) else None
    header = body.get("Header") if isinstance(body, dict) else None
    values: dict[str, Any] = {}
    for part in parts_of(Header):
        if isinstance(header, dict) and part.scalar is not None and not part.many and part.wire in header:
            try:
                values[part.name] = convert(header[part.wire], part.scalar)
            except ValidationError:
                continue
    return values
