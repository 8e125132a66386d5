"""What the codes of end-device controls mean, and by which events a device answers them.

Connect and disconnect are in several public files [X], the control of a group of resources in one [S]; the others are
put together of one vendor's list of names [V].
"""

from enum import StrEnum

from contracts.codes.end_device_events import EventKind

CONNECT = "3.31.0.18"
"""Closes the disconnect switch of an electric meter."""

DISCONNECT = "3.31.0.23"
"""Opens the disconnect switch of an electric meter."""

PING = "3.26.17.46"
"""Asks an electric meter whether it has power (Power, Status, Read): put together by us, in no public list [P]."""

SWITCH_STATE = "3.31.17.46"
"""Asks an electric meter how its disconnect switch stands (RCDSwitch, Status, Read): put together by us as well [P].
The answer is the control with ``connected`` or ``disconnected`` as its reason."""


LOAD_CONTROL_DOMAIN = "15"
"""The domain of all codes that have a device change its load for a while (LoadControl), such as ``3.15.0.18``."""

FIRMWARE_DOMAIN = "11"
"""The domain of all codes that are about the software of a device (Firmware), such as ``3.11.0.52``."""

SWITCH_DOMAIN = "31"
"""The domain of all codes that are about the disconnect switch (RCDSwitch)."""


class ControlKind(StrEnum):
    """What a control asks of a device, whatever kind of device it is."""

    ARM_FOR_CLOSURE = "armForClosure"
    ARM_FOR_OPEN = "armForOpen"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    FIRMWARE = "firmware"
    LOAD_CONTROL = "loadControl"
    PING = "ping"
    RESET_DEMAND = "resetDemand"
    SWITCH_STATE = "switchState"


CONTROLS: dict[str, ControlKind] = {
    CONNECT: ControlKind.CONNECT,
    DISCONNECT: ControlKind.DISCONNECT,
    "2.31.0.18": ControlKind.CONNECT,
    "2.31.0.23": ControlKind.DISCONNECT,
    PING: ControlKind.PING,
    "3.31.0.5": ControlKind.ARM_FOR_CLOSURE,
    "3.31.0.6": ControlKind.ARM_FOR_OPEN,
    "3.8.0.214": ControlKind.RESET_DEMAND,
    SWITCH_STATE: ControlKind.SWITCH_STATE,
}
"""Code to kind; several codes mean the same."""

DONE: dict[ControlKind, EventKind] = {
    ControlKind.ARM_FOR_CLOSURE: EventKind.ARMED,
    ControlKind.ARM_FOR_OPEN: EventKind.ARMED,
    ControlKind.CONNECT: EventKind.CONNECTED,
    ControlKind.DISCONNECT: EventKind.DISCONNECTED,
    ControlKind.PING: EventKind.POWER_RESTORED,
    ControlKind.RESET_DEMAND: EventKind.DEMAND_RESET,
}
"""The event by which a device says that it did what was asked."""

REFUSED: dict[ControlKind, EventKind] = {
    ControlKind.CONNECT: EventKind.CONNECT_FAILED,
    ControlKind.DISCONNECT: EventKind.DISCONNECT_FAILED,
}
"""The event by which a device says that it did not."""


def control_kind_of(code: str) -> ControlKind | None:
    """The kind of ``code``, or None when it means nothing to us."""
    domain = "".join(code.strip().split(".")[1:2])
    return _KIND_OF_DOMAIN.get(domain) or CONTROLS.get(code.strip())


_KIND_OF_DOMAIN = {LOAD_CONTROL_DOMAIN: ControlKind.LOAD_CONTROL, FIRMWARE_DOMAIN: ControlKind.FIRMWARE}
