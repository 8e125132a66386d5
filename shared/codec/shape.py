"""What a struct of the contracts looks like on the wire, worked out once for each type."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from msgspec import NODEFAULT, Meta, Struct, ValidationError, convert
from msgspec.structs import fields

from shared.codec import xsd

Read = Callable[[str], Any]
Write = Callable[[Any], str]

CHILD, ATTRIBUTE, CONTENT, FRAGMENT, ROOT = "child", "attribute", "content", "fragment", "root"
"""Where XML carries a field. ROOT is the root element of a profile, in its own namespace among ``any`` elements."""


class Part(NamedTuple):
    """One field of a struct.

    Attributes:
        name: the attribute in Python.
        wire: its name on the wire.
        place: where XML carries it.
        many: True for a list, which XML carries as repeated elements.
        default: what an absent field means, NODEFAULT when it may not be absent.
        struct: the type of its value when that is a struct, else None.
        scalar: the annotated type of its value when that is not a struct, else None.
        may_be_empty: True for a list that has no default and yet may have no items.
        check_list: for a list, what raises ValueError when it may not be written as it is.
    """

    name: str
    wire: str
    place: str
    many: bool
    default: Any
    struct: type[Struct] | None
    scalar: Any
    may_be_empty: bool
    check_list: Callable[[Any], None] | None


def namespace(noun: type) -> str:
    """The XML namespace of a profile: ``NAMESPACE`` of the module of its root struct."""
    found: str = sys.modules[noun.__module__].NAMESPACE
    return found


@cache
def parts_of(struct: type[Struct]) -> tuple[Part, ...]:
    """The fields of ``struct`` in wire order.

    Raises:
        TypeError: when the struct breaks a rule without which a round trip could lose something.
    """
    config = struct.__struct_config__
    found = []
    for field in fields(struct):
        about = f"{struct.__name__}.{field.name}"
        optional, annotation = _without_none(field.type)
        whole = annotation
        metas, bare = _without_metas(annotation)
        limits = metas
        many = get_origin(bare) is tuple
        if many:
            item, *ellipsis = get_args(bare)
            if ellipsis != [Ellipsis]:
                raise TypeError(f"{about}: a list is a tuple[X, ...]")
            annotation = item
            inner, bare = _without_metas(item)
            metas = (*metas, *inner)
        if optional and (many or field.default is not None):
            raise TypeError(f"{about}: what may be None is None by default, and is no list")
        if not field.required and not config.omit_defaults:
            raise TypeError(f"{about}: a struct with defaults omits them (omit_defaults=True)")
        if many and not field.required and field.default != () and field.default_factory is NODEFAULT:
            raise TypeError(f"{about}: the default of a list is ()")
        is_struct = isinstance(bare, type) and issubclass(bare, Struct)
        found.append(
            Part(
                name=field.name,
                wire=field.encode_name,
                place=next((meta.extra["xml"] for meta in metas if meta.extra and "xml" in meta.extra), CHILD),
                many=many,
                default=() if many and not field.required else field.default,
                struct=bare if is_struct else None,
                scalar=None if is_struct else annotation,
                may_be_empty=many and field.required and not any(meta.min_length for meta in limits),
                check_list=_list_check(whole) if many else None,
            )
        )
    return tuple(found)


def _without_none(annotation: Any) -> tuple[bool, Any]:
    if get_origin(annotation) not in {Union, UnionType}:
        return False, annotation
    rest = [choice for choice in get_args(annotation) if choice is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"{annotation}: of several types only X | None has a form on the wire")
    return True, rest[0]


def _without_metas(annotation: Any) -> tuple[tuple[Meta, ...], Any]:
    if get_origin(annotation) is not Annotated:
        return (), annotation
    bare, *metas = get_args(annotation)
    return tuple(meta for meta in metas if isinstance(meta, Meta)), bare


def _list_check(annotation: Any) -> Callable[[Any], None]:
    """What refuses a list that is none, or one of the wrong length."""
    metas, _ = _without_metas(annotation)
    least = max((meta.min_length or 0 for meta in metas), default=0)
    most = min((meta.max_length for meta in metas if meta.max_length is not None), default=sys.maxsize)

    def check(items: Any) -> None:
        if type(items) is not tuple or not least <= len(items) <= most:
            raise ValueError("is not a tuple, or has too few or too many items")

    return check


class Forms(NamedTuple):
    """How a value is made from text and written as text.

    ``read`` makes what msgspec takes for the value and then judges by its type and constraints; text that msgspec
    takes as it stands has none.
    """

    read: Read | None
    write: Write

    def value(self, text: str) -> Any:
        """The value that ``text`` tells."""
        return text if self.read is None else self.read(text)


_FORMS: dict[Any, Forms] = {
    str: Forms(None, xsd.write_string),
    int: Forms(xsd.read_integer, xsd.write_integer),
    float: Forms(xsd.read_float, xsd.write_float),
    bool: Forms(xsd.read_boolean, xsd.write_boolean),
    Decimal: Forms(xsd.read_decimal, xsd.write_decimal),
    datetime: Forms(xsd.read_instant, xsd.write_instant),
    date: Forms(xsd.read_date, xsd.write_date),
    bytes: Forms(xsd.read_base64, xsd.write_base64),
}


@cache
def scalar_forms(annotation: Any) -> Forms:
    """The forms of a value that is not a struct; writing checks its constraints, reading leaves them to msgspec.

    Raises:
        TypeError: when the type has no form in XML.
    """
    metas, bare = _without_metas(annotation)
    if bare is datetime and not any(meta.tz for meta in metas):
        raise TypeError("a time without a zone is nobody's time: use Instant")
    if isinstance(bare, type) and issubclass(bare, Enum):
        return Forms(None, {member: xsd.write_string(str(member.value)) for member in bare}.__getitem__)
    if bare not in _FORMS:
        raise TypeError(f"{annotation} has no form in XML")
    read, write = _FORMS[bare]
    if not any(_constrains(meta) for meta in metas):
        return Forms(read, write)
    return Forms(read, _checked(write, annotation))


def _constrains(meta: Meta) -> bool:
    limits = (meta.gt, meta.ge, meta.lt, meta.le, meta.multiple_of, meta.pattern, meta.min_length, meta.max_length)
    return any(limit is not None for limit in limits)


def _checked(write: Write, annotation: Any) -> Write:
    def checked(value: Any) -> str:
        text = write(value)
        try:
            convert(value, annotation)
        except ValidationError:
            raise ValueError("is outside of what its type allows") from None
        return text

    return checked
