"""How fast messages are read and written, as ratios to what lxml alone needs to parse the same bytes.

``python -m loadtest.bench_codec`` prints JSON; a hundred events are read with xsdata as well. What meters measured in
intervals is read into columns, as the service takes it, straight and over objects. Every round times all the subjects
after one another, and a ratio is the median over the rounds of the processor time taken, so that a busy
machine slows both sides of it.
"""

import json
import statistics
import sys
from array import array
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from time import thread_time
from typing import Any

from lxml import etree

from contracts.catalogue import CATALOGUE
from contracts.compact_readings import Columns, CompactReadings, Group, expanded
from contracts.condensed_readings import condensed
from contracts.message import Header, Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail, EndDeviceEvents
from contracts.nouns.meter_readings import Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import Reading, ReadingQuality
from contracts.types import Name, NameType, ObjectReference, Reference, Status
from contracts.verbs import Verb
from loadtest import xsdata_events, xsdata_readings
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec

ROUNDS = 21
ROUND_S = 0.02
"""How long one subject runs in one round, about."""

_LOSS = "3.26.9.185"
_START = datetime(2026, 1, 1, tzinfo=UTC)


def events(count: int) -> Message[EndDeviceEvents]:
    """A message of ``count`` last gasps with all that a head-end usually tells."""
    told = tuple(
        EndDeviceEvent(
            mrid=f"5f0c3a52-7c1e-4d0e-9a3b-{index:012d}",
            created_date_time=_START + timedelta(milliseconds=137 * index),
            issuer_id="head-end",
            severity="high",
            assets=ObjectReference(
                mrid=f"usage-point-{index}-meter",
                names=(Name(name=f"SN{index:08d}", name_type=NameType(name="serialNumber")),),
            ),
            end_device_event_details=(EndDeviceEventDetail(name="voltage", value="0.0"),),
            end_device_event_type=Reference(ref=_LOSS),
            status=Status(date_time=_START, value="open"),
            usage_point=ObjectReference(mrid=f"usage-point-{index}"),
        )
        for index in range(count)
    )
    return Message(header=_header("EndDeviceEvents"), payload=EndDeviceEvents(end_device_event=told))


