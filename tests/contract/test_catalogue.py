"""What the roles promise fits together."""

import pytest
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE, INTERFACES, NOUNS
from contracts.interface import Catalogue, Interface, Mode
from contracts.interfaces.callers import CALLERS
from contracts.interfaces.fault_management import FAULT_MANAGEMENT

FIELD = {"callers", "crews", "head-end", "scada"}


def test_every_ask_is_served_and_every_event_heard_is_told() -> None:
    assert list(CATALOGUE.problems()) == []


def test_a_role_that_is_missing_is_a_problem_for_those_who_ask_and_hear_it() -> None:
    without = Catalogue(NOUNS, [interface for interface in INTERFACES if interface is not FAULT_MANAGEMENT])
    problems = list(without.problems())
    assert "callers asks 'create TroubleTickets' of fault-management, which does not serve it" in problems
    assert len(problems) == 4


def test_an_ask_that_its_role_does_not_serve_is_a_problem() -> None:
    deaf = replace(FAULT_MANAGEMENT, serves=())
    assert next(iter(Catalogue(NOUNS, (CALLERS, deaf)).problems())).startswith("callers asks")


def test_the_roles_in_the_field_are_those_that_a_utility_brings() -> None:
    assert {interface.role for interface in INTERFACES if interface.field} == FIELD


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda interface: interface.role)
def test_verbs_are_used_in_their_tense(interface: Interface) -> None:
    assert all(exchange.verb.is_request for exchange in interface.serves)
    assert all(ask.verb.is_request for ask in interface.asks)
    assert all(told.verb.is_event for told in interface.publishes)
    assert all(heard.verb.is_event for heard in interface.subscribes)


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda interface: interface.role)
def test_no_role_says_the_same_twice(interface: Interface) -> None:
    for promises in (interface.serves, interface.asks, interface.publishes, interface.subscribes):
        assert len(set(promises)) == len(promises)


def test_every_noun_of_an_interface_is_in_the_catalogue() -> None:
    for interface in INTERFACES:
        for exchange in interface.serves:
            assert exchange.noun in NOUNS
            assert exchange.query is None or exchange.query in NOUNS


def test_what_follows_the_topology_can_ask_for_it() -> None:
    """A follower needs a snapshot, so it must be able to get the noun that it follows."""
    for interface in INTERFACES:
        for heard in interface.subscribes:
            if heard.mode is Mode.FOLLOW:
                asked = [(ask.role, ask.noun) for ask in interface.asks if ask.verb == "get"]
                assert (heard.role, heard.noun) in asked
