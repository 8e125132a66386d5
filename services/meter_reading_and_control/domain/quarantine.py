"""What is kept apart, with the reason: readings that were not taken, and days that could not be judged."""

from datetime import date, datetime

from msgspec import Struct

from contracts.nouns.meter_readings import MeterReading


class Refused(Struct, frozen=True, kw_only=True):
    """A reading that was not taken: who told it, and why it was refused when."""

    part: MeterReading
    source: str
    code: str
    reason: str
    refused_at: datetime


class Aside(Struct, frozen=True, kw_only=True):
    """A market day of a usage point that could not be judged, by a defect; its values count as they were told."""

    usage_point: str
    reading_type: str
    day: date
    reason: str
    aside_at: datetime


class Question(Struct, frozen=True, kw_only=True):
    """Which of them are asked for; what is empty does not narrow the question."""

    named: tuple[str, ...]
    sources: tuple[str, ...]
    start: datetime | None
    end: datetime | None
