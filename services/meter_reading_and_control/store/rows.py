"""Rows of blocks and of the tail as values, and values as rows."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from struct import pack, unpack
from typing import Any

import numpy as np
from msgspec import json

from services.meter_reading_and_control.domain.columns import BUNCH, marks_of, runs_of
from services.meter_reading_and_control.domain.folding import LAG_S
from services.meter_reading_and_control.domain.readings import Origin, Value, merged
from shared.store import Record

COLUMNS = ("market_day", "series", "version", "scale", "width", "numbers", "runs", "origins", "recorded_at")

_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_NO_NUMBER = {width: -(2 ** (8 * width - 1)) for width in _CODES}


@lru_cache(256)
def origins_of(told: str) -> tuple[Origin, ...]:
    """Origins from their JSON; many rows have the same."""
    return json.decode(told, type=tuple[Origin, ...])


def values_of(row: Record) -> list[Value | None]:
    """The values of a row."""
    origins = origins_of(row["origins"])
    width, scale = row["width"], row["scale"]
    numbers = unpack(f">{len(row['numbers']) // width}{_CODES[width]}", row["numbers"])
    return [
        None if number == _NO_NUMBER[width] else Value(number=number, scale=scale, origin=origins[mark])
        for number, mark in zip(numbers, marks_of(row["runs"], len(numbers)), strict=True)
    ]


def told_by(row: Record, as_of: datetime | None) -> list[tuple[int, Value]]:
    """The values of a row of a block with their places, as far as they were recorded by then."""
    told = values_of(row)
    if row["lags"] is None or as_of is None:
        return [(place, value) for place, value in enumerate(told) if value is not None]
    seconds = (as_of - row["recorded_at"]).total_seconds()
    lags = np.frombuffer(row["lags"], ">u2").tolist()
    return [
        (place, value)
        for place, (value, lag) in enumerate(zip(told, lags, strict=True))
        if value is not None and lag * LAG_S <= seconds
    ]


def members_of(row: Record) -> list[tuple[int, tuple[int, Value]]]:
    """The values of a row of the tail: the number of the series, the place, and the value."""
    numbers = [row["bunch"] * BUNCH + member for member in row["members"]]
    told = values_of(row)
    return [(number, (row["place"], each)) for number, each in zip(numbers, told, strict=True) if each is not None]


def columns_of(values: Sequence[Value | None]) -> tuple[int, int, bytes, bytes | None, str]:
    """Values as a row has them: their scale, the width of the numbers, these, the runs, and the origins."""
    known = [each for each in values if each is not None]
    scale = min((each.scale for each in known), default=0)
    origins = sorted({json.encode(each.origin).decode() for each in known})
    place = {origin: mark for mark, origin in enumerate(origins)}
    marks = [0 if each is None else place[json.encode(each.origin).decode()] for each in values]
    width, numbers = _packed([None if each is None else each.at_scale(scale) for each in values])
    return scale, width, numbers, runs_of(marks), f"[{','.join(origins)}]"


def outcome_of(versions: Sequence[Record]) -> tuple[Any, ...]:
    """What is known of a block at last, of which these are all versions, as one row of :data:`COLUMNS`."""
    last = versions[-1]
    whole: tuple[Any, ...] = (last["market_day"], last["series"], max(last["version"], 1))
    if len(versions) > 1 and versions[0]["version"] == 0:
        values = values_of(last)
        told = columns_of(merged(values, told_by(versions[0], None)) or values)
        return (*whole, *told, last["recorded_at"])
    return (*whole, *(last[name] for name in COLUMNS[3:]))


def _packed(values: Sequence[int | None]) -> tuple[int, bytes]:
    """The width of the numbers, and they."""
    width = 4 if all(each is None or abs(each) < -_NO_NUMBER[4] for each in values) else 8
    told = [_NO_NUMBER[width] if each is None else each for each in values]
    return width, pack(f">{len(told)}{_CODES[width]}", *told)
