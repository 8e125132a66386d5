"""Enumerations that are equal in the profiles of Part 5.

Source: one public copy of each, of 2017; the edition of 2020 may differ [S].
"""

from enum import StrEnum


class CurveStyle(StrEnum):
    """How values between two points are meant."""

    CONSTANT_Y_VALUE = "constantYValue"
    STRAIGHT_LINE_Y_VALUES = "straightLineYValues"


class DERParameterKind(StrEnum):
    """What is dispatched, forecast or told."""

    ACTIVE_POWER = "activePower"
    APPARENT_POWER = "apparentPower"
    DECREASING_RAMP_RATE = "decreasingRampRate"
    HIGH_FILTER_BI_DIRECTIONAL_REGULATION = "highFilterBiDirectionalRegulation"
    HIGH_FILTER_DOWN_REGULATION = "highFilterDownRegulation"
    HIGH_FILTER_UP_REGULATION = "highFilterUpRegulation"
    INCREASING_RAMP_RATE = "increasingRampRate"
    LOW_FILTER_BI_DIRECTIONAL_REGULATION = "lowFilterBiDirectionalRegulation"
    LOW_FILTER_DOWN_REGULATION = "lowFilterDownRegulation"
    LOW_FILTER_UP_REGULATION = "lowFilterUpRegulation"
    REACTIVE_POWER = "reactivePower"
    VOLTAGE = "voltage"


class DERUnitSymbol(StrEnum):
    """The unit of a value."""

    A = "A"
    AH = "Ah"
    AS = "As"
    BTU = "Btu"
    HZ = "Hz"
    Q = "Q"
    QH = "Qh"
    V = "V"
    VA = "VA"
    VAH = "VAh"
    VAR = "VAr"
    VARH = "VArh"
    V_PER_VA = "VPerVA"
    V_PER_VAR = "VPerVAr"
    VH = "Vh"
    VS = "Vs"
    W = "W"
    W_PER_A = "WPerA"
    W_PERS = "WPers"
    WH = "Wh"
    DEG = "deg"
    DEG_C = "degC"
    H = "h"
    MIN = "min"
    OHM = "ohm"
    OHM_PERM = "ohmPerm"
    OHMM = "ohmm"
    ONE_PER_HZ = "onePerHz"
    S = "s"
    THERM = "therm"


class FlowDirectionKind(StrEnum):
    """Which way power flows."""

    FORWARD = "forward"
    LAGGING = "lagging"
    LEADING = "leading"
    NET = "net"
    NONE = "none"
    Q1MINUS_Q4 = "q1minusQ4"
    Q1PLUS_Q2 = "q1plusQ2"
    Q1PLUS_Q3 = "q1plusQ3"
    Q1PLUS_Q4 = "q1plusQ4"
    Q2MINUS_Q3 = "q2minusQ3"
    Q2PLUS_Q3 = "q2plusQ3"
    Q2PLUS_Q4 = "q2plusQ4"
    Q3MINUS_Q2 = "q3minusQ2"
    Q3PLUS_Q4 = "q3plusQ4"
    QUADRANT1 = "quadrant1"
    QUADRANT2 = "quadrant2"
    QUADRANT3 = "quadrant3"
    QUADRANT4 = "quadrant4"
    REVERSE = "reverse"
    TOTAL = "total"
    TOTAL_BY_PHASE = "totalByPhase"


class TimeIntervalKind(StrEnum):
    """The unit of the length of an interval."""

    DAY = "D"
    MONTH = "M"
    YEAR = "Y"
    HOUR = "h"
    MINUTE = "m"
    SECOND = "s"
