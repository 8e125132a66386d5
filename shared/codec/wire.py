"""The envelope as it stands on the wire, in every encoding, and its way to and from :class:`Message`.

The contracts hold a message as it is used: the noun is the payload and the Get profile is the query. On the wire the
profiles are fields of Payload and Request, by name. The structs between are made here from the catalogue, so that the
generic readers and writers know everything that may come, and refuse the rest.

Reading tolerates, in every encoding: the root element ``Message`` in place of the one that the verb demands; the Get
profile of a ``get`` in the Payload; a Payload with nothing in it, which is none; and beside the noun what the schema
allows instead of it (``any`` elements, OperationSet, ID), as the templates of typed services have it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from msgspec import NODEFAULT, Meta, Struct, defstruct, field
from msgspec.structs import astuple, fields

from contracts.interface import Catalogue, NounType
from contracts.message import Enclosure, Fault, Header, Message, Reply, Request
from contracts.verbs import Verb
from shared.codec.shape import ROOT

REQUEST, RESPONSE, EVENT, FAULT, ANY = "RequestMessage", "ResponseMessage", "EventMessage", "FaultMessage", "Message"
OPERATION_SET = "OperationSet"
"""The noun of a message whose payload is an OperationSet; no catalogue lists it."""

_QUERY_PREFIX = "Get"
_ROOTS = {verb: REQUEST if verb.is_request else EVENT if verb.is_event else RESPONSE for verb in Verb}
_NOTHING = Enclosure()
_NOTHING_KEPT = astuple(_NOTHING)
_KEPT_OF_REQUEST = tuple(known.name for known in fields(Request) if known.name != "query")
_KEPT_OF_ENCLOSURE = tuple(known.name for known in fields(Enclosure))

Definition = tuple[str, Any] | tuple[str, Any, Any]


class MisfitError(ValueError):
    """The parts of a message are each well-formed and do not fit together.

    Attributes:
        path: local names from below the root to the element at fault.
        code: the reply code of 61968-9.
    """

    def __init__(self, reason: str, path: Sequence[str], code: str) -> None:
        super().__init__(f"{'/'.join(path)} {reason}")
        self.reason = reason
        self.path = path
        self.code = code


class Wire:
    """The wire structs of one catalogue.

    Attributes:
        nouns: everything that may stand in a Payload, by name.
        bodies: for each root element, the struct of what it holds.
        document: the struct of a whole message, of whose fields one is present, which is the root element.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        queries = {noun.__name__: noun for noun in catalogue.nouns.values() if noun.__name__.startswith(_QUERY_PREFIX)}
        for interface in catalogue.interfaces.values():
            for exchange in interface.serves:
                if exchange.query is not None:
                    queries[exchange.query.__name__] = exchange.query
        self._queries: Mapping[str, NounType] = queries
        self.nouns: Mapping[str, NounType] = {**catalogue.nouns, **queries}
        self._request = _struct("Request", _with_profiles(Request, queries.values()))
        self._payload = _struct("Payload", _with_profiles(Enclosure, self.nouns.values()))
        header, reply = ("Header", Header), ("Reply", Reply)
        request, payload = _optional("Request", self._request), _optional("Payload", self._payload)
        self.bodies = {
            REQUEST: _struct(REQUEST, [header, request, payload]),
            RESPONSE: _struct(RESPONSE, [header, reply, payload]),
            EVENT: _struct(EVENT, [header, payload]),
            FAULT: _struct(FAULT, [reply]),
            ANY: _struct(ANY, [header, request, _optional("Reply", Reply), payload]),
        }
        self.document = _struct("document", [_optional(root, body) for root, body in self.bodies.items()])

    def assemble(self, root: str, body: Any) -> Message[Any] | Fault:
        """The message that ``body`` under the root element ``root`` tells.

        Raises:
            MisfitError: when verb, noun and payload do not agree.
        """
        if root == FAULT:
            return Fault(reply=body.Reply)
        header: Header = body.Header
        if root not in {root_of(header.verb), ANY}:
            raise MisfitError(f"is no verb of the {root}", ("Header", "Verb"), "2.9")
        if header.noun not in self.nouns and header.noun != OPERATION_SET:
            raise MisfitError("is a noun that is not known here", ("Header", "Noun"), "2.5")
        request = _read_request(getattr(body, "Request", None), len(self._queries))
        reply: Reply | None = getattr(body, "Reply", None)
        if root == ANY:
            _check_sections(header.verb, request, reply)
        payload, enclosure = _read_payload(body.Payload, len(self.nouns))
        if payload is not None and header.verb is Verb.GET:
            request, payload = self._as_query(request, payload), None
        elif payload is not None and type(payload).__name__ != header.noun:
            raise MisfitError("holds another noun than the header names", ("Payload",), "2.5")
        return Message(header=header, request=request, reply=reply, payload=payload, enclosure=enclosure)

    def _as_query(self, request: Request | None, payload: Any) -> Request:
        """A get whose profile stands in the Payload asks the same as one whose profile stands in the Request."""
        if type(payload).__name__ not in self._queries:
            raise MisfitError("of a get holds something else than a Get profile", ("Payload",), "1.8")
        kept = {} if request is None else {name: getattr(request, name) for name in _KEPT_OF_REQUEST}
        if request is not None and request.query is not None:
            raise MisfitError("holds a second Get profile", ("Payload",), "1.8")
        return Request(**kept, query=payload)

    def disassemble(self, message: Message[Any] | Fault) -> tuple[str, Struct]:
        """The root element and the body that tell ``message``.

        Raises:
            ValueError: when its parts do not agree, or its noun is not in the catalogue.
        """
        if isinstance(message, Fault):
            return FAULT, self.bodies[FAULT](Reply=message.reply)
        header, payload = message.header, message.payload
        root = root_of(header.verb)
        if header.noun not in self.nouns and header.noun != OPERATION_SET:
            raise MisfitError("is a noun that is not known here", ("Header", "Noun"), "2.5")
        if payload is not None and (header.verb is Verb.GET or type(payload) is not self.nouns.get(header.noun)):
            raise MisfitError("is not the noun that the header names", ("Payload",), "2.5")
        _check_sections(header.verb, message.request, message.reply)
        values: dict[str, Any] = {"Header": header, "Payload": self._write_payload(message)}
        if root == REQUEST:
            values["Request"] = self._write_request(message.request)
        elif root == RESPONSE:
            values["Reply"] = message.reply
        return root, self.bodies[root](**values)

    def _write_request(self, request: Request | None) -> Struct | None:
        if request is None:
            return None
        values = {name: getattr(request, name) for name in _KEPT_OF_REQUEST}
        if request.query is not None:
            name = type(request.query).__name__
            if self._queries.get(name) is not type(request.query):
                raise MisfitError(f"holds {name}, which is no Get profile of the catalogue", ("Request",), "1.8")
            values[name] = request.query
        return self._request(**values)

    def _write_payload(self, message: Message[Any]) -> Struct | None:
        if message.payload is None and message.enclosure is None:
            return None
        if message.enclosure == _NOTHING:
            raise MisfitError("has an enclosure with nothing in it", ("Payload",), "1.8")
        enclosure = message.enclosure or _NOTHING
        values = {name: getattr(enclosure, name) for name in _KEPT_OF_ENCLOSURE}
        if message.payload is not None:
            values[message.header.noun] = message.payload
        return self._payload(**values)


