"""EndDeviceControls: what devices are to do.

IEC 61968-9, profile of 2011. Source: two public copies, equal after vendor additions are removed. How sure: confirmed
by two sources [X].

The ``ref`` of EndDeviceControlType is the code of the control, such as ``3.31.0.23`` for disconnect.
"""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Reference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/EndDeviceControls#"

FloatQuantity = float
"""A number whose unit the other side knows."""

Minutes = float
"""Minutes."""

Money = Decimal
"""Money in the currency that the utility works in."""

PerCent = float
"""Per cent."""

Temperature = float
"""Degrees Celsius."""


class ControlledAppliance(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Which loads of the customer a control is meant for."""

    is_electric_vehicle: bool | None = None
    is_exterior_lighting: bool | None = None
    is_generation_system: bool | None = None
    is_hvac_compressor_or_furnace: bool | None = None
    is_interior_lighting: bool | None = None
    is_irrigation_pump: bool | None = None
    is_managed_commercial_industrial_load: bool | None = None
    is_pool_pump_spa_jacuzzi: bool | None = None
    is_simple_misc_load: bool | None = None
    is_smart_appliance: bool | None = None
    is_strip_and_baseboard_heater: bool | None = None
    is_water_heater: bool | None = None


class PanDemandResponse(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A load control in the home network."""

    avg_load_adjustment: PerCent | None = None
    cancel_control_mode: str | None = None
    cancel_date_time: Instant | None = None
    cancel_now: bool | None = None
    command: str | None = None
    cooling_offset: Temperature | None = None
    cooling_setpoint: Temperature | None = None
    criticality_level: str | None = None
    duration: Minutes | None = None
    duration_indefinite: bool | None = None
    duty_cycle: PerCent | None = None
    enrollment_group: str | None = None
    heating_offset: Temperature | None = None
    heating_setpoint: Temperature | None = None
    start_date_time: Instant | None = None
    appliance: ControlledAppliance | None = None


class TransmissionModeKind(StrEnum):
    """Who gets a text."""

    ANONYMOUS = "anonymous"
    BOTH = "both"
    NORMAL = "normal"


class PanDisplay(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A text for a display in the home network."""

    command: str | None = None
    confirmation_required: bool | None = None
    duration: Minutes | None = None
    duration_indefinite: bool | None = None
    priority: str | None = None
    start_date_time: Instant | None = None
    text_message: str | None = None
    transmission_mode: TransmissionModeKind | None = None


class PanPricingDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One price."""

    alternate_cost_delivered: float | None = None
    alternate_cost_unit: str | None = None
    current_time_date: Instant | None = None
    generation_price: Money | None = None
    generation_price_ratio: float | None = None
    price: Money | None = None
    price_ratio: float | None = None
    price_tier: int | None = None
    price_tier_count: int | None = None
    price_tier_label: str | None = None
    rate_label: str | None = None
    register_tier: str | None = None
    unit_of_measure: str | None = None


class PanPricing(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Prices for the home network."""

    command: str | None = None
    duration: Minutes | None = None
    duration_indefinite: bool | None = None
    provider_id: int | None = None
    start_date_time: Instant | None = None
    pan_pricing_details: tuple[PanPricingDetail, ...] = field(name="PanPricingDetails", default=())


class ElectronicAddress(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How a device or a person is reached electronically."""

    email1: str | None = None
    email2: str | None = None
    lan: str | None = None
    mac: str | None = None
    password: str | None = None
    radio: str | None = None
    user_id: str | None = None
    web: str | None = None


class EndDevice(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A device at the end of the network, such as a meter or a display."""

    mrid: str | None = None
    install_code: str | None = None
    is_pan: bool | None = None
    electronic_address: ElectronicAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class RandomisationKind(StrEnum):
    """What of the time is spread by chance."""

    DEFAULT = "default"
    END = "end"
    NONE = "none"
    START = "start"
    START_AND_END = "startAndEnd"


class EndDeviceTiming(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When a control begins and ends, and how it is spread by chance."""

    duration: Minutes | None = None
    duration_indefinite: bool | None = None
    randomisation: RandomisationKind | None = None
    interval: DateTimeInterval | None = None


class EndDeviceControl(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A control for devices, groups of devices, usage points or groups of them.

    Raises:
        ValueError: when it is of more than one kind for the home network.
    """

    mrid: str | None = None
    dr_program_level: int | None = None
    dr_program_mandatory: bool | None = None
    issuer_id: str | None = None
    issuer_tracking_id: str | None = None
    price_signal: FloatQuantity | None = None
    reason: str | None = None
    pan_demand_response: PanDemandResponse | None = field(name="PanDemandResponse", default=None)
    pan_display: PanDisplay | None = field(name="PanDisplay", default=None)
    pan_pricing: PanPricing | None = field(name="PanPricing", default=None)
    end_device_control_type: Reference = field(name="EndDeviceControlType")
    end_device_groups: tuple[ObjectReference, ...] = field(name="EndDeviceGroups", default=())
    end_devices: tuple[EndDevice, ...] = field(name="EndDevices", default=())
    primary_device_timing: EndDeviceTiming | None = None
    secondary_device_timing: EndDeviceTiming | None = None
    usage_point_groups: tuple[ObjectReference, ...] = field(name="UsagePointGroups", default=())
    usage_points: tuple[ObjectReference, ...] = field(name="UsagePoints", default=())

    def __post_init__(self) -> None:
        kinds = (self.pan_demand_response, self.pan_display, self.pan_pricing)
        if sum(kind is not None for kind in kinds) > 1:
            raise ValueError("a control is of one kind for the home network at most")


class EndDeviceControlType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A type of control in four words; its name or mRID is the code ``type.domain.subDomain.eventOrAction``."""

    mrid: str | None = None
    domain: str | None = None
    event_or_action: str | None = None
    sub_domain: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class EndDeviceControls(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    end_device_control: tuple[EndDeviceControl, ...] = field(name="EndDeviceControl", default=())
    end_device_control_type: tuple[EndDeviceControlType, ...] = field(name="EndDeviceControlType", default=())
