"""How fast messages are read and written, as ratios to what lxml alone needs to parse the same bytes.

``python -m loadtest.bench_codec`` prints JSON. Every round times all the subjects after one another, and a ratio is the
median over the rounds of the processor time taken, so that a busy machine slows both sides of it.
"""

import json
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import thread_time
from typing import Any

from lxml import etree

from contracts.catalogue import CATALOGUE
from contracts.message import Header, Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail, EndDeviceEvents
from contracts.types import Name, NameType, ObjectReference, Reference, Status
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec

ROUNDS = 41
ROUND_S = 0.01
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
    header = Header(
        verb=Verb.CREATED,
        noun="EndDeviceEvents",
        revision="1",
        context="production",
        timestamp=_START,
        source="head-end",
        message_id="0f2b8f6e-33d7-4c9a-8a53-0c5f6d1f9f11",
        correlation_id="0f2b8f6e-33d7-4c9a-8a53-0c5f6d1f9f10",
    )
    return Message(header=header, payload=EndDeviceEvents(end_device_event=told))


def measure(message: Message[Any]) -> dict[str, float]:
    """Rates of reading and writing ``message``, relative to lxml's parse of its XML."""
    codec = Codec(CATALOGUE)
    body = {kind: codec.encode(message, kind) for kind in (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK)}
    subjects: dict[str, Callable[[], object]] = {"lxml": lambda: etree.fromstring(body[CONTENT_XML])}
    for kind, name in ((CONTENT_XML, "xml"), (CONTENT_JSON, "json"), (CONTENT_MSGPACK, "msgpack")):
        subjects[f"read_{name}"] = lambda kind=kind: codec.decode(body[kind], kind)  # type: ignore[misc]
        subjects[f"write_{name}"] = lambda kind=kind: codec.encode(message, kind)  # type: ignore[misc]
    repeats = {name: max(1, round(ROUND_S / _seconds(subject, 3))) for name, subject in subjects.items()}
    rounds = [{name: _seconds(subjects[name], repeats[name]) for name in subjects} for _ in range(ROUNDS)]
    ratios = {
        name: round(statistics.median(taken["lxml"] / taken[name] for taken in rounds), 3)
        for name in subjects
        if name != "lxml"
    }
    lxml_us = statistics.median(taken["lxml"] for taken in rounds) * 1e6
    return {"bytes_xml": len(body[CONTENT_XML]), "lxml_parse_us": round(lxml_us, 1), **ratios}


def _seconds(subject: Callable[[], object], repeats: int) -> float:
    start = thread_time()
    for _ in range(repeats):
        subject()
    return (thread_time() - start) / repeats


def main() -> None:
    """Print the ratios for a small message and for one with a thousand repeated elements."""
    report = {"one_event": measure(events(1)), "thousand_events": measure(events(1000))}
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
