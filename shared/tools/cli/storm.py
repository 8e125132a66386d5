"""`busbar storm`: faults strike a network, independent services restore it by messages, and the report tells how.

A storm has a context and a database of its own, and its time is granted: it passes as fast as the services can follow,
and stands still while one of them is away.
"""

import asyncio
import contextlib
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import msgspec
from msgspec import structs

from contracts.errors import BusbarError, Invalid
from contracts.message import Option, Request
from contracts.nouns.alarms import Alarms
from contracts.nouns.crews import Capability, Crew, Crews
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.reliability_indices import InterruptionKind, ReliabilityIndex, ReliabilityIndices
from contracts.nouns.scenario_scores import ScenarioScore, ScenarioScores
from contracts.nouns.training_scenarios import FieldConditions, ScenarioStatusKind, TrainingScenario, TrainingScenarios
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.types import Name
from contracts.verbs import Verb
from shared.bus.subjects import AdminVerb
from shared.config import Context, Settings
from shared.runtime import GRANTED_START
from shared.tools.cli.asking import asked, auditor, insisted, operator, serving
from shared.tools.cli.asking import told as told_by
from shared.tools.cli.composition import Composition
from shared.tools.cli.installation import context_of, servers
from shared.tools.cli.network import MANAGEMENT, equip_network
from shared.tools.cli.running import (
    OPERATION,
    first_network,
    interrupted,
    network_in_operation,
    services,
)
from shared.tools.cli.shipped import is_drawn
from shared.tools.cli.storm_chaos import Chaos, ChaosKind, raging
from shared.tools.cli.storm_page import facts_of
from shared.tools.cli.storm_report import (
    Indices,
    Told,
    lines_of,
    print_report,
    report_of,
    say,
)
from shared.tools.equipping.writing import Equipping
from shared.tools.observing import Observer
from shared.tools.telling.page import made, write_page
from shared.tools.telling.plan import Plan
from shared.tools.telling.story import HEARD, Story
from shared.tools.telling.teller import Telling, telling
from shared.tools.testing import Heard, Peer

BEGINS = GRANTED_START + timedelta(minutes=1)
"""When a storm begins: later than what services do at first takes, so that it is the same storm on any machine."""

LOOK_S = 1.0
SETTLED_S = 0.3
PATIENT_S = 30.0
"""So long a large answer may take on a busy machine."""

QUIET_S = 5.0
"""After so long without a word the storm says what it waits for."""

DEFAULT_NETWORK = "town"
DEFAULT_FIELD = {"message_loss": "0.3", "message_double": "0.05"}
"""What meters say is lost and doubled so often where nobody says otherwise: a field in which all is heard is none."""

FAULTS_A_CREW = 4
"""A utility that expects a storm calls in so many crews that each has about so many faults to repair."""

SKILLS = ("line", "cable", "service")
"""What crews can do that are called in."""

SWITCHING = "BUSBAR_FAULT_SWITCHING"
"""Nobody is there to release switching in a storm, so it is carried out by itself where nobody says otherwise."""

SIMULATION_PREFIX = "BUSBAR_SIMULATION_"
"""With such a variable an operator has said how the field behaves."""


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
    chaos: ChaosKind | None,
    crews: int | None,
    stay: bool,
    speed: float | None,
    folder: Path | None,
    as_json: bool,
) -> int:
    """Play a storm; 0 when it ended well, 1 when not, 130 when it was interrupted.

    With ``stay`` everything runs on after the report, to be looked at, until it is interrupted. With ``speed`` the time
    of the storm passes at most so many times as fast as the real one. A page about it is written into ``folder``. With
    ``chaos`` the machinery is struck meanwhile, for which each role has a process of its own.
    """
    if folder is not None:
        made(folder)
    field = _field(conditions, os.environ)
    os.environ.setdefault(SWITCHING, "auto")
    network = network or DEFAULT_NETWORK
    settings = structs.replace(settings, context=Context.TRAINING, granted_clock=True, granted_speed=speed)
    stop = interrupted()
    began = time.monotonic()
    async with (
        servers(settings, composition) as note,
        context_of(settings, composition, note, afresh=True, external=without) as held,
        services(held, composition, without=without, external=without, isolate=isolate or chaos is not None) as process,
        auditor(held, composition) as ear,
        operator(held, composition) as voice,
    ):
        await _listen(ear, composition)
        observer = Observer(composition.catalogue)
        await observer.listen(ear)
        await _answering(voice, composition, without, stop)
        imported = await first_network(held, composition, network)
        added, ready = (None, BEGINS) if is_drawn(network) else await _equipped(held, composition, without)
        also = f", equipped with {added}" if added else ""
        hands = await _call_in(voice, composition, crews or math.ceil(faults / FAULTS_A_CREW), without)
        say(f"Network {imported}{also}; {faults} faults with seed {seed}{hands}.", as_json=as_json)
        scenario = TrainingScenario(
            mrid=str(uuid5(NAMESPACE_OID, f"storm {seed} {faults} {momentary} {' '.join(sorted(conditions))}".strip())),
            seed=seed,
            faults=faults,
            start_time=max(ready, BEGINS),
            temporary_faults=momentary or None,
            field_conditions=field,
        )
        plan = Plan(await insisted(voice, MANAGEMENT, Verb.GET, FeederTopology, timeout_s=PATIENT_S))
        planned = await insisted(
            voice, composition.simulation, Verb.CREATE, TrainingScenarios(training_scenario=(scenario,))
        )
        told = Told()
        story = Story(plan, _start(planned))
        title = f"busbar storm   {network}   seed {seed}"
        roles = composition.roles(held.context, without)
        rage = (
            None if chaos is None else Chaos(chaos, seed, settings=held, supervisor=process, roles=roles, voice=voice)
        )
        with telling(story, title=title, faults=faults, as_json=as_json, environ=os.environ) as teller:
            async with raging(rage, roles):
                ended = await _follow(ear, scenario.mrid, told, teller, stop=stop, without=without)
        score = None if ended is None else await _score(voice, composition, ended)
        real_s = time.monotonic() - began
        ledger = None if ended is None else await _ledger(voice, composition, ended)
        report = None
        if ended is not None:
            report = report_of(ended, told, story, network=network, ledger=ledger, score=score, real_s=real_s)
            lost = await _lost(voice, roles)
            await observer.catch_up(ear)
            seen = observer.verdict()
            report = structs.replace(
                report,
                messages_lost=lost,
                effects_doubled=seen.effects_doubled,
                sequence_gaps=seen.sequence_gaps,
                observed=seen,
                chaos=chaos,
                blows=() if rage is None else tuple(rage.blows),
                equipped=added.added if added else {},
            )
        if report is not None and ended is not None and folder is not None:
            page = write_page(folder, story, ended, score, facts_of(report))
            sys.stderr.write(f"The page is {page}.\n")
        if report is not None and stay:
            print_report(report, as_json=as_json)
            sys.stderr.write("Everything stays as it is; Ctrl-C ends it.\n")
            await stop.wait()
    if report is None:
        return 130
    if not stay:
        print_report(report, as_json=as_json)
    return 0 if report.good else 1


