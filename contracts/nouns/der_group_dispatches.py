"""DERGroupDispatches: what groups of distributed resources are to do.

IEC 61968-5, profile of 2017. Source: one public copy; the edition of 2020 may differ. How sure: read there, not
compared with the published text [S].
"""

from msgspec import Struct, field

from contracts.nouns.der_types import CurveStyle, DERParameterKind, DERUnitSymbol, FlowDirectionKind, TimeIntervalKind
from contracts.nouns.units import UnitMultiplier
from contracts.types import Instant, Name, attribute

NAMESPACE = "http://iec.ch/TC57/2017/DERGroupDispatches#"


class DERCurveData(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One point of a curve."""

    interval_number: int
    nominal_y_value: float


class DispatchSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A curve over intervals of equal length."""

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
    dispatch_schedule: tuple[DispatchSchedule, ...] = field(name="DispatchSchedule", default=())


class EndDeviceGroup(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A group of devices."""

    mrid: str | None = None
    der_monitorable_parameter: DERMonitorableParameter = field(name="DERMonitorableParameter")
    names: tuple[Name, ...] = field(name="Names", default=())


class DERGroupDispatch(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a group is to do."""

    mrid: str | None = None
    end_device_group: EndDeviceGroup = field(name="EndDeviceGroup")
    names: tuple[Name, ...] = field(name="Names", default=())


class DERGroupDispatches(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    der_group_dispatch: tuple[DERGroupDispatch, ...] = field(name="DERGroupDispatch", default=())
