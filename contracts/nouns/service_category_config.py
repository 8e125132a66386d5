"""ServiceCategoryConfig: what is delivered: electricity, gas and so on.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
ServiceCategory.
"""

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.service_kinds import ServiceKind
from contracts.types import Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/ServiceCategoryConfig#"


class ServiceCategory(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One kind of service with the prices that apply to it."""

    mrid: str | None = None
    kind: ServiceKind | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    pricing_structures: tuple[ObjectReference, ...] = field(name="PricingStructures", default=())


class ServiceCategoryConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    service_category: tuple[ServiceCategory, ...] = field(name="ServiceCategory", default=())
