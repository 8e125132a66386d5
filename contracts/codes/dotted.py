"""Codes that are whole numbers with points between them, such as ``3.26.9.185``."""

from contracts.errors import Invalid


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
    try:
        return [int(part) for part in parts]
    except ValueError as error:
        raise Invalid(f"{what} '{text}' has a field that is no whole number", code=code) from error
