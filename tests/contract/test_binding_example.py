"""The messages that docs/binding.md shows are messages."""

import re
from pathlib import Path
from typing import Any

from contracts.catalogue import CATALOGUE
from contracts.message import Message
from shared.bus.subjects import EventSubject, RequestSubject
from shared.codec import CONTENT_XML, Codec

BINDING = Path(__file__).resolve().parents[2] / "docs" / "binding.md"


def test_the_example_of_the_binding_can_be_read_and_fits_together() -> None:
    example = BINDING.read_text(encoding="utf-8").partition("## Example")[2]
    request, reply, event = (
        _read(body) for body in re.findall(r"<(?:\w+Message)[ >].*?</\w+Message>", example, re.DOTALL)
    )
    asked, _, told = re.findall(r"^subject +(\S+)$", example, re.MULTILINE)
    assert RequestSubject.parse(asked).asker == request.header.source
    assert RequestSubject.parse(asked).role == reply.header.source
    assert EventSubject.parse(told).source == event.header.source
    assert reply.header.correlation_id == event.header.correlation_id == request.header.message_id
    assert reply.noun.trouble_ticket[0].incident.mrid == event.noun.unplanned_outage[0].mrid


def _read(body: str) -> Message[Any]:
    message = Codec(CATALOGUE).decode(body.encode(), CONTENT_XML)
    assert isinstance(message, Message)
    return message
