"""Networks of pandapower as CIM100 RDF/XML (the extra ``pandapower``), so that they come in through the same door.

Ohms and siemens are those of the whole line, of a transformer those of its high-voltage side; powers are in W and var.
What is out of service is left out, and a table that has no counterpart here keeps the network out. The mRIDs follow
from the name of the network, the table and the index, so the same network has the same objects again.
"""

from collections.abc import Callable, Iterator, Mapping
from math import isfinite, pi, radians, sqrt
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from services.network_model_management.adapters.pandapower_rows import (
    Row,
    in_volts,
    is_number,
    name_of,
    points_of,
    power_of,
    shares_of,
    text_of,
    vector_group,
)
from services.network_model_management.adapters.rdf import ABOUT, RDF, RESOURCE, ROOT
from services.network_model_management.domain.model import CIM, Problem

_REFUSED = (
    "asymmetric_load",
    "asymmetric_sgen",
    "dcline",
    "impedance",
    "motor",
    "ssc",
    "storage",
    "svc",
    "tcsc",
    "trafo3w",
    "vsc",
    "ward",
    "xward",
)
_BUSES = ("bus", "from_bus", "to_bus", "hv_bus", "lv_bus")
_SWITCHES = {"CB": "Breaker", "DS": "Disconnector", "LBS": "LoadBreakSwitch", "LS": "LoadBreakSwitch"}
_MISSING = (Problem(line=0, text="pandapower is not installed here: install the extra 'busbar[pandapower]'"),)


def converted(document: bytes) -> tuple[bytes, tuple[Problem, ...]]:
    """A network as pandapower writes it, in CIM100 RDF/XML; or why it cannot be."""
    try:
        from pandapower import from_json_string  # noqa: PLC0415 - an extra, slow to load and seldom needed
    except ImportError:
        return b"", _MISSING
    try:
        # pandapower makes only objects of its own and of pandas (its allow list), whatever the document names
        net = from_json_string(document.decode())
        tables = _in_service({name: net[name].to_dict("index") for name in (*_TABLES, *_REFUSED) if name in net})
        problems = tuple(_untold(tables))
        conversion = _Conversion(str(net.name or "pandapower"), float(net.f_hz), tables)
        return (b"", problems) if problems else (conversion.document(), ())
    except Exception as error:  # noqa: BLE001 - it raises what it likes where the document is not one of its own
        return b"", (Problem(line=0, text=f"no network of pandapower: {type(error).__name__}: {error}"),)


def _in_service(tables: Mapping[str, Mapping[int, Row]]) -> dict[str, dict[int, Row]]:
    """The rows that are in service, at buses that are."""
    served = {index for index, row in tables["bus"].items() if row.get("in_service", True)}
    return {
        name: {
            index: row
            for index, row in rows.items()
            if (index in served if name == "bus" else row.get("in_service", True))
            and all(row[column] in served for column in _BUSES if column in row)
            and not (row.get("et") == "b" and row["element"] not in served)
        }
        for name, rows in tables.items()
    }


def _untold(tables: Mapping[str, Mapping[int, Row]]) -> Iterator[Problem]:
    for name in _REFUSED:
        if tables.get(name):
            yield Problem(line=0, id=name, text=f"{len(tables[name])} elements of this table cannot be told in CIM")


