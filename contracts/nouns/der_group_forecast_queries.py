"""DERGroupForecastQueries: which forecasts are asked for.

IEC 61968-5, profile of 2017. Source: one public copy; the edition of 2020 may differ. How sure: read there, not
compared with the published text [S].

It stands in ``Request``.
"""

from msgspec import Struct, field

from contracts.nouns.der_types import CurveStyle, DERParameterKind, FlowDirectionKind, TimeIntervalKind
from contracts.types import Instant, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2017/DERGroupForecastQueries#"


class DERMonitorableParameter(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One quantity of a group, with its unit."""

    der_parameter: DERParameterKind = field(name="DERParameter")
    flow_direction: FlowDirectionKind | None = None


class DispatchSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A curve over intervals of equal length."""

    curve_style_kind: CurveStyle
    number_of_intervals: int
    start_time: Instant
    time_interval_duration: int
    time_interval_unit: TimeIntervalKind


class DERGroupForecastQueries(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    der_monitorable_parameter: tuple[DERMonitorableParameter, ...] = field(name="DERMonitorableParameter", default=())
    dispatch_schedule: tuple[DispatchSchedule, ...] = field(name="DispatchSchedule", default=())
    end_device_group: tuple[ObjectReference, ...] = field(name="EndDeviceGroup", default=())
