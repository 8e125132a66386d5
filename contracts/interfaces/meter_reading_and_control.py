"""Meter reading and control: the events of the meters, stored and passed on; controls, passed on and answered."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.get_end_device_events import GetEndDeviceEvents
from contracts.verbs import Verb

METER_READING_AND_CONTROL = Interface(
    role="meter-reading-and-control",
    title="Takes what the head-end tells, keeps it and passes it on",
    part="IEC 61968-9",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=EndDeviceControls),
        Exchange(verb=Verb.GET, noun=EndDeviceEvents, query=GetEndDeviceEvents),
    ),
    asks=(Ask(role="head-end", verb=Verb.CREATE, noun=EndDeviceControls),),
    publishes=(Publication(lane=Lane.OUTAGE, verb=Verb.CREATED, noun=EndDeviceEvents),),
    subscribes=(Subscription(role="head-end", verb=Verb.CREATED, noun=EndDeviceEvents, mode=Mode.KEYED),),
    state=(EndDeviceEvents,),
)
