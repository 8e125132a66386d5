"""Who may import whom.

::

    services/x: service -> routes -> views | adapters | store -> config -> domain -> contracts
    services -> shared (kernel) -> contracts.{message,verbs,errors,types,interface}
    shared/fleet -> pure libraries alone
    shared/tools -> all of contracts, the kernel
    services/__main__ -> services, shared/tools, loadtest; nobody imports it
    loadtest -> contracts, the kernel: it measures them; never services
    tests/system -> contracts
    contracts -> msgspec

Imports are read from the syntax, so those in functions and under ``TYPE_CHECKING`` count, and so do relative ones.
What cannot be read, a module loaded by a name made at run time, is refused.
"""

import ast
import sys
from collections.abc import Iterator

from shared.tools.shape.tree import Module, Problem, imports_of, within

_PROJECT = ("contracts", "loadtest", "services", "shared", "tests")
_ENVELOPE = ("contracts.errors", "contracts.interface", "contracts.message", "contracts.types", "contracts.verbs")

_LAYERS = {"service": 0, "routes": 1, "views": 2, "adapters": 2, "store": 2, "config": 3, "domain": 4}
"""The layers of a service from the top; those of one height do not know each other."""

_PURE = (
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "itertools",
    "math",
    "msgspec",
    "numpy",
    "power_grid_model",
    "rustworkx",
    "typing",
)
_IMPURE_PARTS = ("numpy.random", "numpy.ctypeslib", "numpy.lib.npyio")

_LOADS_BY_NAME = ("services/__main__.py",)
"""Files that may load a module by its name: the composition root, which loads the roles that it is asked to run."""

_LOADERS = ("importlib.machinery", "pkgutil", "runpy", "zipimport")
_LOADING_CALLS = (
    "__import__",
    "builtins.__import__",
    "importlib.__import__",
    "importlib.import_module",
    "importlib.reload",
    "importlib.util.module_from_spec",
    "importlib.util.spec_from_file_location",
    "importlib.util.spec_from_loader",
)


def import_problems(module: Module, known: frozenset[str]) -> Iterator[Problem]:
    """The imports of ``module`` that a rule refuses; ``known`` names the modules of the tree."""
    for found in imports_of(module, known):
        reason = _refusal(module, found.target)
        if reason is not None:
            yield module.problem(found.line, f"imports {found.target}: {reason}")
    if str(module.path) not in _LOADS_BY_NAME and module.path.parts[0] != "tests":
        for node in ast.walk(module.syntax):
            if isinstance(node, ast.Name | ast.Attribute) and module.full_name(node) in _LOADING_CALLS:
                yield module.problem(node.lineno, "loads a module by name: an import is a statement")


def _refusal(module: Module, target: str) -> str | None:
    """Why ``module`` may not import ``target``, or None when it may."""
    if target.startswith("."):
        return "a relative import stays inside the tree"
    if within(target, "services.__main__"):
        return "nobody imports the composition root"
    return _refusal_to_place(module, target) or _refusal_of_loader(module, target)


def _refusal_to_place(module: Module, target: str) -> str | None:
    reason = None
    match module.path.parts:
        case ("contracts", *_):
            reason = _refusal_to_contracts(target)
        case ("shared", "tools", *_):
            reason = "the tools know no service" if within(target, "services", "loadtest", "tests") else None
        case ("shared", "fleet", *_):
            pure = _is_pure(target, "shared.fleet")
            reason = None if pure else "the fleet is a function: it knows itself and pure libraries alone"
        case ("shared", *_):
            reason = _refusal_to_kernel(target)
        case ("services", "__main__.py"):
            reason = "tests are for pytest alone" if within(target, "tests") else None
        case ("services", service, *_):
            reason = _refusal_to_service(module, service, target)
        case ("loadtest", *_):
            reason = "what measures knows no service" if within(target, "services", "tests") else None
        case ("tests", "system", *_):
            reason = _refusal_to_outsider("tests", target)
    return reason


def _refusal_of_loader(module: Module, target: str) -> str | None:
    if str(module.path) in _LOADS_BY_NAME or module.path.parts[0] == "tests" or not within(target, *_LOADERS):
        return None
    return "an import is a statement, not a name made at run time"


def _refusal_to_outsider(own: str, target: str) -> str | None:
    if within(target, *_PROJECT) and not within(target, "contracts", own):
        return "what looks at the system from outside knows the contracts and the bus alone"
    return None


def _refusal_to_contracts(target: str) -> str | None:
    if within(target, "contracts", "msgspec") or target.partition(".")[0] in sys.stdlib_module_names:
        return None
    return "contracts are data: they import msgspec and the standard library alone"


def _refusal_to_kernel(target: str) -> str | None:
    if within(target, "shared.tools"):
        return "the kernel does not know the tools"
    if within(target, "contracts") and not within(target, *_ENVELOPE):
        return "the kernel is given a catalogue and knows no noun and no interface"
    if within(target, "services", "loadtest", "tests"):
        return "the kernel knows nothing above it"
    return None


def _refusal_to_service(module: Module, service: str, target: str) -> str | None:
    own = f"services.{service}"
    if _is_domain(module):
        pure = _is_pure(target, "contracts", f"{own}.domain")
        return None if pure else "a domain module knows the contracts, itself and pure libraries alone"
    if within(target, own):
        return _refusal_to_layer(module.name, own, target)
    if within(target, "services"):
        return "services meet on the bus alone"
    if within(target, "shared.tools", "loadtest", "tests"):
        return "a service knows the kernel and the contracts alone"
    return None


def _refusal_to_layer(importer: str, own: str, target: str) -> str | None:
    if target == own:
        return "the package of a service holds no names"
    mine, other = (name.removeprefix(own).strip(".").partition(".")[0] for name in (importer, target))
    if not mine:
        return "the package of a service holds no names"
    if mine == other or mine not in _LAYERS or other not in _LAYERS or _LAYERS[mine] < _LAYERS[other]:
        return None
    return f"'{mine}' does not stand above '{other}'"


def _is_pure(target: str, *allowed: str) -> bool:
    return within(target, *allowed, *_PURE) and not within(target, *_IMPURE_PARTS)


def _is_domain(module: Module) -> bool:
    match module.path.parts:
        case ("services", _, "domain.py") | ("services", _, "domain", *_):
            return True
    return False
