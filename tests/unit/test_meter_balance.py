"""What passes a transformer against what those behind it used (metering guide 7)."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.balance import Used, alike, lasting, losses, together, weight_of

FORWARD = ReadingTypeCode.parse("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0")
BACK, NET = replace(FORWARD, flow_direction=19), replace(FORWARD, flow_direction=4)
KILO = replace(FORWARD, multiplier=3, commodity=2)


def used(*use: float | None) -> Used:
    return Used(
        use=np.array([each or 0.0 for each in use]), is_known=np.array([each is not None for each in use], np.bool_)
    )


def test_alike_is_the_same_energy_whichever_way_it_flows_and_in_whatever_power_of_ten() -> None:
    assert alike(FORWARD, [FORWARD, BACK]) == [FORWARD, BACK]
    assert alike(FORWARD, [KILO, BACK]) == [KILO, BACK]
    assert alike(FORWARD, [FORWARD, KILO]) == [FORWARD], "the first for a direction"
    assert alike(FORWARD, [FORWARD, BACK, NET]) == [NET]
    assert alike(FORWARD, [replace(FORWARD, measuring_period=7), replace(FORWARD, unit=73)]) == []
    assert alike(None, [FORWARD]) == []
    assert [weight_of(each) for each in (FORWARD, BACK, NET, KILO)] == [1, -1, 1, 1000]


def test_a_day_counts_where_everybody_who_belongs_to_it_is_known() -> None:
    passed, members = used(100, 100, 100, None, 0), [used(50, 50, None, 50, 50), used(40, None, 40, 40, 40)]
    everybody = np.ones((2, 5), np.bool_)
    found = losses(passed, members, everybody)
    assert found[0] == pytest.approx(0.1)
    assert np.isnan(found[1:]).all()
    first_alone = np.array([[True] * 5, [False] * 5])
    assert losses(passed, members, first_alone)[1] == pytest.approx(0.5), "who is not behind it need not be known"
    assert np.isnan(losses(passed, [], np.zeros((0, 5), np.bool_))).all(), "nobody is known to be behind it"
    assert not together([], 5).is_known.any()
    both = together([used(5, 5), used(-2, None)], 2)
    assert (both.use.tolist()[0], both.is_known.tolist()) == (3, [True, False])


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ([0.1] * 7, (True, 6)),
        ([0.0] * 7 + [0.06] * 7, (True, 13)),
        ([0.1] * 6 + [0.05], (False, 6)),
        ([0.1] * 6, None),
        ([0.1, nan] * 7, (True, 12)),
        ([-0.5] * 14, (False, 13)),
        ([nan] * 14, None),
        ([0.2] * 13 + [0.0], (False, 13)),
    ],
)
def test_a_loss_is_one_of_the_last_seven_days_that_are_known(
    shares: list[float], found: tuple[bool, int] | None
) -> None:
    assert lasting(np.array(shares)) == found


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=5), st.floats(0, 0.9))
def test_what_goes_astray_is_found_whoever_uses_how_much(uses: list[float], share: float) -> None:
    passed = used(sum(uses) / (1 - share))
    (found,) = losses(passed, [used(each) for each in uses], np.ones((len(uses), 1), np.bool_))
    assert found == pytest.approx(share, abs=1e-9)
