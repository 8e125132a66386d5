"""Suppression by design: an alarm that another one, or the known state of the network, explains.

Without supply voltages are low and outstations fall silent; nobody needs to be called for each of them when one alarm
says that protection has opened the breaker above. When supply comes back, telemetry gets some time to say so before
what still holds is shown.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from contracts.nouns.alarms import Alarm, AlarmKind, AlarmMark
from services.network_operation.domain.alarms.machine import released, suppressed
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.phases import ALL, Phases

SETTLING = timedelta(seconds=60)
"""How long an alarm stays hidden after what explained it is gone [P]."""

OF_OUTSTATIONS = frozenset({AlarmKind.COMMUNICATION, AlarmKind.OUTSTATION})


class Cause(Struct, frozen=True, kw_only=True):
    """What explains an alarm: another alarm, or the state of the network alone."""

    reason: str
    parent: str | None = None


class Explainer:
    """What explains alarms in a state of the network.

    Args:
        grid: the network now.
        alarms: all alarms that are not over.
    """

    def __init__(self, grid: Grid, alarms: Iterable[Alarm]) -> None:
        self._grid = grid
        self._trips: Mapping[str, Alarm] = {}
        self._silent: Mapping[str, Alarm] = {}
        active = [alarm for alarm in alarms if alarm.active]
        self._trips = {_resource(alarm): alarm for alarm in active if alarm.kind is AlarmKind.TRIP}
        self._silent = {_resource(alarm): alarm for alarm in active if alarm.kind is AlarmKind.COMMUNICATION}

    def judged(self, alarm: Alarm, now: datetime) -> Alarm:
        """The alarm, hidden while something explains it and for a while after that."""
        if not alarm.active:
            return released(alarm)
        cause, known = self.cause(alarm), alarm.suppression
        if cause is not None:
            since = now if known is None else known.date_time
            return suppressed(alarm, AlarmMark(date_time=since, reason=cause.reason), cause.parent)
        if known is None:
            return alarm
        until = known.until_date_time or now + SETTLING
        if until <= now:
            return released(alarm)
        parent = None if alarm.parent is None else alarm.parent.mrid
        mark = AlarmMark(date_time=known.date_time, reason=known.reason, until_date_time=until)
        return suppressed(alarm, mark, parent)

    def cause(self, alarm: Alarm) -> Cause | None:
        """What explains an alarm now."""
        resource = _resource(alarm)
        if alarm.kind is AlarmKind.SUSPECT and resource in self._silent:
            return Cause(reason="its outstation does not answer", parent=self._silent[resource].mrid)
        if alarm.kind is AlarmKind.POSSIBLY_LIVE:
            trip = self._trip_beside(resource)
            return None if trip is None else Cause(reason="its supply has tripped", parent=trip.mrid)
        if alarm.kind is not AlarmKind.LIMIT_LOW and alarm.kind not in OF_OUTSTATIONS:
            return None
        dead = self._dead_ends(alarm, resource)
        if not dead:
            return None
        trip = next((trip for node in dead if (trip := self._trip_beside(node)) is not None), None)
        trip = trip or self._trip_of_feeder(alarm)
        return Cause(reason="it has no supply", parent=None if trip is None else trip.mrid)

    def _dead_ends(self, alarm: Alarm, resource: str) -> list[str]:
        """The ends of equipment that have no voltage on the phases in question, if that explains the alarm.

        A value that is too low may be measured at either end, but an outstation with one live end has supply.
        """
        known = self._grid.get(resource)
        if known is None:
            return []
        phases = Phases.of(alarm.phases or known.phases) if alarm.kind is AlarmKind.LIMIT_LOW else ALL
        ends = [node for node in (known.node1, known.node2) if node is not None]
        dead = [node for node in ends if not self._grid.voltage(node) & phases]
        return dead if alarm.kind is AlarmKind.LIMIT_LOW or len(dead) == len(ends) else []

    def _trip_beside(self, node: str) -> Alarm | None:
        """The trip of a device at the border of the section of a node."""
        if not self._trips or not self._grid.is_node(node):
            return None
        borders = self._grid.state.section(node).borders
        return next((self._trips[mrid] for mrid in borders if mrid in self._trips), None)

    def _trip_of_feeder(self, alarm: Alarm) -> Alarm | None:
        """A trip on one of the feeders of an alarm."""
        own = {each.mrid for each in alarm.feeder}
        trips = (self._trips[mrid] for mrid in sorted(self._trips))
        return next((trip for trip in trips if own & {each.mrid for each in trip.feeder}), None)


def _resource(alarm: Alarm) -> str:
    return "" if alarm.power_system_resource is None else alarm.power_system_resource.mrid or ""
