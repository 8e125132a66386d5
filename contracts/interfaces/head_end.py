"""Head-end: the metering system in the field."""

from contracts.interface import Exchange, Interface, Lane, Publication
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_read_schedule import MeterReadSchedule
from contracts.nouns.meter_readings import MeterReadings
from contracts.verbs import Verb

HEAD_END = Interface(
    role="head-end",
    title="The head-end of the metering system",
    part="IEC 61968-9",
    revision="3",
    field=True,
    serves=(
        Exchange(verb=Verb.CREATE, noun=EndDeviceControls),
        Exchange(verb=Verb.CANCEL, noun=EndDeviceControls),
        Exchange(verb=Verb.GET, noun=MeterReadings, query=GetMeterReadings),
        Exchange(verb=Verb.CREATE, noun=MeterReadSchedule),
        Exchange(verb=Verb.CHANGE, noun=MeterReadSchedule),
        Exchange(verb=Verb.CANCEL, noun=MeterReadSchedule),
    ),
    publishes=(
        Publication(lane=Lane.OUTAGE, verb=Verb.CREATED, noun=EndDeviceEvents),
        Publication(lane=Lane.READINGS, verb=Verb.CREATED, noun=MeterReadings),
        Publication(lane=Lane.READINGS, verb=Verb.CHANGED, noun=MeterReadings),
    ),
    state=(EndDeviceEvents, MeterReadings),
)
