"""Remote terminals: what the control centre sees of a device that moves, when, and what becomes of a command.

In good order every move is told after a scan, with the time at which it happened. Out of order, as far as the
conditions have it: a station falls silent for a while and tells everything later; a contact chatters; a command is
refused, or taken and not carried out.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.protection import Flag, Move
from services.emergency_simulation.domain.timing import after

SCAN_S = (2.0, 10.0)
"""The cycle in which a device is scanned [P]."""

DRIVE_S = (2.0, 6.0)
"""How long a drive takes to move its device after a command [P]."""

SILENT_S = (600.0, 3600.0)
"""How long a station is silent that has lost its link [P]."""

BOUNCE = timedelta(milliseconds=30)
"""Between two positions of a contact that chatters [P]."""


class Obedience(StrEnum):
    """What becomes of a command."""

    DONE = "done"
    REFUSED = "refused"
    IGNORED = "ignored"


def has_telemetry(stream: Stream, equipment: Equipment, conditions: Conditions) -> bool:
    """True for a device that tells of itself; breakers always do, of the others a share."""
    if not equipment.remotely_operable or equipment.kind == "Breaker":
        return equipment.remotely_operable
    return stream.fraction("telemetry", equipment.mrid) < conditions.telemetry


class Seen(Struct, frozen=True, kw_only=True):
    """What the control centre sees at once of one device or indicator."""

    moves: tuple[Move, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def since(self) -> datetime:
        """When the first of it happened."""
        return min([each.at for each in self.moves] + [each.at for each in self.flags])

    @property
    def until(self) -> datetime:
        """When the last of it happened."""
        return max([each.at for each in self.moves] + [each.at for each in self.flags])


def scans(
    stream: Stream, network: Network, moves: Iterable[Move], flags: Iterable[Flag], conditions: Conditions
) -> list[tuple[datetime, str, Seen]]:
    """What will be seen, and when: each device with all that it did, and each indicator."""
    by_device: dict[str, list[Move]] = {}
    for move in moves:
        if has_telemetry(stream, network.equipment[move.device], conditions):
            by_device.setdefault(move.device, []).append(move)
    by_indicator: dict[str, list[Flag]] = {}
    for flag in flags:
        by_indicator.setdefault(flag.indicator, []).append(flag)
    seen = [(device, Seen(moves=tuple(_felt(stream, each, conditions)))) for device, each in by_device.items()]
    seen += [(indicator, Seen(flags=tuple(each))) for indicator, each in by_indicator.items()]
    return [(_scan_time(stream, device, each, conditions), device, each) for device, each in seen]


def _scan_time(stream: Stream, device: str, seen: Seen, conditions: Conditions) -> datetime:
    """The next scan of the device after the last of it, or once its station has its link again.

    A device is scanned in a cycle of its own, so what it did first is seen first.
    """
    last = seen.until
    if stream.fraction("silent", device, seen.since.isoformat()) < conditions.station_loss:
        return after(last, stream.between(*SILENT_S, "silence", device, seen.since.isoformat()))
    cycle = round(stream.between(*SCAN_S, "cycle", device))
    second = int(last.timestamp())
    return after(last, cycle - second % cycle)


def _felt(stream: Stream, moves: Iterable[Move], conditions: Conditions) -> list[Move]:
    """The moves as the contacts have them: one that chatters tells its new position, the old and the new again."""
    told: list[Move] = []
    for move in moves:
        told.append(move)
        if stream.fraction("chatter", move.device, move.at.isoformat()) < conditions.chattering:
            back = Move(device=move.device, open=not move.open, phases=move.phases, at=move.at + BOUNCE)
            told += [back, Move(device=move.device, open=move.open, phases=move.phases, at=move.at + 2 * BOUNCE)]
    return told


def obeyed(stream: Stream, device: str, now: datetime, conditions: Conditions) -> Obedience:
    """What becomes of a command to a device."""
    drawn = stream.fraction("command", device, now.isoformat())
    if drawn < conditions.command_failure:
        return Obedience.REFUSED
    return Obedience.IGNORED if drawn < conditions.command_failure + conditions.command_silence else Obedience.DONE


def drive_time(stream: Stream, device: str, now: datetime) -> datetime:
    """When the drive of a device has moved it after a command."""
    return after(now, stream.between(*DRIVE_S, "drive", device, now.isoformat()))
