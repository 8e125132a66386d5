"""A folder of messages goes in by the doors that a utility's own systems use: once, whatever happens on the way."""

import json
import signal
import time
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tests.system.conftest import Shell

REQUEST = """<RequestMessage xmlns="http://iec.ch/TC57/2011/schema/message">
  <Header><Verb>{verb}</Verb><Noun>WorkRequests</Noun>{message_id}</Header>
  <Payload><WorkRequests xmlns="http://iec.ch/TC57/2015/WorkRequests#"><WorkRequest>
    <mRID>{mrid}</mRID>
    <Work><mRID>{mrid}-work</mRID><kind>inspection</kind>
      <WorkTasks><mRID>{mrid}-task</mRID><Assets><mRID>pole</mRID></Assets></WorkTasks></Work>
  </WorkRequest></WorkRequests></Payload>
</RequestMessage>
"""


def write(folder: Path, count: int) -> None:
    """Requests for work in ten waves; every second one has no MessageID of its own."""
    for number in range(count):
        mrid = str(uuid5(NAMESPACE_OID, f"request {number}"))
        message_id = f"<MessageID>{uuid5(NAMESPACE_OID, mrid)}</MessageID>" if number % 2 else ""
        text = REQUEST.format(verb="create", mrid=mrid, message_id=message_id)
        (folder / f"{number % 10:03}-request-{number:03}.xml").write_text(text)


def loaded(shell: Shell, folder: Path) -> tuple[int, dict[str, Any]]:
    done = shell.call("load", str(folder), "--json")
    return done.returncode, json.loads(done.stdout)


def requests_known(shell: Shell) -> list[str]:
    told = json.loads(shell.call("send", "get", "WorkRequests", "--json").stdout)
    return [each["mRID"] for each in told["ResponseMessage"]["Payload"]["WorkRequests"]["WorkRequest"]]


def test_a_folder_loaded_twice_and_broken_off_between_has_every_effect_once(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, 120)
    up = shell.start("up")
    assert up.stdout is not None
    assert up.stdout.readline().startswith("Ready")
    broken = shell.start("load", str(tmp_path), "--parallel", "1")
    deadline = time.monotonic() + 60
    while "WorkRequest" not in shell.call("send", "get", "WorkRequests", "--json").stdout:
        assert time.monotonic() < deadline
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    code, report = loaded(shell, tmp_path)
    assert (code, report["accepted"], report["refused"]) == (0, 120, [])
    assert report["objects"] == 120
    assert report["messages_per_s"] > 0
    known = requests_known(shell)
    assert (len(known), len(set(known))) == (120, 120)
    code, again = loaded(shell, tmp_path)
    assert (code, again["accepted"], again["refused"]) == (0, 120, [])
    assert sorted(requests_known(shell)) == sorted(known)


def test_what_is_refused_is_named_with_its_file_its_code_and_its_reason(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, 2)
    (tmp_path / "900-broken.xml").write_text("<RequestMessage")
    event = REQUEST.format(verb="created", mrid="x", message_id="").replace("RequestMessage", "EventMessage")
    (tmp_path / "901-event.xml").write_text(event)
    (tmp_path / "902-nobody.xml").write_text(REQUEST.format(verb="delete", mrid="x", message_id=""))
    code, report = loaded(shell, tmp_path)
    assert (code, report["messages"], report["accepted"]) == (1, 5, 2)
    refused = {refusal["file"]: refusal for refusal in report["refused"]}
    assert set(refused) == {"900-broken.xml", "901-event.xml", "902-nobody.xml"}
    assert refused["900-broken.xml"]["code"] == "1.8"
    assert "only requests that change something" in refused["901-event.xml"]["reason"]
    assert "served by nobody" in refused["902-nobody.xml"]["reason"]
    nowhere = shell.call("load", str(tmp_path / "nowhere"))
    assert nowhere.returncode == 1
    assert "there is no folder" in nowhere.stderr


def test_the_data_of_a_network_go_in_once_although_services_are_killed_in_the_middle(
    shell: Shell, tmp_path: Path
) -> None:
    up = shell.start("up", "--isolate", "--network", "harbour")
    assert up.stdout is not None
    assert up.stdout.readline().startswith("Ready")
    for kind in ("assets", "customers", "meters", "work"):
        assert shell.call("data", kind, str(tmp_path / kind)).returncode == 0
    for kind, role in (("customers", "customer-management"), ("meters", "meter-reading-and-control")):
        loading = shell.start("load", str(tmp_path / kind), "--json", "--parallel", "2")
        time.sleep(1.0)
        assert shell.kill(role) == 1
        out, err = loading.communicate(timeout=120)
        report = json.loads(out)
        assert (loading.returncode, report["refused"]) == (0, []), err
        assert report["accepted"] == report["messages"]
    points = len(list((tmp_path / "meters").glob("020-*")))
    assert points > 0
    assert created(shell, "MasterDataLinkageConfig") == points
    code, whole = loaded(shell, tmp_path)
    assert (code, whole["refused"], whole["accepted"]) == (0, [], whole["messages"])
    assert created(shell, "MasterDataLinkageConfig") == points
    assert created(shell, "CustomerConfig") == points


def created(shell: Shell, noun: str) -> int:
    """How many events of a noun the history has, once all have come that there are."""
    before = -1
    while True:
        told = json.loads(shell.call("history", "--noun", noun, "--lane", "general", "--json").stdout)
        if len(told) == before:
            return before
        before = len(told)
