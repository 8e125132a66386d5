"""Messages that others wrote are read, or refused with the code that says why.

The samples are not part of this repository, since nobody said under what terms they may be passed on; where they are
not beside it, there is nothing to test. They come in SOAP with one element for each verb and noun, so the test first
makes the generic envelope of them, as it says in the conventions of the bindings.
"""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.message import NAMESPACE, Message
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec
from shared.codec.legacy import LegacyReader

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "messages"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
CODEC = Codec(CATALOGUE)

VERDICTS = {
    # a power of ten of 1.1
    "p5_ChangedDERGroupStatuses_event.xml": "1.8 yMultiplier is none of the values",
    "p5_CreateDERGroupDispatches_1.xml": "1.8 yMultiplier is none of the values",
    # the two characters of an escape between the elements
    "p5_CreateDERGroups_0.xml": "1.8 holds text between its elements",
    # a local extension of the profile
    "p6_CreateMaintenanceOrders_response.xml": "1.8 Work holds an unknown element Attachments",
    "p6_CreateMaintenanceOrders_send.xml": "1.8 Work holds an unknown element Attachments",
    "p9_CreateEndDeviceControls_1.xml": "read",
    # an event without its type
    "p9_CreatedEndDeviceEvents_0.xml": "1.7 EndDeviceEvent lacks the mandatory EndDeviceEventType",
    # the envelope of a draft, in a namespace of its own
    "p9_CreatedMeterReadings_scheduled.xml": "1.5 Header lacks the mandatory Verb",
    "p9_GetMeterReadings_request.xml": "1.5 Header lacks the mandatory Verb",
    "p9_GetMeterReadings_response.xml": "1.5 Header lacks the mandatory Verb",
}
"""Sample to ``read``, or the code and a part of the reason with which it is refused."""

LENIENT = {
    "p5_ChangedDERGroupStatuses_event.xml": "1.8 yMultiplier is none of the values",
    "p5_CreateDERGroupDispatches_1.xml": "1.8 yMultiplier is none of the values",
    "p5_CreateDERGroups_0.xml": "1.8 Envelope holds text between its elements",
    "p6_CreateMaintenanceOrders_response.xml": "1.8 Work holds an unknown element Attachments",
    "p6_CreateMaintenanceOrders_send.xml": "1.8 Work holds an unknown element Attachments",
    "p9_CreateEndDeviceControls_1.xml": "read soap typed-root",
    "p9_CreatedEndDeviceEvents_0.xml": "1.7 EndDeviceEvent lacks the mandatory EndDeviceEventType",
    # created in the root, create in the header; and Compressed false beside the noun
    "p9_CreatedMeterReadings_scheduled.xml": "read soap namespace-2011-www typed-root root-verb compressed-flag",
    "p9_GetMeterReadings_request.xml": "read soap namespace-2011-www typed-root",
    # a response by its root, create in the header
    "p9_GetMeterReadings_response.xml": "read soap namespace-2011-www typed-root root-verb",
}
"""What the legacy reader makes of the whole document: ``read`` with the leniencies that it took, or the refusal."""

NO_DRAFT = (r"http://www\.iec\.ch/TC57/2011/schema/message", NAMESPACE)
NO_EXTENSION = (r"(?s)<(ns3:)?Attachments>.*</(ns3:)?Attachments>", "")
POWER_OF_TEN = (r"yMultiplier>1\.1<", "yMultiplier>none<")
CORRECTIONS = {
    "p5_ChangedDERGroupStatuses_event.xml": (POWER_OF_TEN, (">change<", ">changed<")),
    "p5_CreateDERGroupDispatches_1.xml": (POWER_OF_TEN,),
    "p5_CreateDERGroups_0.xml": ((r"\\r", ""),),
    "p6_CreateMaintenanceOrders_response.xml": (NO_EXTENSION,),
    "p6_CreateMaintenanceOrders_send.xml": (NO_EXTENSION, (">maintenance order<", ">MaintenanceOrders<")),
    "p9_CreatedEndDeviceEvents_0.xml": (
        ("(</end1:createdDateTime>)", r'\1<end1:EndDeviceEventType ref="3.26.9.185"/>'),
    ),
    "p9_CreatedMeterReadings_scheduled.xml": (
        NO_DRAFT,
        (">create<", ">created<"),
        (r"(?s)<met:Compressed>.*</met:Format>", ""),
    ),
    "p9_GetMeterReadings_request.xml": (NO_DRAFT,),
    "p9_GetMeterReadings_response.xml": (NO_DRAFT, (">create<", ">reply<")),
}
"""What is to be changed in a sample, pattern by pattern, until it is read: its whole quarrel with the schemas."""


