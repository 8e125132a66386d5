"""Ends a server whose supervisor is gone; run as a script with the arguments SUPERVISOR SERVER SIGNAL.

It is a sibling of the server, so it costs no start-up time. Linux offers PR_SET_PDEATHSIG instead, but that fires when
the *thread* that forked ends, and is lost when the server changes its user; a pipe to the supervisor would be kept open
by any process forked from it. The parent of a process changes in every Unix when its supervisor dies, and only then.
"""

import os
import signal
import sys
import time

_POLL_S = 0.2
_GRACE_S = 15.0


def guard(supervisor: int, server: int, stop_signal: int) -> None:
    """Wait until ``supervisor`` (our parent) or ``server`` is gone; a server left alone is stopped, then killed."""
    try:
        while os.getppid() == supervisor:
            os.kill(server, 0)
            time.sleep(_POLL_S)
        os.kill(server, stop_signal)
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline:
            os.kill(server, 0)
            time.sleep(_POLL_S)
        os.kill(server, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # the server is gone, or its process id already belongs to a stranger


if __name__ == "__main__":
    guard(*map(int, sys.argv[1:]))
