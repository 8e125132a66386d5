"""A message is equal to itself after any round trip."""

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.message import Fault, Message
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec, digest
from tests.unit.strategies import messages

CODEC = Codec(CATALOGUE)
ENCODINGS = (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK)
thorough = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@thorough
@given(message=messages(CATALOGUE), content_type=st.sampled_from(ENCODINGS))
def test_message_is_equal_after_a_round_trip_through_any_encoding(
    message: Message[Any] | Fault, content_type: str
) -> None:
    assert CODEC.decode(CODEC.encode(message, content_type), content_type) == message


@thorough
@given(message=messages(CATALOGUE), path=st.permutations(ENCODINGS))
def test_message_and_its_bytes_and_digest_survive_a_tour_of_all_encodings(
    message: Message[Any] | Fault, path: list[str]
) -> None:
    start = CODEC.encode(message, path[0])
    toured = message
    for content_type in path:
        toured = CODEC.decode(CODEC.encode(toured, content_type), content_type)
    assert toured == message
    if isinstance(message, Message) and isinstance(toured, Message):
        assert digest(toured) == digest(message)
    if CONTENT_MSGPACK not in path[:2]:
        assert CODEC.encode(CODEC.decode(start, path[0]), path[0]) == start


@thorough
@given(message=messages(CATALOGUE), content_type=st.sampled_from(ENCODINGS))
def test_header_can_be_read_on_its_own(message: Message[Any] | Fault, content_type: str) -> None:
    header = CODEC.read_header(CODEC.encode(message, content_type), content_type)
    if isinstance(message, Fault):
        assert header is None
    else:
        assert header is not None
        assert (header.verb, header.noun, header.message_id) == (
            message.header.verb,
            message.header.noun,
            message.header.message_id,
        )


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), content_type=st.sampled_from(ENCODINGS))
def test_any_damage_is_refused_as_malformed_or_read_as_a_message(data: st.DataObject, content_type: str) -> None:
    body = CODEC.encode(data.draw(messages(CATALOGUE)), content_type)
    at = data.draw(st.integers(0, len(body)))
    until = data.draw(st.integers(at, min(len(body), at + 8)))
    damaged = body[:at] + data.draw(st.binary(max_size=4)) + body[until:]
    CODEC.read_header(damaged, content_type)
    with suppress(Malformed):
        CODEC.decode(damaged, content_type)
