"""Whose turn it is at a head-end: seven lanes with shares, and token buckets (metering guide 9).

The urgent go first, but of what a head-end can do each lane that waits is owed a share, so that none starves. A device
takes part in one exchange at a time. Who has waited longer than a question of his lane is worth is told so, not sent.
Each head-end has a bucket, and each of its collectors one of its own; who waits for a collector holds up nobody else.

A head-end that answers nothing rests: what is for it waits, and after a while one command is sent to see whether it
answers again (a circuit breaker). Its word that a meter does not answer is an answer. A collector rests in the same way
while the rest of its head-end goes on; the word that a meter cannot be reached is silence of its collector.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_controls import ControlKind
from services.meter_reading_and_control.domain.controls import Command

BURST = timedelta(seconds=10)
"""A head-end that had nothing to do takes at once what it can do in this time [P]."""

LOOK = timedelta(seconds=5)
"""So long after a look at those who wait, of whom none could be sent, there is another."""

REST = timedelta(minutes=1)
"""So long a head-end that is silent is left alone before one command is sent to it; doubled each time in vain [P]."""

LONGEST_REST = timedelta(minutes=15)
"""The rest is not longer than that [P]."""

MOST = 20_000
"""So many wait at one head-end at most [P]."""

COLLECTOR = "collector"
"""The type of a group of end devices that are reached by one collector (ours)."""

OUT_OF_REACH = "5.6"
"""The code of a head-end's word that it cannot reach a meter."""


class Lane(IntEnum):
    """The lanes, the most urgent first."""

    SAFETY = 1
    """To have power again."""
    OUTAGE = 2
    """Pings: a crew is about to go."""
    SWITCH = 3
    """To disconnect, and to shed load."""
    ON_DEMAND = 4
    BILLING = 5
    CATCH_UP = 6
    FIRMWARE = 7
    """Firmware, and all campaigns."""


OWED: Mapping[Lane, int] = {
    Lane.SAFETY: 0,
    Lane.OUTAGE: 200,
    Lane.SWITCH: 150,
    Lane.ON_DEMAND: 100,
    Lane.BILLING: 50,
    Lane.CATCH_UP: 30,
    Lane.FIRMWARE: 20,
}
"""What a lane is owed of each thousand turns while it waits; the others go to the most urgent that waits [P]."""

WORTH: Mapping[Lane, timedelta] = {
    Lane.SAFETY: timedelta(minutes=10),
    Lane.OUTAGE: timedelta(minutes=1),
    Lane.SWITCH: timedelta(minutes=10),
    Lane.ON_DEMAND: timedelta(minutes=10),
    Lane.BILLING: timedelta(days=1),
    Lane.CATCH_UP: timedelta(days=1),
    Lane.FIRMWARE: timedelta(days=7),
}
"""How long one may wait for its turn; after that who asked is told, and asks again if he still wants it [P]."""

_LANES: Mapping[ControlKind, Lane] = {
    ControlKind.CONNECT: Lane.SAFETY,
    ControlKind.ARM_FOR_CLOSURE: Lane.SAFETY,
    ControlKind.PING: Lane.OUTAGE,
    ControlKind.SWITCH_STATE: Lane.OUTAGE,
    ControlKind.DISCONNECT: Lane.SWITCH,
    ControlKind.ARM_FOR_OPEN: Lane.SWITCH,
    ControlKind.LOAD_CONTROL: Lane.SWITCH,
    ControlKind.RESET_DEMAND: Lane.BILLING,
    ControlKind.FIRMWARE: Lane.FIRMWARE,
}

TURN = 1000


class Way(NamedTuple):
    """By which head-end and collector a device is reached; each is empty where nobody says it."""

    head_end: str = ""
    collector: str = ""


class Budget(Struct, frozen=True, kw_only=True):
    """What a head-end or a collector may be given.

    Attributes:
        spent_until: when all that it was given will be done at its rate; a token bucket in one instant.
        owed: how many thousandths of a turn each lane has coming.
        silent: how many commands it has not answered since it answered one.
        rests: how often it has been left alone since then.
        rests_until: until when nothing is sent; None where it answers.
        probe: the command whose answer is waited for before anything else is sent.
    """

    spent_until: datetime | None = None
    owed: dict[Lane, int] = {}
    silent: int = 0
    rests: int = 0
    rests_until: datetime | None = None
    probe: str = ""

    @property
    def is_silent(self) -> bool:
        """True when its last word is older than a command that it has not answered."""
        return bool(self.silent or self.rests)


def lane_of(command: Command) -> Lane:
    """In which lane a command waits; what is no business of ours in particular waits with what people ask for now."""
    if command.campaign:
        return Lane.FIRMWARE
    return Lane.ON_DEMAND if command.kind is None else _LANES[command.kind]


def queued(command: Command, now: datetime) -> Command:
    """The command as it waits for its turn; one that is for a while waits no longer than that."""
    worth = now + WORTH[lane_of(command)]
    return replace(command, overdue_at=command.overdue_at or min(worth, command.ends or worth))


def burst(rate: int) -> int:
    """How much who has a rate per second takes at once."""
    return int(rate * BURST.total_seconds())


