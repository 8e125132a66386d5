"""Messages in XML."""

import re
from typing import Any

from msgspec import convert

from contracts.interface import CompactForm
from contracts.message import NAMESPACE, Fault, Header, Message
from shared.codec.flaws import at_path, flaw, unknown
from shared.codec.fragment import with_canonical_fragments
from shared.codec.guard import check_size, parse
from shared.codec.rows import with_rows
from shared.codec.shape import parts_of, scalar_forms
from shared.codec.wire import MisfitError, Wire
from shared.codec.xml_plain import PlainReaders, plain_text
from shared.codec.xml_reader import Readers
from shared.codec.xml_writer import Writers

_FORBIDDEN = bytes(code for code in range(32) if code not in {9, 10, 13})
_NO_CHARACTER = re.compile(b"\xef\xbf[\xbe\xbf]")
"""U+FFFE and U+FFFF in UTF-8."""


class XmlFormat:
    """Reads and writes the messages of a catalogue as XML."""

    def __init__(self, wire: Wire) -> None:
        readers, writers = Readers(), Writers()
        self._wire = wire
        self._writers = writers
        self._plain_readers = PlainReaders(wire.bodies, NAMESPACE)
        self._readers = {
            f"{{{NAMESPACE}}}{root}": (root, readers.of(body, NAMESPACE)) for root, body in wire.bodies.items()
        }

    def decode(self, body: bytes, max_bytes: int) -> Message[Any] | Fault:
        """The message that ``body`` tells.

        Raises:
            Malformed: with path, line and code.
        """
        check_size(body, max_bytes)
        plain = self._decode_plain(body)
        return self._decode_any(body) if plain is None else plain

    def decode_rows(self, body: bytes, max_bytes: int, form: CompactForm) -> Message[Any] | None:
        """The event that ``body`` tells with a compact form as its payload, if it is written as most are; else None.

        The elements that the form reads are taken out, and what is left is read as ever.

        Raises:
            Malformed: 3.1 for too many bytes.
        """
        check_size(body, max_bytes)
        noun = form.noun.__name__
        try:
            text = plain_text(body)
            start = re.search(rf"<([A-Za-z_][A-Za-z0-9_.-]{{0,15}}+:)?{noun}(?:[ \t\n][^>]*+)?>[ \t\n]*+", text)
            if start is None or "&" in text:
                return None
            compact, end = form.from_xml(start[1] or "")(text, start.end())
            message = self._wire.assemble(*self._plain_readers.read_text(text[: start.end()] + text[end:]))
        except ValueError:
            return None
        return with_rows(message, compact, form)

    def _decode_plain(self, body: bytes) -> Message[Any] | Fault | None:
        """The message of a body in plain form, which is most of them; None for any other, and for any with a flaw."""
        try:
            return self._wire.assemble(*self._plain_readers.read(body))
        except ValueError:
            return None

    def _decode_any(self, body: bytes) -> Message[Any] | Fault:
        element = parse(body)
        if element.tag not in self._readers:
            raise unknown(element)
        root, read = self._readers[element.tag]
        try:
            return self._wire.assemble(root, read(element))
        except MisfitError as error:
            raise flaw(at_path(element, error.path), error.reason, code=error.code) from None

    def encode(self, message: Message[Any] | Fault) -> bytes:
        """The body that tells ``message``.

        Raises:
            ValueError: when something in it may not be written.
        """
        root, body = self._wire.disassemble(message)
        written = self._writers.text(with_canonical_fragments(body), root, NAMESPACE).encode()
        is_clean = len(written.translate(None, _FORBIDDEN)) == len(written)
        if not is_clean or (b"\xef" in written and _NO_CHARACTER.search(written)):
            raise ValueError(f"the {root} holds a character that XML cannot carry")
        return written

    def header_values(self, body: bytes, max_bytes: int) -> dict[str, Any]:
        """What can be read of the header's simple fields, by their names in Python.

        Raises:
            Malformed: when the body cannot be parsed at all.
        """
        check_size(body, max_bytes)
        header = parse(body).find(f"{{{NAMESPACE}}}Header")
        values: dict[str, Any] = {}
        for part in parts_of(Header):
            child = None if header is None or part.scalar is None else header.find(f"{{{NAMESPACE}}}{part.wire}")
            if child is not None and not part.many:
                try:
                    values[part.name] = convert(scalar_forms(part.scalar).value(child.text or ""), part.scalar)
                except ValueError:
                    continue
        return values
