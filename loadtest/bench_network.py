"""How fast a large model of the network is read, as ratios to what lxml alone needs to parse the same file.

``python -m loadtest.bench_network NAME=MODULE:FUNCTION ...`` prints JSON. Each named function takes the bytes of the
document; nothing here knows a service, so whoever runs it says what is measured. The model is made of many copies of
the network that is shipped, each with mRIDs of its own. Every round times all subjects after one another, each in a
process of its own, from the file to the end of what was made, so that none finds or leaves memory that another pays
for; a ratio is the median over the rounds of the processor time taken. cimpy and triplets take part where they are
installed; cimpy reads only the classes that CGMES has.
"""

import argparse
import json
import logging
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from operator import truediv
from pathlib import Path
from pkgutil import resolve_name
from time import process_time
from typing import Any
from uuid import UUID, uuid5

from lxml import etree

SHIPPED = Path(__file__).resolve().parents[1] / "infra" / "networks" / "harbour.xml"
OBJECTS = 100_000
ROUNDS = 5
LARGE_BYTES = 100_000
"""Enough for the allocator to put small pieces together, and too little to ask the system for."""

OTHERS = ("triplets", "cimpy")

_MRID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def model(objects: int) -> bytes:
    """A model of at least ``objects`` objects, with identifiers as rdf:ID, which all readers understand."""
    text = SHIPPED.read_text(encoding="utf-8")
    text = text.replace('rdf:about="urn:uuid:', 'rdf:ID="_').replace('rdf:resource="urn:uuid:', 'rdf:resource="#_')
    start, end = text.index(">", text.index("<rdf:RDF")) + 1, text.rindex("</rdf:RDF>")
    head, body, tail = text[:start], text[start:end], text[end:]
    mrids = sorted(set(_MRID.findall(body)))
    copies = -(-objects // body.count('rdf:ID="'))
    parts = []
    for number in range(copies):
        own = {mrid: str(uuid5(UUID(int=number), mrid)) for mrid in mrids}
        parts.append(_MRID.sub(lambda found, own=own: own[found[0]], body))  # type: ignore[misc]
    return "".join([head, *parts, tail]).encode()


def measure(file: Path, subjects: dict[str, str], rounds: int) -> dict[str, Any]:
    """Seconds of each subject, and its speed relative to lxml."""
    names = ["lxml", *subjects, *(each for each in OTHERS if find_spec(each))]
    taken: dict[str, list[float]] = {name: [] for name in names}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for _ in range(rounds):
            for name in names:
                taken[name].append(pool.submit(once, name, subjects.get(name, ""), file).result())
    return {
        name: {
            "seconds": round(statistics.median(times), 3),
            "ratio": round(statistics.median(map(truediv, taken["lxml"], times)), 3),
        }
        for name, times in taken.items()
    }


def once(name: str, function: str, file: Path) -> float:
    """Seconds of processor time that one subject takes, from the file to the end of what it made."""
    logging.disable(logging.CRITICAL)
    named = resolve_name(function) if function else None
    read = _other(name) if named is None else lambda file: named(file.read_bytes())
    start = process_time()
    made = read(file)
    if not made:
        raise RuntimeError(f"{name} made nothing")
    del made
    # what was freed in small pieces is only put together when a large one is wanted: whoever freed it shall pay
    bytearray(LARGE_BYTES)
    return process_time() - start


def _other(name: str) -> Callable[[Path], object]:
    """How the readers that are not ours read a file."""
    match name:
        case "triplets":
            import pandas as pd  # noqa: PLC0415 - optional
            import triplets  # noqa: F401, PLC0415 - optional; it adds read_RDF to pandas

            return lambda file: [pd.read_RDF([str(file)])]
        case "cimpy":
            import cimpy  # noqa: PLC0415 - optional

            return lambda file: cimpy.cim_import([str(file)], "cgmes_v2_4_15")["topology"]
        case _:
            return etree.parse


def main() -> None:
    """Print the ratios."""
    words = argparse.ArgumentParser(description="How fast a large model of the network is read.")
    words.add_argument("subject", nargs="*", metavar="NAME=MODULE:FUNCTION", help="what is measured beside lxml")
    words.add_argument("--objects", type=int, default=OBJECTS)
    words.add_argument("--rounds", type=int, default=ROUNDS)
    given = words.parse_args()
    subjects = {name: function for name, _, function in (each.partition("=") for each in given.subject)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.xml"
        document = model(given.objects)
        file.write_bytes(document)
        made = {"bytes": len(document), "objects": document.count(b'rdf:ID="')}
        report = made | measure(file, subjects, given.rounds)
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
