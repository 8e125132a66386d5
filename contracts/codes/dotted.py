"""Codes that are whole numbers with points between them, such as ``3.26.9.185``."""

import re

from contracts.errors import Invalid

_NUMBER = re.compile(r"-?[0-9]{1,9}")


def numbers(text: str, count: int, *, code: str, what: str) -> list[int]:
    """The ``count`` numbers of ``text``.

    Args:
        text: the code as it came.
        count: how many numbers it must have.
        code: the reply code to refuse it with.
        what: how the code is called in the reason.

    Raises:
        Invalid: when it has another count, or a part that is no number.
    """
    parts = text.strip().split(".")
    if len(parts) != count:
        raise Invalid(f"{what} '{text}' has {len(parts)} fields instead of {count}", code=code)
    if not all(_NUMBER.fullmatch(part) for part in parts):
        raise Invalid(f"{what} '{text}' has a field that is no whole number", code=code)
    return [int(part) for part in parts]
