"""The score of a storm: its customer-minutes beside those of the reference solution, and of waiting for the repair."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from contracts.nouns.scenario_scores import Course, CourseKind, CustomersOff, FaultScore, ScenarioScore
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.ledger import Darkness, truth_of
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.reference import Answer, lit_again, solve, waited_out

MANY = 2000
"""A course is told in no more steps than this, so that the message stays small."""


def score_of(
    scenario: str,
    network: Network,
    faults: Sequence[Fault],
    darkness: Sequence[Darkness],
    *,
    customers: Mapping[str, int],
    crews: Collection[str],
    seed: int,
    conditions: Conditions,
    ended: datetime,
) -> ScenarioScore:
    """The score of a storm that has ended; ``darkness`` is the ledger of the truth, ``crews`` who went out in it."""
    spells: dict[str, list[Darkness]] = defaultdict(list)
    for each in darkness:
        spells[each.usage_point].append(each)
    best = solve(network, faults, customers, crews, seed=seed, conditions=conditions)
    courses = {
        CourseKind.REFERENCE: _course(CourseKind.REFERENCE, best.darkness, customers, ended),
        CourseKind.RUN: _course(CourseKind.RUN, darkness, customers, ended),
        CourseKind.WAITING: _course(CourseKind.WAITING, waited_out(faults, spells, ended), customers, ended),
    }
    struck = {fault.mrid: fault for fault in faults}
    return ScenarioScore(
        mrid=scenario,
        score=_share(courses, CourseKind.RUN),
        waiting_score=_share(courses, CourseKind.WAITING),
        course=tuple(courses.values()),
        fault_score=tuple(_told(struck[each.fault], each, customers, spells, ended) for each in best.answers),
    )


def _share(courses: Mapping[CourseKind, Course], kind: CourseKind) -> float:
    """The customer-minutes of the reference solution as a percentage of those of a course."""
    minutes = courses[kind].customer_minutes
    return 100.0 * min(1.0, courses[CourseKind.REFERENCE].customer_minutes / minutes) if minutes else 100.0


def _told(
    fault: Fault,
    answer: Answer,
    customers: Mapping[str, int],
    spells: Mapping[str, Sequence[Darkness]],
    ended: datetime,
) -> FaultScore:
    return FaultScore(
        customers=sum(customers.get(point, 0) for point in fault.dark),
        fault=fault.mrid,
        isolated_date_time=answer.isolated_at,
        repaired_date_time=answer.repaired_at,
        restored_date_time=answer.restored_at,
        run_restored_date_time=lit_again(fault, spells, ended),
    )


def _course(kind: CourseKind, darkness: Iterable[Darkness], customers: Mapping[str, int], ended: datetime) -> Course:
    darkness = tuple(darkness)
    steps = list(_steps(darkness, customers))
    kept = steps[:: len(steps) // MANY + 1]
    if steps and kept[-1] != steps[-1]:
        kept.append(steps[-1])
    return Course(customer_minutes=truth_of(darkness, customers, ended).minutes, kind=kind, customers_off=tuple(kept))


def _steps(darkness: Iterable[Darkness], customers: Mapping[str, int]) -> Iterator[CustomersOff]:
    """How many customers are off from each time on at which that changes."""
    changes: list[tuple[datetime, int]] = []
    for each in darkness:
        weight = customers.get(each.usage_point, 0)
        changes.append((each.began, weight))
        if each.ended is not None:
            changes.append((each.ended, -weight))
    off = 0
    for at, group in groupby(sorted(changes), key=lambda change: change[0]):
        before, off = off, off + sum(weight for _, weight in group)
        if off != before:
            yield CustomersOff(customers=off, date_time=at)
