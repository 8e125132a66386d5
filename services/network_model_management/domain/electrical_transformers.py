"""The electrical data of transformers, from ohms at their ends, from meshes of ohms, or from the tests of a type."""

from collections.abc import Callable, Iterator
from math import sqrt

from contracts.nouns.electrical_models import (
    ElectricalTransformer,
    RatioTapChanger,
    TapChangerControl,
    TransformerCoreAdmittance,
    TransformerEnd,
    TransformerMeshImpedance,
    TransformerTank,
    WindingConnection,
)
from services.network_model_management.domain.model import CimObject, Model
from services.network_model_management.domain.numbers import Numbers, flag

NodeOf = Callable[[CimObject], str | None]
"""The mRID of the node at which an end or a terminal is, or None."""

_Mesh = tuple[TransformerMeshImpedance, ...]
_KW = 1000.0
_PER_CENT = 100.0


class Transformers:
    """The transformers of one model."""

    def __init__(self, model: Model, numbers: Numbers) -> None:
        self._model = model
        self._numbers = numbers

    def told(self, transformer: CimObject, limits: tuple[float | None, float | None]) -> ElectricalTransformer:
        """A transformer with its limits in A, always and in an emergency; without impedances where none are stated."""
        ends = self._sorted("PowerTransformerEnd.PowerTransformer", transformer)
        tanks = self._model.pointing("TransformerTank.PowerTransformer", transformer)
        mesh = self._mesh_of(ends) or self._star_of(ends)
        return ElectricalTransformer(
            mrid=transformer.mrid,
            normal_limit=limits[0],
            emergency_limit=limits[1],
            vector_group=transformer.values.get("PowerTransformer.vectorGroup"),
            transformer_core_admittance=self._core_of(ends) or self._core_at_end(ends),
            transformer_end=tuple(self._end(end) for end in ends),
            transformer_mesh_impedance=mesh,
            transformer_tank=tuple(self._tank(tank) for tank in tanks),
        )

    def first_end(self, transformer: CimObject) -> CimObject | None:
        """The end to whose terminal the limits of the transformer belong."""
        ends = self._sorted("PowerTransformerEnd.PowerTransformer", transformer)
        for tank in self._model.pointing("TransformerTank.PowerTransformer", transformer):
            ends.extend(self._sorted("TransformerTankEnd.TransformerTank", tank))
        return min(ends, key=_end_number, default=None)

    def node_of(self, holder: CimObject, association: str) -> str | None:
        """The mRID of the node of the terminal to which an association leads."""
        terminal = self._model.follow(holder, association)
        node = None if terminal is None else self._model.follow(terminal, "Terminal.ConnectivityNode")
        return None if node is None else node.mrid

    def _tank(self, tank: CimObject) -> TransformerTank:
        ends = self._sorted("TransformerTankEnd.TransformerTank", tank)
        info = self._model.follow(tank, "TransformerTank.TransformerTankInfo")
        info = info or self._model.follow(tank, "PowerSystemResource.AssetDatasheet")
        infos: dict[int, CimObject] = {}
        if info is not None:
            found = self._model.pointing("TransformerEndInfo.TransformerTankInfo", info)
            infos = {self._numbers.whole(each, "TransformerEndInfo.endNumber", 1): each for each in found}
        return TransformerTank(
            mrid=tank.mrid,
            transformer_core_admittance=self._core_of(ends) or self._no_load(infos),
            transformer_end=tuple(self._end(end, infos.get(_end_number(end))) for end in ends),
            transformer_mesh_impedance=self._mesh_of(ends) or self._short_circuits(infos),
        )

    def _end(self, end: CimObject, info: CimObject | None = None) -> TransformerEnd:
        """An end; what it does not say itself is that of its type."""
        of, kind = self._numbers.of, end.kind
        rated_u, rated_s = of(end, f"{kind}.ratedU"), of(end, f"{kind}.ratedS")
        clock, connection = of(end, f"{kind}.phaseAngleClock"), end.values.get(f"{kind}.connectionKind")
        emergency_s = None
        if info is not None:
            rated_u = of(info, "TransformerEndInfo.ratedU") if rated_u is None else rated_u
            rated_s = of(info, "TransformerEndInfo.ratedS") if rated_s is None else rated_s
            clock = of(info, "TransformerEndInfo.phaseAngleClock") if clock is None else clock
            connection = connection or info.values.get("TransformerEndInfo.connectionKind")
            emergency_s = of(info, "TransformerEndInfo.emergencyS")
        return TransformerEnd(
            end_number=_end_number(end),
            node=self.node_of(end, "TransformerEnd.Terminal") or "",
            connection_kind=connection_of(connection),
            grounded=flag(end, "TransformerEnd.grounded"),
            ordered_phases=end.values.get("TransformerTankEnd.orderedPhases"),
            phase_angle_clock=None if clock is None else round(clock) % 12,
            rated_s=rated_s,
            emergency_s=emergency_s,
            rated_u=rated_u,
            rground=of(end, "TransformerEnd.rground"),
            xground=of(end, "TransformerEnd.xground"),
            ratio_tap_changer=next(self._taps(end), None),
        )

    def _taps(self, end: CimObject) -> Iterator[RatioTapChanger]:
        numbers = self._numbers
        for taps in self._model.pointing("RatioTapChanger.TransformerEnd", end):
            increment = numbers.of(taps, "RatioTapChanger.stepVoltageIncrement")
            if increment is None:
                continue
            neutral = numbers.whole(taps, "TapChanger.neutralStep", 0)
            step = numbers.first(taps, "TapChanger.step", "TapChanger.normalStep")
            yield RatioTapChanger(
                mrid=taps.mrid,
                step=neutral if step is None else step,
                step_voltage_increment=increment,
                neutral_step=neutral,
                low_step=numbers.whole(taps, "TapChanger.lowStep", neutral),
                high_step=numbers.whole(taps, "TapChanger.highStep", neutral),
                ct_rating=numbers.of(taps, "TapChanger.ctRating"),
                ct_ratio=numbers.of(taps, "TapChanger.ctRatio"),
                pt_ratio=numbers.of(taps, "TapChanger.ptRatio"),
                tap_changer_control=self._control(taps),
            )

    def _control(self, taps: CimObject) -> TapChangerControl | None:
        """What the tap changer keeps, if that is a voltage."""
        control = self._model.follow(taps, "TapChanger.TapChangerControl")
        if control is None or control.values.get("RegulatingControl.mode", "voltage") != "voltage":
            return None
        target = self._numbers.of(control, "RegulatingControl.targetValue")
        if target is None:
            return None
        switched_on = {flag(control, "RegulatingControl.enabled"), flag(taps, "TapChanger.controlEnabled")}
        return TapChangerControl(
            enabled=False not in switched_on,
            target_value=target,
            target_deadband=self._numbers.of(control, "RegulatingControl.targetDeadband"),
            monitored_phase=control.values.get("RegulatingControl.monitoredPhase"),
            node=self.node_of(control, "RegulatingControl.Terminal"),
            line_drop_compensation=bool(flag(control, "TapChangerControl.lineDropCompensation")),
            line_drop_r=self._numbers.of(control, "TapChangerControl.lineDropR"),
            line_drop_x=self._numbers.of(control, "TapChangerControl.lineDropX"),
        )

    def _mesh_of(self, ends: list[CimObject]) -> _Mesh:
        """The mesh that the model states between these ends."""
        numbers, found = self._numbers, []
        for end in ends:
            for mesh in self._model.pointing("TransformerMeshImpedance.FromTransformerEnd", end):
                other = self._model.follow(mesh, "TransformerMeshImpedance.ToTransformerEnd")
                r = numbers.of(mesh, "TransformerMeshImpedance.r")
                x = numbers.of(mesh, "TransformerMeshImpedance.x")
                if other is not None and r is not None and x is not None:
                    r0 = numbers.of(mesh, "TransformerMeshImpedance.r0")
                    x0 = numbers.of(mesh, "TransformerMeshImpedance.x0")
                    numbered = (_end_number(end), _end_number(other))
                    found.append(_impedance(numbered, r, x, r0, x0))
        return tuple(sorted(found, key=lambda each: (each.from_end_number, each.to_end_number)))

    def _star_of(self, ends: list[CimObject]) -> _Mesh:
        """The mesh that follows from ohms stated at the ends of a transformer, each at its own voltage."""
        numbers, points = self._numbers, []
        for end in ends:
            r, x = (numbers.of(end, f"PowerTransformerEnd.{part}") for part in ("r", "x"))
            volts = numbers.of(end, "PowerTransformerEnd.ratedU")
            if r is None or x is None or not volts:
                return ()
            points.append((_end_number(end), complex(r, x), volts))
        pairs = [(one, other) for place, one in enumerate(points) for other in points[place + 1 :]]
        found = []
        for (number, z, volts), (other, other_z, other_volts) in pairs:
            between = z + other_z * (volts / other_volts) ** 2
            found.append(_impedance((number, other), between.real, between.imag))
        return tuple(found) if any(each.x for each in found) else ()

    def _short_circuits(self, infos: dict[int, CimObject]) -> _Mesh:
        """The mesh that follows from the short-circuit tests of a type of tank (61968-11)."""
        numbers = self._numbers
        number_of = {info.id: number for number, info in infos.items()}
        found = []
        for number, info in sorted(infos.items()):
            volts = numbers.of(info, "TransformerEndInfo.ratedU")
            for test in self._model.pointing("ShortCircuitTest.EnergisedEnd", info):
                other = number_of.get(test.link("ShortCircuitTest.GroundedEnds"))
                z = numbers.of(test, "ShortCircuitTest.leakageImpedance")
                loss = numbers.some(test, "ShortCircuitTest.loss", 0.0)
                power = numbers.first(test, "TransformerTest.basePower") or numbers.of(
                    info, "TransformerEndInfo.ratedS"
                )
                if other is not None and z is not None and volts and power:
                    r = min(loss * _KW * (volts / power) ** 2, z)
                    found.append(_impedance((number, other), r, sqrt(z**2 - r**2)))
        return tuple(found)

    def _core_of(self, ends: list[CimObject]) -> TransformerCoreAdmittance | None:
        numbers = self._numbers
        for end in ends:
            for core in self._model.pointing("TransformerCoreAdmittance.TransformerEnd", end):
                g, b = (numbers.some(core, f"TransformerCoreAdmittance.{part}", 0.0) for part in ("g", "b"))
                return TransformerCoreAdmittance(end_number=_end_number(end), g=g, b=b)
        return None

    def _core_at_end(self, ends: list[CimObject]) -> TransformerCoreAdmittance | None:
        """The first admittance that an end states itself."""
        for end in ends:
            g, b = (self._numbers.some(end, f"PowerTransformerEnd.{part}", 0.0) for part in ("g", "b"))
            if g or b:
                return TransformerCoreAdmittance(end_number=_end_number(end), g=g, b=b)
        return None

    def _no_load(self, infos: dict[int, CimObject]) -> TransformerCoreAdmittance | None:
        """What follows from the no-load test of a type of tank (61968-11)."""
        numbers = self._numbers
        for number, info in sorted(infos.items()):
            for test in self._model.pointing("NoLoadTest.EnergisedEnd", info):
                volts = numbers.first(test, "NoLoadTest.energisedEndVoltage") or numbers.of(
                    info, "TransformerEndInfo.ratedU"
                )
                power = numbers.first(test, "TransformerTest.basePower") or numbers.of(
                    info, "TransformerEndInfo.ratedS"
                )
                if volts and power:
                    g = numbers.some(test, "NoLoadTest.loss", 0.0) * _KW / volts**2
                    y = numbers.some(test, "NoLoadTest.excitingCurrent", 0.0) / _PER_CENT * power / volts**2
                    return TransformerCoreAdmittance(end_number=number, g=g, b=-sqrt(max(y**2 - g**2, 0.0)))
        return None

    def _base_power(self, test: CimObject, info: CimObject) -> float | None:
        stated = self._numbers.of(test, "TransformerTest.basePower")
        return stated or self._numbers.of(info, "TransformerEndInfo.ratedS")

    def _sorted(self, association: str, target: CimObject) -> list[CimObject]:
        return sorted(self._model.pointing(association, target), key=_end_number)


def connection_of(literal: str | None) -> WindingConnection | None:
    """A connection that the noun knows; the ``G`` of a shunt is an earthed star."""
    if literal == "G":
        return WindingConnection.YN
    return WindingConnection(literal) if literal in set(WindingConnection) else None


def _impedance(
    ends: tuple[int, int], r: float, x: float, r0: float | None = None, x0: float | None = None
) -> TransformerMeshImpedance:
    return TransformerMeshImpedance(from_end_number=ends[0], to_end_number=ends[1], r=r, x=x, r0=r0, x0=x0)


def _end_number(end: CimObject) -> int:
    return int(end.values.get("TransformerEnd.endNumber", "1"))
