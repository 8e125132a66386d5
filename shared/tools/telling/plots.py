"""The plots of a storm as SVG: one axis of time for all of them, so that what stands one above another goes together.

Colours are those of Okabe and Ito (2008), which people with any sight of colours tell apart; each is told by a second
cue as well, by its dashes or by its place.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise

from msgspec import Struct

WIDTH = 1000
LEFT, RIGHT = 150, 20
ROW = 22
TOP, FOOT = 14, 30

Step = tuple[datetime, int]


class Axis(Struct, frozen=True):
    """The time of a storm across the width of a plot."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Where an instant is."""
        span = max((self.end - self.start).total_seconds(), 1.0)
        share = min(max((at - self.start).total_seconds() / span, 0.0), 1.0)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def marks(self) -> Iterator[datetime]:
        """The instants that are written below a plot: whole hours, or parts of one in a short storm."""
        minutes = (self.end - self.start).total_seconds() / 60
        every = next((each for each in (5, 10, 15, 30, 60, 120) if minutes / each <= 12), 240)  # noqa: PLR2004
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        first = math.ceil((self.start - midnight).total_seconds() / 60 / every)
        at = midnight + timedelta(minutes=first * every)
        while at <= self.end:
            yield at
            at += timedelta(minutes=every)


class Curve(Struct, frozen=True):
    """A number over time that stays until it changes; ``look`` is the class by which it is drawn."""

    name: str
    look: str
    steps: tuple[Step, ...]


class Span(Struct, frozen=True):
    """A piece of a bar."""

    start: datetime
    end: datetime
    look: str
    title: str


class Bar(Struct, frozen=True):
    """A row of a chart of bars."""

    name: str
    spans: tuple[Span, ...]


def curves(axis: Axis, drawn: Sequence[Curve], *, height: int = 240) -> str:
    """Steps over time, with a scale from nothing to the highest."""
    most = _round_up(max((number for each in drawn for _, number in each.steps), default=1))
    bottom = height - FOOT

    def y(number: float) -> float:
        return round(bottom - number / most * (bottom - TOP), 1)

    parts = [_grid(axis, TOP, bottom)]
    for number in (0, most / 2, most):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(number)}" y2="{y(number)}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y(number) + 4}" text-anchor="end">{number:.0f}</text>')
    for curve in drawn:
        path = [f"M{axis.x(axis.start)} {y(0)}"]
        path += [f"H{axis.x(at)}V{y(number)}" for at, number in curve.steps]
        path.append(f"H{axis.x(axis.end)}")
        parts.append(f'<path class="curve {curve.look}" d="{"".join(path)}"><title>{escape(curve.name)}</title></path>')
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 28 8"><path class="curve {each.look}" d="M1 4H27"/></svg>'
        f"{escape(each.name)}</li>"
        for each in drawn
    )
    return f'<ul class="legend">{legend}</ul>{_svg(parts, height)}'


def bars(axis: Axis, rows: Sequence[Bar], legend: Sequence[tuple[str, str]]) -> str:
    """Rows of spans; ``legend`` names each look."""
    bottom = TOP + ROW * max(1, len(rows))
    parts = [_grid(axis, TOP, bottom)]
    for number, row in enumerate(rows):
        y = TOP + number * ROW
        parts.append(
            f'<text class="row" x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(_short(row.name))}</text>'
        )
        for span in row.spans:
            x, end = axis.x(span.start), axis.x(span.end)
            wide = round(max(end - x, 1.5), 1)
            parts.append(
                f'<rect class="span {span.look}" x="{x}" y="{y + 4}" width="{wide}" height="{ROW - 8}">'
                f"<title>{escape(span.title)}</title></rect>"
            )
    keys = "".join(
        f'<li><svg class="key" viewBox="0 0 28 12"><rect class="span {look}" x="1" y="1" width="26" height="10"/></svg>'
        f"{escape(name)}</li>"
        for look, name in legend
    )
    return f'<ul class="legend">{keys}</ul>{_svg(parts, bottom + FOOT)}'


def counts(axis: Axis, rows: Sequence[tuple[str, str, Iterable[datetime]]]) -> str:
    """How often something happened, in five minutes each: a row of columns for each (name, look, times)."""
    height = 64
    minutes = max((axis.end - axis.start).total_seconds() / 60, 1)
    width_min = 5 if minutes <= 600 else 15  # noqa: PLR2004 - ten hours
    bottom = TOP + height * len(rows)
    parts = [_grid(axis, TOP, bottom)]
    for number, (name, look, times) in enumerate(rows):
        found = Counter(int((at - axis.start).total_seconds() // (60 * width_min)) for at in times if at >= axis.start)
        most = max(found.values(), default=1)
        floor = TOP + height * (number + 1) - 4
        parts.append(f'<text class="row" x="{LEFT - 8}" y="{floor - 24}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{floor - 8}" text-anchor="end">at most {most}</text>')
        for slot, count in sorted(found.items()):
            at = axis.start + timedelta(minutes=slot * width_min)
            x, end = axis.x(at), axis.x(at + timedelta(minutes=width_min))
            tall, wide = round(count / most * (height - 16), 1), round(max(end - x - 1, 1), 1)
            parts.append(
                f'<rect class="{look}" x="{x}" y="{floor - tall:.1f}" width="{wide}" height="{tall}">'
                f"<title>{count} from {at:%H:%M}</title></rect>"
            )
    return _svg(parts, bottom + FOOT)


def coalesced(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Steps in the order of their times; of several at one time the last counts."""
    ordered = sorted(dict(steps).items())
    return tuple(ordered[:1]) + tuple(other for one, other in pairwise(ordered) if one[1] != other[1])


def _grid(axis: Axis, top: float, bottom: float) -> str:
    parts = []
    for at in axis.marks():
        x = axis.x(at)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{x}" y="{bottom + 18}" text-anchor="middle">{at:%H:%M}</text>')
    return "".join(parts)


def _svg(parts: Iterable[str], height: int) -> str:
    inner = "".join(parts)
    cursor = f'<line class="cursor" x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{height - FOOT}"/>'
    return f'<div class="plot"><svg viewBox="0 0 {WIDTH} {height}" role="img">{inner}{cursor}</svg></div>'


def _short(name: str) -> str:
    return name if len(name) <= 21 else f"{name[:20]}…"  # noqa: PLR2004 - what fits beside the axis


def _round_up(number: float) -> int:
    """The next number of one digit and noughts, so that a scale ends at a round one."""
    if number <= 10:  # noqa: PLR2004 - small scales end where they end
        return max(1, math.ceil(number))
    power = 10 ** math.floor(math.log10(number))
    return next(int(step * power) for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= number)
