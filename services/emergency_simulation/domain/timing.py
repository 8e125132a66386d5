"""When crews, callers and telemetry do what they do.

What is not an operation of a device happens at whole seconds, so that much happens at the same instant of a granted
clock.
"""

import math
from datetime import datetime, timedelta


def after(start: datetime, seconds: float) -> datetime:
    """The first whole second at least ``seconds`` after ``start``."""
    moment = start + timedelta(seconds=math.ceil(seconds))
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)
