"""The operations of a set are read into typed steps and written from them; what is no operation is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.message import Enclosure, Header, Message, Operation, OperationSet
from contracts.nouns.end_device_groups import EndDeviceGroups
from contracts.nouns.meter_config import MeterConfig
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec, operations
from shared.codec.operations import MOST_OPERATIONS, Step
from tests.unit.strategies import structs

CODEC = Codec(CATALOGUE)
ENCODINGS = (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK)
ORDERS = tuple(verb for verb in Verb if verb.is_request and verb is not Verb.GET)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    numbers = draw(st.lists(st.integers(0, 2**31), min_size=1, max_size=4, unique=True))
    return tuple(
        Step(
            operation_id=number,
            verb=draw(st.sampled_from(ORDERS)),
            payload=draw(st.sampled_from(list(CATALOGUE.nouns.values())).flatmap(structs)),
        )
        for number in numbers
    )


def carried(operation_set: OperationSet, content_type: str) -> OperationSet:
    """The set after it has travelled in a message."""
    header = Header(verb=Verb.EXECUTE, noun="OperationSet")
    message: Message[Any] = Message(header=header, enclosure=Enclosure(operation_set=operation_set))
    read = CODEC.decode(CODEC.encode(message, content_type), content_type)
    assert read == message
    assert isinstance(read, Message)
    assert read.enclosure is not None
    assert read.enclosure.operation_set is not None
    return read.enclosure.operation_set


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(written=steps(), content_type=st.sampled_from(ENCODINGS), as_one=st.none() | st.booleans())
def test_steps_are_equal_after_they_have_travelled_in_any_encoding(
    written: tuple[Step, ...], content_type: str, as_one: bool | None
) -> None:
    operation_set = operations.write(CODEC, written, in_sequence=True, as_one=as_one)
    travelled = carried(operation_set, content_type)
    assert travelled.enforce_transactional_integrity is as_one
    assert operations.read(CODEC, travelled) == written


GROUPS = Step(operation_id=1, verb=Verb.CREATE, payload=EndDeviceGroups())
ONE = operations.write(CODEC, [GROUPS]).operation[0]
HOSTILE = replace(
    ONE, any=('<EndDeviceGroups xmlns="http://iec.ch/TC57/2011/EndDeviceGroups#"><wrong/></EndDeviceGroups>',)
)
REFUSED: dict[str, tuple[tuple[Operation, ...], str, str]] = {
    "nothing": ((), "1.7", "Payload/OperationSet holds no Operation"),
    "no verb": ((replace(ONE, verb=None),), "1.5", "Operation[1] lacks the mandatory verb"),
    "no noun": ((ONE, replace(ONE, noun=None)), "1.5", "Operation[2] lacks the mandatory noun"),
    "no object": ((replace(ONE, any=()),), "1.7", "Operation[1] lacks the mandatory EndDeviceGroups"),
    "two objects": ((replace(ONE, any=ONE.any * 2),), "1.8", "Operation[1] holds more than one object"),
    "unknown noun": ((replace(ONE, noun="Unknown"),), "2.5", "Operation[1]/noun"),
    "a set in a set": ((replace(ONE, noun="OperationSet"),), "2.5", "Operation[1]/noun"),
    "another noun": ((replace(ONE, noun=MeterConfig.__name__),), "2.5", "something else than MeterConfig"),
    "question": ((replace(ONE, verb=Verb.GET),), "2.9", "Operation[1]/verb"),
    "event": ((replace(ONE, verb=Verb.CREATED),), "2.9", "Operation[1]/verb"),
    "part of an object": ((replace(ONE, element_operation=True),), "2.9", "Operation[1]/elementOperation"),
    "same number": ((ONE, ONE), "1.8", "holds the operationId 1 twice"),
    "flaw in the noun": ((ONE, HOSTILE), "1.8", "OperationSet/Operation[2]/EndDeviceGroups holds an unknown element"),
    "too many": ((ONE,) * (MOST_OPERATIONS + 1), "3.1", "more than 1000 operations"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_operation_is_refused_with_the_code_that_says_why(name: str) -> None:
    held, code, part = REFUSED[name]
    with pytest.raises(Malformed) as refusal:
        operations.read(CODEC, OperationSet(operation=held))
    assert refusal.value.code == code
    assert part in refusal.value.reason


def test_a_noun_of_no_catalogue_is_not_written() -> None:
    with pytest.raises(ValueError, match="not the noun that the header names"):
        operations.write(CODEC, [Step(operation_id=1, verb=Verb.CREATE, payload=OperationSet())])
