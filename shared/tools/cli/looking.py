"""`busbar list`, `check`, `dlq`, `outbox`: what there is, whether it fits together, and what got stuck."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from contracts.catalogue import ROLES
from contracts.interface import Interface
from shared.admin import Requeue
from shared.bus.subjects import AdminVerb
from shared.config import Settings
from shared.tools.cli.asking import operator, told
from shared.tools.cli.composition import Composition
from shared.tools.cli.contracts import problems as contract_problems
from shared.tools.shape import check as check_shape

ROOT = Path(__file__).resolve().parents[3]


def list_roles(composition: Composition, *, as_json: bool) -> int:
    """Print every role with what it serves, asks, tells and hears."""
    interfaces = composition.catalogue.interfaces.values()
    if as_json:
        show([_described(interface, composition) for interface in interfaces])
        return 0
    for interface in interfaces:
        kind = "service" if interface.role in composition.services else "field role" if interface.field else "role"
        sys.stdout.write(f"{interface.role} ({kind}, {interface.part}, revision {interface.revision})\n")
        sys.stdout.write(f"  {interface.title}\n")
        for what, lines in _exchanges(interface).items():
            for line in lines:
                sys.stdout.write(f"  {what:10} {line}\n")
    return 0


def check(composition: Composition) -> int:
    """Check the shape of the tree, what is generated, the interfaces among each other, and every service."""
    problems = [str(problem) for problem in check_shape(ROOT)]
    problems += contract_problems(ROOT, ROLES)
    problems += composition.catalogue.problems()
    for role in composition.services:
        problems += composition.load(role).problems()
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"{len(problems)} problems.\n" if problems else "The tree and its contracts are in order.\n")
    return 1 if problems else 0


async def dead_letters(settings: Settings, composition: Composition, role: str, requeue: int | None) -> int:
    """Print the dead letters of a role, or have one handled once more."""
    async with operator(settings, composition) as peer:
        if requeue is None:
            show(await told(peer, role, AdminVerb.DEAD_LETTERS))
            return 0
        answer = await told(peer, role, AdminVerb.REQUEUE, Requeue(id=requeue))
    show(answer)
    return 1 if "error" in answer else 0


async def outbox(settings: Settings, composition: Composition, role: str) -> int:
    """Print how much a role has still to send."""
    async with operator(settings, composition) as peer:
        show(await told(peer, role, AdminVerb.OUTBOX))
    return 0


def _exchanges(interface: Interface) -> dict[str, list[str]]:
    return {
        "serves": [f"{each.verb} {each.noun.__name__}" for each in interface.serves],
        "asks": [f"{each.verb} {each.noun.__name__} of {each.role}" for each in interface.asks],
        "publishes": [f"{each.verb} {each.noun.__name__} [{each.lane}]" for each in interface.publishes],
        "hears": [f"{each.verb} {each.noun.__name__} of {each.role} ({each.mode})" for each in interface.subscribes],
    }


def _described(interface: Interface, composition: Composition) -> dict[str, Any]:
    return {
        "role": interface.role,
        "title": interface.title,
        "part": interface.part,
        "revision": interface.revision,
        "field": interface.field,
        "reference": interface.role in composition.services,
        **_exchanges(interface),
    }


def show(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
