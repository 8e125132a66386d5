"""What a role promises: the exchanges it serves, the questions it asks, the events it tells and hears.

An :class:`Interface` is the whole architecture seen from one role. Streams, durable consumers, the permissions of the
broker's users, AsyncAPI and the diagrams are all derived from these values and from nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from contracts.verbs import Verb

NounType = type[Any]
"""The container struct of a noun; its name is the noun and its module holds ``NAMESPACE``."""


class Lane(StrEnum):
    """A stream of events; a flood in one lane does not delay another."""

    CONTROL = "control"
    OUTAGE = "outage"
    READINGS = "readings"
    GENERAL = "general"
    JOURNAL = "journal"
    DEAD = "dead"

    @property
    def partitions(self) -> int:
        """How many partitions the publishers of this lane spread their keys over."""
        return _PARTITIONS.get(self, 1)


_PARTITIONS = {Lane.CONTROL: 4, Lane.OUTAGE: 4, Lane.READINGS: 8, Lane.GENERAL: 4}


class Mode(StrEnum):
    """How a subscription scales over the replicas of its role."""

    SHARED = "shared"
    """Any replica takes any event; the rule must not depend on order."""

    KEYED = "keyed"
    """One event in flight for each partition, in the order in which the partition got them."""

    FOLLOW = "follow"
    """Every process gets every event, after a snapshot by ``get``."""


class Exchange(Struct, frozen=True, kw_only=True):
    """A request that a role serves; ``query`` is the Get profile that may qualify it."""

    verb: Verb
    noun: NounType
    query: NounType | None = None


class Ask(Struct, frozen=True, kw_only=True):
    """A request that a role makes of another."""

    role: str
    verb: Verb
    noun: NounType


class Publication(Struct, frozen=True, kw_only=True):
    """An event that a role tells in a lane."""

    lane: Lane
    verb: Verb
    noun: NounType


class Subscription(Struct, frozen=True, kw_only=True):
    """An event of ``role`` that another role hears.

    Attributes:
        compact: the listener reads MessagePack and, where the noun has one, its compact form.
    """

    role: str
    verb: Verb
    noun: NounType
    mode: Mode
    compact: bool = False


class CompactForm(Struct, frozen=True, kw_only=True):
    """Another form of a noun that says the same in fewer bytes, for events alone.

    Attributes:
        content_type: what ``Content-Type`` says of a message in this form.
        struct: what stands in its Payload.
        problem: what is wrong with such a value, as a sentence about it; None when nothing is.
        condensed: the value of a noun.
        expanded: the noun of a value with which nothing is wrong.
        element: the one list of the noun that the next two read.
        from_xml: for a prefix with its colon, or none, reads all of ``element`` in a text from a place on, and says
            where they end; in the text is nothing that is not plain (:mod:`shared.codec.xml_plain`), and no reference.
        from_msgpack: reads the array that is all of a body from a place on.
        free: of a value that is one row, the texts and bytes in which another message may differ that is like it
            else, in the order in which they are written; None of any other.
        stacked: for such a value, and for each of what is free in it a list of what others have there, the value with
            the rows of all.
        lean: a value without the bytes in it: all of its texts, times and numbers.

    Both read what is mostly written and raise ValueError for all else; what they make is what ``condensed`` makes of
    the same noun.
    """

    noun: NounType
    content_type: str
    struct: type[Any]
    problem: Callable[[Any], str | None]
    condensed: Callable[[Any], Any]
    expanded: Callable[[Any], Any]
    element: str
    from_xml: Callable[[str], Callable[[str, int], tuple[Any, int]]]
    from_msgpack: Callable[[bytes, int], Any]
    free: Callable[[Any], tuple[str | bytes, ...] | None]
    stacked: Callable[[Any, Sequence[Sequence[Any]]], Any]
    lean: Callable[[Any], Any]


class Interface(Struct, frozen=True, kw_only=True):
    """Everything that one role promises and expects.

    Attributes:
        role: kebab-case name, which is also the Source in a header and the name of the durable consumers.
        title: one line for lists.
        part: the part or clause of IEC 61968 that the role belongs to.
        revision: goes up with each change of the contract; a reader accepts the one before.
        field: True for the roles that the real field takes (head-end, scada, crews, callers, weather).
        state: the nouns that make up what the role keeps; a product that takes the role takes these over.
        records: the lanes of which the role gets every message as it is, whatever it says, to keep it.
    """

    role: str
    title: str
    part: str
    revision: str
    field: bool = False
    serves: tuple[Exchange, ...] = ()
    asks: tuple[Ask, ...] = ()
    publishes: tuple[Publication, ...] = ()
    subscribes: tuple[Subscription, ...] = ()
    state: tuple[NounType, ...] = ()
    records: tuple[Lane, ...] = ()


class Catalogue:
    """All nouns and all interfaces, by name; the composition root makes it and gives it to the kernel.

    Attributes:
        compact: the compact forms, by the names of their nouns.
    """

    def __init__(
        self, nouns: Iterable[NounType], interfaces: Iterable[Interface], compact: Iterable[CompactForm] = ()
    ) -> None:
        self.nouns: Mapping[str, NounType] = {noun.__name__: noun for noun in nouns}
        self.interfaces: Mapping[str, Interface] = {interface.role: interface for interface in interfaces}
        self.compact: Mapping[str, CompactForm] = {form.noun.__name__: form for form in compact}

    def lane(self, role: str, verb: Verb, noun: str) -> Lane:
        """The lane in which ``role`` tells this event.

        Raises:
            KeyError: when the role does not publish it.
        """
        for publication in self.interfaces[role].publishes:
            if publication.verb is verb and publication.noun.__name__ == noun:
                return publication.lane
        raise KeyError(f"'{role}' does not publish '{verb} {noun}'")

    def is_compact(self, role: str, verb: Verb, noun: str) -> bool:
        """True when whoever hears this event of ``role`` reads MessagePack and the compact form of the noun."""
        return all(
            heard.compact
            for interface in self.interfaces.values()
            for heard in interface.subscribes
            if heard.role == role and heard.verb is verb and heard.noun.__name__ == noun
        )

    def query(self, role: str, noun: str) -> NounType | None:
        """The Get profile with which ``role`` is asked for ``noun``, if it has one."""
        for exchange in self.interfaces[role].serves:
            if exchange.verb is Verb.GET and exchange.noun.__name__ == noun:
                return exchange.query
        return None

    def problems(self) -> Iterator[str]:
        """What does not fit together: asks that nobody serves, events heard that nobody tells."""
        for interface in self.interfaces.values():
            for ask in interface.asks:
                served = self.interfaces.get(ask.role)
                if served is None or not any(
                    exchange.verb is ask.verb and exchange.noun is ask.noun for exchange in served.serves
                ):
                    what = f"{ask.verb} {ask.noun.__name__}"
                    yield f"{interface.role} asks '{what}' of {ask.role}, which does not serve it"
            for heard in interface.subscribes:
                teller = self.interfaces.get(heard.role)
                if teller is None or not any(
                    told.verb is heard.verb and told.noun is heard.noun for told in teller.publishes
                ):
                    yield (
                        f"{interface.role} hears '{heard.verb} {heard.noun.__name__}' of {heard.role}, "
                        "which does not publish it"
                    )
