"""What is refused before anything reads it, and the one way in which XML is parsed here.

A body is bounded in bytes and in elements, holds no document type and no processing instruction, and nothing outside
of it is ever read. Two million empty elements in 8 MB would take 600 MB of memory; entities would take more.
"""

import re

from lxml import etree

from contracts.errors import Malformed

MAX_BYTES = 1 << 20
MAX_ELEMENTS = 250_000
"""Elements of the largest body that is read: 8 MiB of meter readings have fewer."""

Element = etree._Element  # noqa: SLF001 - the only name that lxml has for the type of an element

_NAME = rb"(?:[A-Za-z_:]|[\x80-\xff])"
_PROLOG = re.compile(rb"(?:<\?xml[ \t\r\n][^?<>]{0,200}\?>)?(?>[ \t\r\n]+|<!--(?>[^-]+|-(?!-))*+-->)*+<" + _NAME)
_DECLARED = re.compile(rb"<\?xml[ \t\r\n][^?<>]{0,200}?encoding[ \t\r\n]*=[ \t\r\n]*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_DECLARATION = re.compile(r"<\?xml[ \t\r\n][^?<>]{0,200}\?>")
_UTF8 = {"utf-8", "utf8", "us-ascii", "ascii"}
_OTHERS = {"iso-8859-1", "iso-8859-15", "windows-1252", "utf-16", "utf-16le", "utf-16be"}
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_BOM = b"\xef\xbb\xbf"
_INSTRUCTIONS = etree.XPath("//processing-instruction()")
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    recover=False,
    remove_comments=True,
    remove_pis=False,
)
_SHORTEST_ELEMENT = len(b"<a/>")


def check_size(body: bytes, max_bytes: int) -> None:
    """Refuse a body that is too large to be read.

    Raises:
        Malformed: 3.1.
    """
    if len(body) > max_bytes:
        raise Malformed(f"the message has {len(body)} bytes, and {max_bytes} are allowed", code="3.1")


def check_count(elements: int) -> None:
    """Refuse a body that says too many things.

    Raises:
        Malformed: 3.1.
    """
    if elements > MAX_ELEMENTS:
        raise Malformed(f"the message has more than {MAX_ELEMENTS} elements", code="3.1")


def count_elements(body: bytes) -> int:
    """At least as many as the elements of XML in UTF-8; 0 for a body that is too short to have too many."""
    return 0 if len(body) <= MAX_ELEMENTS * _SHORTEST_ELEMENT else body.count(b"<") - body.count(b"</")


def parse(body: bytes) -> Element:
    """The root element of a body whose size was checked.

    UTF-8 is read as it is. UTF-16, ISO 8859-1, 8859-15 and Windows-1252 are read when the body says so; others are
    refused.

    Raises:
        Malformed: 1.8, or 3.1 for too many elements; the reason tells nothing of the content.
    """
    body = _as_utf8(body)
    check_count(count_elements(body))
    if _PROLOG.match(body) is None:
        raise Malformed("something else than the root element begins the message, such as a document type", line=1)
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError as error:
        raise Malformed("the message is not well-formed XML", line=error.lineno) from None
    # one character is found much faster than two
    if b"?" in body and _INSTRUCTIONS(root):
        raise Malformed("the message holds a processing instruction")
    return root


def _as_utf8(body: bytes) -> bytes:
    declared = _DECLARED.match(body)
    encoding = _MARKS.get(body[:2]) or (declared[1].decode().lower() if declared else "utf-8")
    if encoding in _UTF8:
        return body.removeprefix(_BOM)
    if encoding not in _OTHERS:
        raise Malformed("the message is in an encoding that is not read here")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        raise Malformed(f"the message is not in {encoding}, although it says so") from None
    return _DECLARATION.sub("", text, count=1).encode("utf-8", "surrogatepass")
