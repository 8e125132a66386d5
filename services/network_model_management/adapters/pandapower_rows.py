"""What rows of pandapower's tables say, in the units and words of CIM."""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, TypeGuard

import msgspec

Row = Mapping[str, Any]

_GROUP = re.compile(r"(D|YN|Y|ZN|Z)(d|yn|y|zn|z)\d*", re.IGNORECASE)


def power_of(kind: str, row: Row, sign: int) -> dict[str, object]:
    """The power of a row in W and var, counted by ``sign``."""
    factor = sign * 1e6 * row.get("scaling", 1.0)
    return {f"{kind}.p": row["p_mw"] * factor, f"{kind}.q": row["q_mvar"] * factor}


def vector_group(row: Row) -> tuple[dict[str, object], tuple[str, str]]:
    """The vector group of a transformer and the connection of its two windings; a star where nothing is said.

    An odd clock takes one delta, which then is on the high-voltage side.
    """
    group = row.get("vector_group")
    found = _GROUP.fullmatch(group) if isinstance(group, str) else None
    if found is not None:
        return {"PowerTransformer.vectorGroup": group}, (found[1].capitalize(), found[2].capitalize())
    odd = round(row["shift_degree"] / 30) % 2
    return {}, ("D" if odd else "Yn", "Yn")


def shares_of(row: Row) -> dict[str, object]:
    """The parts of a load in per cent that follow the voltage, if there are any."""
    told: dict[str, object] = {}
    for part in ("p", "q"):
        impedance, current = (row.get(f"const_{kind}_{part}_percent", 0.0) for kind in ("z", "i"))
        if impedance or current:
            named = f"LoadResponseCharacteristic.{part}Constant"
            told |= {f"{named}Impedance": impedance, f"{named}Current": current}
            told[f"{named}Power"] = 100.0 - impedance - current
    return told


def in_volts(kilovolts: float) -> float:
    """A voltage without the noise of binary fractions."""
    return round(kilovolts * 1000, 3)


def name_of(row: Row, otherwise: str) -> str:
    """The name of a row, if it has one."""
    name = row.get("name")
    return name if isinstance(name, str) and name else otherwise


def is_number(value: object) -> TypeGuard[float]:
    """True for what can be told as a number; an empty cell is NaN or none."""
    return isinstance(value, int | float) and isfinite(value)


def text_of(value: object) -> str:
    """A value as 61970-552 writes it: numbers without loss, whole ones without a fraction."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def points_of(row: Row) -> tuple[tuple[float, float], ...]:
    """The course in the GeoJSON of a row, longitude first."""
    geometry = row.get("geo")
    if not isinstance(geometry, str) or not geometry:
        return ()
    coordinates = msgspec.json.decode(geometry)["coordinates"]
    return tuple(_pairs(coordinates))


def _pairs(coordinates: Any) -> Iterator[tuple[float, float]]:
    for point in coordinates if isinstance(coordinates[0], list) else [coordinates]:
        yield float(point[0]), float(point[1])
