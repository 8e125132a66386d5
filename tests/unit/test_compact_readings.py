"""The compact form of MeterReadings says what the noun says, and refuses what says nothing."""

from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack, to_builtins
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.compact_readings import CONTENT_TYPE, Columns, CompactReadings, Group, expanded
from contracts.condensed_readings import condensed
from contracts.errors import Malformed
from contracts.message import Header, Message
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from shared.codec import CONTENT_XML, Codec
from tests.unit.strategies import structs

CODEC = Codec(CATALOGUE)
HEADER = Header(verb=Verb.CREATED, noun="MeterReadings", source="head-end", message_id="1")
QUARTERS = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
T0 = datetime(2026, 3, 2, tzinfo=UTC)

numbers = st.sampled_from(("0", "1", "-7", "1.5", "0.25", "-0.001", "99999", "1.50", "1e3", "", "4" * 20)) | st.none()
qualities = st.sampled_from(
    (
        (),
        (ReadingQuality(reading_quality_type=Reference(ref="3.8.0"), comment="method=E4"),),
        (ReadingQuality(reading_quality_type=Reference(ref="3.0.0"), source="me"),),
    )
)


@st.composite
def rows(draw: st.DrawFn) -> MeterReading:
    """Readings of one meter that mostly have the shape of a row."""
    step = timedelta(minutes=draw(st.sampled_from((15, 15, 15, 30))))
    values = tuple(
        IntervalReading(time_stamp=T0 + step * place, value=draw(numbers), reading_qualities=draw(qualities))
        for place in range(1, draw(st.integers(1, 4)) + 1)
    )
    meter = draw(st.sampled_from((None, "meter", "5d1c3b5e-3f0b-4a63-9d6a-0d6f4a1f5b11")))
    return MeterReading(
        interval_blocks=(IntervalBlock(interval_readings=values, reading_type=Reference(ref=QUARTERS)),),
        meter=None if meter is None else Meter(mrid=meter),
        usage_point=draw(st.sampled_from((None, ObjectReference(mrid="point")))),
    )


@given(noun=st.builds(MeterReadings, meter_reading=st.lists(rows(), max_size=6).map(tuple)) | structs(MeterReadings))
def test_readings_by_the_column_are_the_readings_of_the_noun(noun: MeterReadings) -> None:
    message = Message(header=HEADER, payload=noun)
    body = CODEC.encode(message, CONTENT_TYPE)
    assert CODEC.decode(body, CONTENT_TYPE) == message
    compact = CODEC.decode_compact(body, CONTENT_TYPE)
    assert isinstance(compact, Message)
    assert compact.payload == condensed(noun)
    assert CODEC.encode(compact, CONTENT_TYPE) == body
    assert CODEC.decode(CODEC.encode(message, CONTENT_XML), CONTENT_XML) == message


def columns(**changes: object) -> Columns:
    """A wave of two meters."""
    wave = Columns(
        reading_type=QUARTERS, first_us=0, scale=-3, numbers=array("i", [1500, -(2**31)]).tobytes(), meters=("a", "b")
    )
    return replace(wave, **changes)


