"""EquipmentFaults: faults in equipment at one of its terminals.

IEC 61968-3:2021 has the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Classes:
EquipmentFault and Fault; ``occurredDateTime`` is of the newer class model [GK].
"""

from msgspec import Struct, field

from contracts.nouns.fault_types import FaultImpedance, PhaseConnectedFaultKind
from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2021/EquipmentFaults#"


class EquipmentFault(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One fault, where it is and what it connects."""

    mrid: str
    description: str | None = None
    kind: PhaseConnectedFaultKind | None = None
    occurred_date_time: Instant | None = None
    phases: PhaseCode | None = None
    fault_cause_types: tuple[ObjectReference, ...] = field(name="FaultCauseTypes", default=())
    faulty_equipment: ObjectReference | None = field(name="FaultyEquipment", default=None)
    impedance: FaultImpedance | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    outage: ObjectReference | None = field(name="Outage", default=None)
    terminal: ObjectReference | None = field(name="Terminal", default=None)


class EquipmentFaults(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    equipment_fault: tuple[EquipmentFault, ...] = field(name="EquipmentFault", default=())
