"""A storm on a terminal, drawn again and again in its place: map, outages, crews, the last words.

A few escape sequences do it (ECMA-48), so no library is brought in for them: the second screen of the terminal, home,
erase to the end of the line. Nothing is drawn more often than eyes can follow, since drawing takes time from the storm.
"""

import shutil
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Self, TextIO

from shared.tools.telling.story import Story
from shared.tools.telling.text_map import Cell, Style, TextMap
from shared.tools.telling.words import standing

FRAME_S = 0.2
LAST_WORDS = 4
SIDE = 46
WIDE = 110
"""From so many columns on, outages and crews stand beside the map and not below it."""

BELOW = 7
"""So many of them stand below it."""

_SGR = {
    Style.PLAIN: "",
    Style.LIVE: "38;5;67",
    Style.DARK: "1;38;5;208",
    Style.SOURCE: "1;38;5;255",
    Style.SWITCH: "1;38;5;226",
    Style.CREW: "1;30;48;5;117",
    Style.FAINT: "2",
    Style.STRONG: "1;38;5;203",
    Style.WEATHER: "38;5;74",
}
"""Colours that people with any sight of colours tell apart: blue is well, orange is off (Okabe and Ito 2008)."""


def can_redraw(terminal: TextIO, environ: Mapping[str, str]) -> bool:
    """True for a terminal that can be drawn on in place."""
    return terminal.isatty() and environ.get("TERM", "dumb") != "dumb"


class Screen:
    """Draws a story on a terminal for the time of a ``with`` block.

    Args:
        terminal: where to.
        story: what is drawn.
        title: the first words of the first line.
        faults: how many faults are to come.
        colour: False where the user wants none (https://no-color.org).
    """

    def __init__(self, terminal: TextIO, story: Story, *, title: str, faults: int, colour: bool) -> None:
        self._terminal = terminal
        self._story = story
        self._title = title
        self._faults = faults
        self._colour = colour
        self._unicode = "utf" in (terminal.encoding or "").lower()
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        self._map: TextMap | None = None
        self._size = (0, 0)
        self._drawn_at = 0.0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._terminal.write("\x1b[?1049h\x1b[?25l\x1b[2J")
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.write("\x1b[?25h\x1b[?1049l")
        self._terminal.flush()

    def say(self, lines: Iterable[str]) -> None:
        """Take these lines to the last words, and draw when it is time."""
        self._words.extend(lines)
        if time.monotonic() - self._drawn_at >= FRAME_S:
            self.draw()

    def draw(self) -> None:
        """Draw everything."""
        columns, rows = shutil.get_terminal_size((100, 30))
        frame = self.frame(columns, rows)
        self._terminal.write("\x1b[H" + "\x1b[K\r\n".join(frame) + "\x1b[J")
        self._terminal.flush()
        self._drawn_at = time.monotonic()

    def frame(self, columns: int, rows: int) -> list[str]:
        """The lines of the screen in that size."""
        is_wide = columns >= WIDE
        width = columns - SIDE - 1 if is_wide else columns
        height = max(5, rows - 3 - LAST_WORDS - (0 if is_wide else BELOW))
        if self._map is None or self._size != (width, height):
            self._map, self._size = TextMap(self._story.plan, width, height, unicode=self._unicode), (width, height)
        side = self._side(height if is_wide else BELOW, SIDE if is_wide else columns)
        drawn = [self._row(row) for row in self._map.draw(self._story)]
        if is_wide:
            drawn = [f"{row} {text}" for row, text in zip(drawn, side, strict=True)]
        words = [word[:columns] for word in [*self._words, *[""] * LAST_WORDS][:LAST_WORDS]]
        below = [] if is_wide else side
        return [*self._head(columns), *drawn, *below, self._as("-" * columns, Style.FAINT), *words][:rows]

    def _head(self, columns: int) -> list[str]:
        elapsed = time.monotonic() - self._began
        first = f"{self._title}   {self._story.now:%H:%M:%S}   {elapsed:.0f} s"
        left = columns - len(first) - 2
        share = min(1.0, self._story.struck / max(1, self._faults))
        full = int(share * max(0, min(left, 24)))
        bar = ("█" if self._unicode else "#") * full + ("░" if self._unicode else ".") * (max(0, min(left, 24)) - full)
        return [
            self._as(first[:columns], Style.STRONG) + f"  {bar}",
            standing(self._story, self._faults)[:columns],
        ]

    def _side(self, rows: int, columns: int) -> list[str]:
        """Outages and crews, as many as there is room for, the largest first."""
        outages, crews = self._story.open_outages, self._story.crews_out
        for_crews = min(len(crews), max(1, rows // 3))
        lines = [self._as("OUTAGES", Style.FAINT)]
        for outage in outages[: rows - for_crews - 2]:
            name = self._story.name_of(outage.device) or "-"
            lines.append(f"{outage.customers:5} {outage.state.lower():18.18} {name}"[:columns])
        lines = lines + [""] * (rows - for_crews - 1 - len(lines))
        lines.append(self._as("CREWS", Style.FAINT))
        for crew, order in sorted(crews.items())[:for_crews]:
            step = "at" if "arrive" in order.steps else "to"
            lines.append(f"{crew} {step} {self._story.name_of(order.device) or '-'}"[:columns])
        return (lines + [""] * rows)[:rows]

    def _row(self, cells: list[Cell]) -> str:
        """A row of the map, with one escape sequence for each run of a style."""
        text, run, style = "", "", Style.PLAIN
        for sign, wanted in cells:
            if wanted is not style:
                text, run, style = text + self._as(run, style), "", wanted
            run += sign
        return text + self._as(run, style)

    def _as(self, text: str, style: Style) -> str:
        code = _SGR[style]
        return f"\x1b[{code}m{text}\x1b[0m" if code and text and self._colour else text
