"""A compressed noun is the same noun, in any encoding, and a bomb is refused before it goes off."""

import gzip
import json
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.message import Enclosure, Fault, Header, Id, Message, OperationSet
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.types import Reference
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec, digest
from shared.codec.compression import MAX_EXPANDED_BYTES, MOST_RATIO
from tests.unit.strategies import messages, structs

CODEC = Codec(CATALOGUE)
ENCODINGS = (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK)
MIB = 1 << 20

MOST_MEMORY = 16 * MIB
"""What unpacking may take: the 8 MiB that are allowed, and as much again while they grow."""

HEADER = Header(verb=Verb.CREATED, noun="EndDeviceEvents")
EVENTS = EndDeviceEvents(
    end_device_event=tuple(
        EndDeviceEvent(
            mrid=f"event-{number}",
            created_date_time=datetime(2026, 1, 1, tzinfo=UTC),
            end_device_event_type=Reference(ref="3.26.9.185"),
            reason="<&>",
        )
        for number in range(40)
    )
)
NOUN = CODEC.profiles.write(EVENTS)


def packed(document: bytes) -> str:
    return b64encode(gzip.compress(document, 6, mtime=0)).decode()


def told(inside: str) -> bytes:
    """An EventMessage with this in its Payload."""
    return (
        '<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>created</Verb>'
        f"<Noun>EndDeviceEvents</Noun></Header><Payload>{inside}</Payload></EventMessage>"
    ).encode()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(message=messages(CATALOGUE), content_type=st.sampled_from(ENCODINGS))
def test_message_is_equal_after_it_was_compressed_in_any_encoding(
    message: Message[Any] | Fault, content_type: str
) -> None:
    body = CODEC.encode(message, content_type, compress=True)
    assert CODEC.decode(body, content_type) == message
    assert CODEC.encode(message, content_type, compress=True) == body


@pytest.mark.parametrize("noun", CATALOGUE.nouns.values(), ids=CATALOGUE.nouns)
def test_every_noun_survives_compression_with_its_digest(noun: type[Any]) -> None:
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(payload=structs(noun), content_type=st.sampled_from(ENCODINGS))
    def survives(payload: Any, content_type: str) -> None:
        message = Message(header=Header(verb=Verb.CREATE, noun=noun.__name__), payload=payload)
        read = CODEC.decode(CODEC.encode(message, content_type, compress=True), content_type)
        assert read == message
        assert isinstance(read, Message)
        assert digest(read) == digest(message)

    survives()


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_what_is_compressed_is_the_xml_of_the_noun_in_every_encoding(content_type: str) -> None:
    body = CODEC.encode(Message(header=HEADER, payload=EVENTS), content_type, compress=True)
    assert packed(NOUN).encode() in body
    assert b"XML" in body
    assert NOUN.startswith(b'<EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#">')
    assert b"event-39" not in body


def test_a_message_whose_payload_holds_more_than_the_noun_is_written_as_it_is() -> None:
    for message in (
        Message(header=HEADER, payload=EVENTS, enclosure=Enclosure(format="XML")),
        Message(header=HEADER, enclosure=Enclosure(id=(Id(value="a"),))),
        Message(header=HEADER),
    ):
        assert CODEC.encode(message, CONTENT_XML, compress=True) == CODEC.encode(message, CONTENT_XML)


def test_a_noun_that_a_reader_would_not_unpack_is_written_as_it_is() -> None:
    event = replace(EVENTS.end_device_event[0], reason="a" * 200_000)
    message = Message(header=HEADER, payload=EndDeviceEvents(end_device_event=(event,)))
    assert CODEC.encode(message, CONTENT_XML, compress=True) == CODEC.encode(message, CONTENT_XML)


def test_a_message_never_holds_compressed_in_memory() -> None:
    with pytest.raises(ValueError, match="made when the message is written"):
        CODEC.encode(Message(header=HEADER, enclosure=Enclosure(compressed=packed(NOUN))), CONTENT_XML)


@pytest.mark.parametrize("form", ["", "<Format>XML</Format>"])
def test_reading_tolerates_white_space_and_a_missing_format(form: str) -> None:
    text = packed(b'\xef\xbb\xbf<?xml version="1.0"?>\n' + NOUN + b"\n")
    spaced = f"\n {text[:76]}\r\n{text[76:]}\n"
    assert CODEC.decode(told(f"<Compressed>{spaced}</Compressed>{form}"), CONTENT_XML) == Message(
        header=HEADER, payload=EVENTS
    )


