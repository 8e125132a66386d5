"""Assets: what the utility owns, each thing with its serial number, through its life.

IEC 61968-4:2019 has profiles of assets, whose names are not public; the noun is our proposal; no public copy of the
profile was found. 61968-style: written from the public class model by the ordering rule, not verified against the
published profile [P]. The namespace is our proposal. Classes: Asset and its parts.

Ours: ``revisionNumber``, a whole number that grows by one with each change.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.asset_kinds import AssetKind
from contracts.nouns.device_types import ActivityRecord, ConfigurationEvent, ElectronicAddress, LifecycleDate
from contracts.nouns.location_types import CoordinateSystem, PositionPoint, StreetAddress
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2019/Assets#"

Money = Decimal
"""Money in the currency that the utility works in."""

PerCent = float
"""Per cent."""


class InUseStateKind(StrEnum):
    """Whether an asset can be used."""

    IN_USE = "inUse"
    NOT_READY_FOR_USE = "notReadyForUse"
    READY_FOR_USE = "readyForUse"


class AssetLifecycleStateKind(StrEnum):
    """Where an asset is in its life."""

    DISPOSED_OF = "disposedOf"
    MANUFACTURED = "manufactured"
    PURCHASED = "purchased"
    RECEIVED = "received"
    RETIRED = "retired"


class RetiredReasonKind(StrEnum):
    """Why an asset was retired."""

    ENVIRONMENTAL = "environmental"
    EXCESSIVE_MAINTENANCE = "excessiveMaintenance"
    FACILITIES_UPGRADE = "facilitiesUpgrade"
    FAILED = "failed"
    OBSOLESCENCE = "obsolescence"
    OTHER = "other"
    SOLD = "sold"


class DeploymentStateKind(StrEnum):
    """Whether an asset is in its place in the network."""

    IN_SERVICE = "inService"
    INSTALLED = "installed"
    NOT_YET_INSTALLED = "notYetInstalled"
    OUT_OF_SERVICE = "outOfService"
    REMOVED = "removed"


class AcceptanceTest(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The test after which an asset was accepted, or not."""

    date_time: Instant | None = None
    success: bool | None = None
    type: str | None = None


class InUseDate(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """From when on an asset was in each state of use."""

    in_use_date: date | None = None
    not_ready_for_use_date: date | None = None
    ready_for_use_date: date | None = None


class AssetDeployment(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The state of an asset in its place; ``likelihood_of_failure`` grows with the risk."""

    mrid: str | None = None
    deployment_state: DeploymentStateKind | None = None
    likelihood_of_failure: int | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class AssetLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where an asset is."""

    mrid: str | None = None
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    main_address: StreetAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())


class Asset(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One asset; its place in the network is the PowerSystemResource, which outlives it.

    ``baseline_condition`` and ``baseline_loss_of_life`` are those at the start of the record.
    """

    mrid: str
    baseline_condition: str | None = None
    baseline_loss_of_life: PerCent | None = None
    critical: bool | None = None
    description: str | None = None
    in_use_state: InUseStateKind | None = None
    kind: AssetKind | None = None
    lifecycle_state: AssetLifecycleStateKind | None = None
    lot_number: str | None = None
    position: str | None = None
    purchase_price: Money | None = None
    retired_reason: RetiredReasonKind | None = None
    revision_number: int | None = None
    serial_number: str | None = None
    type: str | None = None
    utc_number: str | None = None
    acceptance_test: AcceptanceTest | None = None
    activity_records: tuple[ActivityRecord, ...] = field(name="ActivityRecords", default=())
    asset_container: ObjectReference | None = field(name="AssetContainer", default=None)
    asset_deployment: AssetDeployment | None = field(name="AssetDeployment", default=None)
    asset_info: ObjectReference | None = field(name="AssetInfo", default=None)
    configuration_events: tuple[ConfigurationEvent, ...] = field(name="ConfigurationEvents", default=())
    electronic_address: ElectronicAddress | None = None
    in_use_date: InUseDate | None = None
    lifecycle_date: LifecycleDate | None = None
    location: AssetLocation | None = field(name="Location", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    operational_tags: tuple[ObjectReference, ...] = field(name="OperationalTags", default=())
    power_system_resources: tuple[ObjectReference, ...] = field(name="PowerSystemResources", default=())
    product_asset_model: ObjectReference | None = field(name="ProductAssetModel", default=None)
    status: Status | None = None


class Assets(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    asset: tuple[Asset, ...] = field(name="Asset", default=())
