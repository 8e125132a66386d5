"""Transformers: their windings, the phases that feed them, and their vector groups."""

from services.network_model_management.domain.model import CimObject, Model
from services.network_model_management.domain.phases import ALL, NONE, letters

_LINE_TO_LINE = 2
"""So many letters name the winding of a tank that is connected between two phases."""


def end_number(end: CimObject) -> int:
    """The number of a winding; 1 is the high-voltage side."""
    return int(end.values.get("TransformerEnd.endNumber", "1"))


def ends_of(model: Model, transformer: CimObject) -> list[CimObject]:
    """The ends of all windings of all tanks, high-voltage side first."""
    ends = list(model.pointing("PowerTransformerEnd.PowerTransformer", transformer))
    for tank in model.pointing("TransformerTank.PowerTransformer", transformer):
        ends.extend(model.pointing("TransformerTankEnd.TransformerTank", tank))
    return sorted(ends, key=end_number)


def voltage_of(model: Model, end: CimObject) -> float:
    """The nominal voltage of a winding in V; infinite where nothing says it."""
    base = model.follow(end, "TransformerEnd.BaseVoltage")
    stated = base.values.get("BaseVoltage.nominalVoltage") if base else end.values.get("PowerTransformerEnd.ratedU")
    return float(stated) if stated else float("inf")


def primary_phases(model: Model, transformer: CimObject) -> frozenset[str]:
    """The phases of the first windings of all tanks; a transformer without tanks is three-phase."""
    phases = NONE
    for tank in model.pointing("TransformerTank.PowerTransformer", transformer):
        ends = sorted(model.pointing("TransformerTankEnd.TransformerTank", tank), key=end_number)
        if ends:
            phases |= letters(ends[0].values.get("TransformerTankEnd.orderedPhases", ""))
    return phases or ALL


def connection_of(model: Model, transformer: CimObject, number: int) -> str | None:
    """The vector group of winding ``number`` against the first (IEC 60076-1), such as ``Dyn11``.

    Without the clock where the model does not state it, so that nobody takes it for 0; None where it does not state
    how the windings are connected. Tanks say by their phases whether they stand between two phases (D for three of
    them, V for two) or against the neutral; one tank alone is I.
    """
    tanks = model.pointing("TransformerTank.PowerTransformer", transformer)
    high, low, clock = _of_tanks(model, tanks, number) if tanks else _of_ends(model, transformer, number)
    if not high or not low:
        return None
    return f"{high.upper()}{low.lower()}{'' if clock is None else clock % 12}"


def _of_ends(model: Model, transformer: CimObject, number: int) -> tuple[str, str, int | None]:
    """The connections of both windings and the clock between them, as three-phase ends state them."""
    ends = {end_number(end): end for end in model.pointing("PowerTransformerEnd.PowerTransformer", transformer)}
    kinds = [ends[place].values.get("PowerTransformerEnd.connectionKind", "") for place in (1, number) if place in ends]
    clocks = [ends[place].values.get("PowerTransformerEnd.phaseAngleClock") for place in (1, number) if place in ends]
    if len(kinds) < 2:  # noqa: PLR2004 - two windings
        return "", "", None
    clock = None if clocks[1] is None else int(clocks[1]) - int(clocks[0] or 0)
    return kinds[0], kinds[1], clock


def _of_tanks(model: Model, tanks: list[CimObject], number: int) -> tuple[str, str, int | None]:
    """The same of single-phase units: by the phases between which their windings stand."""
    sides: tuple[list[frozenset[str]], list[frozenset[str]]] = ([], [])
    for tank in tanks:
        for end in model.pointing("TransformerTankEnd.TransformerTank", tank):
            for side, place in zip(sides, (1, number), strict=True):
                if end_number(end) == place:
                    side.append(letters(end.values.get("TransformerTankEnd.orderedPhases", "")))
    if not all(sides):
        return "", "", None
    if len(tanks) == 1:
        return "I", "I", _tank_clock(model, tanks[0], number)
    return _bank(sides[0]), _bank(sides[1]), 0 if sides[0] == sides[1] else None


def _bank(windings: list[frozenset[str]]) -> str:
    if all(len(phases) == _LINE_TO_LINE for phases in windings):
        return "V" if len(windings) == _LINE_TO_LINE else "D"
    return "Yn"


def _tank_clock(model: Model, tank: CimObject, number: int) -> int | None:
    info = model.follow(tank, "TransformerTank.TransformerTankInfo")
    for end in () if info is None else model.pointing("TransformerEndInfo.TransformerTankInfo", info):
        if end.values.get("TransformerEndInfo.endNumber") == str(number):
            stated = end.values.get("TransformerEndInfo.phaseAngleClock")
            return None if stated is None else int(stated)
    return None
