"""ElectricalModels: the electrical data of the network as built, enough to compute its currents and voltages.

Ours [P]; Part 13 leaves the exchange of models open, and its documents (61970-301 and 61968-11 in RDF/XML) say the
same thing in many ways. This noun says it in one: an association is followed, a test of a transformer is turned into
ohms and siemens, a limit into amperes. Names are those of the CIM classes; units are ohms, siemens, metres, volts,
amperes, volt-amperes, watts, vars and radians. What the document does not say is absent; nothing is made up for it.

A reply tells one feeder in each part, and a large one in several parts: several :class:`ElectricalModel` of one mRID,
whose lists are to be put together. A per-length impedance is told to each feeder that uses it. Phases are primary
phases, as in :mod:`contracts.nouns.feeder_topology`, but for the legs ``s1`` and ``s2`` in ``ordered_phases``.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.units import PhaseCode
from contracts.types import Name, attribute

NAMESPACE = "urn:busbar:2026:ElectricalModels#"


class WindingConnection(StrEnum):
    """How the windings of a transformer end or the phases of a load are connected; ``n`` means an earthed neutral."""

    A = "A"
    D = "D"
    I = "I"  # noqa: E741 - the literal of the CIM for a single-phase winding
    Y = "Y"
    YN = "Yn"
    Z = "Z"
    ZN = "Zn"


class GenerationKind(StrEnum):
    """What an infeed is, by the unit behind it."""

    BATTERY = "battery"
    MACHINE = "machine"
    OTHER = "other"
    PHOTOVOLTAIC = "photovoltaic"


class ElectricalNode(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A connectivity node with its nominal voltage, from phase to phase, if the model states one."""

    mrid: str
    nominal_voltage: float | None = None


