"""Campaigns: one control for many devices, a few of them first and then all at a rate (metering guide 2.5 and 9).

`draft -> approved -> canary -> rolling -> complete`, `canary, rolling <-> paused`, and any of these `-> aborted`. Each
device is `pending -> sent -> done -> verified | failed | skipped`: it is told, says that it has done it, and is read,
since a meter that takes new firmware and answers no more has not taken it well.

A device of which nobody has heard is told again, by the same mRID, so a head-end does once what comes twice. What may
not be done twice is no matter for a campaign, nor is what moves a switch: that has guards of its own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_controls import SWITCH_DOMAIN, ControlKind, control_kind_of
from contracts.errors import Conflict, Invalid, Rejected
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.windows import Window

LAST = 500
"""Of so many devices, the last of which it is known how they ended, the failures are counted (guide 2.5)."""

PERCENT = 1
"""When more of these have failed in a hundred the campaign pauses; one alone does not (guide 2.5)."""

ATTEMPTS = 3
"""So often a device is told, and so often it is read, until it has failed (guide 9)."""

RETRY = timedelta(minutes=15)
"""So long after the first attempt in vain is the second one, after that twice as long; and up to half more [P]."""

NO_SUCH_METER = "2.4"
"""By this code a head-end says that no meter has that identity; one that has taken something has lost it by that."""

UNDER_WAY = 100
"""Of so many devices at most nobody knows yet how they will end, so not more are harmed before it is seen [P]."""

BATCHES = 6
"""In a minute devices are told in so many batches at most."""

STORM_LOOK = timedelta(minutes=1)
"""So long after a look in a storm of last gasps, in which nothing is told, there is another (guide 2.5)."""

HEARD_NOTHING = frozenset({"3.2", "4.1", "5.1", "5.6", "6.1"})
"""The codes by which nobody knows whether a device has done it, or by which it was not told."""

CANCELLED = "6.5"

CANARIES, RATE = 5, 60
"""How many devices are first, and how many are told in a minute [P]."""

MOST_A_MINUTE = 6_000
"""No campaign is faster: a hundred in a second are what a head-end takes."""


class State(StrEnum):
    """Where a campaign stands."""

    DRAFT = "DRAFT"
    APPROVED = "APPROVED"
    CANARY = "CANARY"
    ROLLING = "ROLLING"
    PAUSED = "PAUSED"
    COMPLETE = "COMPLETE"
    ABORTED = "ABORTED"


class Event(StrEnum):
    """What moves it."""

    APPROVE = "somebody else approves it"
    BEGIN = "its time has come"
    PROVE = "the first devices are through"
    FINISH = "all devices are through"
    PAUSE = "somebody pauses it"
    HALT = "too many have failed, or one has lost its identity"
    RESUME = "somebody lets it go on"
    ABORT = "somebody aborts it"


S, E = State, Event

TABLE: dict[tuple[State, Event], State] = {
    (S.DRAFT, E.APPROVE): S.APPROVED,
    (S.APPROVED, E.BEGIN): S.CANARY,
    (S.CANARY, E.PROVE): S.ROLLING,
    (S.ROLLING, E.FINISH): S.COMPLETE,
    (S.CANARY, E.PAUSE): S.PAUSED,
    (S.ROLLING, E.PAUSE): S.PAUSED,
    (S.CANARY, E.HALT): S.PAUSED,
    (S.ROLLING, E.HALT): S.PAUSED,
    (S.PAUSED, E.RESUME): S.ROLLING,
    (S.DRAFT, E.ABORT): S.ABORTED,
    (S.APPROVED, E.ABORT): S.ABORTED,
    (S.CANARY, E.ABORT): S.ABORTED,
    (S.ROLLING, E.ABORT): S.ABORTED,
    (S.PAUSED, E.ABORT): S.ABORTED,
}
"""All steps that there are; who resumes what was paused among the first devices is in CANARY again."""

RUNS = frozenset({S.CANARY, S.ROLLING})
"""Devices are told."""


class DeviceState(StrEnum):
    """Where one device of a campaign stands."""

    PENDING = "PENDING"
    SENT = "SENT"
    DONE = "DONE"
    VERIFIED = "VERIFIED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


D = DeviceState

OPEN = frozenset({D.PENDING, D.SENT, D.DONE})
"""It is not known yet how it ends."""


class Campaign(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A campaign.

    Attributes:
        mrid: of its control, which all its devices share.
        control: as it was asked for, with the groups and devices that it names.
        since: when the state began.
        user: who has drafted it.
        canaries: so many devices are first.
        rate: so many devices are told in a minute at most.
        window: when of the local day.
        paused_in: where it was when it was paused.
        next_at: nobody is told before that.
        recent: how the last devices ended since it was resumed last: ``.`` verified, ``x`` failed.
        reason: why it stands as it does.
    """

    mrid: str
    control: EndDeviceControl
    state: State = State.DRAFT
    since: datetime
    user: str
    canaries: int = CANARIES
    rate: int = RATE
    window: Window
    paused_in: State | None = None
    next_at: datetime | None = None
    recent: str = ""
    reason: str = ""

    @property
    def begins(self) -> datetime | None:
        """Before that nothing is told."""
        timing = self.control.primary_device_timing
        return None if timing is None or timing.interval is None else timing.interval.start

    @property
    def batch(self) -> int:
        """How many devices are told together."""
        return -(-self.rate // BATCHES)

    @property
    def pause(self) -> timedelta:
        """How long after a batch the next one is."""
        return self.batch * timedelta(minutes=1) / self.rate


class Device(Struct, frozen=True, kw_only=True):
    """A device of a campaign.

    Attributes:
        device: its mRID.
        place: when it is its turn; the first have 0, 1, 2...
        attempts: how often it was told, or has been read since it had done it.
        due_at: when it may be told, or read, again.
        code, reason: why it failed, or was skipped.
    """

    device: str
    place: int
    state: DeviceState = DeviceState.PENDING
    attempts: int = 0
    due_at: datetime
    code: str = ""
    reason: str = ""


def check_control(control: EndDeviceControl) -> None:
    """A campaign tells devices what may be told twice: firmware, and how they are set up.

    Raises:
        Invalid: 2.9, this has guards of its own, or must not be done twice; 2.29, it is for a while.
    """
    code = control.end_device_control_type.ref
    kind, domain = control_kind_of(code), code.strip().split(".")[1:2]
    if domain == [SWITCH_DOMAIN] or kind not in {None, ControlKind.FIRMWARE}:
        raise Invalid(f"EndDeviceControlType: '{code}' is not for a campaign", code="2.9", object_id=control.mrid)
    timing = control.primary_device_timing
    if timing is not None and (timing.duration or (timing.interval is not None and timing.interval.end)):
        raise Invalid("a campaign is over when all devices are through", code="2.29", object_id=control.mrid)


def drawn(campaign: str, devices: Iterable[str], now: datetime) -> list[Device]:
    """The devices in the order in which they are told: by lot, so that the first are not neighbours."""
    by_lot = sorted(dict.fromkeys(devices), key=lambda each: (_lot(campaign, each), each))
    return [Device(device=device, place=place, due_at=now) for place, device in enumerate(by_lot)]


def moved(campaign: Campaign, event: Event, now: datetime, reason: str = "") -> Campaign:
    """The campaign after an event; who resumes it has seen what failed, and failures are counted anew.

    Raises:
        Conflict: 5.2, there is no such step from where it is.
    """
    after = TABLE.get((campaign.state, event))
    if after is None:
        raise Conflict(f"it is {campaign.state}; {event} is not possible", code="5.2", object_id=campaign.mrid)
    if event is Event.RESUME:
        return replace(campaign, state=campaign.paused_in or after, since=now, paused_in=None, recent="", reason=reason)
    paused_in = campaign.state if after is State.PAUSED else None
    return replace(campaign, state=after, since=now, paused_in=paused_in, reason=reason)


def approved(campaign: Campaign, user: str, now: datetime) -> Campaign:
    """The campaign after somebody has approved it who is not who has drafted it.

    Raises:
        Rejected: 6.1, it is the same person, or nobody says who.
        Conflict: 5.2, it is no draft.
    """
    after = moved(campaign, Event.APPROVE, now)
    if not user or user == campaign.user:
        raise Rejected("a campaign needs the word of a second person", code="6.1", object_id=campaign.mrid)
    return after


def command(campaign: Campaign, device: Device, now: datetime) -> Command:
    """What a device is told: whenever it is, by the same mRID."""
    control = replace(
        campaign.control,
        end_device_groups=(),
        end_devices=(EndDevice(mrid=device.device),),
        primary_device_timing=None,
    )
    ticket = f"campaign {campaign.mrid} {device.device}"
    return Command(
        id=f"{ticket}/{device.attempts}",
        control=control,
        ticket=ticket,
        since=now,
        user=campaign.user,
        campaign=campaign.mrid,
    )


def put_off(device: Device, until: datetime, why: str) -> Device:
    """A device that is left alone until then."""
    return replace(device, due_at=until, reason=why)


def told(device: Device) -> Device:
    """A device after it was told."""
    return replace(device, state=DeviceState.SENT, attempts=device.attempts + 1, code="", reason="")


def answered(device: Device, code: str, reason: str, now: datetime) -> Device:
    """A device after what was told it has ended, with the ``code`` of the failure, none where it has done it.

    That it has done it counts whenever it comes, also after it was taken for failed; all else counts while it is told.
    """
    if not code and device.state in {DeviceState.PENDING, DeviceState.SENT, DeviceState.FAILED}:
        return replace(device, state=DeviceState.DONE, attempts=0, due_at=now, code="", reason="")
    if not code or device.state is not DeviceState.SENT:
        return device
    if code == CANCELLED:
        return replace(device, state=DeviceState.SKIPPED, code=code, reason=reason)
    if code in HEARD_NOTHING and device.attempts < ATTEMPTS:
        return replace(device, state=DeviceState.PENDING, due_at=later(device, now), code=code, reason=reason)
    return replace(device, state=DeviceState.FAILED, code=code, reason=reason)


def asked(device: Device, now: datetime) -> Device:
    """A device that has done it when it is to be read; where its answer is lost it is read again."""
    return replace(device, attempts=device.attempts + 1, due_at=now + RETRY)


def read(device: Device, now: datetime, code: str) -> Device:
    """A device that has done it after it was read, with the ``code`` of why it was not; none where it has answered."""
    if device.state is not DeviceState.DONE:
        return device
    if not code:
        return replace(device, state=DeviceState.VERIFIED)
    if code == NO_SUCH_METER:
        return replace(device, state=DeviceState.FAILED, code=code, reason="it has lost its metrology identity")
    if device.attempts < ATTEMPTS:
        return replace(device, due_at=later(device, now))
    return replace(device, state=DeviceState.FAILED, code="4.1", reason="it has done it, and cannot be read since")


def later(device: Device, now: datetime) -> datetime:
    """When it is tried again: at another time for each device, so that not all come at once."""
    wait = RETRY * (1 << max(device.attempts - 1, 0))
    return now + wait + wait / 2 * (_lot(str(device.attempts), device.device) / 2**32)


def counted(campaign: Campaign, before: Device, after: Device, now: datetime) -> Campaign:
    """The campaign after a device has ended; it pauses at the first failure of those that are first, else by share.

    At the first that has lost its identity by what it was told it pauses in any case.
    """
    if before.state not in OPEN or after.state not in {DeviceState.VERIFIED, DeviceState.FAILED}:
        return campaign
    has_failed = after.state is DeviceState.FAILED
    recent = (campaign.recent + ("x" if has_failed else "."))[-LAST:]
    campaign = replace(campaign, recent=recent)
    if not has_failed or campaign.state not in RUNS:
        return campaign
    why = f"{after.device} has failed: {after.code} {after.reason}".strip()
    is_lost = before.state is DeviceState.DONE and after.code == NO_SUCH_METER
    if campaign.state is State.CANARY or is_lost:
        return moved(campaign, Event.HALT, now, why)
    if is_too_many(recent):
        return moved(campaign, Event.HALT, now, f"{recent.count('x')} of the last {len(recent)} have failed; {why}")
    return campaign


def is_too_many(recent: Sequence[str]) -> bool:
    """True when so many of the last devices have failed that it is not theirs alone."""
    failed = sum(each == "x" for each in recent)
    return failed > 1 and failed * 100 > PERCENT * len(recent)


def room(campaign: Campaign, under_way: int, now: datetime, zone: tzinfo, *, is_storm: bool) -> int:
    """How many devices may be told now."""
    if campaign.state not in RUNS or is_storm or not campaign.window.allows(now, zone):
        return 0
    if campaign.next_at is not None and now < campaign.next_at:
        return 0
    return max(min(campaign.batch, UNDER_WAY - under_way), 0)


def _lot(one: str, other: str) -> int:
    """A number below 2 to the 32 that these texts draw, the same each time (FNV-1a, mixed as in MurmurHash3)."""
    lot = 0x811C9DC5
    for each in f"{one}\n{other}".encode():
        lot = (lot ^ each) * 0x01000193 & 0xFFFFFFFF
    lot = (lot ^ lot >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    lot = (lot ^ lot >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return lot ^ lot >> 16
