"""MeterReadings read straight into columns are what they are read as on the way over objects, or refused alike."""

from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from contracts.catalogue import CATALOGUE
from contracts.compact_readings import CompactReadings
from contracts.condensed_readings import condensed
from contracts.errors import Malformed
from contracts.message import Header, Message
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from shared.codec import CONTENT_MSGPACK, CONTENT_XML, Codec

CODEC = Codec(CATALOGUE)
HEADER = Header(verb=Verb.CREATED, noun="MeterReadings", source="head-end", message_id="1")
QUARTERS = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
T0 = datetime(2026, 3, 2, tzinfo=UTC)
UUID = "5d1c3b5e-3f0b-4a63-9d6a-0d6f4a1f5b11"

numbers = st.sampled_from(("0", "1", "-7", "1.5", "0.25", "-0.001", "9999.99999", "123456789", "0.0000001"))
odd_numbers = (
    st.sampled_from(("1.50", "1e3", "", "-0", "01", ".5", "5.", "1 2", "4" * 20, "\u0661", "\u00a31")) | st.none()
)
qualities = st.sampled_from(
    (
        (ReadingQuality(reading_quality_type=Reference(ref="3.8.0")),),
        (
            ReadingQuality(reading_quality_type=Reference(ref="3.8.0"), comment='method="E4"'),
            ReadingQuality(reading_quality_type=Reference(ref="1.0.0"), comment=""),
        ),
        (ReadingQuality(reading_quality_type=Reference(ref="3.0.0"), source="me"),),
    )
)
mrids = st.sampled_from(("meter", UUID, "m" * 40, "", "Zähler", "a & b"))


@st.composite
def nouns(draw: st.DrawFn) -> MeterReadings:
    """Waves, days and mixtures, most of them written as most are."""
    step = timedelta(minutes=draw(st.sampled_from((15, 30))))
    count, is_odd = draw(st.integers(1, 4)), draw(st.integers(0, 5)) == 0
    reported = draw(st.sampled_from((None, None, T0, T0 + timedelta(microseconds=5))))
    source = draw(st.sampled_from((None, None, "collector", "")))

    def value(place: int) -> IntervalReading:
        return IntervalReading(
            reported_date_time=reported,
            source=source,
            time_stamp=T0 + step * (place + 1 + (is_odd and draw(st.integers(0, 1)))),
            value=draw(odd_numbers if is_odd and draw(st.booleans()) else numbers),
            reading_qualities=draw(st.just(()) | st.just(()) | qualities),
        )

    def reading() -> MeterReading:
        block = IntervalBlock(
            interval_readings=tuple(map(value, range(count + (is_odd and draw(st.integers(-1, 1)))))),
            reading_type=Reference(ref=draw(st.sampled_from((QUARTERS, QUARTERS, "another")))),
        )
        meter = Meter(mrid=draw(mrids)) if draw(st.integers(0, 3)) else None
        point = ObjectReference(mrid=draw(mrids)) if draw(st.booleans()) else None
        return MeterReading(interval_blocks=(block,), meter=meter, usage_point=point)

    return MeterReadings(meter_reading=tuple(reading() for _ in range(draw(st.integers(0, 5)))))


def as_others_write(body: bytes) -> bytes:
    """XML with prefixes, line breaks and empty elements."""
    root = etree.fromstring(body)
    etree.indent(root)
    prefixes = {"msg": etree.QName(root).namespace, "ns2": etree.QName(root[1][0]).namespace}
    prefixed = etree.Element(root.tag, nsmap=prefixes)
    prefixed.extend(list(root))
    etree.cleanup_namespaces(prefixed, top_nsmap=prefixes)
    return etree.tostring(prefixed, xml_declaration=True, encoding="UTF-8")


def written(noun: MeterReadings, form: str) -> tuple[bytes, str]:
    """The body of an event and its content type, in one of the forms."""
    kind = CONTENT_MSGPACK if form == "MessagePack" else CONTENT_XML
    body = CODEC.encode(Message(header=HEADER, payload=noun), kind)
    return (as_others_write(body) if form == "XML of others" else body), kind


def by_objects(body: bytes, kind: str) -> object:
    """What is read on the usual way: a message by the column, or why it is refused."""
    try:
        message = CODEC.decode(body, kind)
    except Malformed as error:
        return (error.code, error.reason, error.line)
    return told(message)


def by_columns(body: bytes, kind: str) -> object:
    """What is read on the fast way, or on the other where that does not know it."""
    try:
        message = CODEC.decode_compact(body, kind)
    except Malformed as error:
        return (error.code, error.reason, error.line)
    return told(message)


def told(message: object) -> object:
    """All that a message says, its readings by the column."""
    if not isinstance(message, Message):
        return message
    payload = condensed(message.payload) if isinstance(message.payload, MeterReadings) else message.payload
    return (message.header, message.request, message.reply, payload, message.enclosure)


