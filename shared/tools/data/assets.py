"""Assets for a network: a catalogue, an asset in each position, poles, spares, and what was seen of them.

Transformers, switches, lines and capacitors of the model have one asset each; what belongs to customers has none. An
overhead line stands on poles, which have a location and no position. The topology does not tell cables from overhead
lines, so a line counts as a cable only where its name says so. Nothing of it is so bad, or due so soon, that loading
the folder asks for work at once.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts.nouns import test_results as results
from contracts.nouns.asset_catalogue import AssetCatalogue, CatalogAssetType, ProductAssetModel
from contracts.nouns.asset_kinds import AssetKind
from contracts.nouns.assets import (
    AcceptanceTest,
    Asset,
    AssetDeployment,
    AssetLifecycleStateKind,
    AssetLocation,
    Assets,
    DeploymentStateKind,
    InUseStateKind,
)
from contracts.nouns.device_types import AssetModelUsageKind, CorporateStandardKind, LifecycleDate
from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.location_types import PositionPoint
from contracts.nouns.maintenance_orders import ProcedureKind
from contracts.nouns.maintenance_plans import MaintenancePlan, MaintenancePlans
from contracts.nouns.procedure_data_sets import ProcedureDataSet, ProcedureDataSets
from contracts.nouns.procedure_types import MeasurementValue, Procedure, UserAttribute
from contracts.types import Name, NameType, ObjectReference
from contracts.verbs import Verb
from shared.tools.data import CRS, File, between, file, identity, in_parts, share

SPAN_M = 60.0
"""From pole to pole."""

SPARES = {"Distribution transformer": 6, "Recloser": 2, "Switch": 2}
DEPOT = "depot"


class Sort(NamedTuple):
    """A type of the catalogue.

    Attributes:
        models: of the manufacturers that the utility buys from.
        years: between which the assets of the network were made.
        cost: of one.
        months: the interval of its statutory inspection; 0 where it has none of its own.
        look: what an inspector says of it, and in which words from good to bad.
    """

    models: tuple[tuple[str, str], ...]
    years: tuple[int, int]
    cost: str
    kind: AssetKind = AssetKind.OTHER
    usage: AssetModelUsageKind = AssetModelUsageKind.DISTRIBUTION_OVERHEAD
    months: int = 0
    look: tuple[str, tuple[str, ...]] | None = None


_CONDITION = ("no deterioration", "superficial/minor deterioration", "some deterioration")

SORTS = {
    "Distribution transformer": Sort(
        (("Harbor Electric", "HT-50"), ("Northline", "NT-75"), ("Meridian", "MX-25")),
        (1968, 2024),
        "4200.00",
        AssetKind.TRANSFORMER,
        look=("externalCondition", _CONDITION),
    ),
    "Power transformer": Sort(
        (("Meridian", "MP-20"),),
        (1974, 2012),
        "640000.00",
        AssetKind.TRANSFORMER,
        AssetModelUsageKind.SUBSTATION,
        months=48,
        look=("externalCondition", _CONDITION),
    ),
    "Circuit breaker": Sort(
        (("Northline Switchgear", "NB-15"), ("Arc & Sons", "VB-12")),
        (1979, 2021),
        "38000.00",
        usage=AssetModelUsageKind.SUBSTATION,
        months=72,
        look=("externalCondition", _CONDITION),
    ),
    "Recloser": Sort((("Northline Switchgear", "NX-27"),), (1998, 2024), "21400.00", months=72),
    "Switch": Sort((("Arc & Sons", "LB-15"),), (1985, 2024), "9800.00", look=("externalCondition", _CONDITION)),
    "Sectionaliser": Sort((("Arc & Sons", "SX-15"),), (2001, 2024), "5200.00"),
    "Fuse cutout": Sort((("Harbor Electric", "FC-100"),), (1975, 2024), "160.00"),
    "Capacitor bank": Sort((("Meridian", "MC-600"),), (1990, 2020), "7600.00"),
    "Overhead conductor": Sort((("Tidewater Wire", "AAAC-397"), ("Tidewater Wire", "ACSR-4/0")), (1966, 2024), "6.50"),
    "Underground cable": Sort(
        (("Tidewater Wire", "XLPE-15"),), (1992, 2024), "38.00", usage=AssetModelUsageKind.DISTRIBUTION_UNDERGROUND
    ),
    "Wood pole": Sort(
        (("Inland Timber", "40-4"),),
        (1960, 2024),
        "780.00",
        look=("visualCondition", ("acceptable", "acceptable", "some deterioration")),
    ),
}

_OF_KIND = {
    "Breaker": "Circuit breaker",
    "Recloser": "Recloser",
    "Sectionaliser": "Sectionaliser",
    "LoadBreakSwitch": "Switch",
    "Disconnector": "Switch",
    "Switch": "Switch",
    "Fuse": "Fuse cutout",
    "LinearShuntCompensator": "Capacitor bank",
}


def assets(feeders: Sequence[Feeder], *, context: str, day: date) -> Iterator[File]:
    """The folder for a network, as it would have been written on a day.

    Args:
        feeders: of the whole network, as built.
        context: for which the messages are.
        day: when the records end; nothing is younger, and plans are due from two years after it on.
    """
    positions = _positions(feeders)
    entered = [*_in_place(positions, feeders, day), *_spares(day)]
    parts: list[tuple[str, Any]] = [("010-catalogue", _catalogue())]
    parts += in_parts("020-assets", entered, lambda some: Assets(asset=some))
    parts += in_parts(
        "030-inspections", _inspections(entered, day), lambda some: ProcedureDataSets(procedure_data_set=some)
    )
    parts += in_parts("040-oil", _oil(entered, day), lambda some: results.TestResults(test_data_set=some))
    parts += in_parts("050-plans", _plans(entered, day), lambda some: MaintenancePlans(maintenance_plan=some))
    for name, payload in parts:
        yield file(name, Verb.CREATE, payload, context=context, day=day)


def _positions(feeders: Sequence[Feeder]) -> list[Equipment]:
    """The equipment of all feeders, each once; the edge of a third winding is no position of its own."""
    found = {each.mrid: each for feeder in feeders for each in feeder.equipment}
    return [
        each for mrid, each in sorted(found.items()) if not (mrid.endswith("-3") and mrid.removesuffix("-3") in found)
    ]


def _sort_of(position: Equipment, serving: set[str]) -> str | None:
    """The type of the asset in a position; None for what is not the utility's, or is no single thing."""
    if position.kind == "PowerTransformer":
        return "Distribution transformer" if position.mrid in serving else "Power transformer"
    if position.kind == "ACLineSegment":
        return "Underground cable" if "cable" in position.name.lower() else "Overhead conductor"
    return _OF_KIND.get(position.kind)


