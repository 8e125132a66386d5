"""What reading refuses, with which code and at which line, and the whole of what it tolerates."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.message import Enclosure, Header, Message, Reply, Request, Result
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail, EndDeviceEvents
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.measurements import Measurements
from contracts.types import Reference
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec, digest

CODEC = Codec(CATALOGUE)
ENCODINGS = (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK)

EVENT = Message(
    header=Header(
        verb=Verb.CREATED,
        noun="EndDeviceEvents",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        source="head-end",
        ack_required=True,
        message_id="m-1",
    ),
    payload=EndDeviceEvents(
        end_device_event=(
            EndDeviceEvent(
                mrid="e-1",
                created_date_time=datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC),
                end_device_event_details=(
                    EndDeviceEventDetail(name="voltage", value="0.0"),
                    EndDeviceEventDetail(name="phase", value="A"),
                ),
                end_device_event_type=Reference(ref="3.26.9.185"),
            ),
        )
    ),
)
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<m:EventMessage xmlns:m="http://iec.ch/TC57/2011/schema/message" xmlns:e="http://iec.ch/TC57/2011/EndDeviceEvents#">
  <m:Header>
    <m:Verb>created</m:Verb>
    <m:Noun>EndDeviceEvents</m:Noun>
    <m:Timestamp>2026-01-01T00:00:00Z</m:Timestamp>
    <m:Source>head-end</m:Source>
    <m:AckRequired>true</m:AckRequired>
    <m:MessageID>m-1</m:MessageID>
  </m:Header>
  <m:Payload>
    <e:EndDeviceEvents>
      <e:EndDeviceEvent>
        <e:mRID>e-1</e:mRID>
        <e:createdDateTime>2026-01-01T00:00:01Z</e:createdDateTime>
        <e:EndDeviceEventDetails><e:name>voltage</e:name><e:value>0.0</e:value></e:EndDeviceEventDetails>
        <e:EndDeviceEventDetails><e:name>phase</e:name><e:value>A</e:value></e:EndDeviceEventDetails>
        <e:EndDeviceEventType ref="3.26.9.185"/>
      </e:EndDeviceEvent>
    </e:EndDeviceEvents>
  </m:Payload>
</m:EventMessage>
"""
_EVENT = "EventMessage/Payload/EndDeviceEvents/EndDeviceEvent"
_GET = (
    b'<RequestMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>get</Verb>'
    b"<Noun>MeterReadings</Noun></Header>%s</RequestMessage>"
)
_PROFILE = b'<GetMeterReadings xmlns="http://iec.ch/TC57/2011/GetMeterReadings#"></GetMeterReadings>'