async def _call_in(voice: Peer, composition: Composition, wanted: int, without: frozenset[str]) -> str:
    """Call in crews until there are as many as are wanted; how many there are, in words, where their role is there."""
    role = serving(composition, Verb.GET, Crews.__name__, None)
    if role in without:
        return ""
    there = len((await insisted(voice, role, Verb.GET, Crews)).crew)
    called = tuple(
        Crew(
            mrid=str(uuid5(NAMESPACE_OID, f"crew {number}")),
            names=(Name(name=f"Crew {number}"),),
            capabilities=tuple(Capability(type=skill) for skill in SKILLS),
        )
        for number in range(there + 1, wanted + 1)
    )
    if called:
        await insisted(voice, role, Verb.CREATE, Crews(crew=called))
    return f", {there + len(called)} crews"


def _start(planned: TrainingScenarios) -> datetime:
    """When the storm begins, by the word of the simulation."""
    told = next((each.start_time for each in planned.training_scenario), None)
    return told or BEGINS


def _field(conditions: Iterable[str], environ: Mapping[str, str]) -> FieldConditions | None:
    """How the field behaves, from words like ``message_loss=0.3``, beside what is usual in a storm.

    Raises:
        Invalid: there is no such condition, or the value is none.
    """
    usual = {name: value for name, value in DEFAULT_FIELD.items() if SIMULATION_PREFIX + name.upper() not in environ}
    named = usual | dict(word.partition("=")[::2] for word in conditions)
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
) -> tuple[Equipping | None, datetime]:
    """Add what the network lacks, as a storm needs somebody to interrupt; with the time when that is in operation."""
    difference, equipping = await equip_network(settings, composition)
    if difference is None or difference.effective_date_time is None:
        return equipping, BEGINS
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


async def _listen(ear: Peer, composition: Composition) -> None:
    """Hear what a storm is told by, on every lane on which somebody tells it."""
    space = ear.space
    nouns = HEARD | {Alarms.__name__}
    told = (told for each in composition.catalogue.interfaces.values() for told in each.publishes)
    for lane, noun in sorted({(each.lane, each.noun.__name__) for each in told if each.noun.__name__ in nouns}):
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
    teller: Telling,
    *,
    stop: asyncio.Event,
    without: frozenset[str],
) -> TrainingScenario | None:
    """Hear the storm to its end; None when it was interrupted."""
    async for heard in _heard(ear, teller, stop, without):
        payload = heard.message.payload
        teller.hear(heard.message)
        if isinstance(payload, UnplannedOutages):
            thread = heard.message.header.correlation_id
            if heard.message.header.verb is Verb.CREATED and thread is not None and thread not in told.threads:
                told.threads.append(thread)
            told.lines.extend(lines_of(heard.message.header.verb, payload))
        elif isinstance(payload, Alarms):
            told.hear_alarms(payload)
        elif isinstance(payload, TrainingScenarios):
            for scenario in payload.training_scenario:
                done = {ScenarioStatusKind.FINISHED, ScenarioStatusKind.FAILED}
                if scenario.mrid == mrid and scenario.status_kind in done:
                    return scenario
    return None


async def _heard(ear: Peer, teller: Telling, stop: asyncio.Event, without: frozenset[str]) -> AsyncIterator[Heard]:
    """What is told, until interrupted; a word to people when nothing is told for long."""
    quiet_since = time.monotonic()
    while not stop.is_set():
        try:
            heard = await ear.next(timeout_s=LOOK_S)
        except TimeoutError:
            if time.monotonic() - quiet_since > QUIET_S:
                quiet_since = time.monotonic()
                missing = f"; away: {', '.join(sorted(without))} (`busbar run ROLE` joins)" if without else ""
                teller.wait(f"The storm stands still{missing}.")
            continue
        quiet_since = time.monotonic()
        yield heard


async def _score(voice: Peer, composition: Composition, ended: TrainingScenario) -> ScenarioScore | None:
    """How well the storm was handled; None where a simulation of others keeps no score."""
    with contextlib.suppress(BusbarError):
        role = composition.simulation
        answer = await asked(voice, role, Verb.GET, ScenarioScores, ids=[ended.mrid], timeout_s=PATIENT_S)
        return next(iter(answer.scenario_score), None)
    return None


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
