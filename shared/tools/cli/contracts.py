"""`busbar contracts`: write what is generated from the contracts, or judge whether all is as it must be."""

import sys
from pathlib import Path

from contracts.interface import Catalogue
from shared.tools.generate import stale, write
from shared.tools.generate.breaks import breaks_since
from shared.tools.generate.completeness import incomplete


def problems(root: Path, catalogue: Catalogue) -> list[str]:
    """What is stale or missing in the contracts of the tree at ``root``, in sentences; empty when all is well."""
    return [*stale(root, catalogue), *incomplete(root, catalogue)]


def contracts(root: Path, catalogue: Catalogue, *, check: bool, against: str | None) -> int:
    """Write the generated files; or verify them, and what they break of an older revision, without writing.

    Raises:
        ValueError: when ``against`` is no revision that can be compared with.
    """
    if not check and against is None:
        changes = write(root, catalogue)
        sys.stdout.writelines(f"{change}\n" for change in changes)
        sys.stdout.write(f"{len(changes)} files changed.\n" if changes else "All generated files are fresh.\n")
        return 0
    found = problems(root, catalogue) if check else []
    if against is not None:
        found += breaks_since(against, root, catalogue)
    sys.stdout.writelines(f"{problem}\n" for problem in found)
    sys.stdout.write(f"{len(found)} problems.\n" if found else "The contracts are in order.\n")
    return 1 if found else 0
