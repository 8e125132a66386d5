"""The table of an asset's life: every state meets every event, and three enumerations tell one state."""

from itertools import product

import pytest

from contracts.errors import Conflict
from contracts.nouns.assets import AssetLifecycleStateKind, DeploymentStateKind, InUseStateKind
from services.asset_management.domain.lifecycle import (
    GONE,
    IN_PLACE,
    ONWARD,
    SHAPES,
    TABLE,
    Event,
    Shape,
    State,
    after,
    meant,
    steps,
)

S, E = State, Event


def shape(state: State) -> Shape:
    return SHAPES[state]


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_in_every_state_every_event_leads_on_or_is_refused_with_the_state_in_the_reason(
    state: State, event: Event
) -> None:
    to = TABLE.get((state, event))
    assert after(state, event) is to
    if to is not None:
        assert steps(state, shape(to)) == [event]
    elif not any(after(state, each) for each in Event):
        for goal in State:
            if goal is not state:
                with pytest.raises(Conflict, match=f"'{state}'"):
                    steps(state, shape(goal))


def test_no_two_states_are_told_alike_and_each_is_known_by_its_three_values() -> None:
    told = {(each.lifecycle, each.in_use, each.deployment) for each in SHAPES.values()}
    assert set(SHAPES) == set(State)
    assert len(told) == len(State)
    for state in State:
        assert meant(shape(state))[0] is state or shape(state).deployment is None


def test_values_that_do_not_go_together_are_no_state() -> None:
    assert meant(Shape(lifecycle=AssetLifecycleStateKind.RETIRED, deployment=DeploymentStateKind.IN_SERVICE)) == []
    assert meant(Shape()) == list(State)


def test_what_is_in_service_is_not_retired_and_what_is_disposed_of_is_gone_for_ever() -> None:
    assert (S.IN_SERVICE, E.RETIRED) not in TABLE
    assert {event for state, event in TABLE if state is S.DISPOSED} == set()
    assert {to for (state, _), to in TABLE.items() if state in GONE} == {S.DISPOSED}
    with pytest.raises(Conflict, match="an asset that is 'inService' cannot become 'retired'"):
        steps(S.IN_SERVICE, Shape(lifecycle=AssetLifecycleStateKind.RETIRED))


def test_only_being_built_in_leads_into_a_place() -> None:
    ways_in = {event for (state, event), to in TABLE.items() if to in IN_PLACE and state not in IN_PLACE}
    assert ways_in == {E.INSTALLED}


def test_one_request_may_mean_several_steps_onward_and_no_step_back() -> None:
    assert steps(S.RECEIVED, shape(S.IN_SERVICE)) == [E.ACCEPTED, E.INSTALLED, E.ENERGISED]
    assert steps(S.REMOVED, shape(S.IN_SERVICE)) == [E.REPAIRED, E.INSTALLED, E.ENERGISED]
    assert steps(S.IN_SERVICE, shape(S.IN_SERVICE)) == []
    with pytest.raises(Conflict):
        steps(S.IN_SERVICE, shape(S.SPARE))
    for state, goal in product(State, State):
        try:
            way = steps(state, shape(goal))
        except Conflict:
            continue
        assert len(way) <= 1 or set(way) <= ONWARD


def test_a_value_that_several_states_share_means_the_first_that_one_step_leads_to() -> None:
    out = Shape(deployment=DeploymentStateKind.OUT_OF_SERVICE)
    assert steps(S.IN_SERVICE, out) == [E.TAKEN_OUT]
    broken = Shape(deployment=DeploymentStateKind.OUT_OF_SERVICE, in_use=InUseStateKind.NOT_READY_FOR_USE)
    assert steps(S.IN_SERVICE, broken) == [E.BROKEN]
