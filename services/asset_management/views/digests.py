"""What was sent, as one short text: by it the same words are known again, and inputs are named."""

from hashlib import sha256

from msgspec import Struct, json


def digest(value: Struct) -> str:
    """The SHA-256 of a value in hexadecimal digits; equal values have equal ones."""
    return sha256(json.encode(value, order="sorted")).hexdigest()