def free(budget: Budget, rate: int, now: datetime) -> int:
    """How many may be sent now; to who has rested one, to see whether it answers."""
    if budget.rests_until is not None:
        return int(budget.rests_until <= now)
    ahead = max(budget.spent_until or now, now) - now
    return max(burst(rate) - -(-ahead * rate // timedelta(seconds=1)), 0)


def given(budget: Budget, sent: Sequence[Command], rate: int, now: datetime) -> Budget:
    """The budget after these were sent; of who has rested the first of them says whether it answers again."""
    if not sent:
        return budget
    ahead = len(sent) * timedelta(seconds=1) / rate
    after = replace(budget, spent_until=max(budget.spent_until or now, now) + ahead)
    if budget.rests:
        after = replace(after, probe=sent[0].id, rests_until=now + sent[0].patience + LONGEST_REST)
    return after


def next_at(budget: Budget, rate: int, now: datetime) -> datetime:
    """When to look again at those who wait: with the next turn, after the rest, or soon where devices are busy."""
    if budget.rests_until is not None and budget.rests_until > now:
        return budget.rests_until
    if free(budget, rate, now) > 0:
        return now + LOOK
    return max((budget.spent_until or now) - (burst(rate) - 1) * timedelta(seconds=1) // rate, now)


def next_by(budget: Budget, collectors: Iterable[Budget], rate: int, collector_rate: int, now: datetime) -> datetime:
    """The same where some wait for their collectors: with the first of these that may be given something again."""
    at = next_at(budget, rate, now)
    if free(budget, rate, now) <= 0:
        return at
    full = (each for each in collectors if free(each, collector_rate, now) <= 0)
    return min((next_at(each, collector_rate, now) for each in full), default=at)


def chosen(
    waiting: Sequence[Command],
    busy: Collection[str],
    budget: Budget,
    rate: int,
    now: datetime,
    *,
    room: Mapping[str, int] | None = None,
) -> tuple[list[Command], Budget]:
    """Who of those that wait, the oldest first, is sent now in which order, and the budget after it.

    ``room`` says how many each collector may be given; one that it does not name may be given any number.
    """
    queues: dict[Lane, deque[Command]] = {}
    taken = set(busy)
    for command in waiting:
        if command.device not in taken:
            taken.add(command.device)
            queues.setdefault(lane_of(command), deque()).append(command)
    sent, owed = _turns(queues, budget.owed, free(budget, rate, now), dict(room or {}))
    return sent, replace(given(budget, sent, rate, now), owed=owed)


def answered(budget: Budget) -> Budget:
    """The budget after a word of who was silent, whatever it says."""
    return replace(budget, silent=0, rests=0, rests_until=None, probe="")


def unanswered(budget: Budget, command: Command, most: int, now: datetime) -> Budget:
    """The budget after a command was not answered in time; after ``most`` of them whom it was given to rests.

    While it rests only the command counts that was sent to see whether it answers.
    """
    if budget.rests and command.id != budget.probe:
        return budget
    if not budget.rests and budget.silent + 1 < most:
        return replace(budget, silent=budget.silent + 1)
    rest = min(REST * 2**budget.rests, LONGEST_REST)
    return replace(budget, silent=budget.silent + 1, rests=budget.rests + 1, rests_until=now + rest, probe="")


def counts_for_head_end(before: Budget | None, head_end: Budget, command: Command) -> bool:
    """True when an unanswered command speaks against the head-end itself and not against its collector alone.

    A collector counts once until it answers, so its silence is not taken for that of the whole head-end; where all
    collectors are silent each of them counts. ``before`` is what the collector was given, None where none is known.
    """
    return before is None or not before.is_silent or command.id == head_end.probe


def _turns(
    queues: dict[Lane, deque[Command]], owed: Mapping[Lane, int], free: int, room: dict[str, int]
) -> tuple[list[Command], dict[Lane, int]]:
    """Whose turns the next ones are: of whom a whole turn is owed, else of the most urgent."""
    due = {lane: owed.get(lane, 0) for lane in queues}
    sent: list[Command] = []
    while (left := _with_room(queues, room)) and len(sent) < free:
        due = {lane: due[lane] + OWED[lane] for lane in left}
        lane = min((each for each in left if due[each] >= TURN), default=min(left))
        due[lane] = max(due[lane] - TURN, 0)
        command = queues[lane].popleft()
        if command.collector in room:
            room[command.collector] -= 1
        sent.append(command)
    return sent, {lane: due[lane] for lane in left}


def _with_room(queues: Mapping[Lane, deque[Command]], room: Mapping[str, int]) -> list[Lane]:
    """The lanes in which somebody waits whose collector has room, with him first; who has none is passed over."""
    for queue in queues.values():
        while queue and room.get(queue[0].collector, 1) <= 0:
            queue.popleft()
    return [lane for lane, queue in queues.items() if queue]


def too_many(waiting: int, rate: int) -> str:
    """Why nothing more is taken."""
    return f"{waiting} controls wait for the head-end; ask again in {_seconds(waiting, rate)} s"


def too_late(
    command: Command, waiting: int, rate: int, budget: Budget, now: datetime, *, collector: Budget | None = None
) -> str:
    """Why a command is not sent that has waited for long."""
    if command.overdue_at == command.ends:
        return "its time was over before its turn came"
    if budget.rests_until is not None:
        return at_rest(budget, now)
    if collector is not None and collector.rests_until is not None:
        return at_rest(collector, now, COLLECTOR)
    worth = int(WORTH[lane_of(command)].total_seconds())
    return f"its turn has not come in {worth} s; ask again in {_seconds(waiting, rate)} s"


def at_rest(budget: Budget, now: datetime, whom: str = "head-end") -> str:
    """Why nothing is asked of a head-end, or a collector, that answers nothing."""
    seconds = -(-(max(budget.rests_until or now, now) - now) // timedelta(seconds=1))
    return f"its {whom} has not answered {budget.silent} times; ask again in {seconds} s"


def _seconds(waiting: int, rate: int) -> int:
    return -(-waiting // rate)
