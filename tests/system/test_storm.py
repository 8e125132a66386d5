"""One fault on a whole DMS: what a newcomer sees first, and a sceptic tries to break."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import Shell, folder_of_its_own

ROLES = (
    "network-model-management",
    "network-operation",
    "meter-reading-and-control",
    "fault-management",
    "work-management",
    "compliance-management",
    "asset-management",
    "emergency-simulation",
)


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The storm of seed 4 in which nothing is struck and nobody is away."""
    with folder_of_its_own() as shell:
        return shell.storm("--seed", "4")


def test_one_fault_is_found_repaired_and_everybody_has_power_again(shell: Shell, network: str) -> None:
    report = shell.storm("--faults", "1", "--network", network)
    assert report["matched"] == 1
    assert report["customers_dark_at_end"] == 0
    assert report["customers_interrupted"] > 0
    assert report["alarms"]["trips"] <= 1, "one fault is at most one alarm of protection"
    states = [line["state"] for line in report["outages"] if line["state"] != "MOMENTARY"]
    assert states[0] in {"SUSPECTED", "CONFIRMED"}
    assert states[-3:] == ["RESTORED", "VERIFIED", "CLOSED"]


def test_a_network_that_was_made_for_power_flow_is_equipped_and_its_storm_ends_well(shell: Shell) -> None:
    pytest.importorskip("pandapower")
    report = shell.storm("--faults", "2", "--seed", "7", "--network", "mv_oberrhein", timeout_s=240)
    assert (report["matched"], report["customers_dark_at_end"], report["messages_lost"]) == (2, 0, 0)
    assert (report["effects_doubled"], report["sequence_gaps"]) == (0, 0)
    assert report["equipped"]["UsagePoint"] == report["truth"]["customers_served"]
    assert report["truth"]["customer_minutes"] > 0
    assert report["ledger"] == pytest.approx(report["truth"])


def test_the_same_seed_gives_the_same_outages_in_one_process_and_in_many(shell: Shell, network: str) -> None:
    """What is said of two feeders at one instant may be said of either first; nothing else may differ."""
    alone = shell.storm("--seed", "5", "--network", network)
    again = shell.storm("--seed", "5", "--network", network)
    apart = shell.storm("--seed", "5", "--network", network, "--isolate")
    for other in (again, apart):
        assert _essence(other) == _essence(alone)
        assert (other["truth"], other["ledger"]) == (alone["truth"], alone["ledger"])
    assert again["granted_s"] == alone["granted_s"]
    lasting = [[line for line in report["outages"] if line["state"] == "CLOSED"] for report in (alone, again)]
    assert lasting[0] == lasting[1]


def test_another_seed_gives_another_storm(shell: Shell) -> None:
    assert shell.storm("--seed", "1")["granted_s"] != shell.storm("--seed", "2")["granted_s"]


def test_without_work_management_the_storm_waits_unharmed_and_goes_on_when_it_joins(
    shell: Shell, undisturbed: dict[str, Any]
) -> None:
    storm = shell.start("storm", "--json", "--network", "harbour", "--seed", "4", "--without", "work-management")
    assert storm.stderr is not None
    assert any("stands still; away: work-management" in line for line in storm.stderr)
    time.sleep(3)
    assert storm.poll() is None
    joined = shell.start("run", "work-management")
    out, err = storm.communicate(timeout=60)
    assert storm.returncode == 0, err[-3000:]
    report = json.loads(out)
    assert (report["matched"], report["customers_dark_at_end"]) == (1, 0)
    joined.send_signal(signal.SIGTERM)
    joined.communicate(timeout=20)
    assert _essence(report) == _essence(undisturbed)


def test_a_storm_in_which_every_service_is_killed_ends_as_one_in_which_none_is(
    shell: Shell, undisturbed: dict[str, Any]
) -> None:
    storm = shell.start("storm", "--json", "--network", "harbour", "--seed", "4", "--isolate")
    killed = 0
    for role in ROLES:
        _wait_for_log(shell, role, "running")
        time.sleep(0.3)
        killed += shell.kill(role)
    out, err = storm.communicate(timeout=120)
    assert storm.returncode == 0, err[-3000:]
    assert killed == len(ROLES)
    print(f"killed {killed} services")
    assert _essence(json.loads(out)) == _essence(undisturbed)


@pytest.mark.parametrize("chaos", ["freeze", "nats", "postgres"])
def test_a_storm_in_which_the_machinery_is_struck_ends_as_one_in_which_it_is_not(
    shell: Shell, undisturbed: dict[str, Any], chaos: str, tmp_path: Path
) -> None:
    struck = shell.storm("--seed", "4", "--chaos", chaos, "--report", str(tmp_path), timeout_s=240)
    assert struck["blows"], "somebody was struck, and answered again"
    assert {blow["kind"] for blow in struck["blows"]} == {chaos}
    assert f"{len(struck['blows'])} blows ({chaos}) to" in (tmp_path / "storm.html").read_text()
    assert _essence(struck) == _essence(undisturbed)
    assert (struck["truth"], struck["ledger"]) == (undisturbed["truth"], undisturbed["ledger"])
    assert (struck["messages_lost"], struck["effects_doubled"], struck["sequence_gaps"]) == (0, 0, 0)


def test_a_storm_beside_what_is_up_leaves_production_alone(shell: Shell) -> None:
    up = shell.start("up")
    assert up.stdout is not None
    line = up.stdout.readline()
    assert line.startswith("Ready"), line
    note = json.loads((shell.state / "up.json").read_text())
    assert (shell.state / "up.json").stat().st_mode & 0o777 == 0o600
    assert set(note["contexts"]) == {"production"}
    assert shell.storm("--seed", "4")["matched"] == 1
    outages = shell.call("send", "get", "UnplannedOutages", "--json")
    assert outages.returncode == 0, outages.stderr
    reply = json.loads(outages.stdout)["ResponseMessage"]
    assert reply["Reply"]["Result"] == "OK"
    assert not reply.get("Payload", {}).get("UnplannedOutages", {}).get("UnplannedOutage")
    up.send_signal(signal.SIGTERM)
    up.communicate(timeout=20)
    assert up.returncode == 0
    assert not (shell.state / "up.json").exists()


def test_what_was_imported_survives_a_restart(shell: Shell) -> None:
    first = json.loads(shell.call("network", "import", "harbour", "--json").stdout)
    listed = json.loads(shell.call("network", "list", "--json").stdout)
    assert [model["mRID"] for model in listed] == [first["mRID"]]


def test_the_tree_and_its_contracts_are_in_order(shell: Shell) -> None:
    checked = shell.call("check")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "no-such-role"], "no service takes the role 'no-such-role'"),
        (["storm", "--network", "/no/such/file.xml"], "there is no file '/no/such/file.xml'"),
    ],
)
def test_a_wrong_word_gets_a_sentence_and_no_traceback(shell: Shell, words: list[str], sentence: str) -> None:
    done = shell.call(*words)
    assert done.returncode in {1, 2}
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def _essence(report: dict[str, Any]) -> tuple[object, ...]:
    """What a pause may not change: which devices, whom, and how it ended."""
    devices = tuple(dict.fromkeys(line["device"] for line in report["outages"] if line["device"]))
    return (devices, report["matched"], report["customers_interrupted"], report["customers_dark_at_end"])


def _wait_for_log(shell: Shell, role: str, word: str) -> None:
    file = shell.wait_for(f"logs/training-{role}.log")
    deadline = time.monotonic() + 30
    while word not in file.read_text():
        assert time.monotonic() < deadline, f"{role} never said '{word}'"
        time.sleep(0.05)
