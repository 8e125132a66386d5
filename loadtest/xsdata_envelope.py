"""The envelope as a dataclass of xsdata, and xsdata's reader, as strict as it can be, which is less than the codec."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import LxmlEventHandler
from xsdata.models.datatype import XmlDateTime

ENVELOPE = "http://iec.ch/TC57/2011/schema/message"

M = TypeVar("M")


def element(name: str, uri: str = ENVELOPE) -> dict[str, str]:
    """What a dataclass says of a field that is an element."""
    return {"type": "Element", "name": name, "namespace": uri}


@dataclass
class Header:
    """As in the schema, without what no message here has."""

    verb: str | None = field(default=None, metadata=element("Verb"))
    noun: str | None = field(default=None, metadata=element("Noun"))
    revision: str | None = field(default=None, metadata=element("Revision"))
    context: str | None = field(default=None, metadata=element("Context"))
    timestamp: XmlDateTime | None = field(default=None, metadata=element("Timestamp"))
    source: str | None = field(default=None, metadata=element("Source"))
    message_id: str | None = field(default=None, metadata=element("MessageID"))
    correlation_id: str | None = field(default=None, metadata=element("CorrelationID"))


@dataclass
class Reference:
    """As in the schema."""

    ref: str | None = field(default=None, metadata={"type": "Attribute", "name": "ref"})


def reader(message: type[M]) -> Callable[[bytes], M]:
    """What reads messages of a type."""
    config = ParserConfig(fail_on_unknown_properties=True)
    parser = XmlParser(config=config, context=XmlContext(), handler=LxmlEventHandler)

    def read(body: bytes) -> M:
        return parser.from_bytes(body, message)

    return read
