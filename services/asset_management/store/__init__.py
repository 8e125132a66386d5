"""What asset management keeps: the register with its lives, the condition, the upkeep, the network it stands in."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.asset_management.domain import history
from services.asset_management.domain.assessment import Inputs
from services.asset_management.domain.changes import Claim, refuse_clashes
from services.asset_management.domain.history import Fact, History, Liveness
from services.asset_management.domain.lifecycle import IN_PLACE, Event
from services.asset_management.domain.places import timeline
from services.asset_management.store.condition import Condition
from services.asset_management.store.lives import Lives
from services.asset_management.store.network import Network
from services.asset_management.store.register import Register
from services.asset_management.store.upkeep import Upkeep

DEGASSED = "degassing"
"""The type of the data set that says that oil was degassed: the trend of its gases begins anew."""


class Store(Register, Lives, Condition, Upkeep, Network):
    """All of it. Whoever reads what it changes calls :meth:`lock_register` first, so one handler follows another."""

    async def settle(
        self, told: Sequence[Fact], now: datetime, *, binding: bool = False, assets: Iterable[str] = ()
    ) -> tuple[History, set[str]]:
        """Make the history follow from all that is told; with the assets of whom something else is known now.

        What is told by somebody who waits for an answer is ``binding``: it fits, or it is refused. What happened is
        kept anyway, and says why it does not fit.
        """
        known = await self.facts_around(told, assets)
        ids = {fact.id for fact in known}
        everything = [*known, *(each for each in told if each.id not in ids)]
        live = await self._voltage(everything)
        after = history.settle(everything, live)
        if binding:
            history.refuse_what_does_not_fit(history.settle(known, live), after, told)
        await self.save_facts(told, now)
        return after, await self.save_history(after, everything, now)

    async def _voltage(self, facts: Sequence[Fact]) -> Liveness:
        """When the positions at which something was built in were live."""
        if all(fact.event is not Event.INSTALLED for fact in facts):
            return {}
        positions = await self.positions({fact.position for fact in facts if fact.position is not None})
        told = await self.liveness({node for each in positions.values() for node in each.nodes})
        return {mrid: timeline(each, told) for mrid, each in positions.items()}

    async def refuse_clashes(self, claims: Sequence[Claim]) -> None:
        """Hold what is entered or changed to the catalogue, the network and the serial numbers.

        Raises:
            Conflict: a serial number is used already.
            Invalid: a model or a position is not known.
        """
        wanted = {claim.position for claim in claims if claim.position is not None}
        unknown = wanted - set(await self.positions(wanted)) if wanted and await self.has_network() else set()
        refuse_clashes(
            claims,
            models=await self.models({claim.model for claim in claims if claim.model is not None}),
            serials=await self.serials({claim.serial for claim in claims if claim.serial is not None}),
            unknown_positions=unknown,
        )

    async def places_among(self, names: Iterable[str]) -> set[str]:
        """Those of these names that are positions and not assets."""
        ordered = sorted(names)
        assets = set(await self.digests(ordered))
        return (set(await self.positions(ordered)) | await self.ever_at(ordered)) - assets

    async def site_of(self, asset: str, now: datetime) -> str:
        """Where work on an asset is: its location, or else its position, or else the asset itself."""
        location = (await self.placements([asset], now, now)).get(asset)
        spans = (await self.spans([asset])).get(asset, [])
        position = next((span.position for span in spans if span.holds(now)), None)
        return (None if location is None else location.mrid) or position or asset

    async def inputs_for(self, assets: Sequence[str], at: datetime, known_at: datetime) -> dict[str, Inputs]:
        """Everything that the scores of assets follow from, for an instant; only of those that are in place."""
        records, spans = await self.records(assets), await self.spans(assets)
        now = {mrid: span for mrid in records for span in spans.get(mrid, ()) if span.holds(at)}
        in_place = {mrid: span for mrid, span in now.items() if span.state in IN_PLACE}
        positions = await self.positions({span.position for span in in_place.values() if span.position is not None})
        seen = await self.newest(in_place, at, known_at)
        found = {}
        for mrid, span in sorted(in_place.items()):
            core, place = records[mrid].core, positions.get(span.position or "")
            dates = core.lifecycle_date
            first = next(each.starts for each in spans[mrid] if each.state in IN_PLACE)
            since = await self.last_activity(mrid, DEGASSED, at)
            found[mrid] = Inputs(
                asset_type=core.type,
                made_on=(None if dates is None else dates.manufactured_date) or first.date(),
                at=at,
                known_at=known_at,
                customers=None if place is None else place.customers,
                length_m=None if place is None else place.length_m,
                observations=seen.get(mrid, ()),
                samples=await self.samples(mrid, since, at, known_at),
            )
        return found
