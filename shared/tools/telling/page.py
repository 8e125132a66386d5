"""A storm on one page: a file of HTML that needs nothing else, to be looked at, sent and printed.

The map can be set to any moment: what changed is in the page as data, and a short script draws the state. The plots and
tables are drawn here, so the page says all but the map's course without a script as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import msgspec
from msgspec import Struct

from contracts.errors import Invalid
from contracts.nouns.scenario_scores import CourseKind, ScenarioScore
from contracts.nouns.training_scenarios import TrainingScenario
from shared.tools.telling.figures import FaultLine
from shared.tools.telling.plan import Point
from shared.tools.telling.plots import LEFT, RIGHT, WIDTH, Axis, Bar, Curve, Span, bars, coalesced, counts, curves
from shared.tools.telling.story import OrderTale, Story
from shared.tools.telling.summary import duration
from shared.tools.telling.text_map import Canvas

NAME = "storm.html"
TEMPLATE = Path(__file__).with_name("page.html")
MOST_ROWS = 120
"""So many outages stand in the chart; the longest of more."""

PASSING_S = 600.0
"""So long a fault that went away by itself stays on the map."""

_GANTT = (("unseen", "not yet detected"), ("seen", "detected"), ("cut", "cut off"), ("lit", "restored"))
_WORK = (("way", "on the way"), ("work", "at the place"))


class Facts(Struct, frozen=True, kw_only=True):
    """What stands on the page in words.

    Attributes:
        title: the heading.
        verdict: how it ended, in a sentence.
        is_good: whether every promise was kept.
        cards: the figures that come first, as (name, value, explanation).
        lines: each fault as it was and as it was told.
        indices: the names of the indices with the values of each who counts.
        done: sentences about times and what was done.
        observed: what the observer says, in sentences.
    """

    title: str
    verdict: str
    is_good: bool
    cards: tuple[tuple[str, str, str], ...]
    lines: tuple[FaultLine, ...]
    indices: dict[str, dict[str, float | None]]
    done: tuple[str, ...]
    observed: tuple[str, ...]


def made(folder: Path) -> Path:
    """A folder to write into, made if need be.

    Raises:
        Invalid: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / NAME).touch()
    except OSError as error:
        raise Invalid(f"no page can be written into '{folder}': {error.strerror}") from None
    return folder


def write_page(
    folder: Path, story: Story, scenario: TrainingScenario, score: ScenarioScore | None, facts: Facts
) -> Path:
    """Write the page into a folder; gives the file."""
    file = folder / NAME
    file.write_text(page(story, scenario, score, facts), encoding="utf-8")
    return file


def page(story: Story, scenario: TrainingScenario, score: ScenarioScore | None, facts: Facts) -> str:
    """The page."""
    axis = Axis(scenario.start_time or story.start, max(scenario.end_time or story.now, story.now))
    drawing = _Drawing(story, axis)
    data = msgspec.json.encode(drawing.data(scenario, facts.lines)).decode()
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(facts.title),
        verdict=escape(facts.verdict),
        mood="good" if facts.is_good else "bad",
        cards="".join(_card(*each) for each in facts.cards),
        height=drawing.height,
        width=drawing.width,
        base=drawing.base,
        off=curves(axis, _courses(story, score)),
        outages=bars(axis, _gantt(facts.lines, axis.end), _GANTT),
        crews=bars(axis, _shifts(story, axis.end), _WORK),
        heard=counts(axis, (("last gasps", "gasps", story.gasps), ("calls", "calls", story.calls.values()))),
        faults=_table(facts.lines),
        indices=_indices(facts.indices),
        done=_list(facts.done),
        observed=_list(facts.observed),
        data=data.replace("<", "\\u003c"),
    )