def readings(count: int) -> Message[MeterReadings]:
    """A message of ``count`` meters with one reading each."""
    told = tuple(
        MeterReading(
            meter=Meter(names=(Name(name=f"SN{index:08d}", name_type=NameType(name="serialNumber")),)),
            readings=(
                Reading(
                    time_stamp=_START + timedelta(milliseconds=137 * index),
                    value=f"{index * 1.25:.3f}",
                    reading_qualities=(ReadingQuality(reading_quality_type=Reference(ref="1.0.0")),),
                    reading_type=Reference(ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"),
                ),
            ),
            usage_point=ObjectReference(mrid=f"usage-point-{index}"),
        )
        for index in range(count)
    )
    return Message(header=_header("MeterReadings"), payload=MeterReadings(meter_reading=told))


def intervals(meters: int, count: int) -> Message[MeterReadings]:
    """A message of ``meters`` meters with ``count`` intervals each."""
    numbers = array("i", [place * 7919 % 3000 for place in range(meters * count)])
    columns = Columns(
        reading_type="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
        first_us=1_767_226_500_000_000,
        step_us=900_000_000 if count > 1 else 0,
        count=count,
        scale=-3,
        numbers=numbers.tobytes(),
        meters=tuple(f"5f0c3a52-7c1e-4d0e-9a3b-{index:012d}" for index in range(meters)),
    )
    return Message(header=_header("MeterReadings"), payload=expanded(CompactReadings(groups=(Group(columns=columns),))))


def _header(noun: str) -> Header:
    return Header(
        verb=Verb.CREATED,
        noun=noun,
        revision="1",
        context="production",
        timestamp=_START,
        source="head-end",
        message_id="0f2b8f6e-33d7-4c9a-8a53-0c5f6d1f9f11",
        correlation_id="0f2b8f6e-33d7-4c9a-8a53-0c5f6d1f9f10",
    )


def of_another_product(body: bytes) -> bytes:
    """The same message with prefixes and line breaks, as others write it."""
    root = etree.fromstring(body)
    etree.indent(root)
    prefixes = {"msg": _uri(root), "ns2": _uri(root[1][0])}
    prefixed = etree.Element(root.tag, nsmap=prefixes)
    prefixed.extend(list(root))
    etree.cleanup_namespaces(prefixed, top_nsmap=prefixes)
    return etree.tostring(prefixed, xml_declaration=True, encoding="UTF-8")


def _uri(element: etree._Element) -> str:
    return str(etree.QName(element).namespace)


def with_comment(body: bytes) -> bytes:
    """The same message in a form that is not plain, which is read from the tree that lxml parses."""
    return body + b"<!---->"


def measure(subjects: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """How fast each subject is, relative to that of the name ``lxml``, and how long that takes."""
    for subject in subjects.values():
        subject()  # what is made when it is first needed is made now
    repeats = {name: max(1, round(ROUND_S / _seconds(subject, 3))) for name, subject in subjects.items()}
    rounds = [{name: _seconds(subjects[name], repeats[name]) for name in subjects} for _ in range(ROUNDS)]
    ratios = {
        name: round(statistics.median(taken["lxml"] / taken[name] for taken in rounds), 3)
        for name in subjects
        if name != "lxml"
    }
    return {"lxml_us": round(statistics.median(taken["lxml"] for taken in rounds) * 1e6, 1), **ratios}


def _seconds(subject: Callable[[], object], repeats: int) -> float:
    start = thread_time()
    for _ in range(repeats):
        subject()
    return (thread_time() - start) / repeats


def reading(codec: Codec, body: bytes) -> dict[str, Callable[[], object]]:
    """What reads ``body``, which is XML."""
    return {"lxml": partial(etree.fromstring, body), "read_xml": partial(codec.decode, body, CONTENT_XML)}


def all_encodings(codec: Codec, message: Message[Any]) -> dict[str, Callable[[], object]]:
    """What reads and what writes ``message`` in each encoding."""
    subjects = reading(codec, codec.encode(message, CONTENT_XML))
    subjects["write_xml"] = partial(codec.encode, message, CONTENT_XML)
    for kind, name in ((CONTENT_JSON, "json"), (CONTENT_MSGPACK, "msgpack")):
        subjects[f"read_{name}"] = partial(codec.decode, codec.encode(message, kind), kind)
        subjects[f"write_{name}"] = partial(codec.encode, message, kind)
    return subjects


def columns(codec: Codec, message: Message[MeterReadings]) -> dict[str, float]:
    """How fast ``message`` is read into columns, and its readings in a second on one core."""
    bodies = {"xml": codec.encode(message, CONTENT_XML), "msgpack": codec.encode(message, CONTENT_MSGPACK)}
    others = of_another_product(bodies["xml"])

    def over_objects(kind: str) -> object:
        message = codec.decode(bodies[kind.removeprefix("application/")], kind)
        return condensed(message.payload) if isinstance(message, Message) and message.payload else None

    ratios = measure(
        {
            "lxml": partial(etree.fromstring, bodies["xml"]),
            "read_xml": partial(codec.decode_compact, bodies["xml"], CONTENT_XML),
            "read_xml_over_objects": partial(over_objects, CONTENT_XML),
            "read_msgpack": partial(codec.decode_compact, bodies["msgpack"], CONTENT_MSGPACK),
            "read_msgpack_over_objects": partial(over_objects, CONTENT_MSGPACK),
            "read_xsdata": partial(xsdata_readings.read, bodies["xml"]),
        }
    )
    of_others = measure(
        {"lxml": partial(etree.fromstring, others), "read": partial(codec.decode_compact, others, CONTENT_XML)}
    )
    told = (
        sum(len(block.interval_readings) for each in message.payload.meter_reading for block in each.interval_blocks)
        if message.payload
        else 0
    )
    lxml_per_s = told / ratios["lxml_us"] * 1e6
    return {
        **ratios,
        "read_xml_of_another_product": of_others["read"],
        "read_xml_to_read_xsdata": round(ratios["read_xml"] / ratios["read_xsdata"], 1),
        "xml_readings_per_s": round(lxml_per_s * ratios["read_xml"]),
        "msgpack_readings_per_s": round(lxml_per_s * ratios["read_msgpack"]),
    }


def main() -> None:
    """Print the ratios for small messages and for some with a thousand repeated elements."""
    codec = Codec(CATALOGUE)
    thousand = codec.encode(events(1000), CONTENT_XML)
    report = {
        "one_event": measure(all_encodings(codec, events(1))),
        "one_reading": measure(all_encodings(codec, readings(1))),
        "thousand_events": measure(all_encodings(codec, events(1000))),
        "thousand_meters": measure(all_encodings(codec, readings(1000))),
        "thousand_events_of_another_product": measure(reading(codec, of_another_product(thousand))),
        "thousand_events_not_plain": measure(reading(codec, with_comment(thousand))),
    }
    small = codec.encode(events(100), CONTENT_XML)
    with_xsdata = measure(reading(codec, small) | {"read_xsdata": partial(xsdata_events.read, small)})
    with_xsdata["read_xml_to_read_xsdata"] = round(with_xsdata["read_xml"] / with_xsdata["read_xsdata"], 1)
    report["twenty_days_in_columns"] = columns(codec, intervals(20, 96))
    report["wave_of_500_in_columns"] = columns(codec, intervals(500, 1))
    report["one_value_in_columns"] = columns(codec, intervals(1, 1))
    json.dump({**report, "hundred_events": with_xsdata}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
