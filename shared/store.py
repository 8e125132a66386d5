"""PostgreSQL as a service sees it: one transaction for one message, begun by its first write.

Reads before the first write run on a borrowed connection without a transaction; from the first write on everything
runs in one transaction, whose first statement is the kernel's (it takes the key of the inbox). A handler that only
reads therefore costs one round trip for each statement and nothing else.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct

from contracts.errors import Unavailable

Record = asyncpg.Record

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Record] | PoolConnectionProxy[Record]
else:
    Connection = asyncpg.Connection

T = TypeVar("T")

log = logging.getLogger(__name__)

_SESSION = {
    "idle_in_transaction_session_timeout": "30s",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "jit": "off",
}


_KEEPALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""The server notices within half a minute that the machine of whoever holds a lease is gone."""

DATABASE_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a loop of the kernel outlives: whatever the database or its driver says, it tries again later."""

_AWAY = (
    OSError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


def is_away(error: BaseException) -> bool:
    """True when the database, or the way to it, is at fault and trying again later may help.

    A statement that takes too long is a defect, and so is an argument that it cannot have.
    """
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error)  # a connection or a pool is closed; asyncpg has no class of its own for it
    return isinstance(error, _AWAY) and not isinstance(error, asyncpg.QueryCanceledError)


def is_not_now(error: BaseException) -> bool:
    """True when nothing is wrong with what was to be done, and all of it is to be tried again."""
    lost = (Unavailable, asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
    return is_away(error) or isinstance(error, lost)


class Login(Struct, frozen=True, kw_only=True):
    """Where the database is and who asks."""

    host: str
    port: int
    database: str
    user: str
    password: str


class _PooledConnection(asyncpg.Connection):
    """A connection that is handed back without the four statements by which asyncpg resets it.

    Nothing here changes session state, and the round trip would be paid for every message.
    """

    def get_reset_query(self) -> str:
        """Nothing to reset."""
        return ""


class Database:
    """The pool of one service.

    Attributes:
        patient: how many units of work that give way may have a connection; others find one that is free.
    """

    def __init__(self, pool: "asyncpg.Pool[Record]", login: Login) -> None:
        self.pool = pool
        self.login = login
        self.patient = asyncio.Semaphore(max(1, pool.get_max_size() - 1))

    @classmethod
    async def open(cls, login: Login, *, least: int = 1, most: int = 4, patience_s: float = 30.0) -> "Database":
        """Connect as ``login`` with ``least`` to ``most`` connections.

        Raises:
            Unavailable: when there is no database within ``patience_s``.
        """
        delay_s = 0.1
        until = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                return cls(await _pool(login, least, most), login)
            except Exception as error:
                if not is_away(error):
                    raise
                if asyncio.get_running_loop().time() + delay_s > until:
                    reason = f"no database at {login.host}:{login.port} within {patience_s:g} s"
                    raise Unavailable(reason) from error
                log.warning("waiting for the database: %s", error)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, 2.0)

    async def dedicated(self, purpose: str) -> "asyncpg.Connection[Record]":
        """A connection outside the pool, for what holds a lock or listens as long as the process lives."""
        return await asyncpg.connect(
            **_arguments(self.login),
            server_settings={"application_name": f"{self.login.user} {purpose}", "jit": "off", **_KEEPALIVE},
            command_timeout=30,
        )

    async def close(self) -> None:
        """Wait for borrowed connections, at most five seconds, and close."""
        try:
            async with asyncio.timeout(5):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()


class Transaction:
    """The connection of one unit of work, borrowed when first needed.

    ``on_begin`` runs as the first statement of the transaction and may refuse it by raising. ``give_way`` waits for
    those who come first, for a unit of work that nobody waits for.
    """

    def __init__(
        self,
        database: Database,
        on_begin: Callable[[Connection], Awaitable[None]] | None = None,
        *,
        give_way: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._pool = database.pool
        self._patient = None if give_way is None else database.patient
        self._on_begin = on_begin
        self._give_way = give_way
        self._connection: PoolConnectionProxy[Record] | None = None
        self.begun = False

    async def give_way(self) -> None:
        """Let those who come first go first, before and after a statement of a handler; others do not wait."""
        if self._give_way is not None:
            await self._give_way()

    async def reading(self) -> Connection:
        """The connection for a read; in the transaction once that has begun."""
        if self._connection is None:
            self._connection = await self._acquired()
        return self._connection

    async def _acquired(self) -> "PoolConnectionProxy[Record]":
        if self._patient is None:
            return await self._pool.acquire()
        await self._patient.acquire()
        try:
            return await self._pool.acquire()
        except BaseException:
            self._patient.release()
            raise

    async def writing(self) -> Connection:
        """The connection for a write, which begins the transaction."""
        connection = await self.reading()
        if not self.begun:
            await connection.execute("BEGIN")
            self.begun = True
            if self._on_begin is not None:
                await self._on_begin(connection)
        return connection

    async def commit(self) -> None:
        """Make the writes last and give the connection back."""
        if self._connection is not None and self.begun:
            await self._connection.execute("COMMIT")
            self.begun = False
        await self.release()

    @asynccontextmanager
    async def part(self, *, is_trial: bool = False) -> AsyncIterator[None]:
        """What is written within is undone when it fails, or is only a trial; what was written before stays."""
        follows = self.begun
        if follows:
            await (await self.writing()).execute("SAVEPOINT part")
        try:
            yield
        except Exception as error:
            if not is_away(error):
                await self._undo_part(follows=follows)
            raise
        if is_trial:
            await self._undo_part(follows=follows)
        elif follows:
            await (await self.writing()).execute("RELEASE SAVEPOINT part")

    async def _undo_part(self, *, follows: bool) -> None:
        """Back to where a part began, which followed something that was written or did not."""
        if follows:
            await (await self.writing()).execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
        else:
            await self.release()

    async def release(self) -> None:
        """Give the connection back; what was not committed is undone."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        begun, self.begun = self.begun, False
        try:
            if begun and not connection.is_closed():
                await connection.execute("ROLLBACK")
        except Exception as error:
            if not is_away(error):
                raise
            log.debug("the connection broke; the server has rolled back: %s", error)
        finally:
            try:
                await self._pool.release(connection)
            finally:
                if self._patient is not None:
                    self._patient.release()