class _Conversion:
    """One conversion: the tables, the document that grows, and what was given a node or a voltage already."""

    def __init__(self, name: str, frequency_hz: float, tables: Mapping[str, Mapping[int, Row]]) -> None:
        self._name = name
        self._omega = 2 * pi * frequency_hz
        self._tables = tables
        self._root = etree.Element(ROOT, nsmap={"rdf": RDF, "cim": CIM})
        self._ends: dict[tuple[str, int, int], str] = {}

    def document(self) -> bytes:
        """The whole network."""
        region = self._add("GeographicalRegion", "region", self._name)
        part = self._add("SubGeographicalRegion", "part", self._name, links={"SubGeographicalRegion.Region": region})
        substation = self._add("Substation", "substation", self._name, links={"Substation.Region": part})
        self._add("Feeder", "feeder", self._name, links={"Feeder.NormalEnergizingSubstation": substation})
        urn = {"CoordinateSystem.crsUrn": "urn:ogc:def:crs:OGC:1.3:CRS84"}
        self._add("CoordinateSystem", "coordinates", "longitude, latitude", urn)
        kinds = {"OperationalLimitType.direction": "OperationalLimitDirectionKind.absoluteValue"}
        self._add("OperationalLimitType", "continuous", "continuous", kinds=kinds)
        for volts in sorted({in_volts(row["vn_kv"]) for row in self._tables["bus"].values()}):
            self._add("BaseVoltage", f"voltage/{volts:g}", f"{volts:g} V", {"BaseVoltage.nominalVoltage": volts})
        for index, row in self._tables["bus"].items():
            home = {"ConnectivityNode.ConnectivityNodeContainer": self._id("feeder")}
            self._add("ConnectivityNode", f"bus/{index}", name_of(row, f"bus {index}"), links=home)
        for name, convert in _TABLES.items():
            for index, row in self._tables.get(name, {}).items():
                convert(self, index, row)
        etree.indent(self._root, space=" ")
        return etree.tostring(self._root, encoding="utf-8", xml_declaration=True)

    def busbar(self, index: int, row: Row) -> None:
        """Of the buses those that are built as busbars; all are nodes already."""
        if row.get("type") == "b":
            self._equipment("BusbarSection", f"busbar/{index}", name_of(row, f"busbar {index}"), index)

    def switch(self, index: int, row: Row) -> None:
        """A switch between two buses, or between a bus and the end of a line or transformer, which gets a node."""
        bus, element, table = row["bus"], row["element"], {"l": "line", "t": "trafo"}.get(row["et"])
        name = name_of(row, f"switch {index}")
        if table is None:
            other = self._id(f"bus/{element}")
        elif element not in self._tables[table]:
            return
        else:
            end = (table, element, bus)
            other = self._ends.get(end, self._id(f"bus/{bus}"))
            home = {"ConnectivityNode.ConnectivityNodeContainer": self._id("feeder")}
            self._ends[end] = self._add("ConnectivityNode", f"switch/{index}/node", f"{name} node", links=home)
        nodes = (self._id(f"bus/{bus}"), other) if table is None else (other, self._ends[table, element, bus])
        position = {"Switch.normalOpen": not row["closed"], "Switch.open": not row["closed"], "Switch.retained": True}
        kind = _SWITCHES.get(row["type"], "Switch")
        self._equipment(kind, f"switch/{index}", name, bus, position, nodes=nodes)

    def line(self, index: int, row: Row) -> None:
        """A line with its impedance, its limit and its course."""
        length, parallel = row["length_km"], row.get("parallel", 1)
        values = {
            "Conductor.length": length * 1000,
            "ACLineSegment.r": row["r_ohm_per_km"] * length / parallel,
            "ACLineSegment.x": row["x_ohm_per_km"] * length / parallel,
            "ACLineSegment.bch": self._omega * row["c_nf_per_km"] * 1e-9 * length * parallel,
            "ACLineSegment.gch": row.get("g_us_per_km", 0.0) * 1e-6 * length * parallel,
            **self._zero_sequence(row, length, parallel),
        }
        key, name = f"line/{index}", name_of(row, f"line {index}")
        nodes = tuple(self._node("line", index, row[side]) for side in ("from_bus", "to_bus"))
        self._equipment("ACLineSegment", key, name, row["from_bus"], values, nodes=nodes, course=points_of(row))
        if isfinite(row.get("max_i_ka", float("nan"))):
            self._limit(key, name, row["max_i_ka"] * 1000 * row.get("df", 1.0) * parallel)

    def trafo(self, index: int, row: Row) -> None:
        """A transformer of two windings, its impedance at the high-voltage end, and its taps."""
        key, name, parallel = f"trafo/{index}", name_of(row, f"transformer {index}"), row.get("parallel", 1)
        base_ohm = row["vn_hv_kv"] ** 2 / row["sn_mva"] / parallel
        r = row["vkr_percent"] / 100 * base_ohm
        x = sqrt(max((row["vk_percent"] / 100 * base_ohm) ** 2 - r**2, 0.0))
        g = row["pfe_kw"] * 1e-3 / row["vn_hv_kv"] ** 2 * parallel
        b = -sqrt(max((row["i0_percent"] / 100 / base_ohm) ** 2 - g**2, 0.0))
        impedance = {"r": r, "x": x, "g": g, "b": b}
        buses = (row["hv_bus"], row["lv_bus"])
        nodes = tuple(self._node("trafo", index, bus) for bus in buses)
        group, connections = vector_group(row)
        self._equipment("PowerTransformer", key, name, buses[0], group, nodes=nodes, voltage=False)
        for number, (bus, kilovolts) in enumerate(zip(buses, (row["vn_hv_kv"], row["vn_lv_kv"]), strict=True), start=1):
            clock = round(row["shift_degree"] / 30) % 12 if number > 1 else 0
            own = impedance if number == 1 else dict.fromkeys(impedance, 0.0)
            values: dict[str, object] = {f"PowerTransformerEnd.{part}": value for part, value in own.items()}
            values["PowerTransformerEnd.ratedU"] = kilovolts * 1000
            values["PowerTransformerEnd.ratedS"] = row["sn_mva"] * 1e6 * parallel
            values["PowerTransformerEnd.phaseAngleClock"] = clock
            connection = connections[number - 1]
            values["TransformerEnd.endNumber"] = number
            links = {
                "PowerTransformerEnd.PowerTransformer": self._id(key),
                "TransformerEnd.Terminal": self._id(f"{key}/{number}"),
                "TransformerEnd.BaseVoltage": self._voltage(bus),
            }
            kinds = {"PowerTransformerEnd.connectionKind": f"WindingConnection.{connection}"}
            self._add("PowerTransformerEnd", f"{key}/end/{number}", f"{name} end {number}", values, links, kinds=kinds)
        self._taps(key, name, row)

    def ext_grid(self, index: int, row: Row) -> None:
        """A grid outside, as a source with a voltage."""
        volts = in_volts(self._tables["bus"][row["bus"]]["vn_kv"])
        values = {
            "EnergySource.nominalVoltage": volts,
            "EnergySource.voltageMagnitude": row["vm_pu"] * volts,
            "EnergySource.voltageAngle": radians(row["va_degree"]),
        }
        self._equipment("EnergySource", f"ext_grid/{index}", name_of(row, f"source {index}"), row["bus"], values)

    def load(self, index: int, row: Row) -> None:
        """A load, as a consumer; what of it is constant in impedance or current stands in a characteristic."""
        key, name = f"load/{index}", name_of(row, f"load {index}")
        links = {}
        shares = shares_of(row)
        if shares:
            links["EnergyConsumer.LoadResponse"] = self._add(
                "LoadResponseCharacteristic", f"{key}/response", name, shares
            )
        self._equipment("EnergyConsumer", key, name, row["bus"], power_of("EnergyConsumer", row, 1), links=links)

    def sgen(self, index: int, row: Row) -> None:
        """Infeed through power electronics; consumed power is positive in CIM."""
        values = power_of("PowerElectronicsConnection", row, -1)
        if is_number(row.get("sn_mva")):
            values["PowerElectronicsConnection.ratedS"] = row["sn_mva"] * 1e6
        self._equipment(
            "PowerElectronicsConnection", f"sgen/{index}", name_of(row, f"sgen {index}"), row["bus"], values
        )

    def gen(self, index: int, row: Row) -> None:
        """A generator that holds its voltage."""
        values = power_of("RotatingMachine", {"q_mvar": 0.0, **row}, -1)
        self._equipment("SynchronousMachine", f"gen/{index}", name_of(row, f"gen {index}"), row["bus"], values)

    def shunt(self, index: int, row: Row) -> None:
        """A shunt by its admittance at its rated voltage."""
        values = {
            "LinearShuntCompensator.bPerSection": -row["q_mvar"] / row["vn_kv"] ** 2,
            "LinearShuntCompensator.gPerSection": row["p_mw"] / row["vn_kv"] ** 2,
            "ShuntCompensator.nomU": row["vn_kv"] * 1000,
            "ShuntCompensator.sections": row["step"],
        }
        self._equipment("LinearShuntCompensator", f"shunt/{index}", name_of(row, f"shunt {index}"), row["bus"], values)

    def _zero_sequence(self, row: Row, length: float, parallel: int) -> dict[str, object]:
        """What a line states of its zero sequence."""
        r0, x0, c0 = (row.get(f"{name}_per_km") for name in ("r0_ohm", "x0_ohm", "c0_nf"))
        values: dict[str, object] = {}
        if is_number(r0) and is_number(x0):
            values |= {"ACLineSegment.r0": r0 * length / parallel, "ACLineSegment.x0": x0 * length / parallel}
        if is_number(c0):
            values["ACLineSegment.b0ch"] = self._omega * c0 * 1e-9 * length * parallel
        return values

    def _limit(self, key: str, name: str, amperes: float) -> None:
        """What the equipment may carry always, at its first terminal."""
        links = {"OperationalLimitSet.Terminal": self._id(f"{key}/1")}
        limits = self._add("OperationalLimitSet", f"{key}/limits", name, links=links)
        links = {
            "OperationalLimit.OperationalLimitSet": limits,
            "OperationalLimit.OperationalLimitType": self._id("continuous"),
        }
        self._add("CurrentLimit", f"{key}/limit", name, {"CurrentLimit.value": amperes}, links)

    def _taps(self, key: str, name: str, row: Row) -> None:
        side, step, position = row.get("tap_side"), row.get("tap_step_percent"), row.get("tap_pos")
        if side not in {"hv", "lv"} or not (is_number(step) and is_number(position)):
            return
        values = {
            "RatioTapChanger.stepVoltageIncrement": step,
            "TapChanger.step": position,
            "TapChanger.neutralStep": row["tap_neutral"],
            "TapChanger.neutralU": row[f"vn_{side}_kv"] * 1000,
            **{
                f"TapChanger.{end}Step": row[f"tap_{limit}"]
                for end, limit in (("high", "max"), ("low", "min"))
                if is_number(row[f"tap_{limit}"])
            },
        }
        end = self._id(f"{key}/end/{1 if side == 'hv' else 2}")
        self._add("RatioTapChanger", f"{key}/taps", name, values, {"RatioTapChanger.TransformerEnd": end})

    def _equipment(
        self,
        kind: str,
        key: str,
        name: str,
        bus: int,
        values: Mapping[str, object] | None = None,
        *,
        nodes: tuple[str, ...] = (),
        course: tuple[tuple[float, float], ...] = (),
        voltage: bool = True,
        links: Mapping[str, str] | None = None,
    ) -> None:
        """Equipment with its terminals at ``nodes``, or one at ``bus``, whose place it shares if it has no course."""
        links = {"Equipment.EquipmentContainer": self._id("feeder"), **(links or {})}
        if voltage:
            links["ConductingEquipment.BaseVoltage"] = self._voltage(bus)
        place = course or points_of(self._tables["bus"][bus])
        if place:
            links["PowerSystemResource.Location"] = self._place(key, name, place)
        equipment = self._add(kind, key, name, values, links)
        for number, node in enumerate(nodes or (self._id(f"bus/{bus}"),), start=1):
            self._add(
                "Terminal",
                f"{key}/{number}",
                f"{name} terminal {number}",
                {"ACDCTerminal.sequenceNumber": number},
                {"Terminal.ConductingEquipment": equipment, "Terminal.ConnectivityNode": node},
                kinds={"Terminal.phases": "PhaseCode.ABC"},
            )

    def _place(self, key: str, name: str, points: tuple[tuple[float, float], ...]) -> str:
        system = {"Location.CoordinateSystem": self._id("coordinates")}
        place = self._add("Location", f"{key}/place", name, links=system)
        for number, (x, y) in enumerate(points, start=1):
            values = {
                "PositionPoint.sequenceNumber": number,
                "PositionPoint.xPosition": x,
                "PositionPoint.yPosition": y,
            }
            self._add("PositionPoint", f"{key}/place/{number}", "", values, {"PositionPoint.Location": place})
        return place

    def _node(self, table: str, index: int, bus: int) -> str:
        """The node at which an end of a line or transformer is: behind its switch if it has one, else the bus."""
        return self._ends.get((table, index, bus)) or self._id(f"bus/{bus}")

    def _voltage(self, bus: int) -> str:
        return self._id(f"voltage/{in_volts(self._tables['bus'][bus]['vn_kv']):g}")

    def _id(self, key: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"pandapower/{self._name}/{key}"))

    def _add(
        self,
        kind: str,
        key: str,
        name: str,
        values: Mapping[str, object] | None = None,
        links: Mapping[str, str] | None = None,
        *,
        kinds: Mapping[str, str] | None = None,
    ) -> str:
        """An object with attributes, associations and enumerations; its mRID."""
        mrid = self._id(key)
        element = etree.SubElement(self._root, f"{{{CIM}}}{kind}", {ABOUT: f"urn:uuid:{mrid}"})
        named = {"IdentifiedObject.mRID": mrid, "IdentifiedObject.name": name} if name else {}
        for attribute, value in (*named.items(), *(values or {}).items()):
            etree.SubElement(element, f"{{{CIM}}}{attribute}").text = text_of(value)
        for association, target in (links or {}).items():
            etree.SubElement(element, f"{{{CIM}}}{association}", {RESOURCE: f"urn:uuid:{target}"})
        for attribute, literal in (kinds or {}).items():
            etree.SubElement(element, f"{{{CIM}}}{attribute}", {RESOURCE: f"{CIM}{literal}"})
        return mrid


_TABLES: Mapping[str, Callable[[_Conversion, int, Row], None]] = {
    "bus": _Conversion.busbar,
    "switch": _Conversion.switch,
    "line": _Conversion.line,
    "trafo": _Conversion.trafo,
    "ext_grid": _Conversion.ext_grid,
    "load": _Conversion.load,
    "sgen": _Conversion.sgen,
    "gen": _Conversion.gen,
    "shunt": _Conversion.shunt,
}
"""The tables in the order in which they are converted: switches first, since they give lines their nodes."""
