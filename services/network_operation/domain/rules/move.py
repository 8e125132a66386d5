"""What the rules are asked about, and what they answer."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, UsagePoint
from contracts.nouns.switching_studies import SeverityKind
from services.network_operation.domain.acts import Act
from services.network_operation.domain.figures import Figures, Question
from services.network_operation.domain.situation import Situation


class Basis(Struct, frozen=True, kw_only=True):
    """What a plan was checked against: the model, and how everything stood in the feeders that it touches."""

    model_version: str
    standing: Mapping[str, str] = {}


class Move(Struct, frozen=True, kw_only=True, dict=True):
    """An act in a situation.

    ``by_person`` is False for automation, ``remote`` True for what telecontrol does. ``basis`` is what the plan was
    checked against, where that is to be compared.
    """

    act: Act
    before: Situation
    basis: Basis | None = None
    by_person: bool = False
    plan: str = ""
    remote: bool = False

    @cached_property
    def after(self) -> Situation:
        """The situation if it is done."""
        return self.before.after(self.act)

    @cached_property
    def figures(self) -> Figures:
        """What the network would bear once it is done."""
        return self.before.figures(Question(grid=self.after.grid, devices=(self.act.device,)))

    @cached_property
    def figures_before(self) -> Figures:
        """What it bears now."""
        return self.before.figures(Question(grid=self.before.grid, devices=(self.act.device,)))

    @cached_property
    def figures_normal(self) -> Figures:
        """What it would bear with every switch in its normal position."""
        return self.before.figures(Question(grid=self.before.grid.normal, devices=(self.act.device,)))

    @cached_property
    def energised(self) -> frozenset[str]:
        """The nodes that get a phase."""
        return self.before.grid.energised_by(self.after.grid)

    @cached_property
    def dropped(self) -> tuple[UsagePoint, ...]:
        """The usage points that lose their supply."""
        return self.before.grid.dropped_by(self.after.grid)

    @cached_property
    def picked_up(self) -> tuple[UsagePoint, ...]:
        """The usage points that get it back."""
        return self.after.grid.dropped_by(self.before.grid)

    @property
    def switch(self) -> Equipment | None:
        """The equipment that is operated, if it is some of the feeders."""
        return self.before.grid.get(self.act.device)


class Finding(Struct, frozen=True, kw_only=True):
    """What a rule finds: why, about which object; with ``wants_word`` a person has to answer for it by name."""

    object: str
    reason: str
    severity: SeverityKind = SeverityKind.REFUSE
    wants_word: bool = False


class Rule(Struct, frozen=True, kw_only=True):
    """One rule."""

    id: str
    title: str
    check: Callable[[Move], Iterator[Finding]]
    overridable: bool = True


class Violation(Struct, frozen=True, kw_only=True):
    """What a rule found, with the rule."""

    rule: str
    severity: SeverityKind
    reason: str
    object: str
    overridable: bool = True
    wants_word: bool = False

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason}"
