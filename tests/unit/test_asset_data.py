"""The assets that are made for a network: in order, complete, the same again, and nothing that asks for work."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from contracts.catalogue import ROLES
from contracts.message import Message
from contracts.nouns.assets import Asset, InUseStateKind
from contracts.nouns.feeder_topology import Feeder
from services.asset_management.domain.assessment import Observation
from services.asset_management.domain.classes import class_of
from services.asset_management.domain.findings import Priority, findings
from services.asset_management.domain.plans import months_later
from shared.codec import CONTENT_XML, Codec
from shared.tools.data import File
from shared.tools.data.assets import SORTS, SPARES, assets
from tests.fixtures.streets import equipment, street

DAY = date(2026, 1, 1)
LIMIT = 1 << 20
CODEC = Codec(ROLES)


def network() -> Feeder:
    """The street with a transformer that serves, one that does not, and lines of some length."""
    drawn = street()
    lines = tuple(replace(each, length=250.0) if each.kind == "ACLineSegment" else each for each in drawn.equipment)
    more = (
        equipment("tx", "PowerTransformer", "n3", "n9"),
        equipment("grid tx", "PowerTransformer", "n7", "n0"),
        equipment("grid tx-3", "PowerTransformer", "n7", "n10"),
    )
    points = tuple(replace(each, transformer="tx") for each in drawn.usage_point)
    return replace(drawn, equipment=(*lines, *more), usage_point=points)


def made(day: date = DAY) -> list[File]:
    return list(assets([network()], context="production", day=day))


def entered() -> list[Asset]:
    found: list[Asset] = []
    for each in made():
        if each.message.header.noun == "Assets":
            found += each.message.noun.asset
    return found


def test_files_are_numbered_so_that_what_is_needed_comes_before_what_needs_it() -> None:
    nouns = [each.message.header.noun for each in sorted(made(), key=lambda each: each.name)]
    assert list(dict.fromkeys(nouns)) == [
        "AssetCatalogue",
        "Assets",
        "ProcedureDataSets",
        "TestResults",
        "MaintenancePlans",
    ]


def test_the_same_network_and_day_make_the_same_bytes_and_each_message_is_whole() -> None:
    first, again = (
        [(each.name, CODEC.encode(each.message, CONTENT_XML)) for each in files] for files in (made(), made())
    )
    assert first == again
    for name, body in first:
        message = CODEC.decode(body, CONTENT_XML)
        assert isinstance(message, Message), name
        header = message.header
        assert len(body) < LIMIT
        assert None not in {header.timestamp, header.source, header.message_id, header.correlation_id}
        assert header.context == "PRODUCTION"
    assert len({each.message.header.message_id for each in made()}) == len(made())


def test_each_position_of_the_utility_has_one_asset_and_no_two_have_one_serial_number() -> None:
    placed = [asset.power_system_resources[0].mrid for asset in entered() if asset.power_system_resources]
    assert sorted(str(each) for each in placed) == sorted(
        ["breaker", "main", "fuse-a", "line-a", "fuse-b", "line-b", "tie", "tx", "grid tx"]
    )
    numbers = [(asset.product_asset_model, asset.serial_number) for asset in entered()]
    assert len(set(numbers)) == len(numbers)
    types = {asset.power_system_resources[0].mrid: asset.type for asset in entered() if asset.power_system_resources}
    assert (types["tx"], types["grid tx"]) == ("Distribution transformer", "Power transformer")


def test_a_line_stands_on_poles_and_spares_lie_in_the_depot() -> None:
    poles = [asset for asset in entered() if asset.type == "Wood pole"]
    assert len(poles) == 3 * 4
    assert all(not pole.power_system_resources and pole.asset_container for pole in poles)
    spares = [asset for asset in entered() if asset.in_use_state is InUseStateKind.READY_FOR_USE]
    assert len(spares) == sum(SPARES.values())


def test_every_word_that_is_said_is_one_that_is_understood_and_none_is_urgent() -> None:
    for name, sort in SORTS.items():
        if sort.look is not None:
            thing, words = sort.look
            kind = class_of(name)
            assert kind is not None
            assert set(words) <= set(kind.observed[thing])
            seen = [Observation(name=thing, at=datetime(2026, 1, 1, tzinfo=UTC), word=word) for word in words]
            assert {each.priority for each in findings(seen, kind)} <= {Priority.P4}


def test_nothing_is_younger_than_the_day_and_no_plan_is_due_within_two_years_of_it() -> None:
    for asset in entered():
        dates = asset.lifecycle_date
        assert dates is not None
        assert all(day is None or day <= DAY for day in (dates.manufactured_date, dates.installation_date))
    for each in made():
        if each.message.header.noun == "MaintenancePlans":
            for plan in each.message.noun.maintenance_plan:
                assert months_later(plan.last_done_date, plan.interval_months) > DAY + timedelta(days=700)


@pytest.mark.parametrize("day", [DAY, date(2030, 6, 1)])
def test_another_day_makes_another_folder_with_the_same_assets(day: date) -> None:
    files = [each for each in made(day) if each.message.header.noun == "Assets"]
    mrids = {asset.mrid for each in files for asset in each.message.noun.asset}
    assert mrids == {asset.mrid for asset in entered()}
