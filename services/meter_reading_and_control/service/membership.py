"""Usage points that belong together: what models of the network say of them, and whom a question means by them."""

from collections.abc import Sequence

from contracts.errors import Invalid
from contracts.message import Message
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import membership
from services.meter_reading_and_control.domain.membership import Group
from services.meter_reading_and_control.domain.meters import ALWAYS
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import sums
from services.meter_reading_and_control.views.answers import Question
from shared.work import Work


@service.on(Verb.CREATED, NetworkModels)
async def learn_model(message: Message[NetworkModels], work: Work[Store]) -> None:
    """A new model says where usage points are served from now on; the first one that is heard, also before."""
    since = sums.since_in(message.noun, work.now)
    if since is None:
        return
    built = await work.request(FeederTopology, role="network-model-management")
    await work.store.lock_membership()
    known = await work.store.served_now()
    since = since if known else ALWAYS
    await work.store.save_served(membership.news(known, sums.served_in(built, since), since), work.now)


async def groups_of(named: sums.Named, asked: Question, work: Work[Store]) -> list[Group]:
    """The usage points that are asked for by what they belong to.

    Raises:
        Invalid: 2.15, there is no such group, transformer or feeder.
    """
    found = membership.groups_in(await work.store.served(named.places, asked.as_of), named.places)
    unknown = sorted({*named.places} - {group.name for group in found})
    if unknown:
        raise Invalid(f"no usage point is known in {unknown[0]}", code="2.15", object_id=unknown[0])
    if named.point_groups:
        told = await work.request(UsagePointGroups, role="customer-management")
        found += sums.point_groups(told, named.point_groups)
    for name in named.device_groups:
        devices = await work.store.members([name])
        found.append(sums.device_group(name, devices, await work.store.installed(devices, asked.as_of)))
    return found


async def points_of(asked: Question, groups: Sequence[Group], work: Work[Store]) -> list[tuple[str, Question]]:
    """The usage points that are asked for and what of each: of who belongs to a group, the time in which it does."""
    own = sorted(await work.store.points_of(asked.points, asked.meters))
    together = membership.united(groups).members
    return [(point, asked) for point in own] + [
        (point, asked.only(point, since, until))
        for point, spells in sorted(together.items())
        if point not in own
        for since, until in membership.narrowed(spells, asked.start, asked.end)
    ]
