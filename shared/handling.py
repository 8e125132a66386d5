"""The life of one message: read, checked, handled in one transaction, answered, exactly once in effect.

The transports are elsewhere (``shared.intake``). They make an :class:`Arrival` of what came and carry out the
:class:`Outcome`; between the two nothing depends on how the message travelled.
"""

import logging
from collections.abc import Sequence
from typing import Any

import asyncpg

from contracts.errors import BusbarError, Malformed, Rejected, Unavailable
from contracts.interface import Lane
from contracts.message import Fault, Header, Message, Reply
from contracts.verbs import Verb
from shared import dead_letters
from shared.answering import Answering
from shared.arrival import Arrival, Entrance, Outcome
from shared.clock import Clock
from shared.codec import digest
from shared.envelope import Cause, Writer, is_acknowledgement, success
from shared.failpoints import failpoint
from shared.inbox import AlreadyTaken, Inbox, Key, Told, stored_reply, use_nonce
from shared.outbox import Relay, save
from shared.security import check_created, check_header, check_reply_inbox
from shared.service import Handler, Kind, Service
from shared.store import Database, Transaction
from shared.telemetry import Hop, Metrics, Telemetry
from shared.timers import Timers, save_wakes
from shared.work import Resources, Sent, Work

log = logging.getLogger(__name__)

CONFLICTS_RETRIED = 5
"""How often a transaction that lost against another (40001, 40P01) is tried again at once."""

_KIND = {
    Entrance.REQUEST: Kind.SERVED,
    Entrance.COMMAND: Kind.SERVED,
    Entrance.EVENT: Kind.HEARD,
    Entrance.FOLLOWED: Kind.HEARD,
    Entrance.REPLY: Kind.REPLY,
}
_NOT_NOW = (Unavailable, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, TimeoutError)


