"""What is told of a storm: each word about an outage as it comes, and how it ended."""

import sys
from typing import Self

import msgspec
from msgspec import Struct

from contracts.nouns.alarms import Alarm, AlarmKind, Alarms, AlarmState
from contracts.nouns.reliability_indices import ReliabilityIndex
from contracts.nouns.scenario_scores import CourseKind, ScenarioScore
from contracts.nouns.training_scenarios import TrainingScenario
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb
from shared.tools.cli.storm_chaos import Blow, ChaosKind, blow_lines
from shared.tools.observing import Verdict
from shared.tools.telling.figures import Done, FaultLine, Times, done, fault_lines, times
from shared.tools.telling.story import Story
from shared.tools.telling.summary import done_lines, fault_table, index_table, times_lines

_CALLING = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED})
"""The states in which an alarm waits for somebody to see it."""

_ASKED_AGAIN = frozenset({"unanswered"})
"""What is no loss: who asked in vain, since somebody was killed, asks again."""


class OutageLine(Struct, frozen=True):
    """One thing that was said of an outage; devices and states, not identities, so that two storms can be compared."""

    verb: str
    state: str | None
    kind: str | None
    device: str | None
    name: str | None
    customers: int | None


class Indices(Struct, frozen=True, kw_only=True):
    """Interruptions of customers, and the indices of IEEE 1366 that follow from them."""

    customers_served: int | None
    customer_interruptions: int | None
    customer_minutes: float | None
    saifi: float | None
    saidi: float | None
    caidi: float | None
    maifi: float | None
    maifi_e: float | None

    @classmethod
    def of(cls, told: TrainingScenario | ReliabilityIndex) -> Self:
        """The figures of a storm's truth, or of what was reported of it."""
        return cls(**{name: getattr(told, name) for name in cls.__struct_fields__})


class AlarmCount(Struct, frozen=True, kw_only=True):
    """How often an alarm called for an operator, and how often one of them was that protection had opened a device."""

    called: int
    trips: int


class Score(Struct, frozen=True, kw_only=True):
    """Customer-minutes of a dispatcher who knows all at once, as a percentage of those of the run.

    ``waiting_percent`` is the same for a run in which nobody switches before the repair. The minutes are of sustained
    interruptions.
    """

    percent: float
    waiting_percent: float
    reference_minutes: float
    run_minutes: float
    waiting_minutes: float

    @classmethod
    def of(cls, told: ScenarioScore) -> Self:
        """The score as the simulation tells it."""
        minutes = {course.kind: round(course.customer_minutes, 3) for course in told.course}
        return cls(
            percent=round(told.score, 1),
            waiting_percent=round(told.waiting_score, 1),
            reference_minutes=minutes.get(CourseKind.REFERENCE, 0.0),
            run_minutes=minutes.get(CourseKind.RUN, 0.0),
            waiting_minutes=minutes.get(CourseKind.WAITING, 0.0),
        )


class Report(Struct, frozen=True, kw_only=True):
    """How a storm ended; the names are those of ``--json``.

    ``network`` is the one that was asked for, ``equipped`` how much of each class was added to it because it lacked it.
    ``messages_lost`` are those that a service could not handle or send; none is lost without a trace. ``observed`` is
    the verdict of a client that is no service and heard everything; ``effects_doubled`` and ``sequence_gaps`` are its.
    ``truth`` is what the simulation knows, ``ledger`` what compliance management counts from what was reported; none
    where nobody counts. ``score`` holds the run against a dispatcher who knows the whole truth. ``faults_told`` is what
    was inferred of each fault beside what was true, ``times`` how long it took, ``done`` how much was done; all of it
    was heard, not asked. ``blows`` are what ``chaos`` did to the machinery; a storm that ended before the first is not
    good. ``alarms`` are those of network operation. ``threads`` are the CorrelationIDs of the outages,
    for `busbar history`; they differ from storm to storm.
    """

    seed: int
    network: str
    faults: int
    status: str
    matched: int
    predicted_right: int
    customers_interrupted: int
    customers_dark_at_end: int
    messages_lost: int
    effects_doubled: int
    sequence_gaps: int
    observed: Verdict | None
    equipped: dict[str, int]
    truth: Indices
    ledger: Indices | None
    score: Score | None
    alarms: AlarmCount
    times: Times
    done: Done
    faults_told: tuple[FaultLine, ...]
    outages: tuple[OutageLine, ...]
    threads: tuple[str, ...]
    granted_s: float
    real_s: float
    chaos: ChaosKind | None = None
    blows: tuple[Blow, ...] = ()

    @property
    def good(self) -> bool:
        """True when every fault was understood, everybody has power and every promise was kept."""
        understood = self.status == "finished" and self.matched == self.faults
        kept = self.messages_lost == 0 and (self.observed is None or not self.observed.complaints.keys() - _ASKED_AGAIN)
        struck = self.chaos is None or bool(self.blows)
        return understood and self.customers_dark_at_end == 0 and kept and struck


