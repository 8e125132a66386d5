"""A TCP proxy that misbehaves on demand: cut connections, half-open peers, slow lines. For tests on loopback."""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class TcpProxy:
    """Forwards each connection to a target, until it is told otherwise.

    ``async with TcpProxy("127.0.0.1", 4222) as proxy:`` listens on ``proxy.port`` of the loopback address.

    Args:
        host: the target's.
        port: the target's.

    Attributes:
        delay_s: how long each piece is held back before it is forwarded, in seconds.
        accepted: how many connections were made to the proxy.
    """

    def __init__(self, host: str, port: int) -> None:
        self.delay_s = 0.0
        self.accepted = 0
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        self._reset_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where the proxy listens."""
        if self._server is None:
            raise RuntimeError("the proxy listens only inside its 'async with'")
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self, *, refuse: bool = False) -> None:
        """Resets all connections; new ones are made, or with ``refuse`` reset too until :meth:`restore`."""
        self._refusing = refuse
        self._reset_all()

    def freeze(self) -> None:
        """Keeps and accepts connections and forwards nothing: both sides look half-open to each other."""
        self._flowing.clear()

    def restore(self) -> None:
        """Forwards again, also what was held back, and accepts."""
        self._refusing = False
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            if self._refusing:
                _reset(writer)
                return
            await self._flowing.wait()
            target_reader, target_writer = await asyncio.open_connection(*self._target)
            self._writers.add(target_writer)
            await self._join(reader, writer, target_reader, target_writer)
        except OSError:
            _reset(writer)
        except asyncio.CancelledError:
            pass  # the proxy ends; a cancelled handler would be reported as an error of the server
        finally:
            self._writers.discard(writer)
            if task is not None:
                self._tasks.discard(task)

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        target_reader: asyncio.StreamReader,
        target_writer: asyncio.StreamWriter,
    ) -> None:
        there = asyncio.create_task(self._forward(reader, target_writer))
        back = asyncio.create_task(self._forward(target_reader, writer))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            self._writers.discard(target_writer)
            writer.close()
            target_writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_CHUNK_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._flowing.wait()
                writer.write(piece)
                await writer.drain()

    def _reset_all(self) -> None:
        for writer in tuple(self._writers):
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST, so the other side knows at once."""
    peer = writer.get_extra_info("socket")
    if peer is not None:
        with suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
