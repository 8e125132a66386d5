"""The objects of a CIM100 document, as far as something is hung on them."""

from collections import defaultdict

from lxml import etree
from msgspec import Struct

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CIM = "http://iec.ch/TC57/CIM100#"
_ABOUT, _ID, _RESOURCE = f"{{{RDF}}}about", f"{{{RDF}}}ID", f"{{{RDF}}}resource"
_LINE_PARTS = frozenset({"ACLineSegment", "Conductor"})


class Terminal(Struct, frozen=True, order=True):
    """An end of an equipment: its number, its identifier and the identifier of its node."""

    number: int
    uri: str
    node: str


class Statement(Struct, frozen=True, order=True):
    """One statement of RDF: ``value`` is a text, or an identifier where ``is_link``."""

    subject: str
    predicate: str
    value: str
    is_link: bool = False


class Wiring:
    """What the document says of its equipment; the keys are mRIDs, the values identifiers as they are spelled in links.

    Attributes:
        uri: the identifier of each object.
        terminals: the terminals of each equipment, in their order.
        container: the container of each equipment and node.
        base_voltage: the base voltage of each equipment.
        location: the location of each equipment.
        customers: how many customers each consumer is said to have.
        by_phase: the consumers whose power is stated phase by phase, against the neutral.
    """

    def __init__(self, document: bytes) -> None:
        root = etree.fromstring(
            document, etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True)
        )
        self._objects: dict[str, dict[str, str]] = {}
        self.uri: dict[str, str] = {}
        self._mrid: dict[str, str] = {}
        self._volts: dict[str, float] = {}
        for element in root.iterchildren(etree.Element):
            self._note(element)
        self.terminals: defaultdict[str, list[Terminal]] = defaultdict(list)
        self._watts_of_phases: defaultdict[str, float] = defaultdict(float)
        self._watts: dict[str, float] = {}
        self.by_phase: set[str] = set()
        self.container: dict[str, str] = {}
        self.base_voltage: dict[str, str] = {}
        self.location: dict[str, str] = {}
        self.customers: dict[str, int] = {}
        for uri, said in self._objects.items():
            self._hang(uri, said)
        for ends in self.terminals.values():
            ends.sort()

    def mrid(self, uri: str) -> str:
        """The mRID of an object."""
        return self._mrid.get(_bare(uri), _bare(uri))

    def volts(self, equipment: str) -> float | None:
        """The nominal voltage of an equipment in V, where it states one."""
        return self._volts.get(_bare(self.base_voltage.get(equipment, "")))

    def watts(self, consumer: str) -> float:
        """The active power that a consumer takes in W, as a whole or in the sum of its phases."""
        return self._watts.get(consumer) or self._watts_of_phases.get(consumer, 0.0)

    def line_values(self, equipment: str) -> list[tuple[str, str, bool]]:
        """What a line says of its length and impedance: predicate, value, and whether that is a link."""
        said = self._objects[self.uri[equipment]]
        return [
            (name, value.removeprefix("\0"), value.startswith("\0"))
            for name, value in sorted(said.items())
            if name.partition(".")[0] in _LINE_PARTS
        ]

    def _note(self, element: etree._Element) -> None:
        uri = element.get(_ABOUT) or (f"#{element.get(_ID)}" if element.get(_ID) else None)
        if uri is None:
            return
        said = {"": element.tag.rpartition("}")[2]}
        for child in element.iterchildren(etree.Element):
            resource = child.get(_RESOURCE)
            said[child.tag.rpartition("}")[2]] = (child.text or "") if resource is None else f"\0{resource}"
        self._objects[uri] = said
        mrid = said.get("IdentifiedObject.mRID") or _bare(uri)
        self.uri[mrid] = uri
        self._mrid[_bare(uri)] = mrid
        if "BaseVoltage.nominalVoltage" in said:
            self._volts[_bare(uri)] = float(said["BaseVoltage.nominalVoltage"])

    def _hang(self, uri: str, said: dict[str, str]) -> None:
        def link(name: str) -> str:
            return said.get(name, "").removeprefix("\0")

        mrid = self.mrid(uri)
        if said[""] == "Terminal":
            number = int(said.get("ACDCTerminal.sequenceNumber", "0"))
            end = Terminal(number, uri, link("Terminal.ConnectivityNode"))
            self.terminals[self.mrid(link("Terminal.ConductingEquipment"))].append(end)
        elif said[""] == "EnergyConsumerPhase":
            whole = self.mrid(link("EnergyConsumerPhase.EnergyConsumer"))
            self._watts_of_phases[whole] += float(said.get("EnergyConsumerPhase.p", "0"))
            self.by_phase.add(whole)
        for name, known in (
            ("Equipment.EquipmentContainer", self.container),
            ("ConnectivityNode.ConnectivityNodeContainer", self.container),
            ("ConductingEquipment.BaseVoltage", self.base_voltage),
            ("PowerSystemResource.Location", self.location),
        ):
            if name in said:
                known[mrid] = link(name)
        if "EnergyConsumer.p" in said:
            self._watts[mrid] = float(said["EnergyConsumer.p"])
        if "EnergyConsumer.customerCount" in said:
            self.customers[mrid] = int(said["EnergyConsumer.customerCount"])
        if said.get("EnergyConsumer.phaseConnection", "").endswith("PhaseShuntConnectionKind.D"):
            self.by_phase.discard(mrid)


def _bare(uri: str) -> str:
    """The identifier without what 61970-552 allows around it."""
    return uri.removeprefix("urn:uuid:").removeprefix("#").removeprefix("_")
