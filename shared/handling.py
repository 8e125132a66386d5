"""The life of one message: read, checked, handled in one transaction, answered, exactly once in effect.

The transports are elsewhere (``shared.intake``). They make an :class:`Arrival` of what came and carry out the
:class:`Outcome`; between the two nothing depends on how the message travelled.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import asyncpg

from contracts.errors import BusbarError, Rejected, Unavailable
from contracts.message import Message
from contracts.verbs import Verb
from shared import dead_letters
from shared.answering import Answering, is_later
from shared.arrival import Arrival, Entrance, Outcome, pattern_of
from shared.clock import Clock, GrantedClock
from shared.codec.wire import OPERATION_SET
from shared.envelope import Cause, Row, Writer, is_acknowledgement, more_follows, success
from shared.inbox import AlreadyTaken, Inbox, Key, hear, key_of, stored_reply, use_nonce
from shared.outbox import Relay, awaited, mark_answered, save
from shared.precedence import Precedence
from shared.reading import Reader
from shared.security import check_created
from shared.service import Handler, Kind, Service
from shared.sets import Sets
from shared.store import Connection, Database, Transaction, is_away
from shared.suspects import Suspects
from shared.telemetry import Hop, Metrics, Telemetry, bound
from shared.timers import Timers, end_wake, save_wakes
from shared.work import Resources, Sent, Wake, Work

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
_ASKED = {Entrance.REQUEST, Entrance.COMMAND}


class Desk:
    """Handles the messages of one running service.

    Attributes:
        reader: reads what comes.
        precedence: who comes before batches.
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
        self._metrics = metrics
        self.reader = Reader(writer.space, writer.codec)
        self._answering = Answering(writer)
        self._sets = Sets(service, writer.codec)
        self._suspects = Suspects(database)
        self._duplicates = metrics.counter(
            "busbar_inbox_duplicates_total", "Messages that came again", role=service.role
        )
        self._conflicts = metrics.counter(
            "busbar_transaction_conflicts_total", "Transactions that lost and were tried again", role=service.role
        )
        self._dead = metrics.counter("busbar_dead_letters_total", "Messages that were put aside", role=service.role)
        self._seconds = metrics.histogram("busbar_handling_seconds", "The time from taking to done", role=service.role)
        self.timers: Timers | None = None
        self.precedence = Precedence()
        self.in_flight = 0
        self.handled = 0

    async def take(self, arrival: Arrival, message: Message[Any] | None = None) -> Outcome:
        """Handle one message, whatever it is; raises nothing but cancellation.

        Args:
            arrival: what came.
            message: what it says, where somebody has read it already.
        """
        hop = Hop(
            destination=arrival.stream or arrival.subject,
            subject=pattern_of(arrival.subject),
            verb=arrival.verb,
            noun=arrival.noun,
            message_id=arrival.headers.get("Nats-Msg-Id"),
            size=len(arrival.body),
            group=arrival.role,
        )
        clock, is_request = asyncio.get_running_loop().time, arrival.entrance is Entrance.REQUEST
        begun_at = clock()
        self.in_flight += 1
        try:
            process = self._telemetry.process(arrival.role, hop, arrival.headers, child=is_request)
            with self.precedence.given(arrival), process:
                async with self._suspects.watched(arrival) as may_be_handled:
                    if may_be_handled:
                        return await self._take(arrival, message)
                    return await self._put_aside_for_good(arrival, "its handling ended the process again and again")
        except Exception as error:
            if is_away(error):
                log.warning("not now: %s", error, extra={"subject": arrival.subject})
            else:
                log.exception("a message could not even be refused", extra={"subject": arrival.subject})
            return self._answering.not_now(arrival, message, _cause_of(arrival))
        finally:
            self._seconds.observe(clock() - begun_at)
            self.in_flight -= 1
            self.handled += 1

    async def _take(self, arrival: Arrival, message: Message[Any] | None) -> Outcome:
        key = None
        try:
            message = message or self.reader.read(arrival)
            key = key_of(arrival, message)
            header = message.header
            with bound(message_id=header.message_id, correlation_id=header.correlation_id):
                outcome = await self._handle_again_on_conflict(arrival, message, key)
        except AlreadyTaken as taken:
            self._duplicates.add()
            outcome = await self._repeat(arrival, message, taken.key)
        except BusbarError as error:
            if isinstance(error, Unavailable):
                outcome = self._not_now(arrival, message, key, error)
            else:
                outcome = await self._refuse(arrival, message, key, error)
        except Exception as error:  # noqa: BLE001  whatever a handler raises, it must not end the process
            if not is_away(error):
                return await self._spoiled(arrival, message, key, error)
            outcome = self._not_now(arrival, message, key, error)
        await self._suspects.forgive(arrival)
        return outcome

    async def _handle_again_on_conflict(self, arrival: Arrival, message: Message[Any], key: Key) -> Outcome:
        await self._judge_replay(arrival, message, key)
        for _ in range(CONFLICTS_RETRIED):
            try:
                return await self._handle(arrival, message, key)
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                self._conflicts.add()
        raise Unavailable("the transaction lost against others too often")

    async def _handle(self, arrival: Arrival, message: Message[Any], key: Key) -> Outcome:
        transaction = Transaction(self._database, self._inbox(arrival, message, key))
        try:
            sent = None
            if arrival.entrance is Entrance.REPLY:
                sent = await awaited(await transaction.reading(), arrival)
                if sent is None or (message.reply is not None and is_acknowledgement(message.reply)):
                    return Outcome()
            handler = self._handler(arrival, sent)
            trace: dict[str, str] = {}
            self._telemetry.inject(trace)
            thread = message.header.correlation_id or message.header.message_id
            cause = Cause(identity=key.identity, thread=thread, trace=trace)
            about = "" if sent is None else sent.about
            work = self.work(cause, transaction, principal=arrival.source, about=about)
            results: Sequence[Any] = ()
            if handler is None:
                await dead_letters.keep_refused_reply(transaction, arrival, message.reply or success())
            elif handler.pages:
                pages = handler.function(message, work)
                results = await self._answering.given(pages, arrival, message, work, transaction)
            else:
                results = [await handler.function(message, work)]
            return await self._close(arrival, message, work, transaction=transaction, key=key, results=results)
        finally:
            await transaction.release()

    async def _close(
        self,
        arrival: Arrival,
        message: Message[Any],
        work: Work[Any],
        *,
        transaction: Transaction,
        key: Key,
        results: Sequence[Any],
    ) -> Outcome:
        """Everything after the handler: what it said is written beside what it did, and both are committed."""
        answers: tuple[Row, ...] = ()
        reply = None
        if arrival.entrance in _ASKED:
            if is_later(results):
                answers = await self._answering.open(arrival, message, work, transaction, key)
            else:
                answers, reply = await self._answering.results(arrival, message, work, results)
        reply = None if arrival.verb is Verb.GET else reply
        await self._answering.late(work, transaction)
        if work.rows or work.wakes or transaction.begun or reply is not None or arrival.entrance is Entrance.REPLY:
            connection = await transaction.writing()
            if message.reply is not None and not more_follows(message.reply):
                await mark_answered(connection, arrival, key)
            await self._save(connection, work, key, reply)
        elif (take := self._inbox(arrival, message, key)) is not None:
            await take(await transaction.reading())
        await transaction.commit()
        self._tell(work)
        return Outcome(answers=answers)

    async def _save(self, connection: Connection, work: Work[Any], key: Key | None, reply: Row | None) -> None:
        await save_wakes(connection, work.wakes)
        if work.rows or reply is not None:
            await save(connection, work.rows, sent=work.sent, key=key, reply=reply)

    def _not_now(
        self, arrival: Arrival, message: Message[Any] | None, key: Key | None, error: BaseException
    ) -> Outcome:
        log.warning("not now: %s", error, extra={"subject": arrival.subject})
        return self._answering.not_now(arrival, message, _cause_of(arrival, key))

    async def _refuse(
        self, arrival: Arrival, message: Message[Any] | None, key: Key | None, error: BusbarError
    ) -> Outcome:
        """Say no. What a rule rejected stays rejected when it comes again; what nobody can be told is kept."""
        log.info("refused: %s", error.reason, extra={"subject": arrival.subject, "code": error.code})
        refusal = self._answering.refusal(arrival, message, error, _cause_of(arrival, key))
        if refusal is None:
            await self.put_aside(arrival, error.code, error.reason)
            return Outcome(failure=error.reason)
        is_final = isinstance(error, Rejected) and key is not None and arrival.verb is not Verb.GET
        if refusal.subject or is_final:
            transaction = Transaction(self._database, Inbox(key).take if is_final and key is not None else None)
            try:
                rows = [refusal] if refusal.subject else []
                await save(
                    await transaction.writing(),
                    rows,
                    key=key if is_final else None,
                    reply=refusal if is_final else None,
                )
                await transaction.commit()
            except AlreadyTaken as taken:
                return await self._repeat(arrival, message, taken.key)
            finally:
                await transaction.release()
            self._relay.tell()
        return Outcome(answers=() if refusal.subject else (refusal,), failure=error.reason)

    async def _spoiled(
        self, arrival: Arrival, message: Message[Any] | None, key: Key | None, error: Exception
    ) -> Outcome:
        """A defect: tried again, then put aside with its reason, since what can never succeed must not block."""
        log.error("a defect spoiled a message", exc_info=error, extra={"subject": arrival.subject})
        reason = f"its handling failed again and again; the last time: {type(error).__name__}"
        if arrival.stream is None:
            refusal = self._answering.refusal(arrival, message, error, _cause_of(arrival, key))
            if refusal is None and arrival.entrance in _ASKED:
                await self.put_aside(arrival, "5.3", reason)
            return Outcome(answers=() if refusal is None else (refusal,), failure=reason)
        retry_in_s = await self._suspects.blame(arrival)
        if retry_in_s is not None:
            return Outcome(retry_in_s=retry_in_s, failure=reason)
        return await self._put_aside_for_good(arrival, reason, message, key)

    async def _put_aside_for_good(
        self, arrival: Arrival, reason: str, message: Message[Any] | None = None, key: Key | None = None
    ) -> Outcome:
        """A dead letter, and for who asked a refusal beside it."""
        defect = RuntimeError(reason)
        refusal = self._answering.refusal(arrival, message, defect, _cause_of(arrival, key))
        await self.put_aside(arrival, "5.3", reason, refusal)
        return Outcome(failure=reason)

    async def put_aside(self, arrival: Arrival, code: str, reason: str, refusal: Row | None = None) -> None:
        """Keep a message that cannot be handled; an event counts as heard."""
        self._dead.add()
        log.error("put aside: %s", reason, extra={"subject": arrival.subject, "code": code})
        transaction = Transaction(self._database)
        try:
            await dead_letters.keep(transaction, arrival, code, reason, self._writer)
            connection = await transaction.writing()
            if arrival.entrance is Entrance.EVENT:
                await hear(connection, [arrival])
            if refusal is not None and refusal.subject:
                await save(connection, [refusal])
            await transaction.commit()
        finally:
            await transaction.release()
        self._relay.tell()

    async def _repeat(self, arrival: Arrival, message: Message[Any] | None, key: Key) -> Outcome:
        """The same message again: the same reply."""
        if message is None or arrival.entrance not in _ASKED:
            return Outcome()
        stored = await stored_reply(self._database, key)
        if stored is None:
            return self._answering.not_now(arrival, message, _cause_of(arrival, key))
        answers, row = await self._answering.again(arrival, message, key, stored, self._database)
        if row is not None:
            async with self._database.pool.acquire() as connection:
                await save(connection, [row])
            self._relay.tell()
        return Outcome(answers=answers)

    async def _judge_replay(self, arrival: Arrival, message: Message[Any], key: Key) -> None:
        """Step 3 of a message's life; one that had its effect before is repeated, and a requeued one not judged."""
        detection = message.header.replay_detection
        if detection is None or arrival.entrance not in _ASKED or arrival.is_requeued:
            return
        try:
            check_created(message.header, arrival.received_at)
        except BusbarError:
            if arrival.verb is not Verb.GET and await stored_reply(self._database, key) is not None:
                raise AlreadyTaken(key) from None
            raise
        if arrival.verb is Verb.GET:
            async with self._database.pool.acquire() as connection:
                await use_nonce(connection, arrival.source, detection.nonce)

    def _inbox(self, arrival: Arrival, message: Message[Any], key: Key) -> Any:
        """What begins the transaction of a message; None for one that has no key to be taken."""
        if arrival.verb is Verb.GET or arrival.entrance is Entrance.FOLLOWED:
            return None
        sequence = arrival.sequence if arrival.entrance is Entrance.EVENT else None
        told = None if sequence is None else (arrival.subject, sequence)
        detection = message.header.replay_detection
        is_judged = detection is not None and arrival.entrance in _ASKED and not arrival.is_requeued
        return Inbox(key, told=told, nonce=detection.nonce if detection is not None and is_judged else None).take

    def _handler(self, arrival: Arrival, sent: Sent | None) -> Handler | None:
        kind = _KIND[arrival.entrance]
        if kind is Kind.REPLY:
            return None if sent is None else self._service.handler(kind, arrival.role, sent.verb, sent.noun)
        if kind is Kind.SERVED and arrival.noun == OPERATION_SET:
            return self._sets.handler(arrival.role, arrival.verb)
        source = arrival.source if kind is Kind.HEARD else None
        return self._service.taker(kind, arrival.role, arrival.verb, arrival.noun, source)

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
            granted=isinstance(self._clock, GrantedClock),
        )

    async def write(self, work: Work[Any], transaction: Transaction, *, fired: Wake | None = None) -> None:
        """Write what was said without a message to answer, and commit: the end of a batch or of a wake."""
        await self._answering.late(work, transaction)
        connection = await transaction.writing()
        if fired is not None:
            await end_wake(connection, fired, work.wakes)
        await self._save(connection, work, None, None)
        await transaction.commit()
        self._tell(work)

    def busy(self, arrival: Arrival) -> Row | None:
        """What the waiting inbox gets instead of work when there is too much to do."""
        too_much = Unavailable(f"'{arrival.role}' has too much to do; ask again", code="5.1")
        row = self._answering.refusal(arrival, None, too_much, _cause_of(arrival))
        return None if row is None or row.subject else row

    def _tell(self, work: Work[Any]) -> None:
        for (what, labels), amount in work.counts.items():
            known = {"role": self._service.role, "what": what} | dict(labels)
            self._metrics.counter("busbar_counted_total", "What services count", **known).add(amount)
        if work.rows:
            self._relay.tell()
        if self.timers is not None and (times := [wake.at for wake in work.wakes.values() if wake is not None]):
            self.timers.tell(min(times))


def _cause_of(arrival: Arrival, key: Key | None = None) -> Cause:
    """What the identity of a refusal is derived from, also where the message could not be read."""
    identity = f"{arrival.subject}\n{arrival.place}" if key is None else key.identity
    return Cause(identity=identity, thread=None, trace={})
