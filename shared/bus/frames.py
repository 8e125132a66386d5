"""What the broker says, cut into messages: those of some subscriptions are taken out, many at a time.

nats-py makes a step of a task, a header object and a message object of each message that it reads, which is more than
one reading may cost. This stands between its socket and its parser. It finds where each message begins and ends, hands
those of the subscriptions that have a taker to that, as bytes and all of one read together, and leaves everything else
to nats-py as it came: what belongs to the connection, such as PING, INFO and errors, and what is odd.
"""

from collections.abc import Callable

from shared.bus.messages import Frame

Taker = Callable[[list[Frame]], None]
"""Is given messages of one subscription in their order; what it raises ends the reading, so it raises nothing."""

LINE_BYTES = 1 << 16
"""A longer line is none of the broker's; nats-py may judge it."""

_LINE = b"\r\n"
_SIZES = {b"MSG": 1, b"HMSG": 2}
"""How many sizes end the line of a message: of the whole, and of its headers before that."""

_NAMES = 3


class Frames:
    """Cuts what comes over one connection.

    Attributes:
        takers: who takes the messages of a subscription, by its number.
    """

    def __init__(self) -> None:
        self.takers: dict[bytes, Taker] = {}
        self._rest = b""
        self._passing = 0

    def leave(self, subscription: bytes) -> None:
        """The subscription has no taker any more."""
        self.takers.pop(subscription, None)

    def restart(self) -> None:
        """The connection is new: the rest of what came over the old one does not come any more."""
        self._rest, self._passing = b"", 0

    def split(self, data: bytes) -> bytes:
        """Hands out the messages that have a taker and are whole now; gives what is for nats-py."""
        buffer = self._rest + data if self._rest else data
        end = len(buffer)
        at, left = min(self._passing, end), 0
        self._passing -= at
        passed: list[bytes] = []
        taken: dict[bytes, list[Frame]] = {}
        while at < end:
            line_end = buffer.find(_LINE, at)
            if line_end < 0:
                at = end if end - at > LINE_BYTES else at
                break
            words = buffer[at:line_end].split(b" ")
            sizes = _SIZES.get(words[0], 0)
            count = len(words) - sizes
            if not sizes or count < _NAMES or not words[-1].isdigit() or not words[-sizes].isdigit():
                at = line_end + 2
                continue
            begin = line_end + 2
            body_end = begin + int(words[-1])
            whole = body_end + 2
            mine = taken.get(words[2])
            if mine is None and words[2] not in self.takers:
                at, self._passing = min(whole, end), max(0, whole - end)
                continue
            if whole > end:
                break
            if at > left:
                passed.append(buffer[left:at])
            body = begin + int(words[-2]) if sizes > 1 else begin
            reply = words[3] if count > _NAMES else b""
            if mine is None:
                mine = taken[words[2]] = []
            mine.append((words[1], reply, buffer[begin:body], buffer[body:body_end]))
            at = left = whole
        if at > left:
            passed.append(buffer[left:at])
        self._rest = buffer[at:]
        for subscription, frames in taken.items():
            self.takers[subscription](frames)
        return b"".join(passed)
