"""What becomes of a control of one device: the table of the guide, and nothing beside it (metering guide 2.3).

Silence is no word about the device: after its time a control is UNKNOWN, not failed. It is never sent again by itself,
since it may have been carried out; the state of the switch is read back, and a late answer counts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_controls import DONE, REFUSED, SWITCH_STATE, ControlKind, control_kind_of
from contracts.codes.end_device_events import ANSWERS, EventKind
from contracts.errors import BusbarError, Conflict, Rejected, Unavailable, to_reply
from contracts.message import Reply, Result
from contracts.nouns.end_device_controls import (
    EndDevice,
    EndDeviceControl,
    EndDeviceControls,
    EndDeviceTiming,
    RandomisationKind,
)
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail
from contracts.nouns.meter_service_requests import MeterServiceWork
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.meter_reading_and_control.domain.events import CODES, Generation

PING_PATIENCE = timedelta(seconds=60)
"""How long a meter may take to answer a ping; after that nobody knows, and nothing is concluded from it."""

SWITCH_PATIENCE = timedelta(seconds=60)
"""The same for a disconnect switch (acceptance scenario 20)."""

PATIENCE = timedelta(minutes=10)
"""The same for every other control: a device in the home may have to wait for its turn [P]."""

LOOK_AGAIN = timedelta(minutes=5)
"""So long after a switch was asked for its state in vain it is asked again [P]."""

LOOKS = 3
"""So often the state of a switch is read back until it is a matter for people [P]."""

SWITCHING = frozenset({ControlKind.CONNECT, ControlKind.DISCONNECT})
"""What changes something that others than the asker must know of: a meter that is disconnected explains its silence."""


class State(StrEnum):
    """Where the control of one device stands."""

    ACCEPTED = "ACCEPTED"
    SCHEDULED = "SCHEDULED"
    SENT = "SENT"
    CANCEL_PENDING = "CANCEL_PENDING"
    CANCELLED = "CANCELLED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    RELEASING = "RELEASING"
    CLOSED = "CLOSED"


class Event(StrEnum):
    """What moves it."""

    PUT_OFF = "its time is later"
    SEND = "it is sent"
    FORBID = "a guard forbids it"
    OVERDUE = "its turn has not come in time"
    CANCEL = "the asker cancels it"
    RELEASE = "the asker ends it before its time"
    DROPPED = "the head-end has cancelled it"
    CONFIRM = "the device has done it"
    REFUSE = "the device has not done it"
    TIME_OUT = "nobody has answered in time"
    READ_BACK = "its effect was read back"


TABLE: dict[tuple[State, Event], State] = {
    (State.ACCEPTED, Event.PUT_OFF): State.SCHEDULED,
    (State.ACCEPTED, Event.SEND): State.SENT,
    (State.ACCEPTED, Event.CANCEL): State.CANCELLED,
    (State.ACCEPTED, Event.FORBID): State.FAILED,
    (State.ACCEPTED, Event.OVERDUE): State.FAILED,
    (State.SCHEDULED, Event.SEND): State.SENT,
    (State.SCHEDULED, Event.CANCEL): State.CANCELLED,
    (State.SCHEDULED, Event.FORBID): State.FAILED,
    (State.SCHEDULED, Event.OVERDUE): State.FAILED,
    (State.SENT, Event.CANCEL): State.CANCEL_PENDING,
    (State.SENT, Event.CONFIRM): State.CONFIRMED,
    (State.SENT, Event.REFUSE): State.FAILED,
    (State.SENT, Event.TIME_OUT): State.UNKNOWN,
    (State.CANCEL_PENDING, Event.DROPPED): State.CANCELLED,
    (State.CANCEL_PENDING, Event.CONFIRM): State.CONFIRMED,
    (State.CANCEL_PENDING, Event.REFUSE): State.FAILED,
    (State.CANCEL_PENDING, Event.TIME_OUT): State.UNKNOWN,
    (State.UNKNOWN, Event.CONFIRM): State.CONFIRMED,
    (State.UNKNOWN, Event.REFUSE): State.FAILED,
    (State.UNKNOWN, Event.DROPPED): State.CANCELLED,
    (State.CONFIRMED, Event.READ_BACK): State.CLOSED,
    (State.CONFIRMED, Event.RELEASE): State.RELEASING,
    (State.RELEASING, Event.DROPPED): State.CLOSED,
    (State.RELEASING, Event.REFUSE): State.CLOSED,
    (State.RELEASING, Event.READ_BACK): State.CLOSED,
}
"""All steps that there are; what is not here is a conflict with the state in which the control is."""

OPEN = frozenset({State.ACCEPTED, State.SCHEDULED, State.SENT, State.CANCEL_PENDING})
"""Whoever asked has no word yet."""


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A control for one device.

    Attributes:
        id: ours; a request with several devices has one command for each.
        control: as it was asked for, with this device alone.
        ticket: the request that waits for the outcome.
        since: when the state began.
        user: who asked.
        cancel_ticket: the request to cancel it that waits.
        service: the piece of work that it does, where a service was asked for and no control.
        looks: how often the state of the switch was asked for.
        group: the group of devices that was asked, of which this was a member when it was.
        campaign: the campaign that tells its device; nobody waits for it but the campaign.
        head_end: by which system its device is reached, as the meter's ``amrSystem`` says; empty where it does not.
        collector: the group of the type ``collector`` in which its device is; empty where it is in none.
        overdue_at: until when it waits for its turn; None when it does not wait.
        code, reason: why it failed.
    """

    id: str
    control: EndDeviceControl
    ticket: str
    state: State = State.ACCEPTED
    since: datetime
    user: str = ""
    cancel_ticket: str = ""
    service: MeterServiceWork | None = None
    looks: int = 0
    group: str = ""
    campaign: str = ""
    head_end: str = ""
    collector: str = ""
    overdue_at: datetime | None = None
    code: str = ""
    reason: str = ""

    @property
    def mrid(self) -> str:
        """The mRID of the control, which its devices share."""
        return self.control.mrid or self.id

    @property
    def kind(self) -> ControlKind | None:
        """What is asked of the device."""
        return control_kind_of(self.control.end_device_control_type.ref)

    @property
    def meter(self) -> str | None:
        """The device, where it is named."""
        return next((each.mrid for each in self.control.end_devices), None)

    @property
    def usage_point(self) -> str | None:
        """The usage point, where it is named."""
        return next((each.mrid for each in self.control.usage_points), None)

    @property
    def device(self) -> str:
        """Whom it is for, as one text."""
        return self.meter or self.usage_point or ""

    @property
    def switches(self) -> bool:
        """True when it moves a disconnect switch."""
        return self.kind in SWITCHING

    @property
    def starts(self) -> datetime | None:
        """When it is to be carried out, where it says so."""
        timing = self.control.primary_device_timing
        return None if timing is None or timing.interval is None else timing.interval.start

    @property
    def ends(self) -> datetime | None:
        """Until when it is to hold, where it is for a while."""
        timing = self.control.primary_device_timing
        if timing is None or timing.interval is None:
            return None
        if timing.interval.end is None and timing.interval.start is not None and timing.duration is not None:
            return timing.interval.start + timedelta(minutes=timing.duration)
        return timing.interval.end

    @property
    def is_kept(self) -> bool:
        """True when it is kept when it is over, since others must know of it or it is accounted for later."""
        return self.switches or bool(self.group) or self.ends is not None

    @property
    def patience(self) -> timedelta:
        """How long its answer is waited for."""
        if self.switches:
            return SWITCH_PATIENCE
        return PING_PATIENCE if self.kind is ControlKind.PING else PATIENCE

    @property
    def error(self) -> BusbarError | None:
        """What who asked is told instead of a success; None while nobody knows, and where it was done."""
        match self.state:
            case State.UNKNOWN:
                seconds = int(self.patience.total_seconds())
                return Unavailable(f"the device did not answer within {seconds} s", code="4.1", object_id=self.mrid)
            case State.CANCELLED:
                return Rejected("it was cancelled", code="6.5", object_id=self.mrid)
            case State.FAILED:
                return Rejected(
                    self.reason or "the device has not done it", code=self.code or "5.3", object_id=self.mrid
                )
        return None


