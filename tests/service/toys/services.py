"""The services of the tests; each part of the kernel has a handler that shows it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from contracts.errors import Conflict, Denied, Rejected, Unavailable
from contracts.message import Message
from contracts.verbs import Verb
from shared.service import Service
from shared.work import LATER, Later, Wake, Work
from tests.service.toys.interfaces import DEPOT, LEDGER, SHOP, SIMULATION
from tests.service.toys.orders import Order, Orders, orders
from tests.service.toys.parcels import Parcel, Parcels, parcels
from tests.service.toys.store import ToyStore


class Gate:
    """Requests with the note ``wait`` wait here until a test opens it."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self._reached = asyncio.Event()

    def close(self) -> None:
        """Whoever comes from now on waits; each test has an event loop and so a gate of its own."""
        self._opened, self._reached = asyncio.Event(), asyncio.Event()

    def open(self) -> None:
        self._opened.set()

    async def reached(self) -> None:
        """Until somebody waits here."""
        await self._reached.wait()

    async def pass_through(self) -> None:
        self._reached.set()
        await self._opened.wait()


gate = Gate()
put_off: set[str] = set()
"""Parcels that a ledger would not write down when it first heard of them."""


class Memory:
    """What a running shop keeps of the parcels that it follows."""

    def __init__(self) -> None:
        self.parcels: dict[str, int] = {}
        self.heard = 0


async def list_orders(message: Message[Orders], work: Work[ToyStore]) -> AsyncIterator[Orders]:
    found = [Order(mrid=row["mrid"], amount=row["amount"]) for row in await work.store.things()]
    wanted = {each.value for each in message.request.id} if message.request else set()
    if "wait" in wanted:
        await gate.pass_through()
    if wanted:
        found = [order for order in found if order.mrid in wanted]
    for start in range(0, max(len(found), 1), 2):
        if "wait at last" in wanted and start + 2 >= len(found):
            await gate.pass_through()
            await obey("reject" if "reject at last" in wanted else None)
        yield Orders(order=tuple(found[start : start + 2]))


async def take_order(message: Message[Orders], work: Work[ToyStore]) -> Orders:
    order = message.noun.order[0]
    await obey(order.note)
    work.count("orders", note=order.note or "none")
    if not await work.store.add(order):
        raise Conflict(f"the order {order.mrid} is here already", object_id=order.mrid)
    await work.store.count(order.mrid)
    if order.note == "too late":
        raise Rejected("after the write", code="6.1")
    work.publish(Verb.CREATED, message.noun, key=order.mrid.partition("/")[0])
    return message.noun


async def send_parcel(message: Message[Orders], work: Work[ToyStore]) -> Orders:
    order = message.noun.order[0]
    if order.note == "inquire":
        work.inquire(Parcels, ids=[order.mrid], about=order.mrid)
        return message.noun
    known = await work.request(Parcels, ids=[order.mrid]) if order.note == "ask" else Parcels()
    await work.store.add(order)
    work.send(Verb.CREATE, parcels(order.mrid, weight=len(known.parcel) + 1, note=order.note), about=order.mrid)
    work.publish(Verb.CHANGED, message.noun, key=order.mrid.partition("/")[0])
    return message.noun


async def parcel_sent(reply: Message[Parcels], work: Work[ToyStore]) -> None:
    assert reply.reply is not None
    code = reply.reply.error[0].code if reply.reply.error else "0.0"
    await work.store.note(work.about, f"{reply.reply.result} {code}")


async def start_slow_work(message: Message[Orders], work: Work[ToyStore]) -> Later:
    order = message.noun.order[0]
    await work.store.count(order.mrid)
    work.wake("finish", order.mrid, work.now + timedelta(milliseconds=order.amount), work.ticket)
    return LATER


async def tidy(wake: Wake, work: Work[ToyStore]) -> None:
    await work.store.note("tidy", wake.key)


async def finish_slow_work(wake: Wake, work: Work[ToyStore]) -> None:
    await work.store.note(wake.key, "finished", wake.at)
    if wake.key.startswith("contended"):
        await gate.pass_through()
        await work.store.count(wake.key)
    if wake.key.startswith(("broken", "kill")):
        await obey("kill" if wake.key.startswith("kill") else "defect")
    if wake.key.startswith("two"):
        work.answer(wake.payload, orders("first half"), more=True)
    work.answer(wake.payload, orders("done"))


