"""Meter reading and control: meters and where they are, readings in versions, events passed on, controls answered."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.customer_agreement_config import CustomerAgreementConfig
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.end_device_groups import EndDeviceGroups
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.get_end_device_events import GetEndDeviceEvents
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.meter_read_schedule import MeterReadSchedule
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.meter_service_requests import MeterServiceRequests
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.planned_outage_notifications import PlannedOutageNotifications
from contracts.nouns.service_requests import ServiceRequests
from contracts.nouns.usage_point_config import UsagePointConfig
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.verbs import Verb

METER_READING_AND_CONTROL = Interface(
    role="meter-reading-and-control",
    title="Takes what the head-end tells, keeps it and passes it on",
    part="IEC 61968-9",
    revision="9",
    serves=(
        Exchange(verb=Verb.CREATE, noun=EndDeviceControls),
        Exchange(verb=Verb.CHANGE, noun=EndDeviceControls),
        Exchange(verb=Verb.CANCEL, noun=EndDeviceControls),
        Exchange(verb=Verb.GET, noun=EndDeviceControls),
        Exchange(verb=Verb.CREATE, noun=MeterServiceRequests),
        Exchange(verb=Verb.GET, noun=EndDeviceEvents, query=GetEndDeviceEvents),
        Exchange(verb=Verb.CREATE, noun=MeterConfig),
        Exchange(verb=Verb.CHANGE, noun=MeterConfig),
        Exchange(verb=Verb.GET, noun=MeterConfig),
        Exchange(verb=Verb.CREATE, noun=UsagePointConfig),
        Exchange(verb=Verb.CHANGE, noun=UsagePointConfig),
        Exchange(verb=Verb.GET, noun=UsagePointConfig),
        Exchange(verb=Verb.CREATE, noun=MasterDataLinkageConfig),
        Exchange(verb=Verb.CHANGE, noun=MasterDataLinkageConfig),
        Exchange(verb=Verb.DELETE, noun=MasterDataLinkageConfig),
        Exchange(verb=Verb.GET, noun=MasterDataLinkageConfig),
        Exchange(verb=Verb.CREATE, noun=MeterReadings),
        Exchange(verb=Verb.GET, noun=MeterReadings, query=GetMeterReadings),
        Exchange(verb=Verb.CREATE, noun=MeterReadSchedule),
        Exchange(verb=Verb.CHANGE, noun=MeterReadSchedule),
        Exchange(verb=Verb.CANCEL, noun=MeterReadSchedule),
        Exchange(verb=Verb.GET, noun=MeterReadSchedule),
        Exchange(verb=Verb.CREATE, noun=EndDeviceGroups),
        Exchange(verb=Verb.CHANGE, noun=EndDeviceGroups),
        Exchange(verb=Verb.DELETE, noun=EndDeviceGroups),
        Exchange(verb=Verb.GET, noun=EndDeviceGroups),
    ),
    asks=(
        Ask(role="customer-management", verb=Verb.GET, noun=UsagePointGroups),
        Ask(role="network-model-management", verb=Verb.GET, noun=FeederTopology),
        Ask(role="head-end", verb=Verb.CREATE, noun=EndDeviceControls),
        Ask(role="head-end", verb=Verb.CANCEL, noun=EndDeviceControls),
        Ask(role="head-end", verb=Verb.GET, noun=MeterReadings),
        Ask(role="head-end", verb=Verb.CREATE, noun=MeterReadSchedule),
        Ask(role="head-end", verb=Verb.CHANGE, noun=MeterReadSchedule),
        Ask(role="head-end", verb=Verb.CANCEL, noun=MeterReadSchedule),
        Ask(role="customer-management", verb=Verb.CREATE, noun=ServiceRequests),
        Ask(role="customer-management", verb=Verb.CHANGE, noun=ServiceRequests),
    ),
    publishes=(
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=EndDeviceControls),
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=MeterServiceRequests),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=UsagePointConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=UsagePointConfig),
        Publication(lane=Lane.OUTAGE, verb=Verb.CREATED, noun=EndDeviceEvents),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=MeterConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=MeterConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=MasterDataLinkageConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=MasterDataLinkageConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.DELETED, noun=MasterDataLinkageConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=EndDeviceGroups),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=EndDeviceGroups),
        Publication(lane=Lane.GENERAL, verb=Verb.DELETED, noun=EndDeviceGroups),
        Publication(lane=Lane.READINGS, verb=Verb.CREATED, noun=MeterReadings),
        Publication(lane=Lane.READINGS, verb=Verb.CHANGED, noun=MeterReadings),
    ),
    subscribes=(
        Subscription(role="head-end", verb=Verb.CREATED, noun=EndDeviceEvents, mode=Mode.SHARED),
        Subscription(role="work-management", verb=Verb.CHANGED, noun=MaintenanceOrders, mode=Mode.KEYED),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.KEYED),
        Subscription(role="work-management", verb=Verb.CANCELED, noun=MaintenanceOrders, mode=Mode.KEYED),
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
        Subscription(role="customer-management", verb=Verb.CREATED, noun=PlannedOutageNotifications, mode=Mode.KEYED),
        Subscription(role="customer-management", verb=Verb.CREATED, noun=CustomerAgreementConfig, mode=Mode.KEYED),
        Subscription(role="customer-management", verb=Verb.CHANGED, noun=CustomerAgreementConfig, mode=Mode.KEYED),
        Subscription(role="customer-management", verb=Verb.CREATED, noun=ServiceRequests, mode=Mode.KEYED),
        Subscription(role="customer-management", verb=Verb.CHANGED, noun=ServiceRequests, mode=Mode.KEYED),
        Subscription(role="customer-management", verb=Verb.CLOSED, noun=ServiceRequests, mode=Mode.KEYED),
        Subscription(role="head-end", verb=Verb.CREATED, noun=MeterReadings, mode=Mode.SHARED, compact=True),
        Subscription(role="head-end", verb=Verb.CHANGED, noun=MeterReadings, mode=Mode.SHARED, compact=True),
    ),
    state=(
        MeterConfig,
        MasterDataLinkageConfig,
        MeterReadings,
        EndDeviceControls,
        EndDeviceEvents,
        EndDeviceGroups,
        MeterReadSchedule,
        UsagePointConfig,
    ),
)
