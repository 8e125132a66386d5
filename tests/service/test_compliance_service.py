"""Compliance management on real servers, with peers that tell of outages and of the network."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from msgspec import json
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.errors import Conflict, Invalid, NotFound, from_reply
from contracts.interface import Lane
from contracts.message import Id, Message, Option, Reply, Request, Result
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import ModelStatusKind, NetworkModel, NetworkModels
from contracts.nouns.reliability_indices import InterruptionKind, ReliabilityIndex, ReliabilityIndices
from contracts.nouns.unplanned_outages import OutageCauseKind, OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.types import DateTimeInterval, ObjectReference, Status
from contracts.verbs import Verb
from services.compliance_management.service import service as compliance
from shared.codec import CONTENT_XML
from shared.config import Context, Settings
from shared.runtime import GRANTED_START, running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer, administrator
from tests.fixtures.streets import street

CO = compliance.role
DAY = GRANTED_START.replace(hour=0)
MODEL = NetworkModel(mrid="model", model_format="CIM100 RDF/XML", status_kind=ModelStatusKind.ACTIVE)


def m(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


def outage(
    revision: int,
    dark: tuple[str, ...],
    live: tuple[str, ...] = (),
    *,
    at: float,
    ended: float | None = None,
    mrid: str = "outage",
    **changes: Any,
) -> UnplannedOutage:
    told = UnplannedOutage(
        mrid=mrid,
        outage_kind=OutageStatusKind.CONFIRMED,
        revision_number=revision,
        actual_period=DateTimeInterval(start=m(0), end=None if ended is None else m(ended)),
        de_energized_usage_point=tuple(ObjectReference(mrid=point) for point in dark),
        energized_usage_point=tuple(ObjectReference(mrid=point) for point in live),
        status=Status(date_time=m(at)),
    )
    return replace(told, **changes)


CREATED = outage(1, ("a1", "a2", "b1"), at=0)
PARTLY = outage(2, ("b1",), ("a1", "a2"), at=4)
CLOSED = outage(3, (), ("a1", "a2", "b1"), at=31, ended=30)
CORRECTED = outage(4, (), ("a1", "a2", "b1"), at=300, ended=60)


class Desk:
    """The service with who tells it and who asks it."""

    def __init__(self, installation: Installation, peers: dict[str, Peer]) -> None:
        self.installation = installation
        self.peers = peers
        self.admin = peers["admin"]

    async def model(self, _: Message[Any]) -> tuple[Reply, FeederTopology]:
        """What network model management answers: nine customers at five usage points."""
        feeder = replace(street(), event_time=m(-60 * 24))
        return Reply(result=Result.OK), FeederTopology(feeder=(feeder,))

    async def tell(self, *outages: UnplannedOutage) -> None:
        """Fault management tells, one message each."""
        verbs = {1: Verb.CREATED, 3: Verb.CLOSED}
        for told in outages:
            verb = verbs.get(told.revision_number, Verb.CHANGED)
            await self.peers["fault-management"].tell(verb, UnplannedOutages(unplanned_outage=(told,)), key=told.mrid)

    async def grant(self, minutes: float) -> None:
        """Move the time of the context."""
        await self.admin.bus.publish_core(self.admin.space.clock, json.encode({"now": m(minutes)}))

    async def ask(
        self, options: Mapping[str, str] | None = None, *, ids: tuple[str, ...] = (), period: bool = True
    ) -> Message[Any]:
        """The answer to a question, by default about the first day."""
        request = Request(
            start_time=DAY if period and not ids else None,
            end_time=DAY + timedelta(days=1) if period and not ids else None,
            option=tuple(Option(name=name, value=value) for name, value in (options or {}).items()),
            id=tuple(Id(value=each) for each in ids),
        )
        header = self.admin.header(Verb.GET, "ReliabilityIndices", message_id=str(uuid4()))
        body = self.admin.codec.encode(Message(header=header, request=request), CONTENT_XML)
        received = await self.admin.ask_raw(CO, Verb.GET, "ReliabilityIndices", body)
        answer = self.admin.codec.decode(received.body, CONTENT_XML)
        assert isinstance(answer, Message)
        return answer

    async def count(self, **options: str) -> tuple[ReliabilityIndex, ...]:
        """The indices of the first day."""
        answer = await self.ask(options)
        assert answer.reply is not None
        assert answer.reply.result is Result.OK, answer.reply
        counted: tuple[ReliabilityIndex, ...] = answer.noun.reliability_index
        return counted

    async def refused(self, options: Mapping[str, str] | None = None, **question: Any) -> Exception | None:
        """Why a question is refused."""
        answer = await self.ask(options, **question)
        assert answer.reply is not None
        return from_reply(answer.reply)

    async def sql(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of the service's own tables."""
        login = administrator(self.installation.servers)
        database = f"busbar_{self.installation.settings.context}"
        connection = await asyncpg.connect(
            host=login.host, port=login.port, user=login.user, password=login.password, database=database
        )
        try:
            await connection.execute("SET search_path = compliance_management")
            return [tuple(row) for row in await connection.fetch(question)]
        finally:
            await connection.close()

    async def until(self, question: str, value: object) -> None:
        """Wait until the service's own tables say so."""
        for _ in range(200):
            rows = await self.sql(question)
            if rows and rows[0][0] == value:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{question} is {rows}")


