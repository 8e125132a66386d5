"""What `loadtest sizes` found, for people: lines for the terminal, and a page that needs nothing beside it."""

from collections.abc import Callable, Iterable
from html import escape

import msgspec

from loadtest.plots import plot
from loadtest.report import document, flat, table
from loadtest.sizes import Cost, Sizes, line


def text(found: Sizes) -> str:
    """A line for each size."""
    lines = [f"{found.scenario}: {found.title}"]
    lines += [f"  {line(each)}" for each in found.costs]
    lines += [
        f"  {each.meters:,} meters more were made known in {each.took_s:,.1f} s,"
        f" {next(iter(each.cpu_s_per_1000_meters.values())):.3f} s of CPU of the role for 1,000"
        for each in found.installed
    ]
    return "\n".join(lines) + "\n"


def page(found: Sizes) -> str:
    """The costs as a page of HTML, with its data inside."""
    word = '<span class="good">valid</span>' if found.valid else '<span class="bad">INVALID</span>'
    body = [
        f"<h1>{escape(found.scenario)}: cost against size</h1>",
        f"<p>{escape(found.title)}. {found.at:%Y-%m-%d %H:%M} UTC; {word}.</p>",
        '<div class="plots">',
        *_plots(found),
        "</div>",
        "<h2>Costs</h2>",
        _costs(found),
        "<h2>Meters made known</h2>",
        _installed(found),
        "<h2>Where</h2>",
        table((("", ""), *((name, str(value)) for name, value in flat(found.environment)))),
        f"<h2>Scenario</h2><pre>{escape(msgspec.yaml.encode(found.settings).decode())}</pre>",
    ]
    return document(found.name, "".join(body), found)


def _plots(found: Sizes) -> Iterable[str]:
    def role(told: dict[str, float]) -> float:
        return next(iter(told.values()))

    wanted: dict[tuple[str, str], Callable[[Cost], float]] = {
        ("Stored", "readings/s"): lambda each: each.readings_per_s,
        ("CPU of the role", "ms for 1,000 readings"): lambda each: role(each.cpu_ms_per_1000_readings),
        ("CPU of all", "ms for 1,000 readings"): lambda each: sum(each.cpu_ms_per_1000_readings.values()),
        ("Memory of the role", "MiB"): lambda each: role(each.memory_mib),
        ("Written ahead", "bytes a reading"): lambda each: each.wal_bytes_per_reading or 0.0,
        ("p99 until stored", "ms"): lambda each: max(each.stored_p99_ms.values()),
    }
    counts = sorted({each.processes for each in found.costs})
    for (title, unit), figure in wanted.items():
        lines = {
            f"{count} {'process' if count == 1 else 'processes'}": [
                (float(each.meters), figure(each)) for each in found.costs if each.processes == count
            ]
            for count in counts
        }
        yield plot(title, lines, x="meters", y=unit, powers=True)


def _costs(found: Sizes) -> str:
    names = list(found.costs[0].cpu_ms_per_1000_readings)
    head = (
        "meters",
        "processes",
        "readings/s",
        *(f"CPU of {name}" for name in names),
        *(f"MiB of {name}" for name in names if name in found.costs[0].memory_mib),
        "WAL bytes a reading",
        "p99 broker, ms",
        "p99 stored, ms",
        "lost",
        "doubled",
        "wrong",
        "valid",
    )
    rows = [
        (
            f"{each.meters:,}",
            str(each.processes),
            f"{each.readings_per_s:,.0f}",
            *(f"{each.cpu_ms_per_1000_readings[name]:.3f}" for name in names),
            *(f"{each.memory_mib[name]:,.0f}" for name in names if name in each.memory_mib),
            str(each.wal_bytes_per_reading),
            f"{max(each.p99_ms.values()):,.1f}",
            f"{max(each.stored_p99_ms.values()):,.0f}",
            str(each.lost),
            str(each.doubled),
            str(each.wrong),
            "yes" if each.valid else "; ".join(each.reasons),
        )
        for each in found.costs
    ]
    return f"<p>CPU in milliseconds for 1,000 readings.</p>{table((head, *rows))}"


def _installed(found: Sizes) -> str:
    names = list(found.installed[0].cpu_s_per_1000_meters)
    head = ("meters more", "seconds", *(f"CPU s of {name} for 1,000" for name in names))
    return table(
        (
            head,
            *(
                (
                    f"{each.meters:,}",
                    f"{each.took_s:,.1f}",
                    *(f"{each.cpu_s_per_1000_meters[name]:.3f}" for name in names),
                )
                for each in found.installed
            ),
        )
    )
