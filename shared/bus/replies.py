"""All replies to the requests of one connection, over one subscription."""

import asyncio
import secrets
from collections import deque

from contracts.errors import BusbarError, Unavailable
from shared.bus.messages import Received


class Interrupted(Unavailable):
    """The connection broke while an answer was awaited; whether the other side got the message is not known."""


class NobodyServes(Unavailable):
    """Nobody listens on the subject; nothing was done."""


class Expected:
    """The replies to one request, in the order in which they come."""

    __slots__ = ("_come", "_waiting", "inbox", "subject")

    def __init__(self, subject: str, inbox: str) -> None:
        self.subject = subject
        self.inbox = inbox
        self._come: deque[Received | BusbarError] = deque()
        self._waiting: asyncio.Future[None] | None = None

    def take(self, reply: Received | BusbarError) -> None:
        """Notes what came: a reply, or the reason why none will."""
        self._come.append(reply)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def expire(self, timeout_s: float) -> None:
        """Notes that ``timeout_s`` seconds have passed in silence."""
        self.take(Unavailable(f"no answer on {self.subject} within {timeout_s:g} s"))

    async def next(self) -> Received:
        """The next reply.

        Raises:
            Unavailable: when nobody serves the subject, or the time is over, or the connection broke.
            Denied: when the broker does not let this role publish there.
        """
        if not self._come:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        reply = self._come.popleft()
        if isinstance(reply, BusbarError):
            raise reply
        return reply


class Replies:
    """Who waits for what, by the last token of the inbox.

    The token is random: who serves one request of ours must not be able to guess the inbox of another.
    """

    def __init__(self, inbox: str) -> None:
        self._prefix = f"{inbox}.{secrets.token_hex(8)}."
        self._expected: dict[str, Expected] = {}

    @property
    def pattern(self) -> str:
        """What to subscribe."""
        return f"{self._prefix}*"

    def expect(self, subject: str) -> Expected:
        """Waits from now on for replies to what will be asked on ``subject``."""
        token = secrets.token_hex(8)
        expected = self._expected[token] = Expected(subject, self._prefix + token)
        return expected

    def forget(self, expected: Expected) -> None:
        """Waits no longer."""
        self._expected.pop(expected.inbox[len(self._prefix) :], None)

    def receive(self, reply: Received) -> None:
        """Hands a reply to whoever waits for it; one that nobody waits for any more is dropped."""
        expected = self._expected.get(reply.subject[len(self._prefix) :])
        if expected is None:
            return
        if not reply.body and reply.headers.get("Status") == "503":
            expected.take(NobodyServes(f"nobody serves {expected.subject}"))
        else:
            expected.take(reply)

    def interrupt(self) -> None:
        """Ends all waiting: the connection is lost."""
        for expected in self._expected.values():
            expected.take(Interrupted(f"the connection broke before an answer came on {expected.subject}"))

    def refuse(self, subject: str, error: BusbarError) -> None:
        """Ends the waiting for what the broker did not let us publish; it tells the subject in lower case."""
        for expected in self._expected.values():
            if expected.subject.lower() == subject:
                expected.take(error)
