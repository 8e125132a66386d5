"""Rows of blocks as the binary COPY of PostgreSQL takes them: each field behind its length, all big-endian."""

from datetime import date, datetime
from struct import pack

import numpy as np

from services.meter_reading_and_control.domain.columns import EPOCH, MICROSECOND, Array, Rows

_CENTURY = date(2000, 1, 1)
_CENTURY_US = 946_684_800_000_000
_KEY = np.dtype([("fields", ">i2"), ("l0", ">i4"), ("day", ">i4"), ("l1", ">i4"), ("series", ">i8")])
_FIELDS = 9


def copied(rows: Rows, now: datetime) -> bytes:
    """The first versions of blocks, recorded ``now``."""
    origins = b"\x01" + rows.origins
    width = rows.numbers.itemsize
    length = rows.numbers.shape[1] * width
    rest = pack(">iiihihi", 4, 1, 2, rows.scale, 2, width, length)
    end = pack(">i", len(origins)) + origins + pack(">iq", 8, (now - EPOCH) // MICROSECOND - _CENTURY_US)
    if rows.runs is None:
        return _copied_alike(rows, rest, length, pack(">i", -1) + end)
    keys = _keys(rows, np.empty(len(rows.series), _KEY)).tobytes()
    return b"".join(
        keys[place * _KEY.itemsize : (place + 1) * _KEY.itemsize] + rest + numbers + _field(runs) + end
        for place, (numbers, runs) in enumerate(zip(each_numbers(rows), rows.runs, strict=True))
    )


def _copied_alike(rows: Rows, rest: bytes, length: int, end: bytes) -> bytes:
    """Rows of one length: laid out as an array, without a step for each of them."""
    whole = np.dtype([("key", _KEY), ("rest", f"V{len(rest)}"), ("numbers", f"V{length}"), ("end", f"V{len(end)}")])
    laid_out = np.empty(len(rows.series), whole)
    _keys(rows, laid_out["key"])
    laid_out["rest"], laid_out["end"] = np.void(rest), np.void(end)
    laid_out["numbers"] = _big_endian(rows).view(f"V{length}")[:, 0]
    return laid_out.tobytes()


def _keys(rows: Rows, keys: Array) -> Array:
    keys["fields"], keys["l0"], keys["l1"] = _FIELDS, 4, 8
    keys["day"], keys["series"] = (rows.day - _CENTURY).days, rows.series
    return keys


def each_numbers(rows: Rows) -> list[bytes]:
    """The numbers of each row."""
    length = rows.numbers.shape[1] * rows.numbers.itemsize
    told = _big_endian(rows).tobytes()
    return [told[at : at + length] for at in range(0, len(told), length)]


def _big_endian(rows: Rows) -> Array:
    return np.ascontiguousarray(rows.numbers, dtype=f">i{rows.numbers.itemsize}")


def _field(value: bytes | None) -> bytes:
    return pack(">i", -1) if value is None else pack(">i", len(value)) + value
