"""Streams and durable consumers, derived from the interfaces, and the bootstrap that makes the broker have them.

Services never create any of this: their users may not. The bootstrap runs as ``admin``, as often as one likes.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

import nats.errors
import nats.js.api as js
from msgspec import Struct
from nats.js.errors import APIError, NotFoundError
from nats.js.manager import JetStreamManager

from contracts.errors import Conflict, Unavailable
from contracts.interface import Catalogue, Interface, Lane, Mode, Subscription
from contracts.verbs import Verb
from shared.bus.connection import Bus
from shared.bus.subjects import Space

_log = logging.getLogger(__name__)

GIBIBYTE = 1 << 30

CAPACITY_BYTES = 4 * GIBIBYTE
"""The disk that the streams of one context may fill on each server, unless the bootstrap is told otherwise."""

ACK_WAIT_S = 10.0
"""How long a message may be worked on without a sign of life before somebody else gets it."""

IN_FLIGHT = 256
"""How many messages of a durable may be unacknowledged where order does not matter."""

BULK_IN_FLIGHT = 8192
"""The same where messages may be handled in batches, which are the larger the more there is to do."""

_DAY_S = 86_400.0
_DUPLICATE_WINDOW_S = 120.0

_SHARES = {
    "command": 2,
    "reply": 2,
    Lane.CONTROL: 2,
    Lane.OUTAGE: 2,
    Lane.READINGS: 8,
    Lane.GENERAL: 2,
    Lane.JOURNAL: 6,
    Lane.DEAD: 2,
    "blobs": 6,
}
"""How the capacity is divided; the bytes are reserved on the server, so their sum must fit its disk."""

_AGES_S = {Lane.DEAD: 90 * _DAY_S, Lane.JOURNAL: 30 * _DAY_S, "blobs": 30 * _DAY_S}
_AGE_S = 14 * _DAY_S
"""Longer than any neighbour is away, and shorter than inbox keys are kept, so that a late double is still known."""


class Stream(Struct, frozen=True, kw_only=True):
    """A stream of a context: file storage, limits retention, and a full stream refuses instead of forgetting.

    Attributes:
        max_age_s: how long a message is kept, in seconds.
        max_bytes: how much of them is kept; what comes then is refused, and waits in its outbox.
        objects: True for the stream below the object store, whose chunks are read by subject and rolled up.
    """

    name: str
    subjects: tuple[str, ...]
    max_age_s: float
    max_bytes: int
    objects: bool = False

    def config(self, replicas: int) -> js.StreamConfig:
        """The stream as the broker knows it."""
        return js.StreamConfig(
            name=self.name,
            subjects=list(self.subjects),
            retention=js.RetentionPolicy.LIMITS,
            discard=js.DiscardPolicy.NEW,
            storage=js.StorageType.FILE,
            compression=js.StoreCompression.S2,
            max_age=self.max_age_s,
            max_bytes=self.max_bytes,
            num_replicas=replicas,
            duplicate_window=_DUPLICATE_WINDOW_S,
            deny_delete=True,
            deny_purge=not self.objects,  # a roll-up purges what it replaces
            allow_rollup_hdrs=self.objects,
            allow_direct=self.objects,
        )


class Durable(Struct, frozen=True, kw_only=True):
    """A durable pull consumer of a role.

    Attributes:
        role: whose it is.
        max_ack_pending: how many messages are in flight at a time; 1 keeps the order of a partition.
        lane: the lane it reads, or None for commands and replies.
        mode: SHARED or KEYED where it reads the events of a lane; None where it records them all.
    """

    stream: str
    name: str
    role: str
    filters: tuple[str, ...]
    max_ack_pending: int
    lane: Lane | None = None
    mode: Mode | None = None

    def config(self) -> js.ConsumerConfig:
        """The consumer as the broker knows it; the kernel, not the broker, judges what is delivered too often."""
        return js.ConsumerConfig(
            name=self.name,
            durable_name=self.name,
            deliver_policy=js.DeliverPolicy.ALL,
            ack_policy=js.AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_deliver=-1,
            filter_subjects=list(self.filters),
            max_ack_pending=self.max_ack_pending,
        )


def streams(root: str, context: str, capacity_bytes: int = CAPACITY_BYTES) -> tuple[Stream, ...]:
    """The streams of a context: commands, replies, one for each lane, and the one below the object store."""
    space = Space(root, context)
    share = capacity_bytes // sum(_SHARES.values())
    kinds = {"command": (space.commands,), "reply": (space.replies,)} | {lane: (space.lane(lane),) for lane in Lane}
    plain = tuple(
        Stream(
            name=space.stream(kind),
            subjects=subjects,
            max_age_s=_AGES_S.get(kind, _AGE_S),
            max_bytes=share * _SHARES[kind],
        )
        for kind, subjects in kinds.items()
    )
    objects = Stream(
        name=f"OBJ_{space.bucket}",
        subjects=(f"$O.{space.bucket}.C.>", f"$O.{space.bucket}.M.>"),
        max_age_s=_AGES_S["blobs"],
        max_bytes=share * _SHARES["blobs"],
        objects=True,
    )
    return (*plain, objects)


def durables(catalogue: Catalogue, root: str, context: str, role: str | None = None) -> tuple[Durable, ...]:
    """The durable consumers of all roles, or of one.

    Raises:
        KeyError: when a role hears what its teller does not publish; see ``Catalogue.problems``.
    """
    space = Space(root, context)
    interfaces = catalogue.interfaces.values() if role is None else (catalogue.interfaces[role],)
    return tuple(durable for interface in interfaces for durable in _durables_of(catalogue, space, interface))


def _durables_of(catalogue: Catalogue, space: Space, interface: Interface) -> Iterator[Durable]:
    role = interface.role
    if any(served.verb is not Verb.GET for served in interface.serves):
        yield Durable(
            stream=space.stream("command"),
            name=role,
            role=role,
            filters=(space.commands_to(role),),
            max_ack_pending=IN_FLIGHT,
        )
    if any(ask.verb is not Verb.GET for ask in interface.asks):
        yield Durable(
            stream=space.stream("reply"),
            name=role,
            role=role,
            filters=(space.replies_to(role),),
            max_ack_pending=IN_FLIGHT,
        )
    for lane in Lane:
        yield from _durables_in(catalogue, space, interface, lane)
    for lane in interface.records:
        yield Durable(
            stream=space.stream(lane),
            name=f"{role}_record",
            role=role,
            filters=(space.lane(lane),),
            max_ack_pending=IN_FLIGHT,
            lane=lane,
        )


def _durables_in(catalogue: Catalogue, space: Space, interface: Interface, lane: Lane) -> Iterator[Durable]:
    heard = [
        heard for heard in interface.subscribes if catalogue.lane(heard.role, heard.verb, heard.noun.__name__) is lane
    ]
    shared = [heard for heard in heard if heard.mode is Mode.SHARED]
    if shared:
        yield Durable(
            stream=space.stream(lane),
            name=f"{interface.role}_shared",
            role=interface.role,
            filters=_filters(catalogue, space, lane, shared),
            max_ack_pending=BULK_IN_FLIGHT if any(event.compact for event in shared) else IN_FLIGHT,
            lane=lane,
            mode=Mode.SHARED,
        )
    keyed = [heard for heard in heard if heard.mode is Mode.KEYED]
    for number in range(lane.partitions if keyed else 0):
        yield Durable(
            stream=space.stream(lane),
            name=f"{interface.role}_keyed_{number}",
            role=interface.role,
            filters=_filters(catalogue, space, lane, keyed, number),
            max_ack_pending=1,
            lane=lane,
            mode=Mode.KEYED,
        )


def _filters(
    catalogue: Catalogue, space: Space, lane: Lane, heard: Iterable[Subscription], partition: int | None = None
) -> tuple[str, ...]:
    """Where events are, in as few patterns as say it: one for a noun of which a role tells nothing else in the lane.

    With several the broker looks for the next message under each: an eighth of what a delivery costs it.
    """
    verbs: dict[tuple[str, str], set[Verb]] = {}
    for event in heard:
        verbs.setdefault((event.role, event.noun.__name__), set()).add(event.verb)
    found: list[str] = []
    for (role, noun), wanted in verbs.items():
        told = {
            each.verb
            for each in catalogue.interfaces[role].publishes
            if each.noun.__name__ == noun and each.lane is lane
        }
        which: Sequence[Verb | None] = [None] if len(wanted) > 1 and wanted == told else sorted(wanted)
        found += [space.events(lane, role, noun, verb, partition) for verb in which]
    return tuple(found)


async def ensure(
    bus: Bus,
    catalogue: Catalogue,
    root: str,
    context: str,
    *,
    replicas: int = 1,
    capacity_bytes: int = CAPACITY_BYTES,
) -> tuple[str, ...]:
    """Makes the broker have the streams and durables of a context, and says in sentences what it changed.

    What is there already and right stays untouched, so it may run at every start. What is there and belongs to
    nobody any more also stays; it is named in the log.

    Args:
        bus: the connection of ``admin``.
        catalogue: all interfaces.
        root: the utility.
        context: the context.
        replicas: on how many servers each stream lies: 1, 3 or 5.
        capacity_bytes: the disk that the context may fill on each server.

    Raises:
        Conflict: when the wanted change would lose messages; nothing has been changed then.
        Unavailable: when the broker does not answer or refuses.
    """
    manager = bus.manager
    wanted = {stream.name: stream.config(replicas) for stream in streams(root, context, capacity_bytes)}
    try:
        present = {name: await _stream_info(manager, name) for name in wanted}
        losses = [loss for name in wanted for loss in _losses(wanted[name], present[name])]
        if losses:
            raise Conflict("the streams stay as they are, since messages would be lost: " + "; ".join(losses))
        changes = [await _ensure_stream(manager, wanted[name], present[name]) for name in wanted]
        planned = durables(catalogue, root, context)
        for name in wanted:
            changes += await _ensure_durables(manager, name, [durable for durable in planned if durable.stream == name])
    except APIError as error:
        raise Unavailable(f"the broker refuses the streams of '{root}.{context}': {error.description}") from error
    except nats.errors.Error as error:
        raise Unavailable(f"the broker does not answer to the bootstrap of '{root}.{context}': {error}") from error
    return tuple(change for change in changes if change)


async def remove(bus: Bus, root: str, context: str) -> None:
    """Removes the streams of a context with all that is in them, such as those of a storm that is over.

    Raises:
        Conflict: for the context production.
        Unavailable: when the broker does not answer or refuses.
    """
    if context == "production":
        raise Conflict("the streams of production are never removed")
    try:
        for stream in streams(root, context):
            if await _stream_info(bus.manager, stream.name) is not None:
                await bus.manager.delete_stream(stream.name)
    except nats.errors.Error as error:
        raise Unavailable(f"the streams of '{root}.{context}' cannot be removed: {error}") from error


async def _stream_info(manager: JetStreamManager, name: str) -> js.StreamInfo | None:
    try:
        return await manager.stream_info(name)
    except NotFoundError:
        return None


def _losses(wanted: js.StreamConfig, present: js.StreamInfo | None) -> Iterator[str]:
    """What would be lost or cannot be done if ``present`` became ``wanted``."""
    if present is None:
        return
    config, name = present.config, wanted.name
    gone = sorted(set(config.subjects or ()) - set(wanted.subjects or ()))
    if gone:
        yield f"{name} would no longer hold {', '.join(gone)}"
    if (wanted.max_bytes or 0) < present.state.bytes:
        yield f"{name} holds {present.state.bytes} bytes, more than the {wanted.max_bytes} that it may keep"
    if not config.max_age or (wanted.max_age or 0) < config.max_age:
        kept = f"{config.max_age:.0f} s" if config.max_age else "ever"
        yield f"{name} keeps messages for {kept}, longer than the {wanted.max_age or 0:.0f} s wanted"
    if (wanted.num_replicas or 1) < (config.num_replicas or 1):
        yield f"{name} has {config.num_replicas} replicas, more than the {wanted.num_replicas} wanted"
    for setting in ("retention", "storage"):
        if getattr(config, setting) != getattr(wanted, setting):
            yield f"{name} has the {setting} '{getattr(config, setting)}', which cannot be changed"


async def _ensure_stream(manager: JetStreamManager, wanted: js.StreamConfig, present: js.StreamInfo | None) -> str:
    if present is None:
        await manager.add_stream(wanted)
        return f"created the stream {wanted.name}"
    if not _differ(wanted.as_dict(), present.config.as_dict()):
        return ""
    await manager.update_stream(wanted)
    return f"updated the stream {wanted.name}"


async def _ensure_durables(manager: JetStreamManager, stream: str, planned: list[Durable]) -> list[str]:
    present = {info.name: info.config for info in await _consumers(manager, stream)}
    changes = []
    for durable in planned:
        wanted, config = durable.config(), present.pop(durable.name, None)
        if config is not None and not _differ(wanted.as_dict(), _with_filters(config).as_dict()):
            continue
        await manager.add_consumer(stream, wanted)
        changes.append(f"{'created' if config is None else 'updated'} the durable {durable.name} of {stream}")
    for name in (name for name, config in present.items() if config.durable_name):
        _log.warning("a durable belongs to no interface", extra={"stream": stream, "durable": name})
    return changes


async def _consumers(manager: JetStreamManager, stream: str) -> list[js.ConsumerInfo]:
    found: list[js.ConsumerInfo] = []
    while page := await manager.consumers_info(stream, offset=len(found)):
        found += page
    return found


def _with_filters(config: js.ConsumerConfig) -> js.ConsumerConfig:
    """One filter comes back from the broker as ``filter_subject`` only."""
    if config.filter_subject and not config.filter_subjects:
        return config.evolve(filter_subjects=[config.filter_subject])
    return config


def _differ(wanted: Mapping[str, object], present: Mapping[str, object]) -> bool:
    """True when something that is wanted is not so."""
    return any(present.get(name) != value for name, value in wanted.items() if value not in (None, False))
