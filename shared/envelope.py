"""Messages as one role writes them: headers filled in, subjects chosen, bodies encoded.

What a transaction will send is a :class:`Row`: everything that the broker needs, as bytes, so that sending it again
sends the same.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha1
from typing import Any
from uuid import NAMESPACE_OID

from msgspec import Struct, structs

from contracts.errors import Rejected
from contracts.interface import Catalogue, Interface, Lane, NounType
from contracts.message import Enclosure, Error, Fault, Header, Id, Message, OperationSet, Reply, Request, Result
from contracts.verbs import Verb
from shared.bus.subjects import CommandSubject, EventSubject, ReplySubject, RequestSubject, Space, partition
from shared.clock import real_now
from shared.codec import CONTENT_XML, MAX_BYTES, Codec

CONTENT_TYPE = "Content-Type"
PRODUCER = "Busbar-Producer"
SEQUENCE = "Busbar-Sequence"

MESSAGE_BYTES = MAX_BYTES - 4096
"""The largest body that is sent; the broker counts the headers too. What is larger goes through the object store."""

_NAMESPACE = NAMESPACE_OID.bytes
_VARIANTS = {f"{digit:x}": f"{digit & 0x3 | 0x8:x}" for digit in range(16)}
"""The first digit of the fourth part of a UUID: its two highest bits are 1 and 0."""


class Row(Struct, frozen=True, kw_only=True):
    """One message that waits to be sent.

    Attributes:
        source: the role that sends it, whose connection and principal it takes.
        subject: where it goes; an inbox for the late answer to a core request, the subject of a request for a question
            whose answer is not waited for, a stream's subject otherwise.
        message_id: MessageID, and Nats-Msg-Id where a stream takes it.
        headers: the headers of NATS, without the sequence that the relay adds.
        counted: the relay numbers it on its subject, so that a consumer finds a loss; True for events.
    """

    source: str
    subject: str
    message_id: str
    headers: dict[str, str]
    body: bytes
    counted: bool = False


class Cause(Struct, frozen=True, kw_only=True):
    """Why something is done: identities are derived from it, so doing it again gives the same identities.

    Attributes:
        identity: what happened, unique for ever: source, MessageID and digest, or the name of a wake and its time.
        thread: the CorrelationID that what follows will carry.
        trace: headers that carry the trace context on.
    """

    identity: str
    thread: str | None
    trace: dict[str, str]

    def new_id(self, role: str, what: str) -> str:
        """The identity of ``what`` that ``role`` derives from this cause: a UUID of version 5 (RFC 9562, 5.5).

        It is made without :mod:`uuid`, which takes three times as long, since each event of a storm gets one.
        """
        digest = sha1(_NAMESPACE + f"{role}\n{what}\n{self.identity}".encode(), usedforsecurity=False).hexdigest()
        variant = _VARIANTS[digest[16]]
        return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


class Writer:
    """Writes messages for the roles that one service takes.

    Args:
        space: root and context.
        codec: of all nouns.
        catalogue: of all interfaces.
    """

    def __init__(self, space: Space, codec: Codec, catalogue: Catalogue) -> None:
        self.space = space
        self.codec = codec
        self.catalogue = catalogue

    def event(self, interface: Interface, verb: Verb, payload: Any, *, key: str, message_id: str, cause: Cause) -> Row:
        """An EventMessage in the lane that the interface declares for it.

        Raises:
            KeyError: when the role does not publish it.
            Rejected: 3.1, it is larger than a message can be.
        """
        noun = self.noun_of(payload).__name__
        lane = self.catalogue.lane(interface.role, verb, noun)
        header = self.header(interface.role, verb, noun, message_id=message_id, thread=cause.thread or message_id)
        content_type = CONTENT_XML
        if noun != type(payload).__name__:
            form = self.catalogue.compact[noun]
            if self.catalogue.is_compact(interface.role, verb, noun):
                content_type = form.content_type
            else:
                payload = form.expanded(payload)
        body = _sendable(self.codec.encode(Message(header=header, payload=payload), content_type))
        return self.told(
            lane,
            interface.role,
            noun,
            verb,
            key=key,
            message_id=message_id,
            content_type=content_type,
            body=body,
            cause=cause,
        )

    def noun_of(self, payload: Any) -> NounType:
        """The noun that ``payload`` is, or whose compact form it is."""
        kind = type(payload)
        return next((form.noun for form in self.catalogue.compact.values() if form.struct is kind), kind)

    def command(
        self,
        interface: Interface,
        role: str,
        verb: Verb,
        payload: Any,
        *,
        message_id: str,
        cause: Cause,
        ids: Sequence[str] = (),
    ) -> Row:
        """A RequestMessage that waits for ``role`` in the command stream and asks for an asynchronous reply."""
        noun = type(payload).__name__
        address = self.reply_subject(interface.role, message_id, role)
        header = structs.replace(
            self.header(interface.role, verb, noun, message_id=message_id, thread=cause.thread or message_id),
            async_reply_flag=True,
            reply_address=address,
        )
        subject = CommandSubject(
            root=self.space.root,
            context=self.space.context,
            role=role,
            noun=noun,
            verb=verb,
            asker=interface.role,
        )
        request = Request(id=tuple(Id(value=value) for value in ids)) if ids else None
        return self.row(interface.role, str(subject), Message(header=header, request=request, payload=payload), cause)

    def inquiry(
        self, interface: Interface, role: str, noun: type[Any], request: Request, *, message_id: str, cause: Cause
    ) -> Row:
        """A question for ``role`` that asks for asynchronous replies, at the address that a command's would have."""
        header = structs.replace(
            self.header(
                interface.role, Verb.GET, noun.__name__, message_id=message_id, thread=cause.thread or message_id
            ),
            async_reply_flag=True,
            reply_address=self.reply_subject(interface.role, message_id, role),
        )
        subject = RequestSubject(
            root=self.space.root,
            context=self.space.context,
            role=role,
            noun=noun.__name__,
            verb=Verb.GET,
            asker=interface.role,
        )
        return self.row(interface.role, str(subject), Message(header=header, request=request), cause)

    def header(self, source: str, verb: Verb, noun: str, *, message_id: str, thread: str | None) -> Header:
        """The header of a message of ours."""
        return Header(
            verb=verb,
            noun=noun,
            context=self.space.context.upper(),
            source=source,
            timestamp=real_now(),
            message_id=message_id,
            correlation_id=thread,
        )

    def response(
        self, source: str, noun: str, reply: Reply, payload: Any = None, *, message_id: str, thread: str | None
    ) -> Message[Any]:
        """A ResponseMessage; an OperationSet takes the place of the noun in its Payload."""
        header = self.header(source, Verb.REPLY, noun, message_id=message_id, thread=thread)
        if isinstance(payload, OperationSet):
            return Message(header=header, reply=reply, enclosure=Enclosure(operation_set=payload))
        return Message(header=header, reply=reply, payload=payload)

    def reply_subject(self, asker: str, message_id: str, role: str) -> str:
        """Where ``role`` answers the command ``message_id`` of ``asker``.

        Raises:
            ValueError: when the MessageID cannot stand in a subject.
        """
        return str(
            ReplySubject(
                root=self.space.root,
                context=self.space.context,
                asker=asker,
                message_id=message_id,
                responder=role,
            )
        )

    def row(
        self, source: str, subject: str, message: Message[Any] | Fault, cause: Cause, content_type: str = CONTENT_XML
    ) -> Row:
        """``message`` as it will be sent, uncounted.

        Raises:
            Rejected: 3.1, it is larger than a message can be.
        """
        message_id = message.header.message_id if isinstance(message, Message) else None
        return Row(
            source=source,
            subject=subject,
            message_id=message_id or cause.new_id(source, "fault"),
            headers={CONTENT_TYPE: content_type, PRODUCER: source, **cause.trace},
            body=_sendable(self.codec.encode(message, content_type)),
        )

    def told(
        self,
        lane: Lane,
        role: str,
        noun: str,
        verb: Verb,
        *,
        key: str,
        message_id: str,
        content_type: str,
        body: bytes,
        cause: Cause,
    ) -> Row:
        """A body in a lane: an event, or in ``journal`` and ``dead`` a copy of any message."""
        subject = EventSubject(
            root=self.space.root,
            context=self.space.context,
            lane=lane,
            source=role,
            noun=noun,
            verb=verb,
            partition=partition(key, lane),
        )
        headers = {CONTENT_TYPE: content_type, PRODUCER: role, **cause.trace}
        return Row(source=role, subject=str(subject), message_id=message_id, headers=headers, body=body, counted=True)


