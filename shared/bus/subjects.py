"""The grammar of the subjects, as values that are built and parsed, and as patterns to listen on.

::

    <root>.<context>.request.<role>.<Noun>.<verb>.<asker>
    <root>.<context>.command.<role>.<Noun>.<verb>.<asker>
    <root>.<context>.event.<lane>.<source role>.<Noun>.<verb>.<partition>
    <root>.<context>.reply.<asker>.<MessageID of the command>.<responder>
    <root>.<context>.admin.<role>.<verb>
    <root>.<context>.clock
    _INBOX.<context>-<role>.>

The broker lets a role publish only what names it as asker or source, so these tokens can be believed.
``str(subject)`` builds, ``parse`` reads; both raise ValueError for what the grammar does not have, so no text from
outside becomes a wildcard or a second token.
"""

import re
import zlib
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from contracts.interface import Lane
from contracts.verbs import Verb

CONTEXTS = ("production", "testing", "training", "study")
"""The contexts of IEC 61968-100; each has its own subjects, streams and users."""

ADMIN = "admin"
"""The broker's user who may do everything: the bootstrap and the `busbar` command."""

OPERATOR = "operator"
"""The role of a person at the command line, who may also ask every role about itself."""

AUDITOR = "auditor"
"""The broker's user who hears everything of one context and says nothing."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IDENTIFIER = re.compile(r"[!-)+-\-/-=?-~]{1,128}")  # printable ASCII without the dot and the wildcards


class AdminVerb(StrEnum):
    """What a role can be asked about itself."""

    STATUS = "status"
    DEAD_LETTERS = "dead-letters"
    REQUEUE = "requeue"
    REPLAY = "replay"
    OUTBOX = "outbox"


class RequestSubject(Struct, frozen=True, kw_only=True):
    """Where ``asker`` asks ``role`` and waits for the answer."""

    root: str
    context: str
    role: str
    noun: str
    verb: Verb
    asker: str

    def __post_init__(self) -> None:
        _check_ask(self)

    def __str__(self) -> str:
        return f"{self.root}.{self.context}.request.{self.role}.{self.noun}.{self.verb}.{self.asker}"

    @staticmethod
    def parse(subject: str) -> "RequestSubject":
        """The value of a request's subject.

        Raises:
            ValueError: when it is none.
        """
        return _parse_request(subject)


class CommandSubject(Struct, frozen=True, kw_only=True):
    """Where ``asker`` leaves a durable command for ``role``; every verb but ``get``."""

    root: str
    context: str
    role: str
    noun: str
    verb: Verb
    asker: str

    def __post_init__(self) -> None:
        _check_ask(self)
        if self.verb is Verb.GET:
            raise ValueError("a 'get' is a request and never a command")

    def __str__(self) -> str:
        return f"{self.root}.{self.context}.command.{self.role}.{self.noun}.{self.verb}.{self.asker}"

    @staticmethod
    def parse(subject: str) -> "CommandSubject":
        """The value of a command's subject.

        Raises:
            ValueError: when it is none.
        """
        return _parse_command(subject)


class EventSubject(Struct, frozen=True, kw_only=True):
    """Where ``source`` tells an event; the lanes ``journal`` and ``dead`` hold copies of messages of any verb."""

    root: str
    context: str
    lane: Lane
    source: str
    noun: str
    verb: Verb
    partition: int

    def __post_init__(self) -> None:
        _check_space(self.root, self.context)
        _check_token("source", self.source)
        _check_token("noun", self.noun)
        if not self.verb.is_event and self.lane not in (Lane.JOURNAL, Lane.DEAD):
            raise ValueError(f"the verb '{self.verb}' is not the verb of an event")
        if not 0 <= self.partition < self.lane.partitions:
            raise ValueError(f"the lane '{self.lane}' has no partition {self.partition}")

    def __str__(self) -> str:
        return f"{self.root}.{self.context}.event.{self.lane}.{self.source}.{self.noun}.{self.verb}.{self.partition}"

    @staticmethod
    def parse(subject: str) -> "EventSubject":
        """The value of an event's subject.

        Raises:
            ValueError: when it is none.
        """
        return _parse_event(subject)


class ReplySubject(Struct, frozen=True, kw_only=True):
    """Where ``responder`` sends its reply to the command ``message_id`` of ``asker``."""

    root: str
    context: str
    asker: str
    message_id: str
    responder: str

    def __post_init__(self) -> None:
        _check_space(self.root, self.context)
        _check_token("asker", self.asker)
        _check_token("responder", self.responder)
        if not _IDENTIFIER.fullmatch(self.message_id):
            raise ValueError(f"the MessageID {self.message_id[:128]!r} cannot be a token of a subject")

    def __str__(self) -> str:
        return f"{self.root}.{self.context}.reply.{self.asker}.{self.message_id}.{self.responder}"

    @staticmethod
    def parse(subject: str) -> "ReplySubject":
        """The value of a reply's subject.

        Raises:
            ValueError: when it is none.
        """
        root, context, asker, message_id, responder = _tokens(subject, "reply", 6)
        return ReplySubject(root=root, context=context, asker=asker, message_id=message_id, responder=responder)


class AdminSubject(Struct, frozen=True, kw_only=True):
    """Where ``role`` is asked about itself, in JSON."""

    root: str
    context: str
    role: str
    verb: AdminVerb

    def __post_init__(self) -> None:
        _check_space(self.root, self.context)
        _check_token("role", self.role)

    def __str__(self) -> str:
        return f"{self.root}.{self.context}.admin.{self.role}.{self.verb}"

    @staticmethod
    def parse(subject: str) -> "AdminSubject":
        """The value of an admin subject.

        Raises:
            ValueError: when it is none.
        """
        root, context, role, verb = _tokens(subject, "admin", 5)
        return AdminSubject(root=root, context=context, role=role, verb=AdminVerb(verb))


class Space(Struct, frozen=True):
    """One root and one context: the names and patterns of everything that belongs to it."""

    root: str
    context: str

    def __post_init__(self) -> None:
        _check_space(self.root, self.context)

    @property
    def everything(self) -> str:
        """The pattern of all subjects of the context."""
        return f"{self.root}.{self.context}.>"

    @property
    def clock(self) -> str:
        """Where the granted clock is told."""
        return f"{self.root}.{self.context}.clock"

    @property
    def commands(self) -> str:
        """The pattern of all commands: the subjects of their stream."""
        return f"{self.root}.{self.context}.command.>"

    @property
    def replies(self) -> str:
        """The pattern of all replies to commands: the subjects of their stream."""
        return f"{self.root}.{self.context}.reply.>"

    def requests_to(self, role: str) -> str:
        """The pattern of all requests that ``role`` may get."""
        return f"{self.root}.{self.context}.request.{_check_token('role', role)}.>"

    def commands_to(self, role: str) -> str:
        """The pattern of all commands that ``role`` may get."""
        return f"{self.root}.{self.context}.command.{_check_token('role', role)}.>"

    def requests_by(self, asker: str, role: str) -> str:
        """The pattern of what ``asker`` may ask ``role``; which nouns and verbs it serves, it says itself."""
        return f"{self.root}.{self.context}.request.{_check_token('role', role)}.*.*.{_check_token('asker', asker)}"

    def commands_by(self, asker: str, role: str) -> str:
        """The pattern of the commands that ``asker`` may leave for ``role``."""
        return f"{self.root}.{self.context}.command.{_check_token('role', role)}.*.*.{_check_token('asker', asker)}"

    def replies_to(self, asker: str) -> str:
        """The pattern of all replies to the commands of ``asker``."""
        return f"{self.root}.{self.context}.reply.{_check_token('asker', asker)}.>"

    def replies_of(self, responder: str) -> str:
        """The pattern of all replies that ``responder`` gives."""
        return f"{self.root}.{self.context}.reply.*.*.{_check_token('responder', responder)}"

    def admin_of(self, role: str, verb: AdminVerb | None = None) -> str:
        """The pattern of what ``role`` can be asked about itself; ``role`` may be ``*`` for all roles."""
        return f"{self.root}.{self.context}.admin.{role if role == '*' else _check_token('role', role)}.{verb or '*'}"

    def lane(self, lane: Lane) -> str:
        """The pattern of all events of a lane: the subjects of its stream."""
        return f"{self.root}.{self.context}.event.{lane}.>"

    def events(
        self, lane: Lane, source: str, noun: str = "*", verb: Verb | None = None, partition: int | None = None
    ) -> str:
        """The pattern of what ``source`` tells in ``lane``; what is left out may be anything."""
        _check_token("source", source)
        return (
            f"{self.root}.{self.context}.event.{lane}.{source}.{noun if noun == '*' else _check_token('noun', noun)}"
            f".{verb or '*'}.{'*' if partition is None else partition}"
        )

    def stream(self, kind: str) -> str:
        """The name of the stream for ``command``, ``reply`` or a lane."""
        return f"{self.root}_{self.context}_{kind}"

    @property
    def bucket(self) -> str:
        """The object store for what is too large for a message."""
        return f"{self.root}_{self.context}_blobs"


def inbox(context: str, role: str) -> str:
    """The prefix under which ``role`` hears the replies to its requests; nobody else can listen there."""
    if context not in CONTEXTS:
        raise ValueError(f"the context {context!r} is not one of {', '.join(CONTEXTS)}")
    return f"_INBOX.{context}-{_check_token('role', role)}"


def is_inbox_of(reply: str, context: str, role: str) -> bool:
    """True when ``reply`` lies in the inbox of ``role``; where a message wants its reply is the sender's word."""
    return reply.startswith(f"_INBOX.{context}-{role}.")


