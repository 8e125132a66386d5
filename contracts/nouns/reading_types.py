"""ReadingType, Reading and what belongs to them, equal in every profile that has them.

Source: the public copies of the profiles. How sure: confirmed by two sources [X]. The words of a ReadingType are text,
since writers differ in whether they put names or numbers there; :mod:`contracts.codes.reading_type` reads its mRID.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, Reference, attribute


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


class ReadingQuality(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who says what about the worth of a value."""

    comment: str | None = None
    source: str | None = None
    time_stamp: Instant | None = None
    reading_quality_type: Reference = field(name="ReadingQualityType")


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A value at a time, such as a register."""

    reason: ReadingReasonKind | None = None
    reported_date_time: Instant | None = None
    source: str | None = None
    time_stamp: Instant | None = None
    value: str | None = None
    reading_qualities: tuple[ReadingQuality, ...] = field(name="ReadingQualities", default=())
    reading_type: Reference = field(name="ReadingType")
    time_period: DateTimeInterval | None = None