def test_a_wave_has_one_value_for_each_meter_and_may_say_that_there_is_none() -> None:
    first, second = expanded(CompactReadings(groups=(Group(columns=columns()),))).meter_reading
    assert [each.interval_blocks[0].interval_readings[0].value for each in (first, second)] == ["1.5", None]
    assert first.interval_blocks[0].interval_readings[0].time_stamp == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"numbers": b"1234567"}, "one number for each row"),
        ({"meters": None}, "one mRID"),
        ({"usage_points": ("a",)}, "one mRID"),
        ({"meters": b"short"}, "one mRID"),
        ({"count": 2, "numbers": b"\0" * 16}, "steps of time"),
        ({"step_us": 1}, "steps of time"),
        ({"scale": 1}, "a scale"),
        ({"runs": (1, 0)}, "runs of qualities"),
        ({"runs": (2, 1)}, "runs of qualities"),
        ({"first_us": 2**62}, "out of the range"),
        ({"meters": ("a", "\0")}, "XML cannot carry"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused_by_name(changes: dict[str, object], reason: str) -> None:
    compact = CompactReadings(groups=(Group(columns=columns(**changes)),))
    document = {"Header": HEADER, "Payload": compact}
    with pytest.raises(Malformed, match=reason):
        CODEC.decode(msgpack.encode(to_builtins(document, builtin_types=(bytes,))), CONTENT_TYPE)
    with pytest.raises(ValueError, match=reason):
        CODEC.encode(Message(header=HEADER, payload=compact), CONTENT_TYPE)


def test_only_events_have_a_compact_form_and_nothing_unknown_is_in_it() -> None:
    with pytest.raises(ValueError, match="only events"):
        CODEC.encode(Message(header=replace(HEADER, verb=Verb.CREATE), payload=MeterReadings()), CONTENT_TYPE)
    body = msgpack.encode({"Header": to_builtins(HEADER), "Payload": {"colour": 1}})
    with pytest.raises(Malformed, match="unknown"):
        CODEC.decode(body, CONTENT_TYPE)


texts = st.sampled_from(
    ("meter 1", "meter 2", "meter 77", "z\u00e4hler", 'a"b', "a\\\\u0001", "\x7f", "\ue000", "PING")
) | st.text(max_size=4)
times = st.sampled_from(
    (None, T0, T0 + timedelta(seconds=1), T0 + timedelta(microseconds=7), T0 + timedelta(days=99_999))
)


@st.composite
def single_readings(draw: st.DrawFn) -> bytes:
    """The body of a message of one row, as many are, and now and then of one that is no such thing."""
    identifier = draw(texts)
    columns = Columns(
        reading_type=draw(st.sampled_from((QUARTERS, QUARTERS, QUARTERS, "x"))),
        first_us=draw(st.sampled_from((900_000_000, 900_000_000, 1_800_000_000))),
        numbers=draw(st.integers(-(2**31), 2**31 - 1)).to_bytes(4, "little", signed=True),
        meters=draw(st.sampled_from(((identifier,), (identifier,), bytes(range(16)), bytes(range(1, 17)), None))),
        usage_points=draw(st.sampled_from((None, None, (identifier,), ("point",)))),
        scale=draw(st.sampled_from((-3, -3, -3, 1))),
    )
    header = Header(
        verb=draw(st.sampled_from((Verb.CREATED, Verb.CREATED, Verb.CREATED, Verb.CHANGED, Verb.GET))),
        noun=draw(st.sampled_from(("MeterReadings", "MeterReadings", "MeterReadings", "Orders"))),
        source="head-end",
        timestamp=draw(times),
        message_id=draw(texts),
        correlation_id=draw(st.sampled_from((None, identifier))),
    )
    more = (Group(columns=columns),) if draw(st.integers(0, 9)) == 0 else ()
    document = {"Header": header, "Payload": CompactReadings(groups=(Group(columns=columns), *more))}
    body = msgpack.encode(to_builtins(document, builtin_types=(datetime, bytes)))
    place = draw(st.integers(0, 4 * len(body)))
    return body[:place] + draw(st.binary(min_size=1, max_size=1)) + body[place + 1 :] if place < len(body) else body


changes = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=30)


@given(bodies=st.lists(single_readings(), min_size=1, max_size=8), repeated=st.integers(1, 12), changes=changes)
def test_many_single_readings_are_read_together_as_they_are_read_one_by_one(
    bodies: list[bytes], repeated: int, changes: list[tuple[int, int]]
) -> None:
    bodies *= repeated
    for place, byte in changes:
        at = place % len(bodies[0])
        bodies.append(bodies[0][:at] + bytes([byte]) + bodies[0][at + 1 :])
    found = CODEC.decode_many(bodies, CONTENT_TYPE, compact=True)
    assert sorted(place for _, places in found for place in places) == list(range(len(bodies)))
    for told, places in found:
        alone = [read_alone(bodies[place]) for place in places]
        if isinstance(told, Malformed):
            assert [(told.code, told.reason)] == alone
            continue
        assert isinstance(told, Message)
        assert isinstance(told.payload, CompactReadings)
        assert told.header == alone[0].header
        if len(places) == 1:
            assert told.payload == alone[0].payload
            continue
        first = {each.header.noun: each.header for each in alone}[told.header.noun]
        assert {replace(each.header, message_id="", correlation_id=None, timestamp=None) for each in alone} == {
            replace(first, message_id="", correlation_id=None, timestamp=None)
        }
        assert expanded(told.payload).meter_reading == tuple(
            reading for each in alone for reading in expanded(each.payload).meter_reading
        )


def read_alone(body: bytes) -> Any:
    """What a body tells by itself, or why it cannot be read."""
    try:
        return CODEC.decode_compact(body, CONTENT_TYPE)
    except Malformed as error:
        return (error.code, error.reason)


def test_a_thousand_single_readings_are_one_message() -> None:
    columns = Columns(reading_type=QUARTERS, first_us=900_000_000, numbers=bytes(4), meters=("meter 0000",))
    bodies = []
    for number in range(1000):
        row = replace(columns, numbers=number.to_bytes(4, "little"), meters=(f"meter {number:04}",))
        header = replace(HEADER, message_id=f"{number:032}", timestamp=T0 + timedelta(microseconds=number + 1))
        message: Any = Message(header=header, payload=CompactReadings(groups=(Group(columns=row),)))
        bodies.append(CODEC.encode(message, CONTENT_TYPE))
    [(told, places)] = CODEC.decode_many(bodies, CONTENT_TYPE, compact=True)
    assert places == list(range(1000))
    assert isinstance(told, Message)
    assert told.payload.groups[0].columns.meters == tuple(f"meter {number:04}" for number in range(1000))  # type: ignore[union-attr]  # a compact form
