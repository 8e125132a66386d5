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
from uuid import NAMESPACE_OID, uuid5

import msgspec
from msgspec import structs

from contracts.errors import BusbarError, Invalid
from contracts.interface import Lane
from contracts.message import Option, Request
from contracts.nouns.alarms import Alarms
from contracts.nouns.reliability_indices import InterruptionKind, ReliabilityIndex, ReliabilityIndices
from contracts.nouns.training_scenarios import FieldConditions, ScenarioStatusKind, TrainingScenario, TrainingScenarios
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
from shared.tools.cli.storm_report import (
    Indices,
    Told,
    clock_of,
    lines_of,
    print_report,
    report_of,
    say,
    sentence,
)
from shared.tools.equipping.writing import Equipping
from shared.tools.observing import Observer
from shared.tools.testing import Heard, Peer

LOOK_S = 1.0
SETTLED_S = 0.3
QUIET_S = 5.0
"""After so long without a word the storm says what it waits for."""


async def storm(
    settings: Settings,
    composition: Composition,
    *,
    seed: int,
    faults: int,
    momentary: int,
    conditions: tuple[str, ...],
    network: str | None,
    without: frozenset[str],
    isolate: bool,
    stay: bool,
    as_json: bool,
) -> int:
    """Play a storm; 0 when it ended well, 1 when not, 130 when it was interrupted.

    With ``stay`` everything runs on after the report, to be looked at, until it is interrupted.
    """
    field = _field(conditions)
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
        observer = Observer(composition.catalogue)
        await observer.listen(ear)
        await _answering(voice, composition, without, stop)
        imported = await first_network(held, composition, network or DEFAULT_NETWORK)
        added, start = await _equipped(held, composition, without)
        also = f", equipped with {added}" if added else ""
        say(f"Network {imported}{also}; {faults} faults with seed {seed}.", as_json=as_json)
        scenario = TrainingScenario(
            mrid=str(uuid5(NAMESPACE_OID, f"storm {seed} {faults} {momentary} {' '.join(sorted(conditions))}".strip())),
            seed=seed,
            faults=faults,
            start_time=start,
            temporary_faults=momentary or None,
            field_conditions=field,
        )
        await insisted(voice, composition.simulation, Verb.CREATE, TrainingScenarios(training_scenario=(scenario,)))
        told = Told()
        ended = await _follow(ear, scenario.mrid, told, stop, without, as_json=as_json)
        real_s = time.monotonic() - began
        ledger = None if ended is None else await _ledger(voice, composition, ended)
        report = None
        if ended is not None:
            report = report_of(ended, told, network or DEFAULT_NETWORK, ledger, real_s)
            lost = await _lost(voice, composition.roles(held.context, without))
            await observer.catch_up(ear)
            seen = observer.verdict()
            report = structs.replace(
                report,
                messages_lost=lost,
                effects_doubled=seen.effects_doubled,
                sequence_gaps=seen.sequence_gaps,
                observed=seen,
                equipped=added.added if added else {},
            )
        if report is not None and stay:
            print_report(report, as_json=as_json)
            sys.stderr.write("Everything stays as it is; Ctrl-C ends it.\n")
            await stop.wait()
    if report is None:
        return 130
    if not stay:
        print_report(report, as_json=as_json)
    return 0 if report.good else 1


def _field(conditions: Iterable[str]) -> FieldConditions | None:
    """How the field behaves, from words like ``message_loss=0.3``.

    Raises:
        Invalid: there is no such condition, or the value is none.
    """
    named = dict(word.partition("=")[::2] for word in conditions)
    unknown = sorted(named.keys() - set(FieldConditions.__struct_fields__))
    if unknown:
        known = ", ".join(FieldConditions.__struct_fields__)
        raise Invalid(f"there is no condition '{unknown[0]}'; there are {known}")
    wire = dict(zip(FieldConditions.__struct_fields__, FieldConditions.__struct_encode_fields__, strict=True))
    try:
        told = {wire[name]: value for name, value in named.items()}
        return msgspec.convert(told, FieldConditions, strict=False) if told else None
    except msgspec.ValidationError as error:
        raise Invalid(f"--condition: {error}") from None


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


async def _listen(ear: Peer) -> None:
    space = ear.space
    lanes = {"Alarms": Lane.CONTROL, "TrainingScenarios": Lane.GENERAL, "UnplannedOutages": Lane.OUTAGE}
    for noun, lane in lanes.items():
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
    told: Told,
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
            for line in lines_of(heard.message.header.verb, payload):
                told.lines.append(line)
                say(f"{clock_of(payload):>8}  {sentence(line)}", as_json=as_json)
        elif isinstance(payload, Alarms):
            told.hear_alarms(payload)
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
