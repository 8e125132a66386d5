"""How fast a large model of the network is read, as ratios to what lxml alone needs to parse the same file.

``python -m loadtest.bench_network`` prints JSON for lxml, for triplets and cimpy where they are installed, with those
that are ``absent``, and for an import by ``busbar network import`` into a DMS that runs. Nothing here knows a service;
``python -m tests.speed`` gives the reader of network model management to :func:`report` and prints the same with it.

The model is made of many copies of the network that is shipped, each with mRIDs of its own. Every round times all
readers after one another, each in a process of its own, so that none finds or leaves memory that another pays for,
from the file to what is made of it; what a reader frees on its way counts, what it made is not freed. A ratio is the
median over the rounds of the processor time taken. The import is timed once by the clock, with all that it needs: the
command's start, the object store, the feeders, the database.
"""

import argparse
import json
import logging
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from operator import truediv
from pathlib import Path
from time import perf_counter, process_time
from uuid import UUID, uuid5

from lxml import etree

SHIPPED = Path(__file__).resolve().parents[1] / "infra" / "networks" / "harbour.xml"
OBJECTS = 100_000
ROUNDS = 5
LARGE_BYTES = 100_000
"""Enough for the allocator to put small pieces together, and too little to ask the system for."""

Reader = Callable[[], Callable[[Path], object]]
"""Makes a function that reads a file; what it has to import is not timed."""

_MRID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BUSBAR = (sys.executable, "-m", "services")


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


def report(subjects: Mapping[str, Reader]) -> None:
    """Print the figures of ``subjects`` beside those of the others."""
    options = argparse.ArgumentParser(description="How fast a large model of the network is read.")
    options.add_argument("--objects", type=int, default=OBJECTS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    given = options.parse_args()
    known = {"triplets": _triplets, "cimpy": _cimpy}
    others = {name: reader for name, reader in known.items() if find_spec(name)}
    absent = sorted(known.keys() - others.keys())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.xml"
        document = model(given.objects)
        file.write_bytes(document)
        figures = measure(file, {**subjects, **others}, given.rounds)
        imported = _import_seconds(file, Path(folder) / "state")
        figures["import"] = {"seconds": imported, "ratio": figures["lxml"]["seconds"] / imported}
    made = {"bytes": len(document), "objects": document.count(b'rdf:ID="')}
    told = {name: {what: round(value, 3) for what, value in each.items()} for name, each in figures.items()}
    json.dump({**made, **told, "absent": absent}, sys.stdout, indent=2)
    sys.stdout.write("\n")
    if absent:
        sys.stderr.write(f"Not installed here, and so not measured: {', '.join(absent)}.\n")


def measure(file: Path, subjects: Mapping[str, Reader], rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of lxml and of each subject, and its speed relative to lxml."""
    readers: dict[str, Reader] = {"lxml": _lxml, **subjects}
    taken: dict[str, list[float]] = {name: [] for name in readers}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for _ in range(rounds):
            for name, reader in readers.items():
                taken[name].append(pool.submit(once, reader, file).result())
    return {
        name: {"seconds": statistics.median(times), "ratio": statistics.median(map(truediv, taken["lxml"], times))}
        for name, times in taken.items()
    }


def once(reader: Reader, file: Path) -> float:
    """Seconds of processor time that one reader takes, from the file to what it makes of it."""
    logging.disable(logging.CRITICAL)
    read = reader()
    start = process_time()
    made = read(file)
    # what was freed in small pieces is only put together when a large one is wanted: whoever freed it shall pay
    bytearray(LARGE_BYTES)
    taken = process_time() - start
    if not made:
        raise RuntimeError("a reader made nothing")
    return taken


def _lxml() -> Callable[[Path], object]:
    return etree.parse


def _triplets() -> Callable[[Path], object]:
    """All statements as a table."""
    import pandas as pd  # noqa: PLC0415 - optional
    import triplets  # noqa: F401, PLC0415 - optional; it adds read_RDF to pandas

    return lambda file: [pd.read_RDF([str(file)])]


def _cimpy() -> Callable[[Path], object]:
    """The objects of the classes that CGMES has; the others are passed over."""
    import cimpy  # noqa: PLC0415 - optional

    return lambda file: cimpy.cim_import([str(file)], "cgmes_v2_4_15")["topology"]


def _import_seconds(file: Path, state: Path) -> float:
    """Seconds by the clock of the command that imports the model into a DMS that runs."""
    environment = {**os.environ, "BUSBAR_STATE": str(state)}
    with subprocess.Popen(  # noqa: S603 - our own command
        [*_BUSBAR, "up"], env=environment, stdout=subprocess.PIPE, text=True
    ) as dms:
        try:
            if dms.stdout is None or not any(line.startswith("Ready") for line in dms.stdout):
                raise RuntimeError("the DMS did not start")
            start = perf_counter()
            subprocess.run(  # noqa: S603 - our own command
                [*_BUSBAR, "network", "import", str(file)], env=environment, check=True, capture_output=True
            )
            return perf_counter() - start
        finally:
            dms.send_signal(signal.SIGINT)
            dms.communicate()


if __name__ == "__main__":
    report({})
