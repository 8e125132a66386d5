"""``execute OperationSet``: several operations in one message, each handled like a request of its own.

Any role takes sets of whatever it serves. The operations are handled one after the other in the order of the set, which
is more than ``enforceMsgSequence`` asks for, and in the one transaction of the message: so the set as a whole has its
effect once, and its reply is stored and repeated like any other.

With ``enforceTransactionalIntegrity`` the first operation that is refused undoes the set, and the reply is FAILED with
5.9 and the error of that operation. Without it an operation that is refused is undone by itself, and the reply is OK,
PARTIAL or FAILED with an error for each that was refused. Errors name their operation by its operationId; what the
others gave back stands in the OperationSet of the reply.

What is no rule's answer concerns the set as a whole: with Unavailable nothing of it is done and it may be asked again,
and a defect spoils it like any message. An operation that is to be answered later is refused (2.9), and so is one that
asks another role after the set has written something (5.2), since a transaction does not wait for a neighbour.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import structs

from contracts.errors import BusbarError, Malformed, Rejected, Unavailable, to_reply
from contracts.message import Error, Level, Message, OperationSet, Reply, Result
from contracts.verbs import Verb
from shared.codec import Codec, operations
from shared.codec.operations import Step
from shared.codec.wire import OPERATION_SET
from shared.envelope import merged
from shared.service import Handler, Kind, Service
from shared.work import AskedTooLateError, Later, Whole, Work

_ABORTED = Error(
    code="5.9", level=Level.FATAL, reason="nothing of the set was done, since an operation of it was refused"
)


class Sets:
    """Executes the sets of operations that come to the roles of one service."""

    def __init__(self, service: Service[Any], codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def handler(self, role: str, verb: Verb) -> Handler:
        """The handler of the sets for ``role``; it returns a :class:`Whole`.

        Raises:
            Malformed: 2.9, a set is executed and nothing else.
        """
        if verb is not Verb.EXECUTE:
            raise Malformed(f"Header/Verb: an {OPERATION_SET} is executed, and nothing else", code="2.9")
        interface = next(each for each in self._service.interfaces if each.role == role)
        function = partial(self._execute, role)
        return Handler(kind=Kind.SERVED, interface=interface, verb=verb, noun=OperationSet, function=function)

    async def _execute(self, role: str, message: Message[Any], work: Work[Any]) -> Whole:
        wanted = None if message.enclosure is None else message.enclosure.operation_set
        if wanted is None:
            raise Malformed(f"Payload/{OPERATION_SET} is missing", code="1.7")
        steps = operations.read(self._codec, wanted)
        execute = self._all_or_none if wanted.enforce_transactional_integrity else self._each_by_itself
        return await execute(role, steps, message, work)

    async def _all_or_none(self, role: str, steps: Sequence[Step], message: Message[Any], work: Work[Any]) -> Whole:
        done: list[Step] = []
        try:
            async with work.part(OPERATION_SET) as whole:
                for step in steps:
                    done.append(await self._do(role, step, message, whole))  # noqa: PERF401 - the count tells who failed
        except Unavailable:
            raise
        except BusbarError as error:
            return Whole(reply=Reply(result=Result.FAILED, error=(_ABORTED, _error(steps[len(done)], error))))
        return Whole(reply=Reply(result=Result.OK), payload=self._given_back(done))

    async def _each_by_itself(self, role: str, steps: Sequence[Step], message: Message[Any], work: Work[Any]) -> Whole:
        done: list[Step] = []
        errors: list[Error] = []
        for step in steps:
            try:
                done.append(await self._do(role, step, message, work))
            except Unavailable:
                raise
            except BusbarError as error:
                errors.append(_error(step, error))
        result = Result.OK if not errors else Result.PARTIAL if done else Result.FAILED
        return Whole(reply=Reply(result=result, error=tuple(errors)), payload=self._given_back(done))

    async def _do(self, role: str, step: Step, message: Message[Any], work: Work[Any]) -> Step:
        """Handle one operation; the same step with what its handler gave back as the payload, which may be None.

        Raises:
            BusbarError: the operation is refused, and undone.
        """
        handler = self._service.taker(Kind.SERVED, role, step.verb, step.noun)
        header = structs.replace(message.header, verb=step.verb, noun=step.noun)
        asked = Message(header=header, payload=step.payload)
        async with work.part(f"operation {step.operation_id}") as part:
            if handler.pages:
                pages = [page async for page in handler.function(asked, part)]
                return structs.replace(step, payload=merged(pages) if pages else None)
            try:
                payload = await handler.function(asked, part)
            except AskedTooLateError:
                raise Rejected(
                    f"'{step.verb} {step.noun}' asks another role, for which it stands too late", code="5.2"
                ) from None
            if isinstance(payload, Later):
                raise Rejected(f"'{role}' answers '{step.verb} {step.noun}' later, which a set cannot", code="2.9")
            return structs.replace(step, payload=payload)

    def _given_back(self, done: Sequence[Step]) -> OperationSet | None:
        given = [step for step in done if step.payload is not None]
        return operations.write(self._codec, given) if given else None


def _error(step: Step, error: BusbarError) -> Error:
    return structs.replace(to_reply(error).error[0], operation_id=step.operation_id)
