"""ProcedureDataSets: what inspections, diagnoses and maintenance found on assets.

IEC 61968-4:2019 has profiles of the condition of assets, whose names are not public; the noun is our proposal; no
public copy of the profile was found. 61968-style: written from the public class model by the ordering rule, not
verified against the published profile [P]. The namespace is our proposal. Class: ProcedureDataSet; the kind of its
Procedure says whether it was an inspection, a diagnosis, a maintenance or a test.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model);
``dueDateTime``, by which a planned one is to be done; ``status.value`` is one of :class:`InspectionState`.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.procedure_types import MeasurementValue, Procedure, UserAttribute
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2019/ProcedureDataSets#"


class ProcedureDataSet(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What was found on one asset: values in MeasurementValue, observations in Properties."""

    mrid: str
    comment: str | None = None
    completed_date_time: Instant | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    due_date_time: Instant | None = None
    revision_number: int | None = None
    subject: str | None = None
    type: str | None = None
    asset: ObjectReference = field(name="Asset")
    measurement_value: tuple[MeasurementValue, ...] = field(name="MeasurementValue", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    procedure: Procedure | None = field(name="Procedure", default=None)
    properties: tuple[UserAttribute, ...] = field(name="Properties", default=())
    status: Status | None = None
    work_task: ObjectReference | None = field(name="WorkTask", default=None)


class ProcedureDataSets(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    procedure_data_set: tuple[ProcedureDataSet, ...] = field(name="ProcedureDataSet", default=())


class InspectionState(StrEnum):
    """Where an inspection is: the values of ``ProcedureDataSet.status`` (ours).

    What says nothing was recorded. A planned one is due a month before its last day and overdue after it; one that
    could not be done says why and is planned again or cancelled.
    """

    PLANNED = "PLANNED"
    DUE = "DUE"
    OVERDUE = "OVERDUE"
    IN_PROGRESS = "IN_PROGRESS"
    RECORDED = "RECORDED"
    REVIEWED = "REVIEWED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    UNABLE_TO_INSPECT = "UNABLE_TO_INSPECT"
