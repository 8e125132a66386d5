"""Each rule of the shape, on a small tree that keeps all rules but one; and the tree of the project itself."""

from pathlib import Path

import pytest

from shared.tools.shape import Problem, check

ROOT = Path(__file__).parents[2]
OUTAGES = "services/outages"
CALLS = "services/calls"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two services, a kernel, contracts, tools: all as promised."""
    files = {
        "contracts/__init__.py": "",
        "contracts/message.py": "from contracts import verbs\nimport enum, msgspec\n",
        "contracts/verbs.py": "",
        "contracts/interface.py": "",
        "contracts/nouns/__init__.py": "",
        "contracts/nouns/outages.py": "from ..message import Message\n",
        "contracts/interfaces/__init__.py": "",
        "shared/__init__.py": "",
        "shared/service.py": "import asyncpg\nfrom contracts.interface import Interface\nfrom . import store\n",
        "shared/store.py": "from importlib import resources, util\nutil.find_spec('asyncpg')\n",
        "shared/tools/__init__.py": "",
        "shared/fleet/values.py": "import numpy\nfrom shared.fleet import chance\n",
        "shared/fleet/chance.py": "",
        "shared/tools/testing.py": "from contracts.nouns import outages\nfrom shared.service import Service\n",
        "loadtest/__init__.py": "from contracts.nouns import outages\nimport nats\n",
        "services/__init__.py": "",
        "services/__main__.py": (
            "import importlib\n\nimport loadtest\nimport shared.tools.testing\n"
            'importlib.import_module("services.outages.service")\n'
        ),
        "tests/unit/test_outages.py": "from services.outages import domain\nfrom shared.tools import testing\n",
        "tests/system/test_outages.py": "import nats\nfrom contracts.nouns import outages\n",
        f"{CALLS}/__init__.py": "",
        f"{CALLS}/README.md": "# Calls\n",
        f"{CALLS}/service.py": "",
        f"{OUTAGES}/__init__.py": "",
        f"{OUTAGES}/README.md": "# Outages\n",
        f"{OUTAGES}/service.py": SERVICE,
        f"{OUTAGES}/store.py": "from services.outages.domain import add\nfrom shared.store import Store\n",
        f"{OUTAGES}/views.py": "from services.outages import config\n",
        f"{OUTAGES}/config.py": "from . import domain\n",
        f"{OUTAGES}/domain.py": DOMAIN,
        f"{OUTAGES}/migrations/0001_outage.sql": "",
        f"{OUTAGES}/migrations/0002_call.sql": "",
    }
    for name, text in files.items():
        _write(tmp_path, name, text)
    return tmp_path


DOMAIN = '''"""A rule."""
from datetime import UTC, datetime
from itertools import count

import numpy as np
from contracts.nouns import outages


def add(now: datetime, open: bool, when: "Clocked") -> object:
    time = when.now
    return datetime.combine(now, time.hour), np.zeros(3), open, now.today, when.open(), datetime(2026, 1, 1, tzinfo=UTC)
'''

SERVICE = '''"""Handlers."""
import logging

from contracts.nouns import outages
from services.outages import domain, store, views
from shared.service import Service

service = Service(outages, store=store)
logging.getLogger("here").info("outside of a handler")


@service.on("create", outages)
async def take_call(message, work):
    """A call joins the outage; busbar.production.request is no subject here, nor is commit.

    What stands in the docstring is not counted.
    """
    outage = await work.store.outage(message.noun.mrid)
    # twenty-five lines of statements and no more, whatever comments and blank lines there are

    codes = ("3.26.9.185", "busbar.up", f"{outage.a}.{outage.b}.{outage.c}", "beginning")
{filling}
    return work.publish("created", outage)
'''.replace("{filling}", "\n".join(f"    line = {number}" for number in range(22)))


def _write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _handler(body: str, decorator: str = "@service.on('create', outages)") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"from contextlib import suppress\n\n\n{decorator}\nasync def take_call(message, work):\n{lines}"


def test_a_tree_that_keeps_all_rules_has_no_problem(tree: Path) -> None:
    assert check(tree) == []


def test_the_tree_of_the_project_keeps_all_rules() -> None:
    assert [str(problem) for problem in check(ROOT)] == []


@pytest.mark.parametrize(
    ("path", "statement", "target"),
    [
        ("contracts/nouns/outages.py", "import lxml.etree", "lxml.etree"),
        ("contracts/verbs.py", "from shared import store", "shared.store"),
        ("contracts/verbs.py", "def late():\n    from ..shared import store", "..shared"),
        ("shared/service.py", "from contracts import interfaces", "contracts.interfaces"),
        ("shared/service.py", "from contracts.nouns.outages import X", "contracts.nouns.outages"),
        ("shared/service.py", "import contracts", "contracts"),
        ("shared/service.py", "from contracts import *", "contracts"),
        ("shared/service.py", "from .tools import testing", "shared.tools.testing"),
        ("shared/service.py", "from services.outages import domain", "services.outages.domain"),
        ("shared/fleet/values.py", "from shared.store import Store", "shared.store"),
        ("shared/fleet/values.py", "import random", "random"),
        ("shared/tools/testing.py", "import services.outages.store", "services.outages.store"),
        ("shared/tools/testing.py", "import services.__main__", "services.__main__"),
        ("shared/tools/testing.py", "from services import __main__", "services.__main__"),
        ("loadtest/__init__.py", "import services.outages.service", "services.outages.service"),
        ("tests/system/test_outages.py", "from shared import service", "shared.service"),
        ("tests/system/test_outages.py", "from services.outages import domain", "services.outages.domain"),
        ("tests/unit/test_outages.py", "from services.__main__ import main", "services.__main__"),
        ("services/__init__.py", "from services.outages import service", "services.outages.service"),
        ("services/__main__.py", "import tests.unit.test_outages", "tests.unit.test_outages"),
        (f"{CALLS}/service.py", "from services.outages import domain", "services.outages.domain"),
        (f"{CALLS}/service.py", "from ..outages.store import Store", "services.outages.store"),
        (f"{CALLS}/service.py", "import services.outages", "services.outages"),
        (f"{CALLS}/service.py", "from shared.tools import testing", "shared.tools.testing"),
        (f"{CALLS}/service.py", "import loadtest", "loadtest"),
        (f"{CALLS}/__init__.py", "from services.calls import service", "services.calls.service"),
        (f"{OUTAGES}/store.py", "from . import service", "services.outages.service"),
        (f"{OUTAGES}/store.py", "import services.outages.views", "services.outages.views"),
        (f"{OUTAGES}/config.py", "from services.outages.store import X", "services.outages.store"),
        (f"{OUTAGES}/domain.py", "from services.outages import config", "services.outages.config"),
        (f"{OUTAGES}/domain.py", "from services.calls import service", "services.calls.service"),
        (f"{OUTAGES}/domain.py", "from shared.service import Service", "shared.service"),
        (f"{OUTAGES}/domain.py", "import random", "random"),
        (f"{OUTAGES}/domain.py", "def late():\n    import logging", "logging"),
        (f"{OUTAGES}/domain.py", "import numpy.random", "numpy.random"),
        (f"{OUTAGES}/domain.py", "import importlib", "importlib"),
    ],
)
def test_an_import_against_the_rules_is_found(tree: Path, path: str, statement: str, target: str) -> None:
    _append(tree, path, statement)
    (problem,) = check(tree)
    assert problem.path == path
    assert problem.sentence.startswith(f"imports {target}: ")
    assert problem.line == len((tree / path).read_text().splitlines())


@pytest.mark.parametrize(
    "statement",
    [
        "__import__('contracts.nouns')",
        "load = __import__",
        "import importlib; importlib.import_module('contracts.nouns')",
        "import importlib as loader; loader.import_module(name)",
        "from importlib import import_module; import_module('contracts.nouns')",
        "from importlib import import_module as load; load(name)",
        "import importlib.resources; importlib.import_module('contracts.nouns')",
        "from importlib import util; util.spec_from_file_location('nouns', path)",
        "from importlib import machinery",
        "import runpy",
        "import pkgutil",
    ],
)
def test_an_import_made_at_run_time_is_found(tree: Path, statement: str) -> None:
    _append(tree, "shared/store.py", statement)
    (problem,) = check(tree)
    assert problem.path == "shared/store.py"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("datetime.now(UTC)", "is told the time"),
        ("field(default_factory=datetime.utcnow)", "is told the time"),
        ("date.today()", "is told the time"),
        ("clock.now()", "is told the time"),
        ("time.monotonic()", "is told the time"),
        ("open('model.xml')", "reads and writes nothing"),
        ("print('here')", "reads and writes nothing"),
        ("map(print, ())", "reads and writes nothing"),
        ("input()", "reads and writes nothing"),
        ("eval('1')", "reads and writes nothing"),
        ("exec('1')", "reads and writes nothing"),
        ("np.load('model.npy')", "reads and writes nothing"),
        ("uuid4()", "is told identifiers"),
        ("np.random.default_rng()", "is given its chance as values"),
    ],
)
def test_a_domain_module_that_does_more_than_compute_is_found(tree: Path, expression: str, reason: str) -> None:
    _append(tree, f"{OUTAGES}/domain.py", expression)
    (problem,) = check(tree)
    assert problem.path == f"{OUTAGES}/domain.py"
    assert problem.sentence.endswith(reason)


def test_a_module_of_the_fleet_is_judged_as_a_domain_module(tree: Path) -> None:
    _write(tree, "shared/fleet/values.py", "from datetime import date\n\nTODAY = date.today()\n")
    (problem,) = check(tree)
    assert (problem.path, problem.line) == ("shared/fleet/values.py", 3)


def test_a_module_of_a_domain_package_is_judged_as_a_domain_module(tree: Path) -> None:
    _write(tree, f"{CALLS}/domain/__init__.py", "from services.calls.domain import votes\n")
    _write(tree, f"{CALLS}/domain/votes.py", "import time\n")
    (problem,) = check(tree)
    assert (problem.path, problem.line) == (f"{CALLS}/domain/votes.py", 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("try:\n    pass\nfinally:\n    pass", "has a try"),
        ("with suppress(ValueError):\n    pass", "suppresses errors"),
        ("logging.info('here')", "logs by"),
        ("_LOGGER.warning('here')", "logs by"),
        ("work.log.warning('here')", "logs by"),
        ("print('here')", "logs by"),
        ("async with work.store.transaction():\n    pass", "says 'transaction'"),
        ("await work.store.commit()", "says 'commit'"),
        ("await work.store.execute('ROLLBACK TO before')", "says 'ROLLBACK TO before'"),
        ("work.say('busbar.production.clock')", "spells the subject"),
        ("work.say(f'busbar.{work.context}.clock')", "spells the subject"),
        ("work.say(f'{work.root}.{work.context}.event.outage')", "spells the subject"),
        ("\n".join(f"line = {number}" for number in range(26)), "has 26 lines of statements"),
    ],
)
def test_a_handler_that_does_what_is_not_its_own_is_found(tree: Path, body: str, reason: str) -> None:
    _write(tree, f"{CALLS}/service.py", _handler(body))
    (problem,) = check(tree)
    assert problem.path == f"{CALLS}/service.py"
    assert problem.sentence.startswith(f"handler take_call {reason}")


@pytest.mark.parametrize(
    "decorator", ["@service.on_reply(1, 2)", "@service.on_wake('predict')", "@service.on_batch(1)"]
)
def test_a_handler_of_each_kind_is_judged(tree: Path, decorator: str) -> None:
    _write(tree, f"{CALLS}/service.py", _handler("print('here')", decorator))
    assert len(check(tree)) == 1


def test_a_handler_of_a_service_under_another_name_is_judged(tree: Path) -> None:
    text = "from shared.service import Service\n\ncalls = Service()\n" + _handler("print('here')", "@calls.on(1, 2)")
    _write(tree, f"{CALLS}/service.py", text)
    assert len(check(tree)) == 1


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "base", "manager", "misc", "outage_manager"])
def test_a_name_that_says_nothing_is_found(tree: Path, name: str) -> None:
    _write(tree, f"shared/{name}.py", "")
    (problem,) = check(tree)
    assert problem.path == f"shared/{name}.py"


def test_a_folder_whose_name_says_nothing_is_found(tree: Path) -> None:
    _write(tree, "infra/common/database_management.yaml", "")
    assert [problem.path for problem in check(tree)] == ["infra/common"]


@pytest.mark.parametrize(
    ("name", "path", "sentence"),
    [
        (f"{CALLS}/rules.py", f"{CALLS}/rules.py", "is not on the list"),
        (f"{CALLS}/routes/pages.py", f"{CALLS}/routes", "is not on the list"),
        (f"{OUTAGES}/domain/call.py", f"{OUTAGES}/domain", "stands beside domain.py"),
        ("services/calls.py", "services/calls.py", "lies beside the services"),
        (f"{OUTAGES}/migrations/0004_crew.sql", f"{OUTAGES}/migrations/0004_crew.sql", "has the number 0004"),
        (f"{OUTAGES}/migrations/0002_again.sql", f"{OUTAGES}/migrations/0002_call.sql", "has the number 0002"),
        (f"{OUTAGES}/migrations/3_crew.sql", f"{OUTAGES}/migrations/3_crew.sql", "is not named"),
        (f"{CALLS}/migrations/0002_call.sql", f"{CALLS}/migrations/0002_call.sql", "has the number 0002"),
    ],
)
def test_a_file_out_of_the_shape_of_a_service_is_found(tree: Path, name: str, path: str, sentence: str) -> None:
    _write(tree, name, "")
    (problem,) = check(tree)
    assert problem.path == path
    assert problem.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("README.md", "has no README.md"), ("service.py", "has no service.py and no package service")],
)
def test_a_service_without_a_file_that_all_have_is_found(tree: Path, missing: str, sentence: str) -> None:
    (tree / CALLS / missing).unlink()
    assert check(tree) == [Problem(CALLS, 0, sentence)]


def test_the_handlers_of_a_service_may_be_a_package(tree: Path) -> None:
    (tree / CALLS / "service.py").rename(tree / CALLS / "taken.py")
    _write(tree, f"{CALLS}/service/calls.py", (tree / CALLS / "taken.py").read_text(encoding="utf-8"))
    (tree / CALLS / "taken.py").unlink()
    assert check(tree) == []


def test_gateway_and_console_may_hold_pages(tree: Path) -> None:
    for name in ("README.md", "service.py", "routes/rest.py", "web/index.html"):
        _write(tree, f"services/console/{name}", "")
    assert check(tree) == []


def test_a_readme_of_a_service_has_at_most_forty_lines(tree: Path) -> None:
    _write(tree, f"{CALLS}/README.md", "line\n" * 40)
    assert check(tree) == []
    _write(tree, f"{CALLS}/README.md", "line\n" * 41)
    (problem,) = check(tree)
    assert (problem.path, problem.line) == (f"{CALLS}/README.md", 41)


def test_a_file_of_more_than_four_hundred_lines_says_why(tree: Path) -> None:
    _write(tree, "shared/long.py", '"""A list."""\n' + "x = 1\n" * 399)
    assert check(tree) == []
    _write(tree, "shared/long.py", '"""A list."""\n' + "x = 1\n" * 400)
    (problem,) = check(tree)
    assert problem.path == "shared/long.py"
    _write(
        tree, "shared/long.py", '"""A list.\n\nLonger than 400\nlines because it is one list."""\n' + "x = 1\n" * 400
    )
    assert check(tree) == []


def test_a_file_that_is_not_python_is_found(tree: Path) -> None:
    _write(tree, "shared/broken.py", "\ndef (\n")
    (problem,) = check(tree)
    assert str(problem).startswith("shared/broken.py:2: cannot be read as Python")


def _append(tree: Path, path: str, text: str) -> None:
    file = tree / path
    file.write_text(f"{file.read_text()}{text}\n", encoding="utf-8")
