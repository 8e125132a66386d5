"""``python -m tests.speed.judging``: days of meters judged and kept by the service, in readings a second.

The service runs with both servers on this machine; the days stand in its database as the head-end told them, with gaps
at two meters of a hundred and registers at both midnights. What is measured is from the moment at which the day is to
be judged until nothing is left to judge: reading, judging, estimating, keeping and telling. Wall time, and the
processor time of the service alone.
"""

import asyncio
import json
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from uuid import uuid4

import asyncpg
import numpy as np
from msgspec import json as wire

from contracts.catalogue import CATALOGUE
from contracts.nouns.device_types import Channel, Register, SimpleEndDeviceFunction
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.nouns.units import PhaseCode
from contracts.nouns.usage_point_config import UsagePoint
from contracts.types import Name, NameType, Reference
from services.meter_reading_and_control.config import config_from
from services.meter_reading_and_control.domain.columns import Rows
from services.meter_reading_and_control.domain.readings import Origin
from services.meter_reading_and_control.service import service
from services.meter_reading_and_control.store import Store
from shared.config import Context, Settings
from shared.runtime import running
from shared.store import Database, Transaction
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

BUNCHES, BUNCH, COUNT = 8, 256, 96
METERS = BUNCHES * BUNCH
DAY = date(2026, 6, 10)
BACK = 8
WITH_GAPS = 0.02
NOTHING = -(2**31)
INTERVAL = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0"
LEFT = "SELECT count(*) + (SELECT count(*) FROM to_judge) FROM wake WHERE at <= $1"
HOME = UsagePoint(
    mrid="p",
    nominal_service_voltage=230.0,
    phase_code=PhaseCode.ABCN,
    rated_current=63.0,
    names=(Name(name="residential", name_type=NameType(name="class")),),
)
CHANNELS = tuple(Channel(reading_type=Reference(ref=each)) for each in (INTERVAL, REGISTER))
SET_UP = MeterConfig(
    meter=(Meter(mrid="m", simple_end_device_function=(Reference(ref="metering"),)),),
    simple_end_device_function=(SimpleEndDeviceFunction(mrid="metering", registers=(Register(channels=CHANNELS),)),),
)
MIDNIGHT = datetime(2026, 6, 11, tzinfo=UTC)


async def fill(database: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Meters at their places, both set up as in a town of homes."""
    await database.execute(
        "INSERT INTO usage_point SELECT 'p' || n, '1900-01-01Z', $2::jsonb FROM generate_series(0, $1::int - 1) AS n",
        METERS,
        wire.encode(HOME).decode(),
    )
    await database.execute(
        "INSERT INTO meter SELECT 'm' || n, '1900-01-01Z', $2::jsonb FROM generate_series(0, $1::int - 1) AS n",
        METERS,
        wire.encode(SET_UP).decode(),
    )
    await database.execute(
        "INSERT INTO installed (usage_point, starts, meter)"
        " SELECT 'p' || n, '2020-01-01Z', 'm' || n FROM generate_series(0, $1::int - 1) AS n",
        METERS,
    )
    await database.execute(
        "INSERT INTO series SELECT $2::int + n, 'p' || n, $3, 'm' || n FROM generate_series(0, $1::int - 1) AS n",
        METERS,
        BUNCH,
        INTERVAL,
    )


def a_day(day: date, draw: np.random.Generator) -> tuple[Rows, np.ndarray]:
    """The first versions of the blocks of a day, and what each meter used."""
    numbers = draw.gamma(1.5, 80.0, (METERS, COUNT)).astype(np.int32)
    used = numbers.sum(axis=1)
    for row in np.flatnonzero(draw.random(METERS) < WITH_GAPS):
        first = int(draw.integers(0, 84))
        numbers[row, first : first + 12] = NOTHING
    origins = wire.encode([Origin(source="head-end", reported_at=MIDNIGHT)])
    series = np.arange(BUNCH, BUNCH + METERS)
    return Rows(day=day, series=series, scale=0, numbers=numbers, runs=None, origins=[origins] * METERS), used


async def write(store_of: Database, rows: Rows) -> None:
    """Keep a day as it is kept when it is told."""
    transaction = Transaction(store_of)
    store = Store(transaction, config_from({}))
    await store.add_first([rows], MIDNIGHT)
    await transaction.commit()


async def measured(installation: Installation, admin: Peer) -> dict[str, float]:
    """Fill the store, let the day be judged, and say how long it took."""
    login = installation.settings.login(service.role)
    database = await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
    )
    await fill(database)
    draw = np.random.default_rng(1)
    blocks = await Database.open(login)
    for back in range(BACK, -1, -1):
        rows, used = a_day(DAY - timedelta(days=back), draw)
        await write(blocks, rows)
    origin = wire.encode(Origin()).decode()
    for at, reads in ((MIDNIGHT - timedelta(days=1), used * 0), (MIDNIGHT, used)):
        await database.execute(
            "INSERT INTO register_read SELECT 'p' || n - 1, $1, $2, 'm' || n - 1, 1, 0, number, $3::jsonb, $2"
            " FROM unnest($4::bigint[]) WITH ORDINALITY AS told (number, n)",
            REGISTER,
            at,
            origin,
            reads.tolist(),
        )
    found: dict[str, float] = {}
    for name, day in (("a first day", DAY - timedelta(days=1)), ("a day", DAY), ("the same day again", DAY)):
        now = MIDNIGHT + timedelta(days=len(found) + 1)
        await database.execute("ANALYZE")
        await database.execute(
            "INSERT INTO wake (name, key, id, at, payload, trace) VALUES ('day-over', $1, $2, $3, '', '{}')",
            day.isoformat(),
            str(uuid4()),
            now,
        )
        began, cpu = perf_counter(), process_time()
        await admin.bus.publish_core(admin.space.clock, wire.encode({"now": now}))
        while await database.fetchval(LEFT, now):  # noqa: ASYNC110  by the service
            await asyncio.sleep(0.05)
        took, cpu = perf_counter() - began, process_time() - cpu
        found[f"readings_per_s of {name}"] = round(METERS * COUNT / took)
        found[f"readings_per_s of {name}, by processor time of the service"] = round(METERS * COUNT / cpu)
    found["versions"] = await database.fetchval("SELECT count(*) FROM block WHERE version > 1")
    found["findings"] = await database.fetchval("SELECT count(*) FROM finding")
    await blocks.close()
    await database.close()
    return found


async def report(state: Path) -> dict[str, float]:
    """Start both servers and the service, and measure."""
    settings = Settings(context=Context.TESTING, state_dir=state)
    schema = Schema(service.role, service.migrations)
    async with Installation.start(settings, CATALOGUE, [schema]) as servers:
        (settings.credentials / Context.TESTING / "admin.nk").symlink_to("../admin.nk")
        installation = servers.of(schema, granted_clock=True)
        await installation.prepare()
        async with (
            running(service, settings=installation.settings, catalogue=CATALOGUE),
            installation.peer("admin") as admin,
        ):
            await admin.bus.publish_core(admin.space.clock, wire.encode({"now": MIDNIGHT}))
            return {"meters": METERS, "with_gaps": WITH_GAPS, **await measured(installation, admin)}


def main() -> None:
    """Measure and print JSON."""
    with tempfile.TemporaryDirectory(prefix="busbar-") as folder:
        Path(folder).chmod(0o711)
        found = asyncio.run(report(Path(folder) / "state"))
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