def root_of(verb: Verb) -> str:
    """The root element of a message with this verb."""
    return _ROOTS[verb]


def _check_sections(verb: Verb, request: Request | None, reply: Reply | None) -> None:
    if request is not None and not verb.is_request:
        raise MisfitError(f"does not belong to the verb {verb}", ("Request",), "1.8")
    if reply is not None and verb is not Verb.REPLY:
        raise MisfitError(f"does not belong to the verb {verb}", ("Reply",), "1.8")
    if reply is None and verb is Verb.REPLY:
        raise MisfitError("is missing in a reply", ("Reply",), "1.8")


def _read_request(wire: Any, queries: int) -> Request | None:
    if wire is None:
        return None
    values = astuple(wire)
    at = _KEPT_OF_REQUEST.index("any")
    asked = [*filter(None, values[at : at + queries])]
    if len(asked) > 1:
        raise MisfitError("holds more than one Get profile", ("Request",), "1.8")
    kept = dict(zip(_KEPT_OF_REQUEST, values[:at] + values[at + queries :], strict=True))
    return Request(**kept, query=asked[0] if asked else None)


def _read_payload(wire: Any, nouns: int) -> tuple[Any, Enclosure | None]:
    if wire is None:
        return None, None
    values = astuple(wire)
    told = nouns - values[:nouns].count(None)
    if told > 1:
        raise MisfitError("holds more than one noun", ("Payload",), "1.8")
    noun = next(filter(None, values)) if told else None  # no struct is false
    kept = values[nouns:]
    enclosure = None if kept == _NOTHING_KEPT else Enclosure(**dict(zip(_KEPT_OF_ENCLOSURE, kept, strict=True)))
    return noun, enclosure


def _struct(name: str, definitions: Iterable[Definition]) -> type[Struct]:
    return defstruct(name, definitions, kw_only=True, omit_defaults=True, forbid_unknown_fields=True)


def _optional(name: str, struct: type[Struct]) -> Definition:
    return name, struct | None, None


def _with_profiles(struct: type[Struct], profiles: Iterable[NounType]) -> list[Definition]:
    """The fields of a struct of the contracts, with the profiles, each by name, before its ``any`` elements."""
    definitions: list[Definition] = []
    for known in fields(struct):
        if known.name == "query":
            continue
        if known.name == "any":
            definitions += [
                (profile.__name__, Annotated[profile, Meta(extra={"xml": ROOT})] | None, None) for profile in profiles
            ]
        default = {} if known.default is NODEFAULT else {"default": known.default}
        definitions.append((known.name, known.type, field(name=known.encode_name, **default)))
    return definitions
