"""The socket below nats-py, closed at once when the connection is given up."""

from urllib.parse import ParseResult

from nats.aio.transport import TcpTransport


class AbortingTransport(TcpTransport):
    """A TCP transport whose ``close`` does not wait for a peer that has stopped reading.

    nats-py closes the old socket before it connects anew and waits for that; the socket waits until all that was
    written is sent. If the peer is half-open and the send buffer is full, that is minutes. What was written to such
    a peer is lost in any case, and before an orderly end the bus makes sure that everything has arrived.
    """

    def __bool__(self) -> bool:
        """True before connecting too: nats-py replaces a transport that is false by its own."""
        return True

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        """Connects, after closing what an attempt before has left open, which nats-py forgets."""
        self.close()
        await super().connect(uri, buffer_size, connect_timeout)

    def close(self) -> None:
        """Drops the connection with what is not sent."""
        if self._io_writer is not None:
            self._io_writer.transport.abort()
