"""What becomes of the event of a meter: one code for each meaning, one place for each meter (IEC 61968-9)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_events import EMITTED, EventKind, kind_of
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail
from contracts.types import ObjectReference, Reference


class Generation(StrEnum):
    """The two generations of event codes that are in use side by side."""

    FIRST = "first"
    SECOND = "second"


CODES: Mapping[Generation, Mapping[EventKind, str]] = {
    Generation.FIRST: EMITTED,
    Generation.SECOND: {**EMITTED, EventKind.POWER_LOST: "3.26.0.47", EventKind.POWER_RESTORED: "3.26.0.216"},
}
"""The code that each generation has for a kind; where only one is known it stands for both."""


class Stage(StrEnum):
    """What becomes of an event beside being dropped; with the reasons of :class:`Drop` these are all that are told."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    """It was told before; it is counted at the event that is kept."""
    HELD = "held"
    """In a storm it waits for those of the bellwethers; it is told soon."""
    FORWARDED = "forwarded"


class Drop(StrEnum):
    """Why an event is kept and not passed on."""

    REPEATED = "repeated"
    """The meter had told the same within some seconds, with another time."""
    MOMENTARY = "momentary"
    """It waited in a storm, and the meter had power again within a minute."""
    UNLOCATED = "unlocated"
    """Neither the event nor any other before it says at which usage point the meter is."""
    NOT_INSTALLED = "notInstalled"
    """The meter was at no usage point then."""
    EXCHANGE = "exchange"
    """The meter was put, exchanged or removed just then."""
    DISCONNECTED = "disconnected"
    """The usage point is disconnected."""
    PLANNED = "plannedOutage"
    """The power is off on purpose."""
    WORK = "work"
    """People are at work at the usage point."""


class Heard(Struct, frozen=True, kw_only=True):
    """An event as it is kept.

    Attributes:
        event: the event, with one code for its meaning and an identity.
        meter: the mRID of the meter, or of the usage point where the event names no meter.
        usage_point: where the meter is; None when nobody knows.
        suppressed: why it is not passed on although it is known where the meter is.
        held: it waits in a storm.
    """

    event: EndDeviceEvent
    meter: str
    usage_point: str | None
    suppressed: Drop | None = None
    held: bool = False

    @property
    def kind(self) -> EventKind | None:
        """What it means for us."""
        return kind_of(self.code)

    @property
    def code(self) -> str:
        """The code of the event."""
        return self.event.end_device_event_type.ref

    @property
    def happened_at(self) -> datetime:
        """When it happened."""
        return self.event.created_date_time

    @property
    def dropped(self) -> Drop | None:
        """Why it is not passed on, if it is not."""
        return Drop.UNLOCATED if self.usage_point is None else self.suppressed


class Tally(Struct, frozen=True, kw_only=True):
    """Events of one code that came to one end.

    Attributes:
        dropped: why they were not passed on; None where they were, or will be.
        held: they wait in a storm.
        events: how many there are.
        repeats: how often any of them was told again.
        latest: when the last of them happened.
    """

    dropped: str | None
    held: bool = False
    events: int
    repeats: int
    latest: datetime


def meter_of(event: EndDeviceEvent) -> str | None:
    """The mRID of the meter that tells ``event``, if it says so."""
    return None if event.assets is None else event.assets.mrid


def usage_point_of(event: EndDeviceEvent) -> str | None:
    """The mRID of the usage point that ``event`` names, if it names one."""
    return None if event.usage_point is None else event.usage_point.mrid


def received(event: EndDeviceEvent, mrid: str, known_at: str | None, generation: Generation) -> Heard:
    """``event`` in the codes of ``generation`` and at the place of its meter.

    Args:
        event: as the head-end tells it. A code that means nothing to us stays as it is.
        mrid: the identity of the event if it has none.
        known_at: the usage point where its meter is known to be; what the event says itself counts more.
        generation: whose codes are passed on.
    """
    meter = meter_of(event)
    place = usage_point_of(event) or known_at
    kind = kind_of(event.end_device_event_type.ref)
    code = event.end_device_event_type.ref if kind is None else CODES[generation].get(kind)
    located = replace(
        event,
        mrid=event.mrid or mrid,
        end_device_event_type=Reference(ref=code or event.end_device_event_type.ref),
        usage_point=event.usage_point if place is None else ObjectReference(mrid=place),
    )
    return Heard(event=located, meter=meter or place or "", usage_point=place)


def switchings(heard: Iterable[Heard]) -> list[tuple[str, datetime, EventKind]]:
    """What disconnect switches did, by these events: where, when and what."""
    return [
        (each.usage_point, each.happened_at, each.kind)
        for each in heard
        if each.usage_point is not None and each.kind in {EventKind.CONNECTED, EventKind.DISCONNECTED}
    ]


def passed_on(heard: Iterable[Heard]) -> list[tuple[str, EndDeviceEvent]]:
    """The events that are passed on, each with its usage point, in the order of time."""
    return [
        (each.usage_point, each.event)
        for each in sorted(heard, key=lambda h: h.happened_at)
        if each.usage_point is not None and each.dropped is None and not each.held
    ]


def stages(tallies: Iterable[Tally]) -> dict[str, int]:
    """How many were received, and what became of each: the others together are as many as those received."""
    ends: Counter[str] = Counter(dict.fromkeys((Stage.RECEIVED, Stage.DUPLICATE, Stage.HELD, Stage.FORWARDED), 0))
    for tally in tallies:
        ends[Stage.RECEIVED] += tally.events + tally.repeats
        ends[Stage.DUPLICATE] += tally.repeats
        ends[tally.dropped or (Stage.HELD if tally.held else Stage.FORWARDED)] += tally.events
    return {str(stage): count for stage, count in ends.items()}


def counted(code: str, tallies: Iterable[Tally]) -> EndDeviceEvent:
    """The events of a code as one that stands for all: the last time, and how many came to which end (ours)."""
    known = list(tallies)
    return EndDeviceEvent(
        created_date_time=max(tally.latest for tally in known),
        end_device_event_details=tuple(
            EndDeviceEventDetail(name=stage, value=str(count)) for stage, count in stages(known).items()
        ),
        end_device_event_type=Reference(ref=code),
    )
