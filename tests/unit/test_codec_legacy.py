"""Messages of older namespaces and bindings become the one form, and every leniency is told and counted."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.message import NAMESPACE, Fault, Message, Result
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec, operations
from shared.codec.legacy import LegacyReader, Leniency
from tests.unit.strategies import messages

CODEC = Codec(CATALOGUE)
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
EVENTS = "http://iec.ch/TC57/2011/EndDeviceEvents#"
TYPED = "http://iec.ch/TC57/2017/EndDeviceEventsMessage"
OLDER = {
    Leniency.NAMESPACE_2008: "http://www.iec.ch/TC57/2008/schema/message",
    Leniency.NAMESPACE_2010: "http://www.iec.ch/TC57/2010/schema/message",
    Leniency.NAMESPACE_2011_WWW: "http://www.iec.ch/TC57/2011/schema/message",
    Leniency.EDITION_2: "http://iec.ch/TC57/2021/schema/message",
}
NOUN = (
    f'<EndDeviceEvents xmlns="{EVENTS}"><EndDeviceEvent><mRID>e</mRID>'
    "<createdDateTime>2026-01-01T00:00:00Z</createdDateTime>"
    '<EndDeviceEventType ref="3.26.9.185"/></EndDeviceEvent></EndDeviceEvents>'
)


def header(verb: str = "created", noun: str = "EndDeviceEvents") -> str:
    return f"<Header><Verb>{verb}</Verb><Noun>{noun}</Noun><MessageID>m</MessageID></Header>"


def event(space: str = NAMESPACE, *, verb: str = "created", payload: str = NOUN) -> str:
    return f'<EventMessage xmlns="{space}">{header(verb)}<Payload>{payload}</Payload></EventMessage>'


def typed(root: str, *, verb: str, noun: str = "EndDeviceEvents", reply: str = "", space: str = TYPED) -> str:
    told = header(verb, noun).replace("<Header>", "").replace("</Header>", "")
    told = told.replace("<", "<m:").replace("<m:/", "</m:")
    return (
        f'<t:{root} xmlns:t="{space}" xmlns:m="{NAMESPACE}"><t:Header>{told}</t:Header>{reply}'
        f"<t:Payload>{NOUN}</t:Payload></t:{root}>"
    )


def soap(inside: str, *, space: str = SOAP_11, headers: str = "") -> str:
    return f'<s:Envelope xmlns:s="{space}">{headers}<s:Body>\n{inside}</s:Body></s:Envelope>'


def abstract(space: str) -> str:
    """The event with its noun in an AbstractPayload, whose type is a prefixed name."""
    attributes = (
        f' xmlns:e="{EVENTS}" xmlns:m="{space}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        ' i:type="e:EndDeviceEvents"><EndDeviceEvent>'
    )
    payload = NOUN.replace("EndDeviceEvents xmlns", "m:AbstractPayload xmlns").replace("><EndDeviceEvent>", attributes)
    return event(space, payload=payload.replace("</EndDeviceEvents>", "</m:AbstractPayload>"))


def declarations(number: int) -> str:
    """Namespaces that differ at the end of their names alone."""
    return "".join(f' xmlns:n{each}="http://iec.ch/TC57/2011/schema/{each:07d}"' for each in range(number))


PLAIN = CODEC.decode(event().encode(), CONTENT_XML)


def read(document: str) -> tuple[Message[Any] | Fault, tuple[Leniency, ...]]:
    return LegacyReader(CODEC).decode(document.encode(), CONTENT_XML)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(message=messages(CATALOGUE), content_type=st.sampled_from((CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK)))
def test_a_message_in_the_one_form_is_read_as_the_codec_reads_it_and_without_leniency(
    message: Message[Any] | Fault, content_type: str
) -> None:
    assert LegacyReader(CODEC).decode(CODEC.encode(message, content_type), content_type) == (message, ())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(message=messages(CATALOGUE), leniency=st.sampled_from(list(OLDER)))
def test_a_message_in_an_older_namespace_is_the_same_message(message: Message[Any] | Fault, leniency: Leniency) -> None:
    body = CODEC.encode(message, CONTENT_XML).decode().replace(f'xmlns="{NAMESPACE}"', f'xmlns="{OLDER[leniency]}"')
    assert read(soap(body)) == (message, (Leniency.SOAP, leniency))


READ = {
    "capital verb of 2008": (
        event(OLDER[Leniency.NAMESPACE_2008], verb="Created"),
        {Leniency.NAMESPACE_2008, Leniency.CAPITAL_VERB},
    ),
    "noun of another year": (event(payload=NOUN.replace("/2011/", "/2009/")), {Leniency.PROFILE_NAMESPACE}),
    "noun with www": (event(payload=NOUN.replace("//iec", "//www.iec")), {Leniency.PROFILE_NAMESPACE}),
    "soap 1.2": (soap(event(), space=SOAP_12), {Leniency.SOAP}),
    "headers that need not be understood": (
        soap(event(), headers='<s:Header><a xmlns="urn:a" s:mustUnderstand="0"/><b/></s:Header>'),
        {Leniency.SOAP, Leniency.SOAP_HEADER},
    ),
    "empty header": (soap(event(), headers="<s:Header/>"), {Leniency.SOAP}),
    "typed event": (typed("CreatedEndDeviceEvents", verb="created"), {Leniency.TYPED_ROOT}),
    "typed event with the verb of the request": (
        typed("CreatedEndDeviceEvents", verb="Create"),
        {Leniency.TYPED_ROOT, Leniency.CAPITAL_VERB, Leniency.ROOT_VERB},
    ),
    "typed event with a noun in words": (
        typed("CreatedEndDeviceEvents", verb="created", noun="end device event"),
        {Leniency.TYPED_ROOT, Leniency.ROOT_NOUN},
    ),
    "abstract payload": (
        abstract(OLDER[Leniency.EDITION_2]),
        {Leniency.EDITION_2, Leniency.ABSTRACT_PAYLOAD},
    ),
    "compressed flag": (event(payload=NOUN + "<Compressed> false\n</Compressed>"), {Leniency.COMPRESSED_FLAG}),
}


@pytest.mark.parametrize("name", READ)
def test_an_older_form_says_what_the_one_form_says(name: str) -> None:
    document, expected = READ[name]
    message, taken = read(document)
    assert message == PLAIN
    assert set(taken) == expected
    assert len(taken) == len(expected)


def test_typed_requests_responses_and_faults_get_their_generic_roots() -> None:
    request, _ = read(typed("CreateEndDeviceEvents", verb="create"))
    also, _ = read(typed("EndDeviceEventsRequestMessage", verb="create"))
    assert isinstance(request, Message)
    assert request == also
    assert request.header.verb is Verb.CREATE
    reply = f'<t:Reply><m:Result xmlns:m="{NAMESPACE}">OK</m:Result></t:Reply>'
    response, taken = read(typed("EndDeviceEventsResponseMessage", verb="create", reply=reply))
    assert isinstance(response, Message)
    assert response.reply is not None
    assert (response.reply.result, response.header.verb) == (Result.OK, Verb.REPLY)
    assert taken == (Leniency.TYPED_ROOT, Leniency.ROOT_VERB)
    fault, taken = read(
        f'<EndDeviceEventsFaultMessage xmlns="{TYPED}"><Reply><m:Result xmlns:m="{NAMESPACE}">FAILED</m:Result></Reply>'
        "</EndDeviceEventsFaultMessage>"
    )
    assert isinstance(fault, Fault)


def test_a_typed_question_keeps_its_get_profile() -> None:
    profile = "http://iec.ch/TC57/2011/GetEndDeviceEvents#"
    question = (
        '<GetEndDeviceEventsRequestMessage xmlns="http://iec.ch/TC57/2011/GetEndDeviceEventsMessage">'
        f'<Header xmlns:m="{NAMESPACE}"><m:Verb>get</m:Verb><m:Noun>EndDeviceEvents</m:Noun></Header>'
        f'<Request><GetEndDeviceEvents xmlns="{profile}"/></Request></GetEndDeviceEventsRequestMessage>'
    )
    message, taken = read(question)
    assert isinstance(message, Message)
    assert message.request is not None
    assert type(message.request.query).__name__ == "GetEndDeviceEvents"
    assert taken == (Leniency.TYPED_ROOT,)


def test_the_nouns_of_an_older_operation_set_are_read() -> None:
    inside = NOUN.replace("/2011/", "/2010/")
    document = (
        f'<RequestMessage xmlns="{OLDER[Leniency.NAMESPACE_2010]}">{header("Execute", "OperationSet")}'
        f"<Payload><OperationSet><Operation><operationId>1</operationId><noun>EndDeviceEvents</noun><verb>Create</verb>{inside}</Operation>"
        "</OperationSet></Payload></RequestMessage>"
    )
    message, taken = read(document)
    assert isinstance(message, Message)
    assert isinstance(PLAIN, Message)
    assert message.enclosure is not None
    assert message.enclosure.operation_set is not None
    assert [step.payload for step in operations.read(CODEC, message.enclosure.operation_set)] == [PLAIN.payload]
    assert taken == (Leniency.NAMESPACE_2010, Leniency.CAPITAL_VERB, Leniency.PROFILE_NAMESPACE)


def test_the_empty_fault_of_2010_is_a_failure() -> None:
    message, taken = read(f'<FaultMessage xmlns="{OLDER[Leniency.NAMESPACE_2010]}"/>')
    assert isinstance(message, Fault)
    assert (message.reply.result, message.reply.error[0].code) == (Result.FAILED, "1.8")
    assert taken == (Leniency.NAMESPACE_2010, Leniency.EMPTY_FAULT)


REFUSED = {
    "header that must be understood": (
        soap(event(), headers='<s:Header><a xmlns="urn:a" s:mustUnderstand="1"/></s:Header>'),
        "1.8",
        "Envelope/Header/a must be understood",
    ),
    "two messages in a body": (soap(event() * 2), "1.8", "Body holds none or several"),
    "no message in a body": (soap(""), "1.8", "Body holds none or several"),
    "empty soap envelope": (f'<Envelope xmlns="{SOAP_11}"/>', "1.8", "Envelope is no Envelope of SOAP"),
    "soap body alone": (f'<Body xmlns="{SOAP_11}"/>', "1.8", "Body is no Envelope of SOAP"),
    "soap in soap": (soap(soap(event())), "1.8", "holds an unknown element Envelope"),
    "soap fault": (soap(f'<Fault xmlns="{SOAP_11}"/>'), "1.8", "holds an unknown element Fault"),
    "text in the body": (soap(event() + "x"), "1.8", "Body holds text"),
    "verb of 2010 that was given up": (event(OLDER[Leniency.NAMESPACE_2010], verb="subscribe"), "2.9", "Verb"),
    "root and header at odds": (typed("CreatedEndDeviceEvents", verb="deleted"), "2.9", "another verb than that of"),
    "order that tells": (typed("CreateEndDeviceEvents", verb="created"), "2.9", "another verb than that of"),
    "question that was answered": (typed("CreatedEndDeviceEvents", verb="get"), "2.9", "another verb than that of"),
    "abstract payload of the first edition": (abstract(NAMESPACE), "1.8", "unknown element AbstractPayload"),
    "response that is an event": (
        typed("EndDeviceEventsResponseMessage", verb="created"),
        "2.9",
        "another verb than that of",
    ),
    "two nouns at odds": (typed("CreatedEndDeviceEvents", verb="created", noun="MeterConfig"), "2.5", "another noun"),
    "typed root of an unknown noun": (
        typed("CreatedThings", verb="created", noun="thing", space="http://iec.ch/TC57/2017/ThingsMessage"),
        "2.5",
        "another noun",
    ),
    "root that no rule makes": (typed("EndDeviceEvents", verb="created"), "1.8", "unknown element EndDeviceEvents"),
    "noun of another house": (event(payload=NOUN.replace("iec.ch", "iec.example")), "1.8", "another namespace"),
    "true beside a noun": (event(payload=NOUN + "<Compressed>true</Compressed>"), "1.8", "stands beside"),
    "false without a noun": (event(payload="<Compressed>false</Compressed>"), "1.8", "is not base64"),
    "no namespace": (event().replace(f' xmlns="{NAMESPACE}"', ""), "1.8", "unknown element EventMessage"),
    "element without namespace": (event().replace("<Verb>", '<Verb xmlns="">'), "1.8", "unknown element Verb"),
    "abstract payload without a type": (event(payload="<AbstractPayload/>"), "1.8", "unknown element AbstractPayload"),
    "attribute of the root": (event().replace("<EventMessage", "<EventMessage a=''"), "1.8", "unknown attribute a"),
    "document type": ("<!DOCTYPE a>" + event(), "1.8", "document type"),
    "too large": (event() + " " * (1 << 20), "3.1", "bytes"),
    "many namespaces": (f"<a{declarations(10_000)}/>", "3.1", "too many namespaces"),
    "attribute in the namespace of the soap envelope": (
        soap(event(payload=NOUN.replace("ref=", "x:y='' ref="))).replace("<s:Envelope", '<s:Envelope xmlns:x="urn:x"'),
        "1.8",
        "unknown attribute y",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_older_form_is_refused_with_the_code_that_says_why(name: str) -> None:
    document, code, part = REFUSED[name]
    with pytest.raises(Malformed) as refusal:
        read(document)
    assert refusal.value.code == code, refusal.value.reason
    assert part in refusal.value.reason


def test_the_codec_itself_takes_none_of_the_older_forms() -> None:
    for document, _ in READ.values():
        with pytest.raises(Malformed):
            CODEC.decode(document.encode(), CONTENT_XML)


def test_each_leniency_is_counted_for_every_message_that_was_read_with_it() -> None:
    reader = LegacyReader(CODEC)
    for document in (soap(event()), soap(event(OLDER[Leniency.EDITION_2])), event()):
        reader.decode(document.encode(), "text/xml; charset=utf-8")
    with pytest.raises(Malformed):
        reader.decode(soap(event(verb="deleted", payload="<a/>")).encode(), "application/soap+xml")
    assert reader.counts == {"soap": 2, "edition-2-unverified": 1}


def test_the_dearest_document_to_rename_takes_seconds_at_most() -> None:
    old = OLDER[Leniency.EDITION_2]
    for declared, elements in ((200, 240_000), (7_000, 100), (3_000, 13_000)):
        document = f'<EventMessage{declarations(declared)} xmlns="{old}">{"<a/>" * elements}</EventMessage>'
        start = time.process_time()
        with pytest.raises(Malformed, match="unknown element a"):
            read(document)
        assert time.process_time() - start < 10