def _in_place(positions: Sequence[Equipment], feeders: Sequence[Feeder], day: date) -> Iterator[Asset]:
    serving = {point.transformer for feeder in feeders for point in feeder.usage_point if point.transformer}
    for position in positions:
        sort = _sort_of(position, serving)
        if sort is None:
            continue
        asset = _asset(sort, position.mrid, position.name, day)
        place = _place(f"place of {position.mrid}", position)
        yield replace(
            asset,
            in_use_state=InUseStateKind.IN_USE,
            lifecycle_state=AssetLifecycleStateKind.RECEIVED,
            asset_deployment=AssetDeployment(deployment_state=DeploymentStateKind.IN_SERVICE),
            location=place,
            power_system_resources=(ObjectReference(mrid=position.mrid),),
        )
        if sort == "Overhead conductor":
            yield from _poles(position, asset.mrid, day)


def _poles(line: Equipment, conductor: str, day: date) -> Iterator[Asset]:
    """The poles of a line: one at each span and one at its end."""
    for number in range(1, max(1, round((line.length or 0.0) / SPAN_M)) + 1):
        key = f"{line.mrid} pole {number}"
        yield replace(
            _asset("Wood pole", key, f"{line.name}, pole {number}", day),
            in_use_state=InUseStateKind.IN_USE,
            lifecycle_state=AssetLifecycleStateKind.RECEIVED,
            asset_container=ObjectReference(mrid=conductor),
            asset_deployment=AssetDeployment(deployment_state=DeploymentStateKind.IN_SERVICE),
            location=_place(f"place of {key}", line),
        )


