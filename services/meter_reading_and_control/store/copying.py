"""Rows of blocks as the binary COPY of PostgreSQL takes them: each field behind its length, all big-endian."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from itertools import islice
from struct import pack
from typing import Any

import numpy as np
from msgspec import Raw, json

from services.meter_reading_and_control.domain.columns import (
    BUNCH,
    EPOCH,
    MICROSECOND,
    Array,
    Chunk,
    Rows,
    marks_of,
    runs_of,
)
from services.meter_reading_and_control.domain.folding import NOTHING, Folding, Layer, on_grid
from shared.store import Record

IN_TURN = 16
"""So many rows are made at a time: some 0.1 ms of the processor for each that was folded."""

_CENTURY = date(2000, 1, 1)
_CENTURY_US = 946_684_800_000_000
_KEY = np.dtype([("fields", ">i2"), ("l0", ">i4"), ("day", ">i4"), ("l1", ">i4"), ("series", ">i8")])
_FIELDS = 9
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def copied(rows: Rows, now: datetime) -> bytes:
    """The first versions of blocks, recorded ``now``."""
    recorded = pack(">iq", 8, (now - EPOCH) // MICROSECOND - _CENTURY_US)
    ends = {each: _field(b"\x01" + each) + recorded for each in set(rows.origins)}
    width = rows.numbers.itemsize
    length = rows.numbers.shape[1] * width
    rest = pack(">iiihihi", 4, 1, 2, rows.scale, 2, width, length)
    if rows.runs is None:
        return _copied_alike(rows, rest, length, _field(None) + ends[rows.origins[0]])
    keys = _keys(rows, np.empty(len(rows.series), _KEY)).tobytes()
    return b"".join(
        keys[place * _KEY.itemsize : (place + 1) * _KEY.itemsize] + rest + numbers + _field(runs) + ends[origins]
        for place, (numbers, runs, origins) in enumerate(zip(each_numbers(rows), rows.runs, rows.origins, strict=True))
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


def whole(rows: Iterable[bytes]) -> Iterator[bytes]:
    """All that COPY takes, piece by piece."""
    yield _HEADER
    yield from rows
    yield _TRAILER


def in_pieces(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Rows that are dear to make in pieces of some, each of which is soon made."""
    while piece := b"".join(islice(rows, IN_TURN)):
        yield piece


def folded(folding: Folding, bunch: int, day: date) -> Iterator[bytes]:
    """The blocks that were folded, as version 0."""
    origins = [*folding.origins]
    for member in np.flatnonzero((folding.numbers != NOTHING).any(axis=1)).tolist():
        numbers = folding.numbers[member]
        told = numbers[numbers != NOTHING]
        narrow = np.abs(told).max() < 2**31
        nothing = np.iinfo(np.int32 if narrow else np.int64).min
        packed = np.where(numbers == NOTHING, nothing, numbers).astype(">i4" if narrow else ">i8").tobytes()
        used, marks = np.unique(np.where(numbers == NOTHING, -1, folding.marks[member]), return_inverse=True)
        has_gaps = bool(used[0] == -1)
        mine = f"[{','.join(origins[mark] for mark in used.tolist()[has_gaps:])}]".encode()
        runs = runs_of(np.maximum(marks.reshape(-1) - has_gaps, 0).tolist())
        first, lags = folding.lags(member)
        yield b"".join(
            (
                pack(">hiiiq", _FIELDS + 1, 4, (day - _CENTURY).days, 8, bunch * BUNCH + member),
                pack(">iiihih", 4, 0, 2, folding.scale, 2, 4 if narrow else 8),
                _field(packed),
                _field(runs),
                _field(b"\x01" + mine),
                pack(">iq", 8, first * 1_000_000 - _CENTURY_US),
                _field(lags.astype(">u2").tobytes()),
            )
        )


def packed(row: tuple[Any, ...]) -> bytes:
    """A block, its numbers in as few bytes as hold them."""
    day, series, version, scale, width, numbers, runs, origins, recorded_at = row
    told = np.frombuffer(numbers, f">i{width}")
    is_known = told != np.iinfo(f"i{width}").min
    most = int(np.abs(told[is_known].astype(np.int64)).max(initial=0))
    least = next(each for each in (1, 2, 4, 8) if most < 2 ** (8 * each - 1))
    narrow = np.where(is_known, told, np.iinfo(f"i{least}").min).astype(f">i{least}").tobytes()
    return b"".join(
        (
            pack(">hiiiq", _FIELDS, 4, (day - _CENTURY).days, 8, series),
            pack(">iiihih", 4, version, 2, scale, 2, least),
            _field(narrow),
            _field(runs),
            _field(b"\x01" + origins.encode()),
            pack(">iq", 8, (recorded_at - EPOCH) // MICROSECOND - _CENTURY_US),
        )
    )


def layer_of(row: Record | Mapping[str, Any]) -> Layer:
    """The values of a row of a block, or of the tail."""
    width = row["width"]
    numbers = np.frombuffer(row["numbers"], f">i{width}").astype(np.int64)
    numbers = np.where(numbers == np.iinfo(f"i{width}").min, NOTHING, numbers)
    origins = json.decode(row["origins"], type=tuple[Raw, ...])
    return Layer(
        scale=row["scale"],
        numbers=numbers,
        marks=np.array(marks_of(row["runs"], len(numbers)), np.int64),
        origins=tuple(bytes(each).decode().strip() for each in origins),
    )


def layers_at(rows: Sequence[Record], chunks: Sequence[Chunk]) -> Iterator[tuple[int, Array, Layer]]:
    """Rows of blocks of which only the number of one interval was read, those of a chunk that are alike together.

    Yields:
        the place of the chunk in ``chunks``, the members of its bunch, and what is known of them.
    """
    alike: dict[tuple[int, int, int, str, bytes | None], list[Record]] = {}
    for row in rows:
        alike.setdefault((row["chunk"], row["scale"], row["width"], row["origins"], row["runs"]), []).append(row)
    for (number, scale, width, origins, runs), of_one in alike.items():
        place = chunks[number].place
        numbers = b"".join([row["numbers"] for row in of_one])
        told = {"scale": scale, "width": width, "numbers": numbers, "runs": None, "origins": origins}
        layer = layer_of(told)
        layer.marks[:] = marks_of(runs, place + 1)[place]
        yield number, np.array([row["member"] for row in of_one], np.uint8), layer


def tail_row(chunk: Chunk, now: datetime) -> tuple[Any, ...]:
    """A row of the tail."""
    key = (chunk.bunch, chunk.day, chunk.place, part_of_tail(chunk), chunk.scale, chunk.numbers.itemsize)
    return (*key, chunk.members, _tail_numbers(chunk), chunk.runs, chunk.origins.decode(), on_grid(now))


def part_of_tail(chunk: Chunk) -> int:
    """The part of the tail that a chunk is; it follows from all that is told."""
    told = (chunk.members, _tail_numbers(chunk), chunk.runs or b"", chunk.origins, b"%d" % chunk.scale)
    return int.from_bytes(blake2b(json.encode(told), digest_size=8).digest(), "big", signed=True)


def _tail_numbers(chunk: Chunk) -> bytes:
    return chunk.numbers.astype(f">i{chunk.numbers.itemsize}").tobytes()
