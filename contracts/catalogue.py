"""Every noun and every interface, listed by hand: nothing is found by searching."""

from contracts.interface import Catalogue, Interface, NounType
from contracts.interfaces.callers import CALLERS
from contracts.interfaces.crews import CREWS
from contracts.interfaces.emergency_simulation import EMERGENCY_SIMULATION
from contracts.interfaces.fault_management import FAULT_MANAGEMENT
from contracts.interfaces.head_end import HEAD_END
from contracts.interfaces.meter_reading_and_control import METER_READING_AND_CONTROL
from contracts.interfaces.network_model_management import NETWORK_MODEL_MANAGEMENT
from contracts.interfaces.network_operation import NETWORK_OPERATION
from contracts.interfaces.operator import operator
from contracts.interfaces.scada import SCADA
from contracts.interfaces.work_management import WORK_MANAGEMENT
from contracts.nouns.controls import Controls
from contracts.nouns.der_group_dispatches import DERGroupDispatches
from contracts.nouns.der_group_forecast_queries import DERGroupForecastQueries
from contracts.nouns.der_group_forecasts import DERGroupForecasts
from contracts.nouns.der_group_queries import DERGroupQueries
from contracts.nouns.der_group_status_queries import DERGroupStatusQueries
from contracts.nouns.der_group_statuses import DERGroupStatuses
from contracts.nouns.der_groups import DERGroups
from contracts.nouns.end_device_config import EndDeviceConfig
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.get_end_device_events import GetEndDeviceEvents
from contracts.nouns.get_maintenance_orders import GetMaintenanceOrders
from contracts.nouns.get_meter_config import GetMeterConfig
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_service_orders import GetServiceOrders
from contracts.nouns.get_work_requests import GetWorkRequests
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.measurements import Measurements
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.meter_read_schedule import MeterReadSchedule
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.meter_service_requests import MeterServiceRequests
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.service_orders import ServiceOrders
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.training_scenarios import TrainingScenarios
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.usage_point_config import UsagePointConfig
from contracts.nouns.work_requests import WorkRequests

NOUNS: tuple[NounType, ...] = (
    Controls,
    DERGroupDispatches,
    DERGroupForecastQueries,
    DERGroupForecasts,
    DERGroupQueries,
    DERGroupStatusQueries,
    DERGroupStatuses,
    DERGroups,
    EndDeviceConfig,
    EndDeviceControls,
    EndDeviceEvents,
    FeederTopology,
    GetEndDeviceEvents,
    GetMaintenanceOrders,
    GetMeterConfig,
    GetMeterReadings,
    GetServiceOrders,
    GetWorkRequests,
    MaintenanceOrders,
    MasterDataLinkageConfig,
    Measurements,
    MeterConfig,
    MeterReadSchedule,
    MeterReadings,
    MeterServiceRequests,
    NetworkModels,
    ServiceOrders,
    SwitchingPlans,
    TrainingScenarios,
    TroubleTickets,
    UnplannedOutages,
    UsagePointConfig,
    WorkRequests,
)

INTERFACES: tuple[Interface, ...] = (
    CALLERS,
    CREWS,
    EMERGENCY_SIMULATION,
    FAULT_MANAGEMENT,
    HEAD_END,
    METER_READING_AND_CONTROL,
    NETWORK_MODEL_MANAGEMENT,
    NETWORK_OPERATION,
    SCADA,
    WORK_MANAGEMENT,
)

CATALOGUE = Catalogue(NOUNS, (*INTERFACES, operator(INTERFACES)))
"""What the composition root gives to everything that handles any noun."""
