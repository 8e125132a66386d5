"""Whether a run may be believed: a figure of a run that is not valid is none."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from loadtest.histogram import Histogram
from loadtest.scenario import Scenario

if TYPE_CHECKING:
    from loadtest.rounds import Measured

GROWTH = 0.02
"""Of the messages of the second half: by so many the backlog may be larger at its end than at its beginning."""

LEAST_GROWTH = 16
"""Fewer messages than that are no growth."""


def reasons(scenario: Scenario, measured: "Measured") -> list[str]:
    """Why a run is not valid; nothing when it is."""
    messages = measured.messages
    found = []
    lag = Histogram.of(messages["lag"][~np.isnan(messages["lag"])]).percentile_s(99)
    if lag * 1e3 > scenario.lag_limit_ms:
        found.append(f"the generator was late: {lag * 1e3:.1f} ms in one of a hundred messages")
    grown = growth(scenario, np.array(measured.backlog.at_s), np.array(measured.backlog.waiting, np.float64))
    half = scenario.duration_s / 2
    said = int(((messages["due"] >= half) & (messages["due"] < scenario.duration_s)).sum())
    # while something is dead its work waits; that it is done in the end is judged below
    if grown > max(GROWTH * said, LEAST_GROWTH) and not scenario.faults:
        found.append(f"the backlog grew by {grown:.0f} messages in the second half, of {said} that were due")
    if unsaid := int(np.isnan(messages["sent"]).sum()):
        found.append(f"{unsaid} messages were never sent")
    if silent := int((np.isnan(messages["answered"]) & ~np.isnan(messages["sent"])).sum()):
        found.append(f"{silent} messages have no answer")
    if refused := int(messages["failed"].sum()):
        found.append(f"{refused} requests were refused, such as: {measured.generator['reasons'][0]}")
    if measured.generator["refusals"]:
        found.append(f"the broker refused: {measured.generator['refusals'][0]}")
    if (messages["sequence"] > 0).any() and not measured.backlog.durables:
        found.append(f"'{scenario.role}' has no consumer that could be watched")
    if not measured.drained:
        found.append(f"not everything was worked off {scenario.drain_s:.0f} s after the end")
    if not measured.found.is_whole:
        lost = measured.found
        found.append(f"{lost.lost} values lost, {lost.doubled} doubled, {lost.wrong} wrong, {lost.unasked} never told")
    return found


def growth(scenario: Scenario, at_s: NDArray[np.float64], waiting: NDArray[np.float64]) -> float:
    """By how many messages the backlog grew over the second half of the run: along a straight line, at least 0."""
    half = (at_s >= scenario.duration_s / 2) & (at_s <= scenario.duration_s)
    if half.sum() < 3:  # noqa: PLR2004 a line through fewer points says nothing
        return 0.0
    slope = float(np.polyfit(at_s[half], waiting[half], 1)[0])
    return max(slope * scenario.duration_s / 2, 0.0)
