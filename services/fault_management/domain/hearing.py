"""What was heard about the supply of an area, found by usage point, beside what the log says of the same points."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from services.fault_management.domain.evidence import Evidence
from services.fault_management.domain.interruptions import Interruption
from services.fault_management.domain.prediction import Prediction


class Hearing:
    """Made anew when more is heard.

    Attributes:
        evidence: about supply, in order.
        interruptions: by the log, the earliest first.
        older: the areas that were dark before an interruption, by its key, of those that were judged already.
    """

    def __init__(self, evidence: Sequence[Evidence], interruptions: Iterable[Interruption]) -> None:
        self.evidence = evidence
        self.interruptions = interruptions
        self.older: dict[tuple[str, datetime], Sequence[Prediction]] = {}

    def of(self, points: Iterable[str]) -> list[Evidence]:
        """The evidence at some usage points, of each in the order of time."""
        return [each for mrid in points for each in self._at.get(mrid, ())]

    @cached_property
    def _at(self) -> Mapping[str, Sequence[Evidence]]:
        found: dict[str, list[Evidence]] = {}
        for each in self.evidence:
            found.setdefault(each.usage_point, []).append(each)
        return found

    @cached_property
    def dark(self) -> frozenset[str]:
        """The usage points of which it was ever said that their power is missing."""
        return frozenset(each.usage_point for each in self.evidence if each.dark)

    @cached_property
    def interrupted(self) -> Mapping[str, Sequence[Interruption]]:
        """The interruptions of each of the dark usage points."""
        found: dict[str, list[Interruption]] = {}
        for each in self.interruptions:
            for mrid in each.points & self.dark:
                found.setdefault(mrid, []).append(each)
        return found
