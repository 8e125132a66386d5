"""Documents that stand in a message or, when they are large, in the object store."""

from hashlib import sha256
from typing import Protocol

from contracts.errors import Invalid
from contracts.nouns.network_models import Blob

INLINE_LIMIT = 400_000
"""A document of more bytes is told by reference, so that it fits in a message of 1 MiB with its markup escaped."""

LARGEST = 512 * 1024 * 1024
"""A document of more bytes is refused: its tree would not fit beside all else in the memory of a small machine."""


class Blobs(Protocol):
    """The object store of the context."""

    async def put(self, data: bytes) -> str:
        """Keep ``data`` and return a reference to it."""

    async def get(self, reference: str) -> bytes:
        """What is kept under ``reference``."""


def digest_of(*documents: bytes) -> str:
    """The SHA-256 of a document in hexadecimal digits; of several, that of all in their order."""
    if len(documents) == 1:
        return sha256(documents[0]).hexdigest()
    return sha256("".join(digest_of(each) for each in documents).encode()).hexdigest()


async def fetched(blob: Blob, blobs: Blobs, mrid: str) -> bytes:
    """What the object store has under ``blob``.

    Raises:
        Invalid: it is too large, or not what the reference tells of.
    """
    if blob.size > LARGEST:
        raise Invalid(f"Blob/size: {blob.size} bytes are more than {LARGEST}", object_id=mrid)
    document = await blobs.get(blob.reference)
    if digest_of(document) != blob.sha256.lower():
        raise Invalid("Blob/sha256: the document in the object store is another one", object_id=mrid)
    return document


async def stored(document: bytes, blobs: Blobs) -> Blob:
    """The document in the object store."""
    return Blob(reference=await blobs.put(document), sha256=digest_of(document), size=len(document))
