"""The check of the tree: what ruff, mypy and import-linter cannot see of the promises in ``docs/architecture.md``.

Rules stand one theme to a module: :mod:`~shared.tools.shape.imports`, :mod:`~shared.tools.shape.purity` of the domain,
:mod:`~shared.tools.shape.handlers`, :mod:`~shared.tools.shape.files`.
"""

from pathlib import Path

from shared.tools.shape.files import length_problems, name_problems, service_problems
from shared.tools.shape.handlers import handler_problems
from shared.tools.shape.imports import import_problems
from shared.tools.shape.purity import purity_problems
from shared.tools.shape.tree import Problem, dotted_path, paths_of, read

__all__ = ["Problem", "check"]


def check(root: Path) -> list[Problem]:
    """What is not as promised in the tree at ``root``, in the order of files and lines; empty when all is well."""
    paths = paths_of(root)
    modules, problems = read(root, paths)
    known = frozenset(dotted_path(path) for path in paths)
    problems.extend(name_problems(paths))
    problems.extend(service_problems(root, paths))
    for module in modules:
        problems.extend(length_problems(module))
        problems.extend(import_problems(module, known))
        problems.extend(purity_problems(module))
        problems.extend(handler_problems(module))
    return sorted(problems)
