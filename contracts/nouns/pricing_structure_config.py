"""PricingStructureConfig: what a service costs: tariffs with their charges.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Classes:
PricingStructure and Tariff; what is inside a tariff is known from the package PaymentMetering in general [GK].

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.units import UnitMultiplier
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/PricingStructureConfig#"

RealEnergy = float
"""Watt-hours."""

PerCent = float
"""Per cent."""


class RevenueKind(StrEnum):
    """Which customers a price is for."""

    COMMERCIAL = "commercial"
    INDUSTRIAL = "industrial"
    IRRIGATION = "irrigation"
    NON_RESIDENTIAL = "nonResidential"
    OTHER = "other"
    RESIDENTIAL = "residential"
    STREET_LIGHT = "streetLight"


class ChargeKind(StrEnum):
    """What is charged for."""

    AUXILIARY_CHARGE = "auxiliaryCharge"
    CONSUMPTION_CHARGE = "consumptionCharge"
    DEMAND_CHARGE = "demandCharge"
    OTHER = "other"
    TAX_CHARGE = "taxCharge"


class AccountingUnit(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An amount of money, or of money for an energy."""

    energy_unit: RealEnergy | None = None
    monetary_unit: str | None = None
    multiplier: UnitMultiplier | None = None
    value: float | None = None


class Charge(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A charge: a fixed part, and a part in proportion."""

    kind: ChargeKind | None = None
    variable_portion: PerCent | None = None
    fixed_portion: AccountingUnit | None = None


class ConsumptionTariffInterval(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The charges from ``start_value`` on, until the next interval begins."""

    sequence_number: int | None = None
    start_value: RealEnergy | None = None
    charges: tuple[Charge, ...] = field(name="Charges", default=())


class TimeTariffInterval(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The charges from a time of the day on, as text of xs:time, until the next interval begins."""

    sequence_number: int | None = None
    start_time: str | None = None
    charges: tuple[Charge, ...] = field(name="Charges", default=())


class TariffProfile(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The charges of a tariff by consumption, by the time of day, or by both."""

    mrid: str | None = None
    tariff_cycle: str | None = None
    consumption_tariff_intervals: tuple[ConsumptionTariffInterval, ...] = field(
        name="ConsumptionTariffIntervals", default=()
    )
    names: tuple[Name, ...] = field(name="Names", default=())
    time_tariff_intervals: tuple[TimeTariffInterval, ...] = field(name="TimeTariffIntervals", default=())


class Tariff(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A tariff and the days on which it holds."""

    mrid: str | None = None
    description: str | None = None
    end_date: date | None = None
    start_date: date | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    tariff_profiles: tuple[TariffProfile, ...] = field(name="TariffProfiles", default=())


class PricingStructure(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A price list; daily usages are in units of the service."""

    mrid: str | None = None
    code: str | None = None
    created_date_time: Instant | None = None
    daily_ceiling_usage: int | None = None
    daily_estimated_usage: int | None = None
    daily_floor_usage: int | None = None
    description: str | None = None
    last_modified_date_time: Instant | None = None
    revenue_kind: RevenueKind | None = None
    revision_number: int | None = None
    tax_exemption: bool | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    service_category: ObjectReference | None = field(name="ServiceCategory", default=None)
    status: Status | None = None
    tariffs: tuple[Tariff, ...] = field(name="Tariffs", default=())


class PricingStructureConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    pricing_structure: tuple[PricingStructure, ...] = field(name="PricingStructure", default=())
