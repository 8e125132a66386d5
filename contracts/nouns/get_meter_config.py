"""GetMeterConfig: which meters are asked for.

IEC 61968-9, profile of 2011. Source: one public copy, vendor additions removed. How sure: read there, not compared with
the published text [S].

It stands in ``Request``.
"""

from msgspec import Struct, field

from contracts.nouns.service_kinds import CustomerKind
from contracts.types import Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/GetMeterConfig#"


class Customer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who is served."""

    mrid: str | None = None
    kind: CustomerKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class Meter(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The meter."""

    mrid: str | None = None
    amr_system: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class GetMeterConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    customer: tuple[Customer, ...] = field(name="Customer", default=())
    customer_account: tuple[ObjectReference, ...] = field(name="CustomerAccount", default=())
    customer_agreement: tuple[ObjectReference, ...] = field(name="CustomerAgreement", default=())
    end_device_group: tuple[ObjectReference, ...] = field(name="EndDeviceGroup", default=())
    meter: tuple[Meter, ...] = field(name="Meter", default=())
    service_location: tuple[ObjectReference, ...] = field(name="ServiceLocation", default=())
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())
    usage_point_group: tuple[ObjectReference, ...] = field(name="UsagePointGroup", default=())