def test_message_of_another_product_is_read() -> None:
    assert CODEC.decode(XML, "Application/XML; charset=utf-8") == EVENT


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "reason"),
    [
        (b"    <m:Noun>EndDeviceEvents</m:Noun>\n", b"", "1.5", 3, "EventMessage/Header lacks the mandatory Noun"),
        (XML[XML.index(b"  <m:Header>") : XML.index(b"  <m:Payload>")], b"", "1.5", 2, "lacks the mandatory Header"),
        (b">created<", b">create<", "2.9", 4, "EventMessage/Header/Verb is no verb of the EventMessage"),
        (b">created<", b">make<", "2.9", 4, "EventMessage/Header/Verb is none of the values"),
        (b"<m:Noun>EndDeviceEvents", b"<m:Noun>Nothings", "2.5", 5, "EventMessage/Header/Noun is a noun that is not"),
        (b"<m:Noun>EndDeviceEvents", b"<m:Noun>Measurements", "2.5", 11, "EventMessage/Payload holds another noun"),
        (b'ref="3.26.9.185"', b"", "1.7", 18, f"{_EVENT}/EndDeviceEventType lacks the mandatory ref"),
        (
            b"        <e:createdDateTime>2026-01-01T00:00:01Z</e:createdDateTime>\n",
            b"",
            "1.7",
            13,
            f"{_EVENT} lacks the",
        ),
        (b"<e:name>phase</e:name>", b"", "1.7", 17, f"{_EVENT}/EndDeviceEventDetails[2] lacks the mandatory name"),
        (b"00:00:01Z", b"00:00:01", "1.8", 15, f"{_EVENT}/createdDateTime is not what belongs there"),
        (b"00:00:01Z", b"25:00:01Z", "1.8", 15, f"{_EVENT}/createdDateTime is none of the values"),
        (b">true<", b">yes<", "1.8", 8, "EventMessage/Header/AckRequired is not a boolean"),
        (b"<m:Source>", b"<m:Sauce>", "1.8", 7, "the message is not well-formed XML"),
        (b"m:Source>", b"m:Sauce>", "1.8", 7, "EventMessage/Header holds an unknown element Sauce"),
        (b"e:mRID>", b"e:mrid>", "1.8", 14, f"{_EVENT} holds an unknown element mrid"),
        (b"e:mRID>", b"m:mRID>", "1.8", 14, f"{_EVENT} holds an unknown element mRID"),
        (b"<e:mRID>", b"<e:mRID a='1'>", "1.8", 14, f"{_EVENT}/mRID has an unknown attribute a"),
        (b"<e:mRID>e-1", b"<e:mRID><e:a/>", "1.8", 14, f"{_EVENT}/mRID holds elements where a value belongs"),
        (b"<e:mRID>e-1</e:mRID>", b"text", "1.8", 13, f"{_EVENT} holds text between its elements"),
        (b"<e:mRID>", b"<e:mRID>e-0</e:mRID><e:mRID>", "1.8", 14, f"{_EVENT}/mRID[2] stands out of order or too often"),
        (b"<m:MessageID>m-1<", b"<m:Source>m-1<", "1.8", 9, "the message is not well-formed XML"),
        (b"m:MessageID>", b"m:Revision>", "1.8", 9, "EventMessage/Header/Revision stands out of order"),
        (
            b"  <m:Payload>",
            b"  <m:Request/>\n  <m:Payload>",
            "1.8",
            11,
            "EventMessage holds an unknown element Request",
        ),
        (b"m:EventMessage", b"m:EventMassage", "1.8", 2, "holds an unknown element EventMassage"),
        (b"2011/schema/message", b"2012/schema/message", "1.8", 2, "holds an unknown element EventMessage"),
        (b"2011/EndDeviceEvents#", b"2012/EndDeviceEvents#", "1.8", 12, "stands in another namespace than its profile"),
        (b"</m:EventMessage>", b"", "1.8", 23, "the message is not well-formed XML"),
        (b"<m:Header>", b"<?pi data?><m:Header>", "1.8", None, "the message holds a processing instruction"),
        (b"<m:EventMessage", b"<!DOCTYPE x><m:EventMessage", "1.8", 1, "such as a document type"),
        (b">head-end<", b">\xff<", "1.8", 7, "the message is not well-formed XML"),
        (b">head-end<", b">\x00<", "1.8", 7, "the message is not well-formed XML"),
        (b'"UTF-8"', b'"UTF-7"', "1.8", None, "the message is in an encoding that is not read here"),
    ],
)
def test_xml_that_breaks_the_contract_is_refused_with_code_line_and_path(
    old: bytes, new: bytes, code: str, line: int | None, reason: str
) -> None:
    assert old in XML
    with pytest.raises(Malformed) as refused:
        CODEC.decode(XML.replace(old, new), CONTENT_XML)
    assert (refused.value.code, refused.value.line) == (code, line), refused.value.reason
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">true<", b">\n 1 <"),
        (b">2026-01-01T00:00:00Z<", b"> 2025-12-31T24:00:00Z\n<"),
        (b">2026-01-01T00:00:00Z<", b">2026-01-01T00:00:00.000000000Z<"),
        (b">2026-01-01T00:00:00Z<", b">2026-01-01T01:00:00+01:00<"),
        (b">head-end<", b"><!-- who --><![CDATA[head]]>-end<"),
        (b">head-end<", b">&#104;ead-end<"),
        (b"m:", b"sender:"),
        (
            b"<m:EventMessage",
            b'<!-- - --><m:EventMessage xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a a"',
        ),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n', b"\xef\xbb\xbf"),
        (b"m:EventMessage", b"m:Message"),
    ],
)
def test_xml_is_read_as_equal_where_the_list_of_tolerances_says_so(old: bytes, new: bytes) -> None:
    assert old in XML
    body = XML.replace(old, new)
    if b"sender:" in body:  # a prefix is renamed with its declaration or not at all
        body = XML.replace(b"m:", b"sender:").replace(b"xmlns:m=", b"xmlns:sender=")
    assert CODEC.decode(body, CONTENT_XML) == EVENT


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252"])
def test_xml_in_another_encoding_is_read_when_it_says_so(encoding: str) -> None:
    text = XML.decode().replace("UTF-8", encoding).replace("head-end", "kopfende-\u00fc")
    read = CODEC.decode(text.encode(encoding), CONTENT_XML)
    assert isinstance(read, Message)
    assert read.header.source == "kopfende-\u00fc"


