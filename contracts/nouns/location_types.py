"""Places and addresses for the nouns that are written from the public class model.

Classes: Location and its parts of the public class model (CIM 17), by the ordering rule [P]. The published profiles of
Parts 6 and 9 have narrower ones of the same names; those stand in :mod:`contracts.nouns.work_types`.
"""

from msgspec import Struct

from contracts.types import Status, attribute


class StreetDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The street part of an address."""

    address_general: str | None = None
    address_general2: str | None = None
    address_general3: str | None = None
    building_name: str | None = None
    code: str | None = None
    name: str | None = None
    number: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    suite_number: str | None = None
    type: str | None = None
    within_town_limits: bool | None = None


class TownDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The town part of an address."""

    code: str | None = None
    country: str | None = None
    name: str | None = None
    section: str | None = None
    state_or_province: str | None = None


class StreetAddress(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An address."""

    po_box: str | None = None
    postal_code: str | None = None
    status: Status | None = None
    street_detail: StreetDetail | None = None
    town_detail: TownDetail | None = None


class TelephoneNumber(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A telephone number in its parts, or whole as ITU E.164 in ``itu_phone``."""

    area_code: str | None = None
    city_code: str | None = None
    country_code: str | None = None
    dial_out: str | None = None
    extension: str | None = None
    international_prefix: str | None = None
    itu_phone: str | None = None
    local_number: str | None = None


class CoordinateSystem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The reference system of coordinates, as a URN of EPSG."""

    crs_urn: str | None = None


class PositionPoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One point of a shape, in the coordinate system beside it."""

    group_number: int | None = None
    sequence_number: int | None = None
    x_position: str | None = None
    y_position: str | None = None
    z_position: str | None = None
