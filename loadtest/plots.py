"""Lines over an axis as SVG, without any library: a report is one file that opens anywhere, also in a control room."""

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 560, 250
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 40, 34
STEPS = 5

_DASHES = ("", "6 3", "2 3", "9 3 2 3")
"""Lines differ by dashes too, for whoever does not see their colours apart."""


def plot(
    title: str,
    lines: Mapping[str, Points],
    *,
    x: str,
    y: str,
    logarithmic: bool = False,
    powers: bool = False,
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """A figure with a line for each of ``lines``; empty where there is nothing to show.

    Args:
        title: what is shown.
        lines: points by name.
        x: what the level axis is, with its unit.
        y: what the upright axis is.
        logarithmic: powers of ten on the upright axis; values of 0 are left out.
        powers: powers of ten on the level axis, and a dot at each point.
        marks: upright lines with their texts, such as faults.
    """
    shown = {name: [p for p in points if p[1] > 0 or not logarithmic] for name, points in lines.items()}
    shown = {name: points for name, points in shown.items() if points}
    if not shown:
        return ""
    xs = [point[0] for points in shown.values() for point in points]
    ys = [point[1] for points in shown.values() for point in points]
    left, right = _range(xs, logarithmic=True) if powers else (min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1)
    low, high = _range(ys, logarithmic=logarithmic)

    def across(value: float) -> float:
        return LEFT + _part(value, left, right, logarithmic=powers) * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - _part(value, low, high, logarithmic=logarithmic) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<text class="title" x="{LEFT}" y="12">{escape(title)}, {escape(y)}</text>',
    ]
    for value in _ticks(low, high, logarithmic=logarithmic):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(value):.1f}" y2="{up(value):.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(value) + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    parts += [
        f'<text x="{across(value):.1f}" y="{HEIGHT - 18}" text-anchor="middle">{_short(value)}</text>'
        for value in _ticks(left, right, logarithmic=powers)
    ]
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{escape(x)}</text>')
    for at, text in marks:
        place = across(min(max(at, left), right))
        parts.append(f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{place + 3:.1f}" y="{TOP + 24}">{escape(text)}</text>')
    for number, (name, points) in enumerate(shown.items()):
        path = " ".join(f"{across(px):.1f},{up(py):.1f}" for px, py in points)
        dash = _DASHES[number % len(_DASHES)]
        parts.append(
            f'<polyline class="line{number % 4}" stroke-dasharray="{dash}" points="{path}">'
            f"<title>{escape(name)}</title></polyline>"
        )
        if powers:
            parts += [
                f'<circle class="line{number % 4}" cx="{across(px):.1f}" cy="{up(py):.1f}" r="3"/>' for px, py in points
            ]
        start = LEFT + 124 * (number % 4)
        parts.append(
            f'<line class="line{number % 4}" stroke-dasharray="{dash}" x1="{start}" x2="{start + 22}"'
            f' y1="{TOP - 14}" y2="{TOP - 14}"/><text x="{start + 26}" y="{TOP - 10}">{escape(name[:16])}</text>'
        )
    return "".join([*parts, "</svg>"])


STYLE = """
svg{width:100%;max-width:640px;height:auto;font:11px system-ui,sans-serif;fill:currentColor}
svg .title{font-weight:600;font-size:12px}svg .grid{stroke:currentColor;opacity:.15}
svg .mark{stroke:#b3261e;stroke-width:1.5}svg polyline,svg line{fill:none;stroke-width:1.8}
svg .line0{stroke:#1f6fb2}svg .line1{stroke:#c2571a}svg .line2{stroke:#2f7d4f}svg .line3{stroke:#7b5ea7}
"""


def _part(value: float, low: float, high: float, *, logarithmic: bool) -> float:
    """How far along an axis a value is, 0 to 1."""
    if logarithmic:
        return (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
    return (value - low) / (high - low)


def _range(values: Sequence[float], *, logarithmic: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if logarithmic:
        low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        return (low, high) if high > low else (low, low * 10)
    return 0.0 if low >= 0 else low, high if high > 0 else 1.0


def _ticks(low: float, high: float, *, logarithmic: bool) -> list[float]:
    if logarithmic:
        return [10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)]
    raw = (high - low) / STEPS
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _short(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
