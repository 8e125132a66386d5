"""Meters, where they are and what they measure; their events, passed on once; controls, and their end."""

from services.meter_reading_and_control.service import (
    answered,
    asking,
    bulk,
    controls,
    events,
    groups,
    judging,
    lanes,
    membership,
    meters,
    readings,
    retention,
    schedules,
    storms,
    surroundings,
    tampering,
    validation,
)
from services.meter_reading_and_control.service.declared import service

__all__ = [
    "answered",
    "asking",
    "bulk",
    "controls",
    "events",
    "groups",
    "judging",
    "lanes",
    "membership",
    "meters",
    "readings",
    "retention",
    "schedules",
    "service",
    "storms",
    "surroundings",
    "tampering",
    "validation",
]
