"""The story of a fault, found again by its thread; and told again where it does no harm."""

import json
import signal
from xml.etree.ElementTree import fromstring

from tests.system.conftest import Shell

TRAINING = ("--context", "training")


def test_one_thread_tells_a_fault_over_seven_services_in_order_and_every_chain_is_sound(shell: Shell) -> None:
    storm = shell.start("storm", "--json", "--network", "harbour", "--seed", "4", "--stay")
    assert storm.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] != "}\n":
        lines.append(storm.stdout.readline())
    (thread, *_) = json.loads("".join(lines))["threads"]

    told = shell.call("history", thread, *TRAINING, "--json", "--raw")
    assert told.returncode == 0, told.stderr
    records = json.loads(told.stdout)
    assert len({record["source"] for record in records}) >= 7
    assert [record["storedDateTime"] for record in records] == sorted(record["storedDateTime"] for record in records)
    field = [each for each in records if each["lane"] != "journal" and each["noun"] != "TrainingScenarios"]
    begun = field[0]
    assert (begun["source"], begun["noun"]) == ("head-end", "EndDeviceEvents")
    ended = [(each["source"], each["verb"], each["noun"]) for each in field[-4:]]
    assert ("fault-management", "closed", "UnplannedOutages") in ended
    assert ("customer-management", "closed", "IncidentInformation") in ended
    for record in records:
        if record.get("body"):
            assert fromstring(record["body"]).tag.endswith("Message")
    asked = [(record["source"], record["verb"], record["noun"]) for record in records if record["lane"] == "journal"]
    assert ("fault-management", "create", "WorkRequests") in asked

    note = shell.state / "heads.json"
    assert shell.call("audit", "verify", *TRAINING, "--note", str(note)).returncode == 0
    again = shell.call("audit", "verify", *TRAINING, "--against", str(note), "--json")
    assert again.returncode == 0, again.stdout
    assert sum(report["records"] for report in json.loads(again.stdout)) > len(records)
    into = shell.call("replay", "--into", "production", *TRAINING)
    assert into.returncode == 1
    assert "is not told again in production" in into.stderr
    storm.send_signal(signal.SIGINT)
    storm.communicate(timeout=30)