@pytest.mark.parametrize(
    ("old", "new", "code", "reason"),
    [
        (b'"Noun":"EndDeviceEvents",', b"", "1.5", "EventMessage/Header lacks the mandatory Noun"),
        (b'"Verb":"created"', b'"Verb":"make"', "2.9", "EventMessage/Header/Verb is none of the values of its type"),
        (b'"Verb":"created"', b'"Verb":"get"', "2.9", "EventMessage/Header/Verb is no verb of the EventMessage"),
        (b'"mRID":"e-1"', b'"mrid":"e-1"', "1.8", f"{_EVENT}[1] holds an unknown element mrid"),
        (b'"mRID":"e-1"', b'"mRID":"e-0","mRID":"e-1"', "1.8", f"{_EVENT}[1] holds something twice"),
        (b'"mRID":"e-1"', b'"mRID":1', "1.8", f"{_EVENT}[1]/mRID is not what belongs there: expected `str"),
        (b'"mRID":"e-1"', b'"mRID":"\\u0007"', "1.8", "holds a character that XML cannot carry"),
        (b'"Source"', b'"Sauce"', "1.8", "EventMessage/Header holds an unknown element Sauce"),
        (b'"Payload"', b'"Payloads"', "1.8", "EventMessage holds an unknown element Payloads"),
        (b',"EndDeviceEventType":{"ref":"3.26.9.185"}', b"", "1.7", f"{_EVENT}[1] lacks the mandatory EndDevice"),
        (b"00:00:01Z", b"00:00:01", "1.8", f"{_EVENT}[1]/createdDateTime is not what belongs there"),
        (b"}]}}}}", b"}]}}}", "1.8", "the message is not well-formed JSON"),
        (b"true", b"NaN", "1.8", "the message is not well-formed JSON"),
    ],
)
def test_json_that_breaks_the_contract_is_refused_with_code_and_path(
    old: bytes, new: bytes, code: str, reason: str
) -> None:
    body = CODEC.encode(EVENT, CONTENT_JSON)
    assert old in body
    with pytest.raises(Malformed) as refused:
        CODEC.decode(body.replace(old, new), CONTENT_JSON)
    assert refused.value.code == code, refused.value.reason
    assert reason in refused.value.reason


def test_json_in_any_order_and_spacing_is_read() -> None:
    body = CODEC.encode(EVENT, CONTENT_JSON)
    moved = body.replace(b'"Verb":"created",', b"").replace(b'"MessageID":"m-1"', b'"User":null , "MessageID" : "m-1",')
    assert CODEC.decode(moved.replace(b'"m-1",', b'"m-1",\n"Verb":"created"'), CONTENT_JSON) == EVENT


def test_messagepack_with_a_field_that_nobody_knows_is_refused() -> None:
    body = CODEC.encode(EVENT, CONTENT_MSGPACK)
    with pytest.raises(Malformed, match="unknown"):
        CODEC.decode(body.replace(b"\xa4mRID", b"\xa4mrid"), CONTENT_MSGPACK)


def test_refusal_repeats_nothing_of_the_content() -> None:
    for old, new in (
        (b">created<", b">SECRET<"),
        (b">true<", b">SECRET<"),
        (b"01Z<", b"SECRET<"),
        (b"e-1<", b"SECRET"),
    ):
        with pytest.raises(Malformed) as refused:
            CODEC.decode(XML.replace(old, new), CONTENT_XML)
        assert "SECRET" not in refused.value.reason
    body = CODEC.encode(EVENT, CONTENT_JSON).replace(b'"created"', b'"SECRET"')
    with pytest.raises(Malformed) as refused:
        CODEC.decode(body, CONTENT_JSON)
    assert "SECRET" not in refused.value.reason


