"""LineFaults: faults along a line.

IEC 61968-3:2021 has the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Classes:
LineFault and Fault; ``occurredDateTime`` is of the newer class model [GK].
"""

from msgspec import Struct, field

from contracts.nouns.fault_types import FaultImpedance, PhaseConnectedFaultKind
from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2021/LineFaults#"

Length = float
"""Metres."""


class LineFault(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One fault and how far along the line it is."""

    mrid: str
    description: str | None = None
    kind: PhaseConnectedFaultKind | None = None
    length_from_terminal1: Length | None = None
    occurred_date_time: Instant | None = None
    phases: PhaseCode | None = None
    ac_line_segment: ObjectReference | None = field(name="ACLineSegment", default=None)
    fault_cause_types: tuple[ObjectReference, ...] = field(name="FaultCauseTypes", default=())
    faulty_equipment: ObjectReference | None = field(name="FaultyEquipment", default=None)
    impedance: FaultImpedance | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    outage: ObjectReference | None = field(name="Outage", default=None)


class LineFaults(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    line_fault: tuple[LineFault, ...] = field(name="LineFault", default=())
