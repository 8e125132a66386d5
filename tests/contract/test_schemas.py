"""The generated schemas say what the codec says, to validators that know nothing of us.

Every golden example is valid against them: in XML by lxml (libxml2) and by xmlschema, which is written apart from it,
in JSON by jsonschema. That what is checked in is what is generated, ``test_generated_fresh.py`` shows.
"""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import pytest
import xmlschema
import yaml
from jsonschema import Draft202012Validator
from lxml import etree
from msgspec import Meta, Struct
from referencing import Registry, Resource

import contracts
from contracts.catalogue import ROLES
from contracts.errors import Malformed
from contracts.interface import Catalogue, Lane
from contracts.message import NAMESPACE as ENVELOPE
from shared.bus.subjects import CommandSubject, EventSubject, ReplySubject, RequestSubject
from shared.codec import CONTENT_XML, Codec
from shared.codec.guard import Element
from shared.codec.shape import namespace
from shared.tools.generate.xsd import noun_schema

FOLDER = Path(contracts.__file__).parent
EXAMPLES = sorted(f"{path.parent.name}/{path.stem}" for path in (FOLDER / "examples").glob("*/*.xml"))
XSD, JSON = FOLDER / "schemas" / "xsd", FOLDER / "schemas" / "json"
NOUN_OF = {namespace(noun): name for name, noun in ROLES.nouns.items()}
ASYNCAPI = yaml.safe_load((FOLDER / "schemas" / "asyncapi.yaml").read_text())


@cache
def by_lxml(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(XSD / f"{name}.xsd"))


@cache
def by_xmlschema(name: str) -> xmlschema.XMLSchema10:
    return xmlschema.XMLSchema10(XSD / f"{name}.xsd")


def from_file(reference: str) -> Resource[Any]:
    return Resource.from_contents(json.loads((JSON / Path(reference).name).read_text()))


REGISTRY: Registry[Any] = Registry(retrieve=from_file)  # type: ignore[call-arg]  # mypy does not see its alias


@cache
def by_jsonschema(name: str) -> Draft202012Validator:
    return Draft202012Validator(from_file(f"{name}.json").contents, registry=REGISTRY)


def parts(example: str) -> list[tuple[str, Element]]:
    """The message of an example, and the profile in it, each with the name of its schema."""
    root = etree.parse(FOLDER / "examples" / f"{example}.xml").getroot()
    sections = root.findall(f"{{{ENVELOPE}}}Payload") + root.findall(f"{{{ENVELOPE}}}Request")
    profiles = [child for section in sections for child in section if etree.QName(child).namespace in NOUN_OF]
    return [("Message", root), *((etree.QName(profile).localname, profile) for profile in profiles)]


@pytest.mark.parametrize("name", ["Message", *ROLES.nouns])
def test_a_generated_schema_is_a_schema_to_every_validator(name: str) -> None:
    by_lxml(name)
    assert by_xmlschema(name).validity == "valid"
    assert (
        by_xmlschema(name).target_namespace
        == {**{noun: uri for uri, noun in NOUN_OF.items()}, "Message": ENVELOPE}[name]
    )
    Draft202012Validator.check_schema(from_file(f"{name}.json").contents)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_valid_by_two_independent_validators_of_xml_schema(example: str) -> None:
    for name, element in parts(example):
        by_lxml(name).assertValid(etree.ElementTree(element))
        by_xmlschema(name).validate(element)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_in_json_is_valid_by_json_schema(example: str) -> None:
    by_jsonschema("Message").validate(json.loads((FOLDER / "examples" / f"{example}.json").read_text()))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_one_message_of_asyncapi_and_no_other(example: str) -> None:
    noun, verb = example.split("/")
    document = json.loads((FOLDER / "examples" / f"{example}.json").read_text())
    (told,) = (name for name in ASYNCAPI["components"]["messages"] if narrowed(name).is_valid(document))
    assert told == f"{verb}.{noun}"


@cache
def narrowed(message: str) -> Draft202012Validator:
    """What a message of AsyncAPI says of itself beside that it has the envelope."""
    envelope, own = ASYNCAPI["components"]["messages"][message]["payload"]["schema"]["allOf"]
    assert envelope == {"$ref": "./json/Message.json"}
    return Draft202012Validator(own)


ALIEN = {"Nobody": "knows it"}


@pytest.mark.parametrize("path", [[], ["Header"], ["Payload"], ["Payload", "UnplannedOutages", "UnplannedOutage", 0]])
def test_json_schema_refuses_what_nobody_knows(path: list[str | int]) -> None:
    document = json.loads((FOLDER / "examples/UnplannedOutages/created.json").read_text())
    at = document["EventMessage"]
    for step in path:
        at = at[step]
    at |= ALIEN
    assert not by_jsonschema("Message").is_valid(document)


# Bounds that no noun has yet, in a noun of this test's own.

NAMESPACE = "urn:busbar:test:Toys#"


