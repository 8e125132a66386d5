"""AssetHealthEvents: something is wrong with an asset, and what is done about it.

IEC 61968-4:2019 has profiles of analytics results and alerts, whose names are not public; the noun is our proposal; no
public copy of the profile was found. 61968-style: written from the public class model by the ordering rule, not
verified against the published profile [P]. The namespace is our proposal. Class: AssetHealthEvent, an ActivityRecord.

Ours: ``acceptedUntilDateTime``, ``revisionNumber``, and what leads to it and from it (ProcedureDataSet, TestDataSet,
Work); ``severity`` is a priority from P1 (at once) to P4, and ``status.value`` is one of :class:`AssetHealthState`.
Every event carries the whole object after the change.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2019/AssetHealthEvents#"


class AssetHealthEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One thing that is wrong with an asset.

    ``type`` is what it is, such as ``externalCondition``, ``dissolvedGas`` or ``healthIndex``; ``reason`` is what was
    seen. ``action_timeline`` is until when it is to be done, an ISO 8601 duration from ``effective_date_time`` on.
    """

    mrid: str
    accepted_until_date_time: Instant | None = None
    action_recommendation: str | None = None
    action_timeline: str | None = None
    created_date_time: Instant | None = None
    effective_date_time: Instant | None = None
    reason: str | None = None
    revision_number: int | None = None
    severity: str | None = None
    type: str | None = None
    asset: ObjectReference | None = field(name="Asset", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    procedure_data_set: ObjectReference | None = field(name="ProcedureDataSet", default=None)
    status: Status | None = None
    test_data_set: ObjectReference | None = field(name="TestDataSet", default=None)
    work: ObjectReference | None = field(name="Work", default=None)


class AssetHealthEvents(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    asset_health_event: tuple[AssetHealthEvent, ...] = field(name="AssetHealthEvent", default=())


class AssetHealthState(StrEnum):
    """Where a health event is: the values of ``AssetHealthEvent.status`` (ours).

    What was remedied is verified when somebody looks and finds it well. A risk is accepted until a day, by somebody
    (``status.remark``); then it is open again.
    """

    OPEN = "OPEN"
    PRIORITISED = "PRIORITISED"
    WORK_REQUESTED = "WORK_REQUESTED"
    REMEDIED = "REMEDIED"
    VERIFIED = "VERIFIED"
    CLOSED = "CLOSED"
    ACCEPTED_RISK = "ACCEPTED_RISK"
