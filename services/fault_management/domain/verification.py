"""Whether a restoration holds: who has power by the word of the meters, and whose silence means something (guide 3.10).

90 seconds after a restoration, and again later, two meters under each transformer that nobody has been heard of are
asked whether they have power. What follows:

* *verified*: a meter under each transformer has reported power since, and nobody denies it;
* *dark*: two waves of questions were not answered under a transformer, while others close by were heard. Their silence
  is evidence like any other: what is inferred from it is a nested outage, since they have had no power all along;
* *unknown*: nobody was heard, and nobody close by either, so that it may be the radio that is silent. Nothing is
  concluded from it; the customers are to be called back, and the outage is closed without verification in the end.

Nobody knows here which meters share a collector. Those below the same protective device are taken to [P]: a collector
stands on a pole, and serves the transformers around.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cached_property

from msgspec.structs import replace

from services.fault_management.domain.evidence import SKEW, Evidence, EvidenceKind, Outcome, Ping
from services.fault_management.domain.outage import Outage, S, move
from services.fault_management.domain.restoration import with_better_times
from services.fault_management.domain.situation import Situation

SETTLE = timedelta(seconds=90)
"""How long the meters have to tell of their power before a restoration is judged."""

WAVES = (SETTLE, *(timedelta(minutes=minutes) for minutes in (4, 8, 15, 24)))
"""When after a restoration those are asked who were not heard; a collector that was dead needs minutes to start [P]."""

APART = timedelta(minutes=2)
"""Questions that are closer together are one wave."""

SAMPLE = 2
"""How many meters of a transformer are asked in a wave, and how many of those close by who never lost their power."""

MOST = 100
"""How many meters of an outage are asked in a wave [P]: more than 500 in a minute were asked of real networks."""

DOUBT = WAVES[1] + timedelta(seconds=90)
"""When two waves have come back, who is not heard is unknown."""

SILENCE = timedelta(minutes=30)
"""How long a restoration waits for the meters at all."""

_RESTORED = frozenset({S.RESTORED})


def hear_silence(situation: Situation) -> None:
    """Take as evidence that meters do not answer where others close by do."""
    for outage in situation.open(_RESTORED):
        situation.conclude(_Check(situation, outage).silences())


def question_restored(situation: Situation) -> None:
    """Have meters asked whose power should be back, and those close by who can tell that the radio lives."""
    for outage in situation.open(_RESTORED):
        situation.ask(_Check(situation, outage).questions())


def verify(situation: Situation) -> None:
    """Close what is restored when the meters have confirmed it, or have been silent for too long."""
    for restored in situation.open(_RESTORED):
        outage = with_better_times(situation, restored)
        check = _Check(situation, outage)
        if check.age >= SETTLE and check.holds():
            why = "a meter under each transformer has reported power, and none denies it"
            situation.put(move(situation.put(move(outage, S.VERIFIED, unknown=(), why=why)), S.CLOSED))
        elif check.age >= SILENCE:
            why = f"the meters have not confirmed it within {SILENCE // timedelta(minutes=1)} minutes"
            situation.put(move(outage, S.CLOSED, unconfirmed=True, unknown=check.unheard(), why=why))
        else:
            situation.put(replace(restored, unknown=check.unheard() if check.age >= DOUBT else ()))


class _Check:
    """What has been heard since the power of an outage's usage points should be back.

    Attributes:
        age: for how long it has been known that it should.
    """

    def __init__(self, situation: Situation, outage: Outage) -> None:
        self._situation = situation
        self._outage = outage
        self._begun = outage.restored_at or situation.now
        self.age = situation.now - self._begun
        groups = situation.network.groups
        back = outage.restored.keys() & groups.keys()
        self._own = [mrid for mrid in outage.points if mrid in back and not self._says_nothing(mrid)]
        self._asked: dict[str, list[Ping]] = {}
        for ping in situation.pings:
            if ping.asked_at >= self._begun:
                self._asked.setdefault(ping.usage_point, []).append(ping)
        lit = {groups[mrid] for mrid in self._own if self._has_power(mrid, outage.restored[mrid])}
        self._denied = {mrid for mrid in self._own if self._is_denied(mrid)}
        self._silent: dict[str, list[str]] = {}
        for mrid in self._own:
            if groups[mrid] not in lit:
                self._silent.setdefault(groups[mrid], []).append(mrid)

    def holds(self) -> bool:
        """True when a meter under each transformer reported power since, and no usage point lost it again."""
        return not self._silent and not self._denied

    def unheard(self) -> tuple[str, ...]:
        """The usage points of which nobody can say whether they have power, sorted."""
        return tuple(sorted(mrid for members in self._open() for mrid in members))

    def silences(self) -> list[Evidence]:
        """What it says that meters do not answer: nothing, unless others close by were heard."""
        points = self._situation.network.points
        found = []
        for members in self._silent.values():
            asked = (ping for mrid in members for ping in self._asked.get(mrid, ()))
            unanswered = [ping for ping in asked if ping.outcome is Outcome.SILENT]
            times = [ping.asked_at for ping in unanswered]
            if times and max(times) - min(times) >= APART and any(map(self._is_heard, self._around(members))):
                found += [
                    Evidence(
                        usage_point=ping.usage_point,
                        time=ping.asked_at,
                        kind=EvidenceKind.SILENT,
                        source=points[ping.usage_point].meter,
                    )
                    for ping in unanswered
                ]
        return found

    def questions(self) -> list[str]:
        """The usage points whose meters are to be asked now, the most important first."""
        begun = max((self._begun + wave for wave in WAVES if wave <= self.age), default=None)
        if begun is None:
            return []
        asked = {mrid for mrid, pings in self._asked.items() if any(ping.asked_at >= begun for ping in pings)}
        chosen: dict[str, None] = {}
        for members in sorted(self._open(), key=lambda each: self._rank(*each)):
            if asked.isdisjoint(members):
                chosen |= dict.fromkeys(sorted(members, key=self._rank)[:SAMPLE])
                chosen |= dict.fromkeys(self._witnesses(members, asked))
        return list(chosen)[: max(0, MOST - len(asked.intersection(self._own)))]

    def _open(self) -> list[list[str]]:
        """The usage points of each transformer of which nothing was heard, neither that they have power nor not."""
        return [members for members in self._silent.values() if self._denied.isdisjoint(members)]

    def _witnesses(self, members: Iterable[str], asked: Collection[str]) -> list[str]:
        """Who can tell that the radio lives: those close by who never lost their power, unless others do so."""
        around = self._around(members)
        if any(map(self._is_heard, around)):
            return []
        told = self._situation.standings
        able = [mrid for mrid in around if mrid not in self._outage.points and not self._says_nothing(mrid)]
        lit = [mrid for mrid in able if mrid not in asked and not (mrid in told and told[mrid].dark)]
        return sorted(lit, key=self._rank)[:SAMPLE]

    def _around(self, members: Iterable[str]) -> list[str]:
        """The usage points of other transformers below the same protective device."""
        network = self._situation.network
        zones = {network.zone[mrid] for mrid in members if mrid in network.zone}
        groups = {network.groups[mrid] for mrid in members}
        return [mrid for zone in zones for mrid in self._by_zone[zone] if network.groups[mrid] not in groups]

    @cached_property
    def _by_zone(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for mrid, zone in self._situation.network.zone.items():
            found.setdefault(zone, []).append(mrid)
        return found

    def _rank(self, *members: str) -> tuple[int, bool, str]:
        """Who was asked least often comes first, of those who depends on the supply, and then the order of mRIDs."""
        critical = any(self._situation.network.points[mrid].critical for mrid in members)
        return sum(len(self._asked.get(mrid, ())) for mrid in members), not critical, min(members)

    def _says_nothing(self, point: str) -> bool:
        return point in self._outage.handed or point in self._situation.cut_off

    def _is_heard(self, point: str) -> bool:
        return self._has_power(point, min(self._outage.restored.values()))

    def _has_power(self, point: str, since: datetime) -> bool:
        told = self._situation.standings.get(point)
        return told is not None and not told.dark and told.latest >= since - SKEW

    def _is_denied(self, point: str) -> bool:
        told = self._situation.standings.get(point)
        return told is not None and told.dark and told.latest > self._outage.restored[point] + SKEW
