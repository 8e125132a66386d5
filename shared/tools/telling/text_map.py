"""The map in text: the network in dots of Braille, eight to a character, with what is off and who is where upon it.

A character says what it means by its shape as well as by its colour: dots are lines with power, blocks are customers
without, and letters and signs are switches and crews. Where the terminal knows no Unicode, ASCII takes their place.
"""

import math
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from shared.tools.telling.plan import Plan, Point
from shared.tools.telling.story import BEFORE, Story

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a character of Braille, by row and column."""

BRAILLE = 0x2800
MANY = 5
"""So many customers without power make a full block."""


class Style(StrEnum):
    """What a character is about."""

    PLAIN = "plain"
    LIVE = "live"
    DARK = "dark"
    SOURCE = "source"
    SWITCH = "switch"
    CREW = "crew"
    FAINT = "faint"
    STRONG = "strong"
    WEATHER = "weather"


class Signs(Struct, frozen=True):
    """The characters of a map, for a kind of terminal."""

    source: str
    opened: str
    suspected: str
    confirmed: str
    few_off: str
    many_off: str
    line: str
    dark_line: str
    gale: str
    storm: str


UNICODE = Signs("■", "○", "?", "✕", "▒", "▓", "", "", "~", "≈")
ASCII = Signs("S", "o", "?", "X", "%", "#", ".", "-", "~", "=")

GALE, STORM = 17.2, 24.5
"""From these gusts in m/s on wind is drawn (8 and 10 of Beaufort's scale)."""

REACH = (6, 2)
"""So many characters to each side of a station, and above and below it, its gust is drawn where nothing else is."""

Cell = tuple[str, Style]


class Canvas:
    """A field of characters under a network.

    Args:
        plan: what is drawn, for its extent.
        columns, rows: how many characters there are.
    """

    def __init__(self, plan: Plan, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.west, self.south, self.east, self.north = plan.box or (0.0, 0.0, 1.0, 1.0)
        self.narrow = math.cos(math.radians((self.south + self.north) / 2))
        width = max((self.east - self.west) * self.narrow, 1e-9)
        height = max(self.north - self.south, 1e-9)
        self._scale = min((2 * columns - 1) / width, (4 * rows - 1) / height)
        self._left = (2 * columns - 1 - width * self._scale) / 2
        self._top = (4 * rows - 1 - height * self._scale) / 2

    def dot(self, place: Point) -> tuple[int, int]:
        """The dot of a place, as column and row of dots."""
        across = self._left + (place[0] - self.west) * self.narrow * self._scale
        down = self._top + (self.north - place[1]) * self._scale
        return min(max(round(across), 0), 2 * self.columns - 1), min(max(round(down), 0), 4 * self.rows - 1)

    def cell(self, place: Point) -> tuple[int, int]:
        """The character of a place, as column and row."""
        across, down = self.dot(place)
        return across // 2, down // 4

    def dots(self, points: tuple[Point, ...]) -> Iterator[tuple[int, int]]:
        """The dots of a line through these points."""
        for one, other in pairwise(points):
            (x0, y0), (x1, y1) = self.dot(one), self.dot(other)
            steps = max(abs(x1 - x0), abs(y1 - y0), 1)
            for step in range(steps + 1):
                yield x0 + (x1 - x0) * step // steps, y0 + (y1 - y0) * step // steps


class TextMap:
    """The map of a story in a field of that size; the still parts are drawn once."""

    def __init__(self, plan: Plan, columns: int, rows: int, *, unicode: bool = True) -> None:
        self.canvas = Canvas(plan, columns, rows)
        self._plan = plan
        self._signs = UNICODE if unicode else ASCII
        self._unicode = unicode
        self._lines = [(each.nodes, tuple(set(self.canvas.dots(each.points)))) for each in plan.lines]
        self._all = self._masks(dots for _, dots in self._lines)
        customers = plan.customers.values()
        self._customers = {each.mrid: (self.canvas.cell(each.place), each.customers) for each in customers}

    def draw(self, story: Story) -> list[list[Cell]]:
        """The rows of the map as it is now."""
        canvas, signs = self.canvas, self._signs
        rows: list[list[Cell]] = [[(" ", Style.PLAIN)] * canvas.columns for _ in range(canvas.rows)]
        for (column, row), mask in self._all.items():
            rows[row][column] = (self._of_line(mask, signs.line), Style.LIVE)
        dead = [dots for nodes, dots in self._lines if not (nodes[0] in story.live and nodes[1] in story.live)]
        for column, row in self._masks(dead):
            rows[row][column] = (self._of_line(self._all[column, row], signs.dark_line), Style.DARK)
        for (column, row), count in self._off(story).items():
            rows[row][column] = (signs.many_off if count >= MANY else signs.few_off, Style.DARK)
        self._blow(story, rows)
        for sign, style, place in self._marks(story):
            column, row = canvas.cell(place)
            rows[row][column] = (sign, style)
        return rows

    def _marks(self, story: Story) -> Iterator[tuple[str, Style, Point]]:
        """Sources, switches that stand otherwise than normal, devices that are named, crews; the last lies on top."""
        signs = self._signs
        for device in self._plan.devices.values():
            if device.normal_open is None:
                yield signs.source, Style.SOURCE, device.place
            elif (device.mrid in story.opened) != (device.mrid in self._plan.opened):
                yield signs.opened, Style.SWITCH, device.place
        for outage in story.open_outages:
            place = self._plan.of_device(outage.device)
            if place is not None:
                yield signs.suspected if outage.state in BEFORE else signs.confirmed, Style.STRONG, place
        for crew, order in story.crews_out.items():
            place = self._plan.of_device(order.device)
            if place is not None:
                yield crew[-1:], Style.CREW, place

    def _blow(self, story: Story, rows: list[list[Cell]]) -> None:
        """Gusts where the field is empty, around the stations that measure them."""
        for station, gust in story.gusts.items():
            place = self._plan.of_device(station)
            if gust < GALE or place is None:
                continue
            sign = self._signs.storm if gust >= STORM else self._signs.gale
            middle, level = self.canvas.cell(place)
            for row in range(max(0, level - REACH[1]), min(self.canvas.rows, level + REACH[1] + 1)):
                for column in range(max(0, middle - REACH[0]), min(self.canvas.columns, middle + REACH[0] + 1)):
                    if rows[row][column][0] == " " and (row + column) % 2 == 0:
                        rows[row][column] = (sign, Style.WEATHER)

    def _off(self, story: Story) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = {}
        for point in story.dark:
            if point in self._customers:
                cell, customers = self._customers[point]
                found[cell] = found.get(cell, 0) + customers
        return found

    def _masks(self, lines: Iterable[tuple[tuple[int, int], ...]]) -> dict[tuple[int, int], int]:
        masks: dict[tuple[int, int], int] = {}
        for dots in lines:
            for across, down in dots:
                cell = across // 2, down // 4
                masks[cell] = masks.get(cell, 0) | DOTS[down % 4][across % 2]
        return masks

    def _of_line(self, mask: int, sign: str) -> str:
        return chr(BRAILLE | mask) if self._unicode else sign
