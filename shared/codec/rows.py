"""Events of a noun that has a compact form, from other encodings straight into that form.

A long list of a noun, which is nearly all of a message, is taken out and read by the form itself (``from_xml`` and
``from_msgpack`` of :class:`contracts.interface.CompactForm`); the rest, which is then a message whose noun is empty, is
read and checked as every message is. Where either finds something that it does not know, the whole message goes the
usual way, which makes objects first, and says what is wrong where something is.
"""

from typing import Any

from msgspec.structs import replace

from contracts.interface import CompactForm
from contracts.message import Fault, Message


def with_rows(message: Message[Any] | Fault, compact: Any, form: CompactForm) -> Message[Any] | None:
    """The event without its list, ``message``, with all that it tells; None where it is no such event."""
    if not isinstance(message, Message) or message.payload != form.noun() or message.enclosure is not None:
        return None
    return replace(message, payload=compact) if message.header.verb.is_event else None
