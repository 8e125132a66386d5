"""R12: a plan is carried out alone, and in the state for which it was made."""

from collections.abc import Iterator, Mapping

from services.network_operation.domain.acts import SWITCHING
from services.network_operation.domain.rules.move import Finding, Move
from services.network_operation.domain.situation import Situation


def other_plans(move: Move) -> Iterator[Finding]:
    """R12: no other plan is going to switch the device, and the plan was checked against this model and this state."""
    rival = move.before.rivals.get(move.act.device)
    if rival is not None and move.act.kind in SWITCHING:
        name = move.before.grid.name(move.act.device)
        yield Finding(object=move.act.device, reason=f"the plan {rival} that is under way switches {name} too")
    if move.basis is None:
        return
    if move.basis.model_version != move.before.model_version:
        yield Finding(
            object=move.plan,
            reason=f"it was checked against the model {move.basis.model_version}, and {move.before.model_version} is"
            " in use",
        )


def standing_in(situation: Situation, devices: frozenset[str]) -> dict[str, str]:
    """How everything stands in the feeders that have one of these devices, or one of these nodes."""
    standing: dict[str, str] = {}
    for feeder in situation.grid.feeders:
        members = {each.mrid for each in feeder.equipment} | {node.mrid for node in feeder.connectivity_node}
        if members & devices:
            for each in feeder.equipment:
                if each.open is not None:
                    partly = "" if each.open_phases is None else f" on {each.open_phases}"
                    standing[each.mrid] = f"{'open' if each.open or partly else 'closed'}{partly}"
            for other in situation.temporaries:
                if members & {other.node1, other.node2}:
                    standing[other.mrid] = f"a {other.kind} in place"
    return standing


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, str] | None:
    """The first object, by mRID, that does not stand as it did, and how; None when all do."""
    for mrid in sorted(before.keys() | now.keys()):
        was, is_now = before.get(mrid, "not there"), now.get(mrid, "not there")
        if was != is_now:
            return mrid, f"was {was} when the plan was checked and is {is_now}"
    return None
