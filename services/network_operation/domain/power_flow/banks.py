"""Transformers as arrays: what power-grid-model can represent, and what is collapsed because it cannot.

Four kinds are told apart (guide 3.11):

- three-phase *units* of two windings, and banks of three equal tanks that are one;
- *triples* of three windings;
- *regulators*: single-phase tanks from a phase to the same phase, each with taps of its own. power-grid-model knows one
  tap for three phases, so a regulator is a line with the matrix ``z a`` between its nodes and a shunt at each of them,
  ``(1 - 1/a) / z`` and ``(1/a - 1) / (z a)``, which together are exactly the ratio ``a`` behind ``z``;
- *collapsed* tanks (centre-tapped, open wye, open delta, unequal units): the load behind them hangs on their primary
  phases together with their losses, and what lies behind them has the voltage of their secondary side.

Longer than 400 lines because the four kinds share the arrays of one transformer and are read side by side.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from msgspec.structs import replace

from contracts.nouns.electrical_models import (
    ElectricalTransformer,
    RatioTapChanger,
    TransformerCoreAdmittance,
    TransformerEnd,
    TransformerMeshImpedance,
    TransformerTank,
    WindingConnection,
)
from services.network_operation.domain.power_flow.phases import LETTERS
from services.network_operation.domain.power_flow.rows import Floats
from services.network_operation.domain.power_flow.tanks import direction, is_one_unit, letters_of
from services.network_operation.domain.power_flow.transformers import (
    DELTA,
    WYE,
    WYE_N,
    ZIGZAG,
    ZIGZAG_N,
    Banks,
    Collapsed,
    Regulator,
    Tanks,
    Tap,
    Unit,
    Winding,
)

_WINDINGS = {
    None: WYE_N,
    WindingConnection.A: WYE_N,
    WindingConnection.D: DELTA,
    WindingConnection.I: WYE_N,
    WindingConnection.Y: WYE,
    WindingConnection.YN: WYE_N,
    WindingConnection.Z: ZIGZAG,
    WindingConnection.ZN: ZIGZAG_N,
}
_EARTHED = {WYE: WYE_N, ZIGZAG: ZIGZAG_N}
_ISOLATED = {WYE_N: WYE, ZIGZAG_N: ZIGZAG}

LEAST_PU = 1e-6
"""No short-circuit voltage is taken for smaller."""

_TWO, _THREE = 2, 3
_DEFAULT_VA = 1e6


def banked(
    transformers: Sequence[ElectricalTransformer], place: dict[str, int], nominal: Floats, assumed: dict[str, None]
) -> Banks:
    """The transformers in the kinds that are computed differently."""
    sorting = _Sorting(place, nominal, assumed)
    for each in transformers:
        sorting.take(each)
    return Banks(
        units=tuple(sorting.units),
        regulators=tuple(sorting.regulators),
        collapsed=tuple(sorting.collapsed),
        tanks=Tanks.of(sorting.collapsed),
        unknown=tuple(sorting.unknown),
    )


class _Sorting:
    def __init__(self, place: dict[str, int], nominal: Floats, assumed: dict[str, None]) -> None:
        self.units: list[Unit] = []
        self.regulators: list[Regulator] = []
        self.collapsed: list[Collapsed] = []
        self.unknown: list[tuple[str, tuple[int, ...]]] = []
        self._place = place
        self._nominal = nominal
        self._assumed = assumed

    def take(self, each: ElectricalTransformer) -> None:
        tanks = each.transformer_tank
        ends = each.transformer_end or tuple(end for tank in tanks for end in tank.transformer_end)
        nodes = tuple(self._place[end.node] for end in ends if end.node in self._place)
        complete = len(nodes) == len(ends) and all(unit.transformer_mesh_impedance for unit in tanks or (each,))
        if not complete or (not tanks and len(ends) not in {_TWO, _THREE}):
            self.unknown.append((each.mrid, nodes))
        elif not tanks:
            self._unit(each, each.transformer_end, each.transformer_mesh_impedance, each.transformer_core_admittance)
        elif len(tanks) == 1 and all(letters_of(end) == LETTERS for end in ends):
            tank = tanks[0]
            self._unit(each, ends, tank.transformer_mesh_impedance, tank.transformer_core_admittance)
        elif self._is_regulator(tanks):
            self._regulator(each)
        elif is_one_unit(tanks):
            self._bank(each)
        else:
            for tank in tanks:
                self._collapse(each, tank)

    def _unit(
        self,
        each: ElectricalTransformer,
        ends: Sequence[TransformerEnd],
        mesh: Sequence[TransformerMeshImpedance],
        core: TransformerCoreAdmittance | None,
        kinds: tuple[tuple[int, int], ...] = (),
    ) -> None:
        """A transformer with its windings; ``kinds`` are connection and clock where the ends do not say them."""
        windings = tuple(
            self._winding(end, *(kinds[number] if kinds else self._kind(end, ends[0])))
            for number, end in enumerate(ends)
        )
        place = {end.end_number: number for number, end in enumerate(ends)}
        between: dict[frozenset[int], complex] = {}
        for each_z in mesh:
            pair = (place.get(each_z.from_end_number), place.get(each_z.to_end_number))
            if pair[0] is not None and pair[1] is not None:
                one, other = windings[pair[0]], windings[pair[1]]
                base_ohm = one.volts**2 / min(one.power, other.power)
                between[frozenset((pair[0], pair[1]))] = complex(each_z.r, each_z.x) / base_ohm
        pairs = [(one, other) for one in range(len(windings)) for other in range(one + 1, len(windings))]
        if not all(frozenset(pair) in between for pair in pairs):
            self.unknown.append((each.mrid, tuple(winding.node for winding in windings)))
            return
        first = windings[0]
        y = 0j
        if core is not None:
            at = windings[place.get(core.end_number, 0)]
            y = complex(core.g, core.b) * at.volts**2 / first.power
        self.units.append(
            Unit(
                mrid=each.mrid,
                windings=windings,
                z=tuple(_not_short(between[frozenset(pair)]) for pair in pairs),
                core=y,
                limits=_limits(each, first.power / (sqrt(3) * first.volts)),
            )
        )

    def _winding(self, end: TransformerEnd, kind: int, clock: int) -> Winding:
        node = self._place[end.node]
        volts = end.rated_u or float(self._nominal[node])
        return Winding(
            node=node,
            volts=volts,
            power=end.rated_s or _DEFAULT_VA,
            kind=kind,
            clock=clock,
            earthing=complex(end.rground or 0.0, end.xground or 0.0),
            tap=self._tap(end, end.end_number - 1, None),
        )

    def _kind(self, end: TransformerEnd, first: TransformerEnd) -> tuple[int, int]:
        """Connection and clock; a clock that the connections do not allow becomes the next that they do."""
        kind = _WINDINGS[end.connection_kind]
        if end.connection_kind is None:
            self._assumed["windings without a connection are taken as earthed stars"] = None
        if end.grounded is not None:
            kind = _EARTHED.get(kind, kind) if end.grounded else _ISOLATED.get(kind, kind)
        clock = end.phase_angle_clock or 0
        is_odd = _turns(kind) != _turns(_WINDINGS[first.connection_kind])
        if clock % 2 != is_odd:
            if end.phase_angle_clock is not None or is_odd:
                self._assumed["clocks that do not go with the connection of the windings are taken one further"] = None
            clock += 1
        return kind, clock % 12

    def _bank(self, each: ElectricalTransformer) -> None:
        """Three equal tanks as one transformer of three times their rating."""
        tank = each.transformer_tank[0]
        whole = []
        kinds = []
        shift = 0.0
        for number, end in enumerate(tank.transformer_end):
            letters = letters_of(end)
            is_delta = len(letters) == _TWO
            volts = self._tank_volts(end)
            whole.append((volts if is_delta else volts * sqrt(3), (end.rated_s or _DEFAULT_VA) * 3, end))
            shift += (1 if number == 0 else -1) * direction(letters)
            kinds.append((DELTA if is_delta else WYE_N, 0))
        # twelfths by which phase A at the second winding lags
        kinds[1] = (kinds[1][0], round(-shift / 30) % 12)
        ends = [
            TransformerEnd(end_number=end.end_number, node=end.node, rated_u=volts, rated_s=power)
            for volts, power, end in whole
        ]
        mesh = tank.transformer_mesh_impedance[0]
        factor = (whole[mesh.from_end_number - 1][0] / self._tank_volts(whole[mesh.from_end_number - 1][2])) ** 2 / 3
        scaled = TransformerMeshImpedance(
            from_end_number=mesh.from_end_number,
            to_end_number=mesh.to_end_number,
            r=mesh.r * factor,
            x=mesh.x * factor,
        )
        core = tank.transformer_core_admittance
        if core is not None:
            at = whole[core.end_number - 1]
            factor = (at[0] / self._tank_volts(at[2])) ** 2 / 3
            core = TransformerCoreAdmittance(end_number=core.end_number, g=core.g / factor, b=core.b / factor)
        self._unit(each, ends, (scaled,), core, tuple(kinds))

    def _is_regulator(self, tanks: Sequence[TransformerTank]) -> bool:
        """True where each tank goes from a phase to the same phase between nodes of one nominal voltage."""
        found = set()
        for tank in tanks:
            if len(tank.transformer_end) != _TWO:
                return False
            one, other = (letters_of(end) for end in tank.transformer_end)
            volts = [self._nominal[self._place[end.node]] for end in tank.transformer_end]
            if len(one) != 1 or one != other or one in found or volts[0] != volts[1]:
                return False
            found.add(one)
        nodes = {tuple(end.node for end in tank.transformer_end) for tank in tanks}
        return len(nodes) == 1

    def _regulator(self, each: ElectricalTransformer) -> None:
        z, ratio, core = [0j] * 3, [1.0] * 3, [0j] * 3
        taps: list[Tap] = []
        phases = 0
        for tank in each.transformer_tank:
            one, other = tank.transformer_end
            phase = LETTERS.index(letters_of(one))
            phases |= 1 << phase
            mesh = tank.transformer_mesh_impedance[0]
            volts = self._tank_volts(one)
            ratio[phase] = self._tank_volts(other) / volts
            least = LEAST_PU * volts**2 / (one.rated_s or _DEFAULT_VA)
            z[phase] = _not_short(_at_first(mesh, ratio[phase]), least)
            core[phase] = _core(tank, volts, [self._tank_volts(end) for end in tank.transformer_end])
            taps.extend(tap for side, end in enumerate((one, other)) if (tap := self._tap(end, side, phase)))
        present = [value for value in z if value]
        first = each.transformer_tank[0].transformer_end
        rated = (first[0].rated_s or np.nan) / self._tank_volts(first[0])
        filled = [value or present[0] for value in z]
        self.regulators.append(
            Regulator(
                mrid=each.mrid,
                node1=self._place[first[0].node],
                node2=self._place[first[1].node],
                phases=phases,
                z=(filled[0], filled[1], filled[2]),
                ratio=(ratio[0], ratio[1], ratio[2]),
                core=(core[0], core[1], core[2]),
                taps=tuple(taps),
                limits=_limits(each, rated),
            )
        )

    def _collapse(self, each: ElectricalTransformer, tank: TransformerTank) -> None:
        first = tank.transformer_end[0]
        letters = [LETTERS.index(letter) for letter in letters_of(first)]
        if not letters or len(letters) > _TWO or len(tank.transformer_end) < _TWO:
            self.unknown.append((each.mrid, tuple(self._place[end.node] for end in tank.transformer_end)))
            return
        self._assumed["banks that cannot be represented are collapsed to their load and losses"] = None
        volts = self._tank_volts(first)
        every = [self._tank_volts(end) for end in tank.transformer_end]
        self.collapsed.append(
            Collapsed(
                mrid=each.mrid,
                node1=self._place[first.node],
                node2=self._place[tank.transformer_end[1].node],
                first=letters[0],
                second=letters[1] if len(letters) == _TWO else -1,
                z=_through(tank, every),
                core=_core(tank, volts, every),
                volts=volts,
                limits=_limits(each, (first.rated_s or np.nan) / volts),
            )
        )

    def _tank_volts(self, end: TransformerEnd) -> float:
        """The voltage of a winding of a tank: as stated, else that between its phases, half of it for one leg."""
        nominal = float(self._nominal[self._place[end.node]])
        if "s" in (end.ordered_phases or ""):
            return end.rated_u or nominal / 2
        return end.rated_u or (nominal if len(letters_of(end)) == _TWO else nominal / sqrt(3))

    def _tap(self, end: TransformerEnd, side: int, phase: int | None) -> Tap | None:
        taps: RatioTapChanger | None = end.ratio_tap_changer
        if taps is None:
            return None
        tap = Tap(
            mrid=taps.mrid,
            side=side,
            phase=phase,
            step=taps.step,
            low=taps.low_step,
            high=taps.high_step,
            neutral=taps.neutral_step,
            increment=taps.step_voltage_increment / 100,
        )
        control = taps.tap_changer_control
        if control is None or not control.enabled:
            return tap
        drop = 0j
        if control.line_drop_compensation and taps.ct_rating:
            drop = complex(control.line_drop_r or 0.0, control.line_drop_x or 0.0) / taps.ct_rating
        monitored = control.monitored_phase
        return replace(
            tap,
            controlled=tap.high > tap.low,
            target=control.target_value,
            band=control.target_deadband or 0.0,
            pt=taps.pt_ratio or 1.0,
            drop=drop,
            node=None if control.node is None else self._place.get(control.node),
            monitored=LETTERS.index(monitored) if monitored in set(LETTERS) else None,
        )


def _turns(kind: int) -> bool:
    """True for a winding that turns the voltage by an odd number of twelfths against a star."""
    return kind in {DELTA, ZIGZAG, ZIGZAG_N}


def _not_short(z: complex, least: float = LEAST_PU) -> complex:
    return z if abs(z) >= least else complex(0.0, least)


def _at_first(mesh: TransformerMeshImpedance, ratio: float) -> complex:
    """The impedance of a tank of two windings, at its first."""
    z = complex(mesh.r, mesh.x)
    return z if mesh.from_end_number == 1 else z / ratio**2


def _through(tank: TransformerTank, volts: Sequence[float]) -> complex:
    """The impedance from the first winding to the load behind the others, in ohms at the first.

    Of a centre-tapped winding both legs are loaded alike, so half of what one leg adds is passed.
    """
    found = {
        frozenset((each.from_end_number, each.to_end_number)): complex(each.r, each.x)
        * (volts[0] / volts[each.from_end_number - 1]) ** 2
        for each in tank.transformer_mesh_impedance
        if each.from_end_number <= len(volts)
    }
    to_leg = found.get(frozenset((1, 2)), 0j)
    if len(volts) == _TWO:
        return _not_short(to_leg, LEAST_PU)
    other, across = found.get(frozenset((1, 3)), to_leg), found.get(frozenset((2, 3)), to_leg)
    own = (to_leg + other - across) / 2
    return _not_short(own + ((to_leg + other) / 2 - own) / 2, LEAST_PU)


def _core(tank: TransformerTank, volts: float, every: Sequence[float]) -> complex:
    """The admittance of the core of a tank, in siemens at its first winding."""
    core = tank.transformer_core_admittance
    return 0j if core is None else complex(core.g, core.b) * (every[core.end_number - 1] / volts) ** 2


def _limits(each: ElectricalTransformer, rated: float) -> tuple[float, float]:
    """Amperes for always and in an emergency at the first end; where nobody states them, those of the rating."""
    normal = each.normal_limit or rated
    return normal, each.emergency_limit or normal
