"""SwitchingEvents: what was switched, by whom and when, by plan or without one.

IEC 61968-3:2021 has the document; the spelling of the noun is ours; no public copy of the profile was found.
61968-style: written in the manner of the public class model by the ordering rule, not verified against the
published profile [P]. The namespace is our proposal. Of the class SwitchingEvent only the name and that actions
lead to it are public; the rest is of the class ActivityRecord and ours.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/SwitchingEvents#"


class SwitchingEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One operation; ``created_date_time`` is when the switch moved.

    ``type`` is one of :class:`SwitchingEventType`; ``phases`` are those that moved where not all did. The flag of a
    fault indicator is an event without ``kind`` whose switch is the indicator.
    """

    mrid: str
    created_date_time: Instant
    kind: SwitchActionKind | None = None
    phases: PhaseCode | None = None
    reason: str | None = None
    severity: str | None = None
    type: str | None = None
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    operated_switch: ObjectReference = field(name="OperatedSwitch")
    operator: ObjectReference | None = field(name="Operator", default=None)
    status: Status | None = None
    switching_action: ObjectReference | None = field(name="SwitchingAction", default=None)
    switching_plan: ObjectReference | None = field(name="SwitchingPlan", default=None)


class SwitchingEvents(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    switching_event: tuple[SwitchingEvent, ...] = field(name="SwitchingEvent", default=())


class SwitchingEventType(StrEnum):
    """How an operation came about: the values of ``SwitchingEvent.type`` (ours)."""

    COMMAND = "COMMAND"
    FAULT_INDICATION = "FAULT_INDICATION"
    FAULT_INDICATION_RESET = "FAULT_INDICATION_RESET"
    LOCKOUT = "LOCKOUT"
    MANUAL = "MANUAL"
    RECLOSE = "RECLOSE"
    REPORTED = "REPORTED"
    TRIP = "TRIP"
