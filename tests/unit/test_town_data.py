"""Customers, meters, crews and stores that are made for a network: whole, the same again, and all of them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.catalogue import ROLES
from contracts.message import Message
from contracts.nouns.feeder_topology import Feeder
from services.customer_management.domain.agreement import AgreementState, begun, claims, state
from services.meter_reading_and_control.domain.meters import each_by_itself
from services.work_management.domain.crews import entered
from shared.codec import CONTENT_XML, Codec
from shared.tools.cli.making import MAKERS
from shared.tools.data import File
from shared.tools.data.customers import is_business
from tests.fixtures.streets import street

DAY = date(2026, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 1 << 20
CODEC = Codec(ROLES)


def network(points: int = 600) -> Feeder:
    """A street with many usage points, the first of which is critical."""
    drawn = street()
    first = drawn.usage_point[0]
    many = tuple(
        replace(first, mrid=f"{place:08}-point", meter=f"meter {place}", critical=place == 0) for place in range(points)
    )
    return replace(drawn, usage_point=many)


def made(kind: str) -> list[File]:
    return list(MAKERS[kind]((network(),), context="production", day=DAY))


def objects(kind: str, noun: str) -> Iterator[Any]:
    for each in made(kind):
        if each.message.header.noun == noun:
            for name in each.message.noun.__struct_fields__:
                held = getattr(each.message.noun, name)
                yield from held if isinstance(held, tuple) else ()


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_the_same_network_and_day_make_the_same_messages_each_of_them_whole_and_not_too_large(kind: str) -> None:
    first, again = (
        {each.name: CODEC.encode(each.message, CONTENT_XML) for each in files} for files in (made(kind), made(kind))
    )
    assert first == again
    for name, body in first.items():
        message = CODEC.decode(body, CONTENT_XML)
        assert isinstance(message, Message), name
        assert len(body) < LIMIT
    assert len({each.message.header.message_id for each in made(kind)}) == len(first)


def test_each_usage_point_has_one_customer_whose_agreement_holds_and_nobody_elses() -> None:
    agreements = [begun(each, NOW) for each in objects("customers", "CustomerAgreementConfig")]
    assert {state(each) for each in agreements} == {AgreementState.ACTIVE}
    claimed = [claim.usage_point for each in agreements for claim in claims(each)]
    assert sorted(claimed) == [point.mrid for point in network().usage_point]
    known = {each.mrid for each in objects("customers", "CustomerConfig")}
    assert {each.customer.mrid for each in agreements if each.customer} == known
    accounts = {each.mrid for each in objects("customers", "CustomerAccountConfig")}
    assert {each.customer_account.mrid for each in agreements if each.customer_account} == accounts


def test_who_is_critical_in_the_model_depends_on_the_supply_and_so_do_a_few_homes() -> None:
    needs = [each.special_need for each in objects("customers", "CustomerConfig")]
    assert needs[0] not in {None, "lifeSupport"}
    assert 0 < needs.count("lifeSupport") < len(needs) / 20


def test_each_meter_is_set_up_and_at_its_usage_point_and_a_business_is_metered_behind_transformers() -> None:
    points = {point.mrid: point for point in network().usage_point}
    configs = [
        one
        for each in made("meters")
        if each.message.header.noun == "MeterConfig"
        for one in each_by_itself(each.message.noun)
    ]
    assert len(configs) == len(points)
    assert all(len(config.simple_end_device_function) == len(config.com_function) == 1 for config in configs)
    with_ratio = {config.meter[0].mrid for config in configs if config.meter[0].meter_multipliers}
    assert with_ratio == {point.meter for point in points.values() if is_business(point)}
    links = [each.message.noun for each in made("meters") if each.message.header.noun == "MasterDataLinkageConfig"]
    assert {link.usage_point[0].mrid: link.meter[0].mrid for link in links} == {
        mrid: point.meter for mrid, point in points.items()
    }
    assert all(link.configuration_event.effective_date_time < NOW for link in links)


def test_crews_cover_the_day_in_shifts_and_can_do_what_faults_need() -> None:
    crews = [entered(each) for each in objects("work", "Crews")]
    assert all(crew.able("line", NOW) == 3 and crew.able("switching", NOW) == 1 for crew in crews)
    hours = {crew.told.shift.start.hour for crew in crews if crew.told.shift and crew.told.shift.start}
    assert hours == {6, 14, 22}
    assert all(item.quantity.value > item.safety_stock.value for item in objects("work", "MaterialItems"))
