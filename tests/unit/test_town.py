"""The town of the demonstration: what its script draws, and that anybody's model could look like it."""

import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import NAMESPACE_OID, uuid5

import pytest
from lxml import etree
from msgspec import json

from contracts.errors import Invalid, NotFound
from contracts.nouns.feeder_topology import Equipment, Feeder
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.versions import RDF_XML
from services.network_model_management.domain.zones import Zones
from shared.tools.cli.shipped import file_of

SCRIPT = Path(__file__).parents[2] / "infra" / "networks" / "make_town.py"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def drawn(folder: Path, usage_points: int, *, seed_of_hashes: str = "0") -> bytes:
    file = folder / f"{usage_points}-{seed_of_hashes}.xml"
    words = [sys.executable, str(SCRIPT), "--usage-points", str(usage_points), "--output", str(file)]
    subprocess.run(words, check=True, env={**os.environ, "PYTHONHASHSEED": seed_of_hashes})
    return file.read_bytes()


def imported(document: bytes) -> Import:
    return import_documents((Document(content=document, model_format=RDF_XML),), "1", NOON).result


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return drawn(tmp_path_factory.mktemp("town"), 3000)


@pytest.fixture(scope="module")
def town(drawing: bytes) -> Import:
    return imported(drawing)


def equipment(model: Import) -> list[Equipment]:
    return [each for feeder in model.feeders for each in feeder.equipment]


def feeder_of_node(model: Import) -> dict[str, Feeder]:
    return {node.mrid: feeder for feeder in model.feeders for node in feeder.connectivity_node}


def test_the_town_has_two_substations_twelve_feeders_and_three_thousand_usage_points_without_a_finding(
    town: Import,
) -> None:
    assert (town.problems, town.findings) == ((), ())
    points = [point for feeder in town.feeders for point in feeder.usage_point]
    kinds = Counter(each.kind for each in equipment(town))
    assert (len(town.feeders), len(points), kinds["EnergySource"], kinds["Breaker"]) == (12, 3000, 2, 12)
    assert len({point.meter for point in points}) == 3000
    assert {"Recloser", "Sectionaliser", "LoadBreakSwitch", "Fuse", "LinearShuntCompensator"} <= kinds.keys()
    critical = {point.name for point in points if point.critical}
    assert {"Mole 6 Hospital", "Mole 6 Waterworks"} <= critical
    assert kinds["PowerElectronicsConnection"] > 50
    assert all(feeder.fault_indicator for feeder in town.feeders)
    single = sum(1 for each in equipment(town) if each.kind == "Fuse" and len(each.phases) == 1)
    assert single > kinds["Fuse"] / 2


def test_open_ties_with_drives_join_feeders_of_one_and_of_both_substations(town: Import) -> None:
    home = feeder_of_node(town)
    ties = [each for each in equipment(town) if each.normal_open]
    assert all(each.open and each.remotely_operable and each.node2 for each in ties)
    joined = {tuple(sorted(home[node].names[0].name for node in (each.node1, each.node2 or ""))) for each in ties}
    assert len(joined) == len(ties) == 12
    assert {("Bluff 1", "Mole 1"), ("Mole 1", "Mole 2"), ("Bluff 3", "Bluff 4")} <= joined


def test_every_usage_point_has_one_way_to_one_source_on_phases_that_lead_there(town: Import) -> None:
    closed = [each for each in equipment(town) if each.node2 and not each.normal_open]
    zones = Zones()
    for each in closed:
        assert zones.find(each.node1) != zones.find(each.node2 or ""), f"{each.name} closes a loop"
        zones.join(each.node1, each.node2 or "")
    sources = [each for each in equipment(town) if each.kind == "EnergySource"]
    assert {zones.find(node) for node in feeder_of_node(town)} == {zones.find(each.node1) for each in sources}
    phases = {each.node1: set("ABC") for each in sources}
    waiting = list(phases)
    beside: dict[str, list[Equipment]] = {}
    for each in closed:
        for node in (each.node1, each.node2 or ""):
            beside.setdefault(node, []).append(each)
    while waiting:
        node = waiting.pop()
        for each in beside[node]:
            other = each.node2 if each.node1 == node else each.node1
            if other not in phases:
                assert set(each.phases) <= phases[node], f"{each.name} has phases that do not reach it"
                phases[other or ""] = set(each.phases)
                waiting.append(other or "")
    assert all(set(point.phases) <= phases[point.node] for feeder in town.feeders for point in feeder.usage_point)


def test_all_that_stands_has_a_place_and_every_line_a_length(town: Import) -> None:
    places = [(each.longitude, each.latitude) for each in equipment(town)]
    places += [(point.longitude, point.latitude) for feeder in town.feeders for point in feeder.usage_point]
    assert all(x is not None and y is not None and -70 < x < -69 and 42.9 < y < 43.2 for x, y in places)
    lengths = [each.length for each in equipment(town) if each.kind == "ACLineSegment"]
    assert all(length is not None and 10 < length < 3000 for length in lengths)
    shots = {each.kind: len(each.reclose_sequences) for each in equipment(town) if each.reclose_sequences}
    assert shots == {"Breaker": 2, "Recloser": 3}


def test_the_script_writes_the_same_bytes_and_as_many_usage_points_as_are_asked_for(tmp_path: Path) -> None:
    assert drawn(tmp_path, 500) == drawn(tmp_path, 500, seed_of_hashes="1")
    model = imported(drawn(tmp_path, 3300))
    assert (model.problems, model.findings) == ((), ())
    assert len(model.feeders) == 14
    assert sum(len(feeder.usage_point) for feeder in model.feeders) == 3300


def test_a_network_is_found_by_path_or_by_name_and_drawn_once(tmp_path: Path) -> None:
    assert file_of("harbour", tmp_path) == SCRIPT.with_name("harbour.xml")
    assert file_of(str(SCRIPT), tmp_path) == SCRIPT
    town = file_of("town:300", tmp_path)
    assert town.name == "town-300.xml"
    before = town.stat().st_mtime_ns
    assert file_of("town:300", tmp_path).stat().st_mtime_ns == before
    with pytest.raises(NotFound, match="harbour and town are"):
        file_of("village", tmp_path)
    with pytest.raises(Invalid, match="the size is a number of usage points"):
        file_of("town:large", tmp_path)
    with pytest.raises(Invalid, match="at least 200 usage points"):
        file_of("town:3", tmp_path)


_MRID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def members(model: Import, names: dict[bytes, bytes]) -> list[bytes]:
    """All that was derived, member by member, with every mRID by its new name, in an order that no name decides."""
    told: list[bytes] = []
    for each in (*model.feeders, *model.electrical):
        for name in each.__struct_fields__:
            value = getattr(each, name)
            for member in value if isinstance(value, tuple) else (value,):
                text = json.encode((type(each).__name__, name, member))
                told.append(_MRID.sub(lambda found: names.get(found[0], found[0]), text))
    return sorted(told)


def test_the_town_in_another_order_and_under_other_mrids_is_the_same_town(drawing: bytes, town: Import) -> None:
    root = etree.fromstring(drawing)
    elements = list(root)
    Random(7).shuffle(elements)
    root[:] = elements
    names = {each: str(uuid5(NAMESPACE_OID, each.decode())).encode() for each in set(_MRID.findall(drawing))}
    other = imported(_MRID.sub(lambda found: names[found[0]], etree.tostring(root)))
    assert (other.problems, other.findings) == ((), ())
    assert members(other, {}) == members(town, names)
