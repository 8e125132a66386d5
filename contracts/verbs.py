"""The verbs of IEC 61968-100 (Edition 1, schema of 2011)."""

from enum import StrEnum


class Verb(StrEnum):
    """Imperative verbs ask, past-tense verbs tell, ``reply`` answers.

    The tense decides the transport: what asks is a request or a durable command, what tells is an event.
    """

    CANCEL = "cancel"
    CANCELED = "canceled"
    CHANGE = "change"
    CHANGED = "changed"
    CLOSE = "close"
    CLOSED = "closed"
    CREATE = "create"
    CREATED = "created"
    DELETE = "delete"
    DELETED = "deleted"
    EXECUTE = "execute"
    EXECUTED = "executed"
    GET = "get"
    REPLY = "reply"

    @property
    def is_event(self) -> bool:
        """True for the past tense: the verb of an EventMessage."""
        return self in _PAST_TENSE.values()

    @property
    def is_request(self) -> bool:
        """True for the imperative: the verb of a RequestMessage."""
        return self in _PAST_TENSE or self is Verb.GET

    @property
    def past(self) -> "Verb":
        """The event that tells of this request's success.

        Raises:
            ValueError: for ``get``, ``reply`` and the past tenses, which have none.
        """
        if self not in _PAST_TENSE:
            raise ValueError(f"the verb '{self}' has no past tense")
        return _PAST_TENSE[self]


_PAST_TENSE = {
    Verb.CANCEL: Verb.CANCELED,
    Verb.CHANGE: Verb.CHANGED,
    Verb.CLOSE: Verb.CLOSED,
    Verb.CREATE: Verb.CREATED,
    Verb.DELETE: Verb.DELETED,
    Verb.EXECUTE: Verb.EXECUTED,
}
