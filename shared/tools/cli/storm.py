"""`busbar storm`: faults strike a network, independent services restore it by messages, and the report tells how.

A storm has a context and a database of its own, and its time is granted: it passes as fast as the services can follow,
and stands still while one of them is away.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Self
from uuid import NAMESPACE_OID, uuid5

import msgspec
from msgspec import Struct, structs

from contracts.errors import BusbarError
from contracts.interface import Lane
from contracts.message import Option, Request
from contracts.nouns.reliability_indices import InterruptionKind, ReliabilityIndex, ReliabilityIndices
from contracts.nouns.training_scenarios import ScenarioStatusKind, TrainingScenario, TrainingScenarios
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb
from shared.bus.subjects import AdminVerb
from shared.config import Context, Settings
from shared.tools.cli.asking import asked, auditor, insisted, operator, serving
from shared.tools.cli.asking import told as told_by
from shared.tools.cli.composition import Composition
from shared.tools.cli.installation import context_of, servers
from shared.tools.cli.network import equip_network
from shared.tools.cli.running import (
    DEFAULT_NETWORK,
    OPERATION,
    first_network,
    interrupted,
    network_in_operation,
    services,
)
from shared.tools.equipping.writing import Equipping
from shared.tools.testing import Heard, Peer

LOOK_S = 1.0
SETTLED_S = 0.3
QUIET_S = 5.0
"""After so long without a word the storm says what it waits for."""


class OutageLine(Struct, frozen=True):
    """One thing that was said of an outage; devices and states, not identities, so that two storms can be compared."""

    verb: str
    state: str | None
    kind: str | None
    device: str | None
    name: str | None
    customers: int | None


class Indices(Struct, frozen=True, kw_only=True):
    """Interruptions of customers, and the indices of IEEE 1366 that follow from them."""

    customers_served: int | None
    customer_interruptions: int | None
    customer_minutes: float | None
    saifi: float | None
    saidi: float | None
    caidi: float | None
    maifi: float | None
    maifi_e: float | None

    @classmethod
    def of(cls, told: TrainingScenario | ReliabilityIndex) -> Self:
        """The figures of a storm's truth, or of what was reported of it."""
        return cls(**{name: getattr(told, name) for name in cls.__struct_fields__})


class Report(Struct, frozen=True, kw_only=True):
    """How a storm ended; the names are those of ``--json``.

    ``network`` is the one that was asked for, ``equipped`` how much of each class was added to it because it lacked it.
    ``messages_lost`` are those that a service could not handle or send; none is lost without a trace.
    ``truth`` is what the simulation knows, ``ledger`` what compliance management counts from what was reported; none
    where nobody counts. ``threads`` are the CorrelationIDs of the outages, for `busbar history`; they differ from
    storm to storm.
    """

    seed: int
    network: str
    faults: int
    status: str
    matched: int
    predicted_right: int
    customers_interrupted: int
    customers_dark_at_end: int
    messages_lost: int
    equipped: dict[str, int]
    truth: Indices
    ledger: Indices | None
    outages: tuple[OutageLine, ...]
    threads: tuple[str, ...]
    granted_s: float
    real_s: float

    @property
    def good(self) -> bool:
        """True when every fault was understood, everybody has power and no message was lost."""
        understood = self.status == "finished" and self.matched == self.faults
        return understood and self.customers_dark_at_end == 0 and self.messages_lost == 0


async def storm(
    settings: Settings,
    composition: Composition,
    *,
    seed: int,
    faults: int,
    momentary: int,
    network: str | None,
    without: frozenset[str],
    isolate: bool,
    stay: bool,
    as_json: bool,
) -> int:
    """Play a storm; 0 when it ended well, 1 when not, 130 when it was interrupted.

    With ``stay`` everything runs on after the report, to be looked at, until it is interrupted.
    """
    settings = structs.replace(settings, context=Context.TRAINING, granted_clock=True)
    stop = interrupted()
    began = time.monotonic()
    async with (
        servers(settings, composition) as note,
        context_of(settings, composition, note, afresh=True, external=without) as held,
        services(held, composition, without=without, external=without, isolate=isolate),
        auditor(held, composition) as ear,
        operator(held, composition) as voice,
    ):
        await _listen(ear)
        await _answering(voice, composition, without, stop)
        imported = await first_network(held, composition, network or DEFAULT_NETWORK)
        added, start = await _equipped(held, composition, without)
        also = f", equipped with {added}" if added else ""
        _tell(f"Network {imported}{also}; {faults} faults with seed {seed}.", as_json=as_json)
        scenario = TrainingScenario(
            mrid=str(uuid5(NAMESPACE_OID, f"storm {seed} {faults} {momentary}")),
            seed=seed,
            faults=faults,
            start_time=start,
            temporary_faults=momentary or None,
        )
        await insisted(voice, composition.simulation, Verb.CREATE, TrainingScenarios(training_scenario=(scenario,)))
        told = _Told()
        ended = await _follow(ear, scenario.mrid, told, stop, without, as_json=as_json)
        real_s = time.monotonic() - began
        ledger = None if ended is None else await _ledger(voice, composition, ended)
        report = None
        if ended is not None:
            report = _report(ended, told, network or DEFAULT_NETWORK, ledger, real_s)
            lost = await _lost(voice, composition.roles(held.context, without))
            report = structs.replace(report, messages_lost=lost, equipped=added.added if added else {})
        if report is not None and stay:
            _print(report, as_json=as_json)
            sys.stderr.write("Everything stays as it is; Ctrl-C ends it.\n")
            await stop.wait()
    if report is None:
        return 130
    if not stay:
        _print(report, as_json=as_json)
    return 0 if report.good else 1


