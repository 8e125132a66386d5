"""What is entered in the register and what is changed in it, held to what is known already."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from contracts.errors import Conflict, Invalid
from contracts.nouns.assets import Asset
from services.asset_management.domain import lifecycle
from services.asset_management.domain.history import Fact, Span
from services.asset_management.domain.lifecycle import IN_PLACE, Event, Shape
from services.asset_management.domain.records import Activity, Entry, Placement

T = TypeVar("T")

MANDATORY = "5.8"
"""The reply code for what is missing."""

MOST_PROBLEMS = 10
"""So many problems of one message are told."""

_NEGLIGIBLE = 0.001

MEDIA = tuple(f"{medium}{what}" for medium in ("oil", "sf6", "pcb") for what in ("Filled", "Recovered", "Lost"))
"""The values by which the media of an asset are accounted for, each in the same unit throughout."""


class Arrival(Struct, frozen=True, kw_only=True):
    """A new asset: what is kept of it, how its life begins, where it is and what happened to it before."""

    entry: Entry
    fact: Fact
    placement: Placement | None
    activities: tuple[Activity, ...]

    @property
    def mrid(self) -> str:
        """The mRID of the asset."""
        return self.entry.core.mrid

    @property
    def claim(self) -> "Claim":
        """What it lays claim to."""
        return Claim(core=self.entry.core, position=self.fact.position)


class Change(Struct, frozen=True, kw_only=True):
    """What a change wants of an asset.

    Attributes:
        core: what is true of the thing afterwards.
        at: since when.
        shape: the states that it is to have, as far as they are said.
        position: where it is to be, if that is said.
    """

    core: Asset
    at: datetime
    shape: Shape
    position: str | None
    placement: Placement | None
    activities: tuple[Activity, ...]

    @property
    def claim(self) -> "Claim":
        """What it lays claim to."""
        return Claim(core=self.core, position=self.position)


def fresh(given: Iterable[tuple[str, str, T]], known: Mapping[str, str]) -> list[T]:
    """Those that are not known yet; what was sent before in the same words changes nothing.

    Args:
        given: the mRID, the digest and the value of each object of a message.
        known: the digests of what was sent before, by mRID.

    Raises:
        Conflict: one is known and says otherwise, or stands twice in the message and says two things.
    """
    sent = dict(known)
    new: dict[str, T] = {}
    for mrid, words, value in given:
        if sent.setdefault(mrid, words) != words:
            raise Conflict("it is known already and was entered otherwise; change it", object_id=mrid)
        if mrid not in known:
            new[mrid] = value
    return list(new.values())


class Claim(Struct, frozen=True, kw_only=True):
    """What an asset that is entered or changed lays claim to."""

    core: Asset
    position: str | None

    @property
    def model(self) -> str | None:
        """The model that it says it is of."""
        return None if self.core.product_asset_model is None else self.core.product_asset_model.mrid

    @property
    def serial(self) -> tuple[str, str] | None:
        """Its serial number, with that within which it is unique."""
        number = self.core.serial_number
        return None if number is None else (maker(self.core), number)


def maker(asset: Asset) -> str:
    """Within what a serial number is unique: the model, or the type where no model is said."""
    model = None if asset.product_asset_model is None else asset.product_asset_model.mrid
    return model or f"type {(asset.type or '').lower()}"


def refuse_clashes(
    claims: Iterable[Claim],
    *,
    models: set[str],
    serials: Mapping[tuple[str, str], str],
    unknown_positions: set[str],
) -> None:
    """Hold claims to the catalogue, the network and the serial numbers that are known.

    Raises:
        Conflict: a serial number is used already, by a known asset or twice in the message.
        Invalid: a model or a position is not known. All problems are told together.
    """
    used = dict(serials)
    problems: list[tuple[type[Conflict | Invalid], str, str]] = []
    for claim in claims:
        mrid = claim.core.mrid
        if claim.model is not None and claim.model not in models:
            problems.append((Invalid, mrid, f"ProductAssetModel {claim.model} is not in the catalogue"))
        if claim.position in unknown_positions:
            problems.append((Invalid, mrid, f"the network model has no equipment {claim.position}"))
        owner = mrid if claim.serial is None else used.setdefault(claim.serial, mrid)
        if owner != mrid:
            problems.append((Conflict, mrid, f"serialNumber {claim.core.serial_number} belongs to asset {owner}"))
    if problems:
        told = "; ".join(f"asset {mrid}: {text}" for _, mrid, text in problems[:MOST_PROBLEMS])
        more = len(problems) - MOST_PROBLEMS
        kind = Conflict if Conflict in {kind for kind, _, _ in problems} else Invalid
        raise kind(told + (f"; and {more} more" if more > 0 else ""), object_id=problems[0][1])


def facts_of(wanted: Change, now: Span, ids: Iterable[str]) -> list[Fact]:
    """The facts by which an asset comes to be as a change wants it.

    Raises:
        Conflict: the table of states has no way there, or it is in another place.
        Invalid: a position without a state that has one, or the other way round.
    """
    mrid, position = wanted.core.mrid, wanted.position
    if now.state in IN_PLACE and position not in {None, now.position}:
        raise Conflict(
            f"asset {mrid} is at {now.position}: it is '{now.state}' and cannot be 'installed' at {position}",
            object_id=mrid,
        )
    events = lifecycle.steps(now.state, wanted.shape)
    installs = Event.INSTALLED in events
    if position is not None and now.state not in IN_PLACE and not installs:
        raise Invalid(f"PowerSystemResources: an asset that is '{now.state}' has no position", object_id=mrid)
    if installs and position is None and wanted.placement is None:
        raise Invalid("PowerSystemResources: what is in place is somewhere", code=MANDATORY, object_id=mrid)
    return [
        Fact(
            id=each,
            asset=mrid,
            at=wanted.at,
            event=event,
            position=position if event is Event.INSTALLED else None,
            source="told by whoever keeps the register",
        )
        for event, each in zip(events, ids, strict=False)
    ]


def refuse_what_is_not_ready(
    wanted: Change, facts: Iterable[Fact], *, commissioned: bool, open_media: Sequence[str]
) -> None:
    """Hold steps of a life to what must be there before them.

    Raises:
        Invalid: an element is missing that a step needs.
        Conflict: a test was not passed or not made, or a medium is not accounted for.
    """
    asset = wanted.core
    events = {fact.event for fact in facts}
    test = asset.acceptance_test
    if Event.ACCEPTED in events and (test is None or test.success is not True):
        raise Conflict("acceptanceTest: the asset has not passed it", object_id=asset.mrid)
    on_site = test is not None and test.success is True and "site" in (test.type or "")
    if Event.ENERGISED in events and not (commissioned or on_site):
        raise Conflict("there is no commissioning test, nor an acceptanceTest on site", object_id=asset.mrid)
    if Event.RETIRED in events and asset.retired_reason is None:
        raise Invalid("retiredReason: whoever retires an asset says why", code=MANDATORY, object_id=asset.mrid)
    if Event.DISPOSED in events and open_media:
        raise Conflict(f"not accounted for: {', '.join(open_media)}", object_id=asset.mrid)


def open_media(amounts: Iterable[tuple[str, float]]) -> list[str]:
    """The media of which more was filled in than recovered or lost, by values such as ``oilFilled``, ``sf6Lost``."""
    balance: dict[str, float] = {}
    for name, amount in amounts:
        for ending, sign in (("Filled", 1), ("Recovered", -1), ("Lost", -1)):
            if name.endswith(ending):
                medium = name.removesuffix(ending)
                balance[medium] = balance.get(medium, 0.0) + sign * amount
    return [f"{medium} {left:g}" for medium, left in sorted(balance.items()) if abs(left) > _NEGLIGIBLE]
