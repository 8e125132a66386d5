"""Between what the register keeps of an asset and the Asset of the standard; the questions about assets."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

from msgspec import Struct
from msgspec.structs import fields, replace

from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.assets import Asset, AssetDeployment, AssetLocation, InUseDate
from contracts.nouns.device_types import ActivityRecord, LifecycleDate
from contracts.types import ObjectReference
from services.asset_management.domain import lifecycle
from services.asset_management.domain.changes import MANDATORY, Arrival, Change, maker
from services.asset_management.domain.history import Fact, Span
from services.asset_management.domain.lifecycle import GONE, IN_PLACE, SHAPES, Event, Shape, State
from services.asset_management.domain.records import Activity, Entry, Placement, Record, Told
from services.asset_management.views.digests import digest

MOST_RECORDS = 50
"""So many activity records of an asset are told, the newest."""


class Question(Struct, frozen=True, kw_only=True):
    """Which assets are asked for, and for when.

    Attributes:
        ids: mRIDs of assets, positions or locations; ``kinds`` says of which, where the asker does.
    """

    ids: tuple[str, ...]
    kinds: tuple[str | None, ...]
    serial: str | None
    asset_type: str | None
    at: datetime
    known_at: datetime


KINDS = {None, "Asset", "PowerSystemResource", "Location"}


def question_in(request: Request | None, now: datetime) -> Question:
    """What a request asks for: StartTime is the day, the option ``knownAt`` the knowledge.

    Raises:
        Invalid: an option or a kind of object is unknown.
    """
    request = request or Request()
    options = {option.name: option.value or "" for option in request.option}
    unknown = sorted(options.keys() - {"serialNumber", "type", "knownAt"})
    if unknown:
        raise Invalid(f"Option {unknown[0]}: it may be serialNumber, type or knownAt")
    kinds = tuple(each.object_type for each in request.id)
    if not set(kinds) <= KINDS:
        raise Invalid("ID/@objectType: it may be Asset, PowerSystemResource or Location")
    return Question(
        ids=tuple(each.value for each in request.id),
        kinds=kinds,
        serial=options.get("serialNumber"),
        asset_type=options.get("type"),
        at=request.start_time or now,
        known_at=instant(options["knownAt"], "Option knownAt") if "knownAt" in options else now,
    )


def instant(text: str, what: str) -> datetime:
    """A time with its zone.

    Raises:
        Invalid: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{what}: '{text}' is no time") from error
    if found.tzinfo is None:
        raise Invalid(f"{what}: '{text}' has no zone")
    return found.astimezone(UTC)


def arrival(asset: Asset, now: datetime) -> Arrival:
    """A new asset as the register takes it.

    Raises:
        Invalid: it lacks something, or its states do not go together.
    """
    mrid = asset.mrid
    if not mrid:
        raise Invalid("mRID: it is empty", code=MANDATORY)
    shape = _shape(asset)
    position = _position(asset)
    states = lifecycle.meant(shape)
    if not states:
        raise Invalid("lifecycleState, inUseState and deploymentState do not go together", object_id=mrid)
    state = states[0]
    if shape == Shape():
        state = State.IN_SERVICE if position is not None else State.RECEIVED
    if state in IN_PLACE and position is None and asset.location is None:
        raise Invalid("PowerSystemResources: what is in place is somewhere", code=MANDATORY, object_id=mrid)
    if state not in IN_PLACE and position is not None:
        raise Invalid(f"PowerSystemResources: an asset that is '{state}' has no position", object_id=mrid)
    if state in {State.ORDERED, State.MADE} and asset.product_asset_model is None:
        raise Invalid("ProductAssetModel: what is ordered or made is of a model", code=MANDATORY, object_id=mrid)
    at = _begins(asset, state, now)
    return Arrival(
        entry=Entry(core=core(asset), maker=maker(asset), digest=digest(asset)),
        fact=Fact(
            id=f"begin {mrid}", asset=mrid, at=at, state=state, position=position, source="entered in the register"
        ),
        placement=None if asset.location is None else Placement(asset=mrid, since=at, location=asset.location),
        activities=_activities(asset, at, f"asset {mrid}"),
    )


def change(before: Record, asset: Asset, now: datetime, source: str) -> Change:
    """What a change makes of an asset; elements that are not there stay as they are."""
    at = _since(asset) or now
    merged = core(asset)
    kept = {
        name: getattr(before.core, name) if getattr(merged, name) in {None, ()} else getattr(merged, name)
        for name in (field.name for field in fields(Asset))
    }
    return Change(
        core=Asset(**kept),
        at=at,
        shape=_shape(asset),
        position=_position(asset),
        placement=None if asset.location is None else Placement(asset=asset.mrid, since=at, location=asset.location),
        activities=_activities(asset, at, source),
    )


def core(asset: Asset) -> Asset:
    """What is true of the thing: without states, places, history and what the register counts itself."""
    deployment = asset.asset_deployment
    return replace(
        asset,
        in_use_state=None,
        lifecycle_state=None,
        revision_number=None,
        activity_records=(),
        asset_deployment=None if deployment is None else replace(deployment, deployment_state=None),
        configuration_events=(),
        location=None,
        power_system_resources=(),
    )


