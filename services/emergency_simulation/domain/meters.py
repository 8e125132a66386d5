"""Meters and their radio: what a loss of power looks like to the head-end.

A meter waits 30 to 45 s to be sure, and then says with its last energy that it has no power, up to six times more
within 20 minutes. One that had said so tells of its power when it is back. What it says goes by radio to the collector
of its neighbourhood, or by a neighbour's to the next one, and from there to the head-end, which tells every few seconds
what has come in. A collector has a battery for when its pole has no power; a dead one carries nothing.

Figures marked [P] are our proposals; the others were published.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.network import EARTH, Network
from services.emergency_simulation.domain.timing import after

SURE_S = (30.0, 45.0)
"""How long a meter waits before it believes that the power is gone."""

CERTAIN = timedelta(seconds=SURE_S[0])
"""No meter speaks before this."""

WAKING_S = (5.0, 20.0)
"""How long a meter needs after power has come back [P]."""

RADIO_S = (1.0, 20.0)
"""How long a message is on its way [P]."""

PING_S = (6.0, 0.98)
"""The median of the time of an answer, and the standard deviation of its logarithm."""

REPEATING_S = 1200.0
"""Within this a last gasp is said again."""

TICK_S = 5
"""The head-end tells every so often what has come in [P]."""

BATTERY_H = (1.0, 8.0)
"""How long a collector lives without power."""

BOOTING = timedelta(minutes=3)
"""How long a collector that was dead needs when power is back [P]."""

NEIGHBOURHOOD = 8
"""Transformers to a collector [P]."""

NEIGHBOUR = 0.5
"""The share of meters that reach another collector over a neighbour [P]."""


class MeterWord(StrEnum):
    """What a meter says of itself."""

    LOST = "lost"
    RESTORED = "restored"


class Spell(Struct, frozen=True, kw_only=True, order=True):
    """A time in the dark of a usage point: its ``number`` tells it from others, ``ended`` is None while it lasts."""

    usage_point: str
    number: int
    began: datetime
    ended: datetime | None = None


class Sent(Struct, frozen=True, kw_only=True):
    """What a meter will have sent at a time, if things stay as they are."""

    usage_point: str
    number: int
    word: MeterWord
    at: datetime


class Delivery(Struct, frozen=True, kw_only=True):
    """What may come in at the head-end from one neighbourhood at a tick."""

    collector: str
    at: datetime
    messages: tuple[Sent, ...]


class Collector(Struct, frozen=True, kw_only=True):
    """Where a neighbourhood's messages are collected: on the pole that also feeds the usage point ``host``.

    ``next`` is the collector that some of the neighbourhood reach as well.
    """

    mrid: str
    host: str
    next: str


class Radio:
    """Who is collected where: transformers that are close to one another on the wires share a collector."""

    def __init__(self, network: Network) -> None:
        groups: dict[str, list[str]] = {}
        for node in _along_the_wires(network):
            for point, _ in network.points.get(node, ()):
                groups.setdefault(network.usage_points[point].transformer or f"node {node}", []).append(point)
        ordered = list(groups)
        parts = [ordered[at : at + NEIGHBOURHOOD] for at in range(0, len(ordered), NEIGHBOURHOOD)]
        names = [f"collector {part[len(part) // 2]}" for part in parts]
        self.collectors: dict[str, Collector] = {}
        self.collector_of: dict[str, str] = {}
        for number, (name, part) in enumerate(zip(names, parts, strict=True)):
            host = groups[part[len(part) // 2]][0]
            self.collectors[name] = Collector(mrid=name, host=host, next=names[(number + 1) % len(names)])
            self.collector_of |= {point: name for group in part for point in groups[group]}

    def hosts(self, collector: str) -> set[str]:
        """The usage points whose power is that of a collector and of the one next to it."""
        own = self.collectors[collector]
        return {own.host, self.collectors[own.next].host}


def _along_the_wires(network: Network) -> Iterator[int]:
    """The nodes in the order of a walk from the sources into the depth, so that neighbours follow one another."""
    seen = {EARTH}
    for start in range(len(network.ways)):
        stack = [start]
        while stack:
            node = stack.pop()
            if node != EARTH and node in seen:
                continue
            seen.add(node)
            if node != EARTH:
                yield node
            onward = {way.other for way in network.ways[node]} - seen
            stack.extend(sorted(onward, reverse=True))


def gasps(stream: Stream, spells: Iterable[Spell], conditions: Conditions) -> Iterator[Sent]:
    """What meters send that lost power, and when; a share never gets through, some of it is sent again."""
    for spell in spells:
        name = ("gasp", spell.usage_point, str(spell.number))
        first = stream.between(*SURE_S, "sure", *name)
        for number in range(1 + conditions.gasp_repeats):
            again = 0.0 if number == 0 else stream.between(0, REPEATING_S, "repeat", str(number), *name)
            at = spell.began + timedelta(seconds=first + again)
            yield from _sent(stream, spell, MeterWord.LOST, at, conditions=conditions, turn=number)


def wakings(stream: Stream, spells: Iterable[Spell], conditions: Conditions) -> Iterator[Sent]:
    """What meters send that have power again, if they had believed that it was gone."""
    for spell in spells:
        if spell.ended is None:
            continue
        sure = stream.between(*SURE_S, "sure", "gasp", spell.usage_point, str(spell.number))
        if (spell.ended - spell.began).total_seconds() > sure:
            delay = stream.between(*WAKING_S, "waking", spell.usage_point, str(spell.number))
            at = spell.ended + timedelta(seconds=delay)
            yield from _sent(stream, spell, MeterWord.RESTORED, at, conditions=conditions, turn=0)


def _sent(
    stream: Stream, spell: Spell, word: MeterWord, at: datetime, *, conditions: Conditions, turn: int
) -> Iterator[Sent]:
    """One message, unless it is among those that never get through."""
    name = (word, spell.usage_point, str(spell.number), str(turn))
    if stream.fraction("loss", *name) < conditions.message_loss:
        return
    yield Sent(usage_point=spell.usage_point, number=spell.number, word=word, at=at)


def deliveries(stream: Stream, sent: Iterable[Sent], radio: Radio, conditions: Conditions) -> list[Delivery]:
    """When what was sent comes in, neighbourhood by neighbourhood; a share of it comes in twice."""
    arriving: dict[tuple[datetime, str], list[Sent]] = {}
    for each in sent:
        collector = radio.collector_of.get(each.usage_point)
        if collector is None:
            continue
        name = (each.word, each.usage_point, str(each.number), each.at.isoformat())
        delay = stream.between(*RADIO_S, "radio", *name)
        arriving.setdefault((_tick(each.at, delay), collector), []).append(each)
        if stream.fraction("double", *name) < conditions.message_double:
            again = delay + stream.between(1, 60, "again", *name)
            arriving.setdefault((_tick(each.at, again), collector), []).append(each)
    return [
        Delivery(collector=collector, at=at, messages=tuple(sorted(messages, key=_order)))
        for (at, collector), messages in sorted(arriving.items(), key=lambda item: item[0])
    ]


def received(
    delivery: Delivery, spells: Mapping[str, Sequence[Spell]], radio: Radio, stream: Stream, conditions: Conditions
) -> list[tuple[Sent, Spell]]:
    """What of a delivery really came in, with the time in the dark that it is about.

    A message was sent only if the power was still away then, or still there; and it needs a collector that lives.
    ``spells`` are the times in the dark of the usage points concerned, and of the hosts of the collectors.
    """
    own = radio.collectors[delivery.collector]
    came = []
    for each in delivery.messages:
        about = {spell.number: spell for spell in spells.get(each.usage_point, ())}
        spell = about.get(each.number)
        if spell is None or not _was_sent(each, spell, about.get(each.number + 1)):
            continue
        if is_heard(stream, each.usage_point, own, each.at, spells=spells, radio=radio, conditions=conditions):
            came.append((each, spell))
    return came


def answers(
    stream: Stream,
    usage_point: str,
    at: datetime,
    spells: Mapping[str, Sequence[Spell]],
    *,
    radio: Radio,
    conditions: Conditions,
) -> bool:
    """True when a meter that was asked has power at that time, and the radio carries its answer."""
    is_dark = any(spell.ended is None for spell in spells.get(usage_point, ()))
    lost = stream.fraction("pong", usage_point, at.isoformat()) < conditions.message_loss
    own = radio.collectors[radio.collector_of[usage_point]]
    return not (is_dark or lost) and is_heard(
        stream, usage_point, own, at, spells=spells, radio=radio, conditions=conditions
    )


def is_heard(
    stream: Stream,
    usage_point: str,
    own: Collector,
    at: datetime,
    *,
    spells: Mapping[str, Sequence[Spell]],
    radio: Radio,
    conditions: Conditions,
) -> bool:
    """True when a collector lives that a meter reaches: its own, or for some the next one."""
    reached = [own]
    if stream.fraction("neighbour", usage_point) < NEIGHBOUR:
        reached.append(radio.collectors[own.next])
    return any(is_alive(stream, each, spells.get(each.host, ()), at, conditions) for each in reached)


def _was_sent(sent: Sent, spell: Spell, following: Spell | None) -> bool:
    if sent.word is MeterWord.LOST:
        return spell.ended is None or spell.ended > sent.at
    return spell.ended is not None and (following is None or following.began > sent.at)


def is_alive(
    stream: Stream, collector: Collector, spells: Iterable[Spell], at: datetime, conditions: Conditions
) -> bool:
    """True when a collector works at a time, by the times in the dark of its pole."""
    for spell in spells:
        name = (collector.mrid, str(spell.number))
        battery = timedelta(hours=stream.between(*BATTERY_H, "battery", *name))
        if stream.fraction("pole", *name) < conditions.collector_failure:
            battery = timedelta(0)
        died = spell.began + battery
        if spell.ended is None and died <= at:
            return False
        if spell.ended is not None and died < spell.ended and died <= at < spell.ended + BOOTING:
            return False

    return True


def ping_time(stream: Stream, usage_point: str, now: datetime) -> datetime:
    """When the answer of a meter that was asked comes back: half of them within 6 s, 95 % within 30 s."""
    return after(now, stream.lognormal(*PING_S, "ping", usage_point, now.isoformat()))


def clock_error(stream: Stream, usage_point: str, conditions: Conditions) -> timedelta:
    """By how much the clock of a meter is wrong, always the same, in whole seconds."""
    most = conditions.clock_error
    return timedelta(seconds=round(stream.between(-most, most, "clock", usage_point)))


def _tick(at: datetime, delay: float) -> datetime:
    """The first tick of the head-end after a message has come in."""
    whole = (at + timedelta(seconds=delay)).replace(microsecond=0)
    return whole + timedelta(seconds=TICK_S - whole.second % TICK_S)


def _order(sent: Sent) -> tuple[datetime, str, int]:
    return sent.at, sent.usage_point, sent.number
