"""The words of the command line, with their help."""

import argparse
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from contracts.interface import Lane
from contracts.verbs import Verb
from shared.config import Context
from shared.tools.cli.making import MAKERS
from shared.tools.cli.storm_chaos import ChaosKind

NETWORK_HELP = (
    "a file of CIM100 RDF/XML or pandapower JSON, or a network by name: harbour, town, town:30000 with so many usage "
    "points, mv_oberrhein where pandapower is installed"
)

FIRST_DAY = date(2026, 1, 1)


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    words = argparse.ArgumentParser(
        prog="busbar",
        description="The reference DMS on IEC 61968.",
        epilog="Every setting has an environment variable BUSBAR_...; docs/operations.md lists them.",
    )
    commands = words.add_subparsers(dest="command", required=True, metavar="COMMAND")

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
    up.add_argument("--network", help=NETWORK_HELP)
    run = command("run", "run some roles, in the DMS that runs here or at BUSBAR_NATS_URL", context=True)
    run.add_argument("role", nargs="+", metavar="ROLE")
    run.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    command("list", "the roles and their exchanges", json=True)
    command("check", "check the shape of the tree, the contracts and the services")
    made = command("contracts", "write the schemas and tables that are generated from the contracts")
    made.add_argument("--check", action="store_true", help="verify them, and what belongs to them, and write nothing")
    made.add_argument("--against", metavar="TAG", help="find what breaks a promise of that revision in git")
    measured = command("loadtest", "how much a deployment bears: run SCENARIO, compare A B, history, list")
    measured.add_argument("words", nargs=argparse.REMAINDER, metavar="WORD", help="see `busbar loadtest run --help`")
    command("migrate", "bring streams and schemas of a context up to date", context=True)
    _storm(command)
    send = command("send", "ask the role that serves VERB NOUN, as a peer would", context=True, json=True)
    send.add_argument("verb", choices=[verb for verb in Verb if verb.is_request], metavar="VERB")
    send.add_argument("noun", metavar="NOUN")
    send.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a message, or the noun alone; XML or JSON")
    send.add_argument("--role", help="whom to ask, where several serve it")
    send.add_argument("--id", action="append", default=[], help="Request/ID, for a get")
    _load(command)
    tail = command("tail", "print events as they are told", context=True, json=True)
    tail.add_argument("noun", metavar="NOUN", help="a noun, or '*'")
    tail.add_argument("--raw", action="store_true", help="print whole messages")
    tail.add_argument("--count", type=int, help="stop after so many")
    network = command("network", "models of the network in and out", context=True, json=True)
    network.add_argument("action", choices=["import", "apply", "reverse", "equip", "export", "list"])
    network.add_argument(
        "file",
        nargs="*",
        help="import: CIM100 RDF/XML, in one file or several, or pandapower JSON; apply: a difference model; "
        "reverse: the same, or the mRID of a difference that was applied; equip, which adds the protection, customers, "
        "ties and places that the active model lacks, needs none",
    )
    network.add_argument("--id", help="export: a model or an object; apply: the model; by default the active model")
    network.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="MRID=DOCUMENT_MRID",
        help="import, apply, reverse: the object that is known by an mRID has another one in the document, or the same "
        "one and other phases",
    )
    network.add_argument("--output", help="the file to export to; equip: the file for the difference that it applied")
    _history(command)
    _stuck(command)
    return words


