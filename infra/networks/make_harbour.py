"""Writes ``harbour.xml``: the small network of the demonstration, CIM100 in RDF/XML (IEC 61970-552).

One substation with a transformer, two feeders with a normally open tie, nine distribution transformers behind fused
laterals, forty usage points with meters. The same script gives the same bytes::

    python infra/networks/make_harbour.py
"""
# ruff: noqa: INP001 - a script beside the file that it writes, in no package

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid5

from lxml import etree

CIM = "http://iec.ch/TC57/CIM100#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IDENTITIES = UUID("5b0c6a9e-3f0d-4f5e-9d8a-6f1f2b7c4a10")

# A place at sea (longitude, latitude), so that no real street is taken for ours; one metre in degrees there.
ORIGIN = (-69.6, 43.0)
METRE = (1.227e-5, 8.993e-6)

# Nominal voltages in V.
GRID, STREET, HOME, BUSINESS = 69000, 12470, 240, 208

# The overhead line of all streets, ohms and siemens a metre, and what it carries always and for an hour, A.
LINE = {"r": 1.9e-4, "x": 3.9e-4, "r0": 3.7e-4, "x0": 1.2e-3, "bch": 4.3e-9, "b0ch": 2.0e-9}
LINE_LIMITS = (530, 620)
SWITCH_RATING = 600
FUSE_RATING = 100

# A home and a business take this, W; reactive power is a third of it.
HOME_W, BUSINESS_W = 1800, 24000

Value = str | float


class Spot(NamedTuple):
    """Where equipment stands: in which container, and how many metres east and north of the substation."""

    container: str
    x: float
    y: float


