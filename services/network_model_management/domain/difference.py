"""Differences between versions of a model as sets of statements (IEC 61970-552), forward and back.

A difference is exact when its reverse statements hold before it and its forward statements do not. Of an exact
difference the reverse of the reverse is the difference, and applying both changes nothing. What people write is not
exact: an element that names the class of an object states the class as well, whether that changes or not.
"""

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct

from services.network_model_management.domain.model import Problem

TYPE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}type"


class Statement(Struct, frozen=True, kw_only=True, order=True):
    """One statement of RDF.

    Attributes:
        subject: the identifier of the object without its prefix.
        predicate: the property, ``{namespace}name``.
        value: the text, the identifier of another object without its prefix, the URI or the markup.
        kind: ``literal``, ``link`` to an object, ``resource`` elsewhere or ``structure``.
        attributes: what else stands at the property, such as a language or a data type.
    """

    subject: str
    predicate: str
    value: str
    kind: str
    attributes: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.predicate.rpartition('}')[2]} {self.value.rpartition('}')[2]}"


Statements = frozenset[Statement]


class Difference(Struct, frozen=True, kw_only=True):
    """What holds after and not before, what held before and not after, and what must hold for it to be applied."""

    forward: Statements = frozenset()
    reverse: Statements = frozenset()
    preconditions: Statements = frozenset()

    @property
    def subjects(self) -> frozenset[str]:
        """The objects of which it speaks."""
        return frozenset(each.subject for each in self.forward | self.reverse | self.preconditions)


def exact(difference: Difference, known: AbstractSet[Statement]) -> tuple[Difference, tuple[Problem, ...]]:
    """The exact difference that is meant for a model of which ``known`` is all that is said of its subjects.

    Without preconditions, which have done their work; or else everything that keeps it from being applied.
    """
    stated: defaultdict[str, set[Statement]] = defaultdict(set)
    for statement in known:
        stated[statement.subject].add(statement)
    reverse = difference.reverse - difference.forward
    forward = difference.forward - difference.reverse
    reverse = frozenset(each for each in reverse if not _only_names(each, reverse, forward, stated[each.subject]))
    forward = frozenset(each for each in forward if each.predicate != TYPE or each not in known)
    meant = Difference(forward=forward, reverse=reverse)
    problems = (*_unmet(difference, known), *_impossible(meant, stated))
    return meant, tuple(sorted(problems))


def applied(difference: Difference, statements: Statements) -> Statements:
    """The statements after an exact difference."""
    return (statements - difference.reverse) | difference.forward


def reversed_(difference: Difference) -> Difference:
    """The difference that undoes an exact one."""
    return Difference(forward=difference.reverse, reverse=difference.forward)


def _only_names(statement: Statement, reverse: Statements, forward: Statements, stated: set[Statement]) -> bool:
    """True for the class of an object that goes on: other statements of it stay or come, and no other class does."""
    if statement.predicate != TYPE:
        return False
    coming = [each for each in forward if each.subject == statement.subject]
    if any(each.predicate == TYPE for each in coming):
        return False
    return bool(coming) or any(each not in reverse for each in stated)


def _unmet(difference: Difference, known: AbstractSet[Statement]) -> Iterator[Problem]:
    for each in difference.reverse - known:
        yield Problem(line=0, id=each.subject, text=f"reverse: the model does not say {each}")
    for each in difference.preconditions - known:
        yield Problem(line=0, id=each.subject, text=f"preconditions: the model does not say {each}")


def _impossible(meant: Difference, stated: dict[str, set[Statement]]) -> Iterator[Problem]:
    after: defaultdict[str, set[Statement]] = defaultdict(set)
    for each in meant.forward:
        if each in stated.get(each.subject, ()):
            yield Problem(line=0, id=each.subject, text=f"forward: the model says {each} already")
        after[each.subject].add(each)
    for subject, coming in after.items():
        said = (stated.get(subject, set()) - meant.reverse) | coming
        classes = sorted(each.value.rpartition("}")[2] for each in said if each.predicate == TYPE)
        if not classes:
            yield Problem(line=0, id=subject, text="forward: there is no such object, and its class is not stated")
        elif len(classes) > 1:
            yield Problem(line=0, id=subject, text=f"forward: it would be {' and '.join(classes)}")
        for predicate in {each.predicate for each in coming if each.kind == "literal"}:
            values = sorted(each.value for each in said if each.predicate == predicate)
            if len(values) > 1:
                name = predicate.rpartition("}")[2]
                yield Problem(line=0, id=subject, text=f"forward: {name} would be {' and '.join(values)}")
