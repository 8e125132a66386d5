"""What is fuzzed: each decoder as a function of bytes, which returns unless there is a defect; and where it begins.

It returns whether the bytes were read.
A decoder may refuse whatever it likes with Malformed. What it reads must be what is written: a message that was read is
written and read again, and must be the same.
"""

import gzip
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from contracts.catalogue import ROLES
from contracts.errors import Malformed
from contracts.message import NAMESPACE, Enclosure, Fault, Header, Message
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec, operations
from shared.codec.legacy import LegacyReader
from shared.codec.operations import Step
from shared.codec.wire import OPERATION_SET, root_of

EXAMPLES = Path(__file__).resolve().parents[2] / "contracts" / "examples"
CODEC = Codec(ROLES)
LEGACY = LegacyReader(CODEC)

_PACKED = 0
"""The first byte of an input for ``compression`` whose rest is packed already; the rest of another is packed first."""

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ORDERED = ("TroubleTickets", "CustomerConfig")
_OLDER = ("http://www.iec.ch/TC57/2008/schema/message", "http://iec.ch/TC57/2021/schema/message")


def read_xml(body: bytes) -> bool:
    """XML, and the operations in it."""
    return _read(body, CONTENT_XML)


def read_json(body: bytes) -> bool:
    """JSON."""
    return _read(body, CONTENT_JSON)


def read_msgpack(body: bytes) -> bool:
    """MessagePack."""
    return _read(body, CONTENT_MSGPACK)


def read_legacy(body: bytes) -> bool:
    """The older namespaces and bindings."""
    try:
        message, _ = LEGACY.decode(body, "text/xml")
    except Malformed:
        return False
    _write_again(message, CONTENT_XML)
    return True


def read_compressed(body: bytes) -> bool:
    """What is packed in a Payload."""
    inside = body[1:] if body[:1] == bytes([_PACKED]) else gzip.compress(body[1:], 1, mtime=0)
    return _read(
        f'<EventMessage xmlns="{NAMESPACE}"><Header><Verb>created</Verb><Noun>EndDeviceEvents</Noun></Header>'
        f"<Payload><Compressed>{b64encode(inside).decode()}</Compressed></Payload></EventMessage>".encode(),
        CONTENT_XML,
    )


TARGETS: dict[str, Callable[[bytes], bool]] = {
    "xml": read_xml,
    "json": read_json,
    "msgpack": read_msgpack,
    "legacy": read_legacy,
    "compression": read_compressed,
}


def seeds(target: str) -> Iterator[bytes]:
    """Inputs that are read, made of the golden examples."""
    for path in sorted(EXAMPLES.glob("*/*.json" if target == "json" else "*/*.xml")):
        body = path.read_bytes()
        if target in {"xml", "json"}:
            yield body
            continue
        message = CODEC.decode(body, CONTENT_XML)
        if target == "msgpack":
            yield CODEC.encode(message, CONTENT_MSGPACK)
        elif isinstance(message, Message):
            yield from _older(message) if target == "legacy" else _packed(message)
    if target == "xml":
        yield CODEC.encode(_operation_set(), CONTENT_XML)


def _read(body: bytes, content_type: str) -> bool:
    CODEC.read_header(body, content_type)
    try:
        message = CODEC.decode(body, content_type)
    except Malformed:
        return False
    _write_again(message, content_type)
    enclosure = message.enclosure if isinstance(message, Message) else None
    if enclosure is not None and enclosure.operation_set is not None:
        with suppress(Malformed):
            operations.read(CODEC, enclosure.operation_set)
    return True


def _write_again(message: Message[Any] | Fault, content_type: str) -> None:
    for compress in (False, True):
        try:
            again = CODEC.decode(CODEC.encode(message, content_type, compress=compress), content_type)
        except Malformed as refusal:
            raise AssertionError("a message that was read and written is refused") from refusal
        assert again == message


def _older(message: Message[Any]) -> Iterator[bytes]:
    """A message in older namespaces, and in SOAP with a typed root."""
    body = CODEC.encode(message, CONTENT_XML).decode()
    for space in _OLDER:
        yield body.replace(NAMESPACE, space).encode()
    header, root = message.header, root_of(message.header.verb)
    name = f"{header.noun}{root}" if header.verb in {Verb.GET, Verb.REPLY} else header.verb.capitalize() + header.noun
    typed = body.replace(NAMESPACE, f"http://iec.ch/TC57/2011/{header.noun}Message").replace(root, name)
    yield f'<s:Envelope xmlns:s="{_SOAP}"><s:Body>{typed}</s:Body></s:Envelope>'.encode()


def _packed(message: Message[Any]) -> Iterator[bytes]:
    """The noun of a message for both ways of ``compression``."""
    if type(message.payload) is EndDeviceEvents:
        document = CODEC.profiles.write(message.payload)
        yield bytes([_PACKED]) + gzip.compress(document, mtime=0)
        yield bytes([_PACKED + 1]) + document


def _operation_set() -> Message[Any]:
    """Two orders in one set."""
    found = [CODEC.decode((EXAMPLES / noun / "create.xml").read_bytes(), CONTENT_XML) for noun in _ORDERED]
    steps = [
        Step(operation_id=number, verb=Verb.CREATE, payload=order.payload)
        for number, order in enumerate(found, 1)
        if isinstance(order, Message)
    ]
    header = Header(verb=Verb.EXECUTE, noun=OPERATION_SET)
    return Message(header=header, enclosure=Enclosure(operation_set=operations.write(CODEC, steps, as_one=True)))
