"""What becomes of the alarms when conditions come and go."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from contracts.nouns.alarms import Alarm
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.domain.alarms.machine import Condition, cleared, is_over, raised, told
from services.network_operation.domain.alarms.suppression import Explainer
from services.network_operation.domain.grid import Grid


def judged(
    known: Mapping[str, Alarm], held: Iterable[Condition], scope: Scope, grid: Grid, now: datetime
) -> tuple[Alarm, ...]:
    """The alarms that are otherwise than before, by mRID.

    Args:
        known: the alarms that are not over, and those of the conditions.
        held: the conditions that were found.
        scope: what was looked at.
        grid: the network now.
        now: the time.
    """
    feeders = scope.feeders(grid)
    conditions = {each.alarm: each for each in held}
    after = {mrid: raised(known.get(mrid), each) for mrid, each in conditions.items()}
    for mrid, alarm in known.items():
        if mrid not in after:
            after[mrid] = cleared(alarm) if scope.judges(alarm, feeders) else alarm
    explainer = Explainer(grid, (alarm for alarm in after.values() if not is_over(alarm)))
    hidden = {mrid: explainer.judged(alarm, now) for mrid, alarm in after.items()}
    news = {mrid: told(known.get(mrid), alarm, now) for mrid, alarm in hidden.items()}
    return tuple(news[mrid] for mrid in sorted(news) if news[mrid] != known.get(mrid))
