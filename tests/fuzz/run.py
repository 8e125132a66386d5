"""One target under libFuzzer, in a process of its own: ``python -m tests.fuzz.run TARGET [options of libFuzzer]``.

It ends with an input that shows a defect, with one that takes too much time or memory, or when its time is up.
"""

import sys
from importlib import import_module

INSTRUMENTED = ["contracts.message", "contracts.types", "shared.codec"]
"""The modules whose branches guide the search."""


def main() -> None:
    """Run the target that the first argument names, with the rest as options of libFuzzer."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        targets = import_module("tests.fuzz.targets")
    program, target, *options = sys.argv
    atheris.Setup([program, *options], targets.TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
