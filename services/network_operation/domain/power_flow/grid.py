"""The electrical model as arrays: what of a power flow does not change when something is switched.

Phases are bits (A 1, B 2, C 4) and, in arrays with a last axis of three, A, B, C. Impedances are ohms, admittances
siemens, powers W and var, voltages V; a nominal voltage is from phase to phase.
"""

from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import Raw, Struct, field, json
from numpy.typing import NDArray

from contracts.nouns.electrical_models import (
    ElectricalLine,
    ElectricalLoad,
    ElectricalModel,
    ElectricalShunt,
    PerLengthPhaseImpedance,
    PerLengthSequenceImpedance,
    PhasePower,
    WindingConnection,
)
from contracts.types import attribute
from services.network_operation.domain.power_flow.banks import banked
from services.network_operation.domain.power_flow.phases import LETTERS, PAIRS, mask_of
from services.network_operation.domain.power_flow.rows import (
    Complex,
    Floats,
    Truths,
    Whole,
    floats,
    limits,
    places,
    whole,
)
from services.network_operation.domain.power_flow.transformers import Banks

EARTH = -1
"""The second phase of a load that lies between one phase and earth."""

LOAD, GENERATION, SHUNT = range(3)
"""What a row of the injections is."""

ZERO_SEQUENCE = 3.0
"""Ohms of the zero sequence for each of the positive one, where the model states none; a power flow that is balanced
does not depend on it. [P]"""

LEAST_OHM = 1e-4
"""No line is taken for shorter than this, so that its two nodes can be told apart."""


class Lines(Struct, frozen=True, kw_only=True):
    """Lines by row: ``z`` and ``b`` are matrices, on the phases that a line does not have only a filling."""

    mrid: tuple[str, ...]
    node1: Whole
    node2: Whole
    phases: Whole
    z: Complex
    b: Floats
    known: Truths
    limits: Floats


class Switches(Struct, frozen=True, kw_only=True):
    """Switches by row."""

    mrid: tuple[str, ...]
    node1: Whole
    node2: Whole
    phases: Whole
    limits: Floats


class Injections(Struct, frozen=True, kw_only=True):
    """Loads, infeeds and shunts by row, each on one phase or between two: what it takes at nominal voltage.

    ``parts`` are the powers that are constant in power, in current and in impedance; ``kind`` is :data:`LOAD`,
    :data:`GENERATION` or :data:`SHUNT`.
    """

    mrid: tuple[str, ...]
    node: Whole
    first: Whole
    second: Whole
    parts: Complex
    kind: Whole


class Sources(Struct, frozen=True, kw_only=True):
    """Sources by row: voltage per unit and angle in radians behind an impedance of the positive and zero sequence."""

    mrid: tuple[str, ...]
    node: Whole
    volts: Floats
    angle: Floats
    z: Complex


class Grid(Struct, frozen=True, kw_only=True):
    """All feeders together; ``assumed`` says what was filled in because the model leaves it out."""

    nodes: tuple[str, ...]
    place: dict[str, int]
    nominal: Floats
    lines: Lines
    switches: Switches
    banks: Banks
    injections: Injections
    sources: Sources
    assumed: tuple[str, ...]

    @property
    def has_impedances(self) -> bool:
        """False for a model of which not one branch has an impedance."""
        return bool(self.lines.known.any()) or self.banks.any_known


def packed(models: Iterable[ElectricalModel]) -> bytes:
    """The electrical data of all feeders as one value that can be kept and sent to another process."""
    return json.encode(tuple(models))


class _Named(Struct):
    mrid: str = field(name=attribute("mrid"))


