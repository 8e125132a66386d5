"""MeterReadings as dataclasses of xsdata: what it makes of the schema, without what no message of a load test has."""

from dataclasses import dataclass, field
from functools import partial

from xsdata.models.datatype import XmlDateTime

from loadtest.xsdata_envelope import Header, Reference, element, reader

_PROFILE = "http://iec.ch/TC57/2011/MeterReadings#"


_element = partial(element, uri=_PROFILE)


@dataclass
class Named:
    """As in the schema."""

    mrid: str | None = field(default=None, metadata=_element("mRID"))


@dataclass
class IntervalReading:
    """As in the schema."""

    time_stamp: XmlDateTime | None = field(default=None, metadata=_element("timeStamp"))
    value: str | None = field(default=None, metadata=_element("value"))


@dataclass
class IntervalBlock:
    """As in the schema."""

    interval_readings: list[IntervalReading] = field(default_factory=list, metadata=_element("IntervalReadings"))
    reading_type: Reference | None = field(default=None, metadata=_element("ReadingType"))


@dataclass
class DateTimeInterval:
    """As in the schema."""

    start: XmlDateTime | None = field(default=None, metadata=_element("start"))
    end: XmlDateTime | None = field(default=None, metadata=_element("end"))


@dataclass
class MeterReading:
    """As in the schema."""

    interval_blocks: list[IntervalBlock] = field(default_factory=list, metadata=_element("IntervalBlocks"))
    meter: Named | None = field(default=None, metadata=_element("Meter"))
    usage_point: Named | None = field(default=None, metadata=_element("UsagePoint"))
    values_interval: DateTimeInterval | None = field(default=None, metadata=_element("valuesInterval"))


@dataclass
class MeterReadings:
    """As in the schema."""

    meter_reading: list[MeterReading] = field(default_factory=list, metadata=_element("MeterReading"))


@dataclass
class Payload:
    """The noun."""

    meter_readings: MeterReadings | None = field(default=None, metadata=_element("MeterReadings"))


@dataclass
class EventMessage:
    """As in the schema."""

    header: Header | None = field(default=None, metadata=element("Header"))
    payload: Payload | None = field(default=None, metadata=element("Payload"))


read = reader(EventMessage)
"""The message in a body, read by xsdata."""