class Toys(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that a field may demand of its values."""

    few: Annotated[int, Meta(ge=1, lt=10)] | None = None
    share: Annotated[float, Meta(gt=0.0, le=1.0)] | None = None
    code: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    word: Annotated[str, Meta(pattern="o", min_length=3, max_length=4)] | None = None
    several: Annotated[tuple[str, ...], Meta(min_length=2, max_length=3)] = ()
    whole: int | None = None
    exact: Decimal | None = None
    day: date | None = None
    body: bytes | None = None
    some: Annotated[tuple[bool, ...], Meta(min_length=1)]


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        ("", True),
        ("<few>1</few>", True),
        ("<few>0</few>", False),
        ("<few>10</few>", False),
        ("<share>1.0</share>", True),
        ("<share>0.0</share>", False),
        ("<share>1.1</share>", False),
        ("<code>KV</code>", True),
        ("<code>KVA</code>", False),
        ("<word>pole</word>", True),
        ("<word>kite</word>", False),
        ("<word>of</word>", False),
        ("<word>stone</word>", False),
        ("<several>a</several>", False),
        ("<several>a</several><several>b</several>", True),
        ("<several>a</several><several>b</several><several>c</several><several>d</several>", False),
        ("<whole>18446744073709551615</whole>", True),
        ("<whole>18446744073709551616</whole>", False),
        ("<whole>1.0</whole>", False),
        ("<exact>1.50</exact>", True),
        ("<exact>1e3</exact>", False),
        ("<day>2026-02-28</day>", True),
        ("<day>2026-02-30</day>", False),
        ("<body>AAEC</body>", True),
        ("<body>AAE</body>", False),
        ("<some>yes</some>", False),
    ],
)
def test_the_codec_and_the_schema_draw_the_same_bounds(content: str, verdict: bool) -> None:
    toys = f'<Toys xmlns="{NAMESPACE}">{content}<some>true</some></Toys>'
    header = "<Header><Verb>created</Verb><Noun>Toys</Noun></Header>"
    document = f'<EventMessage xmlns="{ENVELOPE}">{header}<Payload>{toys}</Payload></EventMessage>'
    schema = etree.XMLSchema(etree.fromstring(noun_schema(Toys).encode()))
    assert schema.validate(etree.fromstring(toys)) is verdict
    try:
        Codec(Catalogue([Toys], [])).decode(document.encode(), CONTENT_XML)
    except Malformed:
        assert not verdict
    else:
        assert verdict


def test_a_noun_that_no_schema_can_say_is_not_generated() -> None:
    class Odd(Struct):
        dozens: Annotated[int, Meta(multiple_of=12)]

    with pytest.raises(TypeError, match="has no form in XSD"):
        noun_schema(Odd)


# AsyncAPI: what its own schema asks for, as far as it can be said without that schema, and what no schema can say.

FIELDS = {
    "channels": {"address", "messages", "parameters"},
    "operations": {"action", "channel", "reply", "bindings", "tags"},
}


def references(tree: Any) -> list[str]:
    if isinstance(tree, list):
        return [found for item in tree for found in references(item)]
    if not isinstance(tree, dict):
        return []
    own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
    return own + [found for item in tree.values() for found in references(item)]


def at(reference: str) -> Any:
    found = ASYNCAPI
    for step in reference.removeprefix("#/").split("/"):
        found = found[unquote(step)]
    return found


def test_every_reference_in_asyncapi_leads_somewhere() -> None:
    for reference in set(references(ASYNCAPI)):
        if reference.startswith("#/"):
            assert at(reference)
        else:
            assert (FOLDER / "schemas" / reference).is_file(), reference


def test_channels_and_operations_have_the_fields_of_asyncapi_and_extensions() -> None:
    for kind, known in FIELDS.items():
        for name, node in ASYNCAPI[kind].items():
            assert {field for field in node if not field.startswith("x-")} <= known, name
    assert {operation["action"] for operation in ASYNCAPI["operations"].values()} == {"send", "receive"}


def test_an_operation_is_of_one_message_and_its_answers_are_of_the_channel_that_they_come_in() -> None:
    for name, operation in ASYNCAPI["operations"].items():
        assert len(at(operation["channel"]["$ref"])["messages"]) == 1, name
        if "reply" in operation:
            channel = operation["reply"]["channel"]["$ref"]
            assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["reply"]["messages"])


EXAMPLE_OF = {
    "root": "busbar",
    "context": "training",
    "asker": "callers",
    "messageId": "0e55",
    "responder": "scada",
    "partition": "0",
    "token": "x",
}
GRAMMAR: dict[str, Callable[[str], object]] = {
    "request": RequestSubject.parse,
    "command": CommandSubject.parse,
    "event": EventSubject.parse,
    "reply.command": ReplySubject.parse,
}


def test_every_address_of_asyncapi_is_a_subject_of_the_grammar_with_the_parameters_that_it_names() -> None:
    for name, channel in ASYNCAPI["channels"].items():
        parameters = {parameter: EXAMPLE_OF[parameter] for parameter in channel["parameters"]}
        subject = channel["address"].format(**parameters)
        parse = GRAMMAR.get(name.partition(".")[0]) or GRAMMAR.get(name)
        if parse is None:
            assert subject == "_INBOX.training-callers.x"
        else:
            assert str(parse(subject)) == subject


def test_asyncapi_has_every_promise_and_expectation_of_every_role() -> None:
    operations = set(ASYNCAPI["operations"])
    for role, interface in ROLES.interfaces.items():
        for told in interface.publishes:
            assert f"{role}.publishes.{told.verb}.{told.noun.__name__}" in operations
        for heard in interface.subscribes:
            assert f"{role}.hears.{heard.role}.{heard.verb}.{heard.noun.__name__}" in operations
        for served in interface.serves:
            assert f"{role}.serves.{served.verb}.{served.noun.__name__}.request" in operations
        for ask in interface.asks:
            assert f"{role}.asks.{ask.role}.{ask.verb}.{ask.noun.__name__}.request" in operations
    assert ASYNCAPI["info"]["x-roles"].keys() == ROLES.interfaces.keys()


def test_a_keyed_event_has_a_durable_for_each_partition_of_its_lane() -> None:
    operation = ASYNCAPI["operations"]["fault-management.hears.meter-reading-and-control.created.EndDeviceEvents"]
    assert operation["x-jetstream"] == {
        "stream": "{root}_{context}_outage",
        "durables": [f"fault-management_keyed_{number}" for number in range(Lane.OUTAGE.partitions)],
    }
