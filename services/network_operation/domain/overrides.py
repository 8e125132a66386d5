"""An operator says where a switch stands, for a reason and for a time, whatever telemetry tells: it is *dressed*.

The word goes before everything else that is known of the switch, so it is refused where it could hide that people are
in danger: on a device with a tag that forbids something, and on the border of a clearance. And no such tag is hung on a
switch that stands where it does by word alone.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.measurements import (
    Discrete,
    DiscreteValue,
    Measurements,
    MeasurementType,
    MeasurementValueQuality,
    Source,
    Substitution,
    SwitchPosition,
    Validity,
)
from contracts.nouns.operational_tags import OperationalTagType
from contracts.types import ObjectReference
from services.network_operation.domain.people import Speaker, demand_operator
from services.network_operation.domain.phases import EVERY_SET, Phases
from services.network_operation.domain.positions import OPERABLE, Override, Position, Standing
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.structure import Structure
from services.network_operation.domain.tags import holder_of, kind_of, on

LONGEST = timedelta(hours=24)
"""For how long a word counts at most; then it has to be given again [P]."""


class Word(Struct, frozen=True, kw_only=True):
    """What an operator says of some phases of a switch."""

    switch: Equipment
    open: bool
    phases: Phases
    reason: str
    until: datetime
    by: str
    since: datetime

    def after(self, known: Standing) -> Standing:
        """What is known of the switch with this word; the phases of which it says nothing stay as they are."""
        mask = known.open_phases(self.switch)
        said = mask | self.phases if self.open else mask & ~self.phases
        override = Override(
            mrid=f"{self.switch.mrid}/{self.since.isoformat()}",
            open_phases=EVERY_SET[said & Phases.of(self.switch.phases)],
            since=self.since,
            until=self.until,
            reason=self.reason,
            by=self.by,
        )
        return replace(known, override=override)


def word_in(measurements: Measurements, person: Speaker, structure: Structure, now: datetime) -> Word:
    """The word in a message: one Discrete with the position of one switch and its Substitution.

    Raises:
        Denied: somebody says it who is no operator.
        Invalid: it is something else, gives no reason, or ends in the past or too late.
    """
    demand_operator(person, "says where a switch stands")
    switch, phases = _subject(measurements, structure)
    device, values = switch.mrid, measurements.discrete[0].discrete_values
    if len(values) != 1 or values[0].value not in OPERABLE:
        raise Invalid("a switch is said to be open (1) or closed (2)", object_id=device)
    said = values[0].substitution
    if said is None or not said.reason.strip():
        raise Invalid("Substitution: the word of an operator has a reason and an end", object_id=device)
    if not now < said.until_date_time <= now + LONGEST:
        hours = LONGEST // timedelta(hours=1)
        raise Invalid(f"untilDateTime: it must be within the next {hours} hours", object_id=device)
    return Word(
        switch=switch,
        open=values[0].value == SwitchPosition.OPEN,
        phases=phases,
        reason=said.reason.strip(),
        until=said.until_date_time,
        by=person.name,
        since=now,
    )


def taken_back(measurements: Measurements, person: Speaker, structure: Structure) -> str:
    """The switch of which an operator takes back a word.

    Raises:
        Denied: somebody wants it who is no operator.
        Invalid: the message is about something else.
    """
    demand_operator(person, "takes back where a switch stands")
    return _subject(measurements, structure)[0].mrid


def refuse_to_hide(device: str, situation: Situation) -> None:
    """Pass a device on which nobody's safety depends.

    Raises:
        Conflict: a tag on it forbids something, or it isolates work.
    """
    name = situation.grid.name(device)
    for tag in on(situation.tags, device):
        if kind_of(tag) is not OperationalTagType.CAUTION:
            raise Conflict(
                f"{name} has a tag {kind_of(tag)} of '{holder_of(tag)}': where it stands is not said by word",
                object_id=tag.mrid,
            )
    for clearance in situation.clearances:
        if clearance.blocks and device in clearance.boundary:
            raise Conflict(f"{name} isolates work under the clearance {clearance.mrid}", object_id=clearance.mrid)


def changes(before: Phases, after: Phases, device: str, at: datetime) -> tuple[Position, ...]:
    """What is believed otherwise of a switch from ``at`` on, as positions: what is open now, and what is closed."""
    found = ((True, after & ~before), (False, before & ~after))
    return tuple(Position(device=device, open=is_open, at=at, phases=phases) for is_open, phases in found if phases)


def told(known: Standing, switch: Equipment | None) -> tuple[Discrete, ...]:
    """The word, if there is one, as a measurement that an operator has substituted.

    They are two where some phases are open and others closed.
    """
    override = known.override
    if override is None:
        return ()
    whole = Phases.of("ABC" if switch is None else switch.phases)
    groups = (
        (SwitchPosition.OPEN, override.open_phases & whole),
        (SwitchPosition.CLOSED, whole & ~override.open_phases),
    )
    return tuple(
        Discrete(
            measurement_type=MeasurementType.SWITCH_POSITION,
            phases=None if phases == whole else EVERY_SET[phases].code,
            discrete_values=(
                DiscreteValue(
                    time_stamp=override.since,
                    value=int(position),
                    measurement_value_quality=_BY_WORD,
                    substitution=Substitution(
                        reason=override.reason,
                        until_date_time=override.until,
                        operator=ObjectReference(mrid=override.by) if override.by else None,
                    ),
                ),
            ),
            power_system_resource=ObjectReference(mrid=known.device),
        )
        for position, phases in groups
        if phases
    )


_BY_WORD = MeasurementValueQuality(operator_blocked=True, source=Source.SUBSTITUTED, validity=Validity.GOOD)


def _subject(measurements: Measurements, structure: Structure) -> tuple[Equipment, Phases]:
    """The one switch that a message is about, as built, and which of its phases."""
    if measurements.analog or len(measurements.discrete) != 1:
        raise Invalid("Measurements: an operator speaks of one switch at a time")
    (discrete,) = measurements.discrete
    device = "" if discrete.power_system_resource is None else discrete.power_system_resource.mrid or ""
    if discrete.measurement_type != MeasurementType.SWITCH_POSITION or device not in structure.switch:
        raise Invalid(f"'{device}' is no switch of the model", object_id=device or None)
    switch = structure.equipment[device]
    return switch, Phases.of(switch.phases if discrete.phases is None else discrete.phases)
