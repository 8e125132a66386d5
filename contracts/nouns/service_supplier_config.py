"""ServiceSupplierConfig: who delivers: utilities and retailers.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
ServiceSupplier.
"""

from msgspec import Struct, field

from contracts.nouns.customer_types import Organisation
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.service_kinds import SupplierKind
from contracts.types import Name, attribute

NAMESPACE = "http://iec.ch/TC57/2011/ServiceSupplierConfig#"


class ServiceSupplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A supplier and how it is reached."""

    mrid: str | None = None
    issuer_identification_number: str | None = None
    kind: SupplierKind | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    organisation: Organisation | None = field(name="Organisation", default=None)


class ServiceSupplierConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    service_supplier: tuple[ServiceSupplier, ...] = field(name="ServiceSupplier", default=())
