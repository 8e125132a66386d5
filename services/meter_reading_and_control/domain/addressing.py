"""Whom a control is for, and when: each device by itself, and the members of groups as they are then."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.message import Message
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls
from contracts.types import DateTimeInterval
from services.meter_reading_and_control.domain.controls import Command


def user_of(message: Message[Any]) -> str:
    """The person behind a request; empty where it names none."""
    return (message.header.user.user_id or "") if message.header.user else ""


def commands(
    controls: EndDeviceControls,
    ticket: str,
    user: str,
    now: datetime,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> list[Command]:
    """A command for each device of a request; who is in a group is so as it is now, whatever becomes of the group.

    Raises:
        Invalid: 2.4, a control names no meter and no usage point, or a request names nothing; 2.29, it is over.
        Conflict: 5.2, one device is asked twice for the same.
    """
    found: list[Command] = []
    for control in controls.end_device_control:
        for group, alone in _each_member(_timed(control, now), groups or {}):
            identity = f"{ticket}/{len(found)}"
            found.append(Command(id=identity, control=alone, ticket=ticket, since=now, user=user, group=group))
    if not found:
        raise Invalid("EndDeviceControls: it asks for nothing", code="2.4")
    if (late := next((each for each in found if each.ends is not None and each.ends <= now), None)) is not None:
        raise Invalid("EndDeviceControl: its time is over", code="2.29", object_id=late.mrid)
    asked = Counter((each.device, each.kind) for each in found)
    twice = next((each for each in found if asked[each.device, each.kind] > 1), None)
    if twice is not None:
        raise Conflict(f"{twice.device} is asked twice for the same", code="5.2", object_id=twice.mrid)
    return found


def _timed(control: EndDeviceControl, now: datetime) -> EndDeviceControl:
    """The control with the time at which it begins, where it says only how long it is to hold."""
    timing = control.primary_device_timing
    if timing is None or timing.duration is None:
        return control
    interval = timing.interval or DateTimeInterval()
    return replace(
        control, primary_device_timing=replace(timing, interval=replace(interval, start=interval.start or now))
    )


def _each_member(control: EndDeviceControl, groups: Mapping[str, Sequence[str]]) -> list[tuple[str, EndDeviceControl]]:
    """The control for each of its devices and members of its groups, each once, with the group that it is in."""
    if control.usage_point_groups:
        raise Invalid(
            "EndDeviceControl: groups of usage points are not known here", code="2.12", object_id=control.mrid
        )
    alone = replace(control, end_device_groups=())
    found = [] if control.end_device_groups and not _names(control) else [("", each) for each in _each_device(alone)]
    named = {each.mrid for each in control.end_devices}
    for group in control.end_device_groups:
        members = [each for each in groups.get(group.mrid or "", ()) if each not in named]
        named.update(members)
        found += [
            (group.mrid or "", replace(alone, end_devices=(EndDevice(mrid=each),), usage_points=())) for each in members
        ]
    return found


def _names(control: EndDeviceControl) -> bool:
    return bool(control.end_devices or control.usage_points)


def _each_device(control: EndDeviceControl) -> list[EndDeviceControl]:
    """The control for each of its devices; a meter that is named with its usage point is one device."""
    meters, points = control.end_devices, control.usage_points
    if not (meters or points):
        raise Invalid("EndDeviceControl: it names no meter and no usage point", code="2.4", object_id=control.mrid)
    if len(meters) == len(points):
        return [
            replace(control, end_devices=(meter,), usage_points=(point,))
            for meter, point in zip(meters, points, strict=True)
        ]
    return [
        *(replace(control, end_devices=(meter,), usage_points=()) for meter in meters),
        *(replace(control, end_devices=(), usage_points=(point,)) for point in points),
    ]
