"""Messages that were made to harm: each is refused, soon, and in little memory."""

import json
import pickle
import subprocess
import sys

import pytest

ENVELOPE = "http://iec.ch/TC57/2011/schema/message"
EVENTS = "http://iec.ch/TC57/2011/EndDeviceEvents#"
HEADER = "<Header><Verb>created</Verb><Noun>EndDeviceEvents</Noun></Header>"
MIB = 1 << 20

MOST_MEMORY = 160 * MIB
"""Beyond what the process has before it reads them all; 250,000 elements take about half of that."""

LONGEST_S = 10.0
"""Each takes well under a second on a machine that is not busy."""


def _event(inside: str, prolog: str = "", attributes: str = "") -> bytes:
    return f'{prolog}<EventMessage xmlns="{ENVELOPE}"{attributes}>{HEADER}{inside}</EventMessage>'.encode()


def _entities(*declared: str) -> str:
    return "<!DOCTYPE x [" + "".join(declared) + "]>"


HOSTILE = {
    "two million elements": (_event("<Payload>" + "<a/>" * 2_000_000 + "</Payload>"), "3.1", 9 * MIB),
    "elements to the limit": (_event("<Payload>" + "<a/>" * 249_000 + "</Payload>"), "1.8", MIB),
    "foreign elements to the limit": (
        _event("<Payload>" + '<a xmlns="u:x"/>' * 60_000 + '<b xmlns="u:x"><c>' + "</Payload>"),
        "1.8",
        MIB,
    ),
    "nine megabytes": (b"x" * 9 * MIB, "3.1", MIB),
    "billion laughs": (
        _event(
            "<Payload>&e9;</Payload>",
            _entities('<!ENTITY e0 "ha">', *(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))),
        ),
        "1.8",
        MIB,
    ),
    "quadratic entity": (
        _event("<Payload>" + "&e;" * 50_000 + "</Payload>", _entities(f'<!ENTITY e "{"a" * 100_000}">')),
        "1.8",
        MIB,
    ),
    "external entity": (
        _event("<Payload>&e;</Payload>", _entities('<!ENTITY e SYSTEM "file:///etc/passwd">')),
        "1.8",
        MIB,
    ),
    "external parameter entity": (
        _event("", _entities('<!ENTITY % e SYSTEM "http://127.0.0.1:9/e.dtd"> %e;')),
        "1.8",
        MIB,
    ),
    "document type behind comments": (_event("", "<!-- -->\n<!---->" * 1000 + "<!DOCTYPE x>"), "1.8", MIB),
    "comment without end": (b"<!--" + b"-" * MIB, "3.1", MIB),
    "comment of dashes": (b"<!--" + b"- " * (MIB // 2 - 8), "1.8", MIB),
    "many attributes": (_event("", attributes="".join(f' a{n}=""' for n in range(100_000))), "1.8", 2 * MIB),
    "many namespaces": (_event("<z/>", attributes="".join(f' xmlns:a{n}="u:{n}"' for n in range(40_000))), "1.8", MIB),
    "fragment of many namespaces": (
        _event(
            "<Payload><b:x "
            + "".join(f' xmlns:a{n}="u:{n}"' for n in range(20_000))
            + ' xmlns:b="u:b">'
            + "<b:y/>" * 20_000
            + "</b:x><z/></Payload>"
        ),
        "1.8",
        MIB,
    ),
    "fragment of many types": (
        _event(
            '<Payload><b:x xmlns:b="u:b" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
            + "".join(f'<b:y xmlns:a{n}="u:{n}" i:type="a{n}:t"/>' for n in range(5_000))
            + "</b:x></Payload>"
        ),
        "1.8",
        MIB,
    ),
    "deep nesting": (_event('<Payload><a xmlns="u:x">' + "<a>" * 100_000), "1.8", MIB),
    "long name": (_event(f"<{'a' * 100_000}/>"), "1.8", MIB),
    "long number": (_event(f"<Reply><operationId>{'9' * 900_000}</operationId></Reply>"), "1.8", MIB),
    "truncated": (_event("")[:-20], "1.8", MIB),
    "nothing": (b"", "1.8", MIB),
    "overlong utf-8": (_event("<Payload>\x00</Payload>").replace(b"\x00", b"\xc0\x80"), "1.8", MIB),
    "utf-7": (b'<?xml version="1.0" encoding="utf-7"?>+ADw-x+AD4-', "1.8", MIB),
    "ebcdic": ('<?xml version="1.0" encoding="cp037"?><x/>'.encode("cp037"), "1.8", MIB),
    "half of a utf-16 pair": (("\ufeff" + _event("").decode()).encode("utf-16-le") + b"\x00\xd8", "1.8", MIB),
    "style sheet": (_event("", '<?xml-stylesheet href="file:///etc/passwd"?>'), "1.8", MIB),
    "instruction behind the root": (_event("") + b"<?go?>", "1.8", MIB),
    "inclusion": (
        _event('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'),
        "1.8",
        MIB,
    ),
    "json: deep nesting": (b'{"EventMessage":' + b"[" * 500_000, "3.1", MIB),
    "json: deep nesting in an unknown field": (b'{"EventMessage":{"Header":{"a":' + b"[" * 200_000, "1.8", MIB),
    "json: many objects": (b'{"EventMessage":{"a":[' + b"{}," * 300_000, "3.1", MIB),
    "json: huge exponent": (b'{"EventMessage":{"Header":{"Verb":"get","Noun":1e999999999}}}', "1.8", MIB),
    "json: lone surrogate": (b'{"EventMessage":{"Header":{"Verb":"\\ud800"}}}', "1.8", MIB),
    "json: utf-16": ('{"EventMessage":{}}'.encode("utf-16"), "1.8", MIB),
    "json: many fragments": (
        b'{"EventMessage":{"Header":{"Verb":"created","Noun":"EndDeviceEvents","any":['
        + b",".join([b"\"<a xmlns='u:x'/>\""] * 30_000)
        + b',"<"]}}}',
        "1.8",
        MIB,
    ),
    "msgpack: array of four billion": (
        b"\x81\xacEventMessage\x81\xa6Header\x81\xa3any\xdd\xff\xff\xff\xff",
        "1.8",
        MIB,
    ),
    "msgpack: deep nesting": (b"\x81\xacEventMessage\x81\xa1a" + b"\x91" * 500_000, "1.8", MIB),
    "msgpack: million maps": (b"\x81\xacEventMessage\x81\xa1a\xdd\x00\x0f\x00\x00" + b"\x80" * 983_040, "1.8", MIB),
}

_SCRIPT = """
import json, pickle, resource, sys, time
from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from shared.codec import Codec

def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

cases = pickle.load(sys.stdin.buffer)
codec, outcomes, before = Codec(CATALOGUE), {}, memory()
for name, (body, _, limit) in cases.items():
    kind = "application/" + (name.partition(":")[0] if ":" in name else "xml")
    start, told = time.process_time(), ("read", "", "")
    try:
        codec.decode(body, kind, max_bytes=limit)
    except Malformed as error:
        told = ("refused", error.code, error.reason)
    codec.read_header(body, kind)
    outcomes[name] = (*told, time.process_time() - start, memory() - before)
json.dump(outcomes, sys.stdout)
"""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, tuple[str, str, str, float, int]]:
    """What became of each message, all read by one process of its own, so that its memory can be seen."""
    command = [sys.executable, "-c", _SCRIPT]
    done = subprocess.run(command, input=pickle.dumps(HOSTILE), capture_output=True, timeout=120, check=True)
    told: dict[str, tuple[str, str, str, float, int]] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_message_is_refused_soon_and_in_little_memory(
    name: str, outcomes: dict[str, tuple[str, str, str, float, int]]
) -> None:
    outcome, code, reason, seconds, memory = outcomes[name]
    assert (outcome, code) == ("refused", HOSTILE[name][1]), reason
    assert "root:" not in reason
    assert len(reason) < 400
    assert seconds < LONGEST_S
    assert memory < MOST_MEMORY
