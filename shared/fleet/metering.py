"""What the meters of a fleet measure: whole watt-hours, as intervals and as registers of one accumulator.

The energy of a day is the difference of a register that can be computed for any midnight: the mean demand of the meter
times what its profile and the weather of the fleet add up to since :data:`ORIGIN`, plus a part of its own that is
bounded. The day's energy is divided over its intervals by weights, and an interval is the difference of two whole
registers. So the sum of the intervals of a day is the difference of the registers at its ends, always, and no history
is needed.
"""

from datetime import date, timedelta, tzinfo
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shared.fleet.calendar import length, quarters, starts
from shared.fleet.chance import Bits, Purpose, bits, keys, normal, share
from shared.fleet.shapes import DAY_TYPES, SEASONS, SLOTS, Kind, day_type, profiles, season

ORIGIN = date(2024, 1, 1)
"""Where every register is at its first value; no day before it can be asked for."""

LAST = date(2034, 1, 1)
"""After the last day that can be asked for."""

Watthours = NDArray[np.int64]

_DAY_S = 86_400
_YEAR_D = 365
_PARTS = 1 << 20
"""Days of mean usage are counted in parts, so that registers are whole numbers everywhere."""

_SHARES = ((Kind.HOUSEHOLD, 0.84), (Kind.TRADE, 0.11), (Kind.FARM, 0.03), (Kind.STREET_LIGHT, 0.02))
_YEARLY_WH = {
    Kind.HOUSEHOLD: 3_500_000,
    Kind.TRADE: 14_000_000,
    Kind.FARM: 9_000_000,
    Kind.STREET_LIGHT: 2_000_000,
    Kind.SOLAR: 4_500_000,
}
"""The means of the year; households as in Europe."""

_SPREAD = 0.5
"""The deviation of the logarithm of the mean demand."""

_VACANT = 0.03
_SOLAR = 0.15
"""Shares of usage points where nobody lives, and of households that feed in."""

_OWN = 0.45
"""How much of its least daily energy a meter varies by itself, up or down."""

_WEATHER, _CLOUDS = 0.25, 1.2
"""How far the demand and the sun of a day differ by the weather, from the best day to the worst, of their mean."""

_FIRST_WH = 10_000_000
"""Registers begin below this: meters have run before."""

_LOW, _STEP, _PULSE = np.uint64(0xFFF), np.uint64(12), np.uint64(20)
_CHANCE = np.uint64(16)
"""Of 256: how often an interval has a pulse of an appliance."""


