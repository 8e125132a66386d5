"""What the broker says, cut into messages: those of some subscriptions are taken out, many at a time.

nats-py makes a step of a task, a header object and a message object of each message that it reads, which is more than
one reading may cost. This stands between its socket and its parser. It finds where each message begins and ends, hands
those of the subscriptions that have a taker to that, as bytes and all of one read together, and leaves everything else
to nats-py as it came: what belongs to the connection, such as PING, INFO and errors, and what is odd. Messages that are
as long as the one before, and whose lines differ from its line in digits only, are found many at once.
"""

from collections.abc import Callable
from struct import iter_unpack
from typing import Any

import numpy as np
from msgspec import Struct

from shared.bus.messages import Frame

Array = np.ndarray[Any, np.dtype[Any]]

Taker = Callable[[list[Frame]], None]
"""Is given messages of one subscription in their order; what it raises ends the reading, so it raises nothing."""

LINE_BYTES = 1 << 16
"""A longer line is none of the broker's; nats-py may judge it."""

_LINE = b"\r\n"
_SIZES = {b"MSG": 1, b"HMSG": 2}
"""How many sizes end the line of a message: of the whole, and of its headers before that."""

_NAMES = 3

FEW = 8
"""So many messages that follow must be alike to be looked for at once."""

_DIGITS = 10


class _Cut(Struct, frozen=True, gc=False):
    """Where the parts of a message stand, from the beginning of its line on.

    Attributes:
        subject_end: the subject begins behind the first word.
        reply, reply_end: where it is answered; nothing where both are the same.
        sizes: where the line says how long the message is.
        block: its headers, behind the line.
        body, body_end: the message itself.
    """

    subject: int
    subject_end: int
    reply: int
    reply_end: int
    sizes: int
    block: int
    body: int
    body_end: int

    @property
    def whole(self) -> int:
        """How long all of it is."""
        return self.body_end + len(_LINE)

    def frames(self, buffer: bytes, at: int, count: int) -> list[Frame]:
        """So many messages that are cut alike, from ``at`` on."""
        parts = (
            f"{self.subject}x{self.subject_end - self.subject}s",
            f"{self.reply - self.subject_end}x{self.reply_end - self.reply}s",
            f"{self.block - self.reply_end}x{self.body - self.block}s",
            f"{self.body_end - self.body}s{len(_LINE)}x",
        )
        return [*iter_unpack("".join(parts), memoryview(buffer)[at : at + count * self.whole])]

    def alike(self, buffer: bytes, at: int) -> int:
        """How many messages in a row are cut like the one at ``at``, that one included.

        Their lines are the same but for digits of subject and reply, where others stand in the place of digits.
        """
        whole, last = self.whole, FEW * self.whole + at
        if buffer[at + self.sizes : at + self.block] != buffer[last + self.sizes : last + self.block]:
            return 1
        count = (len(buffer) - at) // whole
        lines = np.frombuffer(buffer, np.uint8, count * whole, at).reshape(count, whole)[:, : self.block]
        free = np.zeros(self.block, bool)
        free[self.subject : self.subject_end] = free[self.reply : self.reply_end] = True
        free &= _are_digits(lines[0])
        fits = (lines == lines[0]) | (_are_digits(lines) & free)
        return count if fits.all() else int(fits.all(axis=1).argmin())


def _are_digits(letters: Array) -> Array:
    found: Array = letters - ord("0") < _DIGITS  # below "0" they go round to what is more than that
    return found


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
            are_sizes = words[-1].isdigit() and words[-sizes].isdigit() and int(words[-sizes]) <= int(words[-1])
            if not sizes or count < _NAMES or not are_sizes:
                at = line_end + 2
                continue
            whole = line_end + 4 + int(words[-1])
            mine = taken.get(words[2])
            if mine is None and words[2] not in self.takers:
                at, self._passing = min(whole, end), max(0, whole - end)
                continue
            if whole > end:
                break
            if at > left:
                passed.append(buffer[left:at])
            if mine is None:
                mine = taken[words[2]] = []
            cut = _cut(words, sizes)
            count = cut.alike(buffer, at)
            mine += cut.frames(buffer, at, count)
            at = left = at + count * cut.whole
        if at > left:
            passed.append(buffer[left:at])
        self._rest = buffer[at:]
        for subscription, frames in taken.items():
            self.takers[subscription](frames)
        return b"".join(passed)


def _cut(words: list[bytes], sizes: int) -> _Cut:
    """How the message is cut whose line says ``words``, of which the last are sizes."""
    subject = len(words[0]) + 1
    subject_end = subject + len(words[1])
    reply = subject_end + len(words[2]) + 2
    reply_end = reply + len(words[3]) if len(words) - sizes > _NAMES else reply
    block = sum(map(len, words)) + len(words) + 1
    return _Cut(
        subject=subject,
        subject_end=subject_end,
        reply=reply,
        reply_end=reply_end,
        sizes=block - sum(map(len, words[-sizes:])) - sizes - 1,
        block=block,
        body=block + (int(words[-2]) if sizes > 1 else 0),
        body_end=block + int(words[-1]),
    )
