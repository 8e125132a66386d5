"""DERGroups: groups of distributed resources.

IEC 61968-5, profile of 2017. Source: one public copy; the edition of 2020 may differ. How sure: read there, not
compared with the published text [S].
"""

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2017/DERGroups#"


class DERFunction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What the members of a group can do."""

    connect_disconnect: bool
    frequency_watt_curve_function: bool
    max_real_power_limiting: bool
    ramp_rate_control: bool
    reactive_power_dispatch: bool
    real_power_dispatch: bool
    voltage_regulation: bool
    volt_var_curve_function: bool
    volt_watt_curve_function: bool


class Version(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The version of a group."""

    date: Instant | None = None
    major: int | None = None
    minor: int | None = None
    revision: int | None = None


class EndDeviceGroup(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A group of devices."""

    mrid: str | None = None
    description: str | None = None
    der_function: DERFunction = field(name="DERFunction")
    end_devices: tuple[ObjectReference, ...] = field(name="EndDevices", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    version: Version | None = None


class DERGroups(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    end_device_group: tuple[EndDeviceGroup, ...] = field(name="EndDeviceGroup", default=())
