"""A result for people: a few lines for the terminal, and one page that needs nothing beside it."""

from collections.abc import Iterable, Sequence
from html import escape

import msgspec
from msgspec import Struct

from loadtest.comparing import Comparison
from loadtest.plots import STYLE, plot
from loadtest.results import Result
from loadtest.rounds import Round

HISTORY = ("scenario", "at", "valid", "readings_per_s", "ratio_to_raw_limit", "lost", "doubled", "p99_ms")
"""What `history` tells of each result."""

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>
:root{{color-scheme:light dark}}
body{{font:14px/1.5 system-ui,sans-serif;max-width:1320px;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;margin:.5rem 0 1.5rem}}
td,th{{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #8884}}
td:first-child,th:first-child{{text-align:left}}.plots{{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem}}
.bad{{color:#b3261e;font-weight:600}}.good{{color:#2f7d4f;font-weight:600}}pre{{overflow:auto;background:#8881;padding:1rem}}
{style}</style></head><body>{body}
<script type="application/json" id="result">{data}</script></body></html>
"""


def text(result: Result) -> str:
    """The result in a few lines."""
    ratio = "" if result.ratio_to_raw_limit is None else f", {result.ratio_to_raw_limit:.3f} of the raw limit"
    values = sum(each.read_back.values for each in result.rounds)
    rate = f"{result.readings_per_s:,.0f} readings a second stored{ratio}"
    lines = [
        f"{result.scenario}: {rate}; median of {len(result.rounds)} rounds",
        f"  lost {result.lost}, doubled {result.doubled}, wrong {result.wrong}, of {values:,} values read back",
    ]
    for name, p99 in result.p99_ms.items():
        stored = result.stored_p99_ms[name]
        until = f", stored {stored:,.0f} ms" if stored else ""
        lines.append(f"  {name}: p99 {p99:,.1f} ms from the intended start{until}")
    lines += [f"  {'reached' if reached else 'MISSED'}: {goal}" for goal, reached in result.reached.items()]
    lines.append("  valid" if result.valid else f"  INVALID: {'; '.join(result.reasons)}")
    card = result.environment
    lines.append(
        f"  {card.get('cores')} cores, {card.get('fsync_per_s', '?')} fsyncs a second,"
        f" sync_interval {card.get('sync_interval')}, synchronous_commit {card.get('postgres_synchronous_commit', '?')}"
    )
    return "\n".join(lines) + "\n"


def page(result: Result) -> str:
    """The result as a page of HTML, with its data inside."""
    word = '<span class="good">valid</span>' if result.valid else '<span class="bad">INVALID</span>'
    ratio = "" if result.ratio_to_raw_limit is None else f", {result.ratio_to_raw_limit:.3f} of the raw limit"
    counts = f"lost {result.lost}, doubled {result.doubled}, wrong {result.wrong}"
    rounds = f"the median of {len(result.rounds)} rounds; {counts}"
    body = [
        f"<h1>{escape(result.scenario)}</h1><p>{escape(result.title)}. {result.at:%Y-%m-%d %H:%M} UTC.</p>",
        f"<p><b>{result.readings_per_s:,.0f}</b> readings a second stored{ratio}, {rounds}; {word}.</p>",
        _list(result.reasons, "bad"),
        _list((f"{'reached' if done else 'missed'}: {goal}" for goal, done in result.reached.items()), ""),
        "<h2>Rounds</h2>",
        _rounds(result),
        "<h2>Loads</h2>",
        "<p>Milliseconds from when a message was due. A closed model would have told the last column.</p>",
        _loads(result.rounds[-1]),
        '<h2>The last round</h2><div class="plots">',
        *_plots(result),
        "</div>",
        "<h2>What it cost</h2>",
        _cost(result.rounds[-1]),
        *_beside(result),
        "<h2>Where</h2>",
        table((("", ""), *((name, str(value)) for name, value in flat(result.environment)))),
        f"<h2>Scenario</h2><pre>{escape(msgspec.yaml.encode(result.settings).decode())}</pre>",
    ]
    return document(result.name, "".join(body), result)


def document(title: str, body: str, data: Struct) -> str:
    """A page of HTML that needs nothing beside it, with its data inside."""
    told = msgspec.json.encode(data).decode().replace("</", "<\\/")
    return _PAGE.format(title=escape(title), style=STYLE, body=body, data=told)


def compared(found: Comparison) -> str:
    """A comparison in a few lines."""
    lines = [f"{found.second} against {found.first}: {found.verdict}"]
    lines += [f"  not comparable: {each}" for each in found.comparable]
    for name, each in found.differences.items():
        lines.append(
            f"  {name:28}{each.first:>14,.1f}{each.second:>14,.1f}  x {each.ratio:.2f}"
            f" ({each.low:.2f} to {each.high:.2f}, chance {each.likelihood:.2f})  {each.verdict}"
        )
    return "\n".join(lines) + "\n"


def history(results: Sequence[Result]) -> str:
    """All results, a line each."""
    lines = [f"{'when':17}{'scenario':18}{'readings/s':>12}{'of limit':>10}{'lost':>6}{'doubled':>9}  valid"]
    for each in results:
        ratio = "-" if each.ratio_to_raw_limit is None else f"{each.ratio_to_raw_limit:.3f}"
        lines.append(
            f"{each.at:%Y-%m-%d %H:%M} {each.scenario:18}{each.readings_per_s:12,.0f}{ratio:>10}"
            f"{each.lost:6}{each.doubled:9}  {'yes' if each.valid else 'no'}"
        )
    return "\n".join(lines) + "\n"


def _rounds(result: Result) -> str:
    names = sorted({name for each in result.rounds for name in each.raw_limit})
    head = ("", "readings/s", "of the COPY", *names, "lost", "doubled", "wrong", "generator late p99 ms", "valid")
    rows = [
        (
            str(number + 1),
            f"{each.readings_per_s:,.0f}",
            "-" if each.ratio_to_raw_limit is None else f"{each.ratio_to_raw_limit:.3f}",
            *(f"{each.raw_limit[name]:,.0f}" if name in each.raw_limit else "-" for name in names),
            str(each.lost),
            str(each.doubled),
            str(each.wrong),
            f"{each.generator['lag']['p99']:.1f}",
            "yes" if each.valid else "no",
        )
        for number, each in enumerate(result.rounds)
    ]
    return table((head, *rows))


def _loads(done: Round) -> str:
    head = (
        "",
        "due /s",
        "messages",
        "no answer",
        "p50",
        "p99",
        "p99.9",
        "max",
        "stored p50",
        "stored p99",
        "service p99",
    )
    rows = [
        (
            name,
            f"{load.offered_per_s:,.0f}",
            f"{load.messages:,}",
            str(load.unanswered),
            *(f"{load.acknowledged[each]:,.1f}" for each in ("p50", "p99", "p99.9", "max")),
            *(f"{load.stored[each]:,.0f}" if load.stored["count"] else "-" for each in ("p50", "p99")),
            f"{load.service['p99']:,.1f}",
        )
        for name, load in done.loads.items()
    ]
    return table((head, *rows))


def _plots(result: Result) -> list[str]:
    done = result.rounds[-1]
    series = done.series
    marks = [(series["warm_up_s"], "counted from here"), *((at, f"kill {name}") for at, name in series["faults"])]
    seconds = {name: [*enumerate(series[name])] for name in ("due_per_s", "stored_per_s")}
    return [
        plot(
            "Due and stored",
            {"due": seconds["due_per_s"], "stored": seconds["stored_per_s"]},
            x="s",
            y="1/s",
            marks=marks,
        ),
        plot("What waits for the role", {"messages": series["backlog"]}, x="s", y="messages", marks=marks),
        plot("p99 from the intended start", {"p99": series["p99_ms"]}, x="s", y="ms", logarithmic=True, marks=marks),
        plot(
            "Latency by share of messages",
            {name: load.curve for name, load in done.loads.items() if load.acknowledged["count"]},
            x="per cent",
            y="ms",
            logarithmic=True,
        ),
        plot(
            "Memory",
            {
                name: [(place / 2, value) for place, value in enumerate(each)]
                for name, each in series["memory_mib"].items()
            },
            x="s",
            y="MiB",
        ),
        plot(
            "Rounds",
            {
                "stored": [(number + 1, each.readings_per_s) for number, each in enumerate(result.rounds)],
                **{
                    name: [(n + 1, r.raw_limit[name]) for n, r in enumerate(result.rounds) if name in r.raw_limit]
                    for name in ("copy_per_s", "pull_per_s")
                },
            },
            x="round",
            y="readings/s",
            logarithmic=True,
        )
        if len(result.rounds) > 1
        else "",
    ]


def _cost(done: Round) -> str:
    cost = done.cost
    rows = [
        (
            name,
            f"{cost['cpu_s'][name]:,.2f}",
            f"{cost['cpu_ms_per_1000_readings'][name]:,.3f}",
            f"{cost['memory_mib'].get(name, 0):,.0f}",
        )
        for name in cost["cpu_s"]
    ]
    bytes_of = [
        (name, str(cost[name]), "", "")
        for name in (
            "wal_bytes_per_reading",
            "message_bytes_per_reading",
            "loop_lag_p99_ms",
            "messages_taken",
            "deaths",
        )
    ]
    return table((("", "CPU s", "CPU ms per 1,000 readings", "memory MiB"), *rows, *bytes_of))


def _beside(result: Result) -> Iterable[str]:
    """Parsing alone, the rates of a search, and peers, where there are any."""
    if result.parsing:
        rows = [(name, *(f"{value:,.3g}" for value in each.values())) for name, each in result.parsing.items()]
        yield "<h2>Reading a message, on a core</h2>"
        yield table((("", "parsing alone, readings/s", "read and checked", "ratio"), *rows))
    if result.peers:
        rows = [(name, f"{rate:,.0f}" if isinstance(rate, float) else str(rate)) for name, rate in result.peers.items()]
        yield "<h2>Others at the same work</h2>" + table((("", "readings/s"), *rows))
    if result.search:
        rows = [(f"{factor:.3f}", "borne" if borne else "not borne") for factor, borne in result.search]
        yield "<h2>Rates that were tried</h2>" + table((("of the rate of the scenario", ""), *rows))


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of texts; the first is the head."""
    head, *others = rows
    cells = "".join(f"<th>{escape(each)}</th>" for each in head)
    lines = ("".join(f"<td>{escape(each)}</td>" for each in row) for row in others)
    return f"<table><tr>{cells}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _list(lines: Iterable[str], kind: str) -> str:
    items = "".join(f'<li class="{kind}">{escape(line)}</li>' for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def flat(card: dict[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    """What a card tells, without the cards inside it."""
    for name, value in card.items():
        if isinstance(value, dict):
            yield from flat(value, f"{name} ")
        else:
            yield prefix + name, value