def success(code: str = "0.0") -> Reply:
    """A reply that tells of success, with the code of an acknowledgement or of a part where there is one.

    Codes of 61968-9: 0.0 none to report, 0.1 a part with more to come, 0.2 the last part, 0.3 acknowledged.
    """
    result = Result.PARTIAL if code in {"0.1", "0.2"} else Result.OK
    errors = () if code == "0.0" else (Error(code=code),)
    return Reply(result=result, error=errors)


def more_follows(reply: Reply) -> bool:
    """True for a part after which another comes (0.1)."""
    return any(error.code == "0.1" for error in reply.error)


def is_acknowledgement(reply: Reply) -> bool:
    """True for the mere word that a request arrived (0.3)."""
    return any(error.code == "0.3" for error in reply.error)


def merged(parts: Iterable[Any]) -> Any:
    """One container made of the parts of a reply: their lists one after the other."""
    whole, *rest = parts
    if not rest:
        return whole
    fields = type(whole).__struct_fields__
    values = {}
    for name in fields:
        first = getattr(whole, name)
        values[name] = sum((getattr(part, name) for part in rest), first) if isinstance(first, tuple) else first
    return type(whole)(**values)


def _sendable(body: bytes) -> bytes:
    """``body``, if the bus takes it; refused before it is written down, since an outbox row must be sendable."""
    if len(body) > MESSAGE_BYTES:
        raise Rejected(
            f"a message of {len(body)} bytes is larger than the {MESSAGE_BYTES} that can be sent", code="3.1"
        )
    return body