def moved(command: Command, event: Event, at: datetime, *, code: str = "", reason: str = "") -> Command:
    """The command after an event.

    Raises:
        Conflict: 5.2, the table has no such step from where it is.
    """
    state = TABLE.get((command.state, event))
    if state is None:
        raise Conflict(f"it is {command.state}; {event} is not possible", code="5.2", object_id=command.mrid)
    return replace(command, state=state, since=at, overdue_at=None, code=code, reason=reason)


def can(command: Command, event: Event) -> bool:
    """True when the table has that step; what comes late or twice has none and changes nothing."""
    return (command.state, event) in TABLE


def is_over(command: Command) -> bool:
    """True when nothing more is to be known of a command that need not be kept."""
    return not command.is_kept and command.state not in {*OPEN, State.UNKNOWN}


def holds(command: Command, now: datetime) -> bool:
    """True while a device does for a while what was asked of it, and can be released before its time."""
    return command.state is State.CONFIRMED and not command.switches and command.ends is not None and now < command.ends


def is_cancelled(command: Command) -> bool:
    """True when whoever cancelled it has his way: it was not carried out, or was ended before its time."""
    return command.state is State.CANCELLED or (command.state is State.CLOSED and not command.code)


def outcome(together: Sequence[Command], done: EndDeviceControls) -> tuple[Reply, EndDeviceControls | None] | None:
    """What who asked is told once no command of the request is open; None before.

    All done is OK, some is PARTIAL (0.2), none is FAILED: by its own code where all failed alike, else by 5.4 first.
    """
    if any(command.state in OPEN for command in together):
        return None
    errors = [error for each in together if (error := each.error) is not None]
    told = tuple(error for each in errors for error in to_reply(each).error)
    if not errors:
        return Reply(result=Result.OK), done
    if len(errors) < len(together):
        return Reply(result=Result.PARTIAL, error=told), done
    if len({each.code for each in errors}) > 1:
        several = Rejected("the devices failed in several ways", code="5.4")
        return Reply(result=Result.FAILED, error=(*to_reply(several).error, *told)), None
    return Reply(result=Result.FAILED, error=told), None


