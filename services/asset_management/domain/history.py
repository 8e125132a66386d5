"""What happened to assets, told in any order, as one history in time: who was where, and in which state.

A :class:`Fact` is what was told and is never changed. :func:`settle` puts facts in the order in which they happened and
plays them by the table of states, so the same facts give the same history in whatever order they came. A fact that
does not fit is left out and says why; a later fact may yet make it fit.

One asset is at one position at a time, and at a position is one asset at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict
from services.asset_management.domain.lifecycle import IN_PLACE, Event, State, after

_ORDER = {event: place for place, event in enumerate(Event, start=1)}

Liveness = Mapping[str, Sequence[tuple[datetime, bool]]]
"""For a position from when on it was live or dead; before the first instant nothing is known."""


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened.

    Attributes:
        asset: whom it happened to; None where only the position is known. What has no record and is the name of a
            position stands for the asset that is there.
        event: what happened; None where the record of the asset begins, in ``state``.
        position: where to, for an installation and for a beginning in place; where from, where the asset is not known.
            What is no part of the network model, such as a pole, is in place without one.
        replaces: the asset that goes out in the same act, or the position of it; the new one takes its position.
        evicts: the new asset takes the position of whatever is there.
        by_work: told by a crew. An asset that a crew built in at a live position is in service.
        source: who says so, in words for people.
    """

    id: str
    asset: str | None
    at: datetime
    event: Event | None = None
    state: State | None = None
    position: str | None = None
    replaces: str | None = None
    evicts: bool = False
    by_work: bool = False
    source: str = ""