forms = st.sampled_from(("XML", "XML of others", "MessagePack"))


@given(noun=nouns(), form=forms)
def test_readings_are_the_same_columns_by_either_way(noun: MeterReadings, form: str) -> None:
    body, kind = written(noun, form)
    assert by_columns(body, kind) == by_objects(body, kind)


FRAGMENTS = (
    *(b"<", b">", b"/", b"&", b"&amp;", b"&lol;", b"]]>", b"<!---->", b"<?x?>", b"\x00", b"\xff", b"\r\n", b" ", b"\t"),
    *(b"1", b"-", b"0", b".", b"e9", b"9" * 400, b"2026-02-30T00:00:00Z", b"T24:00:00Z", b"+14:00", b"\xc3\xa9"),
    *(b"<value>1</value>", b"<value/>", b"<a>" * 300, b"<source>x</source>", b"<!DOCTYPE a [<!ENTITY lol 'x'>]>"),
    *(b' xmlns="urn:other"', b"<MeterReadings>", b"</MeterReadings>", b"<MeterReading/>", b' ref="x"', b"'"),
    *(b"\x80", b"\x81", b"\x83", b"\x90", b"\x91", b"\xa0", b"\xa1", b"\xa21", b"\xd9\x01a", b"\xdc\x00\x01", b"\xdd"),
    *(b"\xc0", b"\xd6\xff\x00\x00\x00\x01", b"\xd7\xff" + b"\x00" * 8, b"\xa5value", b"\xa6source\xa1x", b"\x92" * 300),
)


@given(noun=nouns(), form=forms, data=st.data())
def test_what_was_tampered_with_is_the_same_or_refused_alike_by_either_way(
    noun: MeterReadings, form: str, data: st.DataObject
) -> None:
    body, kind = written(noun, form)
    begin = data.draw(st.sampled_from((0, max(body.find(b"MeterReading", 100) - 20, 0))))
    for _ in range(data.draw(st.integers(1, 2))):
        places = st.integers(begin, max(begin, len(body)))
        at, size, other = data.draw(places), data.draw(st.sampled_from((0, 0, 1, 1, 2, 8, 60))), data.draw(places)
        new = data.draw(st.sampled_from((*FRAGMENTS, b"", body[other : other + 1], body[other : other + 60])))
        body = body[:at] + new + body[at + size :]
    assert by_columns(body, kind) == by_objects(body, kind)
    cut = body[: data.draw(st.integers(0, len(body)))]
    assert by_columns(cut, kind) == by_objects(cut, kind)


@pytest.mark.parametrize("form", ["XML", "XML of others", "MessagePack"])
@pytest.mark.parametrize("count", [1, 3, 96])
def test_days_and_waves_are_read_without_objects(form: str, count: int) -> None:
    quality = (ReadingQuality(reading_quality_type=Reference(ref="3.8.0"), comment="E4"),)
    values = [
        [
            IntervalReading(time_stamp=T0 + timedelta(minutes=15 * place), value=f"{meter + place}.5")
            for place in range(count)
        ]
        for meter in range(30)
    ]
    flagged = [[IntervalReading(time_stamp=T0, reading_qualities=quality, source="collector")]]
    for rows in (values, [*chain(values, flagged)]):
        readings = tuple(
            MeterReading(
                interval_blocks=(IntervalBlock(interval_readings=tuple(row), reading_type=Reference(ref=QUARTERS)),),
                meter=Meter(mrid=f"meter {place}"),
                usage_point=ObjectReference(mrid=UUID),
            )
            for place, row in enumerate(rows)
        )
        noun = MeterReadings(meter_reading=readings)
        body, kind = written(noun, form)
        message = CODEC.decode_compact(body, kind)
        assert isinstance(message, Message)
        assert isinstance(message.payload, CompactReadings)
        assert message.payload == condensed(noun)


@pytest.mark.parametrize("verb", [Verb.GET, Verb.CREATE])
def test_only_events_are_read_by_the_column(verb: Verb) -> None:
    reading = MeterReading(
        interval_blocks=(
            IntervalBlock(
                interval_readings=(IntervalReading(time_stamp=T0, value="1"),), reading_type=Reference(ref=QUARTERS)
            ),
        ),
        meter=Meter(mrid="meter"),
    )
    noun = MeterReadings(meter_reading=(reading,))
    created, kind = written(noun, "XML")
    body = created.replace(b">created<", f">{verb}<".encode()).replace(b"EventMessage", b"RequestMessage")
    assert by_columns(body, kind) == by_objects(body, kind)
    if verb is Verb.CREATE:
        assert CODEC.decode_compact(body, kind).payload == noun  # type: ignore[union-attr]  # no fault
