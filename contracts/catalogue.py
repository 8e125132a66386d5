"""Every noun and every interface, listed by hand: nothing is found by searching."""

from contracts.compact_readings import CONTENT_TYPE, CompactReadings, expanded, free, lean, problem, stacked
from contracts.condensed_readings import condensed
from contracts.interface import Catalogue, CompactForm, Interface, NounType
from contracts.interfaces.asset_management import ASSET_MANAGEMENT
from contracts.interfaces.callers import CALLERS
from contracts.interfaces.compliance_management import COMPLIANCE_MANAGEMENT
from contracts.interfaces.console import CONSOLE
from contracts.interfaces.crews import CREWS
from contracts.interfaces.customer_management import CUSTOMER_MANAGEMENT
from contracts.interfaces.data_warehouse import data_warehouse
from contracts.interfaces.emergency_simulation import EMERGENCY_SIMULATION
from contracts.interfaces.engineering_design_management import ENGINEERING_DESIGN_MANAGEMENT
from contracts.interfaces.event_history import EVENT_HISTORY
from contracts.interfaces.external import EXTERNAL
from contracts.interfaces.fault_management import FAULT_MANAGEMENT
from contracts.interfaces.gateway import gateway
from contracts.interfaces.head_end import HEAD_END
from contracts.interfaces.market_operation import MARKET_OPERATION
from contracts.interfaces.market_settlement import MARKET_SETTLEMENT
from contracts.interfaces.meter_reading_and_control import METER_READING_AND_CONTROL
from contracts.interfaces.network_model_management import NETWORK_MODEL_MANAGEMENT
from contracts.interfaces.network_operation import NETWORK_OPERATION
from contracts.interfaces.operator import operator
from contracts.interfaces.predictive_operation_planning import PREDICTIVE_OPERATION_PLANNING
from contracts.interfaces.retail_market_operation import RETAIL_MARKET_OPERATION
from contracts.interfaces.scada import SCADA
from contracts.interfaces.system_development_planning import SYSTEM_DEVELOPMENT_PLANNING
from contracts.interfaces.weather import WEATHER
from contracts.interfaces.work_management import WORK_MANAGEMENT
from contracts.nouns.alarms import Alarms
from contracts.nouns.analytic_scores import AnalyticScores
from contracts.nouns.asset_catalogue import AssetCatalogue
from contracts.nouns.asset_health_events import AssetHealthEvents
from contracts.nouns.assets import Assets
from contracts.nouns.audit_reports import AuditReports
from contracts.nouns.auxiliary_agreement_config import AuxiliaryAgreementConfig
from contracts.nouns.com_module_config import ComModuleConfig
from contracts.nouns.controls import Controls
from contracts.nouns.crews import Crews
from contracts.nouns.customer_account_config import CustomerAccountConfig
from contracts.nouns.customer_agreement_config import CustomerAgreementConfig
from contracts.nouns.customer_config import CustomerConfig
from contracts.nouns.der_group_dispatches import DERGroupDispatches
from contracts.nouns.der_group_forecast_queries import DERGroupForecastQueries
from contracts.nouns.der_group_forecasts import DERGroupForecasts
from contracts.nouns.der_group_queries import DERGroupQueries
from contracts.nouns.der_group_status_queries import DERGroupStatusQueries
from contracts.nouns.der_group_statuses import DERGroupStatuses
from contracts.nouns.der_groups import DERGroups
from contracts.nouns.electrical_models import ElectricalModels
from contracts.nouns.end_device_config import EndDeviceConfig
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.end_device_firmware import EndDeviceFirmware
from contracts.nouns.end_device_groups import EndDeviceGroups
from contracts.nouns.equipment_faults import EquipmentFaults
from contracts.nouns.event_records import EventRecords
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.field_dispatch_histories import FieldDispatchHistories
from contracts.nouns.get_end_device_events import GetEndDeviceEvents
from contracts.nouns.get_event_records import GetEventRecords
from contracts.nouns.get_maintenance_orders import GetMaintenanceOrders
from contracts.nouns.get_meter_config import GetMeterConfig
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_service_orders import GetServiceOrders
from contracts.nouns.get_switching_studies import GetSwitchingStudies
from contracts.nouns.get_work_requests import GetWorkRequests
from contracts.nouns.incident_information import IncidentInformation
from contracts.nouns.line_faults import LineFaults
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.maintenance_plans import MaintenancePlans
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.material_items import MaterialItems
from contracts.nouns.measurements import Measurements
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.meter_read_schedule import MeterReadSchedule
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.meter_service_requests import MeterServiceRequests
from contracts.nouns.network_differences import NetworkDifferences
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.planned_outage_notifications import PlannedOutageNotifications
from contracts.nouns.planned_outages import PlannedOutages
from contracts.nouns.pricing_structure_config import PricingStructureConfig
from contracts.nouns.procedure_data_sets import ProcedureDataSets
from contracts.nouns.receipt_record import ReceiptRecord
from contracts.nouns.reliability_indices import ReliabilityIndices
from contracts.nouns.safety_documents import SafetyDocuments
from contracts.nouns.scenario_scores import ScenarioScores
from contracts.nouns.service_category_config import ServiceCategoryConfig
from contracts.nouns.service_location_config import ServiceLocationConfig
from contracts.nouns.service_orders import ServiceOrders
from contracts.nouns.service_requests import ServiceRequests
from contracts.nouns.service_supplier_config import ServiceSupplierConfig
from contracts.nouns.switching_events import SwitchingEvents
from contracts.nouns.switching_orders import SwitchingOrders
from contracts.nouns.switching_plan_requests import SwitchingPlanRequests
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.switching_studies import SwitchingStudies
from contracts.nouns.test_results import TestResults
from contracts.nouns.training_scenarios import TrainingScenarios
from contracts.nouns.transaction_record import TransactionRecord
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.usage_point_config import UsagePointConfig
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.nouns.usage_point_location_config import UsagePointLocationConfig
from contracts.nouns.work_requests import WorkRequests
from contracts.readings_in_msgpack import msgpack_rows
from contracts.readings_in_xml import xml_rows

