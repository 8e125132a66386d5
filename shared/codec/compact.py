"""Events whose noun is in its compact form: MessagePack of the header as elsewhere, and of the form in the Payload.

``{"Header": {...}, "Payload": {...}}``. Reading tolerates nothing, as with :mod:`shared.codec.msgpack`: a body is what
its message is written as, byte for byte.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct, defstruct
from msgspec.structs import replace

from contracts.errors import Malformed
from contracts.interface import CompactForm
from contracts.message import Fault, Header, Message
from shared.codec.alike import filled, fitting, others, spans_of, values_at
from shared.codec.fragment import with_canonical_fragments
from shared.codec.packing import Packing, tree
from shared.codec.tree import header_values, uncarried

FEW = 8
"""So many bodies are worth being held against each other."""

SHAPES = 4
"""How many that few others are like are found among bodies of one length, until the rest is read one by one."""

_FREE = ("timestamp", "message_id", "correlation_id")
"""What is different in each header, in the order in which it is written."""


class CompactFormat:
    """Reads and writes the events of one noun in its compact form."""

    def __init__(self, form: CompactForm) -> None:
        self._form = form
        self._name = form.noun.__name__
        fields = [("Header", Header), ("Payload", form.struct)]
        self._document = defstruct("CompactEvent", fields, kw_only=True)
        self._packing: Packing[Any] = Packing(self._document)

    def decode(self, body: bytes, max_bytes: int) -> Message[Any]:
        """The message that ``body`` tells, with the noun as its payload.

        Raises:
            Malformed: with path and code.
        """
        message = self.decode_compact(body, max_bytes)
        return Message(header=message.header, payload=self._form.expanded(message.payload))

    def decode_compact(self, body: bytes, max_bytes: int) -> Message[Any]:
        """The message that ``body`` tells, with the compact form as its payload.

        Raises:
            Malformed: with path and code.
        """
        document = self._packing.read(body, max_bytes)
        self._packing.check_shortest(document, body)
        if not document.Header.verb.is_event:
            raise Malformed("Header/Verb is not that of an event", code="2.9")
        if document.Header.noun != self._name:
            raise Malformed("Payload holds another noun than the header names", code="2.5")
        if (found := self._problem(document.Header, document.Payload)) is not None:
            raise Malformed(f"Payload {found}")
        try:
            header = with_canonical_fragments(document.Header)
        except ValueError as error:
            raise Malformed(f"Header holds an any element that {error}") from None
        return Message(header=header, payload=document.Payload)

    def decode_many(self, bodies: Sequence[bytes], max_bytes: int) -> list[tuple[Message[Any] | Malformed, list[int]]]:
        """What ``bodies`` tell, and which of them tell it; each is told once.

        Bodies of one row that differ only in that row, and in time and identifiers of the header, are one message: with
        the rows of all, and the header of the first. Of any other it is what :meth:`decode_compact` gives or raises.
        """
        lengths: dict[int, list[int]] = {}
        for place, body in enumerate(bodies):
            lengths.setdefault(len(body), []).append(place)
        told: list[tuple[Message[Any] | Malformed, list[int]]] = []
        for places in lengths.values():
            left, patience = places, SHAPES
            while left:
                taken, left = left[:1], left[1:]
                message = self._told(bodies[taken[0]], max_bytes)
                if len(left) >= FEW and patience and isinstance(message, Message):
                    message, fits = self._together(message, [bodies[place] for place in (*taken, *left)])
                    taken += [place for place, fit in zip(left, fits[1:], strict=True) if fit]
                    left = [place for place, fit in zip(left, fits[1:], strict=True) if not fit]
                    patience -= len(taken) < FEW
                told.append((message, taken))
        return told

    def _told(self, body: bytes, max_bytes: int) -> Message[Any] | Malformed:
        try:
            return self.decode_compact(body, max_bytes)
        except Malformed as error:
            return error

    def _together(self, message: Message[Any], bodies: Sequence[bytes]) -> tuple[Message[Any], list[bool]]:
        """What those of ``bodies``, of one length, tell together that are like the first, which tells ``message``.

        Where its values stand is proven by writing the message with other values in their places.
        """
        alone = [True] + [False] * (len(bodies) - 1)
        free = self._form.free(message.payload)
        names = [name for name in _FREE if getattr(message.header, name) is not None]
        values = [*(getattr(message.header, name) for name in names), *(free or ())]
        spans = None if free is None else spans_of(bodies[0], values)
        if spans is None:
            return message, alone
        new = others(values)
        header = replace(message.header, **dict(zip(names, new, strict=False)))
        payload = self._form.stacked(message.payload, [[value] for value in new[len(names) :]])
        if self._packing.shortest(self._document(Header=header, Payload=payload)) != filled(bodies[0], spans, new):
            return message, alone
        stack = np.frombuffer(b"".join(bodies), np.uint8).reshape(len(bodies), -1)
        fits = fitting(stack, bodies[0], spans)
        found = [values_at(stack[fits], span) for span in spans[len(names) :]]
        return replace(message, payload=self._form.stacked(message.payload, found)), fits.tolist()

    def encode(self, message: Message[Any] | Fault) -> bytes:
        """The body that tells ``message``, whose payload is the noun or its compact form.

        Raises:
            ValueError: when it is no event of this noun, or something in it may not be written.
        """
        if isinstance(message, Fault) or message.payload is None or not message.header.verb.is_event:
            raise ValueError(f"only events with a {self._name} have a compact form")
        if message.request is not None or message.reply is not None or message.enclosure is not None:
            raise ValueError(f"an event with more than a {self._name} has no compact form")
        payload: Struct = message.payload
        compact = payload if isinstance(payload, self._form.struct) else self._form.condensed(payload)
        header = with_canonical_fragments(message.header)
        if (found := self._problem(header, compact)) is not None:
            raise ValueError(f"Payload {found}")
        return self._packing.shortest(self._document(Header=header, Payload=compact))

    def _problem(self, header: Header, compact: Struct) -> str | None:
        """What is wrong with a message, as a sentence about its Payload; bytes are carried by all encodings."""
        found = self._form.problem(compact)
        return found or uncarried(self._document(Header=header, Payload=self._form.lean(compact)))

    def header_values(self, body: bytes, max_bytes: int) -> dict[str, Any]:
        """What can be read of the header's simple fields, by their names in Python.

        Raises:
            Malformed: when the body cannot be parsed at all.
        """
        return header_values({"CompactEvent": tree(body, max_bytes)})
