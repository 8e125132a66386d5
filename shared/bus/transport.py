"""The socket below nats-py: closed at once when it is given up, and read past nats-py where many messages come."""

from urllib.parse import ParseResult

from nats.aio.transport import TcpTransport

from shared.bus.frames import Frames

READ_BYTES = 1 << 18
"""How much is read at a time, as much as uvloop reads."""


class AbortingTransport(TcpTransport):
    """A TCP transport whose ``close`` does not wait for a peer that has stopped reading.

    nats-py closes the old socket before it connects anew and waits for that; the socket waits until all that was
    written is sent. If the peer is half-open and the send buffer is full, that is minutes. What was written to such
    a peer is lost in any case, and before an orderly end the bus makes sure that everything has arrived.

    Connecting, credentials, TLS, pings and reconnecting stay with nats-py. It gets what :class:`Frames` leaves of what
    comes.

    Attributes:
        frames: cuts out the messages that have a taker.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # nats-py has no types here
        self.frames = Frames()

    def __bool__(self) -> bool:
        """True before connecting too: nats-py replaces a transport that is false by its own."""
        return True

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        """Connects, after closing what an attempt before has left open, which nats-py forgets."""
        self.close()
        self.frames.restart()
        await super().connect(uri, max(buffer_size, READ_BYTES), connect_timeout)

    async def read(self, buffer_size: int) -> bytes:
        """What has come and is for nats-py, which may be nothing."""
        return self.frames.split(await super().read(max(buffer_size, READ_BYTES)))

    def close(self) -> None:
        """Drops the connection with what is not sent."""
        if self._io_writer is not None:
            self._io_writer.transport.abort()

    def write(self, payload: bytes) -> None:
        """Sends whole commands; what is written between two writes of nats-py stands between its commands."""
        super().write(payload)  # type: ignore[no-untyped-call]  # nats-py has no types here
