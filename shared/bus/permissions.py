"""What each user of the broker may say and hear, derived from the interfaces: the least that lets a role do its work.

A role may publish only subjects that name it as asker or source, may hear only its own inbox, and may pull only from
its own durables. The dictionaries have the shape of the server's configuration.
"""

from collections.abc import Iterator

from contracts.interface import Catalogue, Interface, Lane, Mode
from shared.bus.grants import USER_INFO
from shared.bus.subjects import (
    ADMIN,
    AUDITOR,
    OPERATOR,
    AdminSubject,
    AdminVerb,
    Space,
    inbox,
)
from shared.bus.topology import durables, streams


def permissions(
    catalogue: Catalogue, root: str, context: str, role: str, *, grants_clock: bool = False
) -> dict[str, dict[str, list[str]]]:
    """What the user ``role`` of a context may publish and subscribe.

    Args:
        catalogue: all interfaces.
        root: the utility.
        context: the context.
        role: a role of the catalogue, or ``admin`` or ``auditor``.
        grants_clock: True for the role that grants the clock; never in production.

    Raises:
        KeyError: when the catalogue does not have the role.
        ValueError: when a clock is to be granted in production.
    """
    if grants_clock and context == "production":
        raise ValueError("in production nobody grants the clock")
    space = Space(root, context)
    if role == ADMIN:
        return _allow([">"], [">"])
    if role == AUDITOR:
        return _allow(_auditor_says(space), _auditor_hears(catalogue, space))
    interface = catalogue.interfaces[role]
    says = [*_says(space, interface), *_pulls(catalogue, space, role), *_blobs(space), USER_INFO]
    if role == OPERATOR:
        says.append(space.admin_of("*"))
    if grants_clock:
        says += [space.clock, space.admin_of("*", AdminVerb.STATUS), *_consumer_states(space)]
    return _allow(says, list(_hears(catalogue, space, interface)))


def _allow(publish: list[str], subscribe: list[str]) -> dict[str, dict[str, list[str]]]:
    return {"publish": {"allow": list(dict.fromkeys(publish))}, "subscribe": {"allow": list(dict.fromkeys(subscribe))}}


def _says(space: Space, interface: Interface) -> Iterator[str]:
    role = interface.role
    for asked in dict.fromkeys(ask.role for ask in interface.asks):
        yield space.requests_by(role, asked)
        yield space.commands_by(role, asked)
    for told in interface.publishes:
        yield space.events(told.lane, role, told.noun.__name__, told.verb)
    for lane in (Lane.JOURNAL, Lane.DEAD):
        yield space.events(lane, role)
    for heard in interface.subscribes:
        yield str(AdminSubject(root=space.root, context=space.context, role=heard.role, verb=AdminVerb.REPLAY))
    yield space.replies_of(role)
    yield "_INBOX.>"


def _hears(catalogue: Catalogue, space: Space, interface: Interface) -> Iterator[str]:
    role = interface.role
    yield space.requests_to(role)
    yield space.admin_of(role)
    yield space.clock
    yield f"{inbox(space.context, role)}.>"
    yield "$SRV.>"
    for heard in interface.subscribes:
        if heard.mode is Mode.FOLLOW:
            lane = catalogue.lane(heard.role, heard.verb, heard.noun.__name__)
            yield space.events(lane, heard.role, heard.noun.__name__, heard.verb)


def _pulls(catalogue: Catalogue, space: Space, role: str) -> Iterator[str]:
    for durable in durables(catalogue, space.root, space.context, role):
        yield f"$JS.API.CONSUMER.MSG.NEXT.{durable.stream}.{durable.name}"
        yield f"$JS.API.CONSUMER.INFO.{durable.stream}.{durable.name}"
        yield f"$JS.ACK.{durable.stream}.{durable.name}.>"


def _blobs(space: Space) -> Iterator[str]:
    yield f"$O.{space.bucket}.>"
    yield f"$JS.API.DIRECT.GET.OBJ_{space.bucket}"
    yield f"$JS.API.DIRECT.GET.OBJ_{space.bucket}.>"


def _consumer_states(space: Space) -> Iterator[str]:
    for stream in streams(space.root, space.context):
        yield f"$JS.API.CONSUMER.LIST.{stream.name}"
        yield f"$JS.API.CONSUMER.INFO.{stream.name}.*"


def _auditor_says(space: Space) -> list[str]:
    """It may read by consumers that the broker names, so it can neither take from a role's durable nor change it."""
    says = [USER_INFO, f"{inbox(space.context, AUDITOR)}.>", "$JS.API.STREAM.NAMES", *list(_blobs(space))[1:]]
    for stream in streams(space.root, space.context):
        says += [
            f"$JS.API.STREAM.INFO.{stream.name}",
            f"$JS.API.STREAM.MSG.GET.{stream.name}",
            f"$JS.API.CONSUMER.CREATE.{stream.name}",
            f"$JS.FC.{stream.name}.>",
        ]
    return [*says, *_consumer_states(space)]


def _auditor_hears(catalogue: Catalogue, space: Space) -> list[str]:
    inboxes = [f"{inbox(space.context, role)}.>" for role in (*catalogue.interfaces, AUDITOR)]
    return [space.everything, "$JS.EVENT.ADVISORY.>", *inboxes]
