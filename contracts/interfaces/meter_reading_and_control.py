"""Meter reading and control: the events of the meters, stored and passed on."""

from contracts.interface import Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.get_end_device_events import GetEndDeviceEvents
from contracts.verbs import Verb

METER_READING_AND_CONTROL = Interface(
    role="meter-reading-and-control",
    title="Takes what the head-end tells, keeps it and passes it on",
    part="IEC 61968-9",
    revision="1",
    serves=(Exchange(verb=Verb.GET, noun=EndDeviceEvents, query=GetEndDeviceEvents),),
    publishes=(Publication(lane=Lane.OUTAGE, verb=Verb.CREATED, noun=EndDeviceEvents),),
    subscribes=(Subscription(role="head-end", verb=Verb.CREATED, noun=EndDeviceEvents, mode=Mode.KEYED),),
    state=(EndDeviceEvents,),
)
