"""What is kept, as values: assets as things, places, what happened, inspections, scores and plans."""

from datetime import datetime

from msgspec import Struct

from contracts.nouns.analytic_scores import AnalyticScores
from contracts.nouns.assets import Asset, AssetLocation
from contracts.nouns.device_types import ActivityRecord
from contracts.nouns.maintenance_plans import MaintenancePlan
from contracts.nouns.procedure_data_sets import InspectionState, ProcedureDataSet
from services.asset_management.domain.assessment import Inputs
from services.asset_management.domain.history import Fact
from services.asset_management.domain.plans import Plan


class Entry(Struct, frozen=True, kw_only=True):
    """An asset to be kept.

    Attributes:
        core: what is true of the thing, without states and places.
        maker: within what its serial number is unique.
        digest: that of what was sent.
    """

    core: Asset
    maker: str
    digest: str


class Record(Struct, frozen=True, kw_only=True):
    """An asset as it is kept; ``band`` is the health band that was told last."""

    core: Asset
    revision: int
    digest: str
    band: str | None


class Placement(Struct, frozen=True, kw_only=True):
    """Where an asset is from an instant on."""

    asset: str
    since: datetime
    location: AssetLocation


class Activity(Struct, frozen=True, kw_only=True):
    """Something that happened to an asset, or to whatever was at a position then."""

    source: str
    record: ActivityRecord
    at: datetime
    asset: str | None = None
    position: str | None = None


class Told(Struct, frozen=True, kw_only=True):
    """A fact with what became of it: why it does not fit, and who made room."""

    fact: Fact
    refused: str | None
    moved_out: str | None


class Inspection(Struct, frozen=True, kw_only=True):
    """A data set as it is kept; ``at`` is when it was done, or by when it is to be."""

    noun: ProcedureDataSet
    state: InspectionState
    revision: int
    digest: str
    at: datetime


class Scored(Struct, frozen=True, kw_only=True):
    """The scores of an asset for an instant, with all that they were counted from."""

    asset: str
    inputs: Inputs
    inputs_hash: str
    band: str
    value: float
    noun: AnalyticScores


class KeptPlan(Struct, frozen=True, kw_only=True):
    """A plan as it is kept: its rules, and the words that came with it."""

    plan: Plan
    noun: MaintenancePlan
    revision: int
    digest: str
