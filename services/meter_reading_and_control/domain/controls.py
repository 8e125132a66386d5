"""What becomes of a control: it is passed on, answered once, and what comes later than that is an event."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_controls import DONE, ControlKind, control_kind_of
from contracts.codes.end_device_events import ANSWERS
from contracts.errors import Invalid
from contracts.nouns.end_device_controls import EndDeviceControl, EndDeviceControls, EndDeviceTiming
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.meter_reading_and_control.domain.events import CODES, Generation

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
