"""A server process of our own: one on each folder, stopped by its own process id, never outliving its supervisor."""

import asyncio
import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from errno import EACCES
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any, NamedTuple, TypeVar

from shared.tools import server_guard

T = TypeVar("T")

_CLAIM_S = 5.0
"""How long the processes of a killed server may take to be gone."""

_READY_S = 60.0
"""How long a server may take to be ready; a recovery after a crash is the longest case."""

_GRACE_S = 10.0
"""How long a server may take for each stop signal."""

_LOG_LIMIT_BYTES = 16 * 1024 * 1024


class ServerError(Exception):
    """A server did not start or may not; the message names the cause and what to do."""


class Account(NamedTuple):
    """The user and the group that a process runs as."""

    uid: int
    gid: int


def as_account(account: Account | None) -> dict[str, Any]:
    """The arguments of :class:`subprocess.Popen` that run a process as ``account``; None is whoever we are."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def make_state(state: Path) -> None:
    """Make the state directory if there is none; one that exists keeps its permissions.

    Root's is traversable by others (0711), since PostgreSQL must reach its data below it and refuses to run as root;
    what is secret in it has permissions of its own.

    Raises:
        ServerError: the state directory cannot be made or written.
    """
    try:
        if not state.exists():
            state.mkdir(parents=True)
            state.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if not os.access(state, os.W_OK | os.X_OK):
            raise PermissionError(EACCES, "it belongs to another user")
        (state / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ServerError(
            f"The state directory {state} cannot be written: {error.strerror}. Name another one in BUSBAR_STATE."
        ) from error


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only ``account`` (and root) may read; an older one is replaced as a whole."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        if account is not None:
            os.fchown(file.fileno(), account.uid, account.gid)
        file.write(text)
    draft.replace(path)


class ServerProcess:
    """One child process that owns a folder while it runs.

    The server inherits a lock on ``<folder>/server.lock``, so the lock is free exactly when no process of it is left,
    whatever became of its supervisor. The file holds the process id of a server that was not stopped. The server leads
    a session of its own: Ctrl-C in a terminal reaches the supervisor, which then stops its servers in good order.

    Args:
        name: the word for this server in messages.
        folder: where it keeps its data; must exist when :meth:`claim` is called.
        log: file that takes what it prints; begun anew when it has grown past 16 MiB.
        stop_signals: sent in turn, each with 10 s of grace, before SIGKILL.

    Attributes:
        recovering: process id of the server that ran last on this folder, if it was not stopped.
    """

    def __init__(self, name: str, folder: Path, log: Path, stop_signals: Sequence[Signals] = (SIGTERM,)) -> None:
        self.recovering: int | None = None
        self._name = name
        self._lock_file = folder / "server.lock"
        self._log = log
        self._stop_signals = stop_signals
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """Process id of the server.

        Raises:
            ServerError: the server was not started.
        """
        if self._child is None:
            raise ServerError(f"{self._name} was not started.")
        return self._child.pid

    async def claim(self) -> None:
        """Take the folder for a server; processes that a killed one left behind are given 5 s to be gone.

        Raises:
            ServerError: another server runs on this folder, or it is another user's.
        """
        try:
            self._lock = lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise ServerError(
                f"{self._lock_file.parent} belongs to another user. Name another state directory in BUSBAR_STATE."
            ) from error
        if await _until(lambda: _locked(lock) or None, _CLAIM_S) is None:
            raise ServerError(
                f"{self._name} already runs on {self._lock_file.parent} with process id {self._last_pid()}. "
                "Use that one, stop it, or name another state directory in BUSBAR_STATE."
            )
        self.recovering = self._last_pid()

    def spawn(self, command: Sequence[str], *, environment: Mapping[str, str], account: Account | None = None) -> None:
        """Start the server on the claimed folder; it is not ready yet when this returns."""
        if self._lock is None:
            raise RuntimeError("claim() comes before spawn()")
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
            self._log.replace(self._log.with_name(f"{self._log.name}.1"))
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            self._log_start = log.tell()
            self._child = subprocess.Popen(  # noqa: S603  # our own command on a binary of our own installation
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._lock_file.parent,
                env=environment,
                pass_fds=(self._lock,),
                start_new_session=True,
                **as_account(account),
            )
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(self._child.pid).encode(), 0)
        self.release()
        self._guard = subprocess.Popen(  # noqa: S603  # our own script
            [sys.executable, "-I", "-S", server_guard.__file__, *self._guard_arguments(self._child.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def ready(self, answer: Callable[[], T | None]) -> T:
        """Wait until ``answer`` returns something, and return that.

        Raises:
            ServerError: the server ended, or was not ready in 60 s; with what it printed.
        """

        def answer_of_a_living_server() -> T | None:
            if self._exit_code() is not None:
                raise ServerError(f"{self._name} did not start. It printed:\n{self.printed()}")
            return answer()

        value = await _until(answer_of_a_living_server, _READY_S)
        if value is None:
            raise ServerError(f"{self._name} was not ready in {_READY_S:.0f} s. It printed:\n{self.printed()}")
        return value

    async def ended(self) -> int:
        """Wait until the server ends by itself or otherwise, and return its exit code."""
        code = await _until(self._exit_code, None, poll_s=0.1)
        return code or 0

    async def stop(self) -> None:
        """Stop the server, and release the folder; does nothing when it does not run."""
        self.release()
        if self._child is not None:
            was_running = self._child.poll() is None
            for stop_signal in (*self._stop_signals, SIGKILL):
                self._child.send_signal(stop_signal)
                if await _until(self._exit_code, _GRACE_S) is not None:
                    break
            if was_running and stop_signal is self._stop_signals[0] and self._child.returncode >= 0:
                self._forget()
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait()
        self._child = self._guard = None

    def release(self) -> None:
        """Give up our share in the lock; a running server keeps its own."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def printed(self) -> str:
        """The end of what the server printed since it was started."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")[-2000:].strip()

    def _exit_code(self) -> int | None:
        return 0 if self._child is None else self._child.poll()

    def _forget(self) -> None:
        """Note the clean stop, unless the next server has the folder already."""
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CLOEXEC)
        if _locked(lock):
            os.ftruncate(lock, 0)
        os.close(lock)

    def _guard_arguments(self, server: int) -> list[str]:
        return [str(os.getpid()), str(server), str(int(self._stop_signals[0]))]

    def _last_pid(self) -> int | None:
        text = self._lock_file.read_text(encoding="ascii")
        return int(text) if text else None


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _until(answer: Callable[[], T | None], within_s: float | None, *, poll_s: float = 0.004) -> T | None:
    """The first value that ``answer`` returns; None when there is none in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while (value := answer()) is None:  # noqa: ASYNC110  # files, locks and processes set no Event
                await asyncio.sleep(poll_s)
            return value
    return None