class Span(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In which state an asset was, and where, from ``starts`` until before ``ends``."""

    asset: str
    state: State
    starts: datetime
    ends: datetime | None = None
    position: str | None = None

    def holds(self, at: datetime) -> bool:
        """True when the span covers an instant."""
        return self.starts <= at and (self.ends is None or at < self.ends)


class History(Struct, frozen=True, kw_only=True):
    """What follows from facts.

    Attributes:
        spans: of each asset, in time, without gaps.
        refused: the facts that do not fit, or not in all, by identifier, with the reason.
        moved_out: by fact, the asset that made room; what comes in may be unknown yet.
    """

    spans: dict[str, tuple[Span, ...]]
    refused: dict[str, str]
    moved_out: dict[str, str]

    def at(self, asset: str, instant: datetime) -> Span | None:
        """The span of an asset at an instant."""
        return next((span for span in self.spans.get(asset, ()) if span.holds(instant)), None)


def settle(facts: Iterable[Fact], live: Liveness | None = None) -> History:
    """Play ``facts`` in the order in which they happened.

    Args:
        facts: of assets that have to do with each other, in any order and as often as they were told.
        live: when the positions were live, as far as it is known.
    """
    return _Play(facts, live or {}).history()


def refuse_what_does_not_fit(before: History, after_it: History, told: Iterable[Fact]) -> None:
    """Hold a request to the history that it would make.

    Raises:
        Conflict: what it tells does not fit, or something that fitted no longer does.
    """
    for fact in told:
        reason = after_it.refused.get(fact.id)
        if reason is not None:
            raise Conflict(reason, object_id=fact.asset)
    broken = sorted(after_it.refused.keys() - before.refused.keys())
    if broken:
        raise Conflict(f"it contradicts what is known of a later time: {after_it.refused[broken[0]]}")


class _Play:
    """One run over the facts; it keeps who is where now."""

    def __init__(self, facts: Iterable[Fact], live: Liveness) -> None:
        unique = {fact.id: fact for fact in facts}
        self._queue = sorted(unique.values(), key=_when, reverse=True)
        self._begun = {fact.asset for fact in unique.values() if fact.event is None}
        self._live = live
        self._now: dict[str, Span] = {}
        self._holder: dict[str, str] = {}
        self._spans: dict[str, list[Span]] = {}
        self._refused: dict[str, str] = {}
        self._moved_out: dict[str, str] = {}
        self._inferred: set[str] = set()

    def history(self) -> History:
        while self._queue:
            self._take(self._queue.pop())
        for asset, span in self._now.items():
            self._spans.setdefault(asset, []).append(span)
        return History(
            spans={asset: tuple(spans) for asset, spans in self._spans.items()},
            refused=self._refused,
            moved_out=self._moved_out,
        )

    def _take(self, fact: Fact) -> None:
        if fact.id in self._inferred:
            self._energise(fact)
            return
        reason = self._begin(fact) if fact.event is None else self._happen(fact, fact.event)
        if reason is not None:
            self._refused[fact.id] = reason

    def _begin(self, fact: Fact) -> str | None:
        asset, state = fact.asset, fact.state
        if asset is None or state is None or asset in self._now:
            return "the record of the asset has begun already"
        occupied = self._occupied(fact.position, asset)
        if occupied is not None:
            return occupied
        self._enter(Span(asset=asset, state=state, starts=fact.at, position=fact.position))
        return None

    def _happen(self, fact: Fact, event: Event) -> str | None:
        if event is Event.INSTALLED:
            return self._install(fact)
        asset = self._asset(fact.asset) or self._holder.get(fact.position or "")
        if asset is None:
            return f"nothing is at the position {fact.position}"
        if fact.asset != asset:
            self._moved_out[fact.id] = asset
        return self._move(asset, event, fact.at)

    def _asset(self, name: str | None) -> str | None:
        """The asset of a name, which may be that of its position."""
        return name if name in self._begun else self._holder.get(name or "", name)

    def _install(self, fact: Fact) -> str | None:
        """The one that goes out makes room even where it is not known yet what comes in."""
        old = self._asset(fact.replaces) or (self._holder.get(fact.position or "") if fact.evicts else None)
        position = fact.position
        if old is not None and old != fact.asset:
            span = self._now.get(old)
            if span is None:
                return self._unknown(old)
            if span.state not in IN_PLACE:
                return f"asset {old} is '{span.state}' and in no place"
            if position not in {None, span.position}:
                return f"asset {old} is{_where(span)}, not at {position}"
            position = span.position
            self._moved_out[fact.id] = old
            self._move(old, Event.REMOVED, fact.at)
        return None if fact.asset is None else self._put(fact.asset, position, fact)

    def _put(self, asset: str, position: str | None, fact: Fact) -> str | None:
        occupied = self._occupied(position, asset)
        if occupied is not None:
            return occupied
        reason = self._move(asset, Event.INSTALLED, fact.at, position)
        at = None if reason is not None else self._live_from(position, fact)
        if at is not None:
            then = replace(fact, id=f"{fact.id} live", at=at, event=Event.ENERGISED, position=position)
            self._inferred.add(then.id)
            self._queue.append(then)
            self._queue.sort(key=_when, reverse=True)
        return reason

    def _energise(self, inferred: Fact) -> None:
        """What stands in a place that gets its voltage is in service, if it still stands there and was not before."""
        span = self._now.get(inferred.asset or "")
        if span is not None and (span.state, span.position) == (State.INSTALLED, inferred.position):
            self._move(span.asset, Event.ENERGISED, inferred.at)

    def _move(self, asset: str, event: Event, at: datetime, position: str | None = None) -> str | None:
        span = self._now.get(asset)
        if span is None:
            return self._unknown(asset)
        state = after(span.state, event)
        if state is None:
            return f"asset {asset} is '{span.state}'{_where(span)} and cannot be '{event}'"
        self._leave(span, at)
        place = (position or span.position) if state in IN_PLACE else None
        self._enter(Span(asset=asset, state=state, starts=at, position=place))
        return None

    def _unknown(self, asset: str) -> str:
        return f"the record of asset {asset} begins later" if asset in self._begun else f"asset {asset} has no record"

    def _occupied(self, position: str | None, asset: str) -> str | None:
        holder = None if position is None else self._holder.get(position)
        return None if holder in {None, asset} else f"the position {position} is taken by asset {holder}"

    def _live_from(self, position: str | None, fact: Fact) -> datetime | None:
        """When what was installed at a position gets its voltage, as far as it is known."""
        told = self._live.get(position or "", ())
        known = [live for at, live in told if at <= fact.at]
        if fact.by_work and (known[-1] if known else True):
            return fact.at
        return next((at for at, live in told if at > fact.at and live), None)

    def _leave(self, span: Span, at: datetime) -> None:
        if span.starts < at:
            self._spans.setdefault(span.asset, []).append(replace(span, ends=at))
        if span.position is not None:
            del self._holder[span.position]

    def _enter(self, span: Span) -> None:
        self._now[span.asset] = span
        self._spans.setdefault(span.asset, [])
        if span.position is not None:
            self._holder[span.position] = span.asset


def _when(fact: Fact) -> tuple[datetime, int, str]:
    """The order in which facts happened; within an instant a record begins first."""
    return fact.at, 0 if fact.event is None else _ORDER[fact.event], fact.id


def _where(span: Span) -> str:
    return "" if span.position is None else f" at {span.position}"
