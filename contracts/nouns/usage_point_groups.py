"""UsagePointGroups: groups of usage points, such as those of one tariff area.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
UsagePointGroup.
"""

from msgspec import Struct, field

from contracts.types import Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/UsagePointGroups#"


class UsagePointGroup(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A group and its members."""

    mrid: str | None = None
    description: str | None = None
    type: str | None = None
    demand_response_programs: tuple[ObjectReference, ...] = field(name="DemandResponsePrograms", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    usage_points: tuple[ObjectReference, ...] = field(name="UsagePoints", default=())


class UsagePointGroups(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    usage_point_group: tuple[UsagePointGroup, ...] = field(name="UsagePointGroup", default=())
