"""`busbar load`: a folder of requests put to the roles that serve them, as a utility's own systems would.

Files are taken in the order of their names; those whose names begin with the same number, such as ``020-meters-1.xml``
and ``020-meters-2.xml``, go side by side. Each keeps its MessageID, or gets one that follows from what is in it, so a
folder that is loaded again, or whose loading was broken off, has every effect once.
"""

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from msgspec import Struct

from contracts.errors import BusbarError, Invalid, Unavailable, from_reply
from contracts.message import Message
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_XML
from shared.config import Settings
from shared.envelope import success
from shared.tools.cli.asking import operator, serving
from shared.tools.cli.composition import Composition
from shared.tools.cli.looking import show
from shared.tools.testing import Peer

PATIENCE_S = 120.0
"""How long a role that is away is waited for."""

ANSWER_S = 60.0
RETRY_S = 0.5
SUFFIXES = frozenset({".xml", ".json"})

_NUMBER = re.compile(r"\d+")


class Refusal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that had no effect, or only a part of it, with the code of 61968-9."""

    file: str
    code: str
    reason: str
    object: str | None = None


class Loaded(Struct, frozen=True, kw_only=True):
    """What became of a folder; the names are those of ``--json``."""

    messages: int
    objects: int
    accepted: int
    refused: tuple[Refusal, ...]
    seconds: float
    messages_per_s: float
    objects_per_s: float


async def load(
    settings: Settings, composition: Composition, folder: Path, *, parallel: int, role: str | None, as_json: bool
) -> int:
    """Put every request below ``folder`` to its role; 0 when none was refused, else 1.

    Raises:
        Invalid: there is no such folder, or no message in it.
    """
    files = await asyncio.to_thread(_files, folder)
    began = time.monotonic()
    refusals: list[Refusal] = []
    objects = done = 0
    async with operator(settings, composition) as peer:
        loader = _Loader(peer, composition, folder, role)
        for wave in _waves(files):
            for place in range(0, len(wave), parallel):
                found = await asyncio.gather(*map(loader.put, wave[place : place + parallel]))
                for count, refused in found:
                    objects += count
                    refusals += refused
                done += len(found)
                _progress(done, len(files), time.monotonic() - began)
    seconds = time.monotonic() - began
    loaded = Loaded(
        messages=len(files),
        objects=objects,
        accepted=len(files) - len({refusal.file for refusal in refusals}),
        refused=tuple(refusals),
        seconds=round(seconds, 3),
        messages_per_s=round(len(files) / seconds, 1),
        objects_per_s=round(objects / seconds, 1),
    )
    if as_json:
        show(loaded)
    else:
        sys.stdout.write(_summary(loaded))
    return 1 if refusals else 0


class _Loader:
    """Puts files to roles, one message each."""

    def __init__(self, peer: Peer, composition: Composition, folder: Path, role: str | None) -> None:
        self._peer = peer
        self._composition = composition
        self._folder = folder
        self._role = role

    async def put(self, file: Path) -> tuple[int, list[Refusal]]:
        """How many objects of a file were taken, and what was refused of it."""
        name = str(file.relative_to(self._folder))
        body = await asyncio.to_thread(file.read_bytes)
        try:
            message = self._read(body)
            count = _objects(message.payload)
            answer = await self._insist(message, body)
        except BusbarError as error:
            return 0, [Refusal(file=name, code=error.code, reason=error.reason, object=error.object_id)]
        reply = answer.reply or success()
        if from_reply(reply) is None and not any(error.level == "FATAL" for error in reply.error):
            return count, []
        told = [
            Refusal(
                file=name,
                code=error.code,
                reason=error.reason or error.details or "",
                object=None if error.id is None else error.id.value,
            )
            for error in reply.error
        ]
        return 0, told

    def _read(self, body: bytes) -> Message[object]:
        content_type = CONTENT_JSON if body.lstrip()[:1] in {b"{", b"["} else CONTENT_XML
        message = self._peer.codec.decode(body, content_type)
        if not isinstance(message, Message) or message.header.verb is Verb.GET or not message.header.verb.is_request:
            raise Invalid("only requests that change something can be loaded", code="1.1")
        if message.payload is None:
            raise Invalid(f"Payload: a '{message.header.verb} {message.header.noun}' needs one", code="1.7")
        return message

    async def _insist(self, message: Message[object], body: bytes) -> Message[object]:
        """The answer of the role that serves it, asked again under the same MessageID while it is away."""
        header = message.header
        role = serving(self._composition, header.verb, header.noun, self._role)
        message_id = header.message_id or str(uuid5(NAMESPACE_OID, sha256(body).hexdigest()))
        thread = header.correlation_id or message_id
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            with suppress(Unavailable):
                answer = await self._peer.request(
                    role,
                    header.verb,
                    message.payload,
                    timeout_s=ANSWER_S,
                    message_id=message_id,
                    correlation_id=thread,
                )
                refusal = None if answer.reply is None else from_reply(answer.reply)
                if not isinstance(refusal, Unavailable):
                    return answer
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"'{role}' did not answer for {PATIENCE_S:.0f} s")
            await asyncio.sleep(RETRY_S)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise Invalid(f"there is no folder '{folder}'")
    files = sorted(file for file in folder.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise Invalid(f"there is no message in '{folder}': files end with .xml or .json")
    return files


def _waves(files: list[Path]) -> Iterator[list[Path]]:
    """Files that may go side by side: those of one folder whose names begin with the same number."""

    def wave(file: Path) -> tuple[str, str]:
        number = _NUMBER.match(file.name)
        return str(file.parent), file.name if number is None else number.group()

    for _, together in groupby(files, wave):
        yield list(together)


def _objects(payload: object) -> int:
    """How many objects a container holds."""
    held = (getattr(payload, name) for name in getattr(payload, "__struct_fields__", ()))
    return sum(len(objects) for objects in held if isinstance(objects, tuple))


def _progress(done: int, of: int, seconds: float) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        sys.stderr.write(f"\r{done} of {of} messages, {done / seconds:.0f} a second {end}")
        sys.stderr.flush()


def _summary(loaded: Loaded) -> str:
    lines = [f"{refusal.file}: {refusal.reason} ({refusal.code})" for refusal in loaded.refused]
    lines.append(
        f"{loaded.accepted} of {loaded.messages} messages with {loaded.objects} objects were taken,"
        f" {len(loaded.refused)} refusals; {loaded.seconds:.1f} s, {loaded.objects_per_s:.0f} objects a second."
    )
    return "\n".join(lines) + "\n"
