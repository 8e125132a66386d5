"""Whether what passes a transformer reaches those behind it: its meter against the sum of theirs (metering guide 7).

More than the losses of a street that does not arrive for a week is taken by somebody, past a meter. Where more arrives
than passes, the network model has usage points behind the wrong transformer, and nobody is suspected.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.vee.beside import BACK, NET
from services.meter_reading_and_control.domain.vee.days import Mask
from services.meter_reading_and_control.domain.vee.statistics import Uses

TOLERANCE = 0.05
"""Such a share of what passes may not arrive."""

WEEK = 7
"""So many days a loss must last."""

WITHIN = 14
"""So many days back they are looked for: one on which somebody's day is not whole says nothing [P]."""


class Used(Struct, frozen=True, eq=False, kw_only=True):
    """What was used on days, in Wh, less what flowed back; it counts where it is known."""

    use: Uses
    is_known: Mask


def alike(code: ReadingTypeCode | None, others: Iterable[ReadingTypeCode]) -> list[ReadingTypeCode]:
    """Those reading types in which somebody tells what is told in ``code``, and what flows back; none of none.

    Of several for one direction the first; what is net by itself has no other direction.
    """
    found: dict[int, ReadingTypeCode] = {}
    for each in others:
        if code is not None and _plain(each) == _plain(code):
            found.setdefault(each.flow_direction, each)
    return [found[NET]] if NET in found else list(found.values())


def weight_of(code: ReadingTypeCode) -> float:
    """By what an energy is multiplied so that it counts as one that is used, in Wh; what flows back was not used."""
    power: float = 10.0**code.multiplier
    return -power if code.flow_direction == BACK else power


def together(parts: Sequence[Used], days: int) -> Used:
    """Several as one, which is known where all are; of nothing nothing is known."""
    if not parts:
        return Used(use=np.zeros(days), is_known=np.zeros(days, np.bool_))
    return Used(
        use=np.sum([each.use for each in parts], axis=0),
        is_known=np.logical_and.reduce([each.is_known for each in parts]),
    )


def losses(passed: Used, members: Sequence[Used], belongs: NDArray[np.bool_]) -> Uses:
    """Which share of what passed did not arrive, for each day; no number where that is not known.

    Args:
        passed: what the meter of the transformer measured.
        members: what those behind it used.
        belongs: [members x days], where each was behind it.
    """
    arrived, is_known = np.zeros(len(passed.use)), passed.is_known & (passed.use > 0) & belongs.any(axis=0)
    for each, is_there in zip(members, belongs, strict=True):
        arrived += np.where(is_there, each.use, 0.0)
        is_known = is_known & (each.is_known | ~is_there)
    return np.where(is_known, (passed.use - arrived) / np.where(is_known, passed.use, 1.0), np.nan)


def lasting(shares: Uses) -> tuple[bool, int] | None:
    """Whether the last week of which it is known was one of loss, and its last day; None where too little is known."""
    known = np.flatnonzero(~np.isnan(shares))[-WEEK:]
    if len(known) < WEEK:
        return None
    return bool((shares[known] > TOLERANCE).all()), int(known[-1])


def _plain(code: ReadingTypeCode) -> ReadingTypeCode:
    return replace(code, commodity=0, flow_direction=0, multiplier=0)
