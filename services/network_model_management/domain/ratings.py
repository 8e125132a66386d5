"""What is odd about the electrical data: rules V7, V8, V9 and V11 of the guide (section 3.14).

Nothing here refuses a model. What a whole feeder leaves out is one finding of that feeder; what one object says and
cannot be is a finding of that object.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from contracts.nouns.electrical_models import ElectricalLine, ElectricalModel, ElectricalTransformer, TransformerEnd
from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.network_models import ModelFindingKind
from services.network_model_management.domain.connectivity import LOW_VOLTAGE_V
from services.network_model_management.domain.model import Finding

PLAUSIBLE_R, PLAUSIBLE_X = (0.01, 10.0), (0.01, 2.0)
"""Ohms for each kilometre of a distribution line, from the thickest conductor to a thin wire of iron [P]."""

LEAST_LENGTH_M = 1.0
"""What is shorter is a jumper on paper, and its impedance says nothing of a conductor."""

POINTS_PER_KVA = 1.0
"""More usage points than this for each kVA of their transformer are too many [P]; ten homes share 25 kVA [GK]."""

_METRES = 1000.0
_VA = 1000.0


def electrical_findings(models: Iterable[ElectricalModel], feeders: tuple[Feeder, ...]) -> Iterator[Finding]:
    """Transformers that are told in part, ratings that are missing or zero, odd impedances, and who hangs on what."""
    models = tuple(models)
    for model in models:
        for transformer in model.transformer:
            yield from _incomplete(transformer)
        kilometres = _impedances(model)
        for line in model.line:
            yield from _implausible(line, _per_km(line, kilometres))
        yield from _ratings(model)
    yield from _usage_points(models, feeders)


def _ends(transformer: ElectricalTransformer) -> list[TransformerEnd]:
    return [
        *transformer.transformer_end,
        *(end for tank in transformer.transformer_tank for end in tank.transformer_end),
    ]


def _incomplete(transformer: ElectricalTransformer) -> Iterator[Finding]:
    """V7: every winding has a rated voltage and a rated power."""
    for number, what in ((0, "rated voltage"), (1, "rated power")):
        lacking = [end.end_number for end in _ends(transformer) if not (end.rated_u, end.rated_s)[number]]
        if lacking:
            text = f"PowerTransformer without a {what} at end {', '.join(map(str, sorted(set(lacking))))}"
            yield Finding(kind=ModelFindingKind.INCOMPLETE_TRANSFORMER, mrid=transformer.mrid, text=text)


def _ratings(model: ElectricalModel) -> Iterator[Finding]:
    """V8: lines and switches have a limit, and none is zero."""
    lines = [(each.mrid, each.normal_limit, each.emergency_limit) for each in model.line]
    switches = [(each.mrid, each.rated_current, each.normal_limit) for each in model.switch]
    for kind, told in (("lines", lines), ("switches", switches)):
        missing = sum(all(limit is None for limit in limits) for _, *limits in told)
        if missing:
            text = f"Feeder of which {missing} of {len(told)} {kind} have no rating"
            yield Finding(kind=ModelFindingKind.MISSING_RATING, mrid=model.mrid, text=text)
        for mrid, *limits in told:
            if any(limit is not None and limit <= 0 for limit in limits):
                text = "with a rating of no current at all"
                yield Finding(kind=ModelFindingKind.MISSING_RATING, mrid=mrid, text=text)


PerKm = tuple[float, float]
"""Resistance and reactance in ohms for each kilometre."""


def _implausible(line: ElectricalLine, told: PerKm | None) -> Iterator[Finding]:
    """V9: resistance and reactance for each kilometre are those of a line."""
    for name, value, (least, most) in zip("rx", told or (), (PLAUSIBLE_R, PLAUSIBLE_X), strict=False):
        if not least <= value <= most:
            text = f"ACLineSegment with {name} of {value:.3g} ohm/km, which is not between {least:g} and {most:g}"
            yield Finding(kind=ModelFindingKind.IMPLAUSIBLE_IMPEDANCE, mrid=line.mrid, text=text)


def _impedances(model: ElectricalModel) -> dict[str, PerKm]:
    """What each impedance that lines share is for a kilometre; of a matrix that of its first phase."""
    found = {each.mrid: (each.r * _METRES, each.x * _METRES) for each in model.per_length_sequence_impedance}
    for matrix in model.per_length_phase_impedance:
        for each in matrix.phase_impedance_data:
            if each.row == each.column == 1:
                found[matrix.mrid] = each.r * _METRES, each.x * _METRES
    return found


def _per_km(line: ElectricalLine, impedances: dict[str, PerKm]) -> PerKm | None:
    if line.per_length_impedance is not None:
        return impedances.get(line.per_length_impedance)
    if line.r is None or line.x is None or line.length is None or line.length < LEAST_LENGTH_M:
        return None
    return line.r / line.length * _METRES, line.x / line.length * _METRES


def _usage_points(models: tuple[ElectricalModel, ...], feeders: tuple[Feeder, ...]) -> Iterator[Finding]:
    """V11: a usage point at low voltage has a transformer, which is large enough for all of its own."""
    volts = {node.mrid: node.nominal_voltage for model in models for node in model.node}
    power = {each.mrid: _rated_va(each) for model in models for each in model.transformer}
    points = [point for feeder in feeders for point in feeder.usage_point]
    fed = Counter(point.transformer for point in points if point.transformer is not None)
    for point in points:
        voltage = volts.get(point.node)
        if point.transformer is None and voltage is not None and voltage <= LOW_VOLTAGE_V:
            text = f"UsagePoint at {voltage:g} V that no transformer supplies in the normal state"
            yield Finding(kind=ModelFindingKind.NO_TRANSFORMER, mrid=point.mrid, text=text)
    for mrid, count in sorted(fed.items()):
        kva = power.get(mrid, 0.0) / _VA
        if kva and count > POINTS_PER_KVA * kva:
            text = f"PowerTransformer of {kva:g} kVA that supplies {count} usage points"
            yield Finding(kind=ModelFindingKind.CROWDED_TRANSFORMER, mrid=mrid, text=text)


def _rated_va(transformer: ElectricalTransformer) -> float:
    """What the first winding may pass on, of all units of a bank together."""
    if transformer.transformer_tank:
        first = [end for tank in transformer.transformer_tank for end in tank.transformer_end if end.end_number == 1]
    else:
        first = [end for end in transformer.transformer_end if end.end_number == 1]
    return sum(end.rated_s or 0.0 for end in first)
