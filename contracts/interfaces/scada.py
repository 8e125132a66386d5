"""SCADA: positions come from the field, commands go there."""

from contracts.interface import Exchange, Interface, Lane, Publication
from contracts.nouns.controls import Controls
from contracts.nouns.measurements import Measurements
from contracts.verbs import Verb

SCADA = Interface(
    role="scada",
    title="Telemetry and remote control",
    part="IEC 61968-3",
    revision="1",
    field=True,
    serves=(Exchange(verb=Verb.CREATE, noun=Controls),),
    publishes=(Publication(lane=Lane.CONTROL, verb=Verb.CREATED, noun=Measurements),),
    state=(Measurements,),
)
