"""What the composition root gives to the command: all nouns, all interfaces, and the services that take them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from contracts.interface import Catalogue
from shared.service import Service
from shared.tools.bootstrap import Schema


class Composition(Struct, frozen=True, kw_only=True):
    """The reference implementation as a whole.

    Attributes:
        catalogue: all nouns and interfaces.
        services: for each role that has a service, what loads it.
        simulation: the role that plays the field; it runs in no production.
        measure: the words of `busbar loadtest`, which the tools do not know.
    """

    catalogue: Catalogue
    services: Mapping[str, Callable[[], Service[Any]]]
    simulation: str
    measure: Callable[[Sequence[str]], int]

    def load(self, role: str) -> Service[Any]:
        """The service of a role.

        Raises:
            ValueError: when there is none.
        """
        if role not in self.services:
            known = ", ".join(sorted(self.services))
            raise ValueError(f"no service takes the role '{role}'; there are {known}")
        return self.services[role]()

    def schemas(self) -> list[Schema]:
        """The schemas of all services."""
        return [Schema.of(self.load(role)) for role in self.services]

    def roles(self, context: str, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The roles whose services run in a context."""
        for role in without - set(self.services):
            self.load(role)
        return tuple(
            role
            for role in self.services
            if role not in without and not (role == self.simulation and context == "production")
        )
