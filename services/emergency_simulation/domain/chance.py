"""Chance as a function: a seed, the name of a process and the name of a draw give a number, always the same one.

A draw does not depend on how many were made before it, nor on what other processes draw; so a change to one of them
(say, another radio) leaves all others as they were. The mixing is that of SplitMix64 (Steele, Lea, Flood 2014).
"""

import math

from msgspec import Struct

_WORD = 2**64 - 1
_STEP = 0x9E3779B97F4A7C15
_PRIME = 2**61 - 1


class Stream(Struct, frozen=True):
    """The draws of one process under one seed; each draw is named by the texts that it is given."""

    seed: int
    process: str

    def fraction(self, *names: str) -> float:
        """A number from 0 up to, not including, 1."""
        return (self._word(names, 0) >> 11) / 2**53

    def between(self, low: float, high: float, *names: str) -> float:
        """A number from ``low`` up to ``high``, each as likely as any other."""
        return low + (high - low) * self.fraction(*names)

    def exponential(self, mean: float, *names: str) -> float:
        """A waiting time with this ``mean``."""
        return -mean * math.log(1.0 - self.fraction(*names))

    def lognormal(self, median: float, sigma: float, *names: str) -> float:
        """A duration with this ``median`` whose logarithm has the standard deviation ``sigma`` (Box and Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.fraction(*names, "radius")))
        return median * math.exp(sigma * radius * math.cos(2.0 * math.pi * self.fraction(*names, "angle")))

    def identity(self, *names: str) -> str:
        """An identity in the form of a UUID, of the version that RFC 9562 leaves to applications (8)."""
        bits = (self._word(names, 1) << 64) | self._word(names, 2)
        bits = bits & ~(0xF << 76) & ~(0x3 << 62) | (8 << 76) | (2 << 62)
        text = f"{bits:032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def _word(self, names: tuple[str, ...], draw: int) -> int:
        state = _mixed(self.seed)
        for name in (self.process, *names):
            state = _mixed((state + _STEP) ^ (int.from_bytes(name.encode(), "little") % _PRIME))
        return _mixed(state + draw * _STEP)


def _mixed(word: int) -> int:
    """The finalizer of SplitMix64: every bit of the answer depends on every bit of ``word``."""
    word &= _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)