def _spares(day: date) -> Iterator[Asset]:
    """What lies in the depot, accepted and ready."""
    for sort, many in SPARES.items():
        for number in range(1, many + 1):
            asset = _asset(
                sort, f"spare {sort} {number}", f"spare {sort.lower()} {number}", day, years=(day.year - 2,) * 2
            )
            yield replace(
                asset,
                in_use_state=InUseStateKind.READY_FOR_USE,
                lifecycle_state=AssetLifecycleStateKind.RECEIVED,
                acceptance_test=AcceptanceTest(success=True, type="factory and site"),
                asset_deployment=AssetDeployment(deployment_state=DeploymentStateKind.NOT_YET_INSTALLED),
                location=AssetLocation(mrid=identity(DEPOT), names=(Name(name=DEPOT),)),
            )


def _asset(sort: str, key: str, name: str, day: date, years: tuple[int, int] | None = None) -> Asset:
    kind = SORTS[sort]
    manufacturer, model = kind.models[between(f"model {key}", 0, len(kind.models) - 1)]
    made = _made(key, years or kind.years, day)
    return Asset(
        mrid=identity(f"asset {key}"),
        description=name,
        kind=kind.kind,
        purchase_price=Decimal(kind.cost),
        serial_number=f"{model}-{int(share(f'serial {key}') * 10**9):09}",
        type=sort,
        lifecycle_date=LifecycleDate(
            manufactured_date=made,
            purchase_date=made + timedelta(days=20),
            received_date=made + timedelta(days=60),
            installation_date=None if key.startswith("spare") else made + timedelta(days=between(key, 70, 200)),
        ),
        names=(Name(name=name, name_type=NameType(name="DeviceName")),),
        product_asset_model=ObjectReference(mrid=identity(f"model {manufacturer} {model}")),
    )


def _made(key: str, years: tuple[int, int], day: date) -> date:
    """When an asset was made: at least a year before the records end."""
    first, last = years
    year = between(f"year {key}", first, min(last, day.year - 2))
    return date(year, between(f"month {key}", 1, 12), between(f"day {key}", 1, 28))


def _place(key: str, position: Equipment) -> AssetLocation:
    points: tuple[PositionPoint, ...] = ()
    if position.longitude is not None and position.latitude is not None:
        point = PositionPoint(
            sequence_number=1, x_position=f"{position.longitude:.6f}", y_position=f"{position.latitude:.6f}"
        )
        points = (point,)
    return AssetLocation(mrid=identity(key), coordinate_system=CRS if points else None, position_points=points)


def _catalogue() -> AssetCatalogue:
    return AssetCatalogue(
        catalog_asset_type=tuple(
            CatalogAssetType(
                mrid=identity(f"type {name}"),
                estimated_unit_cost=Decimal(sort.cost),
                kind=sort.kind,
                stock_item=name in SPARES,
                type=name,
                product_asset_model=tuple(
                    ProductAssetModel(
                        mrid=identity(f"model {manufacturer} {model}"),
                        corporate_standard_kind=CorporateStandardKind.STANDARD,
                        model_number=model,
                        usage_kind=sort.usage,
                        manufacturer=ObjectReference(
                            mrid=identity(f"manufacturer {manufacturer}"), names=(Name(name=manufacturer),)
                        ),
                    )
                    for manufacturer, model in sort.models
                ),
            )
            for name, sort in SORTS.items()
        )
    )


