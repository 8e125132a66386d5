"""`busbar loadtest`: a small run on a deployment of its own, of which everything is read back."""

import json
from pathlib import Path

import yaml

from tests.system.conftest import Shell

SCENARIO = {
    "title": "A little of everything",
    "meters": 40,
    "duration_s": 3,
    "warm_up_s": 1,
    "drain_s": 40,
    "loads": [
        {"what": "day_blocks", "encoding": "compact", "per_message": 20, "per_s": 1500},
        {"what": "wave", "encoding": "xml", "per_message": 20, "per_s": 80, "first_day": 20},
        {"what": "gasps", "encoding": "json", "per_message": 2, "per_s": 14},
        {"what": "controls", "per_s": 4, "arrivals": "poisson"},
        {"what": "queries", "per_s": 4},
    ],
    # the machine of the test may be busy with others: what counts is that nothing is lost
    "lag_limit_ms": 5000,
}


def test_a_small_run_stores_everything_once_and_tells_what_it_cost(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(SCENARIO))
    kept = tmp_path / "results"
    done = shell.call("loadtest", "run", str(file), "--json", "--results", str(kept), timeout_s=120)
    result = json.loads(done.stdout)
    assert (result["lost"], result["doubled"], result["wrong"]) == (0, 0, 0), done.stderr
    [only] = result["rounds"]
    assert only["read_back"]["values"] >= 1500 * 3 + 40
    assert only["generator"]["reasons"] == []
    assert only["loads"]["controls"]["refused"] == only["loads"]["controls"]["unanswered"] == 0
    assert only["loads"]["gasps"]["messages"] == 20
    assert result["readings_per_s"] > 0
    assert only["raw_limit"]["pull_per_s"] > 0
    assert only["cost"]["loop_lag_p99_ms"]["meter-reading-and-control"] > 0
    assert only["cost"]["wal_bytes_per_reading"] > 0
    assert result["environment"]["sync_interval"] == "always"
    assert result["environment"]["postgres_synchronous_commit"] == "on"
    [page] = kept.glob("*.html")
    assert "<svg" in page.read_text()
    [raw] = kept.glob("*.json")
    compared = shell.call("loadtest", "compare", str(raw), str(raw), "--json")
    assert json.loads(compared.stdout)["verdict"] in {"the same", "not comparable"}
    told = json.loads(shell.call("loadtest", "history", "--json", "--results", str(kept)).stdout)
    assert [each["scenario"] for each in told] == ["small"]


def test_of_two_processes_on_one_stream_one_is_killed_and_each_reading_is_there_once(
    shell: Shell, tmp_path: Path
) -> None:
    told = {
        "title": "Two processes share the readings, and one of them is killed",
        "meters": 60,
        "duration_s": 4,
        "warm_up_s": 1,
        "loads": [
            {"what": "day_blocks", "encoding": "compact", "per_message": 5, "per_s": 15000},
            {"what": "wave", "encoding": "msgpack", "per_message": 5, "per_s": 150, "first_day": 30},
        ],
        "faults": [{"at_s": 2, "kill": "meter-reading-and-control-2"}],
        "lag_limit_ms": 5000,
    }
    file = tmp_path / "two.yaml"
    file.write_text(yaml.safe_dump(told))
    words = (str(file), "--processes", "2", "--no-raw-limits", "--json", "--results", str(tmp_path / "results"))
    done = shell.call("loadtest", "run", *words, timeout_s=120)
    result = json.loads(done.stdout)
    [only] = result["rounds"]
    assert (result["lost"], result["doubled"], result["wrong"], only["waiting"]) == (0, 0, 0, 0), done.stderr
    assert only["read_back"]["values"] >= 4 * (15000 + 150)
    assert only["cost"]["deaths"] == 1
    messages = sum(load["messages"] for load in only["loads"].values())
    assert 0 < only["cost"]["messages_taken"]["meter-reading-and-control"] < messages


def test_what_cannot_be_run_gets_a_sentence(shell: Shell) -> None:
    done = shell.call("loadtest", "run", "tea")
    assert done.returncode == 2
    assert "there is no scenario 'tea'" in done.stderr
    assert "Traceback" not in done.stderr
