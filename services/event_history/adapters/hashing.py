"""The hashes of the audit trail (SHA-256)."""

from hashlib import sha256

from services.event_history.domain import Kept

START = bytes(32)
"""What the first record of a chain follows."""


def content_hash(body: bytes) -> bytes:
    """The hash of a message."""
    return sha256(body).digest()


def link(before: bytes, kept: Kept) -> bytes:
    """The hash of a record that follows ``before``: of that, its place at the broker, subject, time and content."""
    place = f"{kept.lane}\n{kept.sequence}\n{kept.subject}\n{kept.stored_at.isoformat()}\n".encode()
    return sha256(before + place + kept.content_hash).digest()