NOUNS: tuple[NounType, ...] = (
    Alarms,
    AnalyticScores,
    AssetCatalogue,
    AssetHealthEvents,
    Assets,
    AuditReports,
    AuxiliaryAgreementConfig,
    ComModuleConfig,
    Controls,
    Crews,
    CustomerAccountConfig,
    CustomerAgreementConfig,
    CustomerConfig,
    DERGroupDispatches,
    DERGroupForecastQueries,
    DERGroupForecasts,
    DERGroupQueries,
    DERGroupStatusQueries,
    DERGroupStatuses,
    DERGroups,
    ElectricalModels,
    EndDeviceConfig,
    EndDeviceControls,
    EndDeviceEvents,
    EndDeviceFirmware,
    EndDeviceGroups,
    EquipmentFaults,
    EventRecords,
    FeederTopology,
    FieldDispatchHistories,
    GetEndDeviceEvents,
    GetEventRecords,
    GetMaintenanceOrders,
    GetMeterConfig,
    GetMeterReadings,
    GetServiceOrders,
    GetSwitchingStudies,
    GetWorkRequests,
    IncidentInformation,
    LineFaults,
    MaintenanceOrders,
    MaintenancePlans,
    MaterialItems,
    MasterDataLinkageConfig,
    Measurements,
    MeterConfig,
    MeterReadSchedule,
    MeterReadings,
    MeterServiceRequests,
    NetworkDifferences,
    NetworkModels,
    OperationalTags,
    PlannedOutageNotifications,
    PlannedOutages,
    PricingStructureConfig,
    ProcedureDataSets,
    ReceiptRecord,
    ReliabilityIndices,
    SafetyDocuments,
    ScenarioScores,
    ServiceCategoryConfig,
    ServiceLocationConfig,
    ServiceOrders,
    ServiceRequests,
    ServiceSupplierConfig,
    SwitchingEvents,
    SwitchingOrders,
    SwitchingPlanRequests,
    SwitchingPlans,
    SwitchingStudies,
    TestResults,
    TrainingScenarios,
    TransactionRecord,
    TroubleTickets,
    UnplannedOutages,
    UsagePointConfig,
    UsagePointGroups,
    UsagePointLocationConfig,
    WorkRequests,
)

INTERFACES: tuple[Interface, ...] = (
    ASSET_MANAGEMENT,
    CALLERS,
    COMPLIANCE_MANAGEMENT,
    CREWS,
    CUSTOMER_MANAGEMENT,
    EMERGENCY_SIMULATION,
    EVENT_HISTORY,
    FAULT_MANAGEMENT,
    HEAD_END,
    METER_READING_AND_CONTROL,
    NETWORK_MODEL_MANAGEMENT,
    NETWORK_OPERATION,
    SCADA,
    WEATHER,
    WORK_MANAGEMENT,
)
"""The roles that the reference runs, or whose part it plays."""

PROMISED: tuple[Interface, ...] = (
    CONSOLE,
    ENGINEERING_DESIGN_MANAGEMENT,
    EXTERNAL,
    MARKET_OPERATION,
    MARKET_SETTLEMENT,
    PREDICTIVE_OPERATION_PLANNING,
    RETAIL_MARKET_OPERATION,
    SYSTEM_DEVELOPMENT_PLANNING,
)
"""The roles that have a contract and no service of the reference yet; a product may take them."""

COMPACT = (
    CompactForm(
        noun=MeterReadings,
        content_type=CONTENT_TYPE,
        struct=CompactReadings,
        problem=problem,
        condensed=condensed,
        expanded=expanded,
        element="MeterReading",
        from_xml=xml_rows,
        from_msgpack=msgpack_rows,
        free=free,
        stacked=stacked,
        lean=lean,
    ),
)
"""The nouns that have a second form, for the lane of the readings."""

CATALOGUE = Catalogue(NOUNS, (*INTERFACES, operator(INTERFACES)), COMPACT)
"""What the composition root gives to everything that handles any noun: the roles that run, and no other."""

_ALL = (*INTERFACES, *PROMISED)
ROLES = Catalogue(NOUNS, (*_ALL, data_warehouse(_ALL), gateway(_ALL), operator(_ALL)), COMPACT)
"""Every role of the series, for documents, schemas and conformance."""
