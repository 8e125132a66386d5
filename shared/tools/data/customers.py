"""Customers of a network: one for each usage point, with an account, an agreement, premises and a place.

Names, addresses and numbers are made up; the numbers are of the range that is kept for fiction. Where the model says
that a usage point is critical its customer depends on the supply, and of homes one in a hundred does.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from contracts.nouns.customer_account_config import CustomerAccount, CustomerAccountConfig
from contracts.nouns.customer_agreement_config import CustomerAgreement, CustomerAgreementConfig
from contracts.nouns.customer_config import Customer, CustomerConfig
from contracts.nouns.customer_types import CustomerNotification, NotificationTriggerKind, Organisation
from contracts.nouns.feeder_topology import Feeder, UsagePoint
from contracts.nouns.location_types import PositionPoint, StreetAddress, StreetDetail, TelephoneNumber, TownDetail
from contracts.nouns.service_kinds import CustomerKind
from contracts.nouns.service_location_config import ServiceLocation, ServiceLocationConfig
from contracts.nouns.usage_point_location_config import UsagePointLocation, UsagePointLocationConfig
from contracts.types import DateTimeInterval, Name, ObjectReference
from contracts.verbs import Verb
from shared.tools.data import CRS, File, between, file, identity, in_parts, points_of, share

_FIRST = ("Ada", "Bruno", "Carla", "Dmitri", "Elif", "Femi", "Grete", "Hugo", "Ines", "Jonas", "Keiko", "Lars", "Mona")
_LAST = (
    "Abel",
    "Brandt",
    "Costa",
    "Dahl",
    "Evans",
    "Fuchs",
    "Grau",
    "Holm",
    "Ito",
    "Jansen",
    "Klein",
    "Lund",
    "Moreau",
)
_STREETS = ("Mill Lane", "Harbour Street", "Station Road", "Church Hill", "Elm Avenue", "River Walk", "Kiln Row")
_SHOPS = ("Bakery", "Workshop", "Pharmacy", "Laundry", "Foundry", "Print Works", "Cold Store")
_CRITICAL = ("hospital", "emergencyService", "telecom", "water", "shelter")
_CHANNELS = ("sms", "email", "app", "letter")

BUSINESSES = 0.12
"""The share of usage points that a business has."""

LIFE_SUPPORT = 0.01
"""The share of homes in which somebody depends on the supply."""

TOLD = 0.7
"""The share of customers that want to be told of outages."""


def customers(feeders: Sequence[Feeder], *, context: str, day: date) -> Iterator[File]:
    """The folder for a network, as a customer information system would have written it on a day.

    Args:
        feeders: of the whole network, as built.
        context: for which the messages are.
        day: when the records end; every agreement is older.
    """
    points = points_of(feeders)
    parts: list[tuple[str, Any]] = [
        *in_parts("010-customers", map(_customer, points), lambda some: CustomerConfig(customer=some)),
        *in_parts("020-accounts", map(_account, points), lambda some: CustomerAccountConfig(customer_account=some)),
        *in_parts("030-premises", map(_premises, points), lambda some: ServiceLocationConfig(service_location=some)),
        *in_parts("040-places", map(_place, points), lambda some: UsagePointLocationConfig(usage_point_location=some)),
        *in_parts(
            "050-agreements",
            (_agreement(point, day) for point in points),
            lambda some: CustomerAgreementConfig(customer_agreement=some),
        ),
    ]
    for name, payload in parts:
        yield file(name, Verb.CREATE, payload, context=context, day=day)


def is_business(point: UsagePoint) -> bool:
    """True where the customer of a usage point is no home."""
    return point.critical or share(f"business {point.mrid}") < BUSINESSES


def _customer(point: UsagePoint) -> Customer:
    name, phone = _name(point), TelephoneNumber(itu_phone=f"+1 555 {between(f'phone {point.mrid}', 100, 9999):07}")
    return Customer(
        mrid=identity(f"customer {point.mrid}"),
        kind=CustomerKind.COMMERCIAL_INDUSTRIAL if is_business(point) else CustomerKind.RESIDENTIAL,
        locale="en",
        special_need=_need(point),
        names=(Name(name=name),),
        notifications=_wishes(point, phone),
        organisation=Organisation(names=(Name(name=name),), phone1=phone, street_address=_address(point)),
    )


def _name(point: UsagePoint) -> str:
    last = _pick(_LAST, f"last {point.mrid}")
    if is_business(point):
        return f"{last} {_pick(_SHOPS, f'shop {point.mrid}')}"
    return f"{_pick(_FIRST, f'first {point.mrid}')} {last}"


def _need(point: UsagePoint) -> str | None:
    if point.critical:
        return _pick(_CRITICAL, f"need {point.mrid}")
    return "lifeSupport" if not is_business(point) and share(f"need {point.mrid}") < LIFE_SUPPORT else None


def _wishes(point: UsagePoint, phone: TelephoneNumber) -> tuple[CustomerNotification, ...]:
    """What a customer wants to hear and how; a third of those who do not want to be called at night say so."""
    if share(f"told {point.mrid}") > TOLD:
        return ()
    channel = _pick(_CHANNELS, f"channel {point.mrid}")
    quiet = share(f"quiet {point.mrid}") < 1 / 3 and _need(point) is None
    morning, evening = (datetime.combine(date(2000, 1, 1), time(hour), UTC) for hour in (7, 21))
    return tuple(
        CustomerNotification(
            contact_type=channel,
            contact_value=_reached_at(point, channel, phone),
            earliest_date_time_to_call=morning if quiet else None,
            latest_date_time_to_call=evening if quiet else None,
            trigger=trigger,
        )
        for trigger in NotificationTriggerKind
    )


def _reached_at(point: UsagePoint, channel: str, phone: TelephoneNumber) -> str | None:
    """The number or the address of a channel; a letter goes to the premises."""
    return {"sms": phone.itu_phone, "email": f"{point.mrid[:8]}@example.org", "app": f"app-{point.mrid[:8]}"}.get(
        channel
    )


def _account(point: UsagePoint) -> CustomerAccount:
    return CustomerAccount(
        mrid=identity(f"account {point.mrid}"),
        billing_cycle=str(between(f"cycle {point.mrid}", 1, 20)),
        customer=_customer_of(point),
        names=(Name(name=f"{between(f'account number {point.mrid}', 10**8, 10**9 - 1)}"),),
    )


def _premises(point: UsagePoint) -> ServiceLocation:
    return ServiceLocation(
        mrid=identity(f"premises {point.mrid}"),
        access_method=_pick(("front door", "front door", "back yard", "key at the depot"), f"access {point.mrid}"),
        coordinate_system=CRS if _position(point) else None,
        main_address=_address(point),
        position_points=_position(point),
        usage_points=(ObjectReference(mrid=point.mrid),),
    )


def _place(point: UsagePoint) -> UsagePointLocation:
    return UsagePointLocation(
        mrid=identity(f"place of {point.mrid}"),
        coordinate_system=CRS if _position(point) else None,
        main_address=_address(point),
        position_points=_position(point),
        usage_points=(ObjectReference(mrid=point.mrid),),
    )


def _agreement(point: UsagePoint, day: date) -> CustomerAgreement:
    """The agreement that holds; the customer moved in up to twenty years ago."""
    since = day - timedelta(days=between(f"since {point.mrid}", 30, 20 * 365))
    return CustomerAgreement(
        mrid=identity(f"agreement {point.mrid}"),
        sign_date=since - timedelta(days=14),
        type="import",
        customer=_customer_of(point),
        customer_account=ObjectReference(mrid=identity(f"account {point.mrid}")),
        service_locations=(ObjectReference(mrid=identity(f"premises {point.mrid}")),),
        usage_points=(ObjectReference(mrid=point.mrid),),
        validity_interval=DateTimeInterval(start=datetime.combine(since, time(), UTC)),
    )


def _customer_of(point: UsagePoint) -> ObjectReference:
    return ObjectReference(mrid=identity(f"customer {point.mrid}"))


def _address(point: UsagePoint) -> StreetAddress:
    """The customers of one transformer live in one street."""
    street = _pick(_STREETS, f"street {point.transformer or point.node}")
    number = str(between(f"number {point.mrid}", 1, 180))
    return StreetAddress(
        street_detail=StreetDetail(name=street, number=number), town_detail=TownDetail(name="Harbour Town")
    )


def _position(point: UsagePoint) -> tuple[PositionPoint, ...]:
    if point.longitude is None or point.latitude is None:
        return ()
    return (PositionPoint(sequence_number=1, x_position=f"{point.longitude:.6f}", y_position=f"{point.latitude:.6f}"),)


def _pick(words: Sequence[str], key: str) -> str:
    return words[between(key, 0, len(words) - 1)]
