"""Who speaks: persons with a duty, and roles that speak for themselves.

The person is ``Header/User``: ``UserID`` names it, ``Organization`` its duty. Whoever names no duty that is known here
may hold tags and clearances and decides nothing. The broker vouches for the role that sends and not for the person
(SECURITY.md). A message without a person is the word of the role itself, of automation.
"""

from enum import StrEnum

from msgspec import Struct

from contracts.errors import Denied
from contracts.message import Header


class Duty(StrEnum):
    """What a person is there for."""

    CREW = "crew"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"


class Speaker(Struct, frozen=True, kw_only=True):
    """A person with a duty, or a role without one."""

    name: str
    duty: Duty | None = None

    @property
    def is_person(self) -> bool:
        """False for a role that speaks for itself."""
        return self.duty is not None

    @property
    def may_switch(self) -> bool:
        """True for those who decide about switching."""
        return self.duty in {Duty.OPERATOR, Duty.SUPERVISOR}


def speaker(header: Header, principal: str) -> Speaker:
    """Who says a message that the role ``principal`` sent."""
    if header.user is None:
        return Speaker(name=principal)
    known = {duty.value: duty for duty in Duty}
    return Speaker(
        name=header.user.user_id, duty=known.get((header.user.organization or "").strip().lower(), Duty.CREW)
    )


def demand_operator(person: Speaker, what: str) -> None:
    """Pass an operator or a supervisor.

    Raises:
        Denied: it is somebody else, or nobody.
    """
    if not person.may_switch:
        raise Denied(f"only an operator or a supervisor {what}; '{person.name}' is {_described(person)}")


def demand_supervisor(person: Speaker, what: str) -> None:
    """Pass a supervisor.

    Raises:
        Denied: it is somebody else, or nobody.
    """
    if person.duty is not Duty.SUPERVISOR:
        raise Denied(f"only a supervisor {what}; '{person.name}' is {_described(person)}")


def demand_other(person: Speaker, first: str | None, what: str) -> None:
    """Pass anybody but the ``first`` person.

    Raises:
        Denied: it is the same one.
    """
    if person.name == first:
        raise Denied(f"'{person.name}' cannot {what}: that takes a second person")


def _described(person: Speaker) -> str:
    return "a role without a person" if person.duty is None else f"a {person.duty}"