class _Drawing:
    """The map: its still part as SVG, and what changes as data."""

    width = 1000

    def __init__(self, story: Story, axis: Axis) -> None:
        self._story, self._plan, self._axis = story, story.plan, axis
        west, south, east, north = story.plan.box or (0.0, 0.0, 1.0, 1.0)
        narrow = Canvas(story.plan, 10, 10).narrow
        wide, tall = max((east - west) * narrow, 1e-9), max(north - south, 1e-9)
        self._scale = min(960 / wide, 640 / tall)
        self._west, self._north, self._narrow = west, north, narrow
        self._left = (1000 - wide * self._scale) / 2
        self.height = round(tall * self._scale + 40)
        self._nodes: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        places: dict[str, list[Point]] = defaultdict(list)
        for each in self._plan.customers.values():
            places[each.group].append(each.place)
        self._spots = [self._xy(_middle(spots)) for spots in places.values()]
        self._groups = {group: number for number, group in enumerate(places)}

    @property
    def base(self) -> str:
        """The network at rest."""
        lines = "".join("M" + "L".join(f"{x} {y}" for x, y in map(self._xy, each.points)) for each in self._plan.lines)
        dots = "".join(f"M{x} {y}h0" for x, y in self._spots)
        sources = "".join(
            f'<rect class="source" x="{x - 7}" y="{y - 7}" width="14" height="14">'
            f"<title>{escape(each.name)}</title></rect>"
            for each in self._plan.devices.values()
            if each.normal_open is None
            for x, y in (self._xy(each.place),)
        )
        return f'<path class="line" d="{lines}"/><path class="spot" d="{dots}"/>{sources}'

    def data(self, scenario: TrainingScenario, lines: Sequence[FaultLine]) -> dict[str, Any]:
        """What the script draws: places once, then changes with their seconds since the beginning."""
        changes, plan = self._story.changes, self._plan
        drawn = [[self._node(node) for node in each.nodes] + [self._path(each.points)] for each in plan.lines]
        nodes = [[self._s(at), self._nodes[node], live] for at, node, live in changes.nodes if node in self._nodes]
        switches = [
            [self._s(at), *self._xy(plan.devices[mrid].place), plan.devices[mrid].name, opened != (mrid in plan.opened)]
            for at, mrid, opened in changes.switches
            if mrid in plan.devices
        ]
        return {
            "start": int(self._axis.start.timestamp()),
            "length": self._s(self._axis.end),
            "plot": [LEFT, WIDTH - RIGHT],
            "lines": drawn,
            "spots": self._spots,
            "nodes": nodes,
            "switches": switches,
            "dark": [[self._s(at), mrid, self._grouped(points)] for at, mrid, points in changes.dark],
            "outages": self._outages(),
            "crews": self._crews(),
            "faults": self._faults(scenario, lines),
            "gusts": [
                [self._s(at), *self._xy(place), gust]
                for at, station, gust in changes.gusts
                if (place := plan.of_device(station)) is not None
            ],
            "off": [[self._s(at), number] for at, number in coalesced(changes.off)],
        }

    def _outages(self) -> list[list[Any]]:
        found = []
        for tale in self._story.outages.values():
            place = self._plan.of_device(tale.device)
            if place is not None and tale.named and tale.restored_at is not None:
                confirmed = tale.confirmed_at or tale.restored_at
                times = [self._s(at) for at in (tale.named[0][0], confirmed, tale.restored_at)]
                found.append(
                    [*times, *self._xy(place), f"{self._story.name_of(tale.device)}, {tale.customers} customers"]
                )
        return found

    def _crews(self) -> list[list[Any]]:
        found = []
        for order in self._story.orders.values():
            place = self._plan.of_device(order.device)
            left, arrived, over = _way(order)
            if place is not None and order.crew is not None and left is not None:
                times = [self._s(at or self._axis.end) for at in (left, arrived, over)]
                found.append([*times, *self._xy(place), order.crew])
        return found

    def _faults(self, scenario: TrainingScenario, lines: Iterable[FaultLine]) -> list[list[Any]]:
        """The faults as they were in truth, until everybody had power; one that passed is shown for a while."""
        until = {line.fault: line.restored_s for line in lines}
        found = []
        for fault in scenario.fault:
            place = self._plan.of_device(fault.equipment)
            at = self._s(fault.occurred_date_time)
            lasted = until.get(fault.mrid, PASSING_S)
            over = self._s(self._axis.end) if lasted is None else at + round(lasted)
            if place is not None:
                name = self._story.name_of(fault.equipment)
                found.append([at, *self._xy(place), name, fault.mrid not in until, over])
        return found

    def _grouped(self, points: Iterable[str]) -> list[list[int]]:
        found: dict[int, int] = defaultdict(int)
        for point in points:
            customer = self._plan.customers.get(point)
            if customer is not None:
                found[self._groups[customer.group]] += customer.customers
        return [[group, count] for group, count in sorted(found.items())]

    def _node(self, node: str) -> int:
        return self._nodes.setdefault(node, len(self._nodes))

    def _path(self, points: Iterable[Point]) -> str:
        return "M" + "L".join(f"{x} {y}" for x, y in map(self._xy, points))

    def _xy(self, place: Point) -> tuple[float, float]:
        across = self._left + (place[0] - self._west) * self._narrow * self._scale
        return round(across, 1), round(20 + (self._north - place[1]) * self._scale, 1)

    def _s(self, at: datetime) -> int:
        return round((at - self._axis.start).total_seconds())