async def cancel_slow_work(message: Message[Orders], work: Work[ToyStore]) -> None:
    work.cancel_wake("finish", message.noun.order[0].mrid)


async def follow_parcels(message: Message[Parcels], work: Work[ToyStore]) -> None:
    memory: Memory = work.store.memory
    memory.heard += 1
    memory.parcels |= {parcel.mrid: parcel.weight for parcel in message.noun.parcel}


async def list_parcels(_: Message[Parcels], work: Work[ToyStore]) -> Parcels:
    rows = await work.store.things()
    return Parcels(parcel=tuple(Parcel(mrid=row["mrid"], weight=row["amount"]) for row in rows))


async def take_parcel(message: Message[Parcels], work: Work[ToyStore]) -> Parcels:
    parcel = message.noun.parcel[0]
    await obey(parcel.note)
    await work.store.add(Order(mrid=parcel.mrid, amount=parcel.weight))
    await work.store.count(parcel.mrid)
    work.publish(Verb.CHANGED, message.noun, key=parcel.mrid)
    work.publish(Verb.CREATED, message.noun, key=parcel.mrid)
    return message.noun


async def write_down(message: Message[Orders], work: Work[ToyStore]) -> None:
    order = message.noun.order[0]
    await obey(order.note)
    await work.store.note(order.mrid, str(order.amount), work.now)


async def write_down_change(message: Message[Orders], work: Work[ToyStore]) -> None:
    await work.store.note(message.noun.order[0].mrid, "changed")


async def write_down_many(messages: list[Message[Parcels]], work: Work[ToyStore]) -> None:
    for message in messages:
        for parcel in message.noun.parcel:
            if parcel.note == "wait in a batch":
                await gate.pass_through()
            if parcel.note == "not now at first" and parcel.mrid not in put_off:
                put_off.add(parcel.mrid)
                raise Unavailable("not now")
            if parcel.note == "bad in a batch":
                raise RuntimeError("a defect")
            await work.store.note(parcel.mrid, f"batch of {len(messages)}")


def make_shop() -> Service[ToyStore]:
    shop = Service(SHOP, store=ToyStore, memory=Memory)
    shop.on(Verb.GET, Orders)(list_orders)
    shop.on(Verb.CREATE, Orders)(take_order)
    shop.on(Verb.CHANGE, Orders)(send_parcel)
    shop.on_reply(Verb.CREATE, Parcels)(parcel_sent)
    shop.on_reply(Verb.GET, Parcels)(parcel_sent)
    shop.on(Verb.EXECUTE, Orders)(start_slow_work)
    shop.on_wake("finish")(finish_slow_work)
    shop.on_wake("tidy", drives_time=False)(tidy)
    shop.on(Verb.CLOSE, Orders)(cancel_slow_work)
    shop.on(Verb.CHANGED, Parcels)(follow_parcels)
    return shop


def make_depot() -> Service[ToyStore]:
    depot = Service(DEPOT, store=ToyStore)
    depot.on(Verb.GET, Parcels)(list_parcels)
    depot.on(Verb.CREATE, Parcels)(take_parcel)
    return depot


def make_ledger(*, in_turn: bool = False) -> Service[ToyStore]:
    ledger = Service(LEDGER, store=ToyStore)
    ledger.on(Verb.CREATED, Orders)(write_down)
    ledger.on(Verb.CHANGED, Orders)(write_down_change)
    ledger.on_batch(Verb.CREATED, Parcels, in_turn=in_turn)(write_down_many)
    return ledger


def make_simulation(hours: int = 24) -> Service[ToyStore]:
    """Orders once an hour of granted time, for so many hours."""

    async def tick(wake: Wake, work: Work[ToyStore]) -> None:
        number = int(wake.key)
        work.send(Verb.CREATE, orders(f"hour-{number}", amount=number), about=str(number))
        if number < hours:
            work.wake("tick", str(number + 1), work.now + timedelta(hours=1))

    simulation = Service(SIMULATION, store=ToyStore, grants_clock=True)
    simulation.on_wake("tick")(tick)
    return simulation


async def obey(note: str | None) -> None:
    """What a test asks a handler to do by the note of its object."""
    faults: dict[str, Any] = {
        "reject": Rejected("the rule says no", code="6.1"),
        "deny": Denied("not you"),
        "not now": Unavailable("not now"),
        "defect": RuntimeError("a defect"),
    }
    if note == "wait":
        await gate.pass_through()
    elif note == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif note in faults:
        raise faults[note]
