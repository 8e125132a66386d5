"""Crews: who can be sent, with what, and until when.

IEC 61968-3:2021 is about crews as well; the noun is our proposal; no public copy of the profile was found.
61968-style: written from the public class model by the ordering rule, not verified against the published profile
[P]. The namespace is our proposal. Classes: Crew, CrewMember and Person; Capability is of the informative part of
the model [GK].

Ours: the qualifications and the ``status`` of a member (PRESENT, ABSENT, SICK), and ``Location`` and ``shift`` of a
crew. ``status`` of a crew is AVAILABLE, ON_BREAK, OFF_SHIFT, OUT_OF_SERVICE or RELEASED; its ``dateTime`` says as of
when that and the place are so.
"""

from msgspec import Struct, field

from contracts.nouns.location_types import TelephoneNumber
from contracts.nouns.work_types import CoordinateSystem, PositionPoint
from contracts.types import DateTimeInterval, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/Crews#"


class Capability(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a crew may do, and for how long it may."""

    performance_factor: str | None = None
    type: str
    status: Status | None = None
    validity_interval: DateTimeInterval | None = None


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A person."""

    first_name: str | None = None
    last_name: str | None = None
    mobile_phone: TelephoneNumber | None = None


class CrewMember(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A member of a crew, with what he or she may do, and whether he or she is there."""

    mrid: str | None = None
    capabilities: tuple[Capability, ...] = field(name="Capabilities", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    person: Person | None = field(name="Person", default=None)
    status: Status | None = None


class WorkAsset(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A vehicle or a tool of a crew."""

    mrid: str | None = None
    type: str | None = None
    utc_number: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where a crew is, or was last."""

    mrid: str | None = None
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())


class Crew(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A crew for one shift: ``shift`` says from when until when it is there."""

    mrid: str
    description: str | None = None
    capabilities: tuple[Capability, ...] = field(name="Capabilities", default=())
    crew_members: tuple[CrewMember, ...] = field(name="CrewMembers", default=())
    crew_type: ObjectReference | None = field(name="CrewType", default=None)
    location: Location | None = field(name="Location", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    shift: DateTimeInterval | None = None
    status: Status | None = None
    work_assets: tuple[WorkAsset, ...] = field(name="WorkAssets", default=())


class Crews(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    crew: tuple[Crew, ...] = field(name="Crew", default=())