def test_get_profile_is_read_from_request_and_from_payload_alike() -> None:
    asked: Message[None] = Message(
        header=Header(verb=Verb.GET, noun="MeterReadings"), request=Request(query=GetMeterReadings()), payload=None
    )
    for section in (b"<Request>%s</Request>", b"<Payload>%s</Payload>"):
        assert CODEC.decode(_GET % (section % _PROFILE), CONTENT_XML) == asked
    with pytest.raises(Malformed, match="out of order or too often"):
        CODEC.decode(_GET % (b"<Request>%s</Request>" % (_PROFILE * 2)), CONTENT_XML)


def test_missing_option_name_in_a_request_is_told_with_the_code_of_requests() -> None:
    with pytest.raises(Malformed) as refused:
        CODEC.decode(_GET % b"<Request><Option><value>1</value></Option></Request>", CONTENT_XML)
    assert refused.value.code == "1.6"


@pytest.mark.parametrize("content_type", ENCODINGS)
@pytest.mark.parametrize(
    "broken",
    [
        Message(header=Header(verb=Verb.CREATED, noun="Measurements"), payload=EVENT.payload),
        Message(header=Header(verb=Verb.CREATED, noun="Nothings"), payload=None),
        Message(header=Header(verb=Verb.GET, noun="Measurements"), payload=Measurements()),
        Message(header=Header(verb=Verb.REPLY, noun="Measurements"), payload=Measurements()),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements"), reply=Reply(result=Result.OK)),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements"), request=Request()),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements"), enclosure=Enclosure()),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements", source="\x07"), payload=None),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements", source="\ufffe"), payload=None),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements", source="\ud800"), payload=None),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements", source=1), payload=None),  # type: ignore[arg-type] # what writing is to refuse
        Message(header=Header(verb=Verb.CREATED, noun="Measurements", timestamp=datetime(2026, 1, 1)), payload=None),  # noqa: DTZ001 - what writing is to refuse
        Message(header=Header(verb=Verb.CREATED, noun="Measurements", any=("<a>",)), payload=None),
        Message(header=Header(verb=Verb.CREATED, noun="Measurements", any=("<a/>",)), payload=None),
    ],
)
def test_message_that_breaks_the_contract_is_not_written(broken: Message[object], content_type: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence differs with the encoding
        CODEC.encode(broken, content_type)


def test_time_is_written_with_its_offset_and_utc_as_z() -> None:
    def told(at: datetime) -> bytes:
        header = Header(verb=Verb.CREATED, noun="Measurements", timestamp=at)
        return CODEC.encode(Message(header=header, payload=None), CONTENT_XML)

    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert b">2026-01-01T00:00:00Z<" in told(at)
    assert b">2026-01-01T02:00:00+02:00<" in told(at.astimezone(timezone(timedelta(hours=2))))
    assert b">2026-01-01T00:00:00Z<" in told(at.astimezone(timezone(timedelta(seconds=3208))))


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_time_of_an_offset_with_seconds_is_equal_after_a_round_trip(content_type: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=3208)))
    header = Header(verb=Verb.CREATED, noun="Measurements", timestamp=at)
    message: Message[None] = Message(header=header, payload=None)
    assert CODEC.decode(CODEC.encode(message, content_type), content_type) == message


def test_digest_looks_at_what_is_asked_and_not_at_who_asks_when() -> None:
    other = Header(verb=Verb.CREATED, noun="EndDeviceEvents", message_id="m-2")
    assert digest(Message(header=other, payload=EVENT.payload)) == digest(EVENT)
    assert digest(Message(header=other, payload=EndDeviceEvents())) != digest(EVENT)


def test_content_type_that_is_none_of_the_three_is_refused() -> None:
    with pytest.raises(Malformed):
        CODEC.decode(b"", "text/plain")
    assert CODEC.read_header(b"", "text/plain") is None


def test_header_of_a_message_that_cannot_be_read_is_read_for_the_answer() -> None:
    header = CODEC.read_header(XML.replace(b"e:mRID", b"e:foo").replace(b">true<", b">?<"), CONTENT_XML)
    assert header == Header(
        verb=Verb.CREATED,
        noun="EndDeviceEvents",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        source="head-end",
        message_id="m-1",
    )
