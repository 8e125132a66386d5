"""The pools of a service: of processes, and of connections to its database."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg

from shared.store import Database, Login, Transaction

OWNER = """
import asyncio, os, signal
from shared.resources import Pool

async def main():
    print(await Pool().run(os.getpid), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_the_processes_of_a_pool_end_when_their_owner_is_killed() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, stdout=subprocess.PIPE)
    assert process.stdout is not None
    worker = int(await process.stdout.readline())
    assert await process.wait() < 0
    async with asyncio.timeout(30):
        while is_there(worker):  # noqa: ASYNC110  the system has no event for this
            await asyncio.sleep(0.1)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"  # who adopts it may be slow


async def test_who_comes_first_finds_a_connection_however_many_units_of_work_give_way(database: str) -> None:
    async def give_way() -> None:
        """Nobody comes first just now."""

    login = Login(host="", port=0, database="", user="", password="")
    async with asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        kept = Database(pool, login)
        patient = [Transaction(kept, give_way=give_way) for _ in range(5)]
        waiting = [asyncio.ensure_future(each.reading()) for each in patient]
        done, others = await asyncio.wait(waiting, timeout=0.3)
        assert len(done) == 2
        first = Transaction(kept)
        async with asyncio.timeout(30):
            assert await (await first.reading()).fetchval("SELECT 1") == 1
        await first.release()
        for each, had in zip(patient, waiting, strict=True):
            assert await (await had).fetchval("SELECT 2") == 2
            await each.release()
        assert not others - {had for had in waiting if had.done()}