class Desk:
    """Handles the messages of one running service.

    Attributes:
        in_flight: how many are being handled now.
        handled: how many were, ever; with the counters of others it tells whether a system has come to rest.
    """

    def __init__(
        self,
        *,
        service: Service[Any],
        database: Database,
        writer: Writer,
        clock: Clock,
        resources: Resources,
        relay: Relay,
        telemetry: Telemetry,
        metrics: Metrics,
        memory: Any,
    ) -> None:
        self._service = service
        self._database = database
        self._writer = writer
        self._clock = clock
        self._resources = resources
        self._relay = relay
        self._telemetry = telemetry
        self._memory = memory
        self._answering = Answering(writer)
        self._duplicates = metrics.counter(
            "busbar_inbox_duplicates_total", "Messages that came again", role=service.role
        )
        self._conflicts = metrics.counter(
            "busbar_transaction_conflicts_total", "Transactions that lost and were tried again", role=service.role
        )
        self.timers: Timers | None = None
        self.in_flight = 0
        self.handled = 0

    async def take(self, arrival: Arrival) -> Outcome:
        """Handle one message, whatever it is; raises nothing but cancellation."""
        hop = Hop(
            destination=arrival.stream or arrival.subject,
            subject=arrival.subject,
            verb=arrival.verb,
            noun=arrival.noun,
            message_id=arrival.headers.get("Nats-Msg-Id"),
            size=len(arrival.body),
            group=arrival.role,
        )
        self.in_flight += 1
        try:
            with self._telemetry.process(
                arrival.role, hop, arrival.headers, child=arrival.entrance is Entrance.REQUEST
            ):
                return await self._take(arrival)
        finally:
            self.in_flight -= 1
            self.handled += 1

    async def _take(self, arrival: Arrival) -> Outcome:
        message: Message[Any] | None = None
        try:
            message = self.read(arrival)
            for _ in range(CONFLICTS_RETRIED):
                try:
                    return await self._handle(arrival, message)
                except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                    self._conflicts.add()
            raise Unavailable("the transaction lost against others too often")
        except AlreadyTaken as taken:
            self._duplicates.add()
            return await self._repeat(arrival, message, taken.key)
        except _NOT_NOW as error:
            log.warning("not now: %s", error, extra={"subject": arrival.subject})
            return self._answering.not_now(arrival, message)
        except BusbarError as error:
            return await self._safely(arrival, message, self._refuse(arrival, message, error))
        except Exception as error:
            log.exception("a defect spoiled a message", extra={"subject": arrival.subject})
            return await self._safely(arrival, message, self._spoiled(arrival, message, error))

    def read(self, arrival: Arrival) -> Message[Any]:
        """The message, held against what the broker vouches for.

        Raises:
            Malformed: 1.x or 2.x.
            Denied: 7.x.
        """
        message = self._writer.codec.decode(arrival.body, arrival.content_type)
        if isinstance(message, Fault):
            raise Malformed("a FaultMessage is not expected here")
        header = message.header
        if arrival.entrance is Entrance.REPLY:
            if message.reply is None:
                raise Malformed("the Reply is missing from what came to a reply subject", code="1.7")
            if header.source not in {None, arrival.source}:
                raise Malformed(f"Header/Source is '{header.source}', but '{arrival.source}' was asked", code="2.14")
            return message
        check_header(
            header, noun=arrival.noun, verb=arrival.verb, source=arrival.source, context=self._writer.space.context
        )
        if arrival.verb is not Verb.GET and not header.message_id:
            raise Malformed("Header/MessageID is missing", code="1.5")
        if arrival.reply_to is not None:
            check_reply_inbox(arrival.reply_to, asker=arrival.source, context=self._writer.space.context)
        if header.async_reply_flag or arrival.entrance is Entrance.COMMAND:
            self._answering.address(arrival, header)
        return message

    def _handler(self, arrival: Arrival, sent: Sent | None) -> Handler | None:
        kind = _KIND[arrival.entrance]
        if kind is Kind.REPLY:
            return None if sent is None else self._service.handler(kind, arrival.role, sent.verb, sent.noun)
        source = arrival.source if kind is Kind.HEARD else None
        handler = self._service.handler(kind, arrival.role, arrival.verb, arrival.noun, source)
        if handler is None:
            known = any(each.kind is kind and each.noun.__name__ == arrival.noun for each in self._service.handlers)
            what, code = ("Verb", "2.9") if known else ("Noun", "2.5")
            raise Malformed(f"Header/{what}: '{arrival.role}' does not take '{arrival.verb} {arrival.noun}'", code=code)
        return handler

    async def _handle(self, arrival: Arrival, message: Message[Any]) -> Outcome:
        header = message.header
        key = self._key(arrival, message)
        await self._judge_replay(arrival, header, key)
        inbox = None if key is None else self._inbox(arrival, message, key)
        transaction = Transaction(self._database, None if inbox is None else inbox.take)
        try:
            sent = None
            if arrival.entrance is Entrance.REPLY:
                sent = await self._sent(arrival, message, transaction)
                if sent is None or is_acknowledgement(_reply(message)):
                    return Outcome()
            handler = self._handler(arrival, sent)
            if handler is not None and handler.kind is Kind.SERVED and arrival.verb is not Verb.GET:
                _check_payload(message)
            work = self._work(arrival, message, transaction, sent)
            if handler is None:
                await dead_letters.unheard_reply(transaction, arrival, _reply(message))
                result = None
            elif handler.pages:
                pages = [page async for page in handler.function(message, work)]
                return await self._close(arrival, message, work, transaction, key, pages)
            else:
                result = await handler.function(message, work)
            return await self._close(arrival, message, work, transaction, key, [result])
        finally:
            await transaction.release()

    async def _close(
        self,
        arrival: Arrival,
        message: Message[Any],
        work: Work[Any],
        transaction: Transaction,
        key: Key | None,
        results: Sequence[Any],
    ) -> Outcome:
        """Everything after the handler: what it said is written beside what it did, and both are committed."""
        answers: tuple[bytes, ...] = ()
        reply = None
        if arrival.entrance in {Entrance.REQUEST, Entrance.COMMAND}:
            answers, reply = await self._answering.results(arrival, message, work, transaction, results)
        await self._answering.late(work, transaction)
        is_reply = arrival.entrance is Entrance.REPLY
        if work.rows or work.wakes or transaction.begun or reply is not None or is_reply:
            connection = await transaction.writing()
            if is_reply:
                await _mark_replied(connection, message, arrival)
            await save_wakes(connection, work.wakes)
            if work.rows or reply is not None:
                await save(connection, work.rows, sent=work.sent, key=key if reply else None, reply=reply)
        elif key is not None:
            await self._inbox(arrival, message, key).take(await transaction.reading())
        await transaction.commit()
        self._tell(work)
        failpoint("after-work")
        return Outcome(answers=answers)

    async def _refuse(self, arrival: Arrival, message: Message[Any] | None, error: BusbarError) -> Outcome:
        """Say no. What a rule rejected stays rejected when it comes again; what nobody can be told is kept."""
        log.info("refused: %s", error.reason, extra={"subject": arrival.subject, "code": error.code})
        key = self._key(arrival, message)
        transaction = Transaction(self._database, None if key is None else self._inbox(arrival, message, key).take)
        refusal = self._answering.refusal(arrival, message, error)
        try:
            if refusal is None:
                await dead_letters.keep(transaction, arrival, error, self._dead_row(arrival))
            elif refusal.subject or (isinstance(error, Rejected) and key is not None):
                rows = [refusal] if refusal.subject else []
                await save(await transaction.writing(), rows, key=key, reply=refusal)
            await transaction.commit()
        except AlreadyTaken as taken:
            return await self._repeat(arrival, message, taken.key)
        finally:
            await transaction.release()
        self._relay.tell()
        return Outcome(answers=() if refusal is None or refusal.subject else (refusal.body,))

    async def _spoiled(self, arrival: Arrival, message: Message[Any] | None, error: Exception) -> Outcome:
        """A defect: tried again, then put aside with its reason, since what can never succeed must not block."""
        if arrival.stream is None:
            refusal = self._answering.refusal(arrival, message, error)
            return Outcome(answers=() if refusal is None else (refusal.body,))
        retry_in_s = await dead_letters.count_failure(self._database, arrival, error)
        if retry_in_s is not None:
            return Outcome(retry_in_s=retry_in_s)
        refused = BusbarError(f"the message failed too often; the last time: {type(error).__name__}")
        transaction = Transaction(self._database)
        try:
            await dead_letters.keep(transaction, arrival, refused, self._dead_row(arrival))
            refusal = self._answering.refusal(arrival, message, refused)
            if refusal is not None:
                await save(await transaction.writing(), [refusal])
            await transaction.commit()
        finally:
            await transaction.release()
        self._relay.tell()
        return Outcome()

    async def _safely(self, arrival: Arrival, message: Message[Any] | None, ending: Any) -> Outcome:
        """The end of a message whose handling failed; when even that cannot be written, it comes again."""
        try:
            outcome: Outcome = await ending
        except _NOT_NOW as error:
            log.warning("not now: %s", error, extra={"subject": arrival.subject})
            return self._answering.not_now(arrival, message)
        return outcome

    async def _repeat(self, arrival: Arrival, message: Message[Any] | None, key: Key) -> Outcome:
        """The same message again: the same reply, by the same way."""
        if message is None or arrival.entrance not in {Entrance.REQUEST, Entrance.COMMAND}:
            return Outcome()
        stored = await stored_reply(self._database, key)
        if stored is None or stored.body is None:
            return Outcome(answers=self._answering.acknowledgement(arrival, message))
        if not stored.reply_to:
            return Outcome(answers=(stored.body,))
        if arrival.deliveries == 1:
            async with self._database.pool.acquire() as connection:
                await save(connection, [self._answering.again(arrival, stored)])
            self._relay.tell()
        return Outcome(answers=self._answering.acknowledgement(arrival, message))

    def _key(self, arrival: Arrival, message: Message[Any] | None) -> Key | None:
        """The key of the inbox; an event that cannot be read has one too, so that it counts as heard."""
        if arrival.verb is Verb.GET or arrival.entrance is Entrance.FOLLOWED:
            return None
        if message is None:
            place = f"{arrival.stream}:{arrival.stream_sequence}"
            return Key(arrival.source, place, b"") if arrival.entrance is Entrance.EVENT else None
        message_id = message.header.message_id or f"{arrival.stream}:{arrival.stream_sequence}"
        return Key(arrival.source, message_id, digest(message))

    def _inbox(self, arrival: Arrival, message: Message[Any] | None, key: Key) -> Inbox:
        told = Told(arrival.producer, arrival.subject, arrival.sequence) if arrival.entrance is Entrance.EVENT else None
        detection = None if message is None else message.header.replay_detection
        return Inbox(key, told=told, nonce=None if detection is None else detection.nonce)

    async def _judge_replay(self, arrival: Arrival, header: Header, key: Key | None) -> None:
        """Step 3 of a message's life; one that had its effect before is repeated and not judged."""
        if header.replay_detection is None or arrival.entrance not in {Entrance.REQUEST, Entrance.COMMAND}:
            return
        try:
            check_created(header, arrival.received_at)
        except BusbarError:
            if key is not None and await stored_reply(self._database, key) is not None:
                raise AlreadyTaken(key) from None
            raise
        if key is None:
            async with self._database.pool.acquire() as connection:
                await use_nonce(connection, arrival.source, header.replay_detection.nonce)

    async def _sent(self, arrival: Arrival, message: Message[Any], transaction: Transaction) -> Sent | None:
        """The command that a reply answers, if it still waits for one."""
        connection = await transaction.reading()
        row = await connection.fetchrow(
            "SELECT asker, role, verb, noun, about, replied_at FROM sent WHERE message_id = $1", arrival.answers_to
        )
        if row is None or row["role"] != arrival.source:
            raise Malformed(f"'{arrival.source}' answers a command that it was not given", code="2.15")
        if row["replied_at"] is not None:
            return None
        return Sent(
            message_id=arrival.answers_to or "",
            asker=row["asker"],
            role=row["role"],
            verb=Verb(row["verb"]),
            noun=row["noun"],
            about=row["about"],
        )

    def _work(self, arrival: Arrival, message: Message[Any], transaction: Transaction, sent: Sent | None) -> Work[Any]:
        header = message.header
        trace: dict[str, str] = {}
        self._telemetry.inject(trace)
        cause = Cause(
            identity=f"{arrival.source}\n{header.message_id}\n{arrival.verb}\n{arrival.noun}",
            thread=header.correlation_id or header.message_id,
            trace=trace,
        )
        return self.work(cause, transaction, principal=arrival.source, about="" if sent is None else sent.about)

    def work(self, cause: Cause, transaction: Transaction, *, principal: str, about: str = "") -> Work[Any]:
        """A unit of work on ``transaction``."""
        return Work(
            store=self._service.store(transaction, self._memory),
            transaction=transaction,
            now=self._clock.now(),
            interfaces=self._service.interfaces,
            writer=self._writer,
            resources=self._resources,
            cause=cause,
            principal=principal,
            about=about,
        )

    async def write(self, work: Work[Any], transaction: Transaction) -> None:
        """Write what was said without a message to answer, and commit: the end of a wake or of a batch."""
        await self._answering.late(work, transaction)
        connection = await transaction.writing()
        await save_wakes(connection, work.wakes)
        if work.rows:
            await save(connection, work.rows, sent=work.sent)
        await transaction.commit()
        self._tell(work)

    def refusal(self, arrival: Arrival, error: BusbarError) -> tuple[bytes, ...]:
        """What the waiting inbox gets instead of work."""
        row = self._answering.refusal(arrival, None, error)
        return () if row is None or row.subject else (row.body,)

    async def put_aside(self, arrival: Arrival, error: BusbarError) -> None:
        """Keep a message that nobody can be told about."""
        transaction = Transaction(self._database)
        try:
            await dead_letters.keep(transaction, arrival, error, self._dead_row(arrival))
            await transaction.commit()
        finally:
            await transaction.release()
        self._relay.tell()

    def _tell(self, work: Work[Any]) -> None:
        if work.rows:
            self._relay.tell()
        if work.wakes and self.timers is not None:
            self.timers.tell()

    def _dead_row(self, arrival: Arrival) -> Any:
        """The copy of a dead letter that goes into the lane of the dead."""
        cause = Cause(identity=f"dead\n{arrival.subject}\n{arrival.stream_sequence}", thread=None, trace={})
        return self._writer.told(
            Lane.DEAD,
            arrival.role,
            arrival.noun,
            arrival.verb,
            arrival.subject,
            cause.new_id(arrival.role, 0),
            arrival.content_type,
            arrival.body,
            cause,
        )


def _reply(message: Message[Any]) -> Reply:
    return message.reply or success()


def _check_payload(message: Message[Any]) -> None:
    """A request that is no question carries its object, or the identifiers of objects."""
    enclosure = message.enclosure
    has_ids = bool(message.request and message.request.id) or bool(enclosure and enclosure.id)
    if message.payload is None and not has_ids:
        raise Malformed(f"Payload/{message.header.noun} is missing", code="1.7")


async def _mark_replied(connection: Any, message: Message[Any], arrival: Arrival) -> None:
    """The command is answered, unless this is a part and more follow (0.1)."""
    if any(error.code == "0.1" for error in _reply(message).error):
        return
    await connection.execute("UPDATE sent SET replied_at = now() WHERE message_id = $1", arrival.answers_to)
