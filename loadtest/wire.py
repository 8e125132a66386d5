"""A connection to the broker for a generator: many messages in one write, and answers in one read.

It knows what a generator needs of the protocol of NATS and nothing of the kernel, so what is measured does not measure
itself: publish with headers and a reply subject, and hear the own inbox. A connection that breaks is made anew by
:class:`Wire`; what had no answer then is for the caller to say again.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import nkeys  # type: ignore[import-untyped]  # it has neither annotations nor stubs

Answer = Callable[[int, memoryview], None]
"""Takes the number of the message that is answered, and the answer."""

_RETRY_S = 0.2
_LINE = b"\r\n"


class Wire(asyncio.Protocol):
    """One connection of one role.

    Args:
        url: ``nats://host:port``.
        seed: the file with the seed of the role's NKey.
        inbox: the inbox prefix of the role; nobody else's answers are heard.
        on_answer: is given each answer as it comes.

    Attributes:
        refusals: what the broker did not like, in its words.
        reconnects: how often the connection was made anew.
    """

    def __init__(self, url: str, seed: Path, inbox: str, on_answer: Answer) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 4222
        self._seed = seed.read_text(encoding="ascii").strip().encode()
        self._inbox = inbox.encode()
        self._on_answer = on_answer
        self._transport: asyncio.Transport | None = None
        self._left = b""
        self._ready = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self.refusals: list[str] = []
        self.reconnects = 0

    async def open(self) -> None:
        """Connect, and stay connected until :meth:`close`."""
        self._keeper = asyncio.create_task(self._keep(), name="wire")
        await self._ready.wait()

    async def close(self) -> None:
        """Disconnect."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        if self._transport is not None:
            self._transport.close()

    @property
    def is_open(self) -> bool:
        """True while messages can be written."""
        return self._ready.is_set()

    @property
    def can_take_more(self) -> bool:
        """True while what was written goes out."""
        return self._writable.is_set()

    async def can_write(self) -> None:
        """Wait until the connection takes more."""
        await self._ready.wait()
        await self._writable.wait()

    def frame(self, number: int, subject: bytes, headers: bytes, body: bytes) -> bytes:
        """A message whose answer comes as that of ``number``."""
        reply = b"%s.%d" % (self._inbox, number)
        size = len(headers)
        return b"HPUB %s %s %d %d\r\n%s%s\r\n" % (subject, reply, size, size + len(body), headers, body)

    def write(self, frames: list[bytes]) -> None:
        """Send frames; nothing happens while the connection is away."""
        if self._transport is not None and self._ready.is_set():
            self._transport.write(b"".join(frames))

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The broker will say INFO."""
        self._transport = cast("asyncio.Transport", transport)  # that of uvloop does not say so
        self._transport.set_write_buffer_limits(high=4 << 20)
        self._left = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Have the keeper connect again."""
        del exc
        self._ready.clear()
        self._writable.set()
        self._lost.set()

    def pause_writing(self) -> None:
        """The broker reads slower than is written."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Take all messages that are whole, and keep the rest."""
        buffer = self._left + data if self._left else data
        view, at, end = memoryview(buffer), 0, len(buffer)
        while (line_end := buffer.find(_LINE, at)) >= 0:
            line = buffer[at:line_end]
            body = line_end + 2
            if line.startswith((b"MSG", b"HMSG")):
                words = line.split(b" ")
                size = int(words[-1])
                if body + size + 2 > end:
                    break
                start = body + int(words[-2]) if line[:1] == b"H" else body
                self._take(words[1], view[start : body + size], view[body:start])
                at = body + size + 2
                continue
            at = body
            self._control(line)
        self._left = buffer[at:]

    def _take(self, subject: bytes, body: memoryview, headers: memoryview) -> None:
        tail = subject.rpartition(b".")[2]
        if not tail.isdigit():
            return
        # "no responders" is a header without a body
        self._on_answer(int(tail), body if len(body) else headers)

    def _control(self, line: bytes) -> None:
        if line.startswith(b"INFO "):
            self._greet(json.loads(line[5:]))
        elif line == b"PING":
            self._send(b"PONG\r\n")
        elif line == b"PONG":
            self._ready.set()
        elif line.startswith(b"-ERR"):
            self.refusals.append(line[5:].decode(errors="replace"))

    def _greet(self, info: dict[str, Any]) -> None:
        if self._ready.is_set():
            return  # told again by a cluster
        keys = nkeys.from_seed(bytearray(self._seed))
        signature = base64.urlsafe_b64encode(keys.sign(str(info.get("nonce", "")).encode())).rstrip(b"=")
        said = {
            "verbose": False,
            "pedantic": False,
            "headers": True,
            "no_responders": True,
            "lang": "python",
            "version": "1",
            "protocol": 1,
            "name": "loadtest",
            "nkey": keys.public_key.decode(),
            "sig": signature.decode(),
        }
        self._send(b"CONNECT %s\r\nSUB %s.* 1\r\nPING\r\n" % (json.dumps(said).encode(), self._inbox))

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._lost.clear()
            try:
                await loop.create_connection(lambda: self, self._host, self._port)
            except OSError:
                await asyncio.sleep(_RETRY_S)
                continue
            await self._lost.wait()
            self.reconnects += 1
            await asyncio.sleep(_RETRY_S)
