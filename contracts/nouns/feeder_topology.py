"""FeederTopology: how the equipment and the usage points of a feeder hang together, and what is open now.

Ours [P]; no part of IEC 61968 has this noun. It is the electrical model of a feeder without its impedances: enough to
trace. Network model management tells it as built and in its normal state, network operation as it is now.

Every event carries the whole feeder after the change; ``revision`` grows by one with each change of that feeder.
"""

from msgspec import Struct, field

from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, attribute

NAMESPACE = "urn:busbar:2026:FeederTopology#"


class ConnectivityNode(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A point where terminals meet; ``source_phases`` are the phases that are energised there now, if any."""

    mrid: str
    source_phases: PhaseCode | None = None


class Equipment(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A conducting piece of equipment between ``node1`` and, unless it ends there, ``node2``.

    ``kind`` is the class of the CIM (``Breaker``, ``Fuse``, ``ACLineSegment``, ``PowerTransformer``, ``EnergySource``
    ...). Only what switches has ``normal_open`` and ``open``; ``open`` is the present state. ``protective`` equipment
    opens by itself on a fault, ``remotely_operable`` equipment takes Controls.
    """

    mrid: str
    kind: str
    name: str
    node1: str
    node2: str | None = None
    normal_open: bool | None = None
    open: bool | None = None
    phases: PhaseCode
    protective: bool
    remotely_operable: bool


class UsagePoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where customers are served, at ``node`` by ``transformer`` if the model has one.

    A consumer for which the model has no usage point counts as one with the consumer's mRID; a usage point without a
    meter in the model has the meter ``<mRID>-meter``.
    """

    mrid: str
    critical: bool
    customers: int
    meter: str
    name: str
    node: str
    phases: PhaseCode
    transformer: str | None = None


class Feeder(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One feeder, whole; ``event_time`` is when the change happened in the field.

    ``model_version`` names the network model that it comes from; a change of it makes every older revision void.
    """

    mrid: str
    event_time: Instant
    model_version: str
    revision: int
    connectivity_node: tuple[ConnectivityNode, ...] = field(name="ConnectivityNode", default=())
    equipment: tuple[Equipment, ...] = field(name="Equipment", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    usage_point: tuple[UsagePoint, ...] = field(name="UsagePoint", default=())


class FeederTopology(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    feeder: tuple[Feeder, ...] = field(name="Feeder", default=())
