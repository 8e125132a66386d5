"""DERGroupStatuses: what groups of distributed resources do.

IEC 61968-5, profile of 2017. Source: one public copy; the edition of 2020 may differ. How sure: read there, not
compared with the published text [S].
"""

from msgspec import Struct, field

from contracts.nouns.der_types import DERParameterKind, DERUnitSymbol, FlowDirectionKind
from contracts.nouns.units import UnitMultiplier
from contracts.types import Instant, Name, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2017/DERGroupStatuses#"


class DERCurveData(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One point of a curve."""

    max_y_value: float | None = None
    min_y_value: float | None = None
    nominal_y_value: float | None = None
    time_stamp: Instant


class DERMonitorableParameter(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One quantity of a group, with its unit."""

    der_parameter: DERParameterKind = field(name="DERParameter")
    flow_direction: FlowDirectionKind | None = None
    y_multiplier: UnitMultiplier
    y_unit: DERUnitSymbol
    y_unit_installed_max: float | None = None
    y_unit_installed_min: float | None = None
    der_curve_data: DERCurveData = field(name="DERCurveData")


class EndDeviceGroup(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A group of devices."""

    mrid: str | None = None
    der_monitorable_parameter: tuple[DERMonitorableParameter, ...] = field(name="DERMonitorableParameter", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None


class DERGroupStatuses(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    end_device_group: tuple[EndDeviceGroup, ...] = field(name="EndDeviceGroup", default=())
