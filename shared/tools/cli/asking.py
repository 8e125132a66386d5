"""The person at the command line as a peer on the bus: the operator asks, the auditor listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec

from contracts.errors import NotFound, Unavailable, from_reply
from contracts.message import Message, Reply
from contracts.verbs import Verb
from shared.bus.subjects import AUDITOR, OPERATOR, AdminSubject, AdminVerb
from shared.config import Settings
from shared.envelope import success
from shared.tools.cli.composition import Composition
from shared.tools.testing import Peer

RETRY_S = 0.2
"""How long to wait before a role that is away is asked again."""


@asynccontextmanager
async def operator(settings: Settings, composition: Composition) -> AsyncIterator[Peer]:
    """The operator, connected."""
    async with Peer(settings, composition.catalogue, OPERATOR) as peer:
        yield peer


@asynccontextmanager
async def auditor(settings: Settings, composition: Composition) -> AsyncIterator[Peer]:
    """The auditor, connected."""
    async with Peer(settings, composition.catalogue, AUDITOR) as peer:
        yield peer


async def asked(peer: Peer, role: str, verb: Verb, payload: Any, *, timeout_s: float = 10.0, **options: Any) -> Any:
    """The payload of what ``role`` answers.

    Raises:
        BusbarError: what it refuses, or that nobody answers.
    """
    answer: Message[Any] = await peer.request(role, verb, payload, timeout_s=timeout_s, **options)
    reply: Reply = answer.reply or success()
    error = from_reply(reply)
    if error is not None:
        raise error
    return answer.payload


async def insisted(
    peer: Peer,
    role: str,
    verb: Verb,
    payload: Any,
    *,
    patience_s: float = 60.0,
    timeout_s: float = 10.0,
    **options: Any,
) -> Any:
    """The same, asked again while ``role`` is away: under one MessageID, so it has its effect once.

    Raises:
        BusbarError: what it refuses, or that nobody answers for ``patience_s``.
    """
    message_id = str(uuid4())
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            return await asked(peer, role, verb, payload, message_id=message_id, timeout_s=timeout_s, **options)
        except Unavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(RETRY_S)


async def told(peer: Peer, role: str, verb: AdminVerb, question: object = None, *, timeout_s: float = 5.0) -> Any:
    """What ``role`` tells of itself.

    Raises:
        Unavailable: the role is away, or is a product that does not offer this.
    """
    subject = AdminSubject(root=peer.space.root, context=peer.space.context, role=role, verb=verb)
    body = b"" if question is None else msgspec.json.encode(question)
    answer = await peer.bus.request(str(subject), body, timeout_s=timeout_s)
    return msgspec.json.decode(answer.body)


def serving(composition: Composition, verb: Verb, noun: str, role: str | None) -> str:
    """The role that serves a request.

    Raises:
        NotFound: nobody does, or several do and none was named.
    """
    found = [
        interface.role
        for interface in composition.catalogue.interfaces.values()
        for exchange in interface.serves
        if exchange.verb is verb and exchange.noun.__name__ == noun and role in {None, interface.role}
    ]
    if len(found) != 1:
        who = ", ".join(found) or "nobody"
        raise NotFound(f"'{verb} {noun}' is served by {who}; name one with --role")
    return found[0]
