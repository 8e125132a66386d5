"""From what was seen to what is wrong.

The limits are ours and of general knowledge [P]; they are a versioned set. What the methodology of CNAIM makes of a
word counts as well: a collar of 8 is as bad as HI5.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from contracts.errors import Invalid
from services.asset_management.domain import gases
from services.asset_management.domain.assessment import Observation
from services.asset_management.domain.classes import Class

VERSION = "findings 1"


class Priority(StrEnum):
    """How urgent a finding is; P4 waits for the next planned work."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def days(self) -> int:
        """Within how many days something is to be done."""
        return {"P1": 1, "P2": 30, "P3": 180, "P4": 730}[self.value]

    @property
    def rank(self) -> int:
        """The rank of the work; 1 is life and safety."""
        return {"P1": 1, "P2": 4, "P3": 6, "P4": 8}[self.value]


class Limit(Struct, frozen=True, kw_only=True):
    """When a measured value is a finding: from which value on, in each priority that it may have.

    Attributes:
        low: small values are bad.
        steps: the limit of each priority, the worst first.
        advice: what is to be done.
    """

    low: bool
    steps: tuple[tuple[Priority, float], ...]
    advice: str

    def judged(self, value: float) -> Priority | None:
        """The priority of a value, if it is a finding."""
        return next((each for each, limit in self.steps if (value < limit if self.low else value > limit)), None)


P = Priority

LIMITS: Mapping[str, Limit] = {
    "clearanceToVegetation": Limit(low=True, steps=((P.P1, 0.5), (P.P2, 1.0), (P.P3, 2.0)), advice="cut the trees"),
    "clearanceToGround": Limit(low=True, steps=((P.P1, 5.0), (P.P2, 5.8)), advice="raise the conductor"),
    "residualStrength": Limit(low=True, steps=((P.P1, 50.0), (P.P2, 67.0), (P.P3, 80.0)), advice="replace the pole"),
    "temperatureRise": Limit(low=False, steps=((P.P1, 40.0), (P.P2, 15.0), (P.P3, 4.0)), advice="mend the joint"),
    "gasPressure": Limit(low=True, steps=((P.P1, 80.0), (P.P2, 90.0)), advice="find the leak and refill"),
    "oilLevel": Limit(low=True, steps=((P.P1, 20.0), (P.P2, 50.0)), advice="find the leak and refill"),
    "insulationResistance": Limit(low=True, steps=((P.P1, 1.0), (P.P3, 100.0)), advice="find what lost insulation"),
}
"""In metres, per cent of the nominal value, kelvin above a like part, and megaohms."""

COLLARS = ((8.0, P.P2), (5.5, P.P3), (3.0, P.P4))
"""From which collar of a condition on it is a finding, and how urgent."""

DEFECT = "defect"
"""An inspector's own finding: the observation ``defect`` says what is wrong and begins with its priority."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something that is wrong with an asset; of one code an asset has one at a time."""

    code: str
    priority: Priority
    reason: str
    advice: str


def findings(observations: Iterable[Observation], kind: Class | None) -> list[Finding]:
    """What is wrong by what was seen, the most urgent first.

    Raises:
        Invalid: a defect without a priority.
    """
    found = [each for seen in observations if (each := _judged(seen, kind)) is not None]
    return sorted(found, key=lambda each: (each.priority, each.code))


def cleared(observations: Iterable[Observation], kind: Class | None) -> set[str]:
    """The codes of which what was seen says that nothing is wrong."""
    return {seen.name for seen in observations if seen.name != DEFECT and _judged(seen, kind) is None}


def gas_finding(status: gases.Status, diagnosis: gases.Diagnosis) -> Finding | None:
    """What a sample of oil is, if it is a finding."""
    if status.number == 1:
        return None
    reason = f"IEEE C57.104 status {status.number}: {'; '.join(status.reasons)}. IEC 60599: {diagnosis.text}"
    urgent = P.P2 if status.number > 2 else P.P4  # noqa: PLR2004 - the worst status is 3
    return Finding(code="dissolvedGas", priority=urgent, reason=reason, advice=gases.ACTIONS[status.number])


def worsened(before: str | None, now: str) -> Finding | None:
    """The finding that health fell into one of the last two bands; none where there was no band before."""
    if before is None or now <= before or now not in _LAST_BANDS:
        return None
    priority, advice = _LAST_BANDS[now]
    return Finding(code="healthIndex", priority=priority, reason=f"from {before} to {now}", advice=advice)


_LAST_BANDS = {"HI4": (P.P4, "look at it closely"), "HI5": (P.P3, "plan its replacement")}


def _judged(seen: Observation, kind: Class | None) -> Finding | None:
    if seen.name == DEFECT:
        said = seen.word or ""
        priority, what = said[:2], said[2:].strip(": ")
        if priority not in set(Priority) or not what:
            raise Invalid(f"Properties: the defect '{seen.word}' must be P1, P2, P3 or P4 and what is wrong")
        return Finding(code=f"{DEFECT}: {what}", priority=Priority(priority), reason=what, advice="repair it")
    limit = LIMITS.get(seen.name)
    if limit is not None and seen.number is not None:
        urgent = limit.judged(seen.number)
        reason = f"{seen.name} is {seen.number:g}"
        return None if urgent is None else Finding(code=seen.name, priority=urgent, reason=reason, advice=limit.advice)
    return _worded(seen, kind)


def _worded(seen: Observation, kind: Class | None) -> Finding | None:
    word = (seen.word or "").strip().lower()
    tables = {} if kind is None else {**kind.observed, **kind.measured}
    modifier = tables.get(seen.name, {}).get(word)
    urgent = None if modifier is None else next((each for least, each in COLLARS if modifier.collar >= least), None)
    if urgent is None:
        return None
    return Finding(code=seen.name, priority=urgent, reason=f"{seen.name}: {word}", advice="repair or replace it")
