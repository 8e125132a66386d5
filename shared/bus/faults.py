"""What nats-py reports in its callbacks: counted, logged and kept in readable form, and never raised into it.

An exception in a callback ends the task that reads the socket, while the client goes on saying that it is connected.
"""

import logging
import re
from collections.abc import Callable

import nats.errors
from msgspec import Struct

from contracts.errors import Denied

_log = logging.getLogger(__name__)

_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"', re.IGNORECASE)
_REFUSED = "authorization violation"
_VIOLATIONS_KEPT = 100


class Counters(Struct):
    """What went wrong on one connection since it was made."""

    reconnects: int = 0
    slow_consumer: int = 0
    """Messages that were dropped since this process took them too slowly."""
    callback_errors: int = 0
    """Exceptions of callbacks, each a defect of whoever gave the callback."""
    unsettled: int = 0
    """Verdicts on deliveries that could not be sent; the broker delivers again."""
    resubscribed: int = 0
    """Pull subscriptions that were made anew since they had gone silent."""
    errors: int = 0
    """Everything else that nats-py reported."""


class Faults:
    """The listener for the errors of one connection.

    Args:
        refused: is told act and subject, in lower case, when the broker refuses one.
    """

    def __init__(self, refused: Callable[[str, str], None]) -> None:
        self.counters = Counters()
        self.violations: list[str] = []
        self.denied: set[str] = set()
        self.last = ""
        self.connecting = True
        self._refused = refused

    async def error(self, error: Exception) -> None:
        """Takes what nats-py gives to its ``error_cb``.

        Raises:
            Denied: while the first connection is made and the broker does not know this user: nats-py would try
                for ever. Later nothing is raised.
        """
        self.last = str(error)
        if self.connecting and _REFUSED in self.last.lower():
            raise Denied("the broker does not accept these credentials", code="7.1")
        self.contained(self._note, error)

    def contained(self, callback: Callable[..., object], *arguments: object) -> None:
        """Calls ``callback``; what it raises is logged and counted."""
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 - whatever it raises, nats-py must not see it
            self.counters.callback_errors += 1
            _log.exception("a callback of the bus failed")

    def _note(self, error: Exception) -> None:
        violation = _VIOLATION.search(str(error))
        if violation:
            act, subject = ("subscribe" if violation[1].lower() == "subscription" else "publish"), violation[2].lower()
            if len(self.violations) < _VIOLATIONS_KEPT and f"{act} {subject}" not in self.violations:
                self.violations.append(f"{act} {subject}")
            if act == "subscribe":
                self.denied.add(subject)
            _log.error("the broker refuses", extra={"act": act, "subject": subject})
            self._refused(act, subject)
        elif isinstance(error, nats.errors.SlowConsumerError):
            self.counters.slow_consumer += 1
            _log.warning("a message was dropped: taken too slowly", extra={"subject": error.subject})
        else:
            self.counters.errors += 1
            _log.warning("the connection to the broker reports an error", extra={"error": str(error) or repr(error)})
