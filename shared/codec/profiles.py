"""Nouns on their own, each as one XML document: what is in a compressed Payload and in an Operation.

They are written and read by the same rules as inside a message; a flaw is told with the place in the message.
"""

from typing import Any

from lxml import etree
from msgspec import Struct

from contracts.errors import Malformed
from contracts.message import Header, Message
from contracts.verbs import Verb
from shared.codec.guard import parse
from shared.codec.shape import namespace
from shared.codec.wire import Wire
from shared.codec.xml import XmlFormat
from shared.codec.xml_reader import Readers

_ABOVE = ("Message", "Payload")
"""The elements above a noun, as far as the paths and codes of flaws depend on them."""


class Profiles:
    """Reads and writes the nouns of a catalogue as documents of their own.

    Attributes:
        nouns: the containers and the Get profiles, by name.
    """

    def __init__(self, wire: Wire, xml: XmlFormat) -> None:
        self.nouns = wire.nouns
        self._xml = xml
        self._readers = Readers()

    def write(self, payload: Struct) -> bytes:
        """The document of a noun: its element as it stands in a message, without a declaration.

        Raises:
            ValueError: when the noun breaks its contract or is not in the catalogue.
        """
        # a bare message around it has all that is checked in writing, and its header cannot hold a Payload
        header = Header(verb=Verb.CREATED, noun=type(payload).__name__)
        written = self._xml.encode(Message(header=header, payload=payload))
        return written.partition(b"<Payload>")[2].rpartition(b"</Payload>")[0]

    def read(self, document: bytes, noun: str, where: str) -> Any:
        """The noun that a document tells, whose size was checked.

        Args:
            document: one element in XML.
            noun: which of :attr:`nouns` it must be.
            where: the path of the document in its message, for the reason of a refusal.

        Raises:
            Malformed: 2.5 for another noun, and whatever is refused in a message, without a line.
        """
        try:
            element = parse(document)
        except Malformed as error:
            raise Malformed(f"{where}: {error.reason}", code=error.code) from None
        struct = self.nouns[noun]
        uri = namespace(struct)
        if element.tag != f"{{{uri}}}{noun}":
            raise Malformed(f"{where} holds something else than {noun} in the namespace of its profile", code="2.5")
        root, section = _ABOVE
        etree.SubElement(etree.Element(root), section).append(element)
        try:
            return self._readers.of(struct, uri)(element)
        except Malformed as error:
            raise Malformed(f"{where}{error.reason.removeprefix('/'.join(_ABOVE))}", code=error.code) from None
