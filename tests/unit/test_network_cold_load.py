"""How much a section takes after it was dark."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.network_operation.domain.cold_load import ColdLoad


@pytest.mark.parametrize(
    ("minutes", "factor"), [(5, 1), (15, 1), (22.5, 1.25), (30, 1.5), (60, 2), (150, 2.5), (600, 3)]
)
def test_a_longer_interruption_makes_a_colder_load(minutes: float, factor: float) -> None:
    assert ColdLoad().first_factor(timedelta(minutes=minutes)) == pytest.approx(factor)


@given(st.timedeltas(timedelta(0), timedelta(hours=9)), st.timedeltas(timedelta(0), timedelta(hours=9)))
def test_a_cold_load_only_becomes_warmer(interruption: timedelta, since: timedelta) -> None:
    cold = ColdLoad()
    now, later = cold.factor(interruption, since), cold.factor(interruption, since + timedelta(minutes=1))
    assert 1 <= later <= now <= 3
    assert cold.is_over(interruption, timedelta(hours=9))
    assert not cold.is_over(interruption, timedelta(minutes=4))


def test_a_cold_load_stays_on_its_plateau_and_then_decays() -> None:
    cold, hour = ColdLoad(), timedelta(hours=1)
    assert cold.factor(hour, timedelta(minutes=30)) == pytest.approx(2)
    assert cold.factor(hour, timedelta(minutes=75)) == pytest.approx(1 + np.exp(-1))
