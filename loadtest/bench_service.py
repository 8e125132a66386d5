"""The smallest services that show what the kernel costs: one keeps things and tells of them, one listens."""

from msgspec import Struct, field

from contracts.interface import Ask, Catalogue, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.message import Message
from contracts.types import attribute
from contracts.verbs import Verb
from shared.service import Service
from shared.store import Record, Store
from shared.work import Work

NAMESPACE = "urn:bench:Things#"

READ = "SELECT mrid, amount FROM thing WHERE mrid = ANY($1::text[]) ORDER BY mrid"
WRITE = "INSERT INTO thing (mrid, amount) VALUES ($1, $2)"
KEPT = tuple(f"kept-{number}" for number in range(5))
"""What every question asks for."""


class Thing(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One thing."""

    mrid: str
    amount: int = 0


class Things(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The noun of the benchmark."""

    thing: tuple[Thing, ...] = field(name="Thing", default=())


def interfaces(prefix: str) -> tuple[Interface, Interface]:
    """A keeper and a listener, whose roles begin with ``prefix``."""
    keeper = Interface(
        role=f"{prefix}-keeper",
        title="keeps things",
        part="bench",
        revision="1",
        serves=(Exchange(verb=Verb.GET, noun=Things), Exchange(verb=Verb.CREATE, noun=Things)),
        publishes=(Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=Things),),
    )
    listener = Interface(
        role=f"{prefix}-listener",
        title="listens",
        part="bench",
        revision="1",
        subscribes=(Subscription(role=keeper.role, verb=Verb.CREATED, noun=Things, mode=Mode.SHARED),),
    )
    return keeper, listener


KERNEL, BARE = interfaces("kernel"), interfaces("bare")
ASKER = Interface(
    role="asker",
    title="asks",
    part="bench",
    revision="1",
    asks=tuple(
        Ask(role=keeper.role, verb=verb, noun=Things)
        for keeper, _ in (KERNEL, BARE)
        for verb in (Verb.GET, Verb.CREATE)
    ),
)
CATALOGUE = Catalogue((Things,), (*KERNEL, *BARE, ASKER))


class ThingStore(Store):
    """The one table."""

    async def some(self, mrids: list[str]) -> list[Record]:
        """The things of these names."""
        return await self.fetch(READ, mrids)

    async def add(self, thing: Thing) -> None:
        """One more."""
        await self.execute(WRITE, thing.mrid, thing.amount)


def keeper_service() -> Service[ThingStore]:
    """The service that is asked."""
    service = Service(KERNEL[0], store=ThingStore)

    @service.on(Verb.GET, Things)
    async def list_things(message: Message[Things], work: Work[ThingStore]) -> Things:
        wanted = [each.value for each in message.request.id] if message.request else []
        rows = await work.store.some(wanted)
        return Things(thing=tuple(Thing(mrid=row["mrid"], amount=row["amount"]) for row in rows))

    @service.on(Verb.CREATE, Things)
    async def keep_thing(message: Message[Things], work: Work[ThingStore]) -> Things:
        thing = message.noun.thing[0]
        await work.store.add(thing)
        work.publish(Verb.CREATED, message.noun, key=thing.mrid)
        return message.noun

    return service


def listener_service() -> Service[ThingStore]:
    """The service that hears."""
    service = Service(KERNEL[1], store=ThingStore)

    @service.on(Verb.CREATED, Things)
    async def write_down(message: Message[Things], work: Work[ThingStore]) -> None:
        await work.store.add(message.noun.thing[0])

    return service
