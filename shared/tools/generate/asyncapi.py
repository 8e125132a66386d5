"""AsyncAPI 3.0: the channels, messages and operations of all roles, derived from the interfaces.

The addresses come from the grammar of the subjects, and the consumers from the rule by which the bootstrap makes them,
so the document tells of the bus as it is. The id of an operation is a promise in words, such as
``fault-management.serves.create.TroubleTickets.request``; by these ids two versions of the contracts are compared.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from contracts.interface import (
    Catalogue,
    Exchange,
    Interface,
    Lane,
    Mode,
    NounType,
)
from contracts.verbs import Verb
from shared.bus.subjects import CONTEXTS, CommandSubject, EventSubject, ReplySubject, RequestSubject, Space, inbox
from shared.bus.topology import durables
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML
from shared.codec.wire import root_of
from shared.envelope import PRODUCER, SEQUENCE

Node = dict[str, Any]

_GENERATED = "# Generated from the contracts by `busbar contracts`; what is changed by hand is lost.\n"
_DESCRIPTION = (
    "What the roles of the system say to each other on NATS, in messages of IEC 61968-100. The payloads are the JSON "
    "Schemas of json/; xsd/ has the same as XML Schemas, since a message is XML unless it says otherwise. Imperative "
    "verbs are requests (core NATS, answered at once) or commands (JetStream, answered later); verbs in the past tense "
    "are events (JetStream). The broker vouches for the asker of a request and for the source of an event."
)
_PARAMETERS: dict[str, Node] = {
    "root": {"description": "The utility.", "default": "busbar"},
    "context": {"description": "The Context of IEC 61968-100.", "enum": list(CONTEXTS), "default": CONTEXTS[0]},
    "asker": {"description": "The role that asks, which is the Source in the header."},
    "responder": {"description": "The role that answers."},
    "messageId": {"description": "The MessageID of the command."},
    "partition": {"description": "crc32 of the key of the event, modulo the number of partitions of its lane."},
    "token": {"description": "What tells one request of a process from another."},
}
_HEADERS: Node = {
    "type": "object",
    "properties": {
        "Content-Type": {"type": "string", "enum": [CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK]},
        "Nats-Msg-Id": {"type": "string", "description": "The MessageID; a stream stores it once."},
        PRODUCER: {"type": "string", "description": "The role that tells the event."},
        SEQUENCE: {"type": "string", "description": "Counts what a producer tells on a subject, from 1."},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
        "tracestate": {"type": "string", "description": "W3C Trace Context."},
    },
}
_SCHEMA_FORMAT = "application/schema+json;version=2020-12"
_ROOT, _ASKER, _RESPONDER, _MESSAGE_ID = "ROOT", "ASKER", "RESPONDER", "MESSAGE-ID"
_SPACE = {"root": _ROOT, "context": CONTEXTS[0]}
_PLACES = {
    _ROOT: "{root}",
    CONTEXTS[0]: "{context}",
    _ASKER: "{asker}",
    _RESPONDER: "{responder}",
    _MESSAGE_ID: "{messageId}",
}
"""Tokens that the grammar takes, and the parameters that stand in their places in the document."""


def document(catalogue: Catalogue) -> str:
    """The whole document in YAML."""
    interfaces = list(catalogue.interfaces.values())
    channels = dict(sorted(_channels(catalogue)))
    said = sorted({message for channel in channels.values() for message in channel["messages"]})
    tree = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Busbar",
            "version": str(max(int(interface.revision) for interface in interfaces)),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
            "x-roles": {interface.role: _role(interface) for interface in interfaces},
        },
        "defaultContentType": CONTENT_XML,
        "servers": {
            "nats": {"host": "localhost:4222", "protocol": "nats", "security": [_at("securitySchemes", "nkey")]}
        },
        "channels": channels,
        "operations": dict(sorted(operation for each in interfaces for operation in _operations(catalogue, each))),
        "components": {
            "messages": {message: _message(message) for message in said},
            "messageTraits": {"envelope": {"contentType": CONTENT_XML, "headers": _HEADERS}},
            "parameters": _PARAMETERS,
            "securitySchemes": {
                "nkey": {"type": "asymmetricEncryption", "description": "An NKey for each role and context."}
            },
        },
    }
    return _GENERATED + yaml.dump(tree, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=120)


def _role(interface: Interface) -> Node:
    return {
        "title": interface.title,
        "part": interface.part,
        "revision": interface.revision,
        "field": interface.field,
        "state": [noun.__name__ for noun in interface.state],
        **({"records": [str(lane) for lane in interface.records]} if interface.records else {}),
    }


class _Dumper(yaml.SafeDumper):
    """Writes each thing out where it stands."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is that of the library
        return True


def _channels(catalogue: Catalogue) -> Iterator[tuple[str, Node]]:
    replies: set[str] = set()
    for interface in catalogue.interfaces.values():
        for served in interface.serves:
            replies.add(f"{Verb.REPLY}.{served.noun.__name__}")
            for transport, subject in _subjects(interface.role, served).items():
                name = _asked(transport, interface.role, served.verb, served.noun)
                yield name, _channel(_address(subject), [f"{served.verb}.{served.noun.__name__}"])
        for told in interface.publishes:
            noun = told.noun.__name__
            event = EventSubject(
                **_SPACE, lane=told.lane, source=interface.role, noun=noun, verb=told.verb, partition=0
            )
            address = _address(event).rpartition(".")[0] + ".{partition}"
            yield _told(told.lane, interface.role, told.verb, told.noun), _channel(address, [f"{told.verb}.{noun}"])
    reply = ReplySubject(**_SPACE, asker=_ASKER, message_id=_MESSAGE_ID, responder=_RESPONDER)
    yield "reply.command", _channel(_address(reply), sorted(replies))
    prefix = inbox(CONTEXTS[0], _ASKER).replace(CONTEXTS[0], "{context}").replace(_ASKER, "{asker}")
    yield "reply.request", _channel(f"{prefix}.{{token}}", sorted(replies))


