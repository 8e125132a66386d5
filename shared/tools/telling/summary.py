"""The end of a storm in words: what was inferred beside what was true, how long it took and what was done."""

from collections.abc import Iterable, Iterator

from shared.tools.telling.figures import Done, FaultLine, Spread, Times

_TIMES = (("to detect", "detect"), ("to isolate", "isolate"), ("to restore", "restore"))


def fault_table(lines: Iterable[FaultLine]) -> Iterator[str]:
    """A line for each fault, under a heading: the device in truth, before a crew said so, and after."""
    rows = [("struck", "in truth", "inferred", "confirmed", "dark", "told", "detected", "restored")]
    for line in lines:
        right = "as in truth"
        predicted = right if line.predicted_device == line.device and line.device else line.predicted_device or "-"
        confirmed = right if line.confirmed_device == line.device and line.device else line.confirmed_device or "-"
        rows.append(
            (
                f"{line.struck_at:%H:%M:%S}",
                line.device or f"{line.equipment} (nothing opened)",
                predicted,
                confirmed,
                "-" if line.customers is None else str(line.customers),
                str(line.customers_told),
                duration(line.detected_s),
                duration(line.restored_s),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def times_lines(times: Times) -> Iterator[str]:
    """How long it took, the median and the worst."""
    for words, name in _TIMES:
        spread: Spread = getattr(times, name)
        if spread.seen:
            median, worst = duration(spread.median_s), duration(spread.worst_s)
            yield f"Time {words}: {median} (median), {worst} (worst), of {spread.seen} faults."


def done_lines(done: Done) -> Iterator[str]:
    """How much was done."""
    failed = f", {done.switching_failed} failed" if done.switching_failed else ""
    yield (
        f"{done.switching_steps} switching steps in {done.switching_plans} plans{failed}; {done.work_orders} work "
        f"orders, {done.work_orders_closed} closed, by {done.crews} crews."
    )
    yield (
        f"{done.last_gasps} last gasps and {done.calls} calls came in; {done.callers_informed} callers were told when "
        f"to expect power, {done.customers_told} customers were told of their outage."
    )


def index_table(columns: dict[str, dict[str, float | None]]) -> Iterator[str]:
    """The indices of IEEE 1366, a column for each who counts, such as the truth and the ledger."""
    names = list(next(iter(columns.values())))
    widest = max(len(name) for name in names)
    yield " ".join([" " * widest, *(f"{who:>16}" for who in columns)])
    for name in names:
        values = (f"{'-' if told[name] is None else format(told[name], '.3f'):>16}" for told in columns.values())
        yield " ".join([name.ljust(widest), *values])


def duration(seconds: float | None) -> str:
    """A time span as people say it."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole < 120:  # noqa: PLR2004 - two minutes
        return f"{whole} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
