"""MeterReadings as dataclasses of xsdata: what it makes of the schema, without what no message of a load test has."""

from dataclasses import dataclass, field

from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import LxmlEventHandler
from xsdata.models.datatype import XmlDateTime

from loadtest.xsdata_events import Header

_ENVELOPE = "http://iec.ch/TC57/2011/schema/message"
_PROFILE = "http://iec.ch/TC57/2011/MeterReadings#"


def _element(name: str, uri: str = _PROFILE) -> dict[str, str]:
    return {"type": "Element", "name": name, "namespace": uri}


@dataclass
class Reference:
    """As in the schema."""

    ref: str | None = field(default=None, metadata={"type": "Attribute", "name": "ref"})


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

    header: Header | None = field(default=None, metadata=_element("Header", _ENVELOPE))
    payload: Payload | None = field(default=None, metadata=_element("Payload", _ENVELOPE))


_PARSER = XmlParser(
    config=ParserConfig(fail_on_unknown_properties=True), context=XmlContext(), handler=LxmlEventHandler
)


def parse(body: bytes) -> EventMessage:
    """The message in ``body``, read by xsdata."""
    return _PARSER.from_bytes(body, EventMessage)
