"""The command line: words to values, errors to sentences, results to exit codes.

0 is success, 1 a refusal or a storm that ended badly, 2 a word that cannot be understood, 130 an interruption.
"""

import argparse
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import uvloop

from contracts.catalogue import ROLES
from contracts.errors import BusbarError
from contracts.verbs import Verb
from shared.config import Context, LogFormat, LogLevel, SettingError, Settings
from shared.telemetry import configure_logging
from shared.tools.cli import looking, running, speaking, storm
from shared.tools.cli.composition import Composition
from shared.tools.cli.contracts import contracts
from shared.tools.cli.installation import noted, servers
from shared.tools.cli.network import export_network, import_network, networks
from shared.tools.bootstrap import prepare
from shared.tools.server_process import ServerError


def execute(words: Sequence[str], composition: Composition) -> int:
    """Do what ``words`` say."""
    parser = _parser()
    given = parser.parse_args(words)
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
    match given.command:
        case "list":
            return looking.list_roles(composition, as_json=given.json)
        case "check":
            return looking.check(composition)
        case "contracts":
            return contracts(looking.ROOT, ROLES, check=given.check, against=given.against)
        case "up":
            return _run(
                running.up(
                    settings,
                    composition,
                    without=frozenset(given.without),
                    external=frozenset(given.external),
                    isolate=given.isolate,
                    network=given.network,
                )
            )
        case "run":
            return _run(running.run(settings, composition, given.role, context=given.context, parent=given.parent))
        case "storm":
            return _run(
                storm.storm(
                    settings,
                    composition,
                    seed=given.seed,
                    faults=given.faults,
                    network=given.network,
                    without=frozenset(given.without),
                    isolate=given.isolate,
                    as_json=given.json,
                )
            )
        case "migrate":
            return _run(_migrate(settings, composition))
    return _run(_with_dms(given, settings, composition))


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
    match given.command:
        case "send":
            return await speaking.send(
                settings,
                composition,
                verb=Verb(given.verb),
                noun=given.noun,
                file=given.file,
                role=given.role,
                ids=given.id,
                as_json=given.json,
            )
        case "tail":
            return await speaking.tail(
                settings, composition, noun=given.noun, raw=given.raw, as_json=given.json, count=given.count
            )
        case "network":
            return await _network(given, settings, composition)
        case "dlq":
            return await looking.dead_letters(settings, composition, given.role, given.requeue)
        case _:
            return await looking.outbox(settings, composition, given.role)


async def _network(given: argparse.Namespace, settings: Settings, composition: Composition) -> int:
    if given.action == "import":
        model = await import_network(settings, composition, given.file)
        looking.show(model) if given.json else running.say(f"The network {model.mrid} is {model.status_kind}.")
    elif given.action == "export":
        document = await export_network(settings, composition, given.id)
        Path(given.output).write_text(document, encoding="utf-8") if given.output else running.say(document)
    else:
        models = await networks(settings, composition)
        for each in models if not given.json else ():
            running.say(f"{each.mrid}  {each.status_kind}  {each.description or ''}")
        if given.json:
            looking.show(models)
    return 0


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


def _run(work: Coroutine[Any, Any, int]) -> int:
    return uvloop.run(work)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="busbar",
        description="The reference DMS on IEC 61968.",
        epilog="Every setting has an environment variable BUSBAR_...; docs/operations.md lists them.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, *, context: bool = False, json: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        if context:
            made.add_argument(
                "--context",
                choices=[*Context],
                help="the context of 61968-100; by default the newest that runs (BUSBAR_CONTEXT)",
            )
        if json:
            made.add_argument("--json", action="store_true", help="print JSON")
        return made

    up = command("up", "run the whole DMS on embedded servers", context=True)
    up.add_argument(
        "--without", action="append", default=[], metavar="ROLE", help="leave a role out; it may join later"
    )
    up.add_argument("--external", action="append", default=[], metavar="ROLE", help="a product takes this role")
    up.add_argument("--isolate", action="store_true", help="a process for each role, started again when it dies")
    up.add_argument("--network", help="a CIM100 RDF/XML file, or the name of a network that is shipped")
    run = command("run", "run some roles, in the DMS that runs here or at BUSBAR_NATS_URL", context=True)
    run.add_argument("role", nargs="+", metavar="ROLE")
    run.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    command("list", "the roles and their exchanges", json=True)
    command("check", "check the shape of the tree, the contracts and the services")
    made = command("contracts", "write the schemas and tables that are generated from the contracts")
    made.add_argument("--check", action="store_true", help="verify them, and what belongs to them, and write nothing")
    made.add_argument("--against", metavar="TAG", help="find what breaks a promise of that revision in git")
    command("migrate", "bring streams and schemas of a context up to date", context=True)
    made = command("storm", "faults, outages, work and restoration, in a context of their own", json=True)
    made.add_argument("--seed", type=int, default=1, help="the same seed gives the same storm")
    made.add_argument("--faults", type=int, default=1, help="how many faults strike")
    made.add_argument("--network", help="a CIM100 RDF/XML file, or the name of a network that is shipped")
    made.add_argument("--without", action="append", default=[], metavar="ROLE", help="leave a role out; it may join")
    made.add_argument("--isolate", action="store_true", help="a process for each role, started again when it dies")
    send = command("send", "ask the role that serves VERB NOUN, as a peer would", context=True, json=True)
    send.add_argument("verb", choices=[verb for verb in Verb if verb.is_request], metavar="VERB")
    send.add_argument("noun", metavar="NOUN")
    send.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a message, or the noun alone; XML or JSON")
    send.add_argument("--role", help="whom to ask, where several serve it")
    send.add_argument("--id", action="append", default=[], help="Request/ID, for a get")
    tail = command("tail", "print events as they are told", context=True, json=True)
    tail.add_argument("noun", metavar="NOUN", help="a noun, or '*'")
    tail.add_argument("--raw", action="store_true", help="print whole messages")
    tail.add_argument("--count", type=int, help="stop after so many")
    network = command("network", "models of the network in and out", context=True, json=True)
    network.add_argument("action", choices=["import", "export", "list"])
    network.add_argument("file", nargs="?", help="the file to import")
    network.add_argument("--id", help="the model to export; by default the active one")
    network.add_argument("--output", help="the file to export to")
    dlq = command("dlq", "the dead letters of a role", context=True)
    dlq.add_argument("role", metavar="ROLE")
    dlq.add_argument("--requeue", type=int, metavar="ID", help="have one handled once more")
    outbox = command("outbox", "what a role has still to send", context=True)
    outbox.add_argument("role", metavar="ROLE")
    return parser
