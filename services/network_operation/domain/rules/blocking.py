"""R1, R9 and R13: what tags and clearances forbid."""

from collections.abc import Iterator

from contracts.nouns.operational_tags import OperationalTag, OperationalTagType
from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.acts import SWITCHING, ActKind
from services.network_operation.domain.clearances import Clearance, readiness
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.rules.move import Finding, Move
from services.network_operation.domain.situation import is_ground
from services.network_operation.domain.tags import (
    FORBIDDEN,
    device_of,
    holder_of,
    in_force,
    is_isolated_by_tag,
    kind_of,
    on,
)


def tagged(move: Move) -> Iterator[Finding]:
    """R1: no operation of a device with a blocking tag; the tag's direction counts. A caution warns.

    What is to be held open must be open when its tag is placed, and no tag that forbids anything hangs on a switch of
    which only an operator says where it stands.
    """
    switch = move.switch
    is_held = move.act.kind is ActKind.PLACE_TAG and _means(move.act.tag, OperationalTagType.HOLD_OPEN)
    if is_held and switch is not None and switch.open is False:
        yield Finding(object=switch.mrid, reason=f"{switch.name} is closed and cannot be held open")
    is_forbidding = move.act.kind is ActKind.PLACE_TAG and not _means(move.act.tag, OperationalTagType.CAUTION)
    if is_forbidding and switch is not None and switch.mrid in move.before.dressed:
        yield Finding(object=switch.mrid, reason=f"where {switch.name} stands is only the word of an operator")
    if move.act.kind not in SWITCHING:
        return
    device = move.act.device
    name = move.before.grid.name(device)
    for tag in on(move.before.tags, device):
        kind = kind_of(tag)
        if move.act.kind in FORBIDDEN[kind]:
            yield _held(tag, f"{name} has a tag {kind} of '{holder_of(tag)}'")
        elif kind is OperationalTagType.CAUTION:
            yield Finding(
                object=device,
                reason=f"{name} has a tag CAUTION of '{holder_of(tag)}': {tag.comment or 'no comment'}",
                severity=SeverityKind.WARN,
            )
    if move.act.kind is ActKind.CLOSE and device in move.before.tripped:
        for tag in _hot_line_tags(move.before.tags, device, move.before.grid):
            yield _held(tag, f"{name} has tripped under a hot-line tag of '{holder_of(tag)}'")


def under_clearance(move: Move) -> Iterator[Finding]:
    """R9: no energisation of a section under a clearance, no operation of its boundary, nothing taken from it.

    And no clearance on equipment that is not isolated, tested, grounded and tagged.
    """
    if move.act.kind in {ActKind.PREPARE_CLEARANCE, ActKind.ISSUE_CLEARANCE}:
        for clearance in move.before.clearances:
            if clearance.mrid == move.act.device:
                for problem in readiness(clearance, move.before.site)[1]:
                    yield Finding(object=clearance.mrid, reason=problem)
    for clearance in move.before.clearances:
        if clearance.blocks:
            yield from _touching(clearance, move)


def hot_line(move: Move) -> Iterator[Finding]:
    """R13: reclosing is off before a hot-line tag is placed; what tripped under one is energised from nowhere."""
    grid = move.before.grid
    if move.act.kind is ActKind.PLACE_TAG and _means(move.act.tag, OperationalTagType.HOT_LINE):
        for device in covered(move.act.device, grid):
            if move.before.recloses(device):
                yield Finding(object=device, reason=f"the reclosing of {grid.name(device)} is not off")
    if move.act.kind is ActKind.ENABLE_RECLOSING:
        for tag in _hot_line_tags(move.before.tags, move.act.device, grid):
            yield _held(tag, f"'{holder_of(tag)}' holds a hot-line tag: reclosing stays off")
    for device in sorted(move.before.tripped):
        if device != move.act.device and _tripped_section(grid, device) & move.energised:
            for tag in _hot_line_tags(move.before.tags, device, grid):
                yield _held(
                    tag,
                    f"it would energise what {grid.name(device)} tripped off under a hot-line tag of"
                    f" '{holder_of(tag)}'",
                )


def _touching(clearance: Clearance, move: Move) -> Iterator[Finding]:
    """How the act touches a clearance under which somebody may be working."""
    held = f"under the clearance {clearance.mrid} of '{clearance.holder}'"
    zone = frozenset(clearance.zone)
    before, after, device = move.before.grid, move.after.grid, move.act.device
    if device in clearance.boundary and move.act.kind in SWITCHING:
        yield Finding(object=device, reason=f"{before.name(device)} isolates work {held}")
    if zone & move.energised:
        yield Finding(object=min(zone & move.energised), reason=f"it would energise what is {held}")
    if any(after.section(node) - before.section(node) - zone for node in zone):
        yield Finding(object=device, reason=f"it would join other equipment to what is {held}")
    takes_tag = move.act.kind is ActKind.REMOVE_TAG and device in clearance.boundary
    if takes_tag and not is_isolated_by_tag(move.after.tags, device):
        yield Finding(object=device, reason=f"it is the last tag that isolates work {held}")
    if move.act.kind is ActKind.REMOVE and clearance.needs_ground:
        grounds = [each for each in move.before.temporaries if each.mrid == device and is_ground(each)]
        if any(each.node1 in zone for each in grounds):
            yield Finding(object=device, reason=f"it grounds work {held}")


def covered(mrid: str, grid: Grid) -> tuple[str, ...]:
    """The devices that a hot-line tag on a device or a feeder is about; of a feeder those that open by themselves."""
    for feeder in grid.feeders:
        if feeder.mrid == mrid:
            return tuple(sorted(each.mrid for each in feeder.equipment if each.open is not None and each.protective))
    return (mrid,)


def _means(tag: OperationalTag | None, kind: OperationalTagType) -> bool:
    return tag is not None and kind_of(tag) is kind


def _hot_line_tags(tags: tuple[OperationalTag, ...], device: str, grid: Grid) -> Iterator[OperationalTag]:
    for tag in tags:
        if in_force(tag) and kind_of(tag) is OperationalTagType.HOT_LINE and device in covered(device_of(tag), grid):
            yield tag


def _tripped_section(grid: Grid, device: str) -> frozenset[str]:
    """The dead nodes behind a device that tripped."""
    switch = grid.get(device)
    if switch is None or not switch.open:
        return frozenset()
    ends = [node for node in (switch.node1, switch.node2) if node is not None and not grid.voltage(node)]
    return frozenset[str]().union(*(grid.section(node) for node in ends))


def _held(tag: OperationalTag, reason: str) -> Finding:
    return Finding(object=device_of(tag), reason=f"{reason}{'' if tag.comment is None else f' ({tag.comment})'}")
