"""MasterDataLinkageConfig and what it orders: a meter and a usage point, from when on (IEC 61968-9)."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.end_device_events import EndDeviceEvent
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain.events import CODES, Generation
from services.meter_reading_and_control.domain.installation import Change, Installed


def the_links(noun: MasterDataLinkageConfig) -> tuple[list[tuple[str, str]], datetime]:
    """The meters with their usage points, and the time of an order: the first Meter belongs to the first UsagePoint.

    The profile has the two side by side and does not say which belong together where there are many; that they stand
    in the same order is ours.

    Raises:
        Invalid: 2.4 or 2.12, it does not name a usage point for each meter; 5.8, it does not say from when on.
    """
    meters = [each.mrid for each in noun.meter if each.mrid]
    points = [each.mrid for each in noun.usage_point if each.mrid]
    if not meters:
        raise Invalid("MasterDataLinkageConfig: it names no meter", code="2.4")
    if len(points) != len(meters):
        reason = f"MasterDataLinkageConfig: it names {len(points)} usage points for {len(meters)} meters"
        raise Invalid(reason, code="2.12")
    event = noun.configuration_event
    if event is None or event.effective_date_time is None:
        raise Invalid("ConfigurationEvent/effectiveDateTime is missing", code="5.8")
    return [*zip(meters, points, strict=True)], event.effective_date_time


def linking(pairs: Sequence[tuple[str, str]], noun: MasterDataLinkageConfig) -> MasterDataLinkageConfig:
    """``noun`` with these pairs alone."""
    return replace(
        noun,
        meter=tuple(ObjectReference(mrid=meter) for meter, _ in pairs),
        usage_point=tuple(ObjectReference(mrid=point) for _, point in pairs),
    )


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


def placed(event: EndDeviceEvent, own: Sequence[Installed]) -> str | None:
    """Where the meter of ``event`` was when it happened, by the orders of which ``own`` are its own.

    Where it was nowhere then it is where it had been last; None before it was first put.
    """
    begun = [each for each in own if each.starts <= event.created_date_time]
    return max(begun, key=lambda each: each.starts).usage_point if begun else None


def _event(installed: Installed, at: datetime, code: str) -> EndDeviceEvent:
    return EndDeviceEvent(
        created_date_time=at,
        assets=ObjectReference(mrid=installed.meter),
        end_device_event_type=Reference(ref=code),
        usage_point=ObjectReference(mrid=installed.usage_point),
    )
