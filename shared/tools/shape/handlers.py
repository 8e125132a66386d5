"""A handler reads, decides, saves and says; what else it does belongs to the kernel or is a rule of the domain."""

import ast
import re
from collections.abc import Iterator

from shared.tools.shape.tree import Module, Problem

STATEMENT_LINES = 25
"""So many lines of statements fit a handler; a longer one hides a rule."""

_DECORATORS = frozenset({"on", "on_batch", "on_reply", "on_wake"})
_LOGS = frozenset({"log", "logger", "logging"})
_TRANSACTION_WORDS = frozenset({"begin", "commit", "rollback", "savepoint", "transaction"})
_TRANSACTION_SQL = re.compile(r"\s*(begin|commit|rollback|savepoint|start\s+transaction)\b", re.IGNORECASE)
_SUBJECT = re.compile(r"(busbar|_INBOX|\$JS)(\.\S*){2,}|\{\}\.\S*\.(request|command|event|reply|admin)\.\S*")
"""A literal of two or more dots that starts with the root, or with a placeholder and goes on as subjects do."""

Handler = ast.FunctionDef | ast.AsyncFunctionDef


def handler_problems(module: Module) -> Iterator[Problem]:
    """What the handlers of ``module`` do that is not theirs; a module outside the services has none."""
    if module.path.parts[0] != "services":
        return
    services = {"service", *_service_variables(module)}
    for node in ast.walk(module.syntax):
        if isinstance(node, Handler) and any(_is_registration(each, services) for each in node.decorator_list):
            yield from _problems(module, node)


def _service_variables(module: Module) -> Iterator[str]:
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = module.full_name(node.value.func) or ""
            if made.rpartition(".")[2] == "Service":
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _is_registration(decorator: ast.expr, services: set[str]) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (
        isinstance(called, ast.Attribute)
        and called.attr in _DECORATORS
        and isinstance(called.value, ast.Name)
        and called.value.id in services
    )


def _problems(module: Module, handler: Handler) -> Iterator[Problem]:
    body = handler.body[1:] if ast.get_docstring(handler) is not None else handler.body
    lines = _statement_lines(module, body)
    if lines > STATEMENT_LINES:
        sentence = f"handler {handler.name} has {lines} lines of statements: more than {STATEMENT_LINES} hide a rule"
        yield module.problem(handler.lineno, sentence)
    for statement in body:
        inside_texts = {
            id(part) for node in ast.walk(statement) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in ast.walk(statement):
            reason = None if id(node) in inside_texts else _reason(module, node)
            if reason is not None:
                line = getattr(node, "lineno", handler.lineno)
                yield module.problem(line, f"handler {handler.name} {reason}")


def _statement_lines(module: Module, body: list[ast.stmt]) -> int:
    """The lines from the first to the last statement, without blank ones and comments."""
    if not body:
        return 0
    lines = module.text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    return sum(1 for line in lines if line.strip() and not line.strip().startswith("#"))


def _reason(module: Module, node: ast.AST) -> str | None:
    match node:
        case ast.Try() | ast.TryStar():
            return "has a try: errors of the tree of errors are raised, the kernel answers them"
        case ast.Name() | ast.Attribute():
            return _reason_of_name(module, node)
        case ast.Constant(value=str(text)):
            return _reason_of_text(text)
        case ast.JoinedStr():
            return _reason_of_text(_shape_of(node))
    return None


def _reason_of_name(module: Module, node: ast.Name | ast.Attribute) -> str | None:
    last = node.id if isinstance(node, ast.Name) else node.attr
    name = module.full_name(node) or last
    if name in {"suppress", "contextlib.suppress"}:
        return "suppresses errors: the kernel answers them"
    if last.strip("_").lower() in _TRANSACTION_WORDS:
        return f"says '{last}': the kernel opens and ends the transaction"
    before = name.split(".")[:-1]
    if name == "print" or (isinstance(node, ast.Attribute) and _LOGS & {part.strip("_").lower() for part in before}):
        return f"logs by '{name}': the kernel tells what happens"
    return None


def _reason_of_text(text: str) -> str | None:
    if _SUBJECT.fullmatch(text):
        return f"spells the subject '{text}': verb, noun and role decide it"
    if _TRANSACTION_SQL.match(text):
        return f"says '{text}': the kernel opens and ends the transaction"
    return None


def _shape_of(text: ast.JoinedStr) -> str:
    """The text with ``{}`` for each value put in."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in text.values)
