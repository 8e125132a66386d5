"""What a meter of the field is ordered to do, and what it answers."""

from datetime import datetime, timedelta

from msgspec import structs

from contracts.codes.end_device_controls import ControlKind, control_kind_of
from contracts.errors import Invalid, NotFound
from contracts.nouns.end_device_controls import EndDeviceControls, EndDeviceTiming
from contracts.types import DateTimeInterval
from services.emergency_simulation.domain.network import Network


def ordered(controls: EndDeviceControls, network: Network) -> tuple[ControlKind, str]:
    """What one meter is to do, and its usage point.

    Raises:
        Invalid: it is not one control of one meter, or of a kind that the meters of this field do not know.
        NotFound: 2.4, there is no such meter in the field.
    """
    kinds = [control_kind_of(each.end_device_control_type.ref) for each in controls.end_device_control]
    if len(kinds) != 1 or kinds[0] not in _KNOWN:
        raise Invalid("a meter of this field takes one ping, or one order, at a time")
    (control,) = controls.end_device_control
    named = [point.mrid for point in control.usage_points if point.mrid in network.usage_points]
    named += [network.meters[meter.mrid] for meter in control.end_devices if meter.mrid in network.meters]
    found = sorted(mrid for mrid in named if mrid is not None)
    if not found:
        raise NotFound("there is no such meter in the field", code="2.4", object_id=control.mrid)
    return kinds[0], found[0]


_KNOWN = frozenset(
    {
        ControlKind.PING,
        ControlKind.CONNECT,
        ControlKind.DISCONNECT,
        ControlKind.FIRMWARE,
        ControlKind.LOAD_CONTROL,
        ControlKind.SWITCH_STATE,
    }
)


def order_of(controls: EndDeviceControls, point: str) -> str:
    """By what an order to the meter of a usage point is known: several meters share the mRID of a control."""
    return f"{controls.end_device_control[0].mrid or ''} {point}"


def ends_of(controls: EndDeviceControls) -> datetime | None:
    """Until when a control is to hold, where it says so."""
    timing = controls.end_device_control[0].primary_device_timing
    if timing is None or timing.interval is None:
        return None
    begins, ends = timing.interval.start, timing.interval.end
    if ends is None and begins is not None and timing.duration is not None:
        return begins + timedelta(minutes=timing.duration)
    return ends


def is_mandatory(controls: EndDeviceControls) -> bool:
    """True when the customer may not opt out."""
    return controls.end_device_control[0].dr_program_mandatory is True


def ponged(controls: EndDeviceControls, at: datetime, state: str | None = None) -> EndDeviceControls:
    """The answer of the meter, with its time; ``state`` says how its switch stands."""
    timing = EndDeviceTiming(interval=DateTimeInterval(start=at))
    (control,) = controls.end_device_control
    told = structs.replace(control, primary_device_timing=timing, reason=state or control.reason)
    return EndDeviceControls(end_device_control=(told,))
