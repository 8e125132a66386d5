"""The audit trail finds what was changed, dropped or exchanged; what a message says of itself is found."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import json, msgpack
from msgspec.structs import replace

from contracts.nouns.audit_reports import FlawKind
from services.event_history.adapters.describing import described
from services.event_history.adapters.hashing import START, content_hash, link
from services.event_history.domain import Head, Kept, Verification

T0 = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)


def chain(length: int) -> list[Kept]:
    records: list[Kept] = []
    before = START
    for number in range(1, length + 1):
        kept = Kept(
            lane="outage",
            number=number,
            sequence=number + 7,
            subject=f"busbar.testing.event.outage.head-end.EndDeviceEvents.created.{number % 4}",
            stored_at=T0 + timedelta(seconds=number),
            content_hash=content_hash(f"message {number}".encode()),
            hash=b"",
        )
        before = link(before, kept)
        records.append(replace(kept, hash=before))
    return records


def verify(
    records: list[Kept], head: Head | None = None, *, known: Head | None = None, piece: int = 5
) -> list[tuple[FlawKind, int]]:
    walk = Verification(link, START, known)
    for place in range(0, len(records), piece):
        walk.walk(records[place : place + piece])
    walk.end(head or head_of(records))
    assert walk.records == len(records)
    return [(flaw.kind, flaw.number) for flaw in walk.flaws]


def head_of(records: list[Kept]) -> Head:
    return Head(number=records[-1].number, hash=records[-1].hash) if records else Head(number=0, hash=START)


def test_a_chain_as_it_was_written_has_no_flaw() -> None:
    assert verify(chain(23)) == []
    assert verify([]) == []


@given(st.integers(2, 30), st.data())
def test_a_changed_record_is_found_at_its_place(length: int, data: st.DataObject) -> None:
    records = chain(length)
    place = data.draw(st.integers(0, length - 1))
    change: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"subject": "busbar.testing.event.outage.scada.Measurements.created.0"},
                {"stored_at": T0},
                {"content_hash": content_hash(b"another message")},
                {"sequence": 4},
                {"sound": False},
            ]
        )
    )
    records[place] = replace(records[place], **change)
    assert verify(records) == [(FlawKind.CHANGED, place + 1)]


@given(st.integers(3, 30), st.data())
def test_a_dropped_record_is_found_at_its_place_and_at_the_end_too(length: int, data: st.DataObject) -> None:
    whole = chain(length)
    place = data.draw(st.integers(0, length - 1))
    assert verify(whole[:place] + whole[place + 1 :], head_of(whole)) == [(FlawKind.DROPPED, place + 1)]


@given(st.integers(3, 30), st.data())
def test_two_records_that_changed_places_are_found(length: int, data: st.DataObject) -> None:
    records = chain(length)
    place = data.draw(st.integers(0, length - 2))
    records[place], records[place + 1] = (
        replace(records[place + 1], number=place + 1),
        replace(records[place], number=place + 2),
    )
    flaws = verify(records, head_of(chain(length)), piece=100)
    assert flaws[0] == (FlawKind.REORDERED, place + 1)
    assert {number for _, number in flaws} <= {place + 1, place + 2, place + 3, length}


def test_a_tail_cut_off_together_with_its_head_is_found_by_a_head_that_was_noted_before() -> None:
    whole = chain(12)
    cut = whole[:9]
    assert verify(cut) == []
    assert verify(cut, known=head_of(whole)) == [(FlawKind.DROPPED, 10)]


def test_a_chain_written_anew_is_found_by_a_head_that_was_noted_before() -> None:
    noted = replace(head_of(chain(12)), hash=bytes(reversed(head_of(chain(12)).hash)))
    assert verify(chain(14), known=noted) == [(FlawKind.CHANGED, 12)]
    assert verify(chain(14), known=head_of(chain(12))) == []


XML = b"""<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>created</Verb>
<Timestamp>2026-03-14T19:00:00+01:00</Timestamp><Source>head-end</Source><MessageID>m-1</MessageID>
<CorrelationID>a&amp;b</CorrelationID></Header><Payload><X><mRID>one</mRID><Y><p:mRID>two</p:mRID></Y><mRID>one</mRID>
</X></Payload></EventMessage>"""


def test_a_message_is_described_alike_in_every_encoding() -> None:
    header = {
        "Timestamp": "2026-03-14T19:00:00+01:00",
        "Source": "head-end",
        "MessageID": "m-1",
        "CorrelationID": "a&b",
    }
    tree = {"EventMessage": {"Header": header, "Payload": {"X": {"mRID": "one", "Y": [{"mRID": "two"}]}}}}
    of_xml = described(XML, "application/xml")
    assert (of_xml.source, of_xml.message_id, of_xml.correlation_id) == ("head-end", "m-1", "a&b")
    assert (of_xml.time_stamp, of_xml.mrids) == (T0, ("one", "two"))
    assert described(json.encode(tree), "application/json") == of_xml
    assert described(msgpack.encode(tree), "application/msgpack") == of_xml


@given(st.binary(max_size=300), st.sampled_from(["application/xml", "application/json", "application/msgpack"]))
def test_whatever_bytes_come_they_are_described(body: bytes, content_type: str) -> None:
    said = described(body, content_type)
    assert list(said.mrids) == sorted(set(said.mrids))
