"""Messages put together from pieces: the codec writes one of each shape, and only what differs is filled in.

Writing a value through the codec takes microseconds; a generator that is to make millions a second has less. What is
put together is byte for byte what the codec writes, which a test shows for every encoding.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import msgpack

from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML

_FIXED = 15
_SHORT = 0xFFFF


class Template:
    """A message whose payload repeats one element, cut into pieces.

    Args:
        body: the message as the codec writes it, with the element once.
        content_type: its encoding.
        element: the name of the element.
        markers: texts in the element that are filled in, each of which is in it once.
        varying: texts outside the element that are filled in, of the same length as what replaces them.
    """

    def __init__(
        self, body: bytes, content_type: str, element: str, markers: Sequence[str], varying: Sequence[str] = ()
    ) -> None:
        self._content_type = content_type
        start, end = _bounds(body, content_type, element)
        self._head = _cut(body[:start], [text.encode() for text in varying])
        self._tail = body[end:]
        self._pieces = _cut(body[start:end], [token(text, content_type) for text in markers])
        self._places = len(markers)

    def element(self, fillings: Iterable[bytes]) -> bytes:
        """The element with what :func:`token` made of its fillings, in the order of its markers in the message."""
        parts = [b""] * (2 * self._places + 1)
        parts[::2] = self._pieces
        parts[1::2] = fillings
        return b"".join(parts)

    def message(self, elements: Sequence[bytes], varying: Iterable[str] = ()) -> bytes:
        """The message with these elements."""
        head = [b""] * (2 * len(self._head) - 1)
        head[::2] = self._head
        head[1::2] = [text.encode() for text in varying]
        if self._content_type == CONTENT_MSGPACK:
            head[-1] = head[-1][:-1]  # the array of one that the codec wrote
            return b"".join([*head, _array(len(elements)), *elements, self._tail])
        between = b"," if self._content_type == CONTENT_JSON else b""
        return b"".join([*head, between.join(elements), self._tail])


def token(text: str, content_type: str) -> bytes:
    """How a text stands in a message of an encoding; it needs no escape."""
    if content_type == CONTENT_MSGPACK:
        return msgpack.encode(text)
    return f'"{text}"'.encode() if content_type == CONTENT_JSON else f">{text}<".encode()


@lru_cache(maxsize=1 << 17)
def number(value: int, content_type: str) -> bytes:
    """How a whole number stands in a text; kept, since most values of an interval are small."""
    return token(str(value), content_type)


def _bounds(body: bytes, content_type: str, element: str) -> tuple[int, int]:
    """From where until where the element stands."""
    if content_type == CONTENT_XML:
        end = b"</%s>" % element.encode()
        return body.index(b"<%s>" % element.encode()), body.rindex(end) + len(end)
    if content_type == CONTENT_JSON:
        return body.index(b'"%s":[' % element.encode()) + len(element) + 4, body.rindex(b"]}}}}")
    name = msgpack.encode(element)
    return body.index(name + b"\x91") + len(name) + 1, len(body)


def _cut(body: bytes, markers: Sequence[bytes]) -> list[bytes]:
    """The pieces between the markers, which are each there once and in this order."""
    if not markers:
        return [body]
    found = re.split(b"|".join(re.escape(marker) for marker in markers), body)
    if len(found) != len(markers) + 1 or [body.find(marker) for marker in markers] != sorted(
        body.find(marker) for marker in markers
    ):
        raise ValueError("a marker of a template is not in it once, or not in its order")
    return found


def _array(count: int) -> bytes:
    """The head of an array in MessagePack, in its shortest form."""
    if count <= _FIXED:
        return bytes([0x90 | count])
    return b"\xdc" + count.to_bytes(2, "big") if count <= _SHORT else b"\xdd" + count.to_bytes(4, "big")
