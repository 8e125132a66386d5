"""The object store of a context, for what is too large for a message: the content goes here, its reference travels.

The layout is that of the NATS object store (ADR-20), so any NATS client can read it. Reading needs no consumer and
writing no purge, so a role needs no more than to publish chunks and to get messages directly.
"""

import base64
import hashlib
import json
import secrets
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from contracts.errors import Malformed, NotFound, Unavailable
from shared.bus.messages import Received

if TYPE_CHECKING:
    from shared.bus.connection import Bus

CHUNK_BYTES = 512 * 1024


class _Meta(Struct):
    """What the object store notes of an object."""

    name: str
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str
    mtime: str = ""
    deleted: bool = False


class Blobs:
    """Contents by their SHA-256.

    Args:
        bus: the connection.
        bucket: the name of the object store, made by the bootstrap.
    """

    def __init__(self, bus: "Bus", bucket: str) -> None:
        self._bus = bus
        self._bucket = bucket
        self._get = f"$JS.API.DIRECT.GET.OBJ_{bucket}"

    async def put(self, content: bytes) -> str:
        """Stores ``content`` and returns its reference, the SHA-256 in hexadecimal; the same content has the same.

        It is kept for as long as the store keeps anything; putting it again begins that time anew.

        Raises:
            Unavailable: when the broker is away or the store is full.
        """
        digest = hashlib.sha256(content)
        reference, chunks_of = digest.hexdigest(), secrets.token_hex(11)
        chunks = [content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES)]
        for number, chunk in enumerate(chunks):
            await self._bus.publish_stream(self._chunks(chunks_of), chunk, msg_id=f"{chunks_of}.{number}")
        meta = _Meta(
            name=reference,
            bucket=self._bucket,
            nuid=chunks_of,
            size=len(content),
            chunks=len(chunks),
            digest=f"SHA-256={base64.urlsafe_b64encode(digest.digest()).decode()}",
        )
        rollup = {"Nats-Rollup": "sub"}
        await self._bus.publish_stream(self._meta(reference), msgspec.json.encode(meta), rollup, msg_id=chunks_of)
        return reference

    async def get(self, reference: str) -> bytes:
        """The content of ``reference``.

        Raises:
            NotFound: when the store does not have it, or no longer.
            Malformed: when what the store has is not what was put.
            Unavailable: when the broker is away.
        """
        meta_reply = await self._bus.request(f"{self._get}.{self._meta(reference)}", b"")
        self._check_found(meta_reply, reference)
        meta = msgspec.json.decode(meta_reply.body, type=_Meta)
        chunks, position = [], 1
        for _ in range(meta.chunks):
            wish = {"seq": position, "next_by_subj": self._chunks(meta.nuid)}
            chunk = await self._bus.request(self._get, json.dumps(wish).encode())
            self._check_found(chunk, reference)
            chunks.append(chunk.body)
            position = int(chunk.headers["Nats-Sequence"]) + 1
        content = b"".join(chunks)
        if hashlib.sha256(content).hexdigest() != reference:
            raise Malformed(f"the content of {reference} is not what was put", object_id=reference)
        return content

    def _chunks(self, nuid: str) -> str:
        return f"$O.{self._bucket}.C.{nuid}"

    def _meta(self, reference: str) -> str:
        return f"$O.{self._bucket}.M.{base64.urlsafe_b64encode(reference.encode()).decode()}"

    def _check_found(self, reply: Received, reference: str) -> None:
        status = reply.headers.get("Status", "")
        if not reply.body and status == "404":
            raise NotFound(f"there is no content {reference}", object_id=reference)
        if not reply.body and status:
            raise Unavailable(f"the store does not give {reference}: {reply.headers.get('Description', status)}")
