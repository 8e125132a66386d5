"""Hypothesis strategies for whatever the contracts can say: any struct, any message of any noun."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from typing import Annotated, Any, get_args, get_origin

from hypothesis import reject
from hypothesis import strategies as st
from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import replace

from contracts.interface import Catalogue, NounType
from contracts.message import Enclosure, Fault, Header, Message, Reply, Request
from contracts.verbs import Verb
from shared.codec.shape import FRAGMENT, Part, parts_of

DEEPEST = 4
"""How many structs stand within one another at most."""

characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from(
    "\t\n\r"
)
texts = st.text(characters, max_size=12)
zones = st.sampled_from((UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-3, minutes=-30))))
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001 - zones are drawn
fragments = st.sampled_from(
    (
        '<a xmlns="urn:x"></a>',
        '<x:a xmlns:x="urn:x" b="&lt;&quot;"><c>&amp; d</c></x:a>',
        '<a xmlns="urn:x"> <b xmlns="">text</b>\n</a>',
        '<a xmlns="urn:x" xmlns:k="urn:k" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="k:T"></a>',
    )
)
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(-(2**63), 2**64 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4),
    datetime: instants,
    date: st.dates(),
    bytes: st.binary(max_size=12),
}


@cache
def scalars(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a type that is not a struct, within its constraints."""
    if get_origin(annotation) is not Annotated:
        is_enumeration = isinstance(annotation, type) and issubclass(annotation, Enum)
        return st.sampled_from(list(annotation)) if is_enumeration else _SCALARS[annotation]
    bare, *metas = get_args(annotation)
    for meta in metas:
        if isinstance(meta, Meta) and meta.pattern is not None:
            return st.from_regex(meta.pattern, fullmatch=True)
        if isinstance(meta, Meta) and bare in {int, float}:
            return scalars(bare).filter(partial(_within, meta))
    return scalars(bare)


def _within(meta: Meta, value: float) -> bool:
    least, most = meta.ge if meta.ge is not None else meta.gt, meta.le if meta.le is not None else meta.lt
    return (least is None or value > least) and (most is None or value < most)


@st.composite
def structs(draw: st.DrawFn, struct: type[Struct], depth: int = 0) -> Any:
    """Values of a struct of the contracts: mandatory fields always, some of the others."""
    values: dict[str, Any] = {}
    for part in parts_of(struct):
        if part.default is not NODEFAULT and (depth >= DEEPEST or draw(st.integers(0, 3))):
            continue
        one = _values(part, depth)
        least = 1 if part.default is NODEFAULT else 0
        values[part.name] = tuple(draw(st.lists(one, min_size=least, max_size=2))) if part.many else draw(one)
    try:
        return struct(**values)
    except ValueError:
        return reject()  # the struct has a choice that the fields drawn do not make


def _values(part: Part, depth: int) -> st.SearchStrategy[Any]:
    if part.place == FRAGMENT:
        return fragments
    return scalars(part.scalar) if part.struct is None else structs(part.struct, depth + 1)


@st.composite
def messages(draw: st.DrawFn, catalogue: Catalogue) -> Message[Any] | Fault:
    """Any message about any noun of the catalogue: requests, events, replies, and a fault now and then."""
    if not draw(st.integers(0, 19)):
        return Fault(reply=draw(structs(Reply)))
    noun: NounType = draw(st.sampled_from(list(catalogue.nouns.values())))
    header: Header = draw(structs(Header))
    values = {name: getattr(header, name) for name in Header.__struct_fields__}
    header = Header(**{**values, "noun": noun.__name__})
    enclosure = draw(st.none() | enclosures())
    return Message(
        header=header,
        request=draw(st.none() | requests(catalogue)) if header.verb.is_request else None,
        reply=draw(structs(Reply)) if header.verb is Verb.REPLY else None,
        payload=None if header.verb is Verb.GET else draw(st.none() | structs(noun)),
        enclosure=enclosure,
    )


def enclosures() -> st.SearchStrategy[Enclosure]:
    """What a Payload holds besides the noun; Compressed is a matter of writing, and is in no message."""
    drawn = structs(Enclosure).map(lambda enclosure: replace(enclosure, compressed=None))
    return drawn.filter(lambda enclosure: enclosure != Enclosure())


@st.composite
def requests(draw: st.DrawFn, catalogue: Catalogue) -> Request:
    """Any Request, with or without a Get profile of the catalogue."""
    profiles = [noun for name, noun in catalogue.nouns.items() if name.startswith("Get")]
    query = draw(st.none() | st.sampled_from(profiles).flatmap(structs)) if profiles else None
    return Request(
        start_time=draw(st.none() | instants),
        id=tuple(draw(st.lists(structs(_ID), max_size=2))),
        query=query,
        any=tuple(draw(st.lists(fragments, max_size=1))),
    )


_ID = next(part.struct for part in parts_of(Reply) if part.name == "id") or Struct
