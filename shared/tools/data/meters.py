"""Meters of a network: how each is set up, and since when it is at its usage point.

The meter of a usage point has the mRID that the model gives it, so what the head-end tells of it finds its place. A
business is metered behind current transformers; all others directly.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from contracts.nouns.device_types import (
    Channel,
    ComFunction,
    ComTechnologyKind,
    ConfigurationEvent,
    ConnectDisconnectFunction,
    EndDeviceFunctionKind,
    LifecycleDate,
    Register,
    SimpleEndDeviceFunction,
)
from contracts.nouns.feeder_topology import Feeder, UsagePoint
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import Meter, MeterConfig, MeterMultiplier
from contracts.nouns.service_kinds import MeterMultiplierKind
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from shared.tools.data import IN_A_MESSAGE, File, between, file, identity, points_of, share
from shared.tools.data.customers import is_business

REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
"""Energy from the grid, counted up, in kWh."""

INTERVALS = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"
"""The same in quarters of an hour, in Wh."""

DIGITS = 6
RATIO = 40.0
SWITCHED = 0.9
"""The share of direct meters that can disconnect."""


def meters(feeders: Sequence[Feeder], *, context: str, day: date) -> Iterator[File]:
    """The folder for a network, as a metering department would have written it on a day.

    Args:
        feeders: of the whole network, as built.
        context: for which the messages are.
        day: when the records end; every meter has been there for a month at least.
    """
    points = points_of(feeders)
    for number, first in enumerate(range(0, len(points), IN_A_MESSAGE), start=1):
        some = [_set_up(point, day) for point in points[first : first + IN_A_MESSAGE]]
        together = MeterConfig(
            com_function=tuple(each for one in some for each in one.com_function),
            connect_disconnect_function=tuple(each for one in some for each in one.connect_disconnect_function),
            meter=tuple(each for one in some for each in one.meter),
            simple_end_device_function=tuple(each for one in some for each in one.simple_end_device_function),
        )
        yield file(f"010-meters-{number:03}", Verb.CREATE, together, context=context, day=day)
    for number, point in enumerate(points, start=1):
        link = MasterDataLinkageConfig(
            configuration_event=ConfigurationEvent(effective_date_time=_since(point, day)),
            meter=(ObjectReference(mrid=point.meter),),
            usage_point=(ObjectReference(mrid=point.mrid),),
        )
        yield file(f"020-installation-{number:06}", Verb.CREATE, link, context=context, day=day)


def _set_up(point: UsagePoint, day: date) -> MeterConfig:
    """One meter with its register, its radio and, where it has one, its switch."""
    metering, radio, switch = (f"{name} of {point.meter}" for name in ("metering", "radio", "switch"))
    business = is_business(point)
    switched = not business and share(switch) < SWITCHED
    channels = tuple(Channel(reading_type=Reference(ref=code)) for code in (REGISTER, INTERVALS))
    installed = _since(point, day).date()
    meter = Meter(
        mrid=point.meter,
        amr_system="head-end",
        serial_number=f"{between(f'serial {point.meter}', 10**7, 10**8 - 1)}",
        type="direct" if not business else "current transformer",
        com_function=(Reference(ref=identity(radio)),),
        connect_disconnect_function=(Reference(ref=identity(switch)),) if switched else (),
        simple_end_device_function=(Reference(ref=identity(metering)),),
        lifecycle=LifecycleDate(
            manufactured_date=installed - timedelta(days=between(f"made {point.meter}", 60, 500)),
            installation_date=installed,
        ),
        meter_multipliers=(MeterMultiplier(kind=MeterMultiplierKind.CT_RATIO, value=RATIO),) if business else (),
    )
    return MeterConfig(
        com_function=(ComFunction(mrid=identity(radio), enabled=True, technology=ComTechnologyKind.RF),),
        connect_disconnect_function=(
            (ConnectDisconnectFunction(mrid=identity(switch), is_connected=True),) if switched else ()
        ),
        meter=(meter,),
        simple_end_device_function=(
            SimpleEndDeviceFunction(
                mrid=identity(metering),
                kind=EndDeviceFunctionKind.ELECTRIC_METERING,
                registers=(Register(left_digit_count=DIGITS, right_digit_count=3, channels=channels),),
            ),
        ),
    )


def _since(point: UsagePoint, day: date) -> datetime:
    """At noon of a day up to eight years before the records end."""
    return datetime.combine(day - timedelta(days=between(f"installed {point.meter}", 30, 8 * 365)), time(12), UTC)
