"""The process pool of a service."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

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
    async with asyncio.timeout(20):
        while is_there(worker):  # noqa: ASYNC110  the system has no event for this
            await asyncio.sleep(0.1)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"  # who adopts it may be slow
