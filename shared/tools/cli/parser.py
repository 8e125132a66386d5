"""The command line: words to values, errors to sentences, results to exit codes.

0 is success, 1 a refusal or a storm that ended badly, 2 a word that cannot be understood, 130 an interruption.
"""

import argparse
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import uvloop

from contracts.catalogue import ROLES
from contracts.errors import BusbarError
from contracts.verbs import Verb
from shared.config import LogFormat, LogLevel, SettingError, Settings
from shared.telemetry import configure_logging
from shared.tools.bootstrap import prepare
from shared.tools.cli import history, loading, looking, making, networking, running, speaking, storm
from shared.tools.cli.composition import Composition
from shared.tools.cli.contracts import contracts
from shared.tools.cli.installation import noted, servers
from shared.tools.cli.words import parser
from shared.tools.server_process import ServerError


def execute(words: Sequence[str], composition: Composition) -> int:
    """Do what ``words`` say."""
    given = parser().parse_args(words)
    try:
        settings = _settings(given)
        configure_logging(settings.log_level, settings.log_format)
        return _dispatch(given, settings, composition)
    except (SettingError, ValueError) as error:
        sys.stderr.write(f"busbar: {error}\n")
        return 2
    except (BusbarError, ServerError) as error:
        code = f" ({error.code})" if isinstance(error, BusbarError) else ""
        sys.stderr.write(f"busbar: {error}{code}\n")
        return 1
    except BaseExceptionGroup as group:
        for leaf in _leaves(group):
            sys.stderr.write(f"busbar: {type(leaf).__name__}: {leaf}\n")
        return 1


def _dispatch(given: argparse.Namespace, settings: Settings, composition: Composition) -> int:
    at_once: dict[str, Callable[[], int]] = {
        "list": lambda: looking.list_roles(composition, as_json=given.json),
        "check": lambda: looking.check(composition),
        "loadtest": lambda: composition.measure(given.words),
        "contracts": lambda: contracts(looking.ROOT, ROLES, check=given.check, against=given.against),
    }
    running_on: dict[str, Callable[[], Coroutine[Any, Any, int]]] = {
        "up": lambda: running.up(
            settings,
            composition,
            without=frozenset(given.without),
            external=frozenset(given.external),
            isolate=given.isolate,
            network=given.network,
        ),
        "run": lambda: running.run(settings, composition, given.role, context=given.context, parent=given.parent),
        "storm": lambda: storm.storm(
            settings,
            composition,
            seed=given.seed,
            faults=given.faults,
            momentary=given.momentary,
            conditions=tuple(given.condition),
            network=given.network,
            without=frozenset(given.without),
            isolate=given.isolate,
            chaos=given.chaos,
            crews=given.crews,
            stay=given.stay,
            speed=given.speed or settings.granted_speed,
            folder=given.report,
            as_json=given.json,
        ),
        "migrate": lambda: _migrate(settings, composition),
    }
    if given.command in at_once:
        return at_once[given.command]()
    work = running_on.get(given.command, lambda: _with_dms(given, settings, composition))
    return uvloop.run(work())


async def _with_dms(given: argparse.Namespace, settings: Settings, composition: Composition) -> int:
    """The commands that speak to a DMS: the one that runs here or that is named, or else one for their own time."""
    note = noted(settings.state_dir)
    if note is not None:
        return await _speak(given, note.settings(settings, given.context), composition)
    if "BUSBAR_NATS_URL" in os.environ or "BUSBAR_NATS_URL_FILE" in os.environ:
        return await _speak(given, settings, composition)
    async with running.whole(settings, composition) as held:
        return await _speak(given, held, composition)


async def _speak(given: argparse.Namespace, settings: Settings, composition: Composition) -> int:
    words: dict[str, Callable[[], Coroutine[Any, Any, int]]] = {
        "send": lambda: speaking.send(
            settings,
            composition,
            verb=Verb(given.verb),
            noun=given.noun,
            file=given.file,
            role=given.role,
            ids=given.id,
            as_json=given.json,
        ),
        "tail": lambda: speaking.tail(
            settings, composition, noun=given.noun, raw=given.raw, as_json=given.json, count=given.count
        ),
        "load": lambda: loading.load(
            settings,
            composition,
            given.folder,
            parallel=max(1, given.parallel),
            role=given.role,
            as_json=given.json,
        ),
        "data": lambda: making.make(settings, composition, given.kind, given.folder, day=given.day),
        "network": lambda: networking.network(
            settings,
            composition,
            given.action,
            given.file,
            mrid=given.id,
            mappings=given.map,
            output=given.output,
            as_json=given.json,
        ),
        "history": lambda: history.history(
            settings,
            composition,
            history.query_of(given),
            start=given.start,
            end=given.end,
            raw=given.raw,
            as_json=given.json,
        ),
        "audit": lambda: history.audit(
            settings, composition, note=given.note, against=given.against, as_json=given.json
        ),
        "replay": lambda: history.replay(
            settings, composition, history.query_of(given), start=given.start, end=given.end, into=given.into
        ),
        "dlq": lambda: looking.dead_letters(settings, composition, given.role, given.requeue),
        "outbox": lambda: looking.outbox(settings, composition, given.role),
    }
    return await words[given.command]()


async def _migrate(settings: Settings, composition: Composition) -> int:
    async with servers(settings, composition) as note:
        held = note.settings(settings, settings.context)
        for change in await prepare(held, composition.catalogue, composition.schemas(), note.administrator):
            running.say(change)
    running.say(f"The context {settings.context} is up to date.")
    return 0


def _settings(given: argparse.Namespace) -> Settings:
    overrides: dict[str, Any] = {"context": getattr(given, "context", None)}
    if os.environ.get("BUSBAR_LOG_LEVEL") is None:
        overrides["log_level"] = LogLevel.WARNING if given.command != "run" else LogLevel.INFO
    if os.environ.get("BUSBAR_LOG_FORMAT") is None and sys.stderr.isatty():
        overrides["log_format"] = LogFormat.TEXT
    return Settings.from_environment(os.environ, **overrides)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]
