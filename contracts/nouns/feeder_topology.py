"""FeederTopology: how the equipment and the usage points of a feeder hang together, and what is open now.

Ours [P]; no part of IEC 61968 has this noun. It is the electrical model of a feeder without its impedances: enough to
trace. Network model management tells it as built and in its normal state, network operation as it is now.

A reply carries whole feeders. An event carries :class:`FeederChange`, what is different since the revision before;
``revision`` grows by one with each change of that feeder, and :meth:`Feeder.after` applies one to the other. Whoever
has another revision or another model asks for the feeder.

Nothing here need fit into one message. A large feeder is told as several ``Feeder`` of the same mRID and revision, each
with some of its members (:meth:`Feeder.parts`); :meth:`FeederTopology.whole` puts them together. A change of too many
members is told with a revision that leaves one out and with nothing listed, so that everybody asks.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import count

from msgspec import Struct, field
from msgspec.structs import replace

from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:FeederTopology#"

MOST_MEMBERS = 800
"""How many nodes, pieces of equipment, indicators and usage points one ``Feeder`` of a message has at most.

With names of ordinary length that is half of what a message can bear (1 MiB).
"""

MOST_CHANGES = 4000
"""How many nodes, switches and usage points one ``FeederChange`` lists at most; that is less than a message bears."""


class SafetyStateKind(StrEnum):
    """What may be assumed by whoever goes near: another question than whether customers have supply."""

    DEAD = "dead"
    EARTHED = "earthed"
    FAULTED = "faulted"
    LIVE = "live"
    POSSIBLY_LIVE = "possiblyLive"


class ConnectivityNode(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A point where terminals meet.

    ``source_phases`` are the phases that are energised there now, if any; ``abnormal_phases`` those that have some
    voltage and not the right one, as behind a delta winding that lost a phase. A dead node whose ``safety_state`` is
    not told is dead.
    """

    mrid: str
    abnormal_phases: PhaseCode | None = None
    safety_state: SafetyStateKind | None = None
    source_phases: PhaseCode | None = None


class RecloseSequence(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One shot of a device that closes again by itself: how many seconds after its trip."""

    reclose_delay: float
    reclose_step: int


class Equipment(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A conducting piece of equipment between ``node1`` and, unless it ends there, ``node2``.

    ``kind`` is the class of the CIM (``Breaker``, ``Fuse``, ``ACLineSegment``, ``PowerTransformer``, ``EnergySource``
    ...). Only what switches has ``normal_open`` and ``open``; ``open`` is the present state of all its phases, and
    ``open_phases`` are those that are open while others are closed. ``protective`` equipment opens by itself on a
    fault, ``remotely_operable`` equipment takes Controls. ``suspect`` is the state of a switch of which the last
    report cannot be believed.

    ``connection`` is the vector group of a transformer, such as ``Dyn11``. ``phases_at_node2`` is there where phases
    change places: its letters are what the letters of ``phases``, in their order, are at ``node2``. ``length`` is in
    metres; ``longitude`` and ``latitude`` are degrees of WGS 84.
    """

    mrid: str
    connection: str | None = None
    kind: str
    latitude: float | None = None
    length: float | None = None
    longitude: float | None = None
    name: str
    node1: str
    node2: str | None = None
    normal_open: bool | None = None
    open: bool | None = None
    open_phases: PhaseCode | None = None
    phases: PhaseCode
    phases_at_node2: str | None = None
    protective: bool
    remotely_operable: bool
    suspect: bool | None = None
    reclose_sequences: tuple[RecloseSequence, ...] = field(name="RecloseSequences", default=())


class FaultIndicator(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A flag on ``equipment`` at ``node`` that shows whether fault current has passed there."""

    mrid: str
    equipment: str
    name: str
    node: str


class UsagePoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where customers are served, at ``node`` by ``transformer`` if the model has one.

    A consumer for which the model has no usage point counts as one with the consumer's mRID; a usage point without a
    meter in the model has the meter ``<mRID>-meter``.
    """

    mrid: str
    critical: bool
    customers: int
    latitude: float | None = None
    longitude: float | None = None
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
    fault_indicator: tuple[FaultIndicator, ...] = field(name="FaultIndicator", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    usage_point: tuple[UsagePoint, ...] = field(name="UsagePoint", default=())

    def parts(self) -> "Iterator[Feeder]":
        """This feeder as pieces of at most :data:`MOST_MEMBERS` members, in their order; a small one is one piece."""
        places = count()
        pieces: list[dict[str, list[Struct]]] = []
        for name in _MEMBERS:
            for member in getattr(self, name):
                if next(places) % MOST_MEMBERS == 0:
                    pieces.append({each: [] for each in _MEMBERS})
                pieces[-1][name].append(member)
        if len(pieces) <= 1:
            yield self
            return
        for piece in pieces:
            yield replace(self, **{name: tuple(members) for name, members in piece.items()})

    def after(self, change: "FeederChange") -> "Feeder | None":
        """This feeder after ``change``; None where the change does not follow this revision of this model."""
        if (change.model_version, change.revision) != (self.model_version, self.revision + 1):
            return None
        nodes = {node.mrid: node for node in change.connectivity_node}
        states = {state.mrid: state for state in change.switch_state}
        return replace(
            self,
            event_time=change.event_time,
            revision=change.revision,
            connectivity_node=tuple(nodes.get(node.mrid, node) for node in self.connectivity_node),
            equipment=tuple(
                replace(each, open=state.open, open_phases=state.open_phases, suspect=state.suspect)
                if (state := states.get(each.mrid)) is not None
                else each
                for each in self.equipment
            ),
        )


class SwitchState(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The state of one switch after a change, whole."""

    mrid: str
    open: bool
    open_phases: PhaseCode | None = None
    suspect: bool | None = None


class FeederChange(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is different in the feeder ``mrid`` since the revision before ``revision``.

    Switches and nodes that changed stand here with their whole new state; usage points that lost supply or got it back
    are listed. ``event_time`` is when the operation happened in the field. With a ``model_version`` that is new to the
    listener the change is the news that there is a model, and nothing is listed.
    """

    mrid: str
    event_time: Instant
    model_version: str
    revision: int
    connectivity_node: tuple[ConnectivityNode, ...] = field(name="ConnectivityNode", default=())
    de_energized_usage_point: tuple[ObjectReference, ...] = field(name="DeEnergizedUsagePoint", default=())
    energized_usage_point: tuple[ObjectReference, ...] = field(name="EnergizedUsagePoint", default=())
    switch_state: tuple[SwitchState, ...] = field(name="SwitchState", default=())


class FeederTopology(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun: feeders in a reply, changes in an event."""

    feeder: tuple[Feeder, ...] = field(name="Feeder", default=())
    feeder_change: tuple[FeederChange, ...] = field(name="FeederChange", default=())

    def whole(self) -> tuple[Feeder, ...]:
        """The feeders, each once, put together from its pieces."""
        pieces: dict[tuple[str, str, int], list[Feeder]] = {}
        for each in self.feeder:
            pieces.setdefault((each.mrid, each.model_version, each.revision), []).append(each)
        return tuple(map(_together, pieces.values()))


_MEMBERS = ("connectivity_node", "equipment", "fault_indicator", "usage_point")


def _together(pieces: list[Feeder]) -> Feeder:
    if len(pieces) == 1:
        return pieces[0]
    members = {name: tuple(each for piece in pieces for each in getattr(piece, name)) for name in _MEMBERS}
    return replace(pieces[0], **members)
