"""TestResults: what laboratories and test sets found, such as gases in oil.

IEC 61968-4:2019 has profiles of the condition of assets, whose names are not public; the noun is our proposal; no
public copy of the profile was found. 61968-style: written from the public class model by the ordering rule, not
verified against the published profile [P]. The namespace is our proposal. Class: TestDataSet of the older class
model, a ProcedureDataSet with a specimen [GK].

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from msgspec import Struct, field

from contracts.nouns.procedure_types import MeasurementValue, Procedure, UserAttribute
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2019/TestResults#"


class TestDataSet(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The results of one test on one asset, with the conclusion that whoever tested drew."""

    mrid: str
    comment: str | None = None
    completed_date_time: Instant | None = None
    conclusion: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    revision_number: int | None = None
    specimen_id: str | None = None
    specimen_to_lab_date_time: Instant | None = None
    subject: str | None = None
    type: str | None = None
    asset: ObjectReference = field(name="Asset")
    measurement_value: tuple[MeasurementValue, ...] = field(name="MeasurementValue", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    procedure: Procedure | None = field(name="Procedure", default=None)
    properties: tuple[UserAttribute, ...] = field(name="Properties", default=())
    status: Status | None = None
    work_task: ObjectReference | None = field(name="WorkTask", default=None)


class TestResults(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    test_data_set: tuple[TestDataSet, ...] = field(name="TestDataSet", default=())
