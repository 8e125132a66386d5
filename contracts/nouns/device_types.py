"""Parts of devices that are equal in EndDeviceConfig and MeterConfig, profiles of 2011 of Part 9.

Source: one public copy of each, vendor additions removed; not compared with the published text [S].
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, Reference, Status, attribute

ActivePower = float
"""Watt."""

CurrentFlow = float
"""Ampere."""

RealEnergy = float
"""Watt-hours."""

Seconds = float
"""Seconds."""

Voltage = float
"""Volt."""


class ActivityRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something that happened to it."""

    created_date_time: Instant | None = None
    reason: str | None = None
    severity: str | None = None
    type: str | None = None
    status: Status | None = None


class AssetModelUsageKind(StrEnum):
    """Where equipment of a model is used."""

    CUSTOMER_SUBSTATION = "customerSubstation"
    DISTRIBUTION_OVERHEAD = "distributionOverhead"
    DISTRIBUTION_UNDERGROUND = "distributionUnderground"
    OTHER = "other"
    STREETLIGHT = "streetlight"
    SUBSTATION = "substation"
    TRANSMISSION = "transmission"
    UNKNOWN = "unknown"


class Channel(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A stream of values of one reading type."""

    mrid: str | None = None
    is_virtual: bool | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    reading_type: Reference | None = field(name="ReadingType", default=None)


class ComDirectionKind(StrEnum):
    """Which way communication goes."""

    BI_DIRECTIONAL = "biDirectional"
    FROM_DEVICE = "fromDevice"
    TO_DEVICE = "toDevice"


class ComTechnologyKind(StrEnum):
    """By what a device communicates."""

    CELLULAR = "cellular"
    ETHERNET = "ethernet"
    HOME_PLUG = "homePlug"
    PAGER = "pager"
    PHONE = "phone"
    PLC = "plc"
    RF = "rf"
    RF_MESH = "rfMesh"
    ZIGBEE = "zigbee"


class ComFunction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How a device communicates."""

    mrid: str | None = None
    amr_address: str | None = None
    amr_router: str | None = None
    config_id: str | None = None
    direction: ComDirectionKind | None = None
    enabled: bool | None = None
    firmware_id: str | None = None
    hardware_id: str | None = None
    password: str | None = None
    program_id: str | None = None
    technology: ComTechnologyKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class ConfigurationEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A change of the configuration, and when it counts from."""

    mrid: str | None = None
    created_date_time: Instant | None = None
    effective_date_time: Instant | None = None
    modified_by: str | None = None
    reason: str | None = None
    remark: str | None = None
    severity: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None


class RemoteConnectDisconnectInfo(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The conditions under which a disconnect switch works."""

    armed_timeout: Seconds | None = None
    customer_voltage_limit: Voltage | None = None
    energy_limit: RealEnergy | None = None
    energy_usage_start_date_time: Instant | None = None
    energy_usage_warning: RealEnergy | None = None
    is_arm_connect: bool | None = None
    is_arm_disconnect: bool | None = None
    is_energy_limiting: bool | None = None
    needs_power_limit_check: bool | None = None
    needs_voltage_limit_check: bool | None = None
    power_limit: ActivePower | None = None
    use_pushbutton: bool | None = None


class ConnectDisconnectFunction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The disconnect switch of a meter."""

    mrid: str | None = None
    enabled: bool | None = None
    event_count: int | None = None
    is_connected: bool | None = None
    is_delayed_discon: bool | None = None
    is_local_auto_discon_op: bool | None = None
    is_local_auto_recon_op: bool | None = None
    is_remote_auto_discon_op: bool | None = None
    is_remote_auto_recon_op: bool | None = None
    password: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    rcd_info: RemoteConnectDisconnectInfo | None = None


class CorporateStandardKind(StrEnum):
    """Whether a model is a standard of the utility."""

    EXPERIMENTAL = "experimental"
    OTHER = "other"
    STANDARD = "standard"
    UNDER_EVALUATION = "underEvaluation"


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


class EndDeviceCapability(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a device can do."""

    autonomous_dst: bool | None = None
    communication: bool | None = None
    connect_disconnect: bool | None = None
    demand_response: bool | None = None
    electric_metering: bool | None = None
    gas_metering: bool | None = None
    metrology: bool | None = None
    on_request_read: bool | None = None
    outage_history: bool | None = None
    pressure_compensation: bool | None = None
    pricing_info: bool | None = None
    pulse_output: bool | None = None
    relays_programming: bool | None = None
    reverse_flow: bool | None = None
    super_compressibility_compensation: bool | None = None
    temperature_compensation: bool | None = None
    text_message: bool | None = None
    water_metering: bool | None = None


class EndDeviceFunctionKind(StrEnum):
    """The kinds of simple functions."""

    AUTONOMOUS_DST = "autonomousDst"
    DEMAND_RESPONSE = "demandResponse"
    ELECTRIC_METERING = "electricMetering"
    GAS_METERING = "gasMetering"
    METROLOGY = "metrology"
    ON_REQUEST_READ = "onRequestRead"
    OUTAGE_HISTORY = "outageHistory"
    RELAYS_PROGRAMMING = "relaysProgramming"
    REVERSE_FLOW = "reverseFlow"
    WATER_METERING = "waterMetering"


class ProductAssetModel(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A model of a manufacturer."""

    corporate_standard_kind: CorporateStandardKind | None = None
    model_number: str | None = None
    model_version: str | None = None
    usage_kind: AssetModelUsageKind | None = None
    manufacturer: ObjectReference | None = field(name="Manufacturer", default=None)


class EndDeviceInfo(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is true of every device of a model."""

    is_solid_state: bool | None = None
    phase_count: int | None = None
    rated_current: CurrentFlow | None = None
    rated_voltage: Voltage | None = None
    asset_model: ProductAssetModel | None = field(name="AssetModel", default=None)
    capability: EndDeviceCapability | None = None


class LifecycleDate(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The days of a device's life."""

    installation_date: date | None = None
    manufactured_date: date | None = None
    purchase_date: date | None = None
    received_date: date | None = None
    removal_date: date | None = None
    retired_date: date | None = None


class TimeInterval(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """From ``start`` until ``end`` of a day, both as text of xs:time."""

    end: str | None = None
    start: str | None = None


class Register(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A register with its digits and its tier."""

    mrid: str | None = None
    is_virtual: bool | None = None
    left_digit_count: int | None = None
    right_digit_count: int | None = None
    tou_tier_name: str | None = None
    channels: tuple[Channel, ...] = field(name="Channels", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    tou_tier: TimeInterval | None = None


class SealConditionKind(StrEnum):
    """What a seal is like."""

    BROKEN = "broken"
    LOCKED = "locked"
    MISSING = "missing"
    OPEN = "open"
    OTHER = "other"


class SealKind(StrEnum):
    """What a seal is made of."""

    LEAD = "lead"
    LOCK = "lock"
    OTHER = "other"
    STEEL = "steel"


class SimpleEndDeviceFunction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A function with its registers."""

    mrid: str | None = None
    config_id: str | None = None
    enabled: bool | None = None
    firmware_id: str | None = None
    hardware_id: str | None = None
    kind: EndDeviceFunctionKind | None = None
    password: str | None = None
    program_id: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    registers: tuple[Register, ...] = field(name="Registers", default=())
