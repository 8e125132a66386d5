"""What is added to a model that lacks protection, customers, ties and places."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.network_models import ModelFindingKind
from services.network_model_management.adapters.difference_model import Offer, apply_offer
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.versions import RDF_XML
from shared.tools.equipping.document import Wiring
from shared.tools.equipping.rules import lacking
from shared.tools.equipping.writing import Equipping, equipped
from tests.fixtures.cim import document, nodes, obj, piece
from tests.fixtures.statements import statements

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HARBOUR = Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml"
IEEE13 = Path(__file__).resolve().parents[3] / "shared" / "samples" / "models" / "IEEE13.xml"


def line(name: str, *ends: str, phases: str = "ABC") -> str:
    return piece("ACLineSegment", name, *ends, phases=phases, Conductor__length=500, r=0.1, x=0.2)


def consumer(name: str, node: str, watts: int, phases: str = "ABC") -> str:
    return piece("EnergyConsumer", name, node, phases=phases, p=watts)


PIECES = (
    obj("Feeder", "feeder"),
    obj("BaseVoltage", "volts", nominalVoltage=12470),
    nodes("abcdefghij"),
    piece("EnergySource", "source", "a"),
    # one feeder: a trunk a-b-c-d, and a lateral on one phase
    *(
        line("trunk_1", "a", "b"),
        line("trunk_2", "b", "c"),
        line("trunk_3", "c", "d"),
        line("spur", "b", "e", phases="A"),
    ),
    *(consumer("mill", "d", 200_000), consumer("shop", "c", 300_000), consumer("home", "e", 10_000, "A")),
    # another: a trunk a-f-g, and a large lateral
    *(line("street_1", "a", "f"), line("street_2", "f", "g"), line("lane", "f", "h")),
    *(consumer("school", "g", 300_000), consumer("farm", "h", 200_000)),
)
BARE = document("".join(PIECES))


def read(content: bytes) -> Import:
    return import_documents((Document(content=content, model_format=RDF_XML),), "1", NOON).result


def equip(content: bytes) -> tuple[bytes, Import, Equipping]:
    """The document with all that it lacks, what becomes of it, and the difference."""
    done = equipped(read(content).feeders, content)
    assert done is not None
    after = apply_offer(content, Offer(whole=done.document))
    assert after.problems == ()
    back = apply_offer(after.document, Offer(forward=after.reverse, reverse=after.forward))
    assert statements(back.document) == statements(content)
    result = read(after.document)
    assert result.problems == ()
    return after.document, result, done


def by_name(result: Import) -> dict[str, Equipment]:
    return {each.name: each for feeder in result.feeders for each in feeder.equipment}


def above(result: Import, name: str) -> list[str]:
    """What opens between a piece of equipment and its source, the nearest first."""
    found = by_name(result)
    at, names = found[name].node1, []
    while at != "a":
        way = next(each for each in found.values() if each.node2 == at and not each.normal_open)
        names += [way.name] if way.protective else []
        at = way.node1
    return names


def test_a_bare_feeder_gets_a_breaker_at_its_head_a_recloser_on_its_trunk_and_devices_on_its_laterals() -> None:
    _, result, _ = equip(BARE)
    assert above(result, "mill") == ["mill fuse", "trunk 3 recloser", "trunk 1 breaker"]
    assert above(result, "home") == ["home fuse", "spur fuse", "trunk 1 breaker"]
    assert above(result, "farm") == ["farm fuse", "lane sectionaliser", "street 1 breaker"]
    found = by_name(result)
    assert found["spur fuse"].phases == "A"
    assert [each.reclose_delay for each in found["trunk 1 breaker"].reclose_sequences] == [0.5, 15.0]


def test_consumers_get_as_many_usage_points_as_their_power_feeds_each_with_a_meter() -> None:
    _, result, done = equip(BARE)
    points = [point for feeder in result.feeders for point in feeder.usage_point]
    assert Counter(point.name.rpartition(" ")[0] for point in points) == {
        "mill": 4,
        "shop": 6,
        "home": 1,
        "school": 6,
        "farm": 4,
    }
    assert done.added["UsagePoint"] == len(points) == len({point.meter for point in points})


def test_two_feeders_without_a_tie_get_one_that_is_open_and_joins_their_ends() -> None:
    _, result, _ = equip(BARE)
    (tie,) = [each for each in by_name(result).values() if each.normal_open]
    (new,) = [each for each in by_name(result).values() if each.name == f"{tie.name} line"]
    assert (tie.remotely_operable, new.length, new.node2) == (True, 500.0, tie.node1)
    ends = {new.node1, tie.node2}
    assert ends == {"d", "g"}


def test_what_stands_nowhere_gets_a_place_beside_what_feeds_it_as_far_as_its_line_is_long() -> None:
    _, result, _ = equip(BARE)
    found = by_name(result)
    assert all(each.latitude is not None for each in found.values())
    mill, shop = found["mill"], found["shop"]
    assert mill.latitude is not None
    assert shop.latitude is not None
    assert 0 < abs(mill.latitude - shop.latitude) * 111_200 <= 501


def test_what_lacks_nothing_gets_nothing_and_what_was_equipped_lacks_nothing() -> None:
    for content in (HARBOUR.read_bytes(), equip(BARE)[0]):
        assert equipped(read(content).feeders, content) is None


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_same_model_gets_the_same_objects_in_whatever_order_it_is_written(random: Random) -> None:
    pieces = [each for body in PIECES for each in etree.fromstring(document(body))]
    random.shuffle(pieces)
    shuffled = document("".join(etree.tostring(each).decode() for each in pieces))
    assert equip(shuffled)[2] == equip(BARE)[2]


def test_objects_that_are_known_by_another_mrid_are_named_and_keep_the_model_as_it_is() -> None:
    with pytest.raises(Invalid, match="under another mRID"):
        lacking(read(BARE).feeders, Wiring(document("".join(PIECES[:-1]))))


def test_the_ieee_13_node_feeder_gets_devices_on_its_laterals_and_customers_on_their_phases() -> None:
    if not IEEE13.exists():
        pytest.skip("the published models are not beside the repository")
    _, result, _ = equip(IEEE13.read_bytes())
    (feeder,) = result.feeders
    phases = {each.name: each.phases for each in feeder.equipment if each.kind in {"Fuse", "Sectionaliser"}}
    laterals = ("632645 fuse", "671684 sectionaliser", "684652 fuse", "671 fuse")
    assert [phases[each] for each in laterals] == ["BC", "AC", "A", "ABC"]
    assert {point.phases for point in feeder.usage_point} == {"A", "B", "C", "ABC"}
    assert not any(each.kind is ModelFindingKind.UNPROTECTED for each in result.findings)
