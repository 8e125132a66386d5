"""Databases, logins and schemas: made by the administrator, filled by numbered SQL files.

One database for each root and context; in it one schema for each service, owned by a login of the same name that sees
nothing else. The kernel's own tables come first, then the service's. A file that was applied is never applied again,
and one that changed since is refused.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from msgspec import Struct

from contracts.errors import Unavailable
from shared.store import Login

KERNEL = Path(__file__).resolve().parent / "migrations"


class Target(Struct, frozen=True, kw_only=True):
    """One schema to bring up to date: its login with the password it shall have, and the folders of its files."""

    login: Login
    schema: str
    folders: tuple[Path, ...]


async def migrate(administrator: Login, database: str, targets: Sequence[Target]) -> list[str]:
    """Make what is missing in ``database`` and apply what is new.

    Returns:
        the files applied, as ``schema/file``.

    Raises:
        Unavailable: a file was changed after it had been applied.
    """
    await _make_database(administrator, database)
    connection = await _connect(administrator, database)
    try:
        for target in targets:
            await _make_login(connection, target)
    finally:
        await connection.close()
    return [file for files in await asyncio.gather(*map(_apply, targets)) for file in files]


async def drop_database(administrator: Login, database: str) -> None:
    """Remove a database with all that is in it, such as that of a storm that is over."""
    connection = await _connect(administrator, administrator.database)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {_identifier(database)} WITH (FORCE)")
    finally:
        await connection.close()


async def _make_database(administrator: Login, name: str) -> None:
    connection = await _connect(administrator, administrator.database)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {_identifier(name)}")
            await connection.execute(f"REVOKE ALL ON DATABASE {_identifier(name)} FROM PUBLIC")
    finally:
        await connection.close()


async def _make_login(connection: "asyncpg.Connection[asyncpg.Record]", target: Target) -> None:
    login = target.login
    user, database, schema = (_identifier(name) for name in (login.user, login.database, target.schema))
    verb = (
        "ALTER" if await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", login.user) else "CREATE"
    )
    await connection.execute(
        f"{verb} ROLE {user} LOGIN PASSWORD {_literal(login.password)};"
        f"GRANT CONNECT ON DATABASE {database} TO {user};"
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;"
        f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {user};"
        f"ALTER ROLE {user} IN DATABASE {database} SET search_path = {schema}"
    )


async def _apply(target: Target) -> list[str]:
    connection = await _connect(target.login, target.login.database)
    try:
        async with connection.transaction():
            return await _apply_in(connection, target)
    finally:
        await connection.close()


async def _apply_in(connection: "asyncpg.Connection[asyncpg.Record]", target: Target) -> list[str]:
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema()))")
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migration "
        "(name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    known = {row["name"]: row["digest"] for row in await connection.fetch("SELECT name, digest FROM migration")}
    applied = []
    for folder in target.folders:
        for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
            name, text = f"{folder.parent.name}/{file.name}", file.read_text(encoding="utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            if name not in known:
                await connection.execute(text)
                await connection.execute("INSERT INTO migration (name, digest) VALUES ($1, $2)", name, digest)
                applied.append(f"{target.schema}/{file.name}")
            elif known[name] != digest:
                raise Unavailable(f"the migration {name} was changed after it had been applied; add a new file")
    return applied


async def _connect(login: Login, database: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database=database
    )


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
