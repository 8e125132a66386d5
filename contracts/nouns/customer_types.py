"""Parts of customers and of those who serve them, for the nouns that are written from the public class model.

Classes: Organisation and CustomerNotification of the public class model (CIM 17), by the ordering rule [P].
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.device_types import ElectronicAddress
from contracts.nouns.location_types import StreetAddress, TelephoneNumber
from contracts.types import Instant, Name, ObjectReference, attribute


class Organisation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A company or a person, seen as one to write to."""

    mrid: str | None = None
    electronic_address: ElectronicAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    phone1: TelephoneNumber | None = None
    phone2: TelephoneNumber | None = None
    postal_address: StreetAddress | None = None
    street_address: StreetAddress | None = None


class NotificationTriggerKind(StrEnum):
    """What the customer wants to be told about."""

    ETR_CHANGE = "etrChange"
    INFORM_DISPATCHED = "informDispatched"
    INITIAL_ETR = "initialEtr"
    POWER_OUT = "powerOut"
    POWER_RESTORED = "powerRestored"


class CustomerNotification(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How and when a customer wants to be told of what."""

    contact_type: str | None = None
    contact_value: str | None = None
    earliest_date_time_to_call: Instant | None = None
    latest_date_time_to_call: Instant | None = None
    trigger: NotificationTriggerKind | None = None
    customer: ObjectReference | None = field(name="Customer", default=None)
