"""Scenario 21 of the metering guide, and what else must not be disconnected (chapter 9), on real servers."""

from datetime import timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from contracts.codes.end_device_controls import CONNECT
from contracts.message import User
from contracts.nouns.customer_agreement_config import CustomerAgreement, CustomerAgreementConfig
from contracts.nouns.service_requests import ServiceRequest, ServiceRequests
from contracts.types import DateTimeInterval, ObjectReference, Status
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.acceptance.test_controls import MRC, T0, Utility, order, utility
from tests.service.test_meter_service import events
from tests.service.toys.world import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def is_refused(here: Utility, meter: str, why: str) -> None:
    await here.cis.command(MRC, Verb.CREATE, order(meter))
    assert [(error.code, why in str(error.reason)) for error in (await here.hears()).error] == [("6.1", True)]


async def is_known(here: Utility, sql: str) -> None:
    """Wait until a question to the database of the service is answered with yes."""
    login = here.installation.settings.login(MRC)
    database = await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
    )
    try:
        await eventually(lambda: database.fetchval(sql))
    finally:
        await database.close()


async def test_given_a_life_support_flag_set_between_accept_and_send_then_it_is_not_sent(dms: Installation) -> None:
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order("m1", starts=T0 + timedelta(hours=1)))
        await here.becomes("3.31.0.23 m1", "SCHEDULED")
        here.critical["m1 point"] = "lifeSupport"
        await here.at(hours=1)
        refused = await here.hears()
        assert [(error.code, "lifeSupport" in str(error.reason)) for error in refused.error] == [("6.1", True)]
        await here.nothing_comes_to_the_field()
        await here.cis.command(MRC, Verb.CREATE, order("m1", mrid="again"))
        assert [error.code for error in (await here.hears()).error] == ["6.1"]
        await here.cis.command(MRC, Verb.CREATE, order("m1", code=CONNECT))
        assert (await here.field()).noun == order("m1", code=CONNECT), "it guards no reconnection"


async def test_given_an_outage_at_the_place_then_nobody_is_disconnected_there(dms: Installation) -> None:
    async with utility(dms) as here:
        await here.head_end.tell(Verb.CREATED, events("3.26.9.185", "m1", "m1 point", 0), key="m1 point")
        await here.admin.next()
        await here.cis.command(MRC, Verb.CREATE, order("m1"))
        refused = await here.hears()
        assert [(error.code, "outage" in str(error.reason)) for error in refused.error] == [("6.1", True)]
        await here.head_end.tell(Verb.CREATED, events("3.26.9.216", "m1", "m1 point", 60), key="m1 point")
        await here.admin.next()
        await here.cis.command(MRC, Verb.CREATE, order("m1", mrid="after"))
        assert (await here.field()).noun == order("m1", mrid="after")


async def test_given_an_open_dispute_or_a_notice_that_still_runs_then_nobody_is_disconnected_there(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        dispute = ServiceRequest(
            mrid="quarrel", type="dispute", revision_number=1, customer_agreement=ObjectReference(mrid="contract")
        )
        agreement = CustomerAgreement(
            mrid="contract",
            revision_number=1,
            shut_off_date_time=T0 + timedelta(days=2),
            usage_points=(ObjectReference(mrid="m1 point"),),
            validity_interval=DateTimeInterval(start=T0 - timedelta(days=100)),
        )
        told = CustomerAgreementConfig(customer_agreement=(agreement,))
        await here.customers.tell(Verb.CREATED, told, key="contract")
        await here.customers.tell(Verb.CREATED, ServiceRequests(service_request=(dispute,)), key="quarrel")
        await is_known(here, "SELECT (SELECT count(*) FROM agreed) = 1 AND (SELECT count(*) FROM dispute) = 1")
        await is_refused(here, "m1", "dispute")
        settled = replace(dispute, revision_number=2, status=Status(value="RESOLVED"))
        await here.customers.tell(Verb.CHANGED, ServiceRequests(service_request=(settled,)), key="quarrel")
        await is_known(here, "SELECT NOT is_open FROM dispute")
        await is_refused(here, "m1", "notice")
        await here.at(days=2)
        await here.cis.command(MRC, Verb.CREATE, order("m1", mrid="after"))
        assert (await here.field()).noun == order("m1", mrid="after")
        await here.cis.command(MRC, Verb.CREATE, order("m2"))
        assert (await here.field()).noun == order("m2"), "nobody quarrels about the other"


async def test_given_an_agreement_that_is_active_then_nobody_is_disconnected_until_it_is_suspended(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        agreement = CustomerAgreement(
            mrid="contract",
            revision_number=1,
            status=Status(value="ACTIVE"),
            usage_points=(ObjectReference(mrid="m1 point"),),
            validity_interval=DateTimeInterval(start=T0 - timedelta(days=100)),
        )
        told = CustomerAgreementConfig(customer_agreement=(agreement,))
        await here.customers.tell(Verb.CREATED, told, key="contract")
        await is_known(here, "SELECT state = 'ACTIVE' FROM agreed")
        await is_refused(here, "m1", "the agreement about it is ACTIVE and not SUSPENDED")
        suspended = replace(agreement, revision_number=2, status=Status(value="SUSPENDED", reason="non-payment"))
        told = CustomerAgreementConfig(customer_agreement=(suspended,))
        await here.customers.tell(Verb.CHANGED, told, key="contract")
        await is_known(here, "SELECT state = 'SUSPENDED' FROM agreed")
        await here.cis.command(MRC, Verb.CREATE, order("m1", mrid="after"))
        assert (await here.field()).noun == order("m1", mrid="after")


async def test_given_voltage_behind_an_open_switch_then_it_is_not_closed_until_that_is_cleared(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        for code, second in (("3.31.0.68", 0), ("3.31.1.143", 60)):
            await here.head_end.tell(Verb.CREATED, events(code, "m1", "m1 point", second), key="m1 point")
            await here.admin.next()
        await here.cis.command(MRC, Verb.CREATE, order("m1", code=CONNECT))
        refused = await here.hears()
        assert [(error.code, error.reason) for error in refused.error] == [
            ("6.1", "there is voltage behind its open switch")
        ]
        await here.nothing_comes_to_the_field()
        await here.head_end.tell(Verb.CREATED, events("3.12.93.28", "m1", "m1 point", 120), key="m1 point")
        await here.admin.next()
        await here.cis.command(MRC, Verb.CREATE, order("m1", code=CONNECT, mrid="after"))
        assert (await here.field()).noun == order("m1", code=CONNECT, mrid="after")


async def test_given_a_batch_of_500_then_it_needs_a_second_person(dms: Installation) -> None:
    many = order(*(f"m{number}" for number in range(500)), mrid="batch")
    async with utility(dms) as here:
        for user, times in (("ann", 2), ("bob", 1)):
            for _ in range(times):
                await here.cis.command(MRC, Verb.CREATE, many, user=User(user_id=user))
                if user == "ann":
                    refused = await here.hears()
                    assert [error.code for error in refused.error] == ["6.1"]
                    assert "second person" in str(refused.error[0].reason)
                    await here.nothing_comes_to_the_field()
        sent = {(await here.field()).noun.end_device_control[0].end_devices[0].mrid for _ in range(500)}
        assert len(sent) == 500