class Told:
    """What was heard: each thing that was said of outages, the thread of each outage, and which alarms called."""

    def __init__(self) -> None:
        self.lines: list[OutageLine] = []
        self.threads: list[str] = []
        self._called: list[Alarm] = []
        self._calling: set[str] = set()

    def hear_alarms(self, alarms: Alarms) -> None:
        """Count each time at which an alarm is to be seen that was not before."""
        for alarm in alarms.alarm:
            state = None if alarm.status is None else alarm.status.value
            if state == AlarmState.UNACKNOWLEDGED and alarm.mrid not in self._calling:
                self._called.append(alarm)
            is_calling = state in _CALLING
            (self._calling.add if is_calling else self._calling.discard)(alarm.mrid)

    @property
    def alarms(self) -> AlarmCount:
        """How many there were."""
        trips = [alarm for alarm in self._called if alarm.kind is AlarmKind.TRIP]
        return AlarmCount(called=len(self._called), trips=len(trips))


def print_report(report: Report, *, as_json: bool) -> None:
    """Write the report, as JSON or in words."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    else:
        sys.stdout.write(_summary(report))
    sys.stdout.flush()


def lines_of(verb: Verb, outages: UnplannedOutages) -> list[OutageLine]:
    """What a message says of its outages."""
    return [
        OutageLine(
            verb=str(verb),
            state=None if outage.status is None else outage.status.value,
            kind=None if outage.outage_kind is None else str(outage.outage_kind),
            device=next((switch.mrid for switch in outage.opened_switches), None),
            name=next((name.name for switch in outage.opened_switches for name in switch.names), None),
            customers=outage.original_customers_served,
        )
        for outage in outages.unplanned_outage
    ]


def report_of(
    scenario: TrainingScenario,
    told: Told,
    story: Story,
    *,
    network: str,
    ledger: Indices | None,
    score: ScenarioScore | None,
    real_s: float,
) -> Report:
    """How the storm ended by the word of the simulation and of the ledger; what was lost is not counted yet."""
    granted = 0.0
    lines = tuple(fault_lines(story, scenario))
    if scenario.start_time is not None and scenario.end_time is not None:
        granted = (scenario.end_time - scenario.start_time).total_seconds()
    return Report(
        seed=scenario.seed,
        network=network,
        faults=scenario.faults_struck or 0,
        status=str(scenario.status_kind),
        matched=scenario.matched or 0,
        predicted_right=scenario.predicted_right or 0,
        customers_interrupted=scenario.customers_interrupted or 0,
        customers_dark_at_end=scenario.customers_dark_at_end or 0,
        messages_lost=0,
        effects_doubled=0,
        sequence_gaps=0,
        observed=None,
        equipped={},
        truth=Indices.of(scenario),
        ledger=ledger,
        score=None if score is None else Score.of(score),
        alarms=told.alarms,
        times=times(lines),
        done=done(story),
        faults_told=lines,
        outages=tuple(told.lines),
        threads=tuple(told.threads),
        granted_s=granted,
        real_s=round(real_s, 3),
    )


def _summary(report: Report) -> str:
    columns = {"in truth": figures_of(report.truth)}
    if report.ledger is not None:
        columns["as reported"] = figures_of(report.ledger)
    lines = [
        "",
        *fault_table(report.faults_told),
        "",
        verdict_of(report),
        *times_lines(report.times),
        *done_lines(report.done),
        "",
        *index_table(columns),
        *([] if report.ledger is not None else ["Nobody keeps a ledger."]),
        *_scored(report.score),
        "",
        *observed_lines(report.observed),
        *blow_lines(report.blows),
        f"{report.granted_s / 60:.0f} minutes passed in {report.real_s:.1f} s.",
    ]
    return "\n".join(lines) + "\n"


def verdict_of(report: Report) -> str:
    """How it ended, in a sentence or two."""
    verdict = "Everybody has power again." if report.customers_dark_at_end == 0 else "People are still in the dark."
    return (
        f"{verdict} {report.matched} of {report.faults} faults were understood, {report.predicted_right} before any "
        f"crew was there; {report.customers_interrupted} customers were interrupted."
    )


def _scored(score: Score | None) -> list[str]:
    if score is None:
        return []
    word = (
        f"Score {score.percent:.0f} of 100: who knows all at once would have had {score.reference_minutes:.0f} "
        f"customer-minutes; to switch nothing before each repair scores {score.waiting_percent:.0f}."
    )
    return [word]


def observed_lines(verdict: Verdict | None) -> list[str]:
    """What the observer says."""
    if verdict is None:
        return []
    found = [f"{number} {name.replace('_', ' ')}" for name, number in verdict.complaints.items()]
    word = ", ".join(found) or "each request answered once, nothing missing, nothing done twice"
    return [f"An observer heard {verdict.heard} messages with {verdict.requests} requests: {word}."]


def figures_of(indices: Indices) -> dict[str, float | None]:
    """The indices by the names that people know."""
    return {
        "customer-minutes": indices.customer_minutes,
        "SAIFI": indices.saifi,
        "SAIDI": indices.saidi,
        "CAIDI": indices.caidi,
        "MAIFI": indices.maifi,
        "MAIFI_E": indices.maifi_e,
    }


def say(text: str, *, as_json: bool) -> None:
    """Tell people, unless a program listens."""
    if not as_json:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
