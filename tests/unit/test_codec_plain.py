"""Plain XML is read without a parser: what is read so is what the parser reads, and what is most common is read so."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.message import Fault, Message
from shared.codec import CONTENT_XML, Codec
from shared.codec.wire import Wire
from shared.codec.xml import XmlFormat
from tests.unit.strategies import messages

CODEC = Codec(CATALOGUE)
FORMAT = XmlFormat(Wire(CATALOGUE))

FRAGMENTS = (b'<a xmlns="urn:x"', b"<x:a ")
PIECES = (
    *(bytes([byte]) for byte in b"<>/&;\"' \n\r\x0b\x00\xff1:"),
    *(b"\r\n", b"\xef\xbf\xbe", b"\xef\xbb\xbf", b"]]>", b"<!---->", b"<![CDATA[x]]>", b"<?p?>", b"<!DOCTYPE x>"),
    *(b"&amp;", b"&lt;", b"&#13;", b"&#0;", b"&#65;", b"&apos;", b"&nbsp;", b'<?xml version="1.0" encoding="UTF-16"?>'),
    *(b"<name>n</name>", b"<name/>", b"<a:name>n</a:name>", b"text", b' ref="r"', b' xmlns="u:x"', b' xmlns=""'),
    *(b"<mRID>", b"</mRID>", b"<Names>", b"</Names>", b"<Names><name>n</name></Names>", b"<ID>x</ID>", b"<Payload>"),
)


def _indented(body: bytes) -> bytes:
    root = etree.fromstring(body)
    etree.indent(root)
    return etree.tostring(root)


def _prefixed(body: bytes) -> bytes:
    """The body with a prefix for each namespace, each declared in the root element."""
    root = etree.fromstring(body)
    spaces = {str(element.tag)[1:].partition("}")[0] for element in root.iter()} - {""}
    prefixes = {f"n{place}": space for place, space in enumerate(sorted(spaces))}
    new = etree.Element(root.tag, nsmap=prefixes)
    new.extend(list(root))
    etree.cleanup_namespaces(new, top_nsmap=prefixes)
    return etree.tostring(new, xml_declaration=True, encoding="UTF-8").replace(b"\n", b"\r\n")


def _parsed(body: bytes) -> Message[Any] | Fault | None:
    try:
        return FORMAT._decode_any(body)
    except Malformed:
        return None


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(message=messages(CATALOGUE), form=st.sampled_from((bytes, _indented, _prefixed)))
def test_any_message_is_read_the_same_with_and_without_a_parser(message: Message[Any] | Fault, form: Any) -> None:
    body = form(CODEC.encode(message, CONTENT_XML))
    parsed, plain = FORMAT._decode_any(body), FORMAT._decode_plain(body)
    assert plain is None or plain == parsed
    if form is bytes:
        assert parsed == message
        assert plain is not None or any(fragment in body for fragment in FRAGMENTS)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    message=messages(CATALOGUE),
    form=st.sampled_from((bytes, _indented, _prefixed)),
    damage=st.lists(
        st.tuples(st.integers(0), st.integers(0, 12), st.sampled_from((b"", *PIECES))), min_size=1, max_size=2
    ),
)
def test_what_a_parser_refuses_is_never_read_without_one(
    message: Message[Any] | Fault, form: Any, damage: list[tuple[int, int, bytes]]
) -> None:
    body = form(CODEC.encode(message, CONTENT_XML))
    for place, removed, piece in damage:
        at = place % (len(body) + 1)
        body = body[:at] + piece + body[at + removed :]
    plain = FORMAT._decode_plain(body)
    assert plain is None or plain == _parsed(body)
