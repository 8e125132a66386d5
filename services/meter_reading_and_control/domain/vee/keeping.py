"""What is kept of a verdict: an estimate in the place of a gap or of a value that failed, with the reason.

What is known of an interval beside its values, such as that its meter took new software in it, is kept with its value.

What was told is never lost: an estimate names the value that it stands for. So a day that is judged again is judged by
what was told, and what comes of it is kept only where it says something else than before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from contracts.codes.reading_quality import ESTIMATED, POWER_FAILED
from services.meter_reading_and_control.domain.readings import ACCEPTED, LOCKED, Origin, Quality, Value
from services.meter_reading_and_control.domain.vee.judging import Verdict
from services.meter_reading_and_control.domain.vee.rules import RULES, Severity

OURS = "meter-reading-and-control"
"""The source of what this service estimates."""


def as_told(value: Value | None) -> Value | None:
    """What somebody told of an interval, of which ``value`` is known now."""
    if value is None or value.origin.source != OURS:
        return value
    return value.origin.instead_of


def to_keep(
    known: Sequence[Value | None],
    verdicts: Sequence[Verdict],
    now: datetime,
    beside: Mapping[int, Quality],
) -> Mapping[int, Value]:
    """What is to be kept of the verdicts on a day, by place.

    Args:
        known: the values as they are known by now.
        verdicts: what is said of them as they were told.
        now: when it was judged.
        beside: what else is known of intervals, by place.
    """
    found = {}
    for place, (value, verdict) in enumerate(zip(known, verdicts, strict=True)):
        new = _kept(value, verdict, now, beside.get(place))
        if new is not None and new is not value and (value is None or new.says != value.says):
            found[place] = new
    return found


def method_of(value: Value) -> str:
    """How a value was estimated here; empty for what was not."""
    if value.origin.source != OURS:
        return ""
    made = (each.comment.removeprefix("method=") for each in value.origin.qualities if each.code == ESTIMATED)
    return next(made, "")


def explained(value: Value) -> Value:
    """A value with the codes of the rules because of which it is an estimate of ours.

    They are no part of what is kept of it, since they say what the measured value was worth and not the estimate.
    """
    if value.origin.source != OURS or not value.origin.reason:
        return value
    why = [Quality(code=RULES[each.partition(" ")[0]].code, comment=each) for each in value.origin.reason.split("; ")]
    return replace(value, origin=replace(value.origin, qualities=tuple(sorted({*value.origin.qualities, *why}))))


def _kept(known: Value | None, verdict: Verdict, now: datetime, beside: Quality | None) -> Value | None:
    """What stands for an interval of which ``known`` is known; None for a gap that stays one."""
    told = as_told(known)
    if verdict.value is None or (told is not None and told.origin.rank in (LOCKED, ACCEPTED)):
        return told
    failed = {each for each in verdict.found if RULES[each].severity is Severity.FAIL and not RULES[each].of_day}
    said, added = verdict.value.origin.qualities, set() if beside is None else {beside}
    why = [each for each in said if each.comment.partition(" ")[0] in failed]
    if verdict.method:
        made = {each for each in said if each.code in (ESTIMATED, POWER_FAILED)} | added
        reason = "; ".join(each.comment for each in why)
        origin = Origin(qualities=tuple(sorted(made)), source=OURS, reported_at=now, reason=reason, instead_of=told)
        return replace(verdict.value, origin=origin)
    if told is None or (told is known and not why and not added):
        return told
    qualities = tuple(sorted({*told.origin.qualities, *why, *added})) if why or added else told.origin.qualities
    return replace(told, origin=Origin(qualities=qualities, source=OURS, reported_at=now, instead_of=told))
