"""All that switching is judged by, at one instant, and what it becomes by an act."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.operational_tags import OperationalTag, OperationalTagState
from contracts.nouns.safety_documents import ClearanceState
from contracts.nouns.unplanned_outages import CrewStatusKind, OutageState, UnplannedOutage
from contracts.types import Status
from services.network_operation.domain.acts import PAPERWORK, TAGGING, Act, ActKind, tested_node
from services.network_operation.domain.clearances import Clearance, Proof, Site, readiness, still_valid
from services.network_operation.domain.figures import FiguresOf, unsolved
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.temporary import Temporary, TemporaryKind, placed, removed

RECLOSING = frozenset({"Recloser"})
"""The classes that close again by themselves unless they are told not to."""

_FAULTED = frozenset({OutageState.CONFIRMED, OutageState.PARTIALLY_RESTORED})


class FaultedArea(Struct, frozen=True, kw_only=True):
    """A confirmed outage whose repair nobody has reported: who is dark, and which devices isolate its fault."""

    outage: str
    dark: frozenset[str]
    isolation: frozenset[str]

    @classmethod
    def of(cls, outage: UnplannedOutage) -> "FaultedArea | None":
        """What an outage means for switching; None when it means nothing, or no more."""
        value = None if outage.status is None else outage.status.value
        if value not in _FAULTED or outage.status_kind is CrewStatusKind.FIELD_COMPLETE:
            return None
        return cls(
            outage=outage.mrid,
            dark=frozenset(each.mrid for each in outage.de_energized_usage_point if each.mrid is not None),
            isolation=frozenset(each.mrid for each in outage.outage_isolation_equipment if each.mrid is not None),
        )


class Situation(Struct, frozen=True, kw_only=True):
    """The state of the network and what hangs on it.

    ``currents`` are measured, in A by device; ``dressed`` are the switches that stand where they do by the word of an
    operator; ``figures`` computes what the network would bear. ``tripped`` are the
    devices that protection opened and nobody has closed since, ``reclosing`` what was last heard of a device's
    reclosing, ``verified`` what a crew has looked at for the plan in question, ``rivals`` the plans that are going to
    switch a device, by the device.
    """

    grid: Grid
    model_version: str = ""
    clearances: tuple[Clearance, ...] = ()
    currents: Mapping[str, float] = {}
    dressed: frozenset[str] = frozenset()
    faults: tuple[FaultedArea, ...] = ()
    figures: FiguresOf = unsolved
    proofs: tuple[Proof, ...] = ()
    reclosing: Mapping[str, bool] = {}
    rivals: Mapping[str, str] = {}
    tags: tuple[OperationalTag, ...] = ()
    temporaries: tuple[Temporary, ...] = ()
    tripped: frozenset[str] = frozenset()
    verified: frozenset[str] = frozenset()

    @property
    def site(self) -> Site:
        """What clearances are judged by."""
        return Site(grid=self.grid, tags=self.tags, proofs=self.proofs)

    def recloses(self, device: str) -> bool:
        """True when the device would close again by itself after a trip, as far as is known."""
        heard = self.reclosing.get(device)
        if heard is not None:
            return heard
        known = self.grid.get(device)
        return known is not None and (known.kind in RECLOSING or bool(known.reclose_sequences))

    def after(self, act: Act) -> "Situation":
        """The situation once the act was carried out as it was meant."""
        if act.kind in {ActKind.OPEN, ActKind.CLOSE}:
            return self._switched(act)
        if act.kind in {ActKind.PLACE, ActKind.REMOVE}:
            return self._rebuilt(act)
        if act.kind in PAPERWORK:
            return self._tagged(act) if act.kind in TAGGING else self._cleared(act)
        return self._noted(act)

    def with_grid(self, grid: Grid) -> "Situation":
        """The same with another state of the network, and without the proofs that this state makes void."""
        return replace(self, grid=grid, proofs=still_valid(self.proofs, grid))

    def _switched(self, act: Act) -> "Situation":
        grid = self.grid.switched(act.device, is_open=act.kind is ActKind.OPEN, phases=act.phases)
        return replace(self.with_grid(grid), tripped=self.tripped - {act.device})

    def _rebuilt(self, act: Act) -> "Situation":
        others = tuple(each for each in self.temporaries if each.mrid != act.device)
        if act.temporary is not None:
            grid = Grid.of(placed(self.grid.feeders, act.temporary))
            return replace(self.with_grid(grid), temporaries=(*others, act.temporary))
        known = next((each for each in self.temporaries if each.mrid == act.device), None)
        grid = self.grid if known is None else Grid.of(removed(self.grid.feeders, known))
        return replace(self.with_grid(grid), temporaries=others)

    def _tagged(self, act: Act) -> "Situation":
        others = tuple(tag for tag in self.tags if act.tag is None or tag.mrid != act.tag.mrid)
        if act.tag is None or act.kind is ActKind.REMOVE_TAG:
            return replace(self, tags=others)
        value = OperationalTagState.PLACED if act.kind is ActKind.PLACE_TAG else OperationalTagState.VERIFIED
        return replace(self, tags=(*others, replace(act.tag, status=Status(value=value))))

    def _noted(self, act: Act) -> "Situation":
        """What leaves the network as it is and is known afterwards."""
        if act.kind in {ActKind.ENABLE_RECLOSING, ActKind.DISABLE_RECLOSING}:
            return replace(self, reclosing={**self.reclosing, act.device: act.kind is ActKind.ENABLE_RECLOSING})
        if act.kind is ActKind.VERIFY:
            return replace(self, verified=self.verified | {act.device})
        return self._tested(act) if act.kind is ActKind.TEST else self

    def _tested(self, act: Act) -> "Situation":
        node = tested_node(act.device, self.grid)
        if node is None or self.grid.is_live(self.grid.section(node)):
            return self
        proof = Proof(mrid=act.device, nodes=tuple(sorted(self.grid.section(node))))
        return replace(self, proofs=(*self.proofs, proof))

    def _cleared(self, act: Act) -> "Situation":
        to = {
            ActKind.PREPARE_CLEARANCE: ClearanceState.PREPARED,
            ActKind.ISSUE_CLEARANCE: ClearanceState.ISSUED,
            ActKind.RELEASE_CLEARANCE: ClearanceState.RELEASED,
        }[act.kind]
        clearances = tuple(
            _in_state(each, to, self.site) if each.mrid == act.device else each for each in self.clearances
        )
        return replace(self, clearances=clearances)


def _in_state(clearance: Clearance, to: ClearanceState, site: Site) -> Clearance:
    zone = clearance.zone if to is not ClearanceState.PREPARED else tuple(sorted(readiness(clearance, site)[0]))
    return replace(clearance, document=replace(clearance.document, status=Status(value=to)), zone=zone)


def is_ground(each: Temporary) -> bool:
    """True for a ground."""
    return each.kind is TemporaryKind.GROUND
