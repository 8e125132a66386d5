"""The outages of one area while they are being judged, and what is to be said about them afterwards."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from services.fault_management.domain.evidence import SKEW, Evidence, Standing, standing
from services.fault_management.domain.network import Network
from services.fault_management.domain.outage import FINAL, KNOWN_DARK, LOOSE, Outage, S, move, told


class Wish(StrEnum):
    """What an outage needs of others."""

    WORK = "work"
    OPENING = "opening"
    CLOSING = "closing"
    RECALL = "recall"


class Situation:
    """All that is known of an area, and what becomes of its outages.

    Attributes:
        network: the area as network operation last reported it.
        heard: the evidence, each piece once.
        standings: what it says about each usage point.
        now: the present instant.
        new_id: gives the identity of something new.
        wishes: what is to be asked of others, by outage, in order.
    """

    def __init__(
        self,
        network: Network,
        evidence: Iterable[Evidence],
        outages: Iterable[Outage],
        now: datetime,
        new_id: Callable[[], str],
    ) -> None:
        self.network = network
        self.heard: Sequence[Evidence] = sorted(set(evidence))
        self.standings: dict[str, Standing] = standing(self.heard, now)
        self.now = now
        self.new_id = new_id
        self.wishes: list[tuple[Wish, str]] = []
        self._before = {outage.mrid: outage for outage in outages}
        self._after = dict(self._before)
        self._steps: dict[tuple[str, int], Outage] = {}

    def put(self, outage: Outage) -> Outage:
        """Take the new value of an outage; its revision grows when others must hear of it."""
        before = self._after.get(outage.mrid)
        if before is None or told(before) != told(outage):
            outage = msgspec.structs.replace(outage, revision=outage.revision + 1)
            self._steps[outage.mrid, outage.revision] = outage
        elif (outage.mrid, outage.revision) in self._steps:
            self._steps[outage.mrid, outage.revision] = outage
        self._after[outage.mrid] = outage
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

    def kept(self, device: str | None, since: datetime, but: str = "") -> frozenset[str]:
        """The usage points that stay with other outages when ``device`` turns out to have opened at ``since``.

        A known outage keeps its own unless its device is above, and so does an inferred one that began before: what
        was dark before the device opened has a reason of its own, and is still dark when the device closes.
        """
        kept: set[str] = set()
        for other in self.open(KNOWN_DARK | LOOSE):
            above = device is not None and other.device is not None and self.network.is_under(device, other.device)
            older = other.since < since - SKEW and (device is None or other.device != device)
            if other.mrid != but and ((other.state in KNOWN_DARK and not above) or (other.state in LOOSE and older)):
                kept |= set(other.points) - other.restored.keys()
        return frozenset(kept)

    def establish(self, outage: Outage, points: frozenset[str]) -> Outage:
        """Put a known ``outage`` with ``points``, which no other keeps; what was only inferred there belongs to it.

        A known outage that would have nobody left keeps its own.
        """
        for other in self.open(KNOWN_DARK):
            if other.mrid != outage.mrid and not self.release(other, points):
                points -= set(other.points)
        own = tuple(sorted(points)) or outage.points
        known = self.put(move(outage, S.CONFIRMED, points=own))
        for other in self.open(LOOSE):
            if not set(own).isdisjoint(other.points):
                self.dismiss(other, f"it belongs to outage {known.mrid}")
        return known

    def hand_over(self, points: frozenset[str], at: datetime) -> None:
        """End the interruption of ``points`` by known outages, since from ``at`` on something below them is the reason.

        No usage point is ever without supply by two outages at once (operations guide 3.5).
        """
        for outage in self.open(KNOWN_DARK):
            taken = tuple(mrid for mrid in outage.points if mrid in points and mrid not in outage.restored)
            if taken:
                ended = {**outage.restored, **dict.fromkeys(taken, max(at, outage.since))}
                self.put(msgspec.structs.replace(outage, restored=ended, handed=(*outage.handed, *taken)))

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
