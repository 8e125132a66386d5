"""Clearances: the permission to work on equipment that is kept dead, held by a named person.

``DRAFT -> PREPARED -> ISSUED <-> SUSPENDED -> SURRENDERED -> RELEASED -> CANCELLED``; a draft or a prepared one may be
cancelled at once. Prepared means that the equipment is isolated on all sides, tested dead, earthed and tagged. Issued,
it blocks every device of its boundary for everybody. It ends by the word of its holder and by nothing else: no time,
no supervisor and no plan surrenders it. At a change of shift the holder hands it over to the next one.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Denied, Invalid
from contracts.nouns.operational_tags import OperationalTag
from contracts.nouns.safety_documents import ClearanceDocument, ClearanceState, SafetyDocuments
from contracts.types import ObjectReference, Status
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.people import Speaker, demand_operator
from services.network_operation.domain.tags import is_isolated_by_tag

S = ClearanceState


class Proof(Struct, frozen=True, kw_only=True):
    """That these nodes were tested dead, as one section, and that nothing has made them live or larger since."""

    mrid: str
    nodes: tuple[str, ...]


class Site(Struct, frozen=True, kw_only=True):
    """What a clearance is judged by."""

    grid: Grid
    tags: tuple[OperationalTag, ...] = ()
    proofs: tuple[Proof, ...] = ()


class Clearance(Struct, frozen=True, kw_only=True):
    """A clearance with the nodes that it protects, which are known once it is prepared."""

    document: ClearanceDocument
    zone: tuple[str, ...] = ()

    @property
    def mrid(self) -> str:
        """Its identity."""
        return self.document.mrid

    @property
    def boundary(self) -> tuple[str, ...]:
        """The devices that isolate it."""
        return tuple(each.mrid for each in self.document.tagged_psrs if each.mrid is not None)

    @property
    def blocks(self) -> bool:
        """True while somebody may be working under it."""
        return state(self.document) is S.ISSUED

    @property
    def holder(self) -> str:
        """Who alone may surrender it."""
        return _person(self.document.issued_to_supervisor) or ""

    @property
    def needs_ground(self) -> bool:
        """True unless it says that grounds are not needed."""
        return self.document.must_be_grounded is not False


def state(document: ClearanceDocument) -> ClearanceState:
    """Where a clearance is in its life.

    Raises:
        Invalid: it says something that is no state.
    """
    value = S.DRAFT if document.status is None or document.status.value is None else document.status.value
    if value not in set(S):
        raise Invalid(f"'{value}' is no state of a clearance", object_id=document.mrid)
    return S(value)


def only_clearances(documents: SafetyDocuments) -> tuple[ClearanceDocument, ...]:
    """The clearances of a request.

    Raises:
        Invalid: it has other safety documents, or nothing.
    """
    if documents.safety_document or not documents.clearance_document:
        raise Invalid("SafetyDocuments: clearances are kept here, and no other documents")
    return documents.clearance_document


def is_over(clearance: Clearance) -> bool:
    """True when nobody works under it any more, nor will."""
    return state(clearance.document) in {S.RELEASED, S.CANCELLED}


def drafted(document: ClearanceDocument, grid: Grid, now: Status) -> Clearance:
    """A new clearance, a draft whatever it says of itself. ``now`` has the time.

    Raises:
        Invalid: it names no boundary, or something that is not in the model.
    """
    boundary = [each.mrid or "" for each in document.tagged_psrs]
    if not boundary:
        raise Invalid("TaggedPSRs: a clearance names the devices of its boundary", object_id=document.mrid)
    unknown = [mrid for mrid in boundary if grid.get(mrid) is None]
    if unknown:
        raise Invalid(f"TaggedPSRs: '{min(unknown)}' is not in the model", object_id=document.mrid)
    return Clearance(
        document=replace(
            document,
            created_date_time=now.date_time,
            issued_by_supervisor=None,
            issued_date_time=None,
            last_modified_date_time=now.date_time,
            released_by_supervisor=None,
            released_date_time=None,
            revision_number=1,
            status=replace(now, value=S.DRAFT),
        )
    )


def moved(
    known: Clearance,
    asked: ClearanceDocument,
    person: Speaker,
    site: Site,
    now: Status,
) -> Clearance:
    """What a clearance becomes by a change that ``person`` asks for.

    Raises:
        Denied: this person may not do it.
        Conflict: it cannot become that, or the equipment is not safe to work on; the reason names why.
    """
    before, to = state(known.document), state(asked)
    now = replace(now, value=to)
    match before, to:
        case (S.DRAFT, S.PREPARED):
            demand_operator(person, "prepares a clearance")
            return _prepared(known, site, now)
        case (S.PREPARED | S.SUSPENDED, S.ISSUED):
            demand_operator(person, "issues a clearance")
            return _issued(known, asked, person, site, now)
        case (S.ISSUED, S.ISSUED):
            _demand_holder(known, person, "hands it over")
            return _handed_over(known, asked, now)
        case (S.ISSUED, S.SUSPENDED) | (S.ISSUED | S.SUSPENDED, S.SURRENDERED):
            _demand_holder(known, person, "suspends or surrenders it")
            return _changed(known, now)
        case (S.SURRENDERED, S.RELEASED):
            demand_operator(person, "releases a clearance")
            by = ObjectReference(mrid=person.name)
            return _changed(known, now, released_by_supervisor=by, released_date_time=now.date_time)
        case (S.DRAFT | S.PREPARED | S.RELEASED, S.CANCELLED):
            demand_operator(person, "cancels a clearance")
            return _changed(known, now)
    raise Conflict(f"a clearance that is {before} cannot become {to}", object_id=known.mrid)


def readiness(known: Clearance, site: Site) -> tuple[frozenset[str], list[str]]:
    """The nodes that the clearance would protect, and why nobody may work there yet.

    They are the dead sections whose border is the boundary, device by device.
    """
    boundary = frozenset(known.boundary)
    problems = []
    for mrid in known.boundary:
        device = site.grid.get(mrid)
        if device is None:
            problems.append(f"'{mrid}' is no longer in the model")
        elif device.open is False:
            problems.append(f"{device.name} is not open on all phases")
        elif not is_isolated_by_tag(site.tags, mrid):
            problems.append(f"{device.name} has no tag that keeps it open")
    around = _dead_sections(boundary, site.grid)
    inside = [section for section in around if _border(section, site.grid) == boundary]
    zone = frozenset[str]().union(*inside)
    if not zone:
        missing = sorted(
            each for section in around if _border(section, site.grid) > boundary for each in _border(section, site.grid)
        )
        names = ", ".join(site.grid.name(mrid) for mrid in missing if mrid not in boundary)
        problems.append(f"the boundary leaves out {names}" if names else "the boundary encloses no dead section")
    return zone, [*problems, *_problems(known, zone, site)]


def _dead_sections(boundary: frozenset[str], grid: Grid) -> list[frozenset[str]]:
    """The dead sections that end at devices of the boundary, in an order of their own."""
    devices = [device for mrid in boundary if (device := grid.get(mrid)) is not None]
    nodes = {node for device in devices for node in (device.node1, device.node2) if node is not None}
    sections = {grid.section(node) for node in nodes}
    return sorted((section for section in sections if not grid.is_live(section)), key=min)


def _border(section: frozenset[str], grid: Grid) -> frozenset[str]:
    return frozenset(each.mrid for each in grid.border(section))


def is_proven(nodes: frozenset[str], proofs: Iterable[Proof]) -> bool:
    """True when all these nodes were tested dead, and are still known to be."""
    return any(nodes.issubset(proof.nodes) for proof in proofs)


def still_valid(proofs: Iterable[Proof], grid: Grid) -> tuple[Proof, ...]:
    """The proofs that the present state leaves: none of their nodes is live, and none hangs together with others."""
    return tuple(
        proof
        for proof in proofs
        if not grid.is_live(proof.nodes) and all(grid.section(node).issubset(proof.nodes) for node in proof.nodes)
    )


def _problems(known: Clearance, zone: frozenset[str], site: Site) -> Iterator[str]:
    for section in sorted({site.grid.section(node) for node in zone}, key=min):
        if not is_proven(section, site.proofs):
            yield f"the section of '{min(section)}' was not tested dead since it was last live or changed"
        if known.needs_ground and not site.grid.grounds_of(section):
            yield f"the section of '{min(section)}' is not grounded"


def _prepared(known: Clearance, site: Site, now: Status) -> Clearance:
    zone, problems = readiness(known, site)
    if problems:
        raise Conflict("; ".join(problems), object_id=known.mrid)
    return replace(_changed(known, now), zone=tuple(sorted(zone)))


def _issued(known: Clearance, asked: ClearanceDocument, person: Speaker, site: Site, now: Status) -> Clearance:
    holder = _person(asked.issued_to_supervisor) or known.holder
    if not holder:
        raise Invalid("IssuedToSupervisor: a clearance is issued to a person", object_id=known.mrid)
    if state(known.document) is S.SUSPENDED and holder != known.holder:
        raise Conflict(f"it is suspended by '{known.holder}', who has to surrender it first", object_id=known.mrid)
    ready = _prepared(known, site, now)
    return replace(
        ready,
        document=replace(
            ready.document,
            issued_by_supervisor=ObjectReference(mrid=person.name),
            issued_date_time=now.date_time,
            issued_to_supervisor=ObjectReference(mrid=holder),
        ),
    )


def _handed_over(known: Clearance, asked: ClearanceDocument, now: Status) -> Clearance:
    heir = _person(asked.issued_to_supervisor)
    if heir in {None, known.holder}:
        raise Conflict(f"it is issued to '{known.holder}' already", object_id=known.mrid)
    return _changed(known, now, issued_to_supervisor=ObjectReference(mrid=heir), issued_date_time=now.date_time)


def _demand_holder(known: Clearance, person: Speaker, what: str) -> None:
    if not person.is_person or person.name != known.holder:
        raise Denied(
            f"the clearance is held by '{known.holder}', who alone {what}, and not by '{person.name}'",
            object_id=known.mrid,
        )


def _changed(known: Clearance, now: Status, **changes: object) -> Clearance:
    document = replace(
        known.document,
        last_modified_date_time=now.date_time,
        revision_number=(known.document.revision_number or 0) + 1,
        status=now,
        **changes,
    )
    return replace(known, document=document)


def _person(reference: ObjectReference | None) -> str | None:
    return None if reference is None else reference.mrid