def event_of(command: Command, at: datetime, generation: Generation, *, late: bool) -> EndDeviceEvent | None:
    """What a device says by having done what was asked of it, or not, for those who did not ask.

    None where the asker alone is concerned and has had his answer in time, or where no code says it.
    """
    kind = command.kind
    if kind is None or not (late or command.switches):
        return None
    table = DONE if command.state is State.CONFIRMED else REFUSED
    meant = table.get(kind)
    code = None if meant is None else CODES[generation].get(meant)
    return None if code is None else _event(command, code, at, "a late answer to a control" if late else "")


def crossed(command: Command, at: datetime, generation: Generation) -> EndDeviceEvent:
    """That a control could not be cancelled, since it had been carried out."""
    return _event(command, CODES[generation][EventKind.CANCEL_FAILED], at, "it was carried out before it was cancelled")


def _event(command: Command, code: str, at: datetime, reason: str) -> EndDeviceEvent:
    return EndDeviceEvent(
        created_date_time=at,
        reason=reason or "the answer to a control",
        assets=None if command.meter is None else ObjectReference(mrid=command.meter),
        end_device_event_details=(EndDeviceEventDetail(name=ANSWERS, value=command.control.mrid),),
        end_device_event_type=Reference(ref=code),
        usage_point=next(iter(command.control.usage_points), None),
    )


def answered_at(answer: EndDeviceControls | None, now: datetime) -> datetime:
    """When a device did what it was asked for: as the head-end says, and never later than ``now``."""
    controls = () if answer is None else answer.end_device_control
    timings = (control.primary_device_timing for control in controls)
    told = (timing.interval.start for timing in timings if timing is not None and timing.interval is not None)
    return min(next((time for time in told if time is not None), now), now)


def done_at(command: Command) -> EndDeviceControl:
    """The control as it was asked for, done when its state began, and until when it holds."""
    timing = EndDeviceTiming(interval=DateTimeInterval(start=command.since, end=command.ends))
    return replace(command.control, primary_device_timing=timing)


def shown(together: Iterable[Command]) -> EndDeviceControls:
    """Controls with the state of each device as their reason, and since when (ours: the noun has no status)."""
    return EndDeviceControls(
        end_device_control=tuple(
            replace(
                done_at(each),
                mrid=each.mrid,
                reason=f"{each.state}: {each.reason}" if each.reason else each.state,
                end_device_groups=(ObjectReference(mrid=each.group),) if each.group else (),
            )
            for each in together
        )
    )


def released(command: Command) -> EndDeviceControls:
    """The word to end a control before its time: at an end that is spread, so that not all loads come back at once."""
    timing = command.control.primary_device_timing or EndDeviceTiming()
    spread = replace(timing, randomisation=RandomisationKind.END)
    return EndDeviceControls(end_device_control=(replace(command.control, primary_device_timing=spread),))


def question(command: Command) -> EndDeviceControls:
    """The question how the switch of a device stands."""
    asked = EndDeviceControl(
        mrid=f"{command.mrid} state {command.looks}",
        reason="an answer that did not come",
        end_device_control_type=Reference(ref=SWITCH_STATE),
        end_devices=tuple(EndDevice(mrid=each.mrid) for each in command.control.end_devices),
        usage_points=command.control.usage_points,
    )
    return EndDeviceControls(end_device_control=(asked,))


def stands_as_wanted(command: Command, answer: EndDeviceControls | None) -> bool | None:
    """Whether a switch stands as the command wanted it, by an answer to :func:`question`; None if it does not say."""
    words = {control.reason for control in (() if answer is None else answer.end_device_control)}
    wanted = "connected" if command.kind is ControlKind.CONNECT else "disconnected"
    known = words & {"connected", "disconnected"}
    return None if len(known) != 1 else known == {wanted}
