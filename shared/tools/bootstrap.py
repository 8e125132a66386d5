"""What must be there before a service can start: keys, users of the broker, streams, databases, schemas.

Everything here is repeatable, and is run by whoever administers an installation, never by a service.
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import nkeys  # type: ignore[import-untyped]  # it has neither annotations nor stubs
from msgspec import Struct

from contracts.interface import Catalogue
from shared.bus.connection import Bus
from shared.bus.permissions import permissions
from shared.bus.subjects import ADMIN, AUDITOR, CONTEXTS
from shared.bus.topology import ensure, remove
from shared.config import Settings
from shared.migrate import KERNEL, Target, drop_database, migrate
from shared.service import Service
from shared.store import Login
from shared.tools.nats_server import BrokerUser

CLOCK_ROLE = "emergency-simulation"
"""The role that may grant the clock, in every context but production."""


class Schema(Struct, frozen=True):
    """A role that keeps something, with the folder of its migrations."""

    role: str
    migrations: Path

    @classmethod
    def of(cls, service: Service[object]) -> "Schema":  # type: ignore[type-var]  # any store will do
        """The schema of a service."""
        return cls(service.role, service.migrations)


def make_credentials(credentials: Path, catalogue: Catalogue, schemas: Iterable[Schema], root: str) -> None:
    """Make the seeds and logins that are missing, readable by their owner alone."""
    credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_seed(credentials / f"{ADMIN}.nk")
    for context in CONTEXTS:
        folder = credentials / context
        folder.mkdir(mode=0o700, exist_ok=True)
        for role in (*catalogue.interfaces, AUDITOR):
            _make_seed(folder / f"{role}.nk")
        for schema in schemas:
            user = f"{root}_{context}_{schema.role.replace('-', '_')}"
            _make_file(folder / f"{schema.role}.pg", f"{user}\n{secrets.token_urlsafe(24)}\n")


def broker_users(credentials: Path, catalogue: Catalogue, root: str) -> list[BrokerUser]:
    """Who may connect to the broker and what each may say and hear: all roles of all contexts, auditors, ``admin``."""
    users = [BrokerUser(_public(credentials / f"{ADMIN}.nk"), {})]
    for context in CONTEXTS:
        for role in (*catalogue.interfaces, AUDITOR):
            grants = role == CLOCK_ROLE and context != "production"
            rules: Mapping[str, object] = permissions(catalogue, root, context, role, grants_clock=grants)
            users.append(BrokerUser(_public(credentials / context / f"{role}.nk"), rules))
    return users


async def prepare(
    settings: Settings,
    catalogue: Catalogue,
    schemas: Iterable[Schema],
    administrator: Login,
    *,
    afresh: bool = False,
    capacity_bytes: int | None = None,
) -> tuple[str, ...]:
    """Make the streams and schemas of the context of ``settings``; ``afresh`` removes what was there before.

    Returns:
        sentences that say what was changed.
    """
    database = settings.postgres_database
    if afresh:
        await drop_database(administrator, database)
    targets = [
        Target(
            login=settings.login(schema.role),
            schema=schema.role.replace("-", "_"),
            folders=(KERNEL, schema.migrations),
        )
        for schema in schemas
    ]
    applied = await migrate(administrator, database, targets)
    bus = await Bus.connect(
        settings.nats_url.split(","),
        role=ADMIN,
        context=settings.context,
        root=settings.root,
        seed_file=settings.credentials / f"{ADMIN}.nk",
        on_lost=lambda _: None,
    )
    try:
        if afresh:
            await remove(bus, settings.root, settings.context)
        capacity = {} if capacity_bytes is None else {"capacity_bytes": capacity_bytes}
        changed = await ensure(bus, catalogue, settings.root, settings.context, **capacity)
    finally:
        await bus.close()
    return (*(f"applied {file}" for file in applied), *changed)


def _make_seed(file: Path) -> None:
    seed: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    _make_file(file, seed.decode() + "\n")


def _make_file(file: Path, text: str) -> None:
    if file.exists():
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)


def _public(file: Path) -> str:
    key: bytes = nkeys.from_seed(bytearray(file.read_text(encoding="utf-8").strip().encode())).public_key
    return key.decode()
