"""Reading what came: decoded, and held against what the broker vouches for, before anything is done."""

from collections.abc import Callable, Sequence
from typing import Any

from contracts.errors import BusbarError, Malformed
from contracts.message import Fault, Header, Message
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance
from shared.bus.subjects import Space
from shared.codec import Codec
from shared.codec.wire import OPERATION_SET
from shared.security import check_context, check_header, check_reply_inbox, reply_address


class Reader:
    """Reads the messages of one context.

    Args:
        space: root and context.
        codec: of all nouns.
    """

    def __init__(self, space: Space, codec: Codec) -> None:
        self._space = space
        self._codec = codec

    def read(self, arrival: Arrival) -> Message[Any]:
        """The message.

        Raises:
            Malformed: 1.x, 2.x or 3.1.
            Denied: 7.x.
        """
        return self._agreed(arrival, self._codec.decode(arrival.body, arrival.content_type))

    def read_many(
        self, bodies: Sequence[bytes], content_type: str, arrival_of: Callable[[int], Arrival], *, compact: bool
    ) -> list[tuple[Message[Any] | BusbarError, list[int]]]:
        """What events on subjects of one source, noun and verb tell, and which of them; or why it cannot be read.

        Args:
            bodies: of the events.
            content_type: of all of them.
            arrival_of: how that one of them came.
            compact: the payload of what came in a compact form is that; what is alike but for its rows is one message.
        """
        found: list[tuple[Message[Any] | BusbarError, list[int]]] = []
        for told, places in self._codec.decode_many(bodies, content_type, compact=compact):
            try:
                found.append(
                    (told if isinstance(told, Malformed) else self._agreed(arrival_of(places[0]), told), places)
                )
            except BusbarError as error:
                found.append((error, places))
        return found

    def _agreed(self, arrival: Arrival, message: Message[Any] | Fault) -> Message[Any]:
        """The message, held against what the broker vouches for."""
        if arrival.entrance is Entrance.REPLY:
            return self._reply(arrival, message)
        if isinstance(message, Fault):
            raise Malformed("a FaultMessage is not expected here")
        header, context = message.header, self._space.context
        check_header(header, noun=arrival.noun, verb=arrival.verb, source=arrival.source, context=context)
        if arrival.verb is not Verb.GET and not header.message_id:
            raise Malformed("Header/MessageID is missing", code="1.5")
        if arrival.reply_to is not None:
            check_reply_inbox(arrival.reply_to, asker=arrival.source, context=context)
        if header.async_reply_flag or arrival.entrance is Entrance.COMMAND:
            root, asker, role = self._space.root, arrival.source, arrival.role
            reply_address(header, root=root, context=context, asker=asker, role=role)
        if arrival.entrance in {Entrance.REQUEST, Entrance.COMMAND} and arrival.verb is not Verb.GET:
            _check_payload(message)
        return message

    def _reply(self, arrival: Arrival, message: Message[Any] | Fault) -> Message[Any]:
        """A reply to a command of ours; a FaultMessage says that the other side could not read it."""
        if isinstance(message, Fault):
            header = Header(verb=Verb.REPLY, noun=arrival.noun, source=arrival.source)
            return Message(header=header, reply=message.reply)
        if message.reply is None:
            raise Malformed("the Reply is missing from what came to a reply subject", code="1.7")
        source = message.header.source
        if source not in {None, arrival.source}:
            raise Malformed(f"Header/Source is '{source}', but the broker vouches for '{arrival.source}'", code="2.14")
        check_context(message.header, self._space.context)
        return message


def _check_payload(message: Message[Any]) -> None:
    """A request that is no question carries its object, or the identifiers of objects, or a set of operations."""
    enclosure = message.enclosure
    has_ids = bool(message.request and message.request.id) or bool(enclosure and enclosure.id)
    is_set = message.header.noun == OPERATION_SET and enclosure is not None and enclosure.operation_set is not None
    if message.payload is None and not has_ids and not is_set:
        raise Malformed(f"Payload/{message.header.noun} is missing", code="1.7")
