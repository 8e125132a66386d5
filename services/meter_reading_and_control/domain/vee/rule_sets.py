"""Rule sets as data: which rules judge what, by which settings, and how gaps are filled (metering guide 1.3, 4, 5)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from services.meter_reading_and_control.domain.vee.rules import ORDER, RULES


class Estimator(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of the ladder of estimates, E1 to E7.

    Attributes:
        method: its name.
        longest: of a gap that it fills; None for any.
        days: of like days that a mean is made of.
    """

    method: str
    longest: timedelta | None = None
    days: int = 3


class RuleSet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is done with the days of some usage points and reading types, from a day on.

    Attributes:
        id: its name.
        version: grows with every change; findings name both.
        applies_to_class: the class of a usage point, such as ``residential``, or how it begins, as ``res*``.
        applies_to_type: the same for the ReadingType.
        since: the first market day for which it is valid.
        rules: names of rules and their settings; what is not named does not judge.
        ladder: estimators in the order in which they are tried; the first that can fills a gap.
    """

    id: str
    version: int
    since: date
    rules: Mapping[str, Mapping[str, float]]
    ladder: tuple[Estimator, ...]
    applies_to_class: str = "*"
    applies_to_type: str = "*"

    def __post_init__(self) -> None:
        """Refuse what does not exist.

        Raises:
            ValueError: a rule, a setting of a rule or an estimator has no such name.
        """
        known = {name for group in ORDER for name in group}
        unknown = [*(name for name in self.rules if name not in known), *(e for e in self._methods if e not in METHODS)]
        unknown += [
            f"{name} {setting}"
            for name, settings in self.rules.items()
            for setting in settings
            if name in RULES and setting not in RULES[name].settings
        ]
        if unknown:
            raise ValueError(f"rule set {self.id}: there is no {', '.join(unknown)}")

    @property
    def key(self) -> tuple[str, int]:
        """Its id and version."""
        return self.id, self.version

    @property
    def _methods(self) -> tuple[str, ...]:
        return tuple(each.method for each in self.ladder)

    @property
    def in_order(self) -> tuple[str, ...]:
        """The names of its rules in the order in which they judge."""
        return tuple(name for group in ORDER for name in group if name in self.rules)


METHODS = ("E1", "E2", "E3", "E4", "E5", "E6", "E7")

INTERVALS = RuleSet(
    id="intervals",
    version=1,
    since=date(2000, 1, 1),
    rules={name: {} for group in ORDER for name in group if name != "V15"},
    ladder=(
        Estimator(method="E1", longest=timedelta(days=1)),
        Estimator(method="E2"),
        Estimator(method="E3", longest=timedelta(hours=2)),
        Estimator(method="E4", longest=timedelta(days=7)),
        Estimator(method="E5", longest=timedelta(days=60)),
        Estimator(method="E6"),
    ),
)
"""The rule set where nobody set another: the defaults of the guide. V15 needs a threshold that fits the class."""


ANY_CLASS = ""
"""The class of a usage point of which nobody has said one; only rule sets for all classes apply."""

VALID_THEN = "valid"
"""Asks for the rule set that is valid for each day."""


def among(rule_sets: Sequence[RuleSet], wanted: str) -> Sequence[RuleSet]:
    """Those that ``wanted`` means: all for ``valid``, else the newest of an id, or the one that is ``id/version``.

    One that is named judges whatever it is asked of, also before the day from which it is to be valid.

    Raises:
        Invalid: 2.29, there is none.
    """
    if wanted == VALID_THEN:
        return rule_sets
    found = [each for each in rule_sets if wanted in {each.id, f"{each.id}/{each.version}"}]
    if not found:
        there = ", ".join(f"{each.id}/{each.version}" for each in rule_sets)
        raise Invalid(f"there is no rule set '{wanted}'; there are {VALID_THEN}, {there}", code="2.29")
    newest = max(found, key=lambda each: each.version)
    return (replace(newest, since=date.min, applies_to_class="*", applies_to_type="*"),)


def chosen(rule_sets: Iterable[RuleSet], usage_point_class: str, reading_type: str, day: date) -> RuleSet:
    """The rule set for a day: of those that apply the one that is valid for the shortest time by then, newest version.

    Raises:
        Invalid: 2.10, none applies.
    """
    fitting = [
        each
        for each in rule_sets
        if each.since <= day
        and fits(usage_point_class, each.applies_to_class)
        and fits(reading_type, each.applies_to_type)
    ]
    if not fitting:
        raise Invalid(f"no rule set applies to {usage_point_class}, {reading_type} on {day}", code="2.10")
    return max(fitting, key=lambda each: (each.since, each.applies_to_class != "*", each.version, each.id))


def fits(text: str, pattern: str) -> bool:
    """True where a text is what a pattern says, or begins with what stands before its ``*``."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
