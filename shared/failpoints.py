"""Named points at which a test may kill the process. They do nothing unless BUSBAR_FAILPOINT names one.

``BUSBAR_FAILPOINT=after-commit:3`` kills the process with SIGKILL when the point is reached for the third time.
"""

import os
import signal

_name, _, _count = os.environ.get("BUSBAR_FAILPOINT", "").partition(":")
_left = int(_count or "1")


def failpoint(name: str) -> None:
    """Die here if this is the point and its time has come."""
    global _left  # noqa: PLW0603  a countdown of the process
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
