"""Every type that a field of the contracts may have, in a noun made for it."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from contracts.errors import Malformed
from contracts.interface import Catalogue
from contracts.message import Header, Message
from contracts.types import Name, XmlAttribute, XmlFragment, attribute
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML, Codec
from tests.unit.strategies import structs

NAMESPACE = "urn:toys#"
ENCODINGS = (CONTENT_XML, CONTENT_JSON, CONTENT_MSGPACK)


class Colour(StrEnum):
    PLAIN = "plain"
    ODD = "a&b <c>"


class Box(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    ref: XmlAttribute
    names: tuple[Name, ...] = field(name="Names", default=())
    box: "tuple[Box, ...]" = field(name="Box", default=())


class Toy(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    mrid: Annotated[str, Meta(pattern="^[a-f0-9]+$")]
    count: Annotated[int, Meta(ge=0, le=9)] | None = None
    colours: tuple[Colour, ...] = ()
    price: Decimal | None = None
    day: date | None = None
    raw: bytes | None = None
    weight: float = 1.5
    names: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=2)] = field(name="Names")
    box: Box | None = field(name="Box", default=None)
    broken: bool = False
    any: tuple[XmlFragment, ...] = field(name="any", default=())

    def __post_init__(self) -> None:
        if self.broken and self.box is not None:
            raise ValueError("a broken toy has no box")


class Toys(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    numbers: tuple[int, ...]
    toy: tuple[Toy, ...] = field(name="Toy", default=())


CODEC = Codec(Catalogue([Toys], []))
TOY = Toy(
    mrid="ab",
    count=3,
    colours=(Colour.ODD, Colour.PLAIN),
    price=Decimal("1.50"),
    day=date(2026, 1, 1),
    raw=b"\x00\x01",
    weight=1e300,
    names=(Name(name="n"),),
    box=Box(ref='"\t<\n'),
    any=('<q xmlns="urn:q"></q>',),
)


def _about(toys: Toys) -> Message[Toys]:
    return Message(header=Header(verb=Verb.CREATED, noun="Toys"), payload=toys)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(toys=structs(Toys), content_type=st.sampled_from(ENCODINGS))
def test_every_type_is_equal_after_a_round_trip(toys: Toys, content_type: str) -> None:
    assert CODEC.decode(CODEC.encode(_about(toys), content_type), content_type) == _about(toys)


@pytest.mark.parametrize("content_type", ENCODINGS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"mrid": "xyz"},
        {"mrid": None},
        {"count": 10},
        {"count": True},
        {"count": "1"},
        {"colours": ("green",)},
        {"price": Decimal("NaN")},
        {"weight": float("nan")},
        {"names": ()},
        {"names": [Name(name="n")]},
        {"names": (Name(name="n"),) * 3},
        {"names": (Name(name="\x00"),)},
        {"box": Name(name="n")},
    ],
)
def test_value_that_its_type_does_not_allow_is_not_written(wrong: dict[str, Any], content_type: str) -> None:
    values = {name: getattr(TOY, name) for name in Toy.__struct_fields__} | wrong
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence differs with the encoding
        CODEC.encode(_about(Toys(numbers=(), toy=(Toy(**values),))), content_type)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<numbers>7", b"<numbers> +007\n"),
        (b"<day>2026-01-01", b"<day>2026-01-01+01:00"),
        (b"<raw>AAE=", b"<raw>A A\nE="),
        (b"<price>1.50", b"<price> +1.5"),
        (b"<weight>1e+300", b"<weight>1E300"),
    ],
)
def test_other_lexical_forms_of_a_value_are_read_as_equal(old: bytes, new: bytes) -> None:
    body = CODEC.encode(_about(Toys(numbers=(7,), toy=(TOY,))), CONTENT_XML)
    assert old in body
    assert CODEC.decode(body.replace(old, new), CONTENT_XML) == CODEC.decode(body, CONTENT_XML)


@pytest.mark.parametrize(
    ("old", "new", "code", "reason"),
    [
        (b"<mRID>ab", b"<mRID>xy", "1.8", "Toy/mRID is not what belongs there"),
        (b"<count>3", b"<count>33", "1.8", "Toy/count is not what belongs there"),
        (b"<count>3", b"<count>\xd9\xa3", "1.8", "Toy/count is not an integer"),
        (b"<numbers>7", b"<numbers>99999999999999999999", "1.8", "is an integer of more than 64 bits"),
        (b"a&amp;b", b"a b", "1.8", "Toy/colours[1] is none of the values"),
        (b"<Names><name>n</name></Names>", b"", "1.7", "Toy lacks the mandatory Names"),
        (b"<Names>", b"<Names><name>n</name></Names><Names><name>n</name></Names><Names>", "1.8", "of length <= 2"),
        (b"<price>1.50", b"<price>1e5", "1.8", "Toy/price is not a decimal number"),
        (b"<weight>1e+300", b"<weight>NaN", "1.8", "Toy/weight is not a number"),
        (b"<weight>1e+300", b"<weight>1e400", "1.8", "Toy/weight is a number out of the range"),
        (b"<raw>AAE=", b"<raw>A", "1.8", "Toy/raw is none of the values of its type"),
        (b"<day>2026-01-01", b"<day>2026-02-30", "1.8", "Toy/day is not a day of the calendar"),
        (b"<q xmlns", b"<broken>true</broken><q xmlns", "1.8", "Toy a broken toy has no box"),
        (b'<q xmlns="urn:q"></q>', b'<fragment xmlns=""/>', "1.8", "Toy holds an unknown element fragment"),
    ],
)
def test_value_that_its_type_does_not_allow_is_refused(old: bytes, new: bytes, code: str, reason: str) -> None:
    body = CODEC.encode(_about(Toys(numbers=(7,), toy=(TOY,))), CONTENT_XML)
    assert old in body
    with pytest.raises(Malformed) as refused:
        CODEC.decode(body.replace(old, new), CONTENT_XML)
    assert refused.value.code == code
    assert reason in refused.value.reason


def test_struct_that_a_round_trip_could_change_is_not_taken() -> None:
    class Wrong(Struct, frozen=True, kw_only=True, omit_defaults=True):
        name: str | None = "default"

    with pytest.raises(TypeError, match="None by default"):
        Codec(Catalogue([Wrong], []))
