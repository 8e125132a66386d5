"""Requests for services at meters: to disconnect and to reconnect, by remote control (metering guide 13, F3)."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from contracts.codes.end_device_controls import CONNECT, DISCONNECT, ControlKind
from contracts.errors import Invalid
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls
from contracts.nouns.meter_service_requests import MeterServiceRequests, MeterServiceWork, MeterServiceWorkKind
from contracts.nouns.service_kinds import UsagePointConnectedKind
from contracts.nouns.usage_point_config import UsagePoint, UsagePointConfig
from contracts.types import Reference, Status
from services.meter_reading_and_control.domain.addressing import commands
from services.meter_reading_and_control.domain.controls import Command, State

_CODES = {MeterServiceWorkKind.DISCONNECT: DISCONNECT, MeterServiceWorkKind.RECONNECT: CONNECT}

COMPLETED, FAILED, UNKNOWN = "completed", "failed", "unknown"
"""How a piece of work stands, as its status says (ours): unknown is what no meter has answered."""


def ordered(request: MeterServiceRequests, ticket: str, user: str, now: datetime) -> list[Command]:
    """A command for each piece of work; the work is kept with it.

    Raises:
        Invalid: 2.9, a piece of work is no disconnection and no reconnection; 2.4, it names no meter.
        Conflict: 5.2, one meter is to do the same twice.
    """
    found: list[EndDeviceControl] = []
    for work in request.meter_service_work:
        if work.kind not in _CODES:
            raise Invalid(f"MeterServiceWork/kind: '{work.kind}' is not done by remote control", code="2.9")
        if not work.meter.mrid:
            raise Invalid("MeterServiceWork/Meter/mRID is missing", code="2.4")
        control = EndDeviceControl(
            mrid=f"{ticket}/{len(found)}",
            end_device_control_type=Reference(ref=_CODES[work.kind]),
            end_devices=(EndDevice(mrid=work.meter.mrid),),
        )
        found.append(control)
    asked = commands(EndDeviceControls(end_device_control=tuple(found)), ticket, user, now)
    return [replace(command, service=work) for command, work in zip(asked, request.meter_service_work, strict=True)]


def told(together: Sequence[Command]) -> MeterServiceRequests:
    """The pieces of work of a request with how each of them stands."""
    works = (_as_it_stands(each) for each in together if each.service is not None)
    return MeterServiceRequests(meter_service_work=tuple(works))


def _as_it_stands(command: Command) -> MeterServiceWork:
    words = {State.CONFIRMED: COMPLETED, State.CLOSED: COMPLETED, State.UNKNOWN: UNKNOWN}
    status = Status(date_time=command.since, reason=command.reason or None, value=words.get(command.state, FAILED))
    work = command.service
    if work is None:
        raise ValueError("the command is for no service")
    return replace(work, last_modified_date_time=command.since, status=status)


def connection(known: UsagePoint, kind: ControlKind | None) -> UsagePointConfig:
    """How a usage point is connected after its switch has moved, with all that is known of it."""
    state = UsagePointConnectedKind.CONNECTED
    if kind is ControlKind.DISCONNECT:
        state = UsagePointConnectedKind.LOGICALLY_DISCONNECTED
    return UsagePointConfig(usage_point=(replace(known, connection_state=state),))