def _in_service(entered: Sequence[Asset]) -> Iterator[tuple[Asset, Sort]]:
    for asset in entered:
        if asset.in_use_state is InUseStateKind.IN_USE and asset.type is not None:
            yield asset, SORTS[asset.type]


def _inspections(entered: Sequence[Asset], day: date) -> Iterator[ProcedureDataSet]:
    """One in eight was looked at in the last two years; the older it is, the worse it looks."""
    for asset, sort in _in_service(entered):
        key = f"inspection {asset.mrid}"
        if sort.look is None or share(key) > 1 / 8:
            continue
        name, words = sort.look
        age = (day - _day_of(asset)).days / 365.25
        word = words[min(int(age / 25 + share(f"word {key}")), len(words) - 1)]
        yield ProcedureDataSet(
            mrid=identity(key),
            completed_date_time=_back(day, between(f"when {key}", 1, 700)),
            subject=f"Inspection of {asset.description}",
            type="inspection",
            asset=ObjectReference(mrid=asset.mrid),
            procedure=Procedure(kind=ProcedureKind.INSPECTION),
            properties=(UserAttribute(name=name, sequence_number=1, value=word),),
        )


def _oil(entered: Sequence[Asset], day: date) -> Iterator[results.TestDataSet]:
    """Each power transformer had its oil tested in each of the last three years; the gases are normal."""
    for asset, _ in _in_service(entered):
        if asset.type != "Power transformer":
            continue
        for year in (3, 2, 1):
            key = f"oil {asset.mrid} {year}"
            taken = _back(day, 365 * year - between(key, 0, 60))
            values = {
                "H2": (12, 16),
                "CH4": (3, 6),
                "C2H6": (2, 4),
                "C2H4": (2, 4),
                "CO": (180, 230),
                "CO2": (1500, 1900),
            }
            values |= {"O2": (900, 1100), "N2": (58000, 61000)}
            yield results.TestDataSet(
                mrid=identity(key),
                completed_date_time=taken + timedelta(days=5),
                specimen_id=f"OIL-{taken.year}-{between(f'number {key}', 1, 9999):04}",
                type="dissolvedGas",
                asset=ObjectReference(mrid=asset.mrid),
                measurement_value=tuple(
                    MeasurementValue(
                        measurement_type=gas,
                        time_stamp=taken,
                        unit_symbol="ppm",
                        value=float(between(f"{gas} {asset.mrid}", least, most)),
                    )
                    for gas, (least, most) in values.items()
                ),
                procedure=Procedure(kind=ProcedureKind.TEST),
            )


def _plans(entered: Sequence[Asset], day: date) -> Iterator[MaintenancePlan]:
    """What the law wants inspected; it was last done so that nothing is due within two years."""
    for asset, sort in _in_service(entered):
        if not sort.months:
            continue
        key = f"plan {asset.mrid}"
        done = day - timedelta(days=between(key, 30, 30 * (sort.months - 25)))
        yield MaintenancePlan(
            mrid=identity(key),
            description=f"Inspection of {asset.description}",
            interval_months=sort.months,
            last_done_date=done,
            season_start="03-01",
            season_end="11-15",
            statutory=True,
            tolerance=60,
            asset=ObjectReference(mrid=asset.mrid),
            procedure=Procedure(
                kind=ProcedureKind.INSPECTION, instruction="Look at it, test it, write down its counter"
            ),
        )


def _day_of(asset: Asset) -> date:
    dates = asset.lifecycle_date
    if dates is None or dates.manufactured_date is None:
        raise ValueError(f"the asset {asset.mrid} was made on no day")
    return dates.manufactured_date


def _back(day: date, days: int) -> datetime:
    return datetime.combine(day - timedelta(days=days), time(9), UTC)
