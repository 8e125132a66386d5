"""The envelope of IEC 61968-100 Edition 1 (namespace of 2011): Header, Request, Reply, Payload, Fault.

In memory the noun stands directly in :attr:`Message.payload`, and what the schema puts beside it in ``Payload``
stands in :attr:`Message.enclosure`. The codec puts them together again. Element order is field order.
"""

from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct, field

from contracts.types import Instant, Name, XmlAttribute, XmlContent, XmlFragment, attribute, envelope
from contracts.verbs import Verb

NAMESPACE = "http://iec.ch/TC57/2011/schema/message"

P = TypeVar("P")


class Result(StrEnum):
    """How a request ended."""

    OK = "OK"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"


class Level(StrEnum):
    """How bad one error of a reply is."""

    INFORM = "INFORM"
    WARNING = "WARNING"
    FATAL = "FATAL"
    CATASTROPHIC = "CATASTROPHIC"


class IdKind(StrEnum):
    """What an ID of the envelope identifies its object by."""

    NAME = "name"
    UUID = "uuid"
    TRANSACTION = "transaction"
    OTHER = "other"


class Id(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An identifier with what is known about it; in XML the text of the element with attributes."""

    value: XmlContent
    id_type: XmlAttribute | None = None
    id_authority: XmlAttribute | None = None
    kind: XmlAttribute | None = None
    object_type: XmlAttribute | None = None


class ReplayDetection(Struct, frozen=True, kw_only=True, rename=envelope):
    """A nonce and its time, by which a message that somebody sends again is known."""

    nonce: str
    created: Instant


class User(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=envelope):
    """The person for whom the source speaks."""

    user_id: str
    organization: str | None = None


class Property(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=envelope):
    """The extension point of the header."""

    name: str
    value: str | None = None


class Header(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=envelope):
    """Who says what about which noun, when, and where an answer goes."""

    verb: Verb
    noun: str
    revision: str | None = None
    replay_detection: ReplayDetection | None = None
    context: str | None = None
    timestamp: Instant | None = None
    source: str | None = None
    async_reply_flag: bool | None = None
    reply_address: str | None = None
    ack_required: bool | None = None
    user: User | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    comment: str | None = None
    property: tuple[Property, ...] = ()
    any: tuple[XmlFragment, ...] = field(name="any", default=())


class Option(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A qualifier of a request by name."""

    name: str
    value: str | None = None


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=envelope):
    """The qualifiers of a request: times, options, identifiers, and a Get profile where the noun has one.

    ``query`` is the Get profile, read and typed; on the wire it is one of the ``any`` elements.
    """

    start_time: Instant | None = None
    end_time: Instant | None = None
    option: tuple[Option, ...] = ()
    id: tuple[Id, ...] = field(name="ID", default=())
    query: Struct | None = field(name="query", default=None)
    any: tuple[XmlFragment, ...] = field(name="any", default=())


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where in the server's machinery an error arose."""

    node: str | None = None
    pipeline: str | None = None
    stage: str | None = None


class ErrorObject(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The object that an error is about; the schema marks it deprecated in favour of ID."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Name", default=())
    object_type: str | None = None


class Error(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One thing that a reply has to say, with its code of 61968-9."""

    code: str
    level: Level | None = None
    reason: str | None = None
    details: str | None = None
    xpath: str | None = None
    stack_trace: str | None = None
    location: Location | None = field(name="Location", default=None)
    id: Id | None = field(name="ID", default=None)
    related_id: Id | None = field(name="relatedID", default=None)
    object: ErrorObject | None = None
    operation_id: int | None = field(name="operationId", default=None)


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=envelope):
    """How a request ended, with errors or confirmations and the identifiers they concern."""

    result: Result
    error: tuple[Error, ...] = ()
    id: tuple[Id, ...] = field(name="ID", default=())
    any: tuple[XmlFragment, ...] = field(name="any", default=())
    operation_id: int | None = field(name="operationId", default=None)


class Operation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One step of an OperationSet: a verb on a noun, with the object as one ``any`` element."""

    operation_id: int = field(name="operationId")
    noun: str | None = None
    verb: Verb | None = None
    element_operation: bool = False
    any: tuple[XmlFragment, ...] = field(name="any", default=())


class OperationSet(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Several operations in one message, in order or as one transaction where it says so."""

    enforce_msg_sequence: bool | None = None
    enforce_transactional_integrity: bool | None = None
    operation: tuple[Operation, ...] = field(name="Operation", default=())


class Enclosure(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=envelope):
    """What a Payload may hold besides, or instead of, the noun.

    Compressed is the noun, gzipped and in base64. It stands on the wire alone: who reads a message unpacks it.
    """

    any: tuple[XmlFragment, ...] = field(name="any", default=())
    operation_set: OperationSet | None = None
    compressed: str | None = None
    id: tuple[Id, ...] = field(name="ID", default=())
    format: str | None = None


class Message(Struct, Generic[P], frozen=True, kw_only=True):
    """A request, a response or an event about one noun; the verb in the header says which.

    ``payload`` is the noun's container (``UnplannedOutages`` and so on) or None where the message carries none.
    """

    header: Header
    request: Request | None = None
    reply: Reply | None = None
    payload: P | None = None
    enclosure: Enclosure | None = None

    @property
    def noun(self) -> P:
        """The payload of a message whose handler was promised one.

        Raises:
            ValueError: when the message carries none; the kernel refuses such a message with 1.7 beforehand.
        """
        if self.payload is None:
            raise ValueError(f"the message '{self.header.verb} {self.header.noun}' has no payload")
        return self.payload


class Fault(Struct, frozen=True, kw_only=True):
    """The answer to what could not be read: a reply without a header, since none could be echoed."""

    reply: Reply
