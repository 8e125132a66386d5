"""Numbers in a model: what is stated, in the unit of the class, and a finding for what is no number."""

from math import isfinite

from contracts.nouns.network_models import ModelFindingKind
from services.network_model_management.domain.model import CimObject, Finding


class Numbers:
    """Reads the attributes of objects as numbers and keeps what could not be read."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def of(self, each: CimObject, attribute: str) -> float | None:
        """The finite number that the object states, or None; what is stated and no number is a finding."""
        stated = each.values.get(attribute)
        if stated is None:
            return None
        try:
            number = float(stated)
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            text = f"{attribute} is no number: '{stated}'"
            self.findings.append(Finding(kind=ModelFindingKind.UNREADABLE_NUMBER, mrid=each.mrid, text=text))
            return None
        return number

    def first(self, each: CimObject, *attributes: str) -> float | None:
        """The first of these attributes that the object states."""
        found = (self.of(each, attribute) for attribute in attributes)
        return next((number for number in found if number is not None), None)

    def some(self, each: CimObject, attribute: str, otherwise: float) -> float:
        """The number that the object states, or the default of its class."""
        number = self.of(each, attribute)
        return otherwise if number is None else number

    def whole(self, each: CimObject, attribute: str, otherwise: int) -> int:
        """The number that the object states, rounded, or the default of its class."""
        return round(self.some(each, attribute, otherwise))


def flag(each: CimObject, attribute: str) -> bool | None:
    """A truth value, or None where nothing is said."""
    stated = each.values.get(attribute)
    return None if stated is None else stated in {"true", "1"}
