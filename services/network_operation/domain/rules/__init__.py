"""The switching rules R1 to R15 (guide to operations, section 3.8), as values.

A rule has an identity and a function from a :class:`~.move.Move` to what it finds. They are asked when a plan is
checked, when it is issued and before each step, whoever wants it. An override takes an author, a reason and a second
person who is a supervisor; nothing overrides R1, R2, R3 and R9, and automation overrides nothing.
"""

from collections.abc import Iterable

from contracts.errors import Conflict
from contracts.nouns.switching_plans import RuleOverride
from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.rules.blocking import hot_line, tagged, under_clearance
from services.network_operation.domain.rules.current import interrupting, loading, unsure_state
from services.network_operation.domain.rules.earthing import earthed_section, interlock, placing_ground
from services.network_operation.domain.rules.move import Move, Rule, Violation
from services.network_operation.domain.rules.paralleling import paralleling
from services.network_operation.domain.rules.planning import other_plans
from services.network_operation.domain.rules.supply import back_feed, critical_customers, faulted_section, single_phase

RULES = (
    Rule(id="R1", title="no operation of a device with a blocking tag", check=tagged, overridable=False),
    Rule(id="R2", title="no closing that energises a grounded section", check=earthed_section, overridable=False),
    Rule(id="R3", title="a ground only on a section proven dead and isolated", check=placing_ground, overridable=False),
    Rule(id="R4", title="no breaking of load by what is not made for it", check=interrupting),
    Rule(id="R5", title="no closing onto a faulted or unpatrolled section", check=faulted_section),
    Rule(id="R6", title="parallel only what matches", check=paralleling),
    Rule(id="R7", title="no load left on some of its phases", check=single_phase),
    Rule(id="R8", title="loading and voltage within their limits", check=loading),
    Rule(id="R9", title="nothing that touches a clearance", check=under_clearance, overridable=False),
    Rule(id="R10", title="interlock of earthing switches and line switches", check=interlock),
    Rule(id="R11", title="critical customers are not dropped without a word", check=critical_customers),
    Rule(id="R12", title="one plan for a device, checked against this model and state", check=other_plans),
    Rule(id="R13", title="reclosing stays off under a hot-line tag", check=hot_line),
    Rule(id="R14", title="no remote control of a device whose state is unsure", check=unsure_state),
    Rule(id="R15", title="no island that only generators feed", check=back_feed),
)


WITHOUT_EFFECT = tuple(rule for rule in RULES if rule.id == "R12")
"""The rules for an act that would change nothing."""


def judged(move: Move, rules: Iterable[Rule] = RULES) -> tuple[Violation, ...]:
    """What the rules find about one act, in their order."""
    return tuple(
        Violation(
            rule=rule.id,
            severity=finding.severity,
            reason=finding.reason,
            object=finding.object,
            wants_word=finding.wants_word,
            overridable=rule.overridable,
        )
        for rule in rules
        for finding in rule.check(move)
    )


def standing(
    violations: Iterable[Violation], overrides: Iterable[RuleOverride], *, by_person: bool
) -> tuple[Violation, ...]:
    """The violations that forbid the act although there are these overrides."""
    given = tuple(overrides) if by_person else ()
    return tuple(each for each in violations if _forbids(each, given, by_person=by_person))


def refuse(move: Move) -> None:
    """Pass an act that no rule refuses; there are no overrides outside of plans.

    Raises:
        Conflict: a rule refuses; all refusals are named.
    """
    found = standing(judged(move), (), by_person=move.by_person)
    if found:
        raise Conflict("; ".join(map(str, found)), object_id=found[0].object or None)


def _forbids(violation: Violation, overrides: tuple[RuleOverride, ...], *, by_person: bool) -> bool:
    fitting = [each for each in overrides if _fits(each, violation)]
    if violation.severity is SeverityKind.REFUSE:
        answered = any(each.approver is not None and each.approver != each.author for each in fitting)
        return not (violation.overridable and answered)
    return violation.wants_word and by_person and not fitting


def _fits(override: RuleOverride, violation: Violation) -> bool:
    resource = override.power_system_resource
    return (
        override.rule == violation.rule
        and bool(override.reason.strip())
        and override.author is not None
        and (resource is None or resource.mrid == violation.object)
    )
