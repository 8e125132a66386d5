"""A CIM100 document that grows: objects, where they stand and how they hang on nodes.

Objects have mRIDs that follow from their class and their key, so the same drawing has the same bytes. Parts that
nobody looks for by name (terminals, phases, points) have none.
"""
# ruff: noqa: INP001 - a script's neighbour, in no package

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid5

CIM = "http://iec.ch/TC57/CIM100#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IDENTITIES = UUID("8f0e0c52-8f53-4d0e-8a55-6d3a1f0b7c21")

# A place at sea (longitude, latitude), so that no real street is taken for ours; one metre in degrees there.
ORIGIN = (-69.6, 43.0)
METRE = (1.227e-5, 8.993e-6)

# Nominal voltages in V.
GRID, STREET, HOME, BUSINESS = 69000, 12470, 240, 208
Value = str | float


class Spot(NamedTuple):
    """Where a piece stands: in which container, and how many metres east and north of the origin."""

    container: str
    x: float
    y: float


class Document:
    """The document and what all that stands in it has in common."""

    def __init__(self, title: str) -> None:
        self._parts: list[str] = []
        version = {"IEC61970CIMVersion.version": "IEC61970CIM100", "IEC61970CIMVersion.date": "2019-04-01"}
        self.add("IEC61970CIMVersion", "CIM100", version)
        self.crs = self.add("CoordinateSystem", "WGS 84", {"CoordinateSystem.crsUrn": "urn:ogc:def:crs:OGC:1.3:CRS84"})
        self.volts = {
            level: self.add("BaseVoltage", f"{level} V", {"BaseVoltage.nominalVoltage": level}, name=f"{level} V")
            for level in (GRID, STREET, HOME, BUSINESS)
        }
        region = self.add("GeographicalRegion", title, name=title)
        self.district = self.add("SubGeographicalRegion", title, {"SubGeographicalRegion.Region": region}, name=title)

    def add(self, kind: str, key: str, values: Mapping[str, Value] | None = None, *, name: str = "") -> str:
        """Add an object and return its identifier; a key is unique within its class and makes the mRID."""
        uri = f"urn:uuid:{uuid5(IDENTITIES, f'{kind}/{key}')}"
        said = {"IdentifiedObject.name": name, **(values or {})} if name else values or {}
        self._parts.append(f'<cim:{kind} rdf:about="{uri}">\n')
        for field, value in said.items():
            text = value if isinstance(value, str) else f"{value:.7g}"
            if text.startswith(("urn:uuid:", CIM)):
                self._parts.append(f' <cim:{field} rdf:resource="{text}"/>\n')
            else:
                self._parts.append(f" <cim:{field}>{text}</cim:{field}>\n")
        self._parts.append(f"</cim:{kind}>\n")
        return uri

    def write(self, path: Path) -> None:
        """Write the document in UTF-8."""
        head = f'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF xmlns:cim="{CIM}" xmlns:rdf="{RDF}">\n'
        path.write_text("".join((head, *self._parts, "</rdf:RDF>\n")), encoding="utf-8")

    def substation(self, name: str) -> str:
        """A substation."""
        return self.add("Substation", name, {"Substation.Region": self.district}, name=name)

    def feeder(self, name: str, substation: str) -> str:
        """A feeder of a substation."""
        return self.add("Feeder", name, {"Feeder.NormalEnergizingSubstation": substation}, name=name)

    def node(self, name: str, container: str) -> str:
        """A connectivity node."""
        return self.add("ConnectivityNode", name, {"ConnectivityNode.ConnectivityNodeContainer": container}, name=name)

    def place(self, kind: str, key: str, *points: Spot) -> str:
        """A location with its points."""
        place = self.add(kind, key, {"Location.CoordinateSystem": self.crs})
        for number, spot in enumerate(points, start=1):
            point: dict[str, Value] = {
                "PositionPoint.Location": place,
                "PositionPoint.sequenceNumber": number,
                "PositionPoint.xPosition": f"{ORIGIN[0] + spot.x * METRE[0]:.6f}",
                "PositionPoint.yPosition": f"{ORIGIN[1] + spot.y * METRE[1]:.6f}",
            }
            self.add("PositionPoint", f"{key} {number}", point)
        return place

    def equipment(
        self, kind: str, name: str, spots: Iterable[Spot], level: int | None, values: Mapping[str, Value]
    ) -> str:
        """Conducting equipment at its places, without terminals."""
        spots = tuple(spots)
        shared: dict[str, Value] = {"Equipment.EquipmentContainer": spots[0].container}
        if level is not None:
            shared["ConductingEquipment.BaseVoltage"] = self.volts[level]
        shared["PowerSystemResource.Location"] = self.place("Location", f"{kind} {name}", *spots)
        return self.add(kind, name, {**shared, **values}, name=name)

    def terminal(self, key: str, equipment: str, node: str, number: int, **more: Value) -> str:
        """The end of an equipment on a node."""
        values: dict[str, Value] = {
            "Terminal.ConductingEquipment": equipment,
            "Terminal.ConnectivityNode": node,
            "ACDCTerminal.sequenceNumber": number,
        }
        values |= {f"{attribute.replace('_', '.')}": value for attribute, value in more.items()}
        return self.add("Terminal", f"{key} {number}", values)

    def shunt(
        self, kind: str, name: str, spot: Spot, *, level: int, node: str, values: Mapping[str, Value] | None = None
    ) -> str:
        """Equipment that hangs on one node."""
        equipment = self.equipment(kind, name, (spot,), level, values or {})
        self.terminal(f"{kind} {name}", equipment, node, 1)
        return equipment


def chance(key: str) -> float:
    """A number from 0 to 1 that follows from the key alone."""
    return int.from_bytes(sha256(key.encode()).digest()[:6], "big") / 2**48
