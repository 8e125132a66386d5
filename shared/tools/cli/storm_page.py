"""`busbar storm --report DIR`: what the report of a storm says on its page."""

from shared.tools.cli.storm_chaos import blow_lines
from shared.tools.cli.storm_report import Report, figures_of, observed_lines, verdict_of
from shared.tools.telling.page import Facts
from shared.tools.telling.summary import done_lines, duration, times_lines


def facts_of(report: Report) -> Facts:
    """What stands on the page in words."""
    indices = {"in truth": figures_of(report.truth)}
    if report.ledger is not None:
        indices["as reported"] = figures_of(report.ledger)
    return Facts(
        title=f"A storm on {report.network}: {report.faults} faults, seed {report.seed}",
        verdict=verdict_of(report),
        is_good=report.good,
        cards=_cards(report),
        lines=report.faults_told,
        indices=indices,
        done=(*times_lines(report.times), *done_lines(report.done), *blow_lines(report.blows)),
        observed=tuple(observed_lines(report.observed)),
    )


def _cards(report: Report) -> tuple[tuple[str, str, str], ...]:
    detect, restore = report.times.detect, report.times.restore
    cards = [
        ("interrupted", str(report.customers_interrupted), f"customers of {report.truth.customers_served or 0}"),
        ("understood", f"{report.matched} of {report.faults}", f"{report.predicted_right} before a crew was there"),
        ("to detect", duration(detect.median_s), f"median; worst {duration(detect.worst_s)}"),
        ("to restore", duration(restore.median_s), f"median; worst {duration(restore.worst_s)}"),
        ("SAIDI", f"{report.truth.saidi or 0:.1f} min", "for each customer served, in truth"),
    ]
    if report.score is not None:
        waiting = f"of 100; to wait for each repair scores {report.score.waiting_percent:.0f}"
        cards.insert(0, ("score", f"{report.score.percent:.0f}", waiting))
    return tuple(cards)
