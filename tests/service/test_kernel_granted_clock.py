"""Granted time: it moves only when everything is at rest, so a day passes in a moment and nothing is distorted."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from shared.runtime import GRANTED_START
from shared.tools.testing import Installation
from tests.service.toys.services import make_depot, make_ledger, make_shop, make_simulation
from tests.service.toys.world import eventually, rows, run

_SET = "INSERT INTO wake (name, key, id, at, payload, trace) VALUES ('tick', $1, 'first', $2, '', '{}')"
_TIDY = "INSERT INTO wake (name, key, id, at, payload, trace) VALUES ('tidy', $1, $1, $2, '', '{}')"


async def test_a_day_passes_in_a_moment_and_everything_happens_at_its_own_hour(toys: Installation) -> None:
    await rows(toys, "emergency-simulation", _SET, "1", GRANTED_START + timedelta(hours=1))
    for day in (0.5, 2.0):
        await rows(toys, "shop", _TIDY, f"after {day} days", GRANTED_START + timedelta(days=day))
    services = (make_simulation(24), make_shop(), make_depot(), make_ledger())
    async with run(toys, *services, granted_clock=True) as process:
        await eventually(lambda: rows(toys, "ledger", "SELECT FROM note OFFSET 23"))
        heard = await rows(toys, "ledger", "SELECT mrid, at FROM note ORDER BY id")
        assert [(row["mrid"], row["at"]) for row in heard] == [
            (f"hour-{number}", GRANTED_START + timedelta(hours=number)) for number in range(1, 25)
        ]
        assert process.clock.now() == GRANTED_START + timedelta(hours=24), "nothing moves it to what is only tidied up"
        tidied = await rows(toys, "shop", "SELECT text FROM note WHERE mrid = 'tidy'")
        assert [row["text"] for row in tidied] == ["after 0.5 days"]


async def test_time_stands_still_while_somebody_works_or_is_away(toys: Installation) -> None:
    await toys.prepare()
    await rows(toys, "emergency-simulation", _SET, "1", GRANTED_START + timedelta(hours=1))
    async with run(toys, make_simulation(3), make_shop(), make_ledger(), granted_clock=True) as process:
        await asyncio.sleep(0.4)
        assert process.clock.now() == GRANTED_START, "the depot has not said that it is at rest"
        async with run(toys, make_depot(), granted_clock=True):
            await eventually(lambda: rows(toys, "ledger", "SELECT FROM note OFFSET 2"))
        at = process.clock.now()
        async with run(toys, make_depot(), granted_clock=True) as late:
            await asyncio.sleep(0.2)
            assert late.clock.now() == at == GRANTED_START + timedelta(hours=3)


async def test_a_simulation_that_comes_back_goes_on_at_the_time_that_others_remember(toys: Installation) -> None:
    await toys.prepare()
    await rows(toys, "emergency-simulation", _SET, "1", GRANTED_START + timedelta(hours=1))
    async with AsyncExitStack() as simulation, AsyncExitStack() as rest:
        await simulation.enter_async_context(run(toys, make_simulation(2), granted_clock=True))
        others = await rest.enter_async_context(run(toys, make_shop(), make_depot(), make_ledger(), granted_clock=True))
        await eventually(lambda: rows(toys, "ledger", "SELECT FROM note OFFSET 1"))
        await simulation.aclose()
        async with run(toys, make_simulation(2), granted_clock=True) as again:
            await asyncio.sleep(0.2)
            assert again.clock.now() == others.clock.now() == GRANTED_START + timedelta(hours=2)
