"""EndDeviceEventType and EndDeviceControlType: ``type.domain.subDomain.eventOrAction``.

Two generations of codes are in use side by side; :data:`KINDS` brings both to one kind. The codes of the first
generation and of one utility's list are in public files [S]; the names of the fields are one vendor's list [V].
"""

from enum import StrEnum

from msgspec import Struct

from contracts.codes.dotted import numbers
from contracts.codes.tables import name_of

CONNECT = "3.31.0.18"
"""The control that closes the disconnect switch of an electric meter."""

DISCONNECT = "3.31.0.23"
"""The control that opens the disconnect switch of an electric meter."""


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
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


EMITTED: dict[EventKind, str] = {
    EventKind.POWER_LOST: "3.26.9.185",
    EventKind.POWER_RESTORED: "3.26.9.216",
    EventKind.CONNECTED: "3.31.0.42",
    EventKind.DISCONNECTED: "3.31.0.68",
}
"""The code with which we tell a kind."""

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
    "3.31.0.42": EventKind.CONNECTED,
    "3.31.0.68": EventKind.DISCONNECTED,
}
"""Code to kind; several codes mean the same."""


def kind_of(code: str) -> EventKind | None:
    """The kind of ``code``, or None when it means nothing to us."""
    return KINDS.get(code.strip())


class EndDeviceCode(Struct, frozen=True, kw_only=True):
    """The four numbers of an event or a control; unknown numbers are kept."""

    type: int
    domain: int
    sub_domain: int
    event_or_action: int

    @classmethod
    def parse(cls, text: str) -> "EndDeviceCode":
        """Read ``text``, such as ``3.26.9.185``.

        Raises:
            Invalid: when it is not four whole numbers with points between them.
        """
        kind, domain, sub_domain, action = numbers(text, 4, code="2.29", what="the event or control type")
        return cls(type=kind, domain=domain, sub_domain=sub_domain, event_or_action=action)

    def __str__(self) -> str:
        return f"{self.type}.{self.domain}.{self.sub_domain}.{self.event_or_action}"

    @property
    def names(self) -> tuple[str, str, str, str]:
        """The four names, such as ``ElectricMeter``, ``Power``; a number that has no name is its own."""
        return (
            name_of("endDevice.type", self.type),
            name_of("endDevice.domain", self.domain),
            name_of("endDevice.subDomain", self.sub_domain),
            name_of("endDevice.eventOrAction", self.event_or_action),
        )
