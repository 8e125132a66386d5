"""ReadingType and what belongs to it, equal in every 2011 profile of Part 9.

Source: the public copies of the profiles. How sure: confirmed by two sources [X]. The words of a ReadingType are text,
since writers differ in whether they put names or numbers there; :mod:`contracts.codes.reading_type` reads its mRID.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Name, attribute


class RationalNumber(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A fraction."""

    denominator: int
    numerator: int


class ReadingInterharmonic(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Which harmonic, as a fraction of the fundamental."""

    denominator: int
    numerator: int


class ReadingType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a value measures: by its mRID of eighteen numbers, by the parts of it in words, or both."""

    mrid: str | None = None
    accumulation: str | None = None
    aggregate: str | None = None
    commodity: str | None = None
    consumption_tier: int | None = None
    cpp: int | None = None
    currency: str | None = None
    flow_direction: str | None = None
    macro_period: str | None = None
    measurement_kind: str | None = None
    measuring_period: str | None = None
    multiplier: str | None = None
    phases: str | None = None
    tou: int | None = None
    unit: str | None = None
    argument: RationalNumber | None = None
    interharmonic: ReadingInterharmonic | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class ReadingReasonKind(StrEnum):
    """Why a reading was taken."""

    BILLING = "billing"
    DEMAND_RESET = "demandReset"
    INQUIRY = "inquiry"
    INSTALLATION = "installation"
    LOAD_MANAGEMENT = "loadManagement"
    LOAD_RESEARCH = "loadResearch"
    MOVE_IN = "moveIn"
    MOVE_OUT = "moveOut"
    OTHER = "other"
    REMOVAL = "removal"
    SERVICE_CONNECT = "serviceConnect"
    SERVICE_DISCONNECT = "serviceDisconnect"
