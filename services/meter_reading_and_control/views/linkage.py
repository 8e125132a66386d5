"""MasterDataLinkageConfig and what it orders: a meter and a usage point, from when on (IEC 61968-9)."""

from collections.abc import Sequence
from datetime import datetime

from contracts.codes.end_device_events import EventKind
from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.end_device_events import EndDeviceEvent
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain.events import CODES, Generation
from services.meter_reading_and_control.domain.installation import Change, Installed, of_meter


def the_link(noun: MasterDataLinkageConfig) -> tuple[str, str, datetime]:
    """The meter, the usage point and the time of an order.

    Raises:
        Invalid: 2.4 or 2.12, it does not name one meter and one usage point; 5.8, it does not say from when on.
    """
    meters = [each.mrid for each in noun.meter if each.mrid]
    points = [each.mrid for each in noun.usage_point if each.mrid]
    if len(meters) != 1:
        raise Invalid(f"MasterDataLinkageConfig: it names {len(meters)} meters, one is needed", code="2.4")
    if len(points) != 1:
        raise Invalid(f"MasterDataLinkageConfig: it names {len(points)} usage points, one is needed", code="2.12")
    event = noun.configuration_event
    if event is None or event.effective_date_time is None:
        raise Invalid("ConfigurationEvent/effectiveDateTime is missing", code="5.8")
    return meters[0], points[0], event.effective_date_time


def the_id(request: Request | None) -> str:
    """The one meter or usage point that is asked for.

    Raises:
        Invalid: 2.15, it names none, or several.
    """
    ids = [] if request is None else request.id
    if len(ids) != 1:
        raise Invalid(f"Request: {len(ids)} IDs, one meter or usage point is asked for at a time", code="2.15")
    return ids[0].value


def shown(found: Installed) -> MasterDataLinkageConfig:
    """An installation with the time from which it counts."""
    return MasterDataLinkageConfig(
        configuration_event=ConfigurationEvent(effective_date_time=found.starts),
        meter=(ObjectReference(mrid=found.meter),),
        usage_point=(ObjectReference(mrid=found.usage_point),),
    )


def events_of(change: Change, generation: Generation) -> list[EndDeviceEvent]:
    """What a change of the installations is for who listens to meters: one is gone, one is there."""
    found = []
    if change.ended is not None and change.ended.ends is not None:
        found.append(_event(change.ended, change.ended.ends, CODES[generation][EventKind.METER_REMOVED]))
    if change.begun is not None:
        found.append(_event(change.begun, change.begun.starts, CODES[generation][EventKind.METER_INSTALLED]))
    return found


def placed(event: EndDeviceEvent, known: Sequence[Installed]) -> dict[str, str]:
    """Where the meter of ``event`` was when it happened, if that is known by order."""
    meter = None if event.assets is None else event.assets.mrid
    found = of_meter(known, meter or "", event.created_date_time)
    return {} if found is None else {found.meter: found.usage_point}


def _event(installed: Installed, at: datetime, code: str) -> EndDeviceEvent:
    return EndDeviceEvent(
        created_date_time=at,
        assets=ObjectReference(mrid=installed.meter),
        end_device_event_type=Reference(ref=code),
        usage_point=ObjectReference(mrid=installed.usage_point),
    )
