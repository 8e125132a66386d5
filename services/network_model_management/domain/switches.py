"""Switches: their positions, phase by phase, and the shots of those that close again by themselves."""

from contracts.nouns.feeder_topology import RecloseSequence
from contracts.nouns.units import PhaseCode
from services.network_model_management.domain.model import CimObject, Model
from services.network_model_management.domain.phases import NONE, code_of, letters


def is_open(model: Model, switch: CimObject) -> bool:
    """The position that the model states: of all phases where they are stated, else of the whole switch."""
    parts = model.pointing("SwitchPhase.Switch", switch)
    if any("SwitchPhase.closed" in part.values for part in parts):
        return not any(flag(part, "SwitchPhase.closed") for part in parts)
    return flag(switch, "Switch.open", missing=is_normally_open(model, switch))


def is_normally_open(model: Model, equipment: CimObject) -> bool:
    """The normal position; a line is never open."""
    parts = model.pointing("SwitchPhase.Switch", equipment)
    if any("SwitchPhase.normalOpen" in part.values for part in parts):
        return all(flag(part, "SwitchPhase.normalOpen") for part in parts)
    return flag(equipment, "Switch.normalOpen")


def open_phases(model: Model, switch: CimObject) -> PhaseCode | None:
    """The phases that are open while others are closed, if any."""
    position: dict[bool, frozenset[str]] = {True: NONE, False: NONE}
    for part in model.pointing("SwitchPhase.Switch", switch):
        closed = flag(part, "SwitchPhase.closed", missing=True)
        position[closed] |= letters(part.values.get("SwitchPhase.phaseSide1", ""))
    opened = position[False] - position[True]
    return code_of(opened) if opened and position[True] else None


def phases_at_node2(model: Model, switch: CimObject) -> str | None:
    """What the phases at the first node are at the second, in the order of the alphabet; None where they are the same.

    A phase of which only one side is stated, or a leg of a centre-tapped transformer, stays what it is.
    """
    sides: dict[str, str] = {}
    for part in model.pointing("SwitchPhase.Switch", switch):
        one, other = part.values.get("SwitchPhase.phaseSide1", ""), part.values.get("SwitchPhase.phaseSide2", "")
        for letter in letters(one):
            sides[letter] = other if letters(other) == {other} else letter
    rolled = "".join(sides[letter] for letter in sorted(sides))
    return rolled if rolled != "".join(sorted(sides)) else None


def reclose_sequences(model: Model, switch: CimObject) -> tuple[RecloseSequence, ...]:
    """The shots after which a protected switch closes again, in their order; one without a delay is none."""
    shots = [
        RecloseSequence(
            reclose_delay=float(shot.values["RecloseSequence.recloseDelay"]),
            reclose_step=int(shot.values.get("RecloseSequence.recloseStep", "1")),
        )
        for shot in model.pointing("RecloseSequence.ProtectedSwitch", switch)
        if "RecloseSequence.recloseDelay" in shot.values
    ]
    return tuple(sorted(shots, key=lambda shot: (shot.reclose_step, shot.reclose_delay)))


def flag(each: CimObject, name: str, *, missing: bool = False) -> bool:
    """A boolean that the object states, or ``missing`` where it does not."""
    stated = each.values.get(name)
    return missing if stated is None else stated in {"true", "1"}
