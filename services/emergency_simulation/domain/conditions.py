"""How the field behaves: what a storm may choose of it, and what it is where nobody chose.

The names are those of ``FieldConditions``, where they are explained. Figures marked [P] are our proposals, the others
were published: see the guide of the domain for where.
"""

from msgspec import Struct, structs

from contracts.errors import Invalid
from contracts.nouns.training_scenarios import FieldConditions


class Conditions(Struct, frozen=True, kw_only=True):
    """The behaviour of the field; shares and probabilities are from 0 to 1."""

    call: float = 0.1
    call_again: float = 0.0
    callback: float = 0.0
    chattering: float = 0.0
    clearance: float = 0.0
    clock_error: float = 0.0
    collector_failure: float = 0.0
    command_failure: float = 0.0
    command_silence: float = 0.0
    fast_shots: int = 1
    fuse_saving: bool = True
    gasp_repeats: int = 0
    hazard: float = 0.0
    indicator_false: float = 0.02
    indicator_miss: float = 0.05
    lines: int = 0
    message_double: float = 0.0
    message_loss: float = 0.0
    miscoordination: float = 0.0
    open_conductor: float = 0.0
    reclosing: bool = True
    sectionalising: bool = True
    shift_hours: float = 0.0
    single_phase: bool = True
    speed: float = 25.0
    station_loss: float = 0.0
    telemetry: float = 1.0
    vanishing: float = 0.8
    wrong_address: float = 0.0
    wrong_finding: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            Invalid: with one sentence that names the condition.
        """
        for name, most in MOST.items():
            value = getattr(self, name)
            if not 0.0 <= value <= most:
                between = "a probability from 0 to 1" if most == 1.0 else f"from 0 to {most:g}"
                raise Invalid(f"{name} is {value:g}, but must be {between}")
        if self.speed == 0.0:
            raise Invalid("speed is 0, so no crew would ever arrive")


MOST: dict[str, float] = dict.fromkeys(
    (each.name for each in structs.fields(Conditions) if each.type is float), 1.0
) | {
    "clearance": 600.0,
    "clock_error": 60.0,
    "fast_shots": 4,
    "gasp_repeats": 6,
    "lines": 10_000,
    "shift_hours": 24.0,
    "speed": 200.0,
}
"""The largest value of each number."""


def chosen(settings: Conditions, wanted: FieldConditions | None) -> Conditions:
    """The ``settings`` with what a storm wants otherwise.

    Raises:
        Invalid: a value cannot be.
    """
    if wanted is None:
        return settings
    said = {name: getattr(wanted, name) for name in Conditions.__struct_fields__}
    return structs.replace(settings, **{name: value for name, value in said.items() if value is not None})
