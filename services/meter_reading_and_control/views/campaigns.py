"""Campaigns on the wire: EndDeviceControls with options of their requests (ours, IEC 61968-9 has no campaigns)."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.message import Message
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls, EndDeviceTiming
from contracts.types import DateTimeInterval
from services.meter_reading_and_control.domain.campaigns import (
    CANARIES,
    MOST_A_MINUTE,
    RATE,
    Campaign,
    Device,
    DeviceState,
    Event,
    check_control,
)
from services.meter_reading_and_control.domain.windows import WINDOW, window_of

CAMPAIGN = "campaign"
"""The option that makes a campaign of a control, steers it, or asks for it."""

DRAFT = "draft"
"""What it says to ``create``."""

STEERS = {"approved": Event.APPROVE, "paused": Event.PAUSE, "resumed": Event.RESUME}
"""What it says to ``change``."""

PROGRESS, DEVICES = "progress", "devices"
"""What it says to ``get``: how campaigns stand, or each of their devices as well."""


def options(message: Message[EndDeviceControls]) -> dict[str, str]:
    """The options of a request."""
    return {} if message.request is None else {each.name: each.value or "" for each in message.request.option}


def drafted(message: Message[EndDeviceControls], user: str, now: datetime) -> Campaign:
    """The campaign that is asked for.

    Raises:
        Invalid: 2.29, an option says what it cannot say; 5.8, it has no mRID; 2.9, 2.12, it is for no campaign.
    """
    said = options(message)
    if said[CAMPAIGN] != DRAFT:
        raise Invalid(f"Option {CAMPAIGN}: '{said[CAMPAIGN]}'; a campaign begins as '{DRAFT}'", code="2.29")
    control = the_control(message.noun)
    check_control(control)
    if control.usage_points or control.usage_point_groups:
        raise Invalid("a campaign is for meters and their groups", code="2.12", object_id=control.mrid)
    return Campaign(
        mrid=control.mrid or "",
        control=control,
        since=now,
        user=user,
        canaries=_number(said, "canary", CANARIES, 100_000),
        rate=_number(said, "rate", RATE, MOST_A_MINUTE),
        window=window_of(said.get("window", WINDOW)),
    )


def the_control(noun: EndDeviceControls) -> EndDeviceControl:
    """The one control of a request that is about a campaign.

    Raises:
        Invalid: 2.29, there are several, or none; 5.8, it has no mRID.
    """
    if len(noun.end_device_control) != 1:
        raise Invalid("EndDeviceControls: a campaign is one control", code="2.29")
    if not noun.end_device_control[0].mrid:
        raise Invalid("EndDeviceControl: a campaign has an mRID", code="5.8")
    return noun.end_device_control[0]


def steered(message: Message[EndDeviceControls]) -> Event:
    """What a ``change`` wants of a campaign.

    Raises:
        Invalid: 2.29, none of what may be wanted.
    """
    said = options(message).get(CAMPAIGN, "")
    if said not in STEERS:
        raise Invalid(f"Option {CAMPAIGN}: '{said}' is none of {', '.join(STEERS)}", code="2.29")
    return STEERS[said]


def shown(campaign: Campaign, counts: Mapping[str, int]) -> EndDeviceControl:
    """A campaign with its state, and how many devices are in which, as its reason, and since when."""
    numbers = ", ".join(f"{counts[state]} {state}" for state in DeviceState if counts.get(state))
    told = f"{campaign.state}: {numbers}"
    return replace(
        campaign.control,
        reason=f"{told}; {campaign.reason}" if campaign.reason else told,
        primary_device_timing=EndDeviceTiming(interval=DateTimeInterval(start=campaign.since)),
    )


def device_shown(campaign: Campaign, device: Device) -> EndDeviceControl:
    """A device of a campaign with its state, and why it failed, as the reason."""
    why = f"{device.code} {device.reason}".strip()
    return replace(
        campaign.control,
        reason=f"{device.state}: {why}" if why else device.state,
        end_device_groups=(),
        end_devices=(EndDevice(mrid=device.device),),
        primary_device_timing=None,
    )


def _number(said: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = said.get(name, str(usual))
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= most:
        raise Invalid(f"Option {name}: '{text}' is no whole number from 1 to {most}", code="2.29")
    return int(text)