async def _equipped(
    settings: Settings, composition: Composition, without: frozenset[str]
) -> tuple[Equipping | None, datetime | None]:
    """Add what the network lacks, as a storm needs somebody to interrupt; with the time when that is in operation."""
    difference, equipping = await equip_network(settings, composition)
    if difference is None or difference.effective_date_time is None:
        return equipping, None
    if OPERATION not in without:
        await network_in_operation(settings, composition, str(difference.revision))
    return equipping, difference.effective_date_time + timedelta(seconds=1)


async def _lost(voice: Peer, roles: Iterable[str]) -> int:
    """How many messages the services could not handle, or have not sent although everything is at rest."""
    lost = 0
    for role in roles:
        with contextlib.suppress(BusbarError):
            letters = await told_by(voice, role, AdminVerb.DEAD_LETTERS)
            lost += sum(each["requeued_at"] is None for each in letters)
            lost += await _unsent(voice, role)
    return lost


async def _unsent(voice: Peer, role: str) -> int:
    """What a role has still to send after a moment's patience."""
    deadline = time.monotonic() + QUIET_S
    while True:
        unsent = int((await told_by(voice, role, AdminVerb.OUTBOX))["unsent"])
        if not unsent or time.monotonic() > deadline:
            return unsent
        await asyncio.sleep(SETTLED_S)


class _Told:
    """What was heard of outages: each thing that was said, and the thread of each outage."""

    def __init__(self) -> None:
        self.lines: list[OutageLine] = []
        self.threads: list[str] = []


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    else:
        sys.stdout.write(_summary(report))
    sys.stdout.flush()


async def _listen(ear: Peer) -> None:
    space = ear.space
    for lane, noun in ((Lane.OUTAGE, "UnplannedOutages"), (Lane.GENERAL, "TrainingScenarios")):
        await ear.follow(f"{space.root}.{space.context}.event.{lane}.*.{noun}.*.*")


async def _answering(voice: Peer, composition: Composition, without: frozenset[str], stop: asyncio.Event) -> None:
    """Wait until the roles that a storm begins with answer, as processes of their own need a moment."""
    for role, noun in (("network-model-management", "NetworkModels"), (composition.simulation, "TrainingScenarios")):
        if role in without:
            continue
        while not stop.is_set():
            with contextlib.suppress(Exception):
                await asked(voice, role, Verb.GET, composition.catalogue.nouns[noun], timeout_s=2.0)
                break
            await asyncio.sleep(0.1)


async def _follow(
    ear: Peer,
    mrid: str,
    told: _Told,
    stop: asyncio.Event,
    without: frozenset[str],
    *,
    as_json: bool,
) -> TrainingScenario | None:
    """Hear the storm to its end; None when it was interrupted."""
    async for heard in _heard(ear, stop, without):
        payload = heard.message.payload
        if isinstance(payload, UnplannedOutages):
            thread = heard.message.header.correlation_id
            if heard.message.header.verb is Verb.CREATED and thread is not None and thread not in told.threads:
                told.threads.append(thread)
            for line in _lines(heard.message.header.verb, payload):
                told.lines.append(line)
                _tell(f"{_clock(payload):>8}  {_sentence(line)}", as_json=as_json)
        elif isinstance(payload, TrainingScenarios):
            for scenario in payload.training_scenario:
                done = {ScenarioStatusKind.FINISHED, ScenarioStatusKind.FAILED}
                if scenario.mrid == mrid and scenario.status_kind in done:
                    return scenario
    return None


