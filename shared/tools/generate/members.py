"""What a struct of the contracts holds, in wire order, as msgspec itself understands its types."""

from functools import cache
from inspect import cleandoc
from typing import Any, NamedTuple

from msgspec import Struct, inspect

from shared.codec.shape import CHILD


class Member(NamedTuple):
    """One field as it stands on the wire.

    Attributes:
        wire: its name.
        place: where XML carries it, as :mod:`shared.codec.shape` names it.
        required: True when it may not be left out.
        least: how many items a list has at least when it is there; 1 for a single value.
        most: how many at most; None for any number.
        type: the type of its value, or of one item of the list.
    """

    wire: str
    place: str
    required: bool
    least: int
    most: int | None
    type: inspect.Type


@cache
def members_of(struct: type[Struct]) -> tuple[Member, ...]:
    """The fields of ``struct``."""
    described = inspect.type_info(struct)
    if not isinstance(described, inspect.StructType):
        raise TypeError(f"{struct.__name__} is no struct")
    return tuple(_member(field) for field in described.fields)


def _member(field: inspect.Field) -> Member:
    found, extra = _bare(field.type)
    least: int = 1
    most: int | None = 1
    if isinstance(found, inspect.VarTupleType):
        least, most = found.min_length or 0, found.max_length
        found, below = _bare(found.item_type)
        extra |= below
    return Member(field.encode_name, extra.get("xml", CHILD), field.required, least, most, found)


def _bare(annotated: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    """A type without the None of an optional field, and what its annotations say besides constraints."""
    extra: dict[str, Any] = {}
    while isinstance(annotated, inspect.Metadata | inspect.UnionType):
        if isinstance(annotated, inspect.Metadata):
            extra |= annotated.extra or {}
            annotated = annotated.type
        else:
            (annotated,) = (choice for choice in annotated.types if not isinstance(choice, inspect.NoneType))
    return annotated, extra


def documentation(described: type) -> str:
    """The docstring of a type that has one of its own, else nothing."""
    return cleandoc(vars(described).get("__doc__") or "")
