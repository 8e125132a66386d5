"""Where a switch stands, phase by phase, of all that is known: who says it counts, and then when it was.

An operator's override comes first; then telemetry as long as it can be believed; then what a crew carried out; then the
model (``open``, else ``normalOpen``). A report of a switch between its positions, or of bad quality, moves nothing and
leaves the switch in doubt until something that can be believed is heard of it.

Everything goes by the time of the field. What happened before what is known is history: it belongs into the timeline
and changes nothing now.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.measurements import DiscreteValue, Measurements, MeasurementType, SwitchPosition, Validity
from services.network_operation.domain.network_state import modelled
from services.network_operation.domain.phases import ALL, EVERY_SET, NONE, Phases

OPERABLE = frozenset({SwitchPosition.OPEN, SwitchPosition.CLOSED})


class Teller(StrEnum):
    """Who says where a switch stands."""

    CREW = "crew"
    TELEMETRY = "telemetry"


class Position(Struct, frozen=True, kw_only=True):
    """A report: some or all phases of a switch stand open or closed, since ``at`` in the field.

    ``sure`` is False for a report that cannot be believed; then ``open`` means nothing.
    """

    device: str
    open: bool
    at: datetime
    phases: Phases = ALL
    sure: bool = True
    teller: Teller = Teller.TELEMETRY


class Seen(Struct, frozen=True, kw_only=True):
    """Where one phase stands, and since when as far as is known."""

    open: bool
    at: datetime


class Override(Struct, frozen=True, kw_only=True):
    """Where an operator says that a switch stands, whatever is told, from ``since`` until ``until``."""

    mrid: str
    open_phases: Phases
    since: datetime
    until: datetime
    reason: str = ""
    by: str = ""


class Standing(Struct, frozen=True, kw_only=True):
    """All that is known of where one switch stands.

    Attributes:
        telemetry: what telemetry last said of each phase, by its letter.
        crew: what was last carried out on each phase.
        doubts: the time of the last report of each phase that could not be believed.
        override: what an operator says.
    """

    device: str
    telemetry: Mapping[str, Seen] = {}
    crew: Mapping[str, Seen] = {}
    doubts: Mapping[str, datetime] = {}
    override: Override | None = None

    def open_phases(self, switch: Equipment | None) -> Phases:
        """The phases that are open; ``switch`` is how the model has it."""
        if self.override is not None:
            return self.override.open_phases
        by_model = NONE if switch is None else modelled(switch)
        mask = by_model.value
        for phase in ALL:
            seen = self._seen(phase)
            if seen is not None:
                mask = mask | phase if seen.open else mask & ~phase
        return EVERY_SET[mask]

    @property
    def is_doubted(self) -> bool:
        """True when the last word on some phase cannot be believed, and nobody vouches for it."""
        return self.override is None and any(
            self.doubt(phase) is not None and (letter not in self.crew or self.crew[letter].at < self.doubts[letter])
            for phase in ALL
            if (letter := phase.name or "") in self.doubts
        )

    def doubt(self, phase: Phases) -> datetime | None:
        """Since when telemetry of a phase cannot be believed; None while it can."""
        letter = phase.name or ""
        doubted, measured = self.doubts.get(letter), self.telemetry.get(letter)
        return None if doubted is None or (measured is not None and measured.at >= doubted) else doubted

    def _seen(self, phase: Phases) -> Seen | None:
        """What counts of what was told of a phase: in doubt, what is later."""
        measured, done = self.telemetry.get(phase.name or ""), self.crew.get(phase.name or "")
        if measured is None or done is None:
            return measured or done
        return done if self.doubt(phase) is not None and done.at > measured.at else measured


class Heard(Struct, frozen=True, kw_only=True):
    """What a report makes of what is known of a switch.

    Attributes:
        standing: what is known now.
        history: the phases of which the report says where they stood at its time, as far as it counts for that time.
    """

    standing: Standing
    history: Phases


def hear(known: Standing, report: Position) -> Heard:
    """Take a report in; the same report again, and one from before what is known, leave the standing as it is.

    Of two reports of one instant the one heard later counts: one switch's messages arrive in their order.
    """
    letters = [phase.name or "" for phase in report.phases]
    if not report.sure:
        later = {letter: max(report.at, known.doubts.get(letter, report.at)) for letter in letters}
        return Heard(standing=replace(known, doubts={**known.doubts, **later}), history=NONE)
    own = known.telemetry if report.teller is Teller.TELEMETRY else known.crew
    news = Seen(open=report.open, at=report.at)
    seen = {**own, **{letter: news for letter in letters if letter not in own or own[letter].at <= report.at}}
    history = EVERY_SET[sum(phase for phase in report.phases if _counts(known, report, phase))]
    if report.teller is Teller.CREW:
        return Heard(standing=replace(known, crew=seen), history=history)
    return Heard(standing=replace(known, telemetry=seen), history=history)


def _counts(known: Standing, report: Position, phase: Phases) -> bool:
    """Whether a report says how a phase stood at its time: not under an override, and no crew against telemetry."""
    override, doubted = known.override, known.doubt(phase)
    if override is not None and override.since <= report.at:
        return False
    measured = known.telemetry.get(phase.name or "")
    is_first = measured is None or measured.at > report.at
    return report.teller is Teller.TELEMETRY or is_first or (doubted is not None and doubted <= report.at)


def positions_in(measurements: Measurements) -> tuple[Position, ...]:
    """What telemetry says of switches, oldest first; values of tests are left out."""
    found = [
        Position(
            device=discrete.power_system_resource.mrid,
            open=value.value == SwitchPosition.OPEN,
            at=value.time_stamp,
            phases=ALL if discrete.phases is None else Phases.of(discrete.phases),
            sure=is_good(value) and value.value in OPERABLE,
        )
        for discrete in measurements.discrete
        if discrete.measurement_type == MeasurementType.SWITCH_POSITION
        and discrete.power_system_resource is not None
        and discrete.power_system_resource.mrid is not None
        for value in discrete.discrete_values
        if not is_test(value)
    ]
    return tuple(sorted(found, key=lambda position: position.at))


def is_good(value: DiscreteValue) -> bool:
    """True for a value that may be believed: valid as far as is known, and no test."""
    quality = value.measurement_value_quality
    return quality is None or (quality.validity in {None, Validity.GOOD} and not quality.test)


def is_test(value: DiscreteValue) -> bool:
    """True for a value that somebody made to try something out."""
    return value.measurement_value_quality is not None and bool(value.measurement_value_quality.test)
