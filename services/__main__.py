"""The `busbar` command, and the only place that knows all services."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from contracts.catalogue import CATALOGUE
from shared.service import Service
from shared.tools.cli.composition import Composition
from shared.tools.cli.parser import execute

SIMULATION = "emergency-simulation"
ROLES = (
    "network-model-management",
    "network-operation",
    "meter-reading-and-control",
    "fault-management",
    "work-management",
    "customer-management",
    "compliance-management",
    "asset-management",
    "event-history",
    SIMULATION,
)
"""The roles that have a service, in the order in which they start."""


def main() -> int:
    """Run the command line."""
    services = {role: _loader(role) for role in ROLES}
    composition = Composition(catalogue=CATALOGUE, services=services, simulation=SIMULATION, measure=_measure)
    return execute(sys.argv[1:], composition)


def _measure(words: Sequence[str]) -> int:
    """Only who measures loads what measures."""
    done: int = import_module("loadtest.command").execute(words)
    return done


def _loader(role: str) -> Callable[[], Service[Any]]:
    def load() -> Service[Any]:
        module = import_module(f"services.{role.replace('-', '_')}.service")
        service: Service[Any] = module.service
        return service

    return load


if __name__ == "__main__":
    sys.exit(main())
