"""The page about metering names, for each scenario of its guide, tests that are there."""

import re
from pathlib import Path

import contracts

ROOT = Path(contracts.__file__).parents[1]
ROWS = re.findall(r"^\| (\d+)[ ,].*? \| (.*) \|$", (ROOT / "docs" / "metering.md").read_text(), re.MULTILINE)


def test_each_scenario_from_1_to_19_has_a_row_and_the_tests_that_it_names_are_in_the_files_that_it_names() -> None:
    rows = {int(number): text for number, text in ROWS if "`test_" in text}
    assert set(range(1, 20)) <= rows.keys()
    for number, text in rows.items():
        files = {path.name: path.read_text() for path in (ROOT / "tests").glob("*/test_*.py")}
        there = "".join(files[name] for name in re.findall(r"`(test_\w+\.py)`", text))
        tests = re.findall(r"`(test_\w+?)(?:_…)?`", text)
        assert tests, number
        assert [name for name in tests if f"def {name}" not in there] == [], number