@lru_cache(maxsize=1)
def _by_feeder(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """What was packed of each feeder, as it stands; one may come several times."""
    parts = json.decode(data, type=tuple[Raw, ...])
    return tuple((json.decode(each, type=_Named).mrid, bytes(each)) for each in parts)


def part_of(data: bytes, feeders: Container[str]) -> bytes:
    """What was packed of some feeders: what is about a question is soon sent, and soon compiled."""
    return b"[" + b",".join(each for feeder, each in _by_feeder(data) if feeder in feeders) + b"]"


@lru_cache(maxsize=32)
def unpacked(data: bytes) -> Grid:
    """The grid that was :func:`packed`; the same data are compiled once in a process."""
    return compiled(json.decode(data, type=tuple[ElectricalModel, ...]))


def compiled(models: Sequence[ElectricalModel]) -> Grid:
    """The grid of some feeders or of parts of them."""
    nodes = {node.mrid: node.nominal_voltage for model in models for node in model.node}
    place = {mrid: number for number, mrid in enumerate(nodes)}
    nominal = floats(np.nan if volts is None else volts for volts in nodes.values())
    assumed: dict[str, None] = {}
    lines = _lines(models, place, assumed)
    banks = banked([each for model in models for each in model.transformer], place, nominal, assumed)
    return Grid(
        nodes=tuple(nodes),
        place=place,
        nominal=nominal,
        lines=lines,
        switches=_switches(models, place),
        banks=banks,
        injections=_injections(models, place, nominal),
        sources=_sources(models, place, nominal),
        assumed=tuple(assumed),
    )


def _lines(models: Sequence[ElectricalModel], place: dict[str, int], assumed: dict[str, None]) -> Lines:
    every = [line for model in models for line in model.line if line.node1 in place and line.node2 in place]
    matrices = {each.mrid: _matrix(each) for model in models for each in model.per_length_phase_impedance}
    sequences = {each.mrid: each for model in models for each in model.per_length_sequence_impedance}
    z = np.zeros((len(every), 3, 3), dtype=complex)
    b = np.zeros((len(every), 3, 3))
    known = np.zeros(len(every), dtype=bool)
    for row, line in enumerate(every):
        found = _impedance(line, matrices, sequences, assumed)
        if found is not None:
            z[row], b[row] = found
            known[row] = True
    return Lines(
        mrid=tuple(line.mrid for line in every),
        node1=places(place, (line.node1 for line in every)),
        node2=places(place, (line.node2 for line in every)),
        phases=whole(mask_of(line.phases) for line in every),
        z=z,
        b=b,
        known=known,
        limits=limits((line.normal_limit, line.emergency_limit) for line in every),
    )


def _impedance(
    line: ElectricalLine,
    matrices: dict[str, tuple[Complex, Floats]],
    sequences: dict[str, PerLengthSequenceImpedance],
    assumed: dict[str, None],
) -> tuple[Complex, Floats] | None:
    """The matrices of a whole line, or None where nothing is stated."""
    named, length = line.per_length_impedance, line.length or 0.0
    if named in matrices:
        order = line.phase_order or line.phases.value
        z, b = matrices[named]
        return _placed(z * length, b * length, order) if len(order) == len(z) else None
    stated: ElectricalLine | PerLengthSequenceImpedance | None = sequences.get(named) if named else line
    if stated is None or stated.r is None or stated.x is None:
        return None
    scale = length if named else 1.0
    z1, b1 = complex(stated.r, stated.x) * scale, (stated.bch or 0.0) * scale
    if stated.r0 is None or stated.x0 is None:
        assumed["the zero sequence of lines is taken as three times the positive one"] = None
        z0, b0 = ZERO_SEQUENCE * z1, b1 / ZERO_SEQUENCE
    else:
        z0 = complex(stated.r0, stated.x0) * scale
        b0 = b1 if stated.b0ch is None else stated.b0ch * scale
    return _placed(symmetric(z1, z0), symmetric(b1, b0), LETTERS, line.phases.value)


def symmetric(positive: complex, zero: complex) -> NDArray[Any]:
    """The matrix of three phases that has these components."""
    own, mutual = (zero + 2 * positive) / 3, (zero - positive) / 3
    return np.where(np.eye(3, dtype=bool), own, mutual)


def _placed(z: NDArray[Any], b: NDArray[Any], order: str, kept: str | None = None) -> tuple[Complex, Floats]:
    """Matrices with rows in ``order`` as matrices of A, B, C; an earthed neutral is eliminated (Kron).

    A phase that the line does not have gets the mean of the others, uncoupled: nothing flows there.
    """
    neutral = [row for row, letter in enumerate(order) if letter not in LETTERS]
    phases = [row for row, letter in enumerate(order) if letter in LETTERS and (kept is None or letter in kept)]
    if neutral:
        own, mutual, far = z[np.ix_(phases, phases)], z[np.ix_(phases, neutral)], z[np.ix_(neutral, neutral)]
        reduced = own - mutual @ np.linalg.solve(far, mutual.T)
    else:
        reduced = z[np.ix_(phases, phases)]
    places = [LETTERS.index(order[row]) for row in phases]
    whole_z = np.eye(3, dtype=complex) * (np.trace(reduced) / max(1, len(phases)))
    whole_b = np.zeros((3, 3))
    whole_z[np.ix_(places, places)] = reduced
    whole_b[np.ix_(places, places)] = b[np.ix_(phases, phases)].real
    short = np.abs(np.diag(whole_z)) < LEAST_OHM
    whole_z[short, short] = LEAST_OHM
    return whole_z, whole_b


def _matrix(impedance: PerLengthPhaseImpedance) -> tuple[Complex, Floats]:
    count = impedance.conductor_count
    z, b = np.zeros((count, count), dtype=complex), np.zeros((count, count))
    for each in impedance.phase_impedance_data:
        row, column = each.row - 1, each.column - 1
        z[row, column] = z[column, row] = complex(each.r, each.x)
        b[row, column] = b[column, row] = each.b
    return z, b


def _switches(models: Sequence[ElectricalModel], place: dict[str, int]) -> Switches:
    every = [each for model in models for each in model.switch if each.node1 in place and each.node2 in place]
    return Switches(
        mrid=tuple(each.mrid for each in every),
        node1=places(place, (each.node1 for each in every)),
        node2=places(place, (each.node2 for each in every)),
        phases=whole(mask_of(each.phases) for each in every),
        limits=limits(
            (each.rated_current if each.normal_limit is None else each.normal_limit, each.emergency_limit)
            for each in every
        ),
    )


class _Row(Struct, frozen=True):
    mrid: str
    node: int
    first: int
    second: int
    parts: tuple[complex, complex, complex]
    kind: int


def _injections(models: Sequence[ElectricalModel], place: dict[str, int], nominal: Floats) -> Injections:
    rows: list[_Row] = []
    for model in models:
        for load in model.load:
            if load.node in place:
                rows.extend(_load_rows(load, place[load.node]))
        for each in model.generation:
            powers = _powers(each.phase_power, each.phases.value, each.p, each.q)
            where = place.get(each.node)
            if where is not None:
                rows.extend(
                    _Row(each.mrid, where, phase, EARTH, (-power, 0j, 0j), kind=GENERATION) for phase, power in powers
                )
        for shunt in model.shunt:
            if shunt.node in place:
                rows.extend(_shunt_rows(shunt, place[shunt.node], nominal[place[shunt.node]]))
    return Injections(
        mrid=tuple(row.mrid for row in rows),
        node=whole(row.node for row in rows),
        first=whole(row.first for row in rows),
        second=whole(row.second for row in rows),
        parts=np.array([row.parts for row in rows], dtype=complex).reshape(len(rows), 3),
        kind=whole(row.kind for row in rows),
    )


def _load_rows(load: ElectricalLoad, node: int) -> Iterable[_Row]:
    response = load.load_response
    current = impedance = 0j
    if response is not None:
        current = complex(response.p_constant_current, response.q_constant_current) / 100
        impedance = complex(response.p_constant_impedance, response.q_constant_impedance) / 100
    power = complex(1, 1) - current - impedance
    is_delta = load.phase_connection is WindingConnection.D
    for first, second, s in _between(load, is_delta=is_delta):
        parts = tuple(complex(s.real * share.real, s.imag * share.imag) for share in (power, current, impedance))
        yield _Row(load.mrid, node, first, second, (parts[0], parts[1], parts[2]), kind=LOAD)


def _between(load: ElectricalLoad, *, is_delta: bool) -> Iterable[tuple[int, int, complex]]:
    """The phases between which parts of a load lie, and what each takes."""
    letters = load.phases.value
    powers = _powers(load.phase_power, letters, load.p, load.q)
    if not is_delta:
        return [(phase, EARTH, power) for phase, power in powers]
    if len(powers) == 2:  # noqa: PLR2004 - two phases are one load between them
        (one, first), (other, second) = powers
        return [(one, other, first + second)]
    return [(phase, PAIRS[phase], power) for phase, power in powers]


def _powers(stated: Sequence[PhasePower], phases: str, p: float | None, q: float | None) -> list[tuple[int, complex]]:
    """The power of each phase; what is stated in all is spread evenly. Legs are taken together on their phase."""
    letters = [letter for letter in phases if letter in LETTERS]
    if not stated:
        whole = complex(p or 0.0, q or 0.0)
        return [(LETTERS.index(letter), whole / len(letters)) for letter in letters]
    found: dict[int, complex] = {}
    for each in stated:
        if each.phase in LETTERS:
            shares = {LETTERS.index(each.phase): 1.0}
        else:
            shares = {LETTERS.index(letter): 1 / len(letters) for letter in letters}
        for phase, share in shares.items():
            found[phase] = found.get(phase, 0j) + complex(each.p, each.q) * share
    return sorted(found.items())


def _shunt_rows(shunt: ElectricalShunt, node: int, nominal: float) -> Iterable[_Row]:
    y = complex(shunt.g, -shunt.b)
    is_delta = shunt.phase_connection is WindingConnection.D
    for letter in shunt.phases.value:
        if letter in LETTERS:
            phase = LETTERS.index(letter)
            volts2 = nominal**2 if is_delta else nominal**2 / 3
            second = PAIRS[phase] if is_delta else EARTH
            yield _Row(shunt.mrid, node, phase, second, (0j, 0j, y * volts2), kind=SHUNT)


def _sources(models: Sequence[ElectricalModel], place: dict[str, int], nominal: Floats) -> Sources:
    every = [each for model in models for each in model.source if each.node in place]
    nodes = places(place, (each.node for each in every))
    volts = [
        (each.voltage_magnitude or each.nominal_voltage or nominal[node]) / nominal[node]
        for each, node in zip(every, nodes, strict=True)
    ]
    positive = [complex(each.r or 0.0, each.x or 0.0) for each in every]
    zero = [
        complex(each.r0 or 0.0, each.x0 or 0.0) or ZERO_SEQUENCE * own
        for each, own in zip(every, positive, strict=True)
    ]
    return Sources(
        mrid=tuple(each.mrid for each in every),
        node=nodes,
        volts=floats(volts),
        angle=floats(each.voltage_angle or 0.0 for each in every),
        z=np.array(list(zip(positive, zero, strict=True)), dtype=complex).reshape(len(every), 2),
    )
