"""Chance that can be repeated."""

import re
import statistics
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from services.emergency_simulation.domain.chance import Stream

SEEDS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@given(SEEDS, st.text(), st.lists(st.text(), max_size=3))
def test_a_draw_depends_on_its_seed_its_process_and_its_name_alone(seed: int, process: str, names: list[str]) -> None:
    first, second = Stream(seed, process), Stream(seed, process)
    second.fraction("another draw in between")
    assert first.fraction(*names) == second.fraction(*names)
    assert 0.0 <= first.fraction(*names) < 1.0
    assert first.exponential(8.0, *names) >= 0.0
    assert first.lognormal(45.0, 0.4, *names) > 0.0
    assert UUID.fullmatch(first.identity(*names))


def test_what_is_drawn_today_is_drawn_for_ever() -> None:
    assert Stream(42, "faults").fraction("place", "line-1") == 0.06729658381804604
    assert Stream(42, "faults").identity("fault", "0") == "3f9d6bcb-f768-8036-bf44-2d79b6e31758"


def test_streams_of_other_processes_and_seeds_share_nothing() -> None:
    streams = [Stream(seed, process) for seed in (1, 2) for process in ("radio", "callers", "crews")]
    draws = [[stream.fraction(str(number)) for number in range(2000)] for stream in streams]
    for one, other in combinations(draws, 2):
        assert abs(statistics.correlation(one, other)) < 0.1
    identities = {stream.identity(str(number)) for stream in streams for number in range(2000)}
    assert len(identities) == 12_000


def test_draws_are_spread_as_they_should_be() -> None:
    stream = Stream(7, "crews")
    names = [f"usage point {number}" for number in range(20_000)]
    fractions = [stream.fraction(name) for name in names]
    assert abs(statistics.mean(fractions) - 0.5) < 0.01
    assert abs(statistics.pstdev(fractions) - 12**-0.5) < 0.01
    assert abs(statistics.mean(stream.exponential(420, name) for name in names) / 420 - 1) < 0.03
    assert abs(statistics.median(stream.lognormal(2700, 0.4, name) for name in names) / 2700 - 1) < 0.02
