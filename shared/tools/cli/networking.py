"""What `busbar network` does and prints, word by word."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from contracts.nouns.network_differences import NetworkDifference
from contracts.nouns.network_models import NetworkModel, ObjectMapping
from shared.config import Settings
from shared.tools.cli import looking, running
from shared.tools.cli.composition import Composition
from shared.tools.cli.network import (
    apply_difference,
    equip_network,
    export_network,
    import_network,
    networks,
    reverse_difference,
)


async def network(
    settings: Settings,
    composition: Composition,
    action: str,
    files: Sequence[str],
    *,
    mrid: str | None,
    mappings: Sequence[str],
    output: str | None,
    as_json: bool,
) -> int:
    """Do one action on the models of the network.

    Raises:
        ValueError: it needs a file, or takes just one; a mapping that is none.
    """
    mapped = tuple(map(_mapping, mappings))
    if action in {"import", "apply", "reverse"} and not files:
        raise ValueError(f"network {action}: name a file")
    if action in {"apply", "reverse"} and len(files) > 1:
        raise ValueError(f"network {action}: name one file")
    match action:
        case "import":
            _tell_model(await import_network(settings, composition, *files, mappings=mapped), as_json=as_json)
        case "apply" | "reverse":
            change = apply_difference if action == "apply" else reverse_difference
            _tell_difference(await change(settings, composition, files[0], mrid, mapped), as_json=as_json)
        case "equip":
            await _equip(settings, composition, output, as_json=as_json)
        case "export":
            document = await export_network(settings, composition, mrid)
            if output is None:
                sys.stdout.write(document.decode("utf-8"))
            else:
                await asyncio.to_thread(Path(output).write_bytes, document)
        case _:
            models = await networks(settings, composition)
            for each in models if not as_json else ():
                running.say(f"{each.mrid}  {each.revision}  {each.status_kind}  {each.description or ''}")
            if as_json:
                looking.show(models)
    return 0


async def _equip(settings: Settings, composition: Composition, output: str | None, *, as_json: bool) -> None:
    """Add what the active model lacks, and write the difference that does so to a file if one is named."""
    difference, equipping = await equip_network(settings, composition)
    if as_json:
        looking.show({"difference": difference, "added": {} if equipping is None else equipping.added})
    elif difference is None or equipping is None:
        running.say("The network lacks nothing.")
    else:
        _tell_difference(difference, as_json=False)
        running.say(f"It adds {equipping}.")
    if output is not None and equipping is not None:
        await asyncio.to_thread(Path(output).write_bytes, equipping.document)


def _mapping(text: str) -> ObjectMapping:
    mrid, sign, document_mrid = text.partition("=")
    if not (mrid and sign and document_mrid):
        raise ValueError(f"--map {text}: write MRID=DOCUMENT_MRID")
    return ObjectMapping(mrid=mrid, document_mrid=document_mrid)


def _tell_model(model: NetworkModel, *, as_json: bool) -> None:
    if as_json:
        looking.show(model)
        return
    running.say(f"The network {model.mrid} is {model.status_kind}, with {model.finding_count or 0} findings.")
    for finding in model.finding:
        running.say(f"{finding.kind}  {finding.mrid}  {finding.description}")


def _tell_difference(difference: NetworkDifference, *, as_json: bool) -> None:
    if as_json:
        looking.show(difference)
    else:
        running.say(f"The difference {difference.mrid} is {difference.status_kind} in version {difference.revision}.")
