"""What a network lacks as a difference model of IEC 61970-552: forward what is added, reverse what that replaces.

A device is put between an equipment and its node: the terminal of the equipment moves to a new node, and the device
joins that with the old one. Every new mRID follows from that of the object to which the new one belongs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from uuid import UUID, uuid5

from lxml import etree
from msgspec import Struct

from contracts.nouns.feeder_topology import Feeder
from shared.tools.equipping.document import CIM, RDF, Statement, Wiring
from shared.tools.equipping.layout import Place
from shared.tools.equipping.rules import AMPERES, Customer, Device, Plan, Tie, lacking

DM = "http://iec.ch/TC57/61970-552/DifferenceModel/1#"
IDENTITIES = UUID("3c1f5d0a-96c1-4f0e-8d53-0f4b7a9e61c7")
_TYPE = "type"
_COUNTED = ("Breaker", "Recloser", "Sectionaliser", "Fuse", "LoadBreakSwitch", "UsagePoint", "Location")


class Equipping(Struct, frozen=True, kw_only=True):
    """A difference model and its mRID, with how many objects of the classes that people ask for it adds."""

    mrid: str
    document: bytes
    added: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{number} {kind}" for kind, number in self.added.items())


def equipped(feeders: Iterable[Feeder], document: bytes) -> Equipping | None:
    """The difference that adds what a model lacks; none where it lacks nothing.

    ``feeders`` are those that were derived from the ``document``.

    Raises:
        Invalid: the feeders have an object that the document does not name.
    """
    wiring = Wiring(document)
    plan = lacking(feeders, wiring)
    return None if plan.is_empty else difference_of(plan, wiring)


def difference_of(plan: Plan, wiring: Wiring) -> Equipping:
    """The difference that adds what ``plan`` lists to the document of ``wiring``."""
    writer = _Writer(wiring, plan.spots)
    for mrid, points in plan.places.items():
        writer.place(mrid, points)
    for device in plan.devices:
        writer.insert(device)
    for tie in plan.ties:
        writer.tie(tie)
    for customer in plan.customers:
        writer.serve(customer)
    return writer.written()


class _Writer:
    def __init__(self, wiring: Wiring, spots: Mapping[str, Place]) -> None:
        self._wiring = wiring
        self._spots = spots
        self._forward: list[Statement] = []
        self._reverse: list[Statement] = []
        self._added: Counter[str] = Counter()
        self._system: str | None = None

    def place(self, mrid: str, points: tuple[Place, ...]) -> None:
        """Say where an equipment stands, instead of what it says in other coordinates."""
        subject, before = self._wiring.uri[mrid], self._wiring.location.get(mrid)
        if before is not None:
            self._reverse.append(Statement(subject, "PowerSystemResource.Location", before, is_link=True))
        location = self._location(mrid, points)
        self._forward.append(Statement(subject, "PowerSystemResource.Location", location, is_link=True))

    def insert(self, device: Device) -> None:
        """Put a device between an equipment and its node."""
        wiring = self._wiring
        node = wiring.uri[device.node]
        terminal = next(each for each in wiring.terminals[device.equipment] if wiring.mrid(each.node) == device.node)
        key = f"{device.kind} {device.equipment} {device.node}"
        behind = self._node(key, f"{device.name} node", wiring.container.get(device.equipment))
        self._reverse.append(Statement(terminal.uri, "Terminal.ConnectivityNode", terminal.node, is_link=True))
        self._forward.append(Statement(terminal.uri, "Terminal.ConnectivityNode", behind, is_link=True))
        switch = self._switch(key, device.kind, device.name, device.equipment, device.node, is_open=False)
        self._ends(key, switch, (node, behind), device.phases)
        if device.kind == "Fuse":
            for phase in device.phases:
                self._add(
                    "SwitchPhase",
                    f"{key} {phase}",
                    {"SwitchPhase.closed": "true", "SwitchPhase.normalOpen": "false"},
                    {
                        "SwitchPhase.Switch": switch,
                        "SwitchPhase.phaseSide1": f"{CIM}SinglePhaseKind.{phase}",
                        "SwitchPhase.phaseSide2": f"{CIM}SinglePhaseKind.{phase}",
                    },
                )
        for step, delay in enumerate(device.shots, start=1):
            self._add(
                "RecloseSequence",
                f"{key} {step}",
                {"RecloseSequence.recloseDelay": f"{delay:g}", "RecloseSequence.recloseStep": str(step)},
                {"RecloseSequence.ProtectedSwitch": switch},
            )

    def tie(self, tie: Tie) -> None:
        """A line and a normally open switch between two nodes."""
        wiring, key = self._wiring, f"tie {tie.start} {tie.end}"
        container = wiring.container.get(tie.pattern)
        middle = self._node(key, f"{tie.name} node", container)
        values, links = {"IdentifiedObject.name": f"{tie.name} line"}, self._shared(tie.pattern, container)
        for name, value, is_link in wiring.line_values(tie.pattern):
            (links if is_link else values)[name] = value
        ends = (self._spots[tie.start], self._spots[tie.end])
        links["PowerSystemResource.Location"] = self._location(f"{key} line", ends)
        line = self._add("ACLineSegment", key, values, links)
        self._ends(f"{key} line", line, (wiring.uri[tie.start], middle))
        switch = self._switch(key, "LoadBreakSwitch", tie.name, tie.pattern, tie.end, is_open=True)
        self._ends(f"{key} switch", switch, (middle, wiring.uri[tie.end]))

    def serve(self, customer: Customer) -> None:
        """A usage point of a consumer, and its meter."""
        key = f"{customer.consumer} {customer.number}"
        phases = {} if customer.phases is None else {"UsagePoint.phaseCode": f"{CIM}PhaseCode.{customer.phases}"}
        links = {"UsagePoint.Equipments": self._wiring.uri[customer.consumer], **phases}
        point = self._add("UsagePoint", key, {"IdentifiedObject.name": customer.name}, links)
        name = {"IdentifiedObject.name": f"Meter of {customer.name}"}
        self._add("Meter", key, name, {"EndDevice.UsagePoint": point})

    def written(self) -> Equipping:
        """All of it, in an order that depends on nothing but the objects."""
        root = etree.Element(f"{{{RDF}}}RDF", nsmap={"rdf": RDF, "cim": CIM, "dm": DM})
        said = sorted(self._forward), sorted(self._reverse)
        mrid = str(uuid5(IDENTITIES, sha256(repr(said).encode()).hexdigest()))
        model = etree.SubElement(root, f"{{{DM}}}DifferenceModel", {f"{{{RDF}}}about": f"urn:uuid:{mrid}"})
        for part, statements in zip(("forwardDifferences", "reverseDifferences"), said, strict=True):
            side = etree.SubElement(model, f"{{{DM}}}{part}", {f"{{{RDF}}}parseType": "Statements"})
            _say(side, statements)
        etree.indent(root, space=" ")
        document = etree.tostring(root, encoding="utf-8", xml_declaration=True)
        added = {kind: self._added[kind] for kind in _COUNTED if self._added[kind]}
        return Equipping(mrid=mrid, document=document, added=added)

    def _add(self, kind: str, key: str, values: Mapping[str, str], links: Mapping[str, str]) -> str:
        uri = f"urn:uuid:{uuid5(IDENTITIES, f'{kind} {key}')}"
        self._forward.append(Statement(uri, _TYPE, kind))
        self._forward += [Statement(uri, name, value) for name, value in values.items()]
        self._forward += [Statement(uri, name, value, is_link=True) for name, value in links.items()]
        self._added[kind] += 1
        return uri

    def _node(self, key: str, name: str, container: str | None) -> str:
        links = {} if container is None else {"ConnectivityNode.ConnectivityNodeContainer": container}
        return self._add("ConnectivityNode", key, {"IdentifiedObject.name": name}, links)

    def _switch(self, key: str, kind: str, name: str, like: str, node: str, *, is_open: bool) -> str:
        """A switch in the container and of the base voltage of an equipment, at the place of a node."""
        position = str(is_open).lower()
        values = {
            "IdentifiedObject.name": name,
            "Switch.normalOpen": position,
            "Switch.open": position,
            "Switch.ratedCurrent": str(AMPERES[kind]),
            "Switch.retained": "true",
        }
        if kind in {"Breaker", "Recloser"}:
            values["ProtectedSwitch.breakingCapacity"] = "12000"
        links = self._shared(like, self._wiring.container.get(like))
        links["PowerSystemResource.Location"] = self._location(f"{key} switch", (self._spots[node],))
        return self._add(kind, key, values, links)

    def _shared(self, like: str, container: str | None) -> dict[str, str]:
        links = {} if container is None else {"Equipment.EquipmentContainer": container}
        if like in self._wiring.base_voltage:
            links["ConductingEquipment.BaseVoltage"] = self._wiring.base_voltage[like]
        return links

    def _ends(self, key: str, equipment: str, nodes: Iterable[str], phases: str = "ABC") -> None:
        for number, node in enumerate(nodes, start=1):
            links = {
                "Terminal.ConductingEquipment": equipment,
                "Terminal.ConnectivityNode": node,
                "Terminal.phases": f"{CIM}PhaseCode.{phases}",
            }
            self._add("Terminal", f"{key} {number}", {"ACDCTerminal.sequenceNumber": str(number)}, links)

    def _location(self, key: str, points: tuple[Place, ...]) -> str:
        if self._system is None:
            urn = {"CoordinateSystem.crsUrn": "urn:ogc:def:crs:OGC:1.3:CRS84"}
            self._system = self._add("CoordinateSystem", min(self._wiring.uri), urn, {})
        location = self._add("Location", key, {}, {"Location.CoordinateSystem": self._system})
        for number, (longitude, latitude) in enumerate(points, start=1):
            values = {
                "PositionPoint.sequenceNumber": str(number),
                "PositionPoint.xPosition": f"{longitude:.6f}",
                "PositionPoint.yPosition": f"{latitude:.6f}",
            }
            self._add("PositionPoint", f"{key} {number}", values, {"PositionPoint.Location": location})
        return location


def _say(side: etree._Element, statements: list[Statement]) -> None:
    """The statements, those of one object together; an object whose class is not stated is an rdf:Description."""
    by_subject: defaultdict[str, list[Statement]] = defaultdict(list)
    for each in statements:
        by_subject[each.subject].append(each)
    for subject, said in by_subject.items():
        kind = next((f"{{{CIM}}}{each.value}" for each in said if each.predicate == _TYPE), f"{{{RDF}}}Description")
        element = etree.SubElement(side, kind, {f"{{{RDF}}}about": subject})
        for each in said:
            if each.predicate == _TYPE:
                continue
            child = etree.SubElement(element, f"{{{CIM}}}{each.predicate}")
            if each.is_link:
                child.set(f"{{{RDF}}}resource", each.value)
            else:
                child.text = each.value
