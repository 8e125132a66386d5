"""A noun of the tests."""

from msgspec import Struct, field

from contracts.types import attribute

NAMESPACE = "urn:test:Parcels#"


class Parcel(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    mrid: str
    weight: int = 0
    note: str | None = None


class Parcels(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    parcel: tuple[Parcel, ...] = field(name="Parcel", default=())


def parcels(*mrids: str, weight: int = 1, note: str | None = None) -> Parcels:
    return Parcels(parcel=tuple(Parcel(mrid=mrid, weight=weight, note=note) for mrid in mrids))