def partition(key: str, lane: Lane) -> int:
    """The partition of an event about the object ``key``: the same key always meets the same partition."""
    return zlib.crc32(key.encode()) % lane.partitions


@lru_cache(maxsize=4096)
def _parse_request(subject: str) -> RequestSubject:
    root, context, role, noun, verb, asker = _tokens(subject, "request", 7)
    return RequestSubject(root=root, context=context, role=role, noun=noun, verb=Verb(verb), asker=asker)


@lru_cache(maxsize=4096)
def _parse_command(subject: str) -> CommandSubject:
    root, context, role, noun, verb, asker = _tokens(subject, "command", 7)
    return CommandSubject(root=root, context=context, role=role, noun=noun, verb=Verb(verb), asker=asker)


@lru_cache(maxsize=4096)
def _parse_event(subject: str) -> EventSubject:
    root, context, lane, source, noun, verb, number = _tokens(subject, "event", 8)
    if not (number.isascii() and number.isdigit() and str(int(number)) == number):
        raise ValueError(f"{number!r} is not a partition")
    return EventSubject(
        root=root,
        context=context,
        lane=Lane(lane),
        source=source,
        noun=noun,
        verb=Verb(verb),
        partition=int(number),
    )


def _tokens(subject: str, kind: str, count: int) -> list[str]:
    """The tokens of ``subject`` without its kind."""
    tokens = subject.split(".")
    if len(tokens) != count or tokens[2] != kind:
        raise ValueError(f"{subject[:256]!r} is not the subject of a message of the kind '{kind}'")
    del tokens[2]
    return tokens


def _check_ask(subject: RequestSubject | CommandSubject) -> None:
    _check_space(subject.root, subject.context)
    _check_token("role", subject.role)
    _check_token("noun", subject.noun)
    _check_token("asker", subject.asker)
    if not subject.verb.is_request:
        raise ValueError(f"the verb '{subject.verb}' does not ask")


def _check_space(root: str, context: str) -> None:
    _check_token("root", root)
    if context not in CONTEXTS:
        raise ValueError(f"the context {context[:64]!r} is not one of {', '.join(CONTEXTS)}")


def _check_token(what: str, token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"the {what} {token[:64]!r} is not a token: letters, digits, '_' and '-', at most 64 of them")
    return token
