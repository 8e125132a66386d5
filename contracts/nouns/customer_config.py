"""CustomerConfig: customers as they are set up.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
Customer; ``vip`` is of the older one, as in MeterServiceRequests.
"""

from msgspec import Struct, field

from contracts.nouns.customer_types import CustomerNotification, Organisation
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.service_kinds import CustomerKind
from contracts.nouns.work_types import Priority
from contracts.types import Name, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/CustomerConfig#"


class Customer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A customer; ``special_need`` says who depends on the supply, such as ``lifeSupport``."""

    mrid: str | None = None
    kind: CustomerKind | None = None
    locale: str | None = None
    puc_number: str | None = None
    special_need: str | None = None
    vip: bool | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    notifications: tuple[CustomerNotification, ...] = field(name="Notifications", default=())
    organisation: Organisation | None = field(name="Organisation", default=None)
    priority: Priority | None = None
    status: Status | None = None


class CustomerConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    customer: tuple[Customer, ...] = field(name="Customer", default=())