def _subjects(role: str, served: Exchange) -> dict[str, RequestSubject | CommandSubject]:
    """The subjects on which an exchange is asked for, by transport: all but ``get`` may be asked durably as well."""
    tokens = {**_SPACE, "role": role, "noun": served.noun.__name__, "asker": _ASKER}
    subjects: dict[str, RequestSubject | CommandSubject] = {"request": RequestSubject(**tokens, verb=served.verb)}
    if served.verb is not Verb.GET:
        subjects["command"] = CommandSubject(**tokens, verb=served.verb)
    return subjects


def _address(subject: object) -> str:
    return ".".join(_PLACES.get(token, token) for token in str(subject).split("."))


def _asked(transport: str, role: str, verb: Verb, noun: NounType) -> str:
    return f"{transport}.{role}.{verb}.{noun.__name__}"


def _told(lane: Lane, role: str, verb: Verb, noun: NounType) -> str:
    return f"event.{lane}.{role}.{verb}.{noun.__name__}"


def _channel(address: str, messages: list[str]) -> Node:
    parameters = [token.partition("}")[0] for token in address.split("{")[1:]]
    return {
        "address": address,
        "messages": {message: _at("messages", message) for message in messages},
        "parameters": {parameter: _at("parameters", parameter) for parameter in parameters},
    }


def _message(name: str) -> Node:
    """A message whose payload is the envelope with this verb and noun in its header."""
    verb, _, noun = name.partition(".")
    root = root_of(Verb(verb))
    header = {"properties": {"Verb": {"const": verb}, "Noun": {"const": noun}}}
    narrowed = {"required": [root], "properties": {root: {"properties": {"Header": header}}}}
    return {
        "name": name,
        "title": f"{verb} {noun}",
        "traits": [_at("messageTraits", "envelope")],
        "correlationId": {"location": f"$message.payload#/{root}/Header/CorrelationID"},
        "payload": {
            "schemaFormat": _SCHEMA_FORMAT,
            "schema": {"allOf": [{"$ref": "./json/Message.json"}, narrowed]},
        },
    }


def _operations(catalogue: Catalogue, interface: Interface) -> Iterator[tuple[str, Node]]:
    role = interface.role
    for served in interface.serves:
        for transport in _subjects(role, served):
            channel = _asked(transport, role, served.verb, served.noun)
            operation = _operation("receive", role, channel) | _reply(transport, served.noun)
            if transport == "request":
                operation["bindings"] = {"nats": {"queue": role, "bindingVersion": "0.1.0"}}
            else:
                operation["x-jetstream"] = _consumers(catalogue, role, transport, None)
            if served.query is not None:
                operation["x-query"] = served.query.__name__
            yield f"{role}.serves.{served.verb}.{served.noun.__name__}.{transport}", operation
    for ask in interface.asks:
        for transport in _subjects(ask.role, Exchange(verb=ask.verb, noun=ask.noun)):
            channel = _asked(transport, ask.role, ask.verb, ask.noun)
            operation = _operation("send", role, channel) | _reply(transport, ask.noun)
            yield f"{role}.asks.{ask.role}.{ask.verb}.{ask.noun.__name__}.{transport}", operation
    for told in interface.publishes:
        operation = _operation("send", role, _told(told.lane, role, told.verb, told.noun))
        yield f"{role}.publishes.{told.verb}.{told.noun.__name__}", operation
    for heard in interface.subscribes:
        lane = catalogue.lane(heard.role, heard.verb, heard.noun.__name__)
        operation = _operation("receive", role, _told(lane, heard.role, heard.verb, heard.noun))
        operation["x-mode"] = str(heard.mode)
        if heard.mode is not Mode.FOLLOW:
            operation["x-jetstream"] = _consumers(catalogue, role, lane, heard.mode)
        yield f"{role}.hears.{heard.role}.{heard.verb}.{heard.noun.__name__}", operation


def _operation(action: str, role: str, channel: str) -> Node:
    """An operation on the one message of a channel."""
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "tags": [{"name": role}],
    }


def _reply(transport: str, noun: NounType) -> Node:
    """Where the answer comes: in the inbox of who requests, in the stream of replies for who commands."""
    channel = f"#/channels/reply.{transport}"
    messages = [{"$ref": f"{channel}/messages/{Verb.REPLY}.{noun.__name__}"}]
    return {"reply": {"channel": {"$ref": channel}, "messages": messages}}


def _consumers(catalogue: Catalogue, role: str, kind: str, mode: Mode | None) -> Node:
    """The stream from which a role takes commands or events, and the durables by which it does."""
    stream = Space(**_SPACE).stream(kind)
    found = [each for each in durables(catalogue, **_SPACE, role=role) if each.stream == stream and each.mode is mode]
    shown = stream.replace(_ROOT, "{root}").replace(CONTEXTS[0], "{context}")
    return {"stream": shown, "durables": [each.name for each in found]}


def _at(kind: str, name: str) -> Node:
    return {"$ref": f"#/components/{kind}/{name}"}
