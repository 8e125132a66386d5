"""FieldDispatchHistories: where the crews of an outage were, step by step.

IEC 61968-3:2021 has the document; the spelling of the noun is ours; no public copy of the profile was found.
61968-style: written from the public class model by the ordering rule, not verified against the published profile
[P]. The namespace is our proposal. Classes: FieldDispatchHistory and FieldDispatchStep of the newer public class
model.
"""

from msgspec import Struct, field

from contracts.nouns.unplanned_outages import CrewStatusKind
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2021/FieldDispatchHistories#"


class FieldDispatchStep(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One change of where the crew is."""

    dispatch_status: CrewStatusKind
    occurred_date_time: Instant | None = None
    remarks: str | None = None
    sequence_number: int | None = None


class FieldDispatchHistory(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The steps of one crew for one outage."""

    mrid: str
    crew: ObjectReference | None = field(name="Crew", default=None)
    field_dispatch_step: tuple[FieldDispatchStep, ...] = field(name="FieldDispatchStep", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    planned_outage: ObjectReference | None = field(name="PlannedOutage", default=None)
    unplanned_outage: ObjectReference | None = field(name="UnplannedOutage", default=None)


class FieldDispatchHistories(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    field_dispatch_history: tuple[FieldDispatchHistory, ...] = field(name="FieldDispatchHistory", default=())
