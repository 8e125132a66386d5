"""mRIDs of many meters as arrays, sixteen bytes each, instead of a text for each."""

from typing import Any

import numpy as np

from contracts.compact_readings import Ids, texts

Array = np.ndarray[Any, np.dtype[Any]]

_UUID_TEXT, _UUID_BYTES = 36, 16
_HYPHENS = (8, 13, 18, 23)
_ODD = np.iinfo(np.uint64).max
"""The first half of the key of what is no UUID; a UUID that begins so is treated as if it were none."""

_NOBODY = _ODD
"""The second half of the key of a text that is not kept."""


class Names:
    """Keys of mRIDs, two numbers of eight bytes: a UUID is its own key, and of any other text a number is kept."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._texts: list[str] = []

    def keys(self, ids: Ids, *, keep: bool = False) -> Array:
        """The keys of mRIDs, an array of n by 2; with ``keep`` what is no UUID is known from now on."""
        whole = _as_bytes(ids)
        if whole is not None:
            keys: Array = np.frombuffer(whole, np.uint64).reshape(-1, 2)
            if not (keys[:, 0] == _ODD).any():
                return keys
        told, known = texts(ids), self._number.get
        numbers = np.array([known(mrid, -1) for mrid in told], np.int64)
        keys = np.full((len(told), 2), _ODD, np.uint64)
        keys[:, 1] = numbers.view(np.uint64)
        for place in np.flatnonzero(numbers < 0).tolist():
            keys[place] = self._key(told[place], keep=keep)
        return keys

    def ids(self, keys: Array) -> Ids:
        """The mRIDs of keys: as bytes where all are UUIDs."""
        odd = keys[:, 0] == _ODD
        if not odd.any():
            return keys.tobytes()
        told = list(map(self._texts.__getitem__, keys[odd, 1].tolist()))
        if len(told) == len(keys):
            return tuple(told)
        every = np.empty(len(keys), object)
        every[odd], every[~odd] = told, texts(keys[~odd].tobytes())
        return tuple(every.tolist())

    def _key(self, mrid: str, *, keep: bool) -> tuple[int, int]:
        number = self._number.get(mrid)
        if number is not None:
            return _ODD, number
        whole = _as_bytes((mrid,)) if len(mrid) == _UUID_TEXT else None
        if whole is not None:
            first, second = np.frombuffer(whole, np.uint64).tolist()
            if first != _ODD:
                return first, second
        if keep:
            number = self._number[mrid] = len(self._texts)
            self._texts.append(mrid)
        return _ODD, _NOBODY if number is None else number


def _as_bytes(ids: Ids) -> bytes | None:
    """The mRIDs as sixteen bytes each; None where one is no UUID in lower case with hyphens."""
    if isinstance(ids, bytes):
        return ids
    if not all(len(each) == _UUID_TEXT for each in ids):
        return None
    joined = "".join(ids)
    digits = joined.replace("-", "")
    hyphens = "".join(joined[place::_UUID_TEXT] for place in _HYPHENS)
    if len(digits) != 2 * _UUID_BYTES * len(ids) or hyphens.strip("-"):
        return None
    try:
        whole = bytes.fromhex(digits)
    except ValueError:
        return None
    return whole if whole.hex() == digits else None


def some(ids: Ids, places: Array | slice) -> Ids:
    """The mRIDs at some places, in their order."""
    if isinstance(ids, bytes):
        return np.frombuffer(ids, f"V{_UUID_BYTES}")[places].tobytes()
    if isinstance(places, slice):
        return ids[places]
    return tuple(map(ids.__getitem__, places.tolist()))


class Index:
    """Where each key was put: a sorted array of hashes, so that many are found at once.

    Of two keys with one hash the second is not put: whoever asks for it does not find it.
    """

    def __init__(self) -> None:
        self._hashes = np.empty(0, np.uint64)
        self._places = np.empty(0, np.int32)

    def find(self, keys: Array) -> tuple[Array, Array]:
        """The place of what has the same hash as each of ``keys``, -1 where nothing has; and where that stands."""
        hashes = _hashes(keys)
        at = np.searchsorted(self._hashes, hashes)
        there = at < len(self._hashes)
        there[there] = self._hashes[at[there]] == hashes[there]
        places = np.full(len(keys), -1, np.int64)
        places[there] = self._places[at[there]]
        return places, at

    def put(self, keys: Array, first: int) -> Array:
        """Put those of ``keys`` whose hash nothing has, at places from ``first`` on; which ones, in their order."""
        hashes, chosen = np.unique(_hashes(keys), return_index=True)
        at = np.searchsorted(self._hashes, hashes)
        there = at < len(self._hashes)
        there[there] = self._hashes[at[there]] == hashes[there]
        taken = there.copy()
        taken[there] = self._places[at[there]] >= 0
        again = there & ~taken
        put: Array = np.sort(chosen[~taken])
        places = (first + np.searchsorted(put, chosen)).astype(np.int32)
        self._places[at[again]] = places[again]
        self._hashes = np.insert(self._hashes, at[~there], hashes[~there])
        self._places = np.insert(self._places, at[~there], places[~there])
        return put

    def clear(self, at: Array) -> None:
        """Take away what stands there."""
        self._places[at] = -1


def _hashes(keys: Array) -> Array:
    mixed = keys[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ keys[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    spread: Array = mixed ^ mixed >> np.uint64(29)
    return spread
