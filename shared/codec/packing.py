"""What is common to all that comes in MessagePack: well-formed, of its type, and each value in its shortest form."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import DecodeError, Struct, ValidationError, msgpack, to_builtins

from contracts.errors import Malformed
from shared.codec.flaws import malformed
from shared.codec.guard import check_size

D = TypeVar("D", bound=Struct)


class Packing(Generic[D]):
    """Reads and writes documents of one type."""

    def __init__(self, document: type[D]) -> None:
        self._decoder = msgpack.Decoder(document)
        self._encoder = msgpack.Encoder()

    def read(self, body: bytes, max_bytes: int) -> D:
        """The document in ``body``, which need not be in its shortest form.

        Raises:
            Malformed: with path and code.
        """
        check_size(body, max_bytes)
        try:
            return self._decoder.decode(body)
        except ValidationError as error:
            raise malformed(error) from None
        except (DecodeError, UnicodeDecodeError, RecursionError):
            raise Malformed("the message is not well-formed MessagePack, or nested too deep") from None

    def as_read(self, document: D) -> D:
        """The document that is read when ``document`` was written.

        Raises:
            ValidationError: it would not be of its type.
        """
        return self._decoder.decode(self._encoder.encode(document))

    def shortest(self, document: D) -> bytes:
        """The one body of ``document``; by itself msgspec gives large structs longer headers than they need."""
        return self._encoder.encode(to_builtins(document, builtin_types=(datetime, bytes)))

    def check_shortest(self, document: D, body: bytes) -> None:
        """Refuse a body that is not the one of its document.

        Raises:
            Malformed: 1.8.
        """
        if self.shortest(document) != body:
            raise Malformed("the message holds something unknown, repeated, out of order, needless or not shortest")


def tree(body: bytes, max_bytes: int) -> Any:
    """What is in ``body``, of whatever type.

    Raises:
        Malformed: when it cannot be parsed at all.
    """
    check_size(body, max_bytes)
    try:
        return msgpack.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("the message is not well-formed MessagePack, or nested too deep") from None
