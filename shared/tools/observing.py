"""An observer that is no service: it hears what an auditor may hear, and judges whether promises were kept.

It believes nobody: neither counters nor tables are asked, only what passed on the bus. What a broker or a service has
to send again after it was killed comes with the same identity and the same bytes, and is no violation.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from contracts.errors import BusbarError
from contracts.interface import Catalogue, Lane
from contracts.message import Fault, Message
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage
from contracts.verbs import Verb
from shared.bus.messages import Received
from shared.bus.subjects import CommandSubject, EventSubject, ReplySubject, RequestSubject, inbox
from shared.bus.topology import streams
from shared.codec import CONTENT_XML, Codec
from shared.envelope import CONTENT_TYPE, PRODUCER, SEQUENCE, is_acknowledgement, more_follows
from shared.tools.testing import Peer

_COPIES = frozenset({Lane.JOURNAL, Lane.DEAD})
_NEW = frozenset({Verb.CREATE, Verb.CREATED})
_OVER = frozenset({OutageState.CLOSED, OutageState.MOMENTARY, OutageState.DISMISSED, OutageState.VERIFY})
_NO_COMPLAINTS = frozenset({"heard", "requests", "outages", "about"})

EXAMPLES = 5
"""How many of each complaint are named."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What an observer has to say; all but the first three are zero where every promise was kept.

    Attributes:
        heard: messages, without the copies that the journal carries.
        requests: questions and commands.
        outages: outages that were told of.
        unanswered: requests to which no answer came; the real field need not answer, as a meter in the dark cannot.
        answered_twice: requests with more than one answer; the parts of one count as one.
        identities_twice: MessageIDs that two different messages had.
        sequence_gaps: events that are missing between the first and the last number of a producer on a subject.
        effects_doubled: objects that one role made twice, and revisions that it told twice, in different messages; the
            real field may say anything twice.
        outages_without_end: outages that were created and never closed; the own trouble of a customer, who is to be
            called back, is none.
        given_up: messages that a service put aside because it could not handle them.
        unreadable: messages that do not keep the contract.
        about: what the complaints are about, some of each: a subject, or an object by who told of it.
    """

    heard: int
    requests: int
    outages: int
    unanswered: int = 0
    answered_twice: int = 0
    identities_twice: int = 0
    sequence_gaps: int = 0
    effects_doubled: int = 0
    outages_without_end: int = 0
    given_up: int = 0
    unreadable: int = 0
    about: tuple[str, ...] = ()

    @property
    def complaints(self) -> dict[str, int]:
        """The promises that were not kept, with how often."""
        values = msgspec.structs.asdict(self)
        return {name: value for name, value in values.items() if value and name not in _NO_COMPLAINTS}


class Observer:
    """Hears a context and keeps account of it.

    Args:
        catalogue: all nouns and interfaces.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._codec = Codec(catalogue)
        self._field = frozenset(role for role, interface in catalogue.interfaces.items() if interface.field)
        self._deaf = False
        self._unreadable = 0
        self._given_up = 0
        self._asked: dict[str, str] = {}
        """The request whose answer is expected at an address."""
        self._requests: set[str] = set()
        self._to_field: set[str] = set()
        self._answers: dict[str, set[str]] = {}
        """The answers that came to an address."""
        self._bodies: dict[str, int] = {}
        self._twice: dict[str, str] = {}
        """The subject of the second message by the identity that two had."""
        self._numbers: dict[tuple[str, str], set[int]] = {}
        self._made: dict[tuple[str, ...], str] = {}
        self._doubled: set[tuple[str, ...]] = set()
        self._outages: dict[str, tuple[int, bool]] = {}
        """The last revision of each outage, in whatever order it was heard, and whether the outage is over by it."""

    async def listen(self, ear: Peer) -> None:
        """Hear everything that the auditor ``ear`` may hear from now on."""

        async def take(received: Received) -> None:
            self.see(received)

        context = ear.space.context
        ear.bus.on_reconnect(self.miss)
        await ear.bus.subscribe(ear.space.everything, take)
        for role in self._catalogue.interfaces:
            await ear.bus.subscribe(f"{inbox(context, role)}.>", take)

    def miss(self) -> None:
        """Some of what passed was not heard: whether questions under way were answered, nobody can know any more."""
        self._deaf = True
        for address, identity in self._asked.items():
            if address.startswith("_INBOX.") and address not in self._answers:
                self._requests.discard(identity)

    async def catch_up(self, ear: Peer) -> None:
        """Read from the streams what passed while the connection was away; questions are not in them."""
        if not self._deaf:
            return
        manager = ear.bus.manager
        for stream in streams(ear.space.root, ear.space.context):
            if stream.objects:
                continue
            state = (await manager.stream_info(stream.name)).state
            for number in range(max(1, state.first_seq), state.last_seq + 1):
                kept = await manager.get_msg(stream.name, number)
                self.see(Received(kept.subject or "", kept.data or b"", kept.headers or {}, ""))

    def see(self, received: Received) -> None:
        """Take account of one message."""
        kind = received.subject.split(".", 3)[2:3]
        if received.subject.startswith("_INBOX."):
            self._see_answer(received.subject, received)
        elif kind == ["request"]:
            asked = RequestSubject.parse(received.subject)
            self._see_request(received, asked.asker, asked.role, address=received.reply)
        elif kind == ["command"]:
            ordered = CommandSubject.parse(received.subject)
            self._see_request(received, ordered.asker, ordered.role)
        elif kind == ["reply"]:
            subject = ReplySubject.parse(received.subject)
            self._see_answer(f"{subject.asker} {subject.message_id}", received)
        elif kind == ["event"]:
            self._see_event(received, EventSubject.parse(received.subject))

    def verdict(self) -> Verdict:
        """What there is to say by now; a question that is under way still waits for its answer."""
        unanswered = self._requests - self._to_field - {self._asked[address] for address in self._answers}
        answered_twice = [address for address, answers in self._answers.items() if len(answers) > 1]
        gaps = {key: max(each) - min(each) + 1 - len(each) for key, each in self._numbers.items()}
        endless = [mrid for mrid, (_, is_over) in self._outages.items() if not is_over]
        named = {
            "unanswered": unanswered,
            "answered twice": answered_twice,
            "identity twice": (f"{identity} on {subject}" for identity, subject in self._twice.items()),
            "gap": (" on ".join(key) for key, missing in gaps.items() if missing),
            "effect doubled": (" ".join(key) for key in self._doubled),
            "without end": endless,
        }
        return Verdict(
            heard=len(self._bodies),
            requests=len(self._requests),
            outages=len(self._outages),
            unanswered=len(unanswered),
            answered_twice=len(answered_twice),
            identities_twice=len(self._twice),
            sequence_gaps=sum(gaps.values()),
            effects_doubled=len(self._doubled),
            outages_without_end=len(endless),
            given_up=self._given_up,
            unreadable=self._unreadable,
            about=tuple(f"{what}: {each}" for what, some in named.items() for each in islice(some, EXAMPLES)),
        )

    def _see_request(self, received: Received, asker: str, role: str, address: str | None = None) -> None:
        """A question, whose answer comes to the address that it names, or a command, whose answer names it."""
        message = self._read(received)
        if message is None:
            return
        identity = f"{asker} {message.header.message_id}"
        self._requests.add(identity)
        if role in self._field:
            self._to_field.add(identity)
        self._asked[address or identity] = identity
        if self._is_new(identity, received):
            self._see_objects(message, asker)

    def _see_answer(self, address: str, received: Received) -> None:
        """Something came to an address; what no request waits for, such as the word of a stream, is passed over."""
        identity = self._asked.get(address)
        if identity is None:
            return
        if not received.body:  # by the broker itself: nobody was there to be asked
            self._requests.discard(identity)
            return
        answer = self._decode(received)
        if isinstance(answer, Message):
            reply = answer.reply
            if reply is None or not (more_follows(reply) or is_acknowledgement(reply)):
                self._answers.setdefault(address, set()).add(answer.header.message_id or "")
        elif answer is not None:
            self._answers.setdefault(address, set()).add(str(hash(received.body)))

    def _see_event(self, received: Received, subject: EventSubject) -> None:
        number = received.headers.get(SEQUENCE)
        if number is not None:
            producer = received.headers.get(PRODUCER, subject.source)
            self._numbers.setdefault((producer, received.subject), set()).add(int(number))
        self._given_up += subject.lane is Lane.DEAD
        if subject.lane in _COPIES:
            return
        message = self._read(received)
        if message is not None and self._is_new(f"{subject.source} {message.header.message_id}", received):
            self._see_objects(message, subject.source)

    def _see_objects(self, message: Message[Any], source: str) -> None:
        """Which objects a role makes or tells a revision of, and which outages begin and end."""
        header = message.header
        for each in _objects(message.payload):
            revision = _revision(each) if header.verb.is_event else None
            if source not in self._field and (header.verb in _NEW or revision is not None):
                key = (source, header.noun, each.mrid, str(header.verb) if revision is None else str(revision))
                if self._made.setdefault(key, header.message_id or "") != header.message_id:
                    self._doubled.add(key)
            if header.noun == "UnplannedOutages" and header.verb.is_event:
                told = (revision or 0, header.verb is Verb.CLOSED or _is_over(each))
                self._outages[each.mrid] = max(self._outages.get(each.mrid, told), told)

    def _is_new(self, identity: str, received: Received) -> bool:
        """True for a message that was not seen before; where another one had its identity that is noted."""
        digest = hash((received.subject, received.body))
        known = identity in self._bodies
        if self._bodies.setdefault(identity, digest) != digest:
            self._twice[identity] = received.subject
        return not known

    def _read(self, received: Received) -> Message[Any] | None:
        message = self._decode(received)
        return None if isinstance(message, Fault) else message

    def _decode(self, received: Received) -> Message[Any] | Fault | None:
        try:
            return self._codec.decode(received.body, received.headers.get(CONTENT_TYPE, CONTENT_XML))
        except BusbarError:
            self._unreadable += 1
            return None


def _is_over(outage: UnplannedOutage) -> bool:
    """True for what is over, also where something is added to its record; and for a customer's own trouble."""
    return outage.status is not None and outage.status.value in _OVER


def _revision(each: Any) -> int | None:
    """The number that grows with each change of an object, where its profile has one."""
    return getattr(each, "revision_number", None) or getattr(each, "revision", None)


def _objects(payload: Any) -> Iterator[Any]:
    """The objects with an identity at the first level of a noun."""
    for name in getattr(payload, "__struct_fields__", ()):
        value = getattr(payload, name)
        for each in value if isinstance(value, tuple) else ():
            if getattr(each, "mrid", None) is not None:
                yield each
