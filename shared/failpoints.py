"""Named points at which a test may kill the process. They do nothing unless BUSBAR_FAILPOINT names one.

``BUSBAR_FAILPOINT=before-publish:3`` kills the process with SIGKILL when the point is reached for the third time,
``before-ack:1:0.5`` half a second after it is reached, while everything else goes on.

=================  ====================================================================================
before-publish     rows are committed and numbered, and none of them is published
before-mark        rows are published, and not marked as sent
before-ack         the work on a message of a stream is committed, and the message not acknowledged;
                   with a pause its reply is out by then
after-reply        a request is answered
=================  ====================================================================================
"""

import asyncio
import os
import signal

_name, _, _rest = os.environ.get("BUSBAR_FAILPOINT", "").partition(":")
_count, _, _pause = _rest.partition(":")
_left = int(_count or "1")
_pause_s = float(_pause or "0")


async def failpoint(name: str) -> None:
    """Die here if this is the point and its time has come."""
    global _left  # noqa: PLW0603  a countdown of the process
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        await asyncio.sleep(_pause_s)
        os.kill(os.getpid(), signal.SIGKILL)
