"""ComModuleConfig: communication modules as they are set up.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
ComModule, in the manner of the published EndDeviceConfig.
"""

from decimal import Decimal

from msgspec import Struct, field

from contracts.nouns.device_types import (
    ActivityRecord,
    ComFunction,
    ConfigurationEvent,
    ElectronicAddress,
    LifecycleDate,
)
from contracts.types import Name, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/ComModuleConfig#"

Money = Decimal
"""Money in the currency that the utility works in."""

Minutes = float
"""Minutes."""

PerCent = float
"""Per cent."""


class ComModule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A module that speaks for a device; what it can do stands in ComFunction and is referred to."""

    mrid: str | None = None
    amr_system: str | None = None
    initial_condition: str | None = None
    initial_loss_of_life: PerCent | None = None
    lot_number: str | None = None
    purchase_price: Money | None = None
    serial_number: str | None = None
    supports_autonomous_dst: bool | None = None
    time_zone_offset: Minutes | None = None
    type: str | None = None
    utc_number: str | None = None
    activity_records: tuple[ActivityRecord, ...] = field(name="ActivityRecords", default=())
    com_function: tuple[Reference, ...] = field(name="ComFunction", default=())
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    electronic_address: ElectronicAddress | None = None
    lifecycle: LifecycleDate | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None


class ComModuleConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    com_function: tuple[ComFunction, ...] = field(name="ComFunction", default=())
    com_module: tuple[ComModule, ...] = field(name="ComModule", default=())
