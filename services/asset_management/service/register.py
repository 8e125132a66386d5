"""How assets are found in the register, and how they are told and shown."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from contracts.errors import Invalid, NotFound
from contracts.message import Message
from contracts.nouns.assets import Asset, Assets
from contracts.types import ObjectReference
from contracts.verbs import Verb
from services.asset_management.domain import changes
from services.asset_management.domain.records import Record
from services.asset_management.store import Store
from services.asset_management.views import assets as assets_view
from shared.work import Work

PART = 200
"""Assets in one part of a reply."""


async def find(work: Work[Store], mrid: str) -> Record:
    """An asset of the register."""
    record = (await work.store.records([mrid])).get(mrid)
    if record is None:
        raise NotFound("there is no such asset in the register", object_id=mrid)
    return record


async def refer(work: Work[Store], reference: ObjectReference) -> Record:
    """The asset that something is about."""
    if not reference.mrid:
        raise Invalid("Asset/mRID: it is said by its mRID which asset it is about", code=changes.MANDATORY)
    return await find(work, reference.mrid)


async def tell(work: Work[Store], verb: Verb, mrids: Iterable[str]) -> None:
    """Tell of assets as they are now, one event each; a change counts their revision."""
    ordered = sorted(mrids)
    if not ordered:
        return
    if verb is Verb.CHANGED:
        await work.store.next_revisions(ordered, work.now)
    for asset in await shown(work, ordered, None, work.now):
        work.publish(verb, Assets(asset=(asset,)), key=asset.mrid)


async def shown(work: Work[Store], mrids: Sequence[str], at: datetime | None, known_at: datetime) -> list[Asset]:
    """Assets as they were at an instant, by what was known at another; without one as they are at last."""
    past = None if known_at == work.now else known_at
    records, spans = await work.store.records(mrids, past), await work.store.spans(mrids, past)
    ends = {mrid: at or max(work.now, *(span.starts for span in spans[mrid])) for mrid in records if mrid in spans}
    latest = max(ends.values(), default=work.now)
    locations = await work.store.placements(mrids, latest, known_at)
    others = await work.store.activities(mrids, latest, known_at)
    facts = await work.store.told_facts(mrids, latest, known_at)
    found = (
        assets_view.told(
            records[mrid],
            spans[mrid],
            ends[mrid],
            locations.get(mrid),
            assets_view.records_of(mrid, facts[mrid], others.get(mrid, ())),
        )
        for mrid in mrids
        if mrid in ends
    )
    return [asset for asset in found if asset is not None]


async def receipts(work: Work[Store], mrids: Sequence[str]) -> Assets:
    """What an answer says of assets that were entered or changed."""
    found = await shown(work, list(dict.fromkeys(mrids)), None, work.now)
    return Assets(asset=tuple(map(assets_view.receipt, found)))


def ids_of(message: Message[Any]) -> list[str]:
    """The mRIDs that a request names."""
    return [] if message.request is None else [each.value for each in message.request.id]


def period_of(message: Message[Any]) -> tuple[datetime | None, datetime | None]:
    """The time that a request names."""
    request = message.request
    return (None, None) if request is None else (request.start_time, request.end_time)
