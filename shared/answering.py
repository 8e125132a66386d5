"""Answers: at once to a waiting inbox, or through the outbox to a reply subject; whole, in parts, later, or a refusal.

An answer is a :class:`shared.envelope.Row`. One with a subject is sent by the relay; one without goes to the inbox
that waits, and is given to it as bytes.
"""

from collections.abc import Sequence
from typing import Any

from contracts.errors import BusbarError, Unavailable, to_reply
from contracts.interface import Lane
from contracts.message import Fault, Header, Message, Reply
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance, Outcome
from shared.bus.subjects import is_inbox_of
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML
from shared.envelope import Cause, Row, Writer, success
from shared.inbox import Stored
from shared.security import reply_address
from shared.store import Transaction
from shared.work import Later, Work

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
        self,
        arrival: Arrival,
        message: Message[Any],
        work: Work[Any],
        transaction: Transaction,
        results: Sequence[Any],
    ) -> tuple[tuple[bytes, ...], Row | None]:
        """The answers to a request that succeeded.

        Rows for the relay are added to ``work.rows``, with the copies for the journal where the request is no ``get``.

        Returns:
            what the waiting inbox gets at once, and the row that is stored to be repeated.
        """
        asynchronous = arrival.entrance is Entrance.COMMAND or bool(message.header.async_reply_flag)
        subject = self.address(arrival, message.header) if asynchronous else ""
        cause = _cause(arrival, message)
        if arrival.verb is not Verb.GET:
            self._journal(work, arrival, "request", arrival.verb, arrival.body, cause)
        if isinstance(results[-1], Later):
            await self._open(arrival, message, work, transaction, subject or arrival.reply_to or "")
            return self.acknowledgement(arrival, message), None
        rows = [
            self._response(arrival, message, success(code), payload, subject, cause, place)
            for place, (code, payload) in enumerate(_parts(results))
        ]
        if arrival.verb is not Verb.GET:
            self._journal(work, arrival, "reply", Verb.REPLY, rows[-1].body, cause)
        if not asynchronous:
            return tuple(row.body for row in rows), None if arrival.verb is Verb.GET else rows[-1]
        work.rows += rows
        return self.acknowledgement(arrival, message), None if arrival.verb is Verb.GET else rows[-1]

    def refusal(self, arrival: Arrival, message: Message[Any] | None, error: BaseException) -> Row | None:
        """The answer that says no, or None where nobody can be answered."""
        if arrival.entrance not in {Entrance.REQUEST, Entrance.COMMAND}:
            return None
        header = message.header if message is not None else self._header(arrival)
        asynchronous = arrival.entrance is Entrance.COMMAND or bool(header and header.async_reply_flag)
        subject = ""
        if asynchronous and message is not None:
            try:
                subject = self.address(arrival, message.header)
            except BusbarError:
                asynchronous = arrival.entrance is Entrance.COMMAND
        if arrival.entrance is Entrance.COMMAND and not subject:
            subject = self._derived_address(arrival, header)
            if not subject:
                return None
        if not subject and not self._has_inbox(arrival):
            return None
        reply = to_reply(error)
        cause = _cause(arrival, message)
        if header is None:
            return self._writer.row(arrival.role, subject, Fault(reply=reply), cause, _encoding(arrival))
        return self._answer(arrival, header, reply, None, subject, cause, 0)

    def not_now(self, arrival: Arrival, message: Message[Any] | None) -> Outcome:
        """Word for the one who waits; what lies in a stream comes again."""
        if arrival.stream is not None:
            return Outcome(retry_in_s=min(NOT_NOW_S * 2 ** min(arrival.deliveries - 1, 5), 30.0))
        row = self.refusal(arrival, message, Unavailable(f"'{arrival.role}' cannot do this now; ask again"))
        return Outcome(answers=() if row is None or row.subject else (row.body,))

    def acknowledgement(self, arrival: Arrival, message: Message[Any]) -> tuple[bytes, ...]:
        """The mere word (0.3) for an inbox that waits although the answer comes another way."""
        if arrival.entrance is not Entrance.REQUEST or not message.header.async_reply_flag:
            return ()
        if not self._has_inbox(arrival):
            return ()
        cause = _cause(arrival, message)
        return (self._response(arrival, message, success("0.3"), None, "", cause, 90).body,)

    def again(self, arrival: Arrival, stored: Stored) -> Row:
        """An answer that was sent before, as it was."""
        return Row(
            source=arrival.role,
            subject=stored.reply_to or "",
            message_id=stored.reply_id or "",
            headers={"Content-Type": stored.content_type or CONTENT_XML, "Busbar-Producer": arrival.role},
            body=stored.body or b"",
        )

    async def late(self, work: Work[Any], transaction: Transaction) -> None:
        """Turn what the handler answered to open requests into rows.

        Raises:
            KeyError: when no request is open under the ticket.
        """
        for answer in work.answers:
            connection = await transaction.writing()
            row = await connection.fetchrow(
                "UPDATE ticket SET parts = parts + 1 WHERE ticket = $1 "
                "RETURNING role, noun, reply_to, content_type, thread, parts",
                answer.ticket,
            )
            if row is None:
                raise KeyError(f"no request is open under the ticket {answer.ticket}")
            if answer.error is not None:
                reply = to_reply(answer.error)
            else:
                reply = success("0.1" if answer.more else "0.2" if row["parts"] > 1 else "0.0")
            response = self._writer.response(
                row["role"], row["noun"], reply, answer.payload, message_id=answer.message_id, thread=row["thread"]
            )
            cause = Cause(identity=answer.ticket, thread=row["thread"], trace={})
            work.rows.append(self._writer.row(row["role"], row["reply_to"], response, cause, row["content_type"]))
            if not answer.more:
                await connection.execute("DELETE FROM ticket WHERE ticket = $1", answer.ticket)

    async def _open(
        self, arrival: Arrival, message: Message[Any], work: Work[Any], transaction: Transaction, reply_to: str
    ) -> None:
        connection = await transaction.writing()
        await connection.execute(
            "INSERT INTO ticket (ticket, role, noun, reply_to, content_type, thread) VALUES ($1, $2, $3, $4, $5, $6)",
            work.ticket,
            arrival.role,
            arrival.noun,
            reply_to,
            _encoding(arrival),
            message.header.correlation_id or message.header.message_id,
        )
        if arrival.entrance is Entrance.COMMAND and message.header.ack_required:
            cause = _cause(arrival, message)
            work.rows.append(self._response(arrival, message, success("0.3"), None, reply_to, cause, 91))

    def _response(
        self,
        arrival: Arrival,
        message: Message[Any],
        reply: Reply,
        payload: Any,
        subject: str,
        cause: Cause,
        place: int,
    ) -> Row:
        return self._answer(arrival, message.header, reply, payload, subject, cause, place)

    def _answer(
        self, arrival: Arrival, header: Header, reply: Reply, payload: Any, subject: str, cause: Cause, place: int
    ) -> Row:
        response = self._writer.response(
            arrival.role,
            arrival.noun,
            reply,
            payload,
            message_id=cause.new_id(arrival.role, 1000 + place),
            thread=header.correlation_id or header.message_id,
        )
        return self._writer.row(arrival.role, subject, response, cause, _encoding(arrival))

    def _journal(self, work: Work[Any], arrival: Arrival, what: str, verb: Verb, body: bytes, cause: Cause) -> None:
        message_id = cause.new_id(arrival.role, 2000 if what == "request" else 2001)
        key = arrival.source
        encoding = _encoding(arrival)
        work.rows.append(
            self._writer.told(Lane.JOURNAL, arrival.role, arrival.noun, verb, key, message_id, encoding, body, cause)
        )

    def _header(self, arrival: Arrival) -> Header | None:
        return self._writer.codec.read_header(arrival.body, arrival.content_type)

    def _derived_address(self, arrival: Arrival, header: Header | None) -> str:
        """The reply subject that follows from the MessageID, for a command whose own address cannot be used."""
        try:
            return self._writer.reply_subject(arrival.source, (header and header.message_id) or "", arrival.role)
        except ValueError:
            return ""

    def _has_inbox(self, arrival: Arrival) -> bool:
        return arrival.reply_to is not None and is_inbox_of(
            arrival.reply_to, self._writer.space.context, arrival.source
        )


def _parts(results: Sequence[Any]) -> list[tuple[str, Any]]:
    """Codes beside payloads: 0.0 for a whole, 0.1 for each part but the last, 0.2 for that."""
    if len(results) < 2:  # noqa: PLR2004
        return [("0.0", results[0] if results else None)]
    return [*(("0.1", part) for part in results[:-1]), ("0.2", results[-1])]


def _encoding(arrival: Arrival) -> str:
    """The encoding of the request, in which it is answered; XML to an encoding that is not known."""
    base = arrival.content_type.partition(";")[0].strip().lower()
    return base if base in {CONTENT_JSON, CONTENT_MSGPACK} else CONTENT_XML


def _cause(arrival: Arrival, message: Message[Any] | None) -> Cause:
    """What the identity of an answer is derived from."""
    if message is None or not message.header.message_id:
        identity = f"{arrival.subject}\n{arrival.stream_sequence or arrival.reply_to}"
    else:
        identity = f"{arrival.source}\n{message.header.message_id}\n{arrival.verb}\n{arrival.noun}"
    return Cause(identity=identity, thread=None, trace={})
