"""What becomes of the event of a meter: one code for each meaning, one place for each meter (IEC 61968-9).

And what becomes of a control: it is passed on, answered once, and what comes later than that is an event.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_controls import DONE, ControlKind, control_kind_of
from contracts.codes.end_device_events import ANSWERS, EMITTED, EventKind, kind_of
from contracts.errors import Invalid
from contracts.nouns.end_device_controls import EndDeviceControl, EndDeviceControls, EndDeviceTiming
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail
from contracts.types import DateTimeInterval, ObjectReference, Reference


class Generation(StrEnum):
    """The two generations of event codes that are in use side by side."""

    FIRST = "first"
    SECOND = "second"


CODES: Mapping[Generation, Mapping[EventKind, str]] = {
    Generation.FIRST: EMITTED,
    Generation.SECOND: {**EMITTED, EventKind.POWER_LOST: "3.26.0.47", EventKind.POWER_RESTORED: "3.26.0.216"},
}
"""The code that each generation has for a kind; where only one is known it stands for both."""


class Drop(StrEnum):
    """Why an event is kept and not passed on."""

    UNLOCATED = "unlocated"
    """Neither the event nor any other before it says at which usage point the meter is."""


class Heard(Struct, frozen=True, kw_only=True):
    """An event as it is kept.

    Attributes:
        event: the event, with one code for its meaning and an identity.
        meter: the mRID of the meter, or of the usage point where the event names no meter.
        usage_point: where the meter is; None when nobody knows.
    """

    event: EndDeviceEvent
    meter: str
    usage_point: str | None

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
        return Drop.UNLOCATED if self.usage_point is None else None


def meter_of(event: EndDeviceEvent) -> str | None:
    """The mRID of the meter that tells ``event``, if it says so."""
    return None if event.assets is None else event.assets.mrid


def usage_point_of(event: EndDeviceEvent) -> str | None:
    """The mRID of the usage point that ``event`` names, if it names one."""
    return None if event.usage_point is None else event.usage_point.mrid


def received(event: EndDeviceEvent, mrid: str, places: Mapping[str, str], generation: Generation) -> Heard:
    """``event`` in the codes of ``generation`` and at the place of its meter.

    Args:
        event: as the head-end tells it. A code that means nothing to us stays as it is.
        mrid: the identity of the event if it has none.
        places: the usage point of each meter that was heard before.
        generation: whose codes are passed on.
    """
    meter = meter_of(event)
    place = usage_point_of(event) or places.get(meter or "")
    kind = kind_of(event.end_device_event_type.ref)
    code = event.end_device_event_type.ref if kind is None else CODES[generation].get(kind)
    located = replace(
        event,
        mrid=event.mrid or mrid,
        end_device_event_type=Reference(ref=code or event.end_device_event_type.ref),
        usage_point=event.usage_point if place is None else ObjectReference(mrid=place),
    )
    return Heard(event=located, meter=meter or place or "", usage_point=place)


def by_usage_point(heard: Iterable[Heard]) -> dict[str, list[EndDeviceEvent]]:
    """The events that are passed on, for each usage point in the order of time."""
    result: dict[str, list[EndDeviceEvent]] = {}
    for each in sorted(heard, key=lambda h: h.happened_at):
        if each.usage_point is not None:
            result.setdefault(each.usage_point, []).append(each.event)
    return result


PING_PATIENCE = timedelta(seconds=60)
"""How long a meter may take to answer a ping; after that nobody knows, and nothing is concluded from it."""

PATIENCE = timedelta(minutes=10)
"""The same for every other control: a disconnect switch may have to wait for its turn [P]."""


class Control(Struct, frozen=True, kw_only=True):
    """A control that was passed on and is not answered yet, or was given up.

    Attributes:
        control: as it was asked for; one device or one usage point.
        given_up: the asker was told that there was no answer in time.
    """

    control: EndDeviceControl
    given_up: bool = False

    @property
    def kind(self) -> ControlKind | None:
        """What is asked of the device."""
        return control_kind_of(self.control.end_device_control_type.ref)


def the_control(controls: EndDeviceControls) -> EndDeviceControl:
    """The one control of a request, for one meter.

    Raises:
        Invalid: 3.1, it asks for more than one; 2.4, it names no meter and no usage point.
    """
    if len(controls.end_device_control) != 1:
        raise Invalid(f"EndDeviceControls: {len(controls.end_device_control)} controls, one is taken", code="3.1")
    (control,) = controls.end_device_control
    if len(control.end_devices) > 1 or len(control.usage_points) > 1:
        raise Invalid("EndDeviceControl: it is for more than one device", code="3.1", object_id=control.mrid)
    if not (control.end_devices or control.usage_points):
        raise Invalid("EndDeviceControl: it names no meter and no usage point", code="2.4", object_id=control.mrid)
    return control


def patience(control: EndDeviceControl) -> timedelta:
    """How long the answer to ``control`` is waited for."""
    kind = control_kind_of(control.end_device_control_type.ref)
    return PING_PATIENCE if kind is ControlKind.PING else PATIENCE


_CHANGES = frozenset({ControlKind.CONNECT, ControlKind.DISCONNECT})
"""What changes something that others than the asker must know of: a meter that is disconnected explains its silence."""


def event_of(control: Control, answered_at: datetime, generation: Generation) -> EndDeviceEvent | None:
    """What a device says by doing what was asked of it, for those who did not ask.

    None where the asker alone is concerned and has had his answer in time, or where no code says it.
    """
    asked = control.control
    code = None if control.kind is None else CODES[generation].get(DONE[control.kind])
    meter = next((device.mrid for device in asked.end_devices), None)
    if code is None or not (control.given_up or control.kind in _CHANGES):
        return None
    return EndDeviceEvent(
        created_date_time=answered_at,
        reason="a late answer to a control" if control.given_up else "the answer to a control",
        assets=None if meter is None else ObjectReference(mrid=meter),
        end_device_event_details=(EndDeviceEventDetail(name=ANSWERS, value=asked.mrid),),
        end_device_event_type=Reference(ref=code),
        usage_point=next(iter(asked.usage_points), None),
    )


def answered_at(answer: EndDeviceControls | None, now: datetime) -> datetime:
    """When a device did what it was asked for: as the head-end says, and never later than ``now``."""
    controls = () if answer is None else answer.end_device_control
    timings = (control.primary_device_timing for control in controls)
    told = (timing.interval.start for timing in timings if timing is not None and timing.interval is not None)
    return min(next((time for time in told if time is not None), now), now)


def answer_to(control: Control, at: datetime) -> EndDeviceControls:
    """The answer to who asked: the control, done ``at`` that time."""
    timing = EndDeviceTiming(interval=DateTimeInterval(start=at))
    return EndDeviceControls(end_device_control=(replace(control.control, primary_device_timing=timing),))
