"""A domain module computes: time, identifiers and chance come in as values, and nothing goes out but the result.

The imports of a domain module are judged with all others; here stand the calls that need no import, or that hide
behind an import that is allowed for another purpose.
"""

import ast
from collections.abc import Iterator

from shared.tools.shape.tree import Module, Problem

_BUILTINS = frozenset({"breakpoint", "compile", "eval", "exec", "input", "open", "print"})
_CLOCK_METHODS = frozenset({"now", "today", "utcnow"})
_DATES = frozenset({"date", "datetime", "datetime.date", "datetime.datetime"})
_IDENTIFIERS = frozenset({"uuid1", "uuid3", "uuid4", "uuid5", "uuid6", "uuid7", "uuid8"})
_NUMPY_FILES = frozenset(
    f"numpy.{name}"
    for name in ("fromfile", "fromregex", "genfromtxt", "load", "loadtxt", "memmap", "save", "savetxt", "savez")
)
_TIME = frozenset(
    f"time.{name}{suffix}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")
    for suffix in ("", "_ns")
) | {"time.ctime", "time.gmtime", "time.localtime", "time.sleep", "time.strftime"}


def purity_problems(module: Module) -> Iterator[Problem]:
    """What ``module`` does besides computing, if it is a domain module or of the fleet."""
    match module.path.parts:
        case ("services", _, "domain.py") | ("services", _, "domain", *_) | ("shared", "fleet", *_):
            yield from _impurities(module)


def _impurities(module: Module) -> Iterator[Problem]:
    bound = _bound_names(module.syntax)
    called = {id(node.func) for node in ast.walk(module.syntax) if isinstance(node, ast.Call)}
    for node in ast.walk(module.syntax):
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        reason = _impurity(module, node, called=id(node) in called, bound=bound)
        if reason is not None:
            yield module.problem(node.lineno, f"uses {ast.unparse(node)}: a domain module {reason}")


def _impurity(module: Module, node: ast.Name | ast.Attribute, *, called: bool, bound: frozenset[str]) -> str | None:
    name = module.full_name(node) or ""
    reads_or_writes = isinstance(node, ast.Name) and node.id in _BUILTINS and (called or node.id not in bound)
    if reads_or_writes or name in _NUMPY_FILES:
        return "reads and writes nothing"
    if _asks_the_clock(module, node) and (called or _is_of_a_date(module, node)):
        return "is told the time"
    if called and name.rpartition(".")[2] in _IDENTIFIERS:
        return "is told identifiers"
    if name == "numpy.random":
        return "is given its chance as values"
    return None


def _asks_the_clock(module: Module, node: ast.Name | ast.Attribute) -> bool:
    return module.full_name(node) in _TIME or (isinstance(node, ast.Attribute) and node.attr in _CLOCK_METHODS)


def _is_of_a_date(module: Module, node: ast.Name | ast.Attribute) -> bool:
    return isinstance(node, ast.Attribute) and module.full_name(node.value) in _DATES


def _bound_names(syntax: ast.Module) -> frozenset[str]:
    """The names that the module gives a meaning of its own: parameters, variables, fields."""
    parameters = {node.arg for node in ast.walk(syntax) if isinstance(node, ast.arg)}
    variables = {node.id for node in ast.walk(syntax) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(parameters | variables)
