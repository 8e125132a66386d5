"""Tags: who forbids what, on which equipment, and until when.

Every tag has a holder, its author. Tags are counted: equipment is free when the last tag of the last holder is gone,
and only the holder takes his own away. What protection does is no operation: a tagged switch may trip.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from contracts.errors import Conflict, Denied, Invalid
from contracts.nouns.operational_tags import OperationalTag, OperationalTagState, OperationalTagType
from contracts.types import ObjectReference, Status
from services.network_operation.domain.acts import ActKind, is_taggable
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.people import Speaker

FORBIDDEN = {
    OperationalTagType.CAUTION: frozenset[ActKind](),
    OperationalTagType.DO_NOT_OPERATE: frozenset({ActKind.OPEN, ActKind.CLOSE}),
    OperationalTagType.GROUND_PLACED: frozenset({ActKind.CLOSE}),
    OperationalTagType.HOLD_OPEN: frozenset({ActKind.CLOSE}),
    OperationalTagType.HOT_LINE: frozenset({ActKind.ENABLE_RECLOSING}),
}
"""What each kind of tag forbids. A hot-line tag forbids to close after a trip as well, which rule R1 adds."""

ISOLATING = frozenset({OperationalTagType.DO_NOT_OPERATE, OperationalTagType.HOLD_OPEN})
"""The kinds that keep an open switch open."""

_NEXT = {
    OperationalTagState.PLANNED: frozenset({OperationalTagState.PLACED, OperationalTagState.REMOVED}),
    OperationalTagState.PLACED: frozenset({OperationalTagState.VERIFIED, OperationalTagState.REMOVED}),
    OperationalTagState.VERIFIED: frozenset({OperationalTagState.REMOVED}),
    OperationalTagState.REMOVED: frozenset[OperationalTagState](),
}


def state(tag: OperationalTag) -> OperationalTagState:
    """Where a tag is in its life.

    Raises:
        Invalid: it says something that is no state.
    """
    value = OperationalTagState.PLANNED if tag.status is None or tag.status.value is None else tag.status.value
    if value not in set(OperationalTagState):
        raise Invalid(f"'{value}' is no state of a tag", object_id=tag.mrid)
    return OperationalTagState(value)


def in_force(tag: OperationalTag) -> bool:
    """True while it hangs there."""
    return state(tag) in {OperationalTagState.PLACED, OperationalTagState.VERIFIED}


def kind_of(tag: OperationalTag) -> OperationalTagType:
    """What the tag means.

    Raises:
        Invalid: nobody knows.
    """
    if tag.type not in set(OperationalTagType):
        raise Invalid(f"'{tag.type}' is no type of a tag", object_id=tag.mrid)
    return OperationalTagType(tag.type)


def device_of(tag: OperationalTag) -> str:
    """What it hangs on.

    Raises:
        Invalid: on nothing.
    """
    if tag.power_system_resource is None or tag.power_system_resource.mrid is None:
        raise Invalid("the tag does not say what it hangs on", object_id=tag.mrid)
    return tag.power_system_resource.mrid


def holder_of(tag: OperationalTag) -> str:
    """Who alone may take it away."""
    return "" if tag.author is None else tag.author.mrid or ""


def on(tags: Iterable[OperationalTag], device: str) -> tuple[OperationalTag, ...]:
    """The tags in force on one device."""
    return tuple(tag for tag in tags if in_force(tag) and device_of(tag) == device)


def is_isolated_by_tag(tags: Iterable[OperationalTag], device: str) -> bool:
    """True when a tag keeps the device open."""
    return any(kind_of(tag) in ISOLATING for tag in on(tags, device))


def made(tag: OperationalTag, person: Speaker, grid: Grid, now: Status) -> OperationalTag:
    """A new tag; its holder is its author, or else who speaks. ``now`` has the time.

    Raises:
        Invalid: it hangs on nothing that is known, or its type or state is none for a new tag.
    """
    device = device_of(tag)
    kind_of(tag)
    if not is_taggable(device, grid):
        raise Invalid(f"'{device}' is neither equipment nor a feeder of the model", object_id=tag.mrid)
    begun = state(tag)
    if begun not in {OperationalTagState.PLANNED, OperationalTagState.PLACED}:
        raise Invalid(f"a new tag is planned or placed, not {begun}", object_id=tag.mrid)
    return replace(
        tag,
        author=ObjectReference(mrid=holder_of(tag) or person.name),
        created_date_time=now.date_time,
        last_modified_date_time=now.date_time,
        revision_number=1,
        status=replace(now, value=begun),
    )


def moved(tag: OperationalTag, to: OperationalTagState, now: Status) -> OperationalTag:
    """The tag in another state.

    Raises:
        Conflict: it cannot become that.
    """
    if to not in _NEXT[state(tag)]:
        raise Conflict(f"a tag that is {state(tag)} cannot become {to}", object_id=tag.mrid)
    return replace(
        tag,
        last_modified_date_time=now.date_time,
        revision_number=(tag.revision_number or 0) + 1,
        status=replace(now, value=to),
    )


def handed_over(tag: OperationalTag, to: str, now: Status) -> OperationalTag:
    """The tag with another holder."""
    return replace(
        tag,
        author=ObjectReference(mrid=to),
        last_modified_date_time=now.date_time,
        revision_number=(tag.revision_number or 0) + 1,
        status=replace(now, value=state(tag)),
    )


def changed(tag: OperationalTag, asked: OperationalTag, person: Speaker, now: Status) -> OperationalTag:
    """What a tag becomes by a change: its next state, or the next holder.

    Raises:
        Denied: only the holder takes a tag away or hands it over.
        Conflict: it cannot become that.
    """
    wanted, heir = state(asked), holder_of(asked) or holder_of(tag)
    hands_over = wanted is state(tag) and heir != holder_of(tag)
    if (wanted is OperationalTagState.REMOVED or hands_over) and person.name != holder_of(tag):
        raise Denied(
            f"the tag is held by '{holder_of(tag)}', and '{person.name}' cannot take it away", object_id=tag.mrid
        )
    if hands_over:
        return handed_over(tag, heir, now)
    return moved(tag, wanted, now)