def _exponential(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exponential of values between -4 and 4, by sums and products alone: ``exp`` differs between machines."""
    small = values / 16
    term = np.ones_like(small)
    total = np.ones_like(small)
    for number in range(1, 12):
        term = term * small / number
        total = total + term
    for _ in range(4):
        total = total * total
    return total


_NOISE = np.maximum(8, 256 * _exponential(np.linspace(-2.1, 1.4, 4096))).astype(np.int64)
"""Weights of noise, from an eighth to four times its middle of 256."""


class Fleet:
    """Meters with one usage point each, numbered from 0.

    Args:
        seed: another seed is another fleet.
        meters: how many there are.
        zone: where their days begin.
        interval_s: the length of an interval in seconds; it divides an hour.

    Raises:
        ValueError: intervals of this length do not fill hours.
    """

    def __init__(self, seed: int, meters: int, zone: tzinfo, interval_s: int = 900) -> None:
        if interval_s <= 0 or 3600 % interval_s:
            raise ValueError(f"intervals of {interval_s} s do not fill hours")
        self.seed = seed
        self.meters = meters
        self.zone = zone
        self.interval_s = interval_s
        self._profiles = profiles()
        self._flat = self._profiles.reshape(len(Kind), SEASONS, DAY_TYPES, SLOTS)

    def kinds(self, meters: NDArray[np.int64]) -> NDArray[np.int64]:
        """What each usage point is."""
        lot = share(keys(self.seed, Purpose.KIND, meters))
        return np.searchsorted(np.cumsum([part for _, part in _SHARES])[:-1], lot, side="right").astype(np.int64)

    def feeds_in(self, meters: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which usage points have solar panels, and so a second channel."""
        lot = share(bits(keys(self.seed, Purpose.KIND, meters), 1))
        found: NDArray[np.bool_] = (lot < _SOLAR) & (self.kinds(meters) == Kind.HOUSEHOLD)
        return found

    def intervals(self, meters: NDArray[np.int64], day: date, *, fed_in: bool = False) -> Watthours:
        """What each meter measured in each interval of the local ``day``: [meters x intervals] of whole Wh.

        Args:
            meters: their numbers.
            day: a day of the zone; it has as many intervals as it is long.
            fed_in: what was fed into the network instead of what was used; zeros where there are no panels.

        Raises:
            ValueError: the day is outside :data:`ORIGIN` to :data:`LAST`.
        """
        kinds = self._channel(meters, fed_in=fed_in)
        before = self._accumulated(meters, kinds, day)
        energy = self._accumulated(meters, kinds, day + timedelta(days=1)) - before
        if fed_in:
            energy *= self.feeds_in(meters)
        weights = self._weights(meters, kinds, day)
        # the register at the end of each interval, counted from midnight: a division of IEEE 754 is the same everywhere
        cumulative = np.cumsum(weights, axis=1, dtype=np.int64).astype(np.float64)
        total = cumulative[:, -1:].copy()
        cumulative *= energy[:, None]
        cumulative /= total
        edges = np.zeros((len(meters), weights.shape[1] + 1), np.int64)
        edges[:, 1:] = cumulative
        edges[:, -1] = energy
        return np.diff(edges, axis=1)

    def registers(self, meters: NDArray[np.int64], day: date, *, fed_in: bool = False) -> Watthours:
        """The register of each meter at the beginning of the local ``day``, in whole Wh.

        Raises:
            ValueError: as for :meth:`intervals`.
        """
        first = (share(keys(self.seed, Purpose.START, meters)) * _FIRST_WH).astype(np.int64)
        measured = self._accumulated(meters, self._channel(meters, fed_in=fed_in), day)
        return np.where(self.feeds_in(meters), first // 7 + measured, 0) if fed_in else first + measured

    def starts(self, day: date) -> NDArray[np.int64]:
        """When the intervals of the local ``day`` begin, in seconds since 1970 UTC."""
        return starts(day, self.zone, self.interval_s)

    def meter_ids(self, meters: NDArray[np.int64]) -> bytes:
        """The mRIDs of the meters, sixteen bytes each; :func:`texts` writes them out."""
        return _identifiers(self.seed, Purpose.METER_ID, meters)

    def point_ids(self, meters: NDArray[np.int64]) -> bytes:
        """The mRIDs of their usage points, likewise."""
        return _identifiers(self.seed, Purpose.POINT_ID, meters)

    def _channel(self, meters: NDArray[np.int64], *, fed_in: bool) -> NDArray[np.int64]:
        return np.full(len(meters), Kind.SOLAR, np.int64) if fed_in else self.kinds(meters)

    def _accumulated(self, meters: NDArray[np.int64], kinds: NDArray[np.int64], day: date) -> Watthours:
        """What was measured since the origin until the beginning of ``day``."""
        number = (day - ORIGIN).days
        if not 0 <= number <= (LAST - ORIGIN).days:
            raise ValueError(f"{day} is not from {ORIGIN} to {LAST}")
        mean = self._daily_means(meters, kinds)
        days, parts = np.divmod(self._cumulative[kinds, number], _PARTS)
        steady: Watthours = mean * days + mean * parts // _PARTS
        key = keys(self.seed, Purpose.DAILY, meters) + kinds.astype(np.uint64)
        own = share(bits(key, number)) * (mean * self._least[kinds] * _OWN)
        return steady + own.astype(np.int64)

    def _daily_means(self, meters: NDArray[np.int64], kinds: NDArray[np.int64]) -> Watthours:
        """The mean energy of a day, at least 96 Wh so that no day is empty."""
        key = keys(self.seed, Purpose.DEMAND, meters) + kinds.astype(np.uint64)
        yearly = np.array([_YEARLY_WH[kind] for kind in Kind], np.float64)[kinds]
        means = yearly / _YEAR_D * _exponential(normal(bits(key, 0)) * _SPREAD)
        vacant = (share(bits(key, 1)) < _VACANT) & (kinds == Kind.HOUSEHOLD)
        return np.maximum(np.where(vacant, means / 50, means), 96).astype(np.int64)

    @cached_property
    def _parts(self) -> NDArray[np.int64]:
        """How many parts of a mean day each kind uses on each day since the origin: [kind, day]."""
        days = [ORIGIN + timedelta(days=number) for number in range((LAST - ORIGIN).days)]
        sums = self._profiles.sum(axis=-1).astype(np.float64)
        of_day = sums[:, [season(day) for day in days], [day_type(day) for day in days]]
        of_day /= of_day[:, :_YEAR_D].mean(axis=1, keepdims=True)
        of_day *= np.array([length(day, self.zone) for day in days]) / _DAY_S
        weather = share(
            bits(keys(self.seed, Purpose.WEATHER, np.arange(len(Kind)))[:, None], np.arange(len(days))[None, :])
        )
        swing = np.array([_WEATHER, _WEATHER / 4, _WEATHER / 4, 0, _CLOUDS])
        of_day *= 1 + (weather - 0.5) * swing[:, None]
        parts: NDArray[np.int64] = (of_day * _PARTS).astype(np.int64)
        return parts

    @cached_property
    def _cumulative(self) -> NDArray[np.int64]:
        parts = self._parts
        return np.concatenate((np.zeros((len(Kind), 1), np.int64), np.cumsum(parts, axis=1)), axis=1)

    @cached_property
    def _least(self) -> NDArray[np.float64]:
        least: NDArray[np.float64] = self._parts.min(axis=1) / _PARTS
        return least

    def _weights(self, meters: NDArray[np.int64], kinds: NDArray[np.int64], day: date) -> NDArray[np.int64]:
        """How the energy of a day is divided: profile times noise of three paces, with pulses of appliances."""
        at = starts(day, self.zone, self.interval_s) // self.interval_s
        table = np.ascontiguousarray(self._flat[:, season(day), day_type(day)]).reshape(-1)
        # neighbours do not rise at the same minute, but street lights and the sun keep their time
        shift = (keys(self.seed, Purpose.SHIFT, meters) % np.uint64(13)).astype(np.int64) - 6
        shift *= kinds <= Kind.FARM
        slots = (quarters(day, self.zone, self.interval_s)[None, :] + shift[:, None]) % SLOTS
        slots += kinds[:, None] * SLOTS
        profile: NDArray[np.int64] = np.take(table, slots)
        fast = bits((keys(self.seed, Purpose.FAST, meters) + kinds.astype(np.uint64))[:, None], at[None, :])
        noise = (fast & _LOW).astype(np.int64)
        for purpose, pace_s in ((Purpose.MIDDLE, 3600), (Purpose.SLOW, 14_400)):
            noise += self._paced(purpose, meters, at, pace_s)
        lively = np.take(_NOISE, noise // 3)
        pulse = ((fast >> _STEP) & np.uint64(0xFF)) < _CHANCE
        lively += np.where(pulse, ((fast >> _PULSE) & _LOW).astype(np.int64) + 1024, 0)
        lively[kinds == Kind.STREET_LIGHT] = 256
        profile *= lively
        return profile

    def _paced(
        self, purpose: Purpose, meters: NDArray[np.int64], at: NDArray[np.int64], pace_s: int
    ) -> NDArray[np.int64]:
        """Noise that stays for ``pace_s``, so that neighbouring intervals are alike."""
        steps = at * self.interval_s // pace_s
        different, place = np.unique(steps, return_inverse=True)
        drawn = bits(keys(self.seed, purpose, meters)[:, None], different[None, :]) & _LOW
        taken: NDArray[np.int64] = np.take(drawn.astype(np.int64), place, axis=1)
        return taken


def _identifiers(seed: int, purpose: Purpose, meters: NDArray[np.int64]) -> bytes:
    """Sixteen bytes for each meter: UUIDs of version 8 (RFC 9562), whose content is ours to choose."""
    key: Bits = keys(seed, purpose, meters)
    high = bits(key, 0) & np.uint64(0xFFFFFFFFFFFF0FFF) | np.uint64(0x8000)
    low = bits(key, 1) & np.uint64(0x3FFFFFFFFFFFFFFF) | np.uint64(0x8000000000000000)
    return np.stack((high, low), axis=1).astype(">u8").tobytes()


def texts(identifiers: bytes) -> list[str]:
    """The mRIDs of sixteen bytes each as text."""
    digits = identifiers.hex()
    each = (digits[at : at + 32] for at in range(0, len(digits), 32))
    return [f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}" for one in each]