class Harbour:
    """The document, and a method for each thing that the network is made of."""

    def __init__(self) -> None:
        self.root = etree.Element(f"{{{RDF}}}RDF", nsmap={"cim": CIM, "rdf": RDF})
        version = {"IEC61970CIMVersion.version": "IEC61970CIM100", "IEC61970CIMVersion.date": "2019-04-01"}
        self.add("IEC61970CIMVersion", "CIM100", version)
        self.crs = self.add("CoordinateSystem", "WGS 84", {"CoordinateSystem.crsUrn": "urn:ogc:def:crs:OGC:1.3:CRS84"})
        self.volts = {
            level: self.add("BaseVoltage", f"{level} V", {"BaseVoltage.nominalVoltage": level})
            for level in (GRID, STREET, HOME, BUSINESS)
        }
        region = self.add("GeographicalRegion", "Coast", {})
        district = self.add("SubGeographicalRegion", "Harbour district", {"SubGeographicalRegion.Region": region})
        self.substation = self.add("Substation", "Harbour", {"Substation.Region": district})
        self.limits = self._limits(LINE_LIMITS)
        self.tank_info = self._tank_info(50)

    def add(self, kind: str, name: str, values: Mapping[str, Value]) -> str:
        """Add an object and return its identifier; a name is unique within its class and makes the mRID."""
        mrid = str(uuid5(IDENTITIES, f"{kind}/{name}"))
        element = etree.SubElement(self.root, f"{{{CIM}}}{kind}", {f"{{{RDF}}}about": f"urn:uuid:{mrid}"})
        for key, value in {"IdentifiedObject.mRID": mrid, "IdentifiedObject.name": name, **values}.items():
            child = etree.SubElement(element, f"{{{CIM}}}{key}")
            text = str(value)
            if text.startswith(("urn:uuid:", CIM)):
                child.set(f"{{{RDF}}}resource", text)
            else:
                child.text = text
        return f"urn:uuid:{mrid}"

    def write(self, path: Path) -> None:
        """Write the document, indented, in UTF-8."""
        etree.indent(self.root)
        path.write_bytes(etree.tostring(self.root, xml_declaration=True, encoding="utf-8") + b"\n")

    def feeder(self, name: str) -> str:
        """A feeder of the substation."""
        return self.add("Feeder", name, {"Feeder.NormalEnergizingSubstation": self.substation})

    def node(self, name: str, container: str) -> str:
        """A connectivity node."""
        return self.add("ConnectivityNode", name, {"ConnectivityNode.ConnectivityNodeContainer": container})

    def equipment(self, kind: str, name: str, spot: Spot, level: int, values: Mapping[str, Value]) -> str:
        """Conducting equipment with its location, without terminals."""
        location = self.add("Location", f"{name} ({kind})", {"Location.CoordinateSystem": self.crs})
        point: dict[str, Value] = {
            "PositionPoint.Location": location,
            "PositionPoint.sequenceNumber": 1,
            "PositionPoint.xPosition": f"{ORIGIN[0] + spot.x * METRE[0]:.6f}",
            "PositionPoint.yPosition": f"{ORIGIN[1] + spot.y * METRE[1]:.6f}",
        }
        self.add("PositionPoint", f"{name} ({kind})", point)
        shared = {
            "Equipment.EquipmentContainer": spot.container,
            "ConductingEquipment.BaseVoltage": self.volts[level],
            "PowerSystemResource.Location": location,
        }
        return self.add(kind, name, {**shared, **values})

    def terminal(self, name: str, equipment: str, node: str, number: int, limits: str = "") -> str:
        """The end of an equipment on a node, with its limits; terminals are named after the equipment."""
        values: dict[str, Value] = {
            "Terminal.ConductingEquipment": equipment,
            "Terminal.ConnectivityNode": node,
            "ACDCTerminal.sequenceNumber": number,
        }
        values |= {"ACDCTerminal.OperationalLimitSet": limits} if limits else {}
        return self.add("Terminal", f"{name} T{number}", values)

    def shunt(
        self, kind: str, name: str, spot: Spot, level: int, *, node: str, values: Mapping[str, Value] | None = None
    ) -> str:
        """Equipment that hangs on one node."""
        equipment = self.equipment(kind, name, spot, level, values or {})
        self.terminal(f"{name} ({kind})", equipment, node, 1)
        return equipment

    def line(self, name: str, spot: Spot, phases: str, nodes: tuple[str, str], length_m: int) -> None:
        """An overhead line with the impedance of its length and its limits."""
        values: dict[str, Value] = {"Conductor.length": length_m}
        values |= {f"ACLineSegment.{part}": f"{value * length_m:.6g}" for part, value in LINE.items()}
        line = self.equipment("ACLineSegment", name, spot, STREET, values)
        for number, node in enumerate(nodes, start=1):
            self.terminal(name, line, node, number, self.limits if number == 1 else "")
        for phase in phases:
            values = {"ACLineSegmentPhase.ACLineSegment": line, "ACLineSegmentPhase.phase": _single(phase)}
            self.add("ACLineSegmentPhase", f"{name} {phase}", values)

    def switch(self, kind: str, name: str, spot: Spot, phases: str, nodes: tuple[str, str]) -> None:
        """A switch in its normal position, which is open for a tie and closed for all others."""
        is_open = str(name == "Tie").lower()
        is_closed = str(name != "Tie").lower()
        positions: dict[str, Value] = {
            "Switch.normalOpen": is_open,
            "Switch.open": is_open,
            "Switch.retained": "true",
            "Switch.ratedCurrent": FUSE_RATING if kind == "Fuse" else SWITCH_RATING,
        }
        switch = self.equipment(kind, name, spot, STREET, positions)
        for number, node in enumerate(nodes, start=1):
            self.terminal(name, switch, node, number)
        for phase in phases:
            values = {
                "SwitchPhase.Switch": switch,
                "SwitchPhase.closed": is_closed,
                "SwitchPhase.normalOpen": is_open,
                "SwitchPhase.phaseSide1": _single(phase),
                "SwitchPhase.phaseSide2": _single(phase),
            }
            self.add("SwitchPhase", f"{name} {phase}", values)

    def transformer(self, name: str, spot: Spot, levels: tuple[int, int], nodes: tuple[str, str], kva: int) -> None:
        """A three-phase transformer, of 8 % where it is large and else 5 %, with the losses of its core."""
        bank = self.equipment("PowerTransformer", name, spot, levels[0], {})
        base_ohm = levels[0] ** 2 / (kva * 1000)
        r, x, core = 0.01, 0.08 if kva > 1000 else 0.05, 0.003  # noqa: PLR2004 - that of the substation
        own = {"r": r * base_ohm, "x": x * base_ohm, "g": core / base_ohm, "b": -2 * core / base_ohm}
        for number, (level, node) in enumerate(zip(levels, nodes, strict=True), start=1):
            values = {
                "PowerTransformerEnd.PowerTransformer": bank,
                "PowerTransformerEnd.ratedS": kva * 1000,
                "PowerTransformerEnd.ratedU": level,
                "PowerTransformerEnd.connectionKind": f"{CIM}WindingConnection.{'D' if number == 1 else 'Yn'}",
                "PowerTransformerEnd.phaseAngleClock": number - 1,
                **{f"PowerTransformerEnd.{part}": f"{value if number == 1 else 0:.6g}" for part, value in own.items()},
                **self._end(name, bank, node, number, level),
            }
            self.add("PowerTransformerEnd", f"{name} winding {number}", values)

    def centre_tapped(self, name: str, spot: Spot, phase: str, nodes: tuple[str, str]) -> None:
        """A single-phase transformer with two legs of 120 V."""
        bank = self.equipment("PowerTransformer", name, spot, STREET, {})
        links = {"TransformerTank.PowerTransformer": bank, "TransformerTank.TransformerTankInfo": self.tank_info}
        tank = self.add("TransformerTank", name, links)
        windings = ((f"{phase}N", nodes[0], STREET), ("s1N", nodes[1], HOME), ("Ns2", nodes[1], HOME))
        for number, (phases, node, level) in enumerate(windings, start=1):
            values = {
                "TransformerTankEnd.TransformerTank": tank,
                "TransformerTankEnd.orderedPhases": f"{CIM}OrderedPhaseCodeKind.{phases}",
                **self._end(name, bank, node, number, level),
            }
            self.add("TransformerTankEnd", f"{name} winding {number}", values)

    def homes(self, street: str, count: int, spot: Spot, node: str) -> None:
        """Consumers on both legs of a centre-tapped transformer."""
        for name, where in _doors(street, count, spot):
            self._customer(name, where, HOME, node=node, phases=("s1", "s2"), watts=HOME_W, priority="normal")

    def businesses(self, street: str, count: int, spot: Spot, node: str) -> None:
        """Three-phase consumers; the first is a critical one."""
        for name, where in _doors(street, count, spot):
            priority = "critical" if name.endswith(" 1") else "normal"
            self._customer(
                name, where, BUSINESS, node=node, phases=("A", "B", "C"), watts=BUSINESS_W, priority=priority
            )

    def lateral(self, street: str, spot: Spot, phases: str, start: str, customers: tuple[int, ...]) -> None:
        """A fused lateral away from the backbone, with one transformer for each number of customers."""
        end = self.node(f"{street} fuse", spot.container)
        self.switch("Fuse", f"{street} fuse", spot, phases, (start, end))
        for number, count in enumerate(customers, start=1):
            block = f"{street} block {number}" if len(customers) > 1 else street
            before, spot = spot, spot._replace(y=spot.y + (150 if spot.y > 0 else -150))
            pole, low = self.node(f"{block} pole", spot.container), self.node(f"{block} service", spot.container)
            self.line(f"{block} line", spot._replace(y=(before.y + spot.y) / 2), phases, (end, pole), 150)
            if len(phases) == 1:
                self.centre_tapped(f"{block} transformer", spot, phases, (pole, low))
                self.homes(block, count, spot, low)
            else:
                self.transformer(f"{block} transformer", spot, (STREET, BUSINESS), (pole, low), 300)
                self.businesses(block, count, spot, low)
            end = pole

    def _customer(
        self, name: str, spot: Spot, level: int, *, node: str, phases: tuple[str, ...], watts: int, priority: str
    ) -> None:
        power: dict[str, Value] = {"EnergyConsumer.p": watts, "EnergyConsumer.q": watts // 3}
        consumer = self.shunt("EnergyConsumer", name, spot, level, node=node, values=power)
        for phase in phases:
            values = {"EnergyConsumerPhase.EnergyConsumer": consumer, "EnergyConsumerPhase.phase": _single(phase)}
            self.add("EnergyConsumerPhase", f"{name} {phase}", values)
        links = {"UsagePoint.Equipments": consumer, "UsagePoint.servicePriority": priority}
        usage_point = self.add("UsagePoint", name, links)
        self.add("Meter", f"Meter of {name}", {"EndDevice.UsagePoint": usage_point})

    def _limits(self, amperes: tuple[int, int]) -> str:
        """What a conductor carries always and for an hour."""
        limits = self.add("OperationalLimitSet", "Line limits", {})
        for name, value, seconds in zip(("normal", "emergency"), amperes, (5e9, 3600), strict=True):
            kind: dict[str, Value] = {
                "OperationalLimitType.acceptableDuration": f"{seconds:.0f}",
                "OperationalLimitType.direction": f"{CIM}OperationalLimitDirectionKind.absoluteValue",
            }
            links: dict[str, Value] = {
                "OperationalLimit.OperationalLimitSet": limits,
                "OperationalLimit.OperationalLimitType": self.add("OperationalLimitType", name, kind),
                "CurrentLimit.value": value,
            }
            self.add("CurrentLimit", f"Line limit {name}", links)
        return limits

    def _tank_info(self, kva: int) -> str:
        """The type of all pole-top transformers: 2.04 % to each leg, 1.36 % between the legs."""
        info = self.add("TransformerTankInfo", f"{kva} kVA", {})
        watts, volts, shares = kva * 1000, (7200, 120, 120), (0.006, 0.012, 0.012)
        ends = [
            self.add(
                "TransformerEndInfo",
                f"{kva} kVA winding {number}",
                {
                    "TransformerEndInfo.TransformerTankInfo": info,
                    "TransformerEndInfo.endNumber": number,
                    "TransformerEndInfo.connectionKind": f"{CIM}WindingConnection.I",
                    "TransformerEndInfo.phaseAngleClock": 6 if number == 3 else 0,  # noqa: PLR2004 - the other leg
                    "TransformerEndInfo.ratedU": rated,
                    "TransformerEndInfo.ratedS": watts,
                    "TransformerEndInfo.emergencyS": watts * 3 // 2,
                    "TransformerEndInfo.r": f"{share * rated**2 / watts:.6g}",
                },
            )
            for number, (rated, share) in enumerate(zip(volts, shares, strict=True), start=1)
        ]
        for one, other, x in ((0, 1, 0.0204), (0, 2, 0.0204), (1, 2, 0.0136)):
            r = shares[one] + shares[other]
            test: dict[str, Value] = {
                "ShortCircuitTest.EnergisedEnd": ends[one],
                "ShortCircuitTest.GroundedEnds": ends[other],
                "ShortCircuitTest.leakageImpedance": f"{(r**2 + x**2) ** 0.5 * volts[one] ** 2 / watts:.6g}",
                "ShortCircuitTest.loss": f"{r * kva:.6g}",
                "TransformerTest.basePower": watts,
            }
            self.add("ShortCircuitTest", f"{kva} kVA {one + 1}-{other + 1}", test)
        no_load: dict[str, Value] = {
            "NoLoadTest.EnergisedEnd": ends[0],
            "NoLoadTest.energisedEndVoltage": volts[0],
            "NoLoadTest.excitingCurrent": 0.5,
            "NoLoadTest.loss": 0.002 * kva,
            "TransformerTest.basePower": watts,
        }
        self.add("NoLoadTest", f"{kva} kVA", no_load)
        return info

    def _end(self, name: str, bank: str, node: str, number: int, level: int) -> dict[str, Value]:
        return {
            "TransformerEnd.endNumber": number,
            "TransformerEnd.Terminal": self.terminal(name, bank, node, number),
            "TransformerEnd.BaseVoltage": self.volts[level],
        }


def draw() -> Harbour:
    """The whole network: the Quay feeder runs north of the substation's street, the Hill feeder south of it."""
    harbour = Harbour()
    station = harbour.substation
    grid, bus = harbour.node("Grid", station), harbour.node("Bus", station)
    behind: dict[str, Value] = {
        "EnergySource.nominalVoltage": GRID,
        "EnergySource.voltageMagnitude": GRID * 1.03,
        "EnergySource.voltageAngle": 0,
        **{f"EnergySource.{part}": ohms for part, ohms in (("r", 0.5), ("x", 4.5), ("r0", 0.9), ("x0", 5.4))},
    }
    harbour.shunt("EnergySource", "Grid", Spot(station, 0, 0), GRID, node=grid, values=behind)
    harbour.transformer("Harbour transformer", Spot(station, 0, 10), (GRID, STREET), (grid, bus), 10000)
    harbour.shunt("BusbarSection", "Bus", Spot(station, 0, 20), STREET, node=bus)

    quay = harbour.feeder("Quay")
    node = [bus, *(harbour.node(f"Quay {number}", quay) for number in range(1, 5))]
    harbour.switch("Breaker", "Quay breaker", Spot(quay, 10, 40), "ABC", (node[0], node[1]))
    harbour.line("Quay line 1", Spot(quay, 200, 100), "ABC", (node[1], node[2]), 400)
    harbour.switch("Recloser", "Quay recloser", Spot(quay, 400, 100), "ABC", (node[2], node[3]))
    harbour.line("Quay line 2", Spot(quay, 600, 100), "ABC", (node[3], node[4]), 400)
    harbour.lateral("Anchor Street", Spot(quay, 220, 100), "A", node[2], (5,))
    harbour.lateral("Beacon Street", Spot(quay, 380, 100), "B", node[2], (5,))
    harbour.lateral("Fish Market", Spot(quay, 640, 100), "ABC", node[4], (4,))
    harbour.lateral("Crane Street", Spot(quay, 800, 100), "C", node[4], (5,))
    tie = node[4]

    hill = harbour.feeder("Hill")
    node = [bus, *(harbour.node(f"Hill {number}", hill) for number in range(1, 6))]
    harbour.switch("Breaker", "Hill breaker", Spot(hill, 10, -40), "ABC", (node[0], node[1]))
    harbour.line("Hill line 1", Spot(hill, 200, -100), "ABC", (node[1], node[2]), 400)
    harbour.switch("LoadBreakSwitch", "Hill switch", Spot(hill, 400, -100), "ABC", (node[2], node[3]))
    harbour.line("Hill line 2", Spot(hill, 600, -100), "ABC", (node[3], node[4]), 400)
    harbour.switch("Disconnector", "Hill disconnector", Spot(hill, 620, -100), "ABC", (node[4], node[5]))
    harbour.lateral("Abbey Road", Spot(hill, 220, -100), "A", node[2], (5,))
    harbour.lateral("Baker Lane", Spot(hill, 380, -100), "B", node[2], (5,))
    harbour.lateral("Chapel Lane", Spot(hill, 640, -100), "C", node[5], (4, 3))
    harbour.lateral("Hospital", Spot(hill, 800, -100), "ABC", node[5], (4,))
    harbour.switch("LoadBreakSwitch", "Tie", Spot(hill, 900, 0), "ABC", (node[5], tie))
    return harbour


def _single(phase: str) -> str:
    return f"{CIM}SinglePhaseKind.{phase}"


def _doors(street: str, count: int, spot: Spot) -> Iterator[tuple[str, Spot]]:
    """The names and places of customers along a street, a door each 25 m."""
    for number in range(1, count + 1):
        yield f"{street} {number}", spot._replace(x=spot.x + 25 * number, y=spot.y + 20)


if __name__ == "__main__":
    draw().write(Path(__file__).with_name("harbour.xml"))