class Store:
    """What a service keeps, as questions and commands; the SQL of a service is in its subclass and nowhere else.

    ``memory`` is what the service declared with ``Service(memory=...)``: one for each running process.
    """

    def __init__(self, transaction: Transaction, memory: Any = None) -> None:
        self._transaction = transaction
        self.memory = memory

    async def _reading(self) -> Connection:
        await self._transaction.give_way()
        return await self._transaction.reading()

    async def _writing(self) -> Connection:
        await self._transaction.give_way()
        return await self._transaction.writing()

    async def _answered(self, answer: Awaitable[T]) -> T:
        """What the database says, once those who came first meanwhile have gone first."""
        found = await answer
        await self._transaction.give_way()
        return found

    async def breathe(self) -> None:
        """Between two pieces of a long calculation: the event loop goes on, and those who come first go first."""
        await asyncio.sleep(0)
        await self._transaction.give_way()

    async def fetch(self, sql: str, *arguments: object) -> list[Record]:
        """All rows of a question."""
        return await self._answered((await self._reading()).fetch(sql, *arguments))

    async def fetchrow(self, sql: str, *arguments: object) -> Record | None:
        """The first row of a question, or None."""
        return await self._answered((await self._reading()).fetchrow(sql, *arguments))

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        """The first value of the first row, or None."""
        return await self._answered((await self._reading()).fetchval(sql, *arguments))

    async def execute(self, sql: str, *arguments: object) -> str:
        """A write; the answer is PostgreSQL's command tag, such as ``UPDATE 1``."""
        return await self._answered((await self._writing()).execute(sql, *arguments))

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """The same write for many rows in one round trip."""
        await self._answered((await self._writing()).executemany(sql, rows))

    async def copy(self, table: str, columns: Sequence[str], pieces: Iterable[bytes]) -> bool:
        """Many rows at once, in the binary form of COPY; False, and none of them, when one of their keys is there.

        Others, such as a control, have their turn between two ``pieces``.
        """

        async def in_turn() -> AsyncIterator[bytes]:
            for piece in pieces:
                await self.breathe()
                yield piece

        connection = await self._writing()
        await connection.execute("SAVEPOINT copy")
        try:
            await connection.copy_to_table(table, source=in_turn(), columns=columns, format="binary")
        except asyncpg.UniqueViolationError:
            await connection.execute("ROLLBACK TO SAVEPOINT copy; RELEASE SAVEPOINT copy")
            return False
        await connection.execute("RELEASE SAVEPOINT copy")
        return True

    async def lock(self, sql: str, *arguments: object) -> Record | None:
        """The first row of a question that locks it (``FOR UPDATE``) or writes and returns it."""
        return await self._answered((await self._writing()).fetchrow(sql, *arguments))

    async def lock_all(self, sql: str, *arguments: object) -> list[Record]:
        """All rows of a question that locks them or writes and returns them."""
        return await self._answered((await self._writing()).fetch(sql, *arguments))


async def _pool(login: Login, least: int, most: int) -> "asyncpg.Pool[Record]":
    return await asyncpg.create_pool(
        **_arguments(login),
        min_size=least,
        max_size=most,
        connection_class=_PooledConnection,
        server_settings={**_SESSION, "application_name": login.user},
        command_timeout=30,
    )


def _arguments(login: Login) -> dict[str, Any]:
    return {
        "host": login.host,
        "port": login.port,
        "database": login.database,
        "user": login.user,
        "password": login.password,
    }