def _courses(story: Story, score: ScenarioScore | None) -> list[Curve]:
    """Customers off: as the control room believed, and as it was and could have been."""
    told = [Curve("as the control room believed", "believed", coalesced(story.changes.off))]
    if score is None:
        return told
    steps = {
        course.kind: coalesced((step.date_time, step.customers) for step in course.customers_off)
        for course in score.course
    }
    return [
        Curve("in truth", "true", steps.get(CourseKind.RUN, ())),
        *told,
        Curve("had everything been known at once", "best", steps.get(CourseKind.REFERENCE, ())),
        Curve("had nobody switched before each repair", "wait", steps.get(CourseKind.WAITING, ())),
    ]


def _gantt(lines: Sequence[FaultLine], end: datetime) -> list[Bar]:
    """A bar for each fault from its stroke to the end of its outage."""
    chosen = sorted(lines, key=lambda line: -(line.closed_s or float("inf")))[:MOST_ROWS]
    rows = []
    for line in sorted(chosen, key=lambda each: each.struck_at):
        seconds = (0.0, line.detected_s, line.isolated_s, line.restored_s, line.closed_s)
        times = [line.struck_at.timestamp() + each if each is not None else None for each in seconds]
        spans = []
        for number, (look, word) in enumerate(_GANTT):
            begin = times[number]
            over = next((each for each in times[number + 1 :] if each is not None), end.timestamp())
            if begin is not None and over > begin:
                start, stop = (datetime.fromtimestamp(each, line.struck_at.tzinfo) for each in (begin, over))
                spans.append(Span(start, stop, look, f"{word} {start:%H:%M} to {stop:%H:%M}"))
        rows.append(Bar(line.confirmed_device or line.device or line.equipment or "-", tuple(spans)))
    return rows


def _shifts(story: Story, end: datetime) -> list[Bar]:
    """A row for each crew: on the way, and at work."""
    rows: dict[str, list[Span]] = defaultdict(list)
    for order in story.orders.values():
        left, arrived, over = _way(order)
        if order.crew is None or left is None:
            continue
        place = story.name_of(order.device) or "a customer"
        rows[order.crew].append(Span(left, arrived or over or end, "way", f"to {place}, from {left:%H:%M}"))
        if arrived is not None:
            rows[order.crew].append(Span(arrived, over or end, "work", f"at {place}, from {arrived:%H:%M}"))
    return [Bar(crew, tuple(sorted(spans, key=lambda span: span.start))) for crew, spans in sorted(rows.items())]


def _way(order: OrderTale) -> tuple[datetime | None, datetime | None, datetime | None]:
    steps = order.steps
    return steps.get("depart"), steps.get("arrive"), steps.get("complete") or steps.get("cancel")


def _card(name: str, value: str, text: str) -> str:
    return f"<div class=card><b>{escape(value)}</b><span>{escape(name)}</span><small>{escape(text)}</small></div>"


def _table(lines: Iterable[FaultLine]) -> str:
    rows = []
    for line in lines:
        cells = (
            f"{line.struck_at:%H:%M:%S}",
            line.equipment or "-",
            line.device or "nothing opened",
            _beside(line.device, line.predicted_device),
            _beside(line.device, line.confirmed_device),
            "-" if line.customers is None else str(line.customers),
            *(duration(each) for each in (line.detected_s, line.isolated_s, line.restored_s)),
        )
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "".join(rows)


def _beside(true: str | None, told: str | None) -> str:
    """What was told, where it is not what was true."""
    return "✓" if true is not None and told == true else f"✗ {told or 'nothing'}"


def _indices(columns: dict[str, dict[str, float | None]]) -> str:
    names = next(iter(columns.values()))
    head = "".join(f"<th>{escape(who)}</th>" for who in columns)
    rows = (
        f"<tr><th>{escape(name)}</th>"
        + "".join(f"<td>{'-' if told[name] is None else format(told[name], ',.3f')}</td>" for told in columns.values())
        + "</tr>"
        for name in names
    )
    return f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"


def _list(texts: Iterable[str]) -> str:
    return "".join(f"<li>{escape(text)}</li>" for text in texts)


def _middle(places: Sequence[Point]) -> Point:
    return sum(place[0] for place in places) / len(places), sum(place[1] for place in places) / len(places)
