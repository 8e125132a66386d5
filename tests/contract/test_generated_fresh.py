"""What is generated is fresh, what belongs to a contract is there, and what breaks a promise is found."""

import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.catalogue import ROLES
from contracts.interface import Catalogue, Exchange, Interface
from contracts.interfaces.work_management import WORK_MANAGEMENT
from contracts.nouns.get_work_requests import GetWorkRequests
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb
from shared.tools.cli.contracts import contracts, problems
from shared.tools.generate import generated, write
from shared.tools.generate.breaks import Contracts, breaks, breaks_since

ROOT = Path(__file__).resolve().parents[2]


def test_all_that_is_generated_is_fresh_and_all_that_belongs_to_a_contract_is_there() -> None:
    assert problems(ROOT, ROLES) == []


# A small catalogue of one role, with everything that belongs to it.

NOUNS = (WorkRequests, MaintenanceOrders, GetWorkRequests)
ROLE = Interface(
    role="work-management",
    title=WORK_MANAGEMENT.title,
    part=WORK_MANAGEMENT.part,
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=WorkRequests),
        Exchange(verb=Verb.GET, noun=WorkRequests, query=GetWorkRequests),
    ),
)
SMALL = Catalogue(NOUNS, [ROLE])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("tests/contract/wire_order.txt", "docs/standards.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for verb in ("create", "get", "reply"):
        for encoding in ("xml", "json"):
            name = f"contracts/examples/WorkRequests/{verb}.{encoding}"
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    write(tmp_path, SMALL)
    assert problems(tmp_path, SMALL) == []
    return tmp_path


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace("WorkRequests", "WorkOrders", 1))


def without_lines_of(word: str) -> Callable[[Path], None]:
    def strip(path: Path) -> None:
        kept = [line for line in path.read_text().splitlines() if not line.startswith(word)]
        path.write_text("\n".join(kept))

    return strip


def add(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<made/>")


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("contracts/schemas/xsd/WorkRequests.xsd", edit, "is not what the contracts generate"),
        ("contracts/schemas/json/WorkRequests.json", edit, "is not what the contracts generate"),
        ("contracts/interfaces/README.md", edit, "is not what the contracts generate"),
        ("contracts/schemas/asyncapi.yaml", Path.unlink, "is missing"),
        ("contracts/schemas/xsd/Parcels.xsd", add, "belongs to no noun"),
        (
            "contracts/examples/WorkRequests/get.xml",
            Path.unlink,
            "'get WorkRequests' is served or told and has no example",
        ),
        ("contracts/examples/WorkRequests/reply.json", Path.unlink, "'reply WorkRequests' is served or told"),
        ("contracts/examples/WorkRequests/closed.xml", add, "is an example of nothing that any role serves or tells"),
        ("contracts/examples/Parcels/create.xml", add, "is an example of nothing that any role serves or tells"),
        ("tests/contract/wire_order.txt", without_lines_of("work_requests"), "WorkRequests has no lines in tests/"),
        ("docs/standards.md", without_lines_of("| WorkRequests "), "WorkRequests has no line in docs/standards.md"),
    ],
)
def test_what_is_not_as_it_must_be_is_told_in_one_sentence(
    tree: Path, name: str, change: Callable[[Path], None], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(tree / name)
    assert contracts(tree, SMALL, check=True, against=None) == 1
    told, count, _ = capsys.readouterr().out.split("\n")
    assert sentence in told
    assert Path(name).name in told
    assert count == "1 problems."


def test_writing_makes_fresh_what_was_edited_and_removes_what_nothing_generates(tree: Path) -> None:
    edit(tree / "contracts/schemas/xsd/WorkRequests.xsd")
    add(tree / "contracts/schemas/xsd/Parcels.xsd")
    assert write(tree, SMALL) == [
        "rewrote contracts/schemas/xsd/WorkRequests.xsd",
        "removed contracts/schemas/xsd/Parcels.xsd",
    ]
    assert problems(tree, SMALL) == []
    assert write(tree, SMALL) == []


# What a change breaks.

BEFORE = Contracts.of(generated(SMALL))


def changed(noun: str, change: Callable[[Any], None], revision: int = 2) -> list[str]:
    """What is broken when the schema of ``noun`` is changed, and the role says so by its revision."""
    schemas = {**BEFORE.schemas, noun: deepcopy(BEFORE.schemas[noun])}
    change(schemas[noun])
    return list(breaks(BEFORE, Contracts({ROLE.role: revision}, BEFORE.promises, schemas)))


def element(schema: Any, name: str = "WorkRequest") -> Any:
    return schema["$defs"][name]


def without_an_element(schema: Any) -> None:
    del element(schema)["properties"]["Organisation"]


def with_another_name(schema: Any) -> None:
    properties = element(schema)["properties"]
    element(schema)["properties"] = {
        ("Caller" if name == "Organisation" else name): held for name, held in properties.items()
    }


def in_another_order(schema: Any) -> None:
    element(schema)["properties"] = dict(reversed(element(schema)["properties"].items()))


def with_a_mandatory_element(schema: Any) -> None:
    element(schema)["properties"]["colour"] = {"type": "string"}
    element(schema)["required"] = [*element(schema).get("required", ()), "colour"]


def with_an_optional_element(schema: Any) -> None:
    element(schema)["properties"]["colour"] = {"type": "string"}


def with_numbers_for_texts(schema: Any) -> None:
    element(schema)["properties"]["mRID"] = {"type": "integer"}


def with_short_texts(schema: Any) -> None:
    element(schema)["properties"]["mRID"]["maxLength"] = 36


def with_few_texts(schema: Any) -> None:
    element(schema)["properties"]["mRID"] = {"enum": ["a", "b"]}


def in_another_namespace(schema: Any) -> None:
    schema["xml"]["namespace"] += "2"


def enumeration(schema: Any) -> Any:
    return next(held["enum"] for held in schema["$defs"].values() if "enum" in held)


def with_a_value_less(schema: Any) -> None:
    enumeration(schema).pop()


def with_a_value_more(schema: Any) -> None:
    enumeration(schema).append("colourful")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_an_element, "Organisation was removed or renamed"),
        (with_another_name, "Organisation was removed or renamed"),
        (in_another_order, "stand in another order"),
        (with_a_mandatory_element, "colour became mandatory"),
        (with_numbers_for_texts, "mRID was of the type string and is of the type integer"),
        (with_short_texts, "mRID is narrower: its maxLength was not set and is 36"),
        (with_few_texts, "mRID takes nothing but the values of an enumeration any more"),
        (with_a_value_less, "has lost the value"),
        (in_another_namespace, "WorkRequests has another namespace"),
    ],
)
def test_a_break_is_found_and_is_allowed_two_revisions_later(change: Callable[[Any], None], sentence: str) -> None:
    (found,) = changed("WorkRequests", change)
    assert sentence in found
    assert found.endswith("; work-management was at revision 1 and is at 2")
    assert changed("WorkRequests", change, revision=3) == []


