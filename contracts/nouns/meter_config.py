"""MeterConfig: meters as they are installed and set up.

IEC 61968-9, profile of 2011. Source: one public copy, vendor additions removed. How sure: read there, not compared with
the published text [S].

A meter's references to its functions may come in any order in the schema; they are kept by kind here. An open end that
is probably a vendor's is left out.
"""

from decimal import Decimal

from msgspec import Struct, field

from contracts.nouns.device_types import (
    ActivityRecord,
    ComFunction,
    ConfigurationEvent,
    ConnectDisconnectFunction,
    ElectronicAddress,
    EndDeviceInfo,
    LifecycleDate,
    SealConditionKind,
    SealKind,
    SimpleEndDeviceFunction,
)
from contracts.nouns.reading_types import ReadingType
from contracts.nouns.service_kinds import MeterMultiplierKind
from contracts.types import Instant, Name, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/MeterConfig#"

Minutes = float
"""Minutes."""

Money = Decimal
"""Money in the currency that the utility works in."""

PerCent = float
"""Per cent."""


class MeterMultiplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A factor of a meter."""

    mrid: str | None = None
    kind: MeterMultiplierKind | None = None
    value: float | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class Seal(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A seal on a device."""

    mrid: str | None = None
    applied_date_time: Instant | None = None
    condition: SealConditionKind | None = None
    kind: SealKind | None = None
    seal_number: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class Meter(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The meter."""

    mrid: str | None = None
    amr_system: str | None = None
    form_number: str | None = None
    initial_condition: str | None = None
    initial_loss_of_life: PerCent | None = None
    is_virtual: bool | None = None
    lot_number: str | None = None
    purchase_price: Money | None = None
    serial_number: str | None = None
    time_zone_offset: Minutes | None = None
    type: str | None = None
    utc_number: str | None = None
    activity_records: tuple[ActivityRecord, ...] = field(name="ActivityRecords", default=())
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    electronic_address: ElectronicAddress | None = None
    com_function: tuple[Reference, ...] = field(name="ComFunction", default=())
    connect_disconnect_function: tuple[Reference, ...] = field(name="ConnectDisconnectFunction", default=())
    simple_end_device_function: tuple[Reference, ...] = field(name="SimpleEndDeviceFunction", default=())
    end_device_info: EndDeviceInfo | None = field(name="EndDeviceInfo", default=None)
    lifecycle: LifecycleDate | None = None
    meter_multipliers: tuple[MeterMultiplier, ...] = field(name="MeterMultipliers", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    seals: tuple[Seal, ...] = field(name="Seals", default=())
    status: Status | None = None


class MeterConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    com_function: tuple[ComFunction, ...] = field(name="ComFunction", default=())
    connect_disconnect_function: tuple[ConnectDisconnectFunction, ...] = field(
        name="ConnectDisconnectFunction", default=()
    )
    meter: tuple[Meter, ...] = field(name="Meter", default=())
    reading_type: tuple[ReadingType, ...] = field(name="ReadingType", default=())
    simple_end_device_function: tuple[SimpleEndDeviceFunction, ...] = field(name="SimpleEndDeviceFunction", default=())
