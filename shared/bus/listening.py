"""A subscription of core NATS and the callback behind it, which may fail without ending the subscription."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.bus.faults import Counters
from shared.bus.messages import Received

_log = logging.getLogger(__name__)

Callback = Callable[[Received], Awaitable[None]]


class Listening:
    """A subscription; it lives until it is stopped or the bus is closed.

    Args:
        subscription: of nats-py.
        stopped: is told of the end.
    """

    def __init__(self, subscription: Subscription, stopped: Callable[["Listening"], None]) -> None:
        self._subscription = subscription
        self._stopped = stopped

    async def stop(self) -> None:
        """Hears nothing new, lets the callback finish what has arrived, and is gone."""
        try:
            await self._subscription.drain()  # type: ignore[no-untyped-call]  # nats-py has no types here
        except nats.errors.Error:
            _log.debug("a subscription ended with its connection", extra={"subject": self._subscription.subject})
        finally:
            self._stopped(self)


def contained(callback: Callback, counters: Counters) -> Callable[[Msg], Awaitable[None]]:
    """``callback`` for nats-py: what it raises is logged and counted.

    Also a CancelledError from inside, after which nats-py would never call it again; only when the subscription's
    own task is cancelled it goes on.
    """

    async def call(msg: Msg) -> None:
        try:
            await callback(Received(msg.subject, msg.data, msg.headers or {}, msg.reply))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            counters.callback_errors += 1
            _log.exception("a callback was cancelled from inside", extra={"subject": msg.subject})
        except Exception:  # noqa: BLE001 - whatever a callback raises, the next message must be heard
            counters.callback_errors += 1
            _log.exception("a callback failed", extra={"subject": msg.subject})

    return call
