"""Between the values of the rules and the nouns of the standard."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import ValidationError, convert
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.message import Header, Option, Request
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.reliability_indices import CountingRules, InterruptionKind, ReliabilityIndex
from contracts.nouns.unplanned_outages import OutageCauseKind, OutageState, OutageStatusKind, UnplannedOutage
from contracts.types import DateTimeInterval, Instant, ObjectReference
from services.compliance_management.config import zone_named
from services.compliance_management.domain.customers import Served
from services.compliance_management.domain.indices import Figures, Question
from services.compliance_management.domain.ledger import Telling

RULE_SET = (
    "IEEE 1366; an interruption belongs to the day and the period in which it began, with all its minutes; one that is"
    " not over lasts until dataCutOff; planned interruptions apart; loss of supply and causes at the customer's side"
    " are not left out; usage points weigh by their customers; customersServed is the average of the period; tMed from"
    " the unplanned interruptions of the whole utility, 2.5 beta over up to five calendar years before"
)
"""What is the same in every report; what a utility may choose stands in CountingRules."""

MAJOR_EVENT_DAYS = {"included": (True,), "excluded": (False,), "both": (True, False)}
"""What the option majorEventDays may say."""


def telling_of(outage: UnplannedOutage, header: Header, now: datetime) -> Telling:
    """What an event tells of an outage.

    The change happened at ``status.dateTime``, or ``lastModifiedDateTime``. An event that says neither happened when it
    was told, by its header, or where that cannot be, as the real time in a training, when it was heard.

    Raises:
        Invalid: it does not say when the outage began.
    """
    period = outage.actual_period or DateTimeInterval()
    began = period.start or outage.reported_start_time
    if began is None:
        raise Invalid("actualPeriod/start: an outage without a beginning cannot be counted", object_id=outage.mrid)
    state = None if outage.status is None else outage.status.value
    stamped = header.timestamp if header.timestamp is not None and began <= header.timestamp <= now else now
    said = None if outage.status is None else outage.status.date_time
    return Telling(
        outage=outage.mrid,
        revision=outage.revision_number,
        told_at=said or outage.last_modified_date_time or stamped,
        counts=(
            outage.outage_kind is OutageStatusKind.CONFIRMED
            and state != OutageState.DISMISSED
            and outage.cancelled_date_time is None
        ),
        planned=outage.cause_kind is OutageCauseKind.PLANNED,
        began_at=began,
        ended_at=period.end,
        dark=_mrids(outage.de_energized_usage_point),
        live=_mrids(outage.energized_usage_point),
        steps={mrid: step.date_time for step in outage.restoration_step for mrid in _mrids(step.usage_point)},
    )


def served_in(topology: FeederTopology, models: NetworkModels) -> tuple[list[Served], datetime | None]:
    """Who is served by which feeder since the newest of ``models`` or of their feeders; None without any feeder."""
    served = [
        Served(usage_point=point.mrid, feeder=feeder.mrid, customers=point.customers)
        for feeder in topology.feeder
        for point in feeder.usage_point
    ]
    told = [model.created_date_time for model in models.network_model if model.created_date_time is not None]
    times = [feeder.event_time for feeder in topology.feeder]
    return served, max([*times, *told]) if times else None


def question_in(index: ReliabilityIndex, settings: CountingRules, now: datetime) -> Question:
    """What a report asks for: its period, and whatever else it says of how to count.

    Raises:
        Invalid: the period is not whole, the cut-off is in the future, or there is no such time zone.
    """
    start, end, cut_off = index.period.start, index.period.end, index.data_cut_off or now
    if start is None or end is None:
        raise Invalid("period: a report needs the start and the end of its period", object_id=index.mrid)
    if cut_off > now:
        raise Invalid("dataCutOff: nothing is known of the future", object_id=index.mrid)
    rules = index.counting_rules or settings
    try:
        zone = zone_named(rules.time_zone)
    except ValueError as error:
        raise Invalid(f"timeZone: {error}", object_id=index.mrid) from error
    return Question(
        start=start,
        end=end,
        cut_off=cut_off,
        rules=rules,
        zone=zone,
        kind=index.interruption_kind or InterruptionKind.UNPLANNED,
        feeder=None if index.feeder is None else index.feeder.mrid,
        with_major_days=index.major_event_days_included is not False,
    )


def wanted(request: Request, settings: CountingRules, mrids: Sequence[str]) -> list[ReliabilityIndex]:
    """The indices that a request for a period asks for, without figures.

    Unplanned interruptions with and without major event days, unless the option ``majorEventDays`` wants one of the
    two, and then planned ones. Further options: ``timeZone``, ``feeder``, ``dataCutOff``, ``ledgerRevision``.

    Raises:
        Invalid: an option is unknown or cannot be what it is.
    """
    known = ("majorEventDays", "timeZone", "feeder", "dataCutOff", "ledgerRevision")
    options = options_in(request.option, known)
    major = MAJOR_EVENT_DAYS.get(options.get("majorEventDays", "both"))
    if major is None:
        raise Invalid(f"Option majorEventDays: it may be {', '.join(MAJOR_EVENT_DAYS)}")
    kinds = [*((InterruptionKind.UNPLANNED, included) for included in major), (InterruptionKind.PLANNED, True)]
    return [
        ReliabilityIndex(
            mrid=mrid,
            data_cut_off=instant_in(options, "dataCutOff"),
            interruption_kind=kind,
            ledger_revision=number_in(options, "ledgerRevision"),
            major_event_days_included=included,
            rule_set=RULE_SET,
            counting_rules=replace(settings, time_zone=options.get("timeZone", settings.time_zone)),
            feeder=ObjectReference(mrid=options["feeder"]) if "feeder" in options else None,
            period=DateTimeInterval(start=request.start_time, end=request.end_time),
        )
        for mrid, (kind, included) in zip(mrids, kinds, strict=False)
    ]


def counted(
    index: ReliabilityIndex, question: Question, found: Figures, ledger: int, now: datetime
) -> ReliabilityIndex:
    """The index with its figures, and with all that is needed to count them again."""
    return replace(
        index,
        asai=found.asai,
        caidi=found.caidi,
        celid_s=found.celid_s,
        celid_t=found.celid_t,
        cemi=found.cemi,
        created_date_time=now,
        customer_interruptions=found.customer_interruptions,
        customer_minutes=found.customer_minutes,
        customers_served=round(found.customers_served),
        data_cut_off=question.cut_off,
        interruption_kind=question.kind,
        ledger_revision=ledger,
        maifi=found.maifi,
        maifi_e=found.maifi_e,
        major_event_days=found.major_event_days,
        major_event_days_included=question.with_major_days,
        rule_set=RULE_SET,
        saidi=found.saidi,
        saifi=found.saifi,
        t_med=found.t_med,
        counting_rules=question.rules,
    )


def differ(before: ReliabilityIndex, after: ReliabilityIndex) -> bool:
    """True when the figures are others, whenever and from whatever state of the ledger they were counted."""
    return _undated(before) != _undated(after)


def options_in(options: Sequence[Option], known: Sequence[str]) -> Mapping[str, str]:
    """The options by name.

    Raises:
        Invalid: one is unknown.
    """
    for option in options:
        if option.name not in known:
            raise Invalid(f"Option {option.name}: it may be {', '.join(known)}")
    return {option.name: option.value or "" for option in options}


def number_in(options: Mapping[str, str], name: str) -> int | None:
    """The whole number that an option says.

    Raises:
        Invalid: it is none.
    """
    text = options.get(name)
    if text is not None and not (text.isascii() and text.isdigit()):
        raise Invalid(f"Option {name}: '{text}' is no whole number")
    return None if text is None else int(text)


def instant_in(options: Mapping[str, str], name: str) -> datetime | None:
    """The instant that an option says.

    Raises:
        Invalid: it is none.
    """
    if name not in options:
        return None
    try:
        said: datetime = convert(options[name], type=Instant)
    except ValidationError as error:
        raise Invalid(f"Option {name}: '{options[name]}' is no time with its zone") from error
    return said


def _mrids(references: Sequence[ObjectReference]) -> tuple[str, ...]:
    return tuple(each.mrid for each in references if each.mrid is not None)


def _undated(index: ReliabilityIndex) -> ReliabilityIndex:
    return replace(index, created_date_time=None, data_cut_off=None, ledger_revision=None, revision=None)
