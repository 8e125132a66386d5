"""EndDeviceFirmware: firmware for devices, and when they are to use it.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written in the manner of the
public class model by the ordering rule, not verified against the published profile [P]. The namespace is our
proposal. No class of the public class model says more than the identifiers of firmware, hardware and program that
ComFunction has.
"""

from msgspec import Struct, field

from contracts.nouns.network_models import Blob
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/EndDeviceFirmware#"


class Firmware(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One version of the software of devices; ``blob`` is where its image is."""

    mrid: str | None = None
    activation_date_time: Instant | None = None
    firmware_id: str
    hardware_id: str | None = None
    program_id: str | None = None
    blob: Blob | None = field(name="Blob", default=None)
    end_device_groups: tuple[ObjectReference, ...] = field(name="EndDeviceGroups", default=())
    end_devices: tuple[ObjectReference, ...] = field(name="EndDevices", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None


class EndDeviceFirmware(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    firmware: tuple[Firmware, ...] = field(name="Firmware", default=())
