"""`busbar send` and `busbar tail`: say something on the bus as a peer would, and hear what is said."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from lxml import etree
from msgspec import structs

from contracts.errors import Invalid, from_reply
from contracts.interface import Lane
from contracts.message import Message
from contracts.verbs import Verb
from shared.bus.subjects import OPERATOR
from shared.codec import CONTENT_JSON, CONTENT_XML
from shared.config import Settings
from shared.envelope import success
from shared.tools.cli.asking import auditor, operator, serving
from shared.tools.cli.composition import Composition
from shared.tools.testing import Heard, Peer


async def send(
    settings: Settings,
    composition: Composition,
    *,
    verb: Verb,
    noun: str,
    file: Path | None,
    role: str | None,
    ids: list[str],
    as_json: bool,
) -> int:
    """Ask the role that serves ``verb noun`` with the message or the bare noun in ``file``, and print its reply.

    Returns:
        0 when the request did not fail, else 1.
    """
    kind = composition.catalogue.nouns.get(noun)
    if kind is None:
        raise Invalid(f"there is no noun '{noun}'", code="2.5")
    to = serving(composition, verb, noun, role)
    body = None if file is None else await asyncio.to_thread(file.read_bytes)
    async with operator(settings, composition) as peer:
        payload = kind if body is None else _payload(peer, verb, noun, body)
        answer = await peer.request(to, verb, payload, ids=ids, timeout_s=30.0)
        sys.stdout.write(_text(peer, answer, as_json=as_json) + "\n")
    return 0 if from_reply(answer.reply or success()) is None else 1


async def tail(
    settings: Settings, composition: Composition, *, noun: str, raw: bool, as_json: bool, count: int | None
) -> int:
    """Print events of a noun as they are told, or of all nouns for ``*``."""
    async with auditor(settings, composition) as peer:
        for lane in Lane:
            if lane not in {Lane.JOURNAL, Lane.DEAD}:
                space = peer.space
                await peer.follow(f"{space.root}.{space.context}.event.{lane}.*.{noun}.*.*")
        sys.stderr.write(f"Listening in context {settings.context}.\n")
        told = 0
        while count is None or told < count:
            heard = await peer.next(timeout_s=float("inf"))
            text = _text(peer, heard.message, as_json=as_json) if raw or as_json else _line(heard)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
            told += 1
    return 0


def _payload(peer: Peer, verb: Verb, noun: str, body: bytes) -> Any:
    """The noun in a file: of a whole message, or bare, in XML or JSON."""
    content_type = CONTENT_JSON if body.lstrip()[:1] in {b"{", b"["} else CONTENT_XML
    if content_type == CONTENT_XML and not _is_message(body):
        header = structs.replace(peer.header(verb, noun), source=OPERATOR)
        empty = peer.codec.encode(Message(header=header), CONTENT_XML)
        envelope = etree.fromstring(empty, _PARSER)
        holder = etree.SubElement(envelope, envelope.tag.replace("RequestMessage", "Payload"))
        holder.append(etree.fromstring(body, _PARSER))
        body = etree.tostring(envelope)
    message = peer.codec.decode(body, content_type)
    if not isinstance(message, Message) or message.payload is None:
        raise Invalid(f"the file holds no {noun}", code="1.7")
    return message.payload


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)


def _is_message(body: bytes) -> bool:
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError as error:
        raise Invalid(f"the file is not well-formed XML (line {error.lineno})", code="1.8") from None
    return etree.QName(root).localname.endswith("Message")


def _text(peer: Peer, message: Message[Any], *, as_json: bool) -> str:
    if as_json:
        return peer.codec.encode(message, CONTENT_JSON).decode()
    return etree.tostring(
        etree.fromstring(peer.codec.encode(message, CONTENT_XML), _PARSER), pretty_print=True
    ).decode()


def _line(heard: Heard) -> str:
    header = heard.message.header
    time = "" if header.timestamp is None else header.timestamp.strftime("%H:%M:%S.%f")[:-3]
    return f"{time}  {header.source:26} {header.verb:9} {header.noun:20} {_about(heard.message.payload)}"


def _about(payload: Any) -> str:
    """The identities of the objects in a container, and a state where they have one."""
    told = []
    for name in getattr(payload, "__struct_fields__", ()):
        objects = getattr(payload, name)
        for each in objects if isinstance(objects, tuple) else ():
            mrid, status = getattr(each, "mrid", None), getattr(each, "status", None)
            told.append(" ".join(str(part) for part in (mrid, getattr(status, "value", None)) if part))
    return ", ".join(told[:4]) + (" ..." if len(told) > 4 else "")  # noqa: PLR2004