@asynccontextmanager
async def desk(state: Path) -> AsyncIterator[Desk]:
    settings = Settings(state_dir=state, context=Context.TESTING, granted_clock=True)
    async with AsyncExitStack() as stack:
        schemas = [Schema(CO, compliance.migrations)]
        installation = await stack.enter_async_context(Installation.start(settings, CATALOGUE, schemas))
        (settings.credentials / settings.context / "admin.nk").symlink_to("../admin.nk")
        await installation.prepare()
        roles = ("admin", "fault-management", "network-model-management")
        peers = {role: await stack.enter_async_context(installation.peer(role)) for role in roles}
        here = Desk(installation, peers)
        await peers["network-model-management"].serve(here.model)
        await here.admin.follow(here.admin.space.events(Lane.GENERAL, CO))
        await stack.enter_async_context(running(compliance, settings=installation.settings, catalogue=CATALOGUE))
        await here.grant(60 * 6)
        yield here


async def test_a_model_and_the_tellings_of_an_outage_become_the_indices_of_the_day(state: Path) -> None:
    """Late, twice and in disorder; a1, a2 and b1 have two customers each, of nine."""
    async with desk(state) as here:
        assert isinstance(await here.refused(), Conflict)
        await here.peers["network-model-management"].tell(Verb.CREATED, NetworkModels(network_model=(MODEL,)))
        await here.until("SELECT sum(customers)::int FROM served", 9)
        planned = outage(1, ("m",), at=0, ended=90, mrid="on purpose", cause_kind=OutageCauseKind.PLANNED)
        inferred = outage(1, ("b2",), at=0, mrid="guess", outage_kind=OutageStatusKind.PREDICTED)
        await here.tell(CLOSED, CREATED, CLOSED, planned, inferred)
        await here.tell(PARTLY)
        await here.until("SELECT count(*) FROM telling", 5)

        with_major, without, apart = await here.count(timeZone="America/New_York", feeder="feeder")
        assert with_major.counting_rules is not None
        assert (with_major.counting_rules.time_zone, with_major.counting_rules.deviation) == (
            "America/New_York",
            "sample",
        )
        with_major, without, apart = await here.count()
        assert (with_major.customers_served, with_major.ledger_revision) == (9, 6)
        assert (with_major.customer_interruptions, with_major.customer_minutes) == (2, 60)
        assert with_major.saifi == pytest.approx(2 / 9)
        assert with_major.maifi == with_major.maifi_e == pytest.approx(4 / 9)
        assert (with_major.caidi, with_major.t_med, with_major.major_event_days) == (30, None, 0)
        assert (with_major.major_event_days_included, without.major_event_days_included) == (True, False)
        assert (apart.interruption_kind, apart.customer_minutes) == (InterruptionKind.PLANNED, 90)
        assert len(await here.count(majorEventDays="excluded")) == 2
        overlaps = (
            "SELECT count(*) FROM entry a JOIN entry b ON a.usage_point = b.usage_point AND a.began_at < b.began_at"
            " AND coalesce(a.ended_at, 'infinity') > b.began_at WHERE a.known_until IS NULL AND b.known_until IS NULL"
        )
        assert await here.sql(overlaps) == [(0,)]


