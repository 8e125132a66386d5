"""What the codes of end-device events mean, whatever generation and whatever list they are of.

Two generations of codes are in use side by side; :data:`KINDS` brings both to one kind, :data:`NEWER` the older to its
equal in the newer lists. The codes of the first generation and of one utility's list are in public files [S]; those
about the disconnect switch and the exchange of a meter are put together of one vendor's list [V].
"""

from enum import StrEnum


class EventKind(StrEnum):
    """What an event means for us, whatever generation its code is of."""

    POWER_LOST = "powerLost"
    POWER_RESTORED = "powerRestored"
    LAST_GASP_DISABLED = "lastGaspDisabled"
    UNDER_VOLTAGE = "underVoltage"
    OVER_VOLTAGE = "overVoltage"
    VOLTAGE_NORMAL = "voltageNormal"
    SAG_STARTED = "sagStarted"
    SWELL_STARTED = "swellStarted"
    TAMPER = "tamper"
    TAMPER_CLEARED = "tamperCleared"
    REVERSE_FLOW = "reverseFlow"
    SECURITY_VIOLATION = "securityViolation"
    LOW_BATTERY = "lowBattery"
    BATTERY_NORMAL = "batteryNormal"
    HIGH_TEMPERATURE = "highTemperature"
    TEMPERATURE_NORMAL = "temperatureNormal"
    CLOCK_ERROR = "clockError"
    DEMAND_RESET = "demandReset"
    TEST_MODE_STARTED = "testModeStarted"
    TEST_MODE_STOPPED = "testModeStopped"
    DEVICE_ERROR = "deviceError"
    COMMUNICATION_LOST = "communicationLost"
    LOAD_SIDE_VOLTAGE = "loadSideVoltage"
    ARMED = "armed"
    CONNECTED = "connected"
    CONNECT_FAILED = "connectFailed"
    DISCONNECTED = "disconnected"
    DISCONNECT_FAILED = "disconnectFailed"
    CANCEL_FAILED = "cancelFailed"
    METER_INSTALLED = "meterInstalled"
    METER_REMOVED = "meterRemoved"


EMITTED: dict[EventKind, str] = {
    EventKind.POWER_LOST: "3.26.9.185",
    EventKind.POWER_RESTORED: "3.26.9.216",
    EventKind.CONNECTED: "3.31.0.42",
    EventKind.DISCONNECTED: "3.31.0.68",
    EventKind.CONNECT_FAILED: "3.31.0.67",
    EventKind.DISCONNECT_FAILED: "3.31.0.84",
    EventKind.CANCEL_FAILED: "3.31.0.86",
    EventKind.METER_INSTALLED: "3.6.0.105",
    EventKind.METER_REMOVED: "3.6.0.212",
}
"""The code with which we tell a kind."""

ANSWERS = "control"
"""The detail of an event that names the control because of which it was told (ours)."""

CLOCK_AHEAD = "clockAhead"
"""The detail of a clock error that says how many seconds the clock is ahead from then on; 0 when it is right (ours)."""

KINDS: dict[str, EventKind] = {
    "3.26.9.185": EventKind.POWER_LOST,
    "3.26.0.47": EventKind.POWER_LOST,
    "3.26.0.85": EventKind.POWER_LOST,
    "3.26.17.185": EventKind.POWER_LOST,
    "3.26.136.47": EventKind.POWER_LOST,
    "3.26.9.216": EventKind.POWER_RESTORED,
    "3.26.0.216": EventKind.POWER_RESTORED,
    "3.26.17.216": EventKind.POWER_RESTORED,
    "3.26.136.216": EventKind.POWER_RESTORED,
    "3.26.136.66": EventKind.LAST_GASP_DISABLED,
    "3.26.38.150": EventKind.UNDER_VOLTAGE,
    "3.26.38.93": EventKind.OVER_VOLTAGE,
    "3.26.38.37": EventKind.VOLTAGE_NORMAL,
    "3.26.38.73": EventKind.VOLTAGE_NORMAL,
    "3.21.38.223": EventKind.SAG_STARTED,
    "3.21.38.248": EventKind.SWELL_STARTED,
    "3.12.0.257": EventKind.TAMPER,
    "3.12.17.257": EventKind.TAMPER,
    "3.12.93.28": EventKind.TAMPER_CLEARED,
    "3.12.48.219": EventKind.REVERSE_FLOW,
    "3.12.93.219": EventKind.REVERSE_FLOW,
    "3.33.1.219": EventKind.REVERSE_FLOW,
    "3.12.136.38": EventKind.SECURITY_VIOLATION,
    "3.12.136.85": EventKind.SECURITY_VIOLATION,
    "3.2.22.150": EventKind.LOW_BATTERY,
    "3.2.22.28": EventKind.BATTERY_NORMAL,
    "3.35.0.40": EventKind.HIGH_TEMPERATURE,
    "3.35.0.28": EventKind.TEMPERATURE_NORMAL,
    "3.36.0.79": EventKind.CLOCK_ERROR,
    "3.8.0.215": EventKind.DEMAND_RESET,
    "3.7.19.242": EventKind.TEST_MODE_STARTED,
    "3.7.19.243": EventKind.TEST_MODE_STOPPED,
    "3.18.72.79": EventKind.DEVICE_ERROR,
    "3.18.85.79": EventKind.DEVICE_ERROR,
    "3.18.92.79": EventKind.DEVICE_ERROR,
    "3.21.3.79": EventKind.DEVICE_ERROR,
    "3.21.18.79": EventKind.DEVICE_ERROR,
    "3.21.67.79": EventKind.DEVICE_ERROR,
    "3.23.136.47": EventKind.COMMUNICATION_LOST,
    "3.23.136.85": EventKind.COMMUNICATION_LOST,
    "3.31.1.143": EventKind.LOAD_SIDE_VOLTAGE,
    "3.6.0.105": EventKind.METER_INSTALLED,
    "3.6.0.212": EventKind.METER_REMOVED,
    "3.31.0.11": EventKind.ARMED,
    "3.31.0.12": EventKind.ARMED,
    "3.31.0.42": EventKind.CONNECTED,
    "3.31.0.67": EventKind.CONNECT_FAILED,
    "3.31.0.68": EventKind.DISCONNECTED,
    "3.31.0.84": EventKind.DISCONNECT_FAILED,
    "3.31.0.86": EventKind.CANCEL_FAILED,
}
"""Code to kind; several codes mean the same."""

NEWER: dict[str, str] = {
    "3.26.9.185": "3.26.0.47",
    "3.26.9.216": "3.26.0.216",
    "3.33.1.219": "3.12.48.219",
}
"""A code of the first generation to its equal in the newer lists, for those who know only these."""


def codes_of(*kinds: EventKind) -> list[str]:
    """All codes that mean one of ``kinds``."""
    return [code for code, kind in KINDS.items() if kind in kinds]


def kind_of(code: str) -> EventKind | None:
    """The kind of ``code``, or None when it means nothing to us."""
    return KINDS.get(code.strip())