def _storm(command: Callable[..., argparse.ArgumentParser]) -> None:
    """A storm of faults."""
    storm = command("storm", "faults, outages, work and restoration, in a context of their own", json=True)
    storm.add_argument("--seed", type=int, default=1, help="the same seed gives the same storm")
    storm.add_argument("--faults", type=int, default=1, help="how many faults strike that must be repaired")
    storm.add_argument("--momentary", type=int, default=0, help="how many besides that reclosing clears")
    storm.add_argument("--crews", type=int, help="how many crews at least; by default one for four faults, and three")
    storm.add_argument("--network", help=f"by default the town; {NETWORK_HELP}")
    storm.add_argument(
        "--condition",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="how the field behaves, such as message_loss=0; the names are those of FieldConditions. By default three "
        "of ten messages of meters are lost, and one of twenty comes twice",
    )
    storm.add_argument("--without", action="append", default=[], metavar="ROLE", help="leave a role out; it may join")
    storm.add_argument("--isolate", action="store_true", help="a process for each role, started again when it dies")
    storm.add_argument(
        "--chaos",
        type=ChaosKind,
        choices=tuple(ChaosKind),
        help="strike the machinery meanwhile, by the seed: kill or freeze one process after the other, or kill the "
        "broker or the database again and again; implies --isolate",
    )
    storm.add_argument(
        "--speed",
        type=_speed,
        metavar="N",
        help="let the time of the storm pass at most N times as fast as the real one; by default as fast as the "
        "services can follow (BUSBAR_GRANTED_SPEED)",
    )
    storm.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help="write a page about it into this folder: the map at any time, plots, tables; one file, storm.html",
    )
    storm.add_argument("--stay", action="store_true", help="let everything run on after the report, to be looked at")


def _load(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands that bring data in."""
    load = command("load", "put a folder of requests to the roles that serve them", context=True, json=True)
    load.add_argument(
        "folder", type=Path, metavar="FOLDER", help="messages in XML or JSON, taken in the order of names"
    )
    load.add_argument("--parallel", type=int, default=8, metavar="N", help="so many at once of those with one number")
    load.add_argument("--role", help="whom to ask, where several serve it")
    data = command("data", "write a folder of messages for the network that is in use, to be loaded", context=True)
    data.add_argument("kind", choices=sorted(MAKERS), metavar="KIND", help="what for: " + ", ".join(sorted(MAKERS)))
    data.add_argument("folder", type=Path, metavar="FOLDER", help="where to; it may hold nothing else")
    data.add_argument(
        "--day",
        type=date.fromisoformat,
        default=FIRST_DAY,
        metavar="DATE",
        help=f"when the records end, {FIRST_DAY} by default; the same day makes the same bytes",
    )


def _stuck(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands that look at what did not go on."""
    dlq = command("dlq", "the dead letters of a role", context=True)
    dlq.add_argument("role", metavar="ROLE")
    dlq.add_argument("--requeue", type=int, metavar="ID", help="have one handled once more")
    outbox = command("outbox", "what a role has still to send", context=True)
    outbox.add_argument("role", metavar="ROLE")


def _history(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands that look back."""
    history = command("history", "what was said: a thread, an object, a span", context=True, json=True)
    history.add_argument("thread", nargs="?", metavar="THREAD", help="a CorrelationID, or the MessageID that began it")
    history.add_argument("--raw", action="store_true", help="print whole messages")
    _search(history)
    audit = command("audit", "prove that what was recorded is what was said", context=True, json=True)
    audit.add_argument("action", choices=["verify"])
    audit.add_argument("--note", type=Path, metavar="FILE", help="write down the ends of the chains, to keep elsewhere")
    audit.add_argument("--against", type=Path, metavar="FILE", help="hold them against what was written down before")
    replay = command("replay", "tell events again, in another context", context=True)
    replay.add_argument(
        "--into", required=True, choices=[*Context], help="the other context, which must run; never production"
    )
    replay.add_argument("--thread", metavar="THREAD", help="only this thread")
    _search(replay)


def _search(words: argparse.ArgumentParser) -> None:
    """What records may be looked for by."""
    words.add_argument("--object", action="append", default=[], metavar="MRID", help="an object that the message names")
    words.add_argument("--noun", metavar="NOUN")
    words.add_argument("--source", metavar="ROLE", help="who said it")
    words.add_argument("--lane", choices=[*Lane])
    words.add_argument("--text", help="what stands in the message")
    words.add_argument("--from", dest="start", type=_instant, metavar="TIME", help="stored at or after, with its zone")
    words.add_argument("--to", dest="end", type=_instant, metavar="TIME", help="stored before")


def _speed(text: str) -> float:
    """How many times as fast: a number above nothing."""
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise ValueError("a speed is more than 0")
    return speed


def _instant(text: str) -> datetime:
    """A time with its zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time needs its zone")
    return instant
