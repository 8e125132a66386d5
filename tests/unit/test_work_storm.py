"""Which damage is repaired first: the golden example of the design, and what holds for every forest of damages."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.work_management.domain.places import spots_in
from services.work_management.domain.planning import Job, by_value
from services.work_management.domain.storm import CRITICAL_WEIGHT, Damage, nearest_above, order_of_repair, rho
from tests.fixtures.streets import equipment, street

T0 = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)
A = Damage(mrid="A", weight=100, hours=4)
B = Damage(mrid="B", above="A", weight=400, hours=1)
C = Damage(mrid="C", weight=150, hours=1)


def customer_hours(sequence: list[str], damages: list[Damage]) -> float:
    """What one crew's sequence costs: whoever hangs on a damage waits until all upstream of it are repaired too."""
    known = {each.mrid: each for each in damages}
    done, now = dict[str, float](), 0.0
    for mrid in sequence:
        now += known[mrid].hours
        done[mrid] = now

    def restored(mrid: str) -> float:
        above = known[mrid].above
        return done[mrid] if above is None else max(done[mrid], restored(above))

    return sum(each.weight * restored(each.mrid) for each in damages)


def test_c_comes_before_a_and_b_and_costs_3050_customer_hours() -> None:
    assert rho([A, B, C]) == pytest.approx({"A": 100.0, "B": 400.0, "C": 150.0})
    assert order_of_repair([A, B, C]) == ["C", "A", "B"]
    assert customer_hours(["C", "A", "B"], [A, B, C]) == 3050
    assert customer_hours(["B", "C", "A"], [A, B, C]) == pytest.approx(3300)
    assert customer_hours(["A", "B", "C"], [A, B, C]) == 3300


def test_a_goes_first_when_a_hospital_hangs_on_it() -> None:
    hospital = replace(A, weight=A.weight + CRITICAL_WEIGHT)
    assert order_of_repair([hospital, B, C]) == ["A", "B", "C"]


def job(order: str, rank: int = 3, **more: object) -> Job:
    return Job(order=order, rank=rank, requested_at=T0, hours=timedelta(hours=1), **more)  # type: ignore[arg-type]  # shorter


def test_a_wire_that_is_down_comes_before_every_outage_and_a_critical_one_takes_along_what_is_upstream() -> None:
    outages = [
        job("A", device="a", weight=100),
        job("B", rank=2, device="b", above="A", weight=10),
        job("C", device="c", weight=1500),
    ]
    assert [each.order for each in by_value([*outages, job("wire down", rank=1)], T0)] == ["wire down", "A", "B", "C"]


def test_what_is_not_urgent_ages_and_never_becomes_urgent() -> None:
    old = replace(job("old", rank=9), requested_at=T0 - timedelta(days=400))
    assert [each.order for each in by_value([job("new", rank=5), old, job("outage", device="d")], T0)] == [
        "outage",
        "old",
        "new",
    ]


def test_the_nearest_damage_upstream_counts_and_the_wires_between_do_not() -> None:
    chains = {"x": ["line", "y", "z"], "y": ["z"], "z": []}
    assert nearest_above({"1": "x", "2": "z"}, chains) == {"1": "2", "2": None}


def test_a_consumer_that_is_its_own_usage_point_is_one_spot_with_its_customers() -> None:
    drawn = street()
    point = drawn.usage_point[0]
    consumer = equipment(point.mrid, "EnergyConsumer", point.node, None)
    spots = spots_in([replace(drawn, equipment=(*drawn.equipment, consumer))], CRITICAL_WEIGHT)
    assert len({spot.mrid for spot in spots}) == len(spots)
    (found,) = [spot for spot in spots if spot.mrid == point.mrid]
    assert found.weight >= point.customers


@st.composite
def forests(draw: st.DrawFn) -> list[Damage]:
    many = draw(st.integers(1, 6))
    return [
        Damage(
            mrid=str(number),
            above=draw(st.sampled_from([None, *map(str, range(number))])),
            weight=draw(st.integers(0, 500)),
            hours=draw(st.integers(1, 8)),
        )
        for number in range(many)
    ]


@given(damages=forests())
def test_for_one_crew_no_sequence_is_better(damages: list[Damage]) -> None:
    best = min(customer_hours(list(each), damages) for each in permutations([one.mrid for one in damages]))
    sequence = order_of_repair(damages)
    assert customer_hours(sequence, damages) == pytest.approx(best)
    for each in damages:
        assert each.above is None or sequence.index(each.above) < sequence.index(each.mrid)
