"""Readings that were not taken: kept apart, each with its reason."""

from datetime import datetime

from msgspec import Struct

from contracts.nouns.meter_readings import MeterReading


class Refused(Struct, frozen=True, kw_only=True):
    """A reading that was not taken: who told it, and why it was refused when."""

    part: MeterReading
    source: str
    code: str
    reason: str
    refused_at: datetime


class Question(Struct, frozen=True, kw_only=True):
    """Which of them are asked for; what is empty does not narrow the question."""

    named: tuple[str, ...]
    sources: tuple[str, ...]
    start: datetime | None
    end: datetime | None