async def _heard(ear: Peer, stop: asyncio.Event, without: frozenset[str]) -> AsyncIterator[Heard]:
    """What is told, until interrupted; a word to people when nothing is told for long."""
    quiet_since = time.monotonic()
    while not stop.is_set():
        try:
            heard = await ear.next(timeout_s=LOOK_S)
        except TimeoutError:
            if time.monotonic() - quiet_since > QUIET_S:
                quiet_since = time.monotonic()
                missing = f"; away: {', '.join(sorted(without))} (`busbar run ROLE` joins)" if without else ""
                sys.stderr.write(f"The storm stands still{missing}.\n")
            continue
        quiet_since = time.monotonic()
        yield heard


def _lines(verb: Verb, outages: UnplannedOutages) -> list[OutageLine]:
    return [
        OutageLine(
            verb=str(verb),
            state=None if outage.status is None else outage.status.value,
            kind=None if outage.outage_kind is None else str(outage.outage_kind),
            device=next((switch.mrid for switch in outage.opened_switches), None),
            name=next((name.name for switch in outage.opened_switches for name in switch.names), None),
            customers=outage.original_customers_served,
        )
        for outage in outages.unplanned_outage
    ]


async def _ledger(voice: Peer, composition: Composition, ended: TrainingScenario) -> Indices | None:
    """What was reported of a storm, once the events of its end have been entered; None where nobody keeps a ledger."""
    question = Request(
        start_time=ended.start_time,
        end_time=ended.end_time,
        option=(Option(name="majorEventDays", value="included"),),
    )
    before: ReliabilityIndex | None = None
    with contextlib.suppress(BusbarError):
        role = serving(composition, Verb.GET, ReliabilityIndices.__name__, None)
        while True:
            answer = await asked(voice, role, Verb.GET, ReliabilityIndices, question=question, timeout_s=5.0)
            told = next(
                each for each in answer.reliability_index if each.interruption_kind is not InterruptionKind.PLANNED
            )
            if before is not None and told.ledger_revision == before.ledger_revision:
                return Indices.of(told)
            before = told
            await asyncio.sleep(SETTLED_S)
    return None


def _report(scenario: TrainingScenario, told: _Told, network: str, ledger: Indices | None, real_s: float) -> Report:
    granted = 0.0
    if scenario.start_time is not None and scenario.end_time is not None:
        granted = (scenario.end_time - scenario.start_time).total_seconds()
    return Report(
        seed=scenario.seed,
        network=network,
        faults=scenario.faults_struck or 0,
        status=str(scenario.status_kind),
        matched=scenario.matched or 0,
        predicted_right=scenario.predicted_right or 0,
        customers_interrupted=scenario.customers_interrupted or 0,
        customers_dark_at_end=scenario.customers_dark_at_end or 0,
        messages_lost=0,
        equipped={},
        truth=Indices.of(scenario),
        ledger=ledger,
        outages=tuple(told.lines),
        threads=tuple(told.threads),
        granted_s=granted,
        real_s=round(real_s, 3),
    )


def _summary(report: Report) -> str:
    verdict = "Everybody has power again." if report.customers_dark_at_end == 0 else "People are still in the dark."
    return (
        f"{verdict} {report.matched} of {report.faults} faults were understood, {report.predicted_right} before any "
        f"crew was there; {report.customers_interrupted} customers were interrupted.\n"
        f"{_figures('In truth', report.truth)}{_figures('As reported', report.ledger)}"
        f"{report.granted_s / 60:.0f} minutes passed in {report.real_s:.1f} s.\n"
    )


def _figures(whose: str, indices: Indices | None) -> str:
    if indices is None:
        return f"{whose}: nothing; nobody keeps a ledger.\n"
    values = {
        "customer-minutes": indices.customer_minutes,
        "SAIFI": indices.saifi,
        "SAIDI": indices.saidi,
        "CAIDI": indices.caidi,
        "MAIFI": indices.maifi,
        "MAIFI_E": indices.maifi_e,
    }
    told = (f"{'-' if value is None else format(value, '.3f')} {name}" for name, value in values.items())
    return f"{whose + ':':12} {', '.join(told)}.\n"


def _sentence(line: OutageLine) -> str:
    device = line.name or line.device or "-"
    return f"outage {line.verb:8} {line.state or '':20} {line.customers or 0:4} customers  {device}"


def _clock(outages: UnplannedOutages) -> str:
    """The time in the story: the latest that the outage names."""
    for outage in outages.unplanned_outage:
        if outage.last_modified_date_time is not None:
            return str(outage.last_modified_date_time.strftime("%H:%M:%S"))
    return ""


def _tell(text: str, *, as_json: bool) -> None:
    if not as_json:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
