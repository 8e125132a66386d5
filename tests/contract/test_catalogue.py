"""What the roles promise fits together."""

import pytest
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE, INTERFACES, NOUNS, PROMISED, ROLES
from contracts.interface import Catalogue, Interface, Lane, Mode, NounType
from contracts.interfaces.callers import CALLERS
from contracts.interfaces.fault_management import FAULT_MANAGEMENT


def carried(interface: Interface) -> set[NounType]:
    """Every noun that a role serves or tells."""
    return {served.noun for served in interface.serves} | {told.noun for told in interface.publishes}


FIELD = {"callers", "crews", "head-end", "scada", "weather"}
ALL = ROLES.interfaces.values()
BUSINESS = {
    "asset-management",
    "compliance-management",
    "console",
    "customer-management",
    "data-warehouse",
    "emergency-simulation",
    "engineering-design-management",
    "event-history",
    "external",
    "fault-management",
    "gateway",
    "market-operation",
    "market-settlement",
    "meter-reading-and-control",
    "network-model-management",
    "network-operation",
    "predictive-operation-planning",
    "retail-market-operation",
    "system-development-planning",
    "work-management",
}
WAITING = {
    "ComModuleConfig",
    "EndDeviceConfig",
    "EndDeviceFirmware",
    "EquipmentFaults",
    "FieldDispatchHistories",
    "LineFaults",
    "ServiceOrders",
    "SwitchingOrders",
    "SwitchingPlanRequests",
}
"""Nouns that no role carries yet: each leaves this list when the service of its role learns it."""


def test_every_ask_is_served_and_every_event_heard_is_told() -> None:
    assert list(CATALOGUE.problems()) == []
    assert list(ROLES.problems()) == []


def test_every_role_of_the_reference_model_has_its_interface() -> None:
    assert set(ROLES.interfaces) == BUSINESS | FIELD | {"operator"}


def test_what_runs_knows_only_roles_that_run() -> None:
    """A role without a service would leave durables that nobody empties, and a granted clock that waits for it."""
    assert set(CATALOGUE.interfaces) == {interface.role for interface in INTERFACES} | {"operator"}
    for interface in INTERFACES:
        assert ROLES.interfaces[interface.role] is interface
        assert {ask.role for ask in interface.asks} <= set(CATALOGUE.interfaces)
        assert {heard.role for heard in interface.subscribes} <= set(CATALOGUE.interfaces)


def test_a_noun_that_no_running_role_serves_or_tells_can_be_read_and_put_to_nobody() -> None:
    """So the kernel, which finds no handler for it, refuses it with 2.5; what is read is the same everywhere."""
    running = set().union(*map(carried, INTERFACES))
    waiting = set().union(*map(carried, PROMISED)) - running
    assert {noun.__name__ for noun in waiting} >= {"PlannedOutages", "PricingStructureConfig"}
    assert CATALOGUE.nouns == ROLES.nouns
    operator = CATALOGUE.interfaces["operator"]
    assert not waiting & {ask.noun for ask in operator.asks}
    for noun in waiting:
        assert not any(CATALOGUE.query(role, noun.__name__) for role in CATALOGUE.interfaces)


def test_the_nouns_that_no_role_carries_yet_are_known() -> None:
    queries = {served.query for role in ALL for served in role.serves}
    idle = set(NOUNS) - set().union(*map(carried, ALL)) - queries
    assert {noun.__name__ for noun in idle if not noun.__name__.startswith("Get")} == WAITING


def test_a_role_that_is_missing_is_a_problem_for_those_who_ask_and_hear_it() -> None:
    without = Catalogue(NOUNS, [interface for interface in INTERFACES if interface is not FAULT_MANAGEMENT])
    problems = list(without.problems())
    assert "callers asks 'create TroubleTickets' of fault-management, which does not serve it" in problems
    assert len(problems) == 20


def test_an_ask_that_its_role_does_not_serve_is_a_problem() -> None:
    deaf = replace(FAULT_MANAGEMENT, serves=())
    assert next(iter(Catalogue(NOUNS, (CALLERS, deaf)).problems())).startswith("callers asks")


def test_the_roles_in_the_field_are_those_that_a_utility_brings() -> None:
    assert {interface.role for interface in ALL if interface.field} == FIELD


@pytest.mark.parametrize("interface", ALL, ids=lambda interface: interface.role)
def test_verbs_are_used_in_their_tense(interface: Interface) -> None:
    assert all(exchange.verb.is_request for exchange in interface.serves)
    assert all(ask.verb.is_request for ask in interface.asks)
    assert all(told.verb.is_event for told in interface.publishes)
    assert all(heard.verb.is_event for heard in interface.subscribes)


@pytest.mark.parametrize("interface", ALL, ids=lambda interface: interface.role)
def test_no_role_says_the_same_twice(interface: Interface) -> None:
    for promises in (interface.serves, interface.asks, interface.publishes, interface.subscribes, interface.state):
        assert len(set(promises)) == len(promises)


@pytest.mark.parametrize("interface", [*INTERFACES, *PROMISED], ids=lambda interface: interface.role)
def test_the_state_of_a_role_is_what_it_serves_or_tells(interface: Interface) -> None:
    assert set(interface.state) <= carried(interface)
    assert bool(interface.state) == bool(carried(interface))


def test_the_data_warehouse_and_the_gateway_hear_every_event_and_the_event_history_keeps_every_lane() -> None:
    told = {(role.role, event.verb, event.noun) for role in ALL for event in role.publishes}
    for keeper in ("data-warehouse", "gateway"):
        assert {(heard.role, heard.verb, heard.noun) for heard in ROLES.interfaces[keeper].subscribes} == told
    assert set(ROLES.interfaces["event-history"].records) == set(Lane)


def test_every_noun_of_an_interface_is_in_the_catalogue() -> None:
    for interface in ALL:
        assert carried(interface) <= set(NOUNS)
        assert all(exchange.query is None or exchange.query in NOUNS for exchange in interface.serves)


def test_what_is_followed_can_be_asked_for() -> None:
    """A follower needs a snapshot, so it must be able to get the noun that it follows."""
    for interface in ALL:
        for heard in interface.subscribes:
            if heard.mode is Mode.FOLLOW:
                asked = [(ask.role, ask.noun) for ask in interface.asks if ask.verb == "get"]
                assert (heard.role, heard.noun) in asked
