"""Number to name for every field of a code, read once from ``tables.json``.

Each table of the resource has two parts: ``published`` in the public schema of a sister standard, NAESB ESPI [S], and
seen in the list of ``oneVendor`` only [V]. The numbers of the first seven fields of a reading type are in both lists
[X]. A number that is in neither is not an error: its name is the number itself.
"""

from importlib.resources import files

import msgspec


class _Table(msgspec.Struct, frozen=True, rename="camel"):
    published: dict[int, str]
    one_vendor: dict[int, str]


_TABLES = msgspec.json.decode(files(__package__).joinpath("tables.json").read_bytes(), type=dict[str, _Table])


def name_of(table: str, number: int) -> str:
    """The name of ``number`` in ``table``, or the number in digits where no name is known."""
    found = _TABLES.get(table)
    if found is None:
        return str(number)
    return found.published.get(number) or found.one_vendor.get(number) or str(number)


def number_of(table: str, name: str) -> int:
    """The number of ``name`` in ``table``; digits stand for themselves, what is published goes first.

    Raises:
        KeyError: when the table does not know the name.
    """
    if name.removeprefix("-").isdecimal():
        return int(name)
    found = _TABLES.get(table)
    for part in () if found is None else (found.published, found.one_vendor):
        for number, known in part.items():
            if known == name:
                return number
    raise KeyError(f"'{name}' is not known in {table}")