FIRST_EVENT = (
    '<EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#"><EndDeviceEvent>'
    "<createdDateTime>2026-01-01T00:00:00Z</createdDateTime>"
)
WHOLE = gzip.compress(NOUN, mtime=0)
REFUSED = {
    "flag": ("<Compressed>false</Compressed>", "1.8", "Payload/Compressed is not base64"),
    "no gzip": ("<Compressed>nope</Compressed>", "1.8", "Payload/Compressed is not gzip"),
    "nothing": ("<Compressed/>", "1.8", "Payload/Compressed is cut off"),
    "no base64": ("<Compressed>#####</Compressed>", "1.8", "Payload/Compressed is not base64"),
    "no ascii": ("<Compressed>\u00e4\u00e4\u00e4\u00e4</Compressed>", "1.8", "Payload/Compressed is not base64"),
    "cut off": (f"<Compressed>{b64encode(WHOLE[:-9]).decode()}</Compressed>", "1.8", "is cut off"),
    "two members": (f"<Compressed>{b64encode(WHOLE + WHOLE).decode()}</Compressed>", "1.8", "something behind its end"),
    "damaged": (
        f"<Compressed>{b64encode(WHOLE[:-6] + b'xx' + WHOLE[-4:]).decode()}</Compressed>",
        "1.8",
        "is not gzip, or was damaged",
    ),
    "another format": (f"<Compressed>{packed(NOUN)}</Compressed><Format>PDF</Format>", "1.8", "Payload/Format"),
    "beside the noun": (NOUN.decode() + f"<Compressed>{packed(NOUN)}</Compressed>", "1.8", "stands beside"),
    "beside an identifier": (f"<Compressed>{packed(NOUN)}</Compressed><ID>1</ID>", "1.8", "stands beside"),
    "another noun": (f"<Compressed>{packed(b'<a/>')}</Compressed>", "2.5", "something else than EndDeviceEvents"),
    "no xml": (f"<Compressed>{packed(b'noun')}</Compressed>", "1.8", "Payload/Compressed: something else"),
    "document type": (f"<Compressed>{packed(b'<!DOCTYPE a>' + NOUN)}</Compressed>", "1.8", "Payload/Compressed: some"),
    "compressed twice": (f"<Compressed>{packed(packed(NOUN).encode())}</Compressed>", "1.8", "Payload/Compressed:"),
    "flaw in the noun": (
        f"<Compressed>{packed((FIRST_EVENT + '</EndDeviceEvent></EndDeviceEvents>').encode())}</Compressed>",
        "1.7",
        "Payload/Compressed/EndDeviceEvents/EndDeviceEvent lacks the mandatory EndDeviceEventType",
    ),
    "too many elements": (f"<Compressed>{packed(b'<a>' + b'<a/>' * 260_000 + b'</a>')}</Compressed>", "3.1", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_compressed_noun_is_refused_with_the_code_that_says_why(name: str) -> None:
    inside, code, part = REFUSED[name]
    with pytest.raises(Malformed) as refusal:
        CODEC.decode(told(inside), CONTENT_XML, max_bytes=8 * MIB)
    assert (refusal.value.code, refusal.value.line) == (code, None)
    assert part in refusal.value.reason


def test_neither_a_question_nor_an_operation_set_has_a_compressed_noun() -> None:
    question = told(f"<Compressed>{packed(NOUN)}</Compressed>").replace(b"EventMessage", b"RequestMessage")
    for body in (
        question.replace(b"created", b"get"),
        question.replace(b"created", b"execute").replace(b"<Noun>EndDeviceEvents", b"<Noun>OperationSet"),
    ):
        with pytest.raises(Malformed, match="does not belong to this verb and noun"):
            CODEC.decode(body, CONTENT_XML)
    whole: Message[Any] = Message(
        header=Header(verb=Verb.EXECUTE, noun="OperationSet"),
        enclosure=Enclosure(operation_set=OperationSet(enforce_msg_sequence=True)),
    )
    assert CODEC.encode(whole, CONTENT_XML, compress=True) == CODEC.encode(whole, CONTENT_XML)


BOMBS = {
    "gigabyte of zeros": 1 << 30,
    "a byte more than the limit": MAX_EXPANDED_BYTES + 1,
    "a little beyond the ratio": 3 * MIB,
}
_SCRIPT = """
import json, resource, sys, zlib
from base64 import b64encode
from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from shared.codec import CONTENT_XML, Codec

def bomb(size):
    machine = zlib.compressobj(9, wbits=31)
    chunk = bytes(1 << 20)
    parts = [machine.compress(chunk[:min(len(chunk), size - at)]) for at in range(0, size, len(chunk))]
    return b"".join(parts) + machine.flush()

frame, bombs = json.load(sys.stdin)
codec, outcomes = Codec(CATALOGUE), {}
bodies = {name: frame.replace("@", b64encode(bomb(size)).decode()).encode() for name, size in bombs.items()}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, body in bodies.items():
    try:
        codec.decode(body, CONTENT_XML, max_bytes=8 << 20)
    except Malformed as refusal:
        outcomes[name] = refusal.code
print(json.dumps([outcomes, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024]))
"""


def test_a_bomb_is_refused_in_little_memory() -> None:
    given_in = json.dumps([told("<Compressed>@</Compressed>").decode(), BOMBS])
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], input=given_in, capture_output=True, text=True, timeout=60, check=True
    )
    outcomes, memory = json.loads(done.stdout)
    assert outcomes == dict.fromkeys(BOMBS, "3.1")
    assert memory < MOST_MEMORY


def test_a_document_is_unpacked_up_to_the_ratio() -> None:
    ratio = len(NOUN) / len(WHOLE)
    assert ratio < MOST_RATIO
    assert ratio > 5, "what repeats itself as events do shrinks well"
