"""The lexical forms of XML Schema: what a value looks like as text.

Writing is canonical. Reading tolerates, and tolerates nothing else:

* white space around every value that is neither a string nor of an enumeration;
* integers with a plus sign and leading zeros (``+5``, ``007``);
* decimals and floats in any xs form (``.5``, ``1.``, ``1E3``, ``+INF``) but ``NaN``, which no equality survives;
* booleans ``1`` and ``0``;
* ``24:00:00``, which is midnight of the next day;
* any number of fraction digits, rounded to microseconds; a space or a small ``t`` between date and time, a small
  ``z``, an offset without its colon (what RFC 3339 and ISO 8601 allow);
* a zone behind an xs:date, which is dropped;
* white space inside base64.
"""

import math
import re
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

LONGEST_NUMBER = 100
"""Digits of the longest decimal that is written; an exponent of a million would be a megabyte of zeros."""

_SPACE = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf}
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_END_OF_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T24:00:00(?:\.0+)?(Z|[+-][0-9]{2}:[0-9]{2}|)")
_SHORTEST_INSTANT = len("2026-01-01T00:00:00")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**64 - 1
_GREATEST_OFFSET = timedelta(hours=14)


def read_integer(text: str) -> int:
    """An xs:long or xs:unsignedLong.

    Raises:
        ValueError: in all readers of this module, with a sentence whose subject is the field.
    """
    stripped = text.strip(_SPACE)
    if _INTEGER.fullmatch(stripped) is None or len(stripped) > LONGEST_NUMBER:
        raise ValueError("is not an integer")
    value = int(stripped)
    if not _LEAST_INTEGER <= value <= _GREATEST_INTEGER:
        raise ValueError("is an integer of more than 64 bits")
    return value


def read_decimal(text: str) -> Decimal:
    """An xs:decimal with all its digits."""
    stripped = text.strip(_SPACE)
    if _DECIMAL.fullmatch(stripped) is None or len(stripped) > LONGEST_NUMBER:
        raise ValueError("is not a decimal number")
    return Decimal(stripped)


def read_float(text: str) -> float:
    """An xs:double; a number too great for one is refused instead of being read as infinite."""
    stripped = text.strip(_SPACE)
    if _FLOAT.fullmatch(stripped) is None:
        if stripped in _NOT_FINITE:
            return _NOT_FINITE[stripped]
        raise ValueError("is not a number")
    value = float(stripped)
    if math.isinf(value):
        raise ValueError("is a number out of the range of a double")
    return value


def read_boolean(text: str) -> bool:
    """An xs:boolean."""
    value = _BOOLEANS.get(text.strip(_SPACE))
    if value is None:
        raise ValueError("is not a boolean")
    return value


def read_date(text: str) -> date:
    """An xs:date; its zone is dropped."""
    match = _DATE.fullmatch(text.strip(_SPACE))
    if match is None:
        raise ValueError("is not a date")
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        raise ValueError("is not a day of the calendar") from None


def read_instant(text: str) -> str:
    """An xs:dateTime in the form of RFC 3339, which msgspec reads; what is neither is left for it to refuse."""
    if len(text) >= _SHORTEST_INSTANT and text[10] == "T" and text[11:13] != "24":
        return text
    stripped = text.strip(_SPACE)
    end_of_day = _END_OF_DAY.fullmatch(stripped)
    if end_of_day is None:
        return stripped
    try:
        next_day = date.fromisoformat(end_of_day[1]) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ValueError("is not a day of the calendar, or the last that can be told") from None
    return f"{next_day}T00:00:00{end_of_day[2]}"


def read_base64(text: str) -> str:
    """An xs:base64Binary in the form that msgspec reads, which is without white space."""
    return "".join(text.split())


def write_string(value: str) -> str:
    """A string as the text of an element."""
    if not isinstance(value, str):
        raise TypeError("is not a string")
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def write_attribute(text: str) -> str:
    """Escaped text as the value of an attribute, whose white space a parser would change."""
    return text.replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;")


def write_integer(value: int) -> str:
    """Decimal digits.

    Raises:
        ValueError, TypeError: in all writers of this module, with a sentence whose subject is the field.
    """
    if type(value) is not int:
        raise TypeError("is not an integer")
    if not _LEAST_INTEGER <= value <= _GREATEST_INTEGER:
        raise ValueError("is an integer of more than 64 bits")
    return str(value)


def write_decimal(value: Decimal) -> str:
    """All digits, without an exponent."""
    if not isinstance(value, Decimal):
        raise TypeError("is not a decimal number")
    if not value.is_finite() or abs(value.adjusted()) > LONGEST_NUMBER or len(text := f"{value:f}") > LONGEST_NUMBER:
        raise ValueError("is a decimal number that cannot be written in full")
    return text


def write_float(value: float) -> str:
    """The shortest digits that read back as the same double."""
    if type(value) is not float:
        if type(value) is not int:
            raise TypeError("is not a number")
        value = float(value)
    if math.isfinite(value):
        return repr(value)
    if math.isnan(value):
        raise ValueError("is not a number")
    return "INF" if value > 0 else "-INF"


def write_boolean(value: bool) -> str:
    """``true`` or ``false``."""
    if type(value) is not bool:
        raise TypeError("is not a boolean")
    return "true" if value else "false"


def write_date(value: date) -> str:
    """Year, month and day."""
    if type(value) is not date:
        raise TypeError("is not a date")
    return value.isoformat()


def write_instant(value: datetime) -> str:
    """The time with its offset, ``Z`` for UTC; an offset that xs:dateTime cannot say is turned into UTC."""
    if not isinstance(value, datetime):
        raise TypeError("is not a date and time")
    if value.tzinfo is UTC:
        return value.isoformat()[:-6] + "Z"
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("is a time without a zone")
    if not offset or offset % timedelta(minutes=1) or abs(offset) > _GREATEST_OFFSET:
        return write_instant(value.astimezone(UTC))
    return value.isoformat()


def write_base64(value: bytes) -> str:
    """Base64 without line breaks."""
    if not isinstance(value, bytes):
        raise TypeError("is not a row of bytes")
    return b64encode(value).decode()