class PhaseImpedanceData(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One element of the lower triangle of a matrix, for each metre; rows and columns count from 1."""

    b: float = 0.0
    column: int
    r: float
    row: int
    x: float


class PerLengthPhaseImpedance(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The series impedance and the shunt susceptance of a line as symmetrical matrices, for each metre."""

    mrid: str
    conductor_count: int
    phase_impedance_data: tuple[PhaseImpedanceData, ...] = field(name="PhaseImpedanceData", default=())


class PerLengthSequenceImpedance(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The impedance and the shunt admittance of a line by symmetrical components, for each metre."""

    mrid: str
    b0ch: float | None = None
    bch: float | None = None
    g0ch: float | None = None
    gch: float | None = None
    r: float
    r0: float | None = None
    x: float
    x0: float | None = None


class ElectricalLine(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A line between two nodes, with the impedance of its whole length or that of ``per_length_impedance``.

    ``phase_order`` names the phases in the order of the rows of a matrix. Limits are A in each phase: what it may carry
    always, and in an emergency.
    """

    mrid: str
    b0ch: float | None = None
    bch: float | None = None
    emergency_limit: float | None = None
    g0ch: float | None = None
    gch: float | None = None
    length: float | None = None
    node1: str
    node2: str
    normal_limit: float | None = None
    per_length_impedance: str | None = None
    phase_order: str | None = None
    phases: PhaseCode
    r: float | None = None
    r0: float | None = None
    x: float | None = None
    x0: float | None = None


class ElectricalSwitch(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A switch between two nodes; it has no impedance. Currents are A in each phase.

    ``breaking_capacity`` is what it can break, ``rated_current`` what it may carry.
    """

    mrid: str
    breaking_capacity: float | None = None
    emergency_limit: float | None = None
    node1: str
    node2: str
    normal_limit: float | None = None
    phases: PhaseCode
    rated_current: float | None = None


class TapChangerControl(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a tap changer keeps: a voltage at ``node`` in one phase, V from phase to earth at the instrument.

    With ``line_drop_compensation`` the voltage kept is that behind ``line_drop_r`` and ``line_drop_x``, in V at the
    rated secondary current of the current transformer.
    """

    enabled: bool
    line_drop_compensation: bool
    line_drop_r: float | None = None
    line_drop_x: float | None = None
    monitored_phase: str | None = None
    node: str | None = None
    target_deadband: float | None = None
    target_value: float


class RatioTapChanger(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A tap changer; ``step_voltage_increment`` is in per cent of ``neutral_u``, ``step`` where it stands.

    The ratios are those of the instrument transformers of its control: ``ct_rating`` A on the primary side give the
    rated secondary current, ``pt_ratio`` V on the primary side 1 V.
    """

    mrid: str
    ct_rating: float | None = None
    ct_ratio: float | None = None
    high_step: int
    low_step: int
    neutral_step: int
    pt_ratio: float | None = None
    step: float
    step_voltage_increment: float
    tap_changer_control: TapChangerControl | None = field(name="TapChangerControl", default=None)


class TransformerEnd(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One end of a transformer or of a tank at ``node``.

    ``rated_u`` is from phase to phase, at the end of a tank that of the winding. ``ordered_phases`` are there at the
    end of a tank only, such as ``AN``, ``AB`` or ``s1N``. ``phase_angle_clock`` is its lag behind end 1 in twelfths of
    a turn.
    """

    connection_kind: WindingConnection | None = None
    emergency_s: float | None = None
    end_number: int
    grounded: bool | None = None
    node: str
    ordered_phases: str | None = None
    phase_angle_clock: int | None = None
    rated_s: float | None = None
    rated_u: float | None = None
    rground: float | None = None
    xground: float | None = None
    ratio_tap_changer: RatioTapChanger | None = field(name="RatioTapChanger", default=None)


class TransformerMeshImpedance(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The impedance between two ends, in ohms at the voltage of the first of them."""

    from_end_number: int
    r: float
    r0: float | None = None
    to_end_number: int
    x: float
    x0: float | None = None


class TransformerCoreAdmittance(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What the core takes, in siemens at one end; ``b`` of a core is negative."""

    b: float
    end_number: int
    g: float


class TransformerTank(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One single-phase unit of a bank."""

    mrid: str
    transformer_core_admittance: TransformerCoreAdmittance | None = field(
        name="TransformerCoreAdmittance", default=None
    )
    transformer_end: tuple[TransformerEnd, ...] = field(name="TransformerEnd", default=())
    transformer_mesh_impedance: tuple[TransformerMeshImpedance, ...] = field(
        name="TransformerMeshImpedance", default=()
    )


class ElectricalTransformer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A three-phase transformer with its ends, or a bank of tanks. Limits are A in each phase at end 1."""

    mrid: str
    emergency_limit: float | None = None
    normal_limit: float | None = None
    vector_group: str | None = None
    transformer_core_admittance: TransformerCoreAdmittance | None = field(
        name="TransformerCoreAdmittance", default=None
    )
    transformer_end: tuple[TransformerEnd, ...] = field(name="TransformerEnd", default=())
    transformer_mesh_impedance: tuple[TransformerMeshImpedance, ...] = field(
        name="TransformerMeshImpedance", default=()
    )
    transformer_tank: tuple[TransformerTank, ...] = field(name="TransformerTank", default=())


class PhasePower(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The power of one phase; of a load in delta the phase is the first of the two that it lies between."""

    p: float
    phase: str
    q: float


class LoadResponseCharacteristic(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How a load follows the voltage: parts of its power in per cent that are constant in impedance or current."""

    p_constant_current: float = 0.0
    p_constant_impedance: float = 0.0
    q_constant_current: float = 0.0
    q_constant_impedance: float = 0.0


class ElectricalLoad(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A consumer: its power in all, or by phase where the model tells it so."""

    mrid: str
    node: str
    p: float | None = None
    phase_connection: WindingConnection = WindingConnection.YN
    phases: PhaseCode
    q: float | None = None
    load_response: LoadResponseCharacteristic | None = field(name="LoadResponse", default=None)
    phase_power: tuple[PhasePower, ...] = field(name="PhasePower", default=())


class ElectricalGeneration(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An infeed; unlike in the CIM its power counts positive into the network."""

    mrid: str
    kind: GenerationKind
    node: str
    p: float
    phases: PhaseCode
    q: float
    rated_s: float | None = None
    phase_power: tuple[PhasePower, ...] = field(name="PhasePower", default=())


class ElectricalShunt(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A shunt: its admittance in each of its phases, all sections that are in service together."""

    mrid: str
    b: float
    g: float
    node: str
    phase_connection: WindingConnection = WindingConnection.YN
    phases: PhaseCode


class ElectricalSource(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A source: the voltage behind its impedance; ``voltage_angle`` in radians."""

    mrid: str
    node: str
    nominal_voltage: float | None = None
    r: float | None = None
    r0: float | None = None
    voltage_angle: float | None = None
    voltage_magnitude: float | None = None
    x: float | None = None
    x0: float | None = None


class ElectricalModel(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The electrical data of a feeder, or a part of them."""

    mrid: str
    model_version: str
    generation: tuple[ElectricalGeneration, ...] = field(name="Generation", default=())
    line: tuple[ElectricalLine, ...] = field(name="Line", default=())
    load: tuple[ElectricalLoad, ...] = field(name="Load", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    node: tuple[ElectricalNode, ...] = field(name="Node", default=())
    per_length_phase_impedance: tuple[PerLengthPhaseImpedance, ...] = field(name="PerLengthPhaseImpedance", default=())
    per_length_sequence_impedance: tuple[PerLengthSequenceImpedance, ...] = field(
        name="PerLengthSequenceImpedance", default=()
    )
    shunt: tuple[ElectricalShunt, ...] = field(name="Shunt", default=())
    source: tuple[ElectricalSource, ...] = field(name="Source", default=())
    switch: tuple[ElectricalSwitch, ...] = field(name="Switch", default=())
    transformer: tuple[ElectricalTransformer, ...] = field(name="Transformer", default=())


class ElectricalModels(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    electrical_model: tuple[ElectricalModel, ...] = field(name="ElectricalModel", default=())
