"""Answers: at once to a waiting inbox, or through the outbox to a reply subject; whole, in parts, later, or a refusal.

An answer is a :class:`shared.envelope.Row`. One with a subject is sent by the relay; one without goes to the inbox
that waits, and is given to it at once.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from contracts.errors import BusbarError, Unavailable, to_reply
from contracts.interface import Lane
from contracts.message import Fault, Header, Message, Reply
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance, Outcome
from shared.bus.subjects import is_inbox_of
from shared.codec import CONTENT_XML
from shared.envelope import CONTENT_TYPE, MESSAGE_BYTES, PRODUCER, Cause, Row, Writer, success
from shared.inbox import Key, Stored
from shared.security import reply_address
from shared.store import Database, Transaction
from shared.work import Later, Whole, Work

log = logging.getLogger(__name__)

NOT_NOW_S = 1.0
"""How long a message waits in its stream when its time has not come; doubled with each delivery, at most 30 s."""


class Answering:
    """Makes the answers of one service."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def address(self, arrival: Arrival, header: Header) -> str:
        """Where an asynchronous answer goes.

        Raises:
            Denied: 7.7, the address is not the asker's.
            Malformed: 1.8, there is none and none follows from the MessageID.
        """
        space = self._writer.space
        return reply_address(header, root=space.root, context=space.context, asker=arrival.source, role=arrival.role)

    async def results(
        self, arrival: Arrival, message: Message[Any], work: Work[Any], results: Sequence[Any]
    ) -> tuple[tuple[Row, ...], Row]:
        """The answers to a request that succeeded.

        Rows for the relay are added to ``work.rows``, with the copies for the journal where the request is no ``get``.

        Returns:
            what the waiting inbox gets at once, and the answer that is stored to be repeated.
        """
        subject = self.address(arrival, message.header) if _is_asynchronous(arrival, message.header) else ""
        rows = [
            self._answer(
                arrival,
                message.header,
                told,
                cause=work.cause,
                what=f"reply {place}",
                subject=subject,
                payload=payload,
            )
            for place, (told, payload) in enumerate(_parts(results, work.given), work.given)
        ]
        if arrival.verb is not Verb.GET:
            self._journal(work, arrival, "request", arrival.verb, arrival.body)
            self._journal(work, arrival, "reply", Verb.REPLY, rows[-1].body)
        if not subject:
            return tuple(rows), rows[-1]
        work.rows += rows
        return self.acknowledgement(arrival, message.header, work.cause), rows[-1]

    async def given(
        self,
        pages: AsyncIterator[Any],
        arrival: Arrival,
        message: Message[Any],
        work: Work[Any],
        transaction: Transaction,
    ) -> list[Any]:
        """The pages of an answer that are still to be given.

        Those of a ``get`` for which an inbox waits are given one by one, each when it is known that another follows, so
        that the first is there as soon whatever the size of the answer. Once something is written all is or nothing,
        and what was not given waits for the commit. Who got some parts and then a refusal has no whole answer.
        """
        header, waiting = message.header, list[Any]()
        is_waited_for = arrival.verb is Verb.GET and self._has_inbox(arrival) and not _is_asynchronous(arrival, header)
        give = arrival.give if is_waited_for else None
        async for page in pages:
            waiting.append(page)
            if give is not None and len(waiting) > 1 and not transaction.begun:
                what, told = f"reply {work.given}", success("0.1")
                await give(self._answer(arrival, header, told, cause=work.cause, what=what, payload=waiting.pop(0)))
                work.given += 1
        return waiting

    async def open(
        self, arrival: Arrival, message: Message[Any], work: Work[Any], transaction: Transaction, key: Key
    ) -> tuple[Row, ...]:
        """Keep a request open that will be answered later; an acknowledgement (0.3) where one is due."""
        header = message.header
        subject = self.address(arrival, header) if _is_asynchronous(arrival, header) else ""
        connection = await transaction.writing()
        await connection.execute(
            "INSERT INTO ticket (ticket, role, source, message_id, digest, noun, reply_to, content_type, thread) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
            "ON CONFLICT (ticket) DO UPDATE SET reply_to = excluded.reply_to",  # a question that is asked again
            work.ticket,
            key.role,
            key.source,
            key.message_id,
            key.digest,
            arrival.noun,
            subject or arrival.reply_to or "",
            arrival.encoding,
            header.correlation_id or header.message_id,
        )
        if arrival.verb is not Verb.GET:
            self._journal(work, arrival, "request", arrival.verb, arrival.body)
        if subject and arrival.entrance is Entrance.COMMAND and header.ack_required:
            acknowledged = self._answer(
                arrival, header, success("0.3"), cause=work.cause, what="acknowledgement", subject=subject
            )
            work.rows.append(acknowledged)
        return self.acknowledgement(arrival, header, work.cause, later=True)

    async def late(self, work: Work[Any], transaction: Transaction) -> None:
        """Turn what the handler answered to open requests into rows.

        Raises:
            KeyError: when no request is open under the ticket.
        """
        for answer in work.answers:
            connection = await transaction.writing()
            ticket = await connection.fetchrow(
                "UPDATE ticket SET parts = parts + 1 WHERE ticket = $1 RETURNING *", answer.ticket
            )
            if ticket is None:
                raise KeyError(f"no request is open under the ticket {answer.ticket}")
            payload = answer.payload
            if answer.error is not None:
                reply = to_reply(answer.error)
            elif isinstance(payload, Whole):
                reply, payload = payload.reply, payload.payload
            else:
                reply = success("0.1" if answer.more else "0.2" if ticket["parts"] > 1 else "0.0")
            response = self._writer.response(
                ticket["role"],
                ticket["noun"],
                reply,
                payload,
                message_id=answer.message_id,
                thread=ticket["thread"],
            )
            content_type = ticket["content_type"]
            row = self._writer.row(ticket["role"], ticket["reply_to"], response, work.cause, content_type)
            if row.subject:
                work.rows.append(row)
            if answer.more:
                continue
            await connection.execute(
                "WITH closed AS (DELETE FROM ticket WHERE ticket = $1) "
                "UPDATE inbox SET reply = $6, reply_content_type = $7, reply_id = $8 "
                "WHERE role = $2 AND source = $3 AND message_id = $4 AND digest = $5",
                answer.ticket,
                *(ticket[part] for part in ("role", "source", "message_id", "digest")),
                row.body,
                content_type,
                row.message_id,
            )

    def refusal(self, arrival: Arrival, message: Message[Any] | None, error: BaseException, cause: Cause) -> Row | None:
        """The answer that says no, or None where nobody can be answered."""
        if arrival.entrance not in {Entrance.REQUEST, Entrance.COMMAND}:
            return None
        header = (
            self._writer.codec.read_header(arrival.body, arrival.content_type) if message is None else message.header
        )
        subject = self._refusal_subject(arrival, message, header)
        if not subject and not self._has_inbox(arrival):
            return None
        if header is not None:
            try:
                return self._answer(arrival, header, to_reply(error), cause=cause, what="refusal", subject=subject)
            except ValueError:
                log.info("a header could be read and cannot be echoed", extra={"subject": arrival.subject})
        return self._writer.row(arrival.role, subject, Fault(reply=to_reply(error)), cause, arrival.encoding)

    def not_now(self, arrival: Arrival, message: Message[Any] | None, cause: Cause) -> Outcome:
        """Word for the one who waits; what lies in a stream comes again."""
        reason = f"'{arrival.role}' cannot do this now; ask again"
        if arrival.stream is not None:
            return Outcome(retry_in_s=min(NOT_NOW_S * 2 ** min(arrival.deliveries - 1, 5), 30.0), failure=reason)
        row = self.refusal(arrival, message, Unavailable(reason), cause)
        return Outcome(answers=() if row is None or row.subject else (row,), failure=reason)

    def acknowledgement(
        self, arrival: Arrival, header: Header, cause: Cause, *, later: bool = False
    ) -> tuple[Row, ...]:
        """The mere word (0.3) for an inbox that waits although the answer comes another way, or later if it asked."""
        if arrival.entrance is not Entrance.REQUEST or not self._has_inbox(arrival):
            return ()
        if not header.async_reply_flag and not (later and header.ack_required):
            return ()
        return (self._answer(arrival, header, success("0.3"), cause=cause, what="acknowledgement"),)

    async def again(
        self, arrival: Arrival, message: Message[Any], key: Key, stored: Stored, database: Database
    ) -> tuple[tuple[Row, ...], Row | None]:
        """The answer that was given before, the way in which it is asked for now.

        Where there is none yet, whoever asks now is the one who gets it.

        Returns:
            what the waiting inbox gets, and what the relay sends.
        """
        header = message.header
        subject = self.address(arrival, header) if _is_asynchronous(arrival, header) else ""
        acknowledged = self.acknowledgement(arrival, header, Cause(identity=key.identity, thread=None, trace={}))
        if stored.body is None:
            await database.pool.execute(
                "UPDATE ticket SET reply_to = $5 WHERE role = $1 AND source = $2 AND message_id = $3 AND digest = $4",
                key.role,
                key.source,
                key.message_id,
                key.digest,
                subject or arrival.reply_to or "",
            )
            return acknowledged, None
        answer = Row(
            source=arrival.role,
            subject=subject,
            message_id=stored.reply_id or "",
            headers={CONTENT_TYPE: stored.content_type or CONTENT_XML, PRODUCER: arrival.role},
            body=stored.body,
        )
        return (acknowledged, answer) if subject else ((answer,), None)

    def _refusal_subject(self, arrival: Arrival, message: Message[Any] | None, header: Header | None) -> str:
        """Where a refusal goes by the relay; nowhere for one that an inbox waits for.

        A command whose own address cannot be used is answered where its MessageID leads.
        """
        if message is not None and _is_asynchronous(arrival, message.header):
            try:
                return self.address(arrival, message.header)
            except BusbarError:
                pass
        if arrival.entrance is not Entrance.COMMAND:
            return ""
        message_id = (header and header.message_id) or arrival.headers.get("Nats-Msg-Id", "")
        try:
            return self._writer.reply_subject(arrival.source, message_id, arrival.role)
        except ValueError:
            return ""

    def _answer(
        self,
        arrival: Arrival,
        header: Header,
        reply: Reply,
        *,
        cause: Cause,
        what: str,
        subject: str = "",
        payload: Any = None,
    ) -> Row:
        response = self._writer.response(
            arrival.role,
            arrival.noun,
            reply,
            payload,
            message_id=cause.new_id(arrival.role, what),
            thread=header.correlation_id or header.message_id,
        )
        return self._writer.row(arrival.role, subject, response, cause, arrival.encoding)

    def _journal(self, work: Work[Any], arrival: Arrival, what: str, verb: Verb, body: bytes) -> None:
        """A copy for the journal; of what is too large to be copied only that it was there."""
        message_id = work.cause.new_id(arrival.role, f"journal {what}")
        kept = body if len(body) <= MESSAGE_BYTES else b""
        row = self._writer.told(
            Lane.JOURNAL,
            arrival.role,
            arrival.noun,
            verb,
            key=arrival.source,
            message_id=message_id,
            content_type=arrival.encoding,
            body=kept,
            cause=work.cause,
        )
        work.rows.append(row)

    def _has_inbox(self, arrival: Arrival) -> bool:
        return arrival.reply_to is not None and is_inbox_of(
            arrival.reply_to, self._writer.space.context, arrival.source
        )


def is_later(results: Sequence[Any]) -> bool:
    """True when the handler will answer later."""
    return len(results) == 1 and isinstance(results[0], Later)


def _is_asynchronous(arrival: Arrival, header: Header) -> bool:
    return arrival.entrance is Entrance.COMMAND or bool(header.async_reply_flag)


def _parts(results: Sequence[Any], given: int) -> list[tuple[Reply, Any]]:
    """Replies beside payloads: 0.0 for a whole, 0.1 for each part but the last, 0.2 for that; a set has its own."""
    if len(results) == 1 and isinstance(results[0], Whole):
        return [(results[0].reply, results[0].payload)]
    if given + len(results) < 2:  # noqa: PLR2004
        return [(success(), results[0] if results else None)]
    return [*((success("0.1"), part) for part in results[:-1]), (success("0.2"), results[-1])]
