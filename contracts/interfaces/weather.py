"""Weather: stations and services outside, whose observations are measurements."""

from contracts.interface import Interface, Lane, Publication
from contracts.nouns.measurements import Measurements
from contracts.verbs import Verb

WEATHER = Interface(
    role="weather",
    title="Weather stations and weather services",
    part="IEC 61968-1:2020 4.3.17",
    revision="1",
    field=True,
    publishes=(Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=Measurements),),
    state=(Measurements,),
)
