"""The pieces of which networks are drawn, with their electrical data."""
# ruff: noqa: INP001 - a script's neighbour, in no package

from conductors import Cable, Conductor, overhead
from document import BUSINESS, CIM, GRID, HOME, STREET, Document, Spot, Value

# How many kilovolt-amperes distribution transformers have.
POLE_KVA = (15, 25, 37.5, 50, 75, 100)
PAD_KVA = (75, 150, 300, 500, 750, 1000, 1500)

EMERGENCY = 1.25
_TEN_MINUTES_S, _ALWAYS_S = 600, 5e9


class Drawing(Document):
    """The document and a method for each piece."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._limits: dict[int, str] = {}
        self._impedances: dict[str, str] = {}
        self._tanks: dict[float, str] = {}
        self._limit_types = tuple(
            self.add(
                "OperationalLimitType",
                name,
                {
                    "OperationalLimitType.acceptableDuration": seconds,
                    "OperationalLimitType.direction": f"{CIM}OperationalLimitDirectionKind.absoluteValue",
                },
                name=name,
            )
            for name, seconds in (("always", _ALWAYS_S), ("emergency", _TEN_MINUTES_S))
        )

    def source(self, name: str, spot: Spot, node: str) -> None:
        """The grid above: 1000 MVA of short-circuit power behind a voltage a little above the nominal."""
        ohms = GRID**2 / 1e9
        values: dict[str, Value] = {
            "EnergySource.nominalVoltage": GRID,
            "EnergySource.voltageMagnitude": GRID * 1.02,
            "EnergySource.voltageAngle": 0,
            "EnergySource.r": ohms * 0.1,
            "EnergySource.x": ohms,
            "EnergySource.r0": ohms * 0.15,
            "EnergySource.x0": ohms * 1.4,
        }
        self.shunt("EnergySource", name, spot, level=GRID, node=node, values=values)

    def line(
        self, name: str, spots: tuple[Spot, Spot], phases: str, nodes: tuple[str, str], wire: Conductor | Cable
    ) -> str:
        """A line whose length is the way along the streets between its ends; the terminal at its first end."""
        one, other = spots
        length = round(abs(one.x - other.x) + abs(one.y - other.y), 1)
        values: dict[str, Value] = {
            "Conductor.length": length,
            "ACLineSegment.PerLengthImpedance": self._impedance(wire, phases),
        }
        line = self.equipment("ACLineSegment", name, spots, STREET, values)
        limits = self._limit(wire.amperes)
        first, _ = (
            self.terminal(f"ACLineSegment {name}", line, node, number, ACDCTerminal_OperationalLimitSet=limits)
            for number, node in enumerate(nodes, start=1)
        )
        for number, phase in enumerate(phases, start=1):
            part: dict[str, Value] = {
                "ACLineSegmentPhase.ACLineSegment": line,
                "ACLineSegmentPhase.phase": _single(phase),
                "ACLineSegmentPhase.sequenceNumber": number,
            }
            self.add("ACLineSegmentPhase", f"{name} {phase}", part)
        return first

    def switch(
        self,
        kind: str,
        name: str,
        spot: Spot,
        phases: str,
        *,
        nodes: tuple[str, str],
        amperes: int,
        is_open: bool = False,
        shots: tuple[float, ...] = (),
    ) -> None:
        """A switch in its normal position; a fuse stands in each phase for itself, all others are ganged."""
        position = str(is_open).lower()
        values: dict[str, Value] = {
            "Switch.normalOpen": position,
            "Switch.open": position,
            "Switch.ratedCurrent": amperes,
            "Switch.retained": "true",
        }
        if kind in {"Breaker", "LoadBreakSwitch", "Recloser"}:
            values["ProtectedSwitch.breakingCapacity"] = amperes if kind == "LoadBreakSwitch" else 12000
        switch = self.equipment(kind, name, (spot,), STREET, values)
        for number, node in enumerate(nodes, start=1):
            self.terminal(f"{kind} {name}", switch, node, number, Terminal_phases=f"{CIM}PhaseCode.{phases}")
        for phase in phases if kind == "Fuse" else "":
            part: dict[str, Value] = {
                "SwitchPhase.Switch": switch,
                "SwitchPhase.closed": str(not is_open).lower(),
                "SwitchPhase.normalOpen": position,
                "SwitchPhase.phaseSide1": _single(phase),
                "SwitchPhase.phaseSide2": _single(phase),
            }
            self.add("SwitchPhase", f"{name} {phase}", part)
        for step, delay in enumerate(shots, start=1):
            shot: dict[str, Value] = {
                "RecloseSequence.ProtectedSwitch": switch,
                "RecloseSequence.recloseDelay": delay,
                "RecloseSequence.recloseStep": step,
            }
            self.add("RecloseSequence", f"{name} {step}", shot)

    def fault_indicator(self, name: str, spot: Spot, terminal: str) -> None:
        """A flag at the end of a line."""
        values: dict[str, Value] = {
            "Equipment.EquipmentContainer": spot.container,
            "AuxiliaryEquipment.Terminal": terminal,
            "PowerSystemResource.Location": self.place("Location", f"FaultIndicator {name}", spot),
        }
        self.add("FaultIndicator", name, values, name=name)

    def transformer(
        self, name: str, spot: Spot, levels: tuple[int, int], nodes: tuple[str, str], kva: float, *, taps: bool = False
    ) -> None:
        """A three-phase transformer Dyn1; its impedance stands at the first winding."""
        bank = self.equipment("PowerTransformer", name, (spot,), None, {})
        ohms = levels[0] ** 2 / (kva * 1000)
        per_cent = (0.6, 8.0) if taps else (1.2, 4.0 if kva < 750 else 5.6)  # noqa: PLR2004 - as they are built
        for number, (level, node) in enumerate(zip(levels, nodes, strict=True), start=1):
            own = per_cent if number == 1 else (0.0, 0.0)
            values: dict[str, Value] = {
                "PowerTransformerEnd.PowerTransformer": bank,
                "PowerTransformerEnd.ratedS": kva * 1000,
                "PowerTransformerEnd.ratedU": level,
                "PowerTransformerEnd.r": own[0] / 100 * ohms,
                "PowerTransformerEnd.x": own[1] / 100 * ohms,
                "PowerTransformerEnd.r0": own[0] / 100 * ohms,
                "PowerTransformerEnd.x0": own[1] / 100 * ohms,
                "PowerTransformerEnd.connectionKind": f"{CIM}WindingConnection.{'D' if number == 1 else 'Yn'}",
                "PowerTransformerEnd.phaseAngleClock": number - 1,
                "TransformerEnd.grounded": str(number > 1).lower(),
                **self._end(name, bank, node, number, level),
            }
            end = self.add("PowerTransformerEnd", f"{name} {number}", values)
        if taps:
            changer: dict[str, Value] = {
                "RatioTapChanger.TransformerEnd": end,
                "RatioTapChanger.stepVoltageIncrement": 0.625,
                "TapChanger.highStep": 16,
                "TapChanger.lowStep": -16,
                "TapChanger.neutralStep": 0,
                "TapChanger.neutralU": levels[1],
                "TapChanger.step": 2,
                "TapChanger.ltcFlag": "true",
            }
            self.add("RatioTapChanger", name, changer, name=f"{name} taps")

    def centre_tapped(self, name: str, spot: Spot, phase: str, nodes: tuple[str, str], kva: float) -> None:
        """A single-phase transformer with two legs of 120 V."""
        bank = self.equipment("PowerTransformer", name, (spot,), None, {})
        links = {"TransformerTank.PowerTransformer": bank, "TransformerTank.TransformerTankInfo": self._tank(kva)}
        tank = self.add("TransformerTank", name, links, name=name)
        windings = ((f"{phase}N", nodes[0], STREET), ("s1N", nodes[1], HOME), ("Ns2", nodes[1], HOME))
        for number, (phases, node, level) in enumerate(windings, start=1):
            values: dict[str, Value] = {
                "TransformerTankEnd.TransformerTank": tank,
                "TransformerTankEnd.orderedPhases": f"{CIM}OrderedPhaseCodeKind.{phases}",
                **self._end(name, bank, node, number, level),
            }
            self.add("TransformerTankEnd", f"{name} {number}", values)

    def capacitor(self, name: str, spot: Spot, node: str, kvar: float) -> None:
        """A bank of capacitors in three phases that is in service."""
        values: dict[str, Value] = {
            "LinearShuntCompensator.bPerSection": kvar * 1000 / STREET**2,
            "LinearShuntCompensator.gPerSection": 0,
            "ShuntCompensator.maximumSections": 1,
            "ShuntCompensator.nomU": STREET,
            "ShuntCompensator.normalSections": 1,
            "ShuntCompensator.phaseConnection": f"{CIM}PhaseShuntConnectionKind.Y",
            "ShuntCompensator.sections": 1,
        }
        self.shunt("LinearShuntCompensator", name, spot, level=STREET, node=node, values=values)

    def customer(
        self, name: str, spot: Spot, node: str, watts: float, *, phases: tuple[str, ...], critical: bool
    ) -> None:
        """A consumer with its usage point at its door and its meter."""
        vars_ = watts * 0.25
        door = self.place("ServiceLocation", name, spot)
        consumer = self.add(
            "EnergyConsumer",
            name,
            {
                "Equipment.EquipmentContainer": spot.container,
                "ConductingEquipment.BaseVoltage": self.volts[HOME if "s1" in phases else BUSINESS],
                "PowerSystemResource.Location": door,
                "EnergyConsumer.p": watts,
                "EnergyConsumer.q": vars_,
            },
            name=name,
        )
        self.terminal(f"EnergyConsumer {name}", consumer, node, 1)
        for phase in phases:
            part: dict[str, Value] = {
                "EnergyConsumerPhase.EnergyConsumer": consumer,
                "EnergyConsumerPhase.phase": _single(phase),
                "EnergyConsumerPhase.p": watts / len(phases),
                "EnergyConsumerPhase.q": vars_ / len(phases),
            }
            self.add("EnergyConsumerPhase", f"{name} {phase}", part)
        point = self.add(
            "UsagePoint",
            name,
            {
                "UsagePoint.Equipments": consumer,
                "UsagePoint.ServiceLocation": door,
                "UsagePoint.servicePriority": "critical" if critical else "normal",
            },
            name=name,
        )
        self.add("Meter", name, {"EndDevice.UsagePoint": point}, name=f"Meter of {name}")

    def panel(self, name: str, spot: Spot, node: str, watts: float, phases: tuple[str, ...]) -> None:
        """Photovoltaics at a customer; what it gives counts negative by 61970-301."""
        roof = self.place("Location", f"panel {name}", spot)
        unit = self.add("PhotovoltaicUnit", name, {"PowerElectronicsUnit.maxP": watts * 2}, name=f"Panel of {name}")
        values: dict[str, Value] = {
            "Equipment.EquipmentContainer": spot.container,
            "ConductingEquipment.BaseVoltage": self.volts[HOME if "s1" in phases else BUSINESS],
            "PowerSystemResource.Location": roof,
            "PowerElectronicsConnection.PowerElectronicsUnit": unit,
            "PowerElectronicsConnection.p": -watts,
            "PowerElectronicsConnection.q": 0,
            "PowerElectronicsConnection.ratedS": watts * 2,
        }
        inverter = self.add("PowerElectronicsConnection", name, values, name=f"Inverter of {name}")
        self.terminal(f"PowerElectronicsConnection {name}", inverter, node, 1)
        for phase in phases:
            part: dict[str, Value] = {
                "PowerElectronicsConnectionPhase.PowerElectronicsConnection": inverter,
                "PowerElectronicsConnectionPhase.phase": _single(phase),
                "PowerElectronicsConnectionPhase.p": -watts / len(phases),
                "PowerElectronicsConnectionPhase.q": 0,
            }
            self.add("PowerElectronicsConnectionPhase", f"{name} {phase}", part)

    def _end(self, name: str, bank: str, node: str, number: int, level: int) -> dict[str, Value]:
        return {
            "TransformerEnd.endNumber": number,
            "TransformerEnd.Terminal": self.terminal(f"PowerTransformer {name}", bank, node, number),
            "TransformerEnd.BaseVoltage": self.volts[level],
        }

    def _limit(self, amperes: int) -> str:
        """The limits of a conductor: what it carries always, and in an emergency."""
        if amperes not in self._limits:
            limits = self._limits[amperes] = self.add("OperationalLimitSet", f"{amperes} A", name=f"{amperes} A")
            for kind, value in zip(self._limit_types, (amperes, amperes * EMERGENCY), strict=True):
                links: dict[str, Value] = {
                    "OperationalLimit.OperationalLimitSet": limits,
                    "OperationalLimit.OperationalLimitType": kind,
                    "CurrentLimit.value": value,
                }
                self.add("CurrentLimit", f"{amperes} A {kind}", links, name=f"{value:g} A")
        return self._limits[amperes]

    def _impedance(self, wire: Conductor | Cable, phases: str) -> str:
        """The impedance of a metre, once for each kind of line."""
        name = f"{wire.name} {phases}"
        if name not in self._impedances:
            if isinstance(wire, Cable):
                values: dict[str, Value] = {
                    "PerLengthSequenceImpedance.r": wire.r,
                    "PerLengthSequenceImpedance.x": wire.x,
                    "PerLengthSequenceImpedance.r0": wire.r0,
                    "PerLengthSequenceImpedance.x0": wire.x0,
                    "PerLengthSequenceImpedance.bch": wire.b,
                    "PerLengthSequenceImpedance.b0ch": wire.b0,
                }
                self._impedances[name] = self.add("PerLengthSequenceImpedance", name, values, name=name)
            else:
                values = {"PerLengthPhaseImpedance.conductorCount": len(phases)}
                matrix = self._impedances[name] = self.add("PerLengthPhaseImpedance", name, values, name=name)
                for row, column, ohms, siemens in overhead(wire, phases):
                    part: dict[str, Value] = {
                        "PhaseImpedanceData.PhaseImpedance": matrix,
                        "PhaseImpedanceData.row": row,
                        "PhaseImpedanceData.column": column,
                        "PhaseImpedanceData.r": ohms.real,
                        "PhaseImpedanceData.x": ohms.imag,
                        "PhaseImpedanceData.b": siemens,
                    }
                    self.add("PhaseImpedanceData", f"{name} {row} {column}", part)
        return self._impedances[name]

    def _tank(self, kva: float) -> str:
        """The data sheet of a pole-top transformer: 2 % between all windings, 1.2 % of it loss."""
        if kva not in self._tanks:
            name = f"{kva:g} kVA"
            info = self._tanks[kva] = self.add("TransformerTankInfo", name, name=name)
            volts = (STREET / 3**0.5, HOME / 2, HOME / 2)
            ends = [
                self.add(
                    "TransformerEndInfo",
                    f"{name} {number}",
                    {
                        "TransformerEndInfo.TransformerTankInfo": info,
                        "TransformerEndInfo.endNumber": number,
                        "TransformerEndInfo.connectionKind": f"{CIM}WindingConnection.I",
                        "TransformerEndInfo.phaseAngleClock": 6 if number > 2 else 0,  # noqa: PLR2004 - the other leg
                        "TransformerEndInfo.ratedS": kva * 1000,
                        "TransformerEndInfo.ratedU": level,
                        "TransformerEndInfo.r": 0.006 * level**2 / (kva * 1000),
                    },
                    name=f"{name} winding {number}",
                )
                for number, level in enumerate(volts, start=1)
            ]
            for one, other in ((0, 1), (0, 2), (1, 2)):
                test: dict[str, Value] = {
                    "ShortCircuitTest.EnergisedEnd": ends[one],
                    "ShortCircuitTest.GroundedEnds": ends[other],
                    "ShortCircuitTest.leakageImpedance": 0.02 * volts[one] ** 2 / (kva * 1000),
                    "ShortCircuitTest.loss": 0.012 * kva,
                    "TransformerTest.basePower": kva * 1000,
                }
                self.add("ShortCircuitTest", f"{name} {one} {other}", test, name=f"{name} {one + 1}-{other + 1}")
            no_load: dict[str, Value] = {
                "NoLoadTest.EnergisedEnd": ends[0],
                "NoLoadTest.energisedEndVoltage": volts[0],
                "NoLoadTest.excitingCurrent": 0.5,
                "NoLoadTest.loss": 0.002 * kva,
                "TransformerTest.basePower": kva * 1000,
            }
            self.add("NoLoadTest", name, no_load, name=name)
        return self._tanks[kva]


def size_for(watts: float, sizes: tuple[float, ...]) -> float:
    """The smallest size in kVA that carries this load with a fifth to spare, or the largest."""
    return next((kva for kva in sizes if kva * 1000 >= watts * 1.2), sizes[-1])


def _single(phase: str) -> str:
    return f"{CIM}SinglePhaseKind.{phase}"