def told(
    record: Record,
    spans: Sequence[Span],
    at: datetime,
    location: AssetLocation | None,
    records: Iterable[ActivityRecord],
) -> Asset | None:
    """An asset as it was at an instant; None where its record begins later."""
    span = next((each for each in spans if each.holds(at)), None)
    if span is None:
        return None
    asset, shape = record.core, SHAPES[span.state]
    deployment = asset.asset_deployment or AssetDeployment()
    likelihood = deployment.likelihood_of_failure if record.band is None else int(record.band[-1])
    deployed = replace(deployment, deployment_state=shape.deployment, likelihood_of_failure=likelihood)
    in_use, life = _dates(asset, [each for each in spans if each.starts <= at])
    return replace(
        asset,
        in_use_state=shape.in_use,
        lifecycle_state=shape.lifecycle,
        revision_number=record.revision,
        activity_records=tuple(records)[-MOST_RECORDS:],
        asset_deployment=None if deployed == AssetDeployment() else deployed,
        in_use_date=in_use,
        lifecycle_date=life,
        location=location,
        power_system_resources=() if span.position is None else (ObjectReference(mrid=span.position),),
        retired_reason=asset.retired_reason if span.state in GONE else None,
    )


def receipt(asset: Asset) -> Asset:
    """What an answer to a create or a change says: the identity, the revision and the states."""
    return Asset(
        mrid=asset.mrid,
        in_use_state=asset.in_use_state,
        lifecycle_state=asset.lifecycle_state,
        revision_number=asset.revision_number,
        asset_deployment=asset.asset_deployment,
        power_system_resources=asset.power_system_resources,
    )


def records_of(asset: str, facts: Iterable[Told], others: Iterable[ActivityRecord]) -> list[ActivityRecord]:
    """What happened to an asset, in time: what is known of its life, what does not fit, and all else."""
    found = list(others)
    for each in facts:
        fact = each.fact
        mine = fact.asset == asset
        if each.moved_out == asset:
            found.append(ActivityRecord(created_date_time=fact.at, reason=fact.source, type=Event.REMOVED.value))
        elif mine and each.refused is not None:
            found.append(
                ActivityRecord(created_date_time=fact.at, reason=each.refused, severity=fact.source, type="discrepancy")
            )
        elif mine and fact.event is not None:
            found.append(ActivityRecord(created_date_time=fact.at, reason=fact.source, type=fact.event.value))
    return sorted(found, key=lambda record: (record.created_date_time or _START, record.type or ""))


_START = datetime.min.replace(tzinfo=UTC)


def _shape(asset: Asset) -> Shape:
    deployment = asset.asset_deployment
    return Shape(
        lifecycle=asset.lifecycle_state,
        in_use=asset.in_use_state,
        deployment=None if deployment is None else deployment.deployment_state,
    )


def _position(asset: Asset) -> str | None:
    positions = [each.mrid for each in asset.power_system_resources if each.mrid]
    if len(positions) != len(asset.power_system_resources) or len(positions) > 1:
        raise Invalid("PowerSystemResources: an asset is at one position, named by its mRID", object_id=asset.mrid)
    return positions[0] if positions else None


def _since(asset: Asset) -> datetime | None:
    """Since when a change is true: the newest effectiveDateTime of its ConfigurationEvents, or the time of status."""
    said = [each.effective_date_time for each in asset.configuration_events if each.effective_date_time is not None]
    return max(said) if said else None if asset.status is None else asset.status.date_time


def _begins(asset: Asset, state: State, now: datetime) -> datetime:
    """When the record of a new asset begins: since when it is in its state, by its dates; else now."""
    dates = asset.lifecycle_date or LifecycleDate()
    day = {
        State.ORDERED: dates.purchase_date,
        State.MADE: dates.manufactured_date,
        State.RECEIVED: dates.received_date,
        State.READY: dates.received_date,
        State.REMOVED: dates.removal_date,
        State.SPARE: dates.removal_date,
        State.RETIRED: dates.retired_date,
        State.DISPOSED: dates.retired_date,
    }.get(state, dates.installation_date)
    said = _since(asset)
    return said or (now if day is None else min(_midnight(day), now))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _activities(asset: Asset, at: datetime, source: str) -> tuple[Activity, ...]:
    return tuple(
        Activity(source=source, record=each, at=each.created_date_time or at, asset=asset.mrid)
        for each in asset.activity_records
    )


def _dates(asset: Asset, spans: Sequence[Span]) -> tuple[InUseDate | None, LifecycleDate | None]:
    """The dates of an asset: as they were told, and where its history knows better, as that says."""
    in_use = asset.in_use_date or InUseDate()
    life = asset.lifecycle_date or LifecycleDate()
    before: Span | None = None
    for span in spans:
        day, shape = span.starts.date(), SHAPES[span.state]
        if before is not None:
            name = None if shape.in_use is None else _IN_USE[shape.in_use]
            if name is not None and SHAPES[before.state].in_use is not shape.in_use:
                in_use = replace(in_use, **{name: day})
            entered = _LIFE.get(span.state)
            if span.state in IN_PLACE and before.state not in IN_PLACE:
                entered = "installation_date"
            if entered is not None:
                life = replace(life, **{entered: day})
        before = span
    return (None if in_use == InUseDate() else in_use, None if life == LifecycleDate() else life)


_IN_USE = {
    lifecycle.U.IN_USE: "in_use_date",
    lifecycle.U.NOT_READY_FOR_USE: "not_ready_for_use_date",
    lifecycle.U.READY_FOR_USE: "ready_for_use_date",
}
_LIFE = {
    State.RECEIVED: "received_date",
    State.REMOVED: "removal_date",
    State.RETIRED: "retired_date",
}
