"""Network operation: positions in, live feeders out; plans in, instructions out, one after the other.

All that switches changes the state of one network under one lock; a plan goes on, and alarms come and go, wherever one
of them does.
"""

from services.network_operation.service import (
    alarms,
    clearances,
    execution,
    field,
    measurements,
    models,
    plans,
    power_flow,
    tags,
    topology,
)
from services.network_operation.service.declared import service

__all__ = [
    "alarms",
    "clearances",
    "execution",
    "field",
    "measurements",
    "models",
    "plans",
    "power_flow",
    "service",
    "tags",
    "topology",
]
