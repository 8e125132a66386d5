"""The outages of one area while they are being judged, and what is to be said about them afterwards."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from services.fault_management.domain.evidence import SKEW, Evidence, Ping, Standing, about_supply, cut_off, standing
from services.fault_management.domain.hearing import Hearing
from services.fault_management.domain.interruptions import awaiting, history
from services.fault_management.domain.isolation import OPEN
from services.fault_management.domain.outage import (
    FINAL,
    INFERRED,
    KNOWN_DARK,
    LOOSE,
    Outage,
    Plan,
    PlanStatus,
    S,
    explains,
    is_loose,
    move,
    told,
)
from services.fault_management.domain.timeline import Timeline


class Wish(StrEnum):
    """What an outage needs of others."""

    WORK = "work"
    OPENING = "opening"
    CLOSING = "closing"
    RESTORING = "restoring"
    RETURNING = "returning"
    WITHDRAWAL = "withdrawal"
    RECALL = "recall"


def plan_for(wish: Wish, outage: Outage) -> Plan | None:
    """The plan that a wish is about."""
    return {
        Wish.OPENING: outage.opening,
        Wish.CLOSING: outage.closing,
        Wish.RESTORING: outage.restoring,
        Wish.RETURNING: outage.returning,
    }.get(wish)


class Situation:
    """All that is known of an area, and what becomes of its outages.

    Attributes:
        topology: the area as it was at any time.
        network: the area as it is now.
        heard: the evidence about supply, each piece once; what only the work at a meter made it tell is left out.
        standings: what it says about each usage point.
        cut_off: the usage points that are disconnected on purpose, whose silence says nothing.
        history: what the log of operations says: who lost supply by which device, and which devices are cycling.
        hearing: what was heard, and the history, by usage point.
        now: the present instant.
        new_id: gives the identity of something new.
        wishes: what is to be asked of others, by outage, in order.
        pings: the meters that were asked whether they have power.
        asked: those that are to be asked now.
        concluded: what follows from their silence, to be kept as evidence.
    """

    def __init__(
        self,
        topology: Timeline,
        evidence: Iterable[Evidence],
        outages: Iterable[Outage],
        now: datetime,
        new_id: Callable[[], str],
        *,
        pings: Iterable[Ping] = (),
    ) -> None:
        self.topology = topology
        self.network = topology.network
        self._pieces = frozenset(evidence)
        self.heard: Sequence[Evidence] = sorted(about_supply(self._pieces))
        self.standings: dict[str, Standing] = standing(self.heard, now)
        self._unexplained: Sequence[Evidence] | None = None
        self.cut_off = cut_off(self._pieces)
        self.pings = list(pings)
        self.asked: list[Ping] = []
        self.concluded: list[Evidence] = []
        self.now = now
        self.new_id = new_id
        self.wishes: list[tuple[Wish, str]] = []
        self._before = {outage.mrid: outage for outage in outages}
        self._after = dict(self._before)
        self._steps: dict[tuple[str, int], Outage] = {}
        found = frozenset(outage.opening.mrid for outage in self._before.values() if outage.opening is not None)
        returning = [outage.returning for outage in self._before.values() if outage.returning is not None]
        asked = [plan for plan in returning if plan.status is PlanStatus.ASKED]
        opening = {move.switch for plan in asked if not plan.draft for move in plan.moves if move.kind is OPEN}
        self.history = awaiting(history(topology, now, found), {plan.mrid for plan in asked}, opening)
        self.hearing = Hearing(self.heard, self.history.interruptions)
        self._logged: dict[str, set[datetime]] = {}
        for each in self.history.interruptions:
            self._logged.setdefault(each.device, set()).update(each.openings)

    def conclude(self, evidence: Iterable[Evidence]) -> None:
        """Take what follows from the silence of meters as evidence, too."""
        new = sorted(set(evidence) - self._pieces)
        if new:
            self.concluded += new
            self._pieces |= set(new)
            self.heard = sorted(about_supply(self._pieces))
            self.standings = standing(self.heard, self.now)
            self.hearing = Hearing(self.heard, self.history.interruptions)
            self._unexplained = None

    @property
    def unexplained(self) -> Sequence[Evidence]:
        """The evidence about supply without the darkness that known outages explain."""
        if self._unexplained is None:
            known: dict[str, list[Outage]] = {}
            dark = self.hearing.dark
            for outage in self.all():
                if not is_loose(outage):
                    for mrid in dark.intersection(outage.points).union(dark.intersection(outage.partial)):
                        known.setdefault(mrid, []).append(outage)
            self._unexplained = [
                each
                for each in self.heard
                if not (each.dark and any(explains(outage, each) for outage in known.get(each.usage_point, ())))
            ]
        return self._unexplained

    def ask(self, points: Iterable[str]) -> None:
        """Have the meters at some usage points asked whether they have power."""
        for mrid in points:
            ping = Ping(mrid=self.new_id(), usage_point=mrid, asked_at=self.now)
            self.asked.append(ping)
            self.pings.append(ping)

    def put(self, outage: Outage) -> Outage:
        """Take the new value of an outage; its revision grows when others must hear of it."""
        before = self._after.get(outage.mrid)
        if before is not None and before.corrected:
            return before
        if before is None or told(before) != told(outage):
            outage = msgspec.structs.replace(outage, revision=outage.revision + 1)
            self._steps[outage.mrid, outage.revision] = outage
        elif (outage.mrid, outage.revision) in self._steps:
            self._steps[outage.mrid, outage.revision] = outage
        if before != outage:
            self._unexplained = None
        self._after[outage.mrid] = outage
        return outage

    def estimate(self, outage: Outage) -> Outage:
        """Take an outage with another estimate, which is told with what else is told of it now."""
        if (outage.mrid, outage.revision) not in self._steps:
            return self.put(outage)
        self._steps[outage.mrid, outage.revision] = self._after[outage.mrid] = outage
        return outage

    def get(self, mrid: str) -> Outage:
        """The present value of an outage."""
        return self._after[mrid]

    def before(self, mrid: str) -> Outage | None:
        """An outage as it was before it was judged; None when it is new."""
        return self._before.get(mrid)

    def open(self, states: frozenset[S] | None = None) -> list[Outage]:
        """The outages in one of ``states``, or all that are not over, the oldest first."""
        chosen = [o for o in self.all() if (o.state not in FINAL if states is None else o.state in states)]
        return sorted(chosen, key=lambda outage: (outage.since, outage.mrid))

    def all(self) -> list[Outage]:
        """All outages."""
        return list(self._after.values())

    @property
    def steps(self) -> list[Outage]:
        """The values to tell, in order; an outage that moved twice has two."""
        return list(self._steps.values())

    @property
    def changed(self) -> list[Outage]:
        """The outages that differ from what they were."""
        return [outage for mrid, outage in self._after.items() if self._before.get(mrid) != outage]

    def moved(self, besides: str | None = None) -> list[Outage]:
        """The outages whose state differs from what it was, and that with the mRID ``besides``."""
        before = {mrid: outage.state for mrid, outage in self._before.items()}
        return [o for o in self.all() if before.get(o.mrid) is not o.state or o.mrid == besides]

    def estimated(self, besides: str | None = None) -> list[Outage]:
        """The outages whose state or estimate differs from what it was, and that with the mRID ``besides``."""
        before = {mrid: (outage.state, outage.etr) for mrid, outage in self._before.items()}
        return [o for o in self.all() if before.get(o.mrid) != (o.state, o.etr) or o.mrid == besides]

    def suspicion(self, points: Iterable[str], since: datetime, why: str) -> Outage:
        """A new outage, not yet put."""
        dark = tuple(sorted(points))
        return Outage(
            mrid=self.new_id(),
            feeder=self.network.feeder_of[dark[0]],
            state=S.SUSPECTED,
            since=since,
            suspected_at=self.now,
            points=dark,
            why=why,
        )

    def began_by_log(self, outage: Outage) -> bool:
        """True for an outage of which the log of operations says when it began, and whom it took."""
        return outage.felt_at is None and outage.opened_at in self._logged.get(outage.device or "", ())

    def kept(self, device: str | None, since: datetime, but: str = "") -> frozenset[str]:
        """The usage points that stay with other outages when ``device`` turns out to have opened at ``since``.

        A known outage keeps its own unless its device is above, and so does an inferred one that began before: what
        was dark before the device opened has a reason of its own, and is still dark when the device closes.
        """
        kept = self.kept_by_word(device, since, but)
        for other in self.all():
            if other.mrid == but:
                continue
            if other.state in LOOSE and other.since < since - SKEW and (device is None or other.device != device):
                kept |= set(other.points)
            elif self.began_by_log(other) and other.state in KNOWN_DARK and not self._is_above(other, device):
                kept |= set(other.points) - other.restored.keys()
        return kept

    def kept_by_word(
        self, device: str | None, since: datetime, but: str = "", until: datetime | None = None
    ) -> frozenset[str]:
        """The same for the outages that a crew made known, and of which the log of operations does not tell.

        What was over at ``until``, before such an outage began, had its usage points.
        """
        kept: set[str] = set()
        for other in self.all():
            known = other.by_people and other.state not in INFERRED | {S.DISMISSED} and not self.began_by_log(other)
            before = until is None or other.since <= until
            if other.mrid != but and known and before and not self._is_above(other, device):
                back = other.restored
                later = (mrid for mrid in other.points if mrid in back and other.since <= since < back[mrid])
                kept |= set(other.points) - back.keys() | set(later)
        return frozenset(kept)

    def _is_above(self, other: Outage, device: str | None) -> bool:
        return device is not None and other.device is not None and self.network.is_under(device, other.device)

    def establish(self, outage: Outage, points: frozenset[str]) -> Outage:
        """Put a known ``outage`` with ``points``, which no other keeps; what was only inferred there belongs to it.

        A known outage that would have nobody left keeps its own. What the log says of two outages is disjoint already.
        """
        for other in self.open(KNOWN_DARK):
            by_log = self.began_by_log(outage) and self.began_by_log(other)
            if other.mrid != outage.mrid and not by_log and not self.release(other, points):
                points -= set(other.points)
        own = tuple(sorted(points)) or outage.points
        state = S.CONFIRMED if outage.state in INFERRED else outage.state
        restored = {mrid: at for mrid, at in outage.restored.items() if mrid in own}
        handed = tuple(mrid for mrid in outage.handed if mrid in own)
        known = self.put(move(outage, state, points=own, restored=restored, handed=handed))
        for other in self.open(LOOSE):
            if set(other.points) <= set(own):
                self.dismiss(other, f"it belongs to outage {known.mrid}")
        return known

    def hand_down(self, parent: str, points: Iterable[str]) -> None:
        """Let those of ``points`` that a restored outage had belong to a nested one from its restoration on."""
        outage = self._after.get(parent)
        if outage is not None and outage.state is S.RESTORED:
            handed = tuple(sorted({*outage.handed, *(mrid for mrid in points if mrid in outage.restored)}))
            self.put(msgspec.structs.replace(outage, handed=handed))

    def release(self, outage: Outage, points: Iterable[str]) -> bool:
        """Take ``points`` that never belonged to a known outage out of it; False when that leaves nobody."""
        gone = set(points) - outage.restored.keys()
        left = tuple(mrid for mrid in outage.points if mrid not in gone)
        if left and len(left) < len(outage.points):
            self.put(msgspec.structs.replace(outage, points=left))
        return bool(left)

    def dismiss(self, outage: Outage, why: str) -> None:
        """End an inferred outage that was none, or none of its own."""
        self.put(move(outage, S.DISMISSED, why=why))
