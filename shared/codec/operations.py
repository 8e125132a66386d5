"""OperationSets: several operations in one message, each with a verb and a noun of its own.

``execute OperationSet`` carries them in its Payload. An operation says what a request of its own would say: its
``verb`` and ``noun`` are as in a Header, and the noun stands in it as its one ``any`` element. Here they are read into
typed steps, and written from them.

``elementOperation`` (the operation applies to a part of the object, such as one member of a group) is refused with 2.9:
no handler has a place for it, and a delete of a member must never become a delete of its group.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from contracts.errors import Malformed
from contracts.message import Operation, OperationSet
from contracts.verbs import Verb
from shared.codec import Codec
from shared.codec.flaws import clipped
from shared.codec.fragment import from_text
from shared.codec.wire import OPERATION_SET

MOST_OPERATIONS = 1000
"""Operations in one set; all of them may have to fit into one transaction."""


class Step(Struct, frozen=True, kw_only=True):
    """One operation of a set, read.

    Attributes:
        operation_id: names it in the errors of the reply; no other of the set has it.
        verb: what is to be done; an imperative that is not ``get``.
        payload: the object, an instance of the noun's container.
    """

    operation_id: int
    verb: Verb
    payload: Any

    @property
    def noun(self) -> str:
        """The name of the noun."""
        return type(self.payload).__name__


def read(codec: Codec, operations: OperationSet) -> tuple[Step, ...]:
    """The steps of a set, in its order.

    Raises:
        Malformed: 1.5 for an operation without verb or noun, 1.7 for one without its object and for a set without
            operations, 2.5 for a noun that is not known or not the one that is named, 2.9 for a verb that is no order
            and for an operation on an element, 3.1 for too many, 1.8 for an operationId that is there twice and for
            whatever is wrong in a noun.
    """
    where = f"Payload/{OPERATION_SET}"
    if not operations.operation:
        raise Malformed(f"{where} holds no Operation", code="1.7")
    if len(operations.operation) > MOST_OPERATIONS:
        raise Malformed(f"{where} holds more than {MOST_OPERATIONS} operations", code="3.1")
    steps = tuple(
        _step(codec, operation, f"{where}/Operation[{place}]")
        for place, operation in enumerate(operations.operation, 1)
    )
    seen: set[int] = set()
    for step in steps:
        if step.operation_id in seen:
            raise Malformed(f"{where} holds the operationId {step.operation_id} twice")
        seen.add(step.operation_id)
    return steps


def write(
    codec: Codec, steps: Iterable[Step], *, in_sequence: bool | None = None, as_one: bool | None = None
) -> OperationSet:
    """The set of some steps.

    Args:
        codec: of the nouns in the steps.
        steps: in the order in which they are written.
        in_sequence: ``enforceMsgSequence``: in the order of the set, and none before the one in front of it is done.
        as_one: ``enforceTransactionalIntegrity``: all of them, or none.

    Raises:
        ValueError: when a noun breaks its contract or is not in the catalogue.
    """
    return OperationSet(
        enforce_msg_sequence=in_sequence,
        enforce_transactional_integrity=as_one,
        operation=tuple(
            Operation(
                operation_id=step.operation_id,
                noun=step.noun,
                verb=step.verb,
                any=(from_text(codec.profiles.write(step.payload).decode()),),
            )
            for step in steps
        ),
    )


def _step(codec: Codec, operation: Operation, where: str) -> Step:
    verb, noun = operation.verb, operation.noun
    if verb is None or noun is None:
        raise Malformed(f"{where} lacks the mandatory {'verb' if verb is None else 'noun'}", code="1.5")
    if not verb.is_request or verb is Verb.GET:
        raise Malformed(f"{where}/verb is no verb of an operation", code="2.9")
    if operation.element_operation:
        raise Malformed(f"{where}/elementOperation asks for what is not done here", code="2.9")
    if noun not in codec.profiles.nouns:
        raise Malformed(f"{where}/noun is a noun that is not known here", code="2.5")
    if not operation.any:
        raise Malformed(f"{where} lacks the mandatory {clipped(noun)}", code="1.7")
    if len(operation.any) > 1:
        raise Malformed(f"{where} holds more than one object")
    payload = codec.profiles.read(operation.any[0].encode(), noun, where)
    return Step(operation_id=operation.operation_id, verb=verb, payload=payload)
