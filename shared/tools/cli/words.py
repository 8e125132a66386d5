"""The words of the command line, with their help."""

import argparse
from pathlib import Path

from contracts.verbs import Verb
from shared.config import Context


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
    network.add_argument("action", choices=["import", "apply", "reverse", "export", "list"])
    network.add_argument(
        "file",
        nargs="*",
        help="import: CIM100 RDF/XML, in one file or several, or pandapower JSON; apply: a difference model; "
        "reverse: the same, or the mRID of a difference that was applied",
    )
    network.add_argument("--id", help="export: a model or an object; apply: the model; by default the active model")
    network.add_argument("--output", help="the file to export to")
    dlq = command("dlq", "the dead letters of a role", context=True)
    dlq.add_argument("role", metavar="ROLE")
    dlq.add_argument("--requeue", type=int, metavar="ID", help="have one handled once more")
    outbox = command("outbox", "what a role has still to send", context=True)
    outbox.add_argument("role", metavar="ROLE")
    return words
