"""What rules found, as it is kept: bits for the day of a usage point, and for each of its intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from services.meter_reading_and_control.domain.readings import Quality, Value
from services.meter_reading_and_control.domain.vee.judging import Verdict, reasons, validated_value, waiting
from services.meter_reading_and_control.domain.vee.keeping import explained, method_of
from services.meter_reading_and_control.domain.vee.rules import RULES, SECOND_LOOK
from services.meter_reading_and_control.domain.vee.validation import BIT, Findings, named

_SECOND = frozenset(SECOND_LOOK.values())
_RUN = np.dtype([("count", ">u2"), ("bits", ">u4")])


class Finding(Struct, frozen=True, kw_only=True):
    """What a rule set found on a market day at a usage point.

    Attributes:
        revision: 1 for the first; grows where a later judgement found something else.
        rule_set: its id and version.
        of_day: bits of the rules that judge a day.
        of_intervals: for each interval, bits of rules.
    """

    revision: int
    rule_set: tuple[str, int]
    of_day: int
    of_intervals: tuple[int, ...]


class Said(Struct, frozen=True, kw_only=True):
    """What was said of a market day when it was judged last.

    Attributes:
        rule_set: by which those of no class were.
        finding: what was found; None where nothing was.
        is_current: nothing has come since.
        held: why gaps waited; empty where they did not.
    """

    rule_set: tuple[str, int]
    finding: Finding | None
    is_current: bool
    held: str = ""

    def found(self, place: int) -> tuple[str, ...]:
        """The names of the rules that found something of an interval, or of its day."""
        if self.finding is None:
            return ()
        return (*named(self.finding.of_intervals[place]), *named(self.finding.of_day))

    def shown(self, value: Value, place: int) -> Value:
        """A value with what was found of its interval, and valid where no rule failed, unless it is our estimate.

        Where something has come since, it may be another value than the one that was judged.
        """
        if not self.is_current:
            return explained(value)
        found = self.found(place)
        why = reasons(found, self.rule_set if self.finding is None else self.finding.rule_set)
        if not method_of(value):
            return validated_value(value, found, why)
        told = explained(value).origin
        return replace(value, origin=replace(told, qualities=tuple(sorted({*told.qualities, *why}))))

    def missing(self, place: int) -> tuple[Quality, ...]:
        """What was found of an interval of which nothing is known."""
        why = () if self.finding is None else reasons(self.found(place), self.finding.rule_set)
        return (*why, waiting(self.held)) if why and self.held else why


def kept(known: Sequence[Value | None], said: Said | None) -> list[Verdict]:
    """What is kept of a day, as verdicts: the values as they are known, and what was found when it was judged last."""
    return [
        Verdict(
            value=value,
            found=() if said is None else said.found(place),
            method="" if value is None else method_of(value),
            qualities=() if said is None else said.missing(place),
        )
        for place, value in enumerate(known)
    ]


def with_second_look(found: Findings, verdicts: Mapping[int, Sequence[Verdict]]) -> Findings:
    """What was found, and what was found of the estimates of usage points, by their place."""
    of_intervals, of_days = found.of_intervals.copy(), found.of_days.copy()
    for place, of_point in verdicts.items():
        for at, verdict in enumerate(of_point):
            for name in verdict.found:
                if name in _SECOND and RULES[name].of_day:
                    of_days[place] |= BIT[name]
                elif name in _SECOND:
                    of_intervals[place, at] |= BIT[name]
    return replace(found, of_intervals=of_intervals, of_days=of_days)


def news(found: Findings, series: Sequence[int], known: dict[int, Finding]) -> dict[int, Finding]:
    """What was found and is not known, by series; a day of which nothing is known needs no word that all is well."""
    rows = np.flatnonzero((found.of_days != 0) | found.of_intervals.any(axis=1)).tolist()
    concerned = sorted({*rows, *(place for place, each in enumerate(series) if each in known)})
    new = {}
    for place in concerned:
        old = known.get(series[place])
        finding = Finding(
            revision=1 if old is None else old.revision + 1,
            rule_set=found.rule_sets[place],
            of_day=int(found.of_days[place]),
            of_intervals=tuple(found.of_intervals[place].tolist()),
        )
        if old is None or _said(old) != _said(finding):
            new[series[place]] = finding
    return new


def _said(finding: Finding) -> tuple[tuple[str, int], int, tuple[int, ...]]:
    return finding.rule_set, finding.of_day, finding.of_intervals


def runs_of_bits(bits: Sequence[int]) -> bytes:
    """Bits as they are stored: how many intervals have which."""
    flat = np.array(bits, np.uint32)
    begins = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1])
    runs = np.empty(len(begins), _RUN)
    runs["count"], runs["bits"] = np.diff(np.concatenate([begins, [len(flat)]])), flat[begins]
    return runs.tobytes()


def bits_of(runs: bytes) -> tuple[int, ...]:
    """The other way."""
    told = np.frombuffer(runs, _RUN)
    return tuple(np.repeat(told["bits"], told["count"]).tolist())
