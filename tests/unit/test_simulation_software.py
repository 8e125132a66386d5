"""New software in the played field: how often it goes wrong, and in which way."""

from collections import Counter

import pytest

from services.emergency_simulation.config import ills_from
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.software import SAID, Fate, Ills, fate

STREAM = Stream(1, "software")
METERS = [f"p{number}" for number in range(2000)]


def fates(ills: Ills, control: str = "new") -> Counter[Fate]:
    return Counter(fate(STREAM, each, control, ills) for each in METERS)


def test_in_good_order_all_meters_take_it_but_those_of_other_hardware() -> None:
    found = fates(Ills())
    assert set(found) == {Fate.TAKEN, Fate.UNFIT}
    assert 5 < found[Fate.UNFIT] < 40


def test_each_story_is_played_as_often_as_is_set_and_the_same_each_time() -> None:
    ills = Ills(software_download=0.1, software_hash=0.2, software_rollback=0.3, software_identity=0.05)
    found = fates(ills)
    for each, share in (
        (Fate.BROKEN_OFF, 0.1),
        (Fate.ALTERED, 0.2),
        (Fate.ROLLED_BACK, 0.3),
        (Fate.NAMELESS, 0.05),
        (Fate.TAKEN, 0.34),
    ):
        assert found[each] / len(METERS) == pytest.approx(share, abs=0.05)
    assert fates(ills) == found
    assert fates(ills, "another") != found
    assert set(Fate) - SAID.keys() == {Fate.TAKEN, Fate.NAMELESS}, "these say that they have it"


def test_shares_are_read_from_the_environment_and_are_no_more_than_all() -> None:
    assert ills_from({"BUSBAR_SIMULATION_SOFTWARE_HASH": "0.25"}) == Ills(software_hash=0.25)
    with pytest.raises(ValueError, match="SOFTWARE_HASH is 'often'"):
        ills_from({"BUSBAR_SIMULATION_SOFTWARE_HASH": "often"})
    with pytest.raises(ValueError, match="software_hash is 2"):
        ills_from({"BUSBAR_SIMULATION_SOFTWARE_HASH": "2"})
    with pytest.raises(ValueError, match=r"1\.2 together"):
        ills_from({"BUSBAR_SIMULATION_SOFTWARE_HASH": "0.6", "BUSBAR_SIMULATION_SOFTWARE_ROLLBACK": "0.6"})
