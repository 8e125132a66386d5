"""DERGroupForecasts: what groups of distributed resources are thought to do.

IEC 61968-5, profile of 2017. Source: one public copy; the edition of 2020 may differ. How sure: read there, not
compared with the published text [S].
"""

from msgspec import Struct, field

from contracts.nouns.der_types import CurveStyle, DERParameterKind, DERUnitSymbol, FlowDirectionKind, TimeIntervalKind
from contracts.nouns.units import UnitMultiplier
from contracts.types import Instant, Name, attribute

NAMESPACE = "http://iec.ch/TC57/2017/DERGroupForecasts#"

PerCent = float
"""Per cent."""


class DERCurveData(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One point of a curve."""

    interval_number: int
    max_y_value: float | None = None
    min_y_value: float | None = None
    nominal_y_value: float | None = None


class DispatchSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A curve over intervals of equal length."""

    confidence: PerCent | None = None
    curve_style_kind: CurveStyle
    start_time: Instant
    time_interval_duration: int
    time_interval_unit: TimeIntervalKind
    der_curve_data: tuple[DERCurveData, ...] = field(name="DERCurveData", default=())


class DERMonitorableParameter(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One quantity of a group, with its unit."""

    der_parameter: DERParameterKind = field(name="DERParameter")
    flow_direction: FlowDirectionKind | None = None
    y_multiplier: UnitMultiplier
    y_unit: DERUnitSymbol
    y_unit_installed_max: float | None = None
    y_unit_installed_min: float | None = None
    dispatch_schedule: tuple[DispatchSchedule, ...] = field(name="DispatchSchedule", default=())


class EndDeviceGroup(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A group of devices."""

    mrid: str | None = None
    der_monitorable_parameter: tuple[DERMonitorableParameter, ...] = field(name="DERMonitorableParameter", default=())
    names: tuple[Name, ...] = field(name="Names", default=())


class DERGroupForecast(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a group is thought to do."""

    mrid: str | None = None
    prediction_creation_date: Instant
    end_device_group: EndDeviceGroup = field(name="EndDeviceGroup")
    names: tuple[Name, ...] = field(name="Names", default=())


class DERGroupForecasts(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    der_group_forecast: tuple[DERGroupForecast, ...] = field(name="DERGroupForecast", default=())