async def test_parent_and_nested_outage_of_one_message_count_the_customer_once(state: Path) -> None:
    """Acceptance scenario 9 of the guide: the nested outage begins with its parent."""
    async with desk(state) as here:
        await here.peers["network-model-management"].tell(Verb.CREATED, NetworkModels(network_model=(MODEL,)))
        await here.until("SELECT sum(customers)::int FROM served", 9)
        nested = outage(1, (), ("a2",), at=90, ended=90, mrid="nested")
        parent = outage(3, (), ("a1", "a2"), at=30, ended=30, mrid="parent")
        both = UnplannedOutages(unplanned_outage=(nested, parent))
        await here.peers["fault-management"].tell(Verb.CHANGED, both, key="parent")
        await here.until("SELECT count(*) FROM telling", 2)
        assert await here.sql("SELECT outage, ended_at FROM entry WHERE known_until IS NULL ORDER BY 2, 1") == [
            ("parent", m(30)),
            ("parent", m(30)),
            ("nested", m(90)),
        ]
        counted, *_ = await here.count()
        assert (counted.customer_interruptions, counted.customer_minutes) == (4, 2 * 30 + 2 * 90)


async def test_a_correction_restates_the_report_and_the_old_one_can_be_counted_again(state: Path) -> None:
    """Acceptance scenario 23 of the guide: closed with a wrong end, corrected later."""
    async with desk(state) as here:
        await here.peers["network-model-management"].tell(Verb.CREATED, NetworkModels(network_model=(MODEL,)))
        await here.tell(CREATED, PARTLY, CLOSED)
        await here.until("SELECT count(*) FROM telling", 3)
        await here.until("SELECT sum(customers)::int FROM served", 9)
        period = DateTimeInterval(start=DAY, end=DAY + timedelta(days=1))
        asked = ReliabilityIndices(reliability_index=(ReliabilityIndex(mrid="march", rule_set="", period=period),))
        filed = (await here.admin.request(CO, Verb.CREATE, asked)).noun.reliability_index[0]
        assert (filed.revision, filed.customer_minutes) == (1, 60)
        created = (await here.admin.next()).message
        assert (created.header.verb, created.noun.reliability_index) == (Verb.CREATED, (filed,))
        again = await here.admin.request(CO, Verb.CREATE, asked)
        assert again.reply is not None
        assert isinstance(from_reply(again.reply), Conflict)

        await here.tell(CORRECTED)
        await here.until("SELECT count(*) FROM telling", 4)
        await here.grant(60 * 7)
        changed = (await here.admin.next()).message
        (restated,) = changed.noun.reliability_index
        assert changed.header.verb is Verb.CHANGED
        assert (restated.revision, restated.customer_minutes, restated.mrid) == (2, 120, "march")

        assert (await here.ask(ids=("march",))).noun.reliability_index == (restated,)
        assert (await here.ask({"revision": "1"}, ids=("march",))).noun.reliability_index == (filed,)
        assert (await here.ask(period=False)).noun.reliability_index == (restated,)
        cut_off = filed.data_cut_off.isoformat()
        as_it_was, *_ = await here.count(ledgerRevision=str(filed.ledger_revision), dataCutOff=cut_off)
        dated = {"mrid": "march", "created_date_time": filed.created_date_time, "revision": 1}
        assert replace(as_it_was, **dated) == filed
        assert (await here.count())[0].customer_minutes == 120


async def test_what_cannot_be_counted_is_refused_by_name(state: Path) -> None:
    async with desk(state) as here:
        for options, why in (
            ({"timeZone": "Atlantis/Capital"}, "timeZone"),
            ({"majorEventDays": "some"}, "majorEventDays"),
            ({"dataCutOff": "yesterday"}, "dataCutOff"),
            ({"dataCutOff": datetime(2200, 1, 1, tzinfo=UTC).isoformat()}, "dataCutOff"),
            ({"ledgerRevision": "-1"}, "ledgerRevision"),
            ({"ledgerRevision": "99"}, "ledgerRevision"),
            ({"colour": "red"}, "colour"),
        ):
            error = await here.refused(options)
            assert isinstance(error, Invalid)
            assert why in error.reason
        assert isinstance(await here.refused(ids=("nothing",)), NotFound)
