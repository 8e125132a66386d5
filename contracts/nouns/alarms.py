"""Alarms: what asks for an operator, and what an operator has done about it.

Ours [P]; no part of IEC 61968 has this noun. An alarm is a point that stands for one condition of one object and comes
and goes with it; its mRID is always the same. States, shelving, suppression by design and floods are those of
ANSI/ISA-18.2 and IEC 62682 (general knowledge [GK]).

``created`` tells that an alarm was never heard of before, ``changed`` everything after that, each time whole, with a
``revisionNumber`` that grows by one. A person asks by ``change``: the alarm's mRID with an :class:`AlarmAction`.
Whoever gives ``createdDateTime`` as well speaks of that occurrence, and is refused when there was another since.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.units import PhaseCode
from contracts.types import Instant, ObjectReference, Status, attribute

NAMESPACE = "urn:busbar:2026:Alarms#"


class AlarmKind(StrEnum):
    """Which condition an alarm stands for."""

    COMMAND_FAILED = "COMMAND_FAILED"
    """A switch has not done what it was told."""

    COMMUNICATION = "COMMUNICATION"
    """An outstation does not answer, or what it measures all the time is not told any more."""

    FAULTED = "FAULTED"
    """A section has voltage and a ground."""

    LIMIT_HIGH = "LIMIT_HIGH"
    """A value is above its limit."""

    LIMIT_LOW = "LIMIT_LOW"
    """A value is below its limit."""

    OUTSTATION = "OUTSTATION"
    """An outstation is in trouble itself."""

    OVERLOAD = "OVERLOAD"
    """By its power flow a feeder is loaded beyond an emergency rating."""

    PARALLELED = "PARALLELED"
    """Feeders stand parallel."""

    POSSIBLY_LIVE = "POSSIBLY_LIVE"
    """A section without supply may be live."""

    SUSPECT = "SUSPECT"
    """What is told of a switch cannot be believed."""

    TAG_CONFLICT = "TAG_CONFLICT"
    """A device did what a tag on it forbids, or protection tripped it under a hot-line tag."""

    TRIP = "TRIP"
    """Protection has opened a device, which is open still; with the priority HIGH it is locked out."""


class AlarmPriority(StrEnum):
    """How soon an operator has to look."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    LOW = "LOW"
    MEDIUM = "MEDIUM"


class AlarmState(StrEnum):
    """Where an alarm is: the values of ``Alarm.status``, the states of ISA-18.2.

    One that is out of service, shelved or suppressed by design runs on underneath: ``active`` and ``acknowledged`` tell
    how.
    """

    ACKNOWLEDGED = "ACKNOWLEDGED"
    LATCHED_ACKNOWLEDGED = "LATCHED_ACKNOWLEDGED"
    LATCHED_UNACKNOWLEDGED = "LATCHED_UNACKNOWLEDGED"
    NORMAL = "NORMAL"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    RETURNED_UNACKNOWLEDGED = "RETURNED_UNACKNOWLEDGED"
    SHELVED = "SHELVED"
    SUPPRESSED = "SUPPRESSED"
    UNACKNOWLEDGED = "UNACKNOWLEDGED"


class AlarmActionKind(StrEnum):
    """What a person does about an alarm."""

    ACKNOWLEDGE = "acknowledge"
    PUT_IN_SERVICE = "putInService"
    RESET = "reset"
    SHELVE = "shelve"
    TAKE_OUT_OF_SERVICE = "takeOutOfService"
    UNSHELVE = "unshelve"


class AlarmAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a person wants, in a request. Shelving takes a reason and an end, out of service a reason."""

    kind: AlarmActionKind
    reason: str | None = None
    until_date_time: Instant | None = None


class AlarmMark(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who did something about an alarm, when, why, and until when it holds."""

    date_time: Instant
    reason: str | None = None
    until_date_time: Instant | None = None
    operator: ObjectReference | None = field(name="Operator", default=None)


class Alarm(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One condition of one object.

    ``created_date_time`` is since when the condition holds, or held last; ``feeder`` are the feeders that it is about;
    ``parent`` is the alarm that explains why this one is suppressed by design. ``phases`` are those that it is about,
    where it is about some. What is ``latched`` stays until it was reset.
    """

    mrid: str
    acknowledged: bool | None = None
    active: bool | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    kind: AlarmKind | None = None
    last_modified_date_time: Instant | None = None
    latched: bool | None = None
    phases: PhaseCode | None = None
    priority: AlarmPriority | None = None
    revision_number: int | None = None
    acknowledgement: AlarmMark | None = field(name="Acknowledgement", default=None)
    alarm_action: AlarmAction | None = field(name="AlarmAction", default=None)
    feeder: tuple[ObjectReference, ...] = field(name="Feeder", default=())
    out_of_service: AlarmMark | None = field(name="OutOfService", default=None)
    parent: ObjectReference | None = field(name="Parent", default=None)
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)
    shelving: AlarmMark | None = field(name="Shelving", default=None)
    status: Status | None = None
    suppression: AlarmMark | None = field(name="Suppression", default=None)


class AlarmFlood(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A time in which more alarms ask for an operator than one can look at.

    ``count`` is how many came in the last ten minutes, ``end_date_time`` when it was over.
    """

    count: int
    end_date_time: Instant | None = None
    start_date_time: Instant


class Alarms(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun; a flood stands there while there is one, and when it is over."""

    alarm: tuple[Alarm, ...] = field(name="Alarm", default=())
    alarm_flood: AlarmFlood | None = field(name="AlarmFlood", default=None)