@pytest.mark.parametrize("change", [with_an_optional_element, with_a_value_more])
def test_an_addition_breaks_nothing(change: Callable[[Any], None]) -> None:
    assert changed("WorkRequests", change, revision=1) == []


def test_a_get_profile_and_the_envelope_are_held_to_the_same() -> None:
    def take_away(schema: Any) -> None:
        del element(schema, "Header")["properties"]["Comment"]

    def narrow(schema: Any) -> None:
        del element(schema, "GetWorkRequests")["properties"]["Work"]

    assert changed("Message", take_away)[0].startswith("Message/")
    assert changed("GetWorkRequests", narrow)[0].startswith("GetWorkRequests/Work was removed")


def test_a_noun_that_nobody_serves_or_tells_is_not_promised_yet() -> None:
    def take_away(schema: Any) -> None:
        del element(schema, "MaintenanceOrder")["properties"]["mRID"]

    assert changed("MaintenanceOrders", take_away) == []


@pytest.mark.parametrize(
    ("serves", "sentence"),
    [
        (ROLE.serves[:1], "work-management no longer serves 'get WorkRequests' by request; "),
        (ROLE.serves[1:], "work-management no longer serves 'create WorkRequests' by "),
        (
            (ROLE.serves[0], Exchange(verb=Verb.GET, noun=WorkRequests)),
            "work-management no longer serves 'get WorkRequests' by request with GetWorkRequests; ",
        ),
    ],
)
def test_git_has_the_older_contracts(tree: Path, serves: tuple[Exchange, ...], sentence: str) -> None:
    def git(*words: str) -> None:
        author = ("-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tree), *author, *words], check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "the contracts as they are")
    git("tag", "v1")
    assert breaks_since("v1", tree, SMALL) == []
    for revision, broken in ((1, True), (2, True), (3, False)):
        after = Catalogue(NOUNS, [replace(ROLE, serves=serves, revision=str(revision))])
        found = breaks_since("v1", tree, after)
        assert bool(found) is broken
        assert all(each.startswith(sentence) for each in found)
    assert contracts(tree, Catalogue(NOUNS, [replace(ROLE, serves=())]), check=False, against="v1") == 1
    with pytest.raises(ValueError, match="git knows no revision 'v2'"):
        breaks_since("v2", tree, SMALL)


def test_a_revision_without_schemas_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="git knows no revision 'HEAD'"):
        breaks_since("HEAD", tmp_path, SMALL)


def test_a_story_that_no_interface_allows_is_not_drawn(tree: Path) -> None:
    (tree / "docs/architecture.md").write_text("a page", encoding="utf-8")
    with pytest.raises(ValueError, match="no interface lets head-end say created EndDeviceEvents"):
        write(tree, SMALL)
