"""The same work as others would write it: FastStream, pydantic and JSON, and a row for each reading through SQLAlchemy.

It is a process of its own, which reads its orders from stdin, takes a number of day blocks from a stream, commits the
rows of each before it acknowledges it, and prints how long that took. Neither package is needed for anything else; see
:mod:`loadtest.peers`.
"""

import asyncio
import json
import sys
import time
from datetime import datetime, timedelta

from faststream import FastStream
from faststream.nats import JStream, NatsBroker, PullSub
from nats.js.api import ConsumerConfig
from pydantic import BaseModel
from sqlalchemy import BigInteger, Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine

STREAM, SUBJECT, DURABLE = "peers", "peers.readings", "peer"

READINGS = Table(
    "peer_reading",
    MetaData(schema="public"),
    Column("usage_point", Text, primary_key=True),
    Column("reading_type", Text, primary_key=True),
    Column("ends", DateTime(timezone=True), primary_key=True),
    Column("meter", Text),
    Column("value", BigInteger),
)
_QUARTER = timedelta(minutes=15)


class Named(BaseModel):
    """An object by its mRID."""

    mRID: str  # noqa: N815  as on the wire


class Reference(BaseModel):
    """A reading type."""

    ref: str


class Value(BaseModel):
    """A value of an interval."""

    value: int


class Block(BaseModel):
    """The values of a day."""

    IntervalReadings: list[Value]
    ReadingType: Reference


class Interval(BaseModel):
    """A time."""

    start: datetime


class Reading(BaseModel):
    """What a meter measured."""

    IntervalBlocks: list[Block]
    Meter: Named
    UsagePoint: Named
    valuesInterval: Interval  # noqa: N815


class Readings(BaseModel):
    """The container."""

    MeterReading: list[Reading]


class Payload(BaseModel):
    """The payload."""

    MeterReadings: Readings


class Event(BaseModel):
    """The event, without a look at its header."""

    Payload: Payload


class Message(BaseModel):
    """The message."""

    EventMessage: Event


def rows(message: Message) -> list[dict[str, object]]:
    """A row for each reading."""
    return [
        {
            "usage_point": reading.UsagePoint.mRID,
            "reading_type": block.ReadingType.ref,
            "ends": reading.valuesInterval.start + (place + 1) * _QUARTER,
            "meter": reading.Meter.mRID,
            "value": value.value,
        }
        for reading in message.EventMessage.Payload.MeterReadings.MeterReading
        for block in reading.IntervalBlocks
        for place, value in enumerate(block.IntervalReadings)
    ]


async def work(url: str, seed: str, dsn: str, messages: int) -> None:
    """Take so many messages, and print in how many seconds."""
    engine = create_async_engine(dsn)
    async with engine.begin() as connection:
        await connection.run_sync(READINGS.metadata.create_all)
    broker = NatsBroker(url, nkeys_seed=seed)
    app = FastStream(broker)
    began, done = 0.0, 0

    async def take(message: Message) -> None:
        nonlocal began, done
        began = began or time.perf_counter()
        async with engine.begin() as connection:
            await connection.execute(insert(READINGS).on_conflict_do_nothing(), rows(message))
        done += 1
        if done == messages:
            sys.stdout.write(json.dumps({"seconds": time.perf_counter() - began}) + "\n")
            sys.stdout.flush()
            app.exit()

    subscriber = broker.subscriber(
        SUBJECT,
        durable=DURABLE,
        stream=JStream(name=STREAM, declare=False),
        pull_sub=PullSub(),
        config=ConsumerConfig(max_ack_pending=256),
    )
    subscriber(take)
    await app.run()
    await engine.dispose()


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    asyncio.run(work(given["url"], given["seed"], given["dsn"], given["messages"]))