def local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def generic_root(name: str) -> str:
    """The generic root element for ``CreatedX``, ``CreateX``, ``XResponseMessage`` and so on."""
    for kind in ("ResponseMessage", "RequestMessage", "FaultMessage"):
        if name.endswith(kind):
            return kind
    told = any(name.startswith(verb) for verb in ("Created", "Changed", "Canceled", "Closed", "Deleted", "Executed"))
    return "EventMessage" if told else "RequestMessage"


def envelope_in(document: str) -> bytes:
    """The generic envelope of what a SOAP document has in its body."""
    body = fromstring(document).find(f"{SOAP}Body")
    if body is None:
        raise Malformed("the document has no SOAP body")
    bound = body[0]
    bound.tail = None
    bound.tag = f"{{{NAMESPACE}}}{generic_root(local(bound))}"
    for section in bound:
        section.tag = f"{{{NAMESPACE}}}{local(section)}"
    envelope: bytes = tostring(bound, encoding="utf-8")
    return envelope


def sample(name: str) -> str:
    return (SAMPLES / name).read_text()


def verdict(document: str) -> tuple[str, str]:
    """``read``, or the code and the reason with which the document is refused."""
    try:
        message = CODEC.decode(envelope_in(document), CONTENT_XML)
    except Malformed as refusal:
        return refusal.code, refusal.reason
    assert isinstance(message, Message)
    for content_type in (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK):
        assert CODEC.decode(CODEC.encode(message, content_type), content_type) == message
    return "read", ""


pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the published samples are not beside the repository")


@pytest.mark.parametrize("name", VERDICTS)
def test_a_published_message_is_read_or_refused_with_the_code_that_says_why(name: str) -> None:
    expected, _, part = VERDICTS[name].partition(" ")
    code, reason = verdict(sample(name))
    assert code == expected
    assert part in reason


@pytest.mark.parametrize("name", LENIENT)
def test_the_legacy_reader_takes_the_document_as_it_is_or_refuses_it_with_the_code_that_says_why(name: str) -> None:
    expected, _, part = LENIENT[name].partition(" ")
    reader, document = LegacyReader(CODEC), sample(name).encode()
    if expected != "read":
        with pytest.raises(Malformed) as refusal:
            reader.decode(document, "text/xml")
        assert refusal.value.code == expected
        assert part in refusal.value.reason
        return
    message, taken = reader.decode(document, "text/xml; charset=utf-8")
    assert " ".join(taken) == part
    for content_type in (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK):
        assert CODEC.decode(CODEC.encode(message, content_type), content_type) == message


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_refused_message_is_read_when_its_slips_are_corrected(name: str) -> None:
    document = sample(name)
    for pattern, replacement in CORRECTIONS[name]:
        document, count = re.subn(pattern, replacement, document)
        assert count, pattern
    assert verdict(document) == ("read", "")


def test_every_published_message_has_both_verdicts() -> None:
    assert {path.name for path in SAMPLES.glob("*.xml")} == set(VERDICTS) == set(LENIENT)


def test_compressed_false_beside_a_noun_is_refused_by_the_codec_alone() -> None:
    name = "p9_CreatedMeterReadings_scheduled.xml"
    document = re.sub(*NO_DRAFT, sample(name)).replace(">create<", ">created<")
    document = document.replace("met:Compressed", "mes:Compressed").replace("met:Format", "mes:Format")
    assert verdict(document) == ("1.8", "Payload/Compressed stands beside what it should hold")
