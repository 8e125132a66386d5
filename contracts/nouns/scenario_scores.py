"""ScenarioScores: how well a storm was handled, beside a reference solution that knows all that is true.

Ours [P]; the business function is Emergency Simulation of IEC 61968-1:2020. A score is there when its storm has ended.

The reference solution knows each fault and its place when it strikes. It switches at once what can be operated from
afar, sends a crew straight to the place, repairs in the same time as in the run, and looks at no loading: hardly
anybody can do better. The other end of the scale is to wait for the repair and to switch nothing before it.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, attribute

NAMESPACE = "urn:busbar:2026:ScenarioScores#"

Minutes = float
"""Minutes."""

Percent = float
"""From 0 to 100."""


class CourseKind(StrEnum):
    """Whose course it is: of the run in truth, of the reference solution, or of waiting for the repair."""

    REFERENCE = "reference"
    RUN = "run"
    WAITING = "waiting"


class CustomersOff(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """From this time on so many customers were without power."""

    customers: int
    date_time: Instant


class Course(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How many customers were without power at each time, and the customer-minutes of sustained interruptions."""

    customer_minutes: Minutes
    kind: CourseKind
    customers_off: tuple[CustomersOff, ...] = field(name="CustomersOff", default=())


class FaultScore(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One fault that stayed: when the reference solution would have isolated and repaired it and restored everybody.

    ``run_restored_date_time`` is when everybody had power again in the run, ``customers`` how many the fault left in
    the dark.
    """

    customers: int
    fault: str
    isolated_date_time: Instant
    repaired_date_time: Instant
    restored_date_time: Instant
    run_restored_date_time: Instant | None = None


class ScenarioScore(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The score of the storm with this mRID.

    ``score`` is the customer-minutes of the reference solution as a share of those of the run, ``waiting_score`` the
    same share of those of waiting for the repair: what a run is worth in which nobody switches.
    """

    mrid: str
    score: Percent
    waiting_score: Percent
    course: tuple[Course, ...] = field(name="Course", default=())
    fault_score: tuple[FaultScore, ...] = field(name="FaultScore", default=())
    names: tuple[Name, ...] = field(name="Names", default=())


class ScenarioScores(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    scenario_score: tuple[ScenarioScore, ...] = field(name="ScenarioScore", default=())
