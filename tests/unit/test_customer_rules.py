"""The rules of customer management: agreements, what is news, when it is told, and the life of a request."""

from datetime import UTC, datetime, time, timedelta
from itertools import count, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.customer_agreement_config import CustomerAgreement
from contracts.nouns.customer_types import NotificationTriggerKind as Trigger
from contracts.nouns.service_requests import ServiceRequest, ServiceRequestState
from contracts.nouns.unplanned_outages import CrewStatusKind, OutageState
from contracts.types import DateTimeInterval, ObjectReference, Status
from services.customer_management.domain import agreement as agreements
from services.customer_management.domain import requests
from services.customer_management.domain.agreement import AgreementState, check_claims, claims
from services.customer_management.domain.incidents import Known, concerned, news
from services.customer_management.domain.notices import Notice, NoticeState, Preference, Recipient, composed, delivered

T0 = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
A = AgreementState


def agreement(
    mrid: str = "one", start: datetime = T0, end: datetime | None = None, point: str = "home", type_: str | None = None
) -> CustomerAgreement:
    return CustomerAgreement(
        mrid=mrid,
        type=type_,
        customer=ObjectReference(mrid=f"customer of {mrid}"),
        usage_points=(ObjectReference(mrid=point),),
        validity_interval=DateTimeInterval(start=start, end=end),
    )


def in_state(state: AgreementState) -> CustomerAgreement:
    return replace(agreement(end=T0 + 30 * DAY), status=Status(value=state))


@pytest.mark.parametrize(("before", "after"), [*product(AgreementState, repeat=2)])
def test_an_agreement_goes_where_the_table_says_and_nowhere_else(before: AgreementState, after: AgreementState) -> None:
    wanted = replace(in_state(after), usage_points=())
    if before is after or after in agreements.NEXT[before]:
        moved = agreements.moved(in_state(before), wanted, T0 - DAY)
        assert agreements.state(moved) is after
        assert moved.revision_number == 1
    else:
        with pytest.raises(Conflict, match=f"is {before} cannot become {after}"):
            agreements.moved(in_state(before), wanted, T0 - DAY)


def test_an_agreement_begins_and_ends_by_its_time() -> None:
    before = agreements.begun(agreement(start=T0), T0 - DAY)
    assert (agreements.state(before), agreements.turns_at(before)) == (A.SIGNED, T0)
    active = agreements.passed(before, T0)
    assert (agreements.state(active), agreements.turns_at(active)) == (A.ACTIVE, None)
    interval = DateTimeInterval(start=T0, end=T0 + DAY)
    notice = replace(active, status=Status(value=A.TERMINATING), validity_interval=interval)
    leaving = agreements.moved(active, notice, T0)
    assert (agreements.state(leaving), agreements.turns_at(leaving)) == (A.TERMINATING, T0 + DAY)
    assert agreements.state(agreements.passed(leaving, T0 + DAY)) is A.ENDED


def test_a_move_out_and_a_move_in_of_one_day_meet_and_nobody_else_fits_between() -> None:
    old = agreements.begun(agreement("old", T0 - 30 * DAY, T0), T0 - DAY)
    new = agreements.begun(agreement("new", T0), T0 - DAY)
    check_claims(claims(new), claims(old))
    early = agreements.begun(agreement("early", T0 - timedelta(hours=1)), T0 - DAY)
    with pytest.raises(Conflict, match="old has the usage point home in that time"):
        check_claims(claims(early), claims(old))
    fed_in = agreements.begun(agreement("roof", T0 - 30 * DAY, type_="export"), T0 - DAY)
    check_claims(claims(fed_in), claims(old))


@pytest.mark.parametrize(
    "broken",
    [
        replace(agreement(), validity_interval=None),
        agreement(end=T0 - DAY),
        replace(agreement(), customer=None),
        replace(agreement(), usage_points=()),
        replace(agreement(), status=Status(value="HAPPY")),
    ],
)
def test_an_agreement_that_makes_no_sense_is_refused(broken: CustomerAgreement) -> None:
    with pytest.raises(Invalid):
        agreements.begun(broken, T0)


def test_another_customer_needs_another_agreement() -> None:
    active = agreements.begun(agreement(), T0)
    with pytest.raises(Conflict, match="needs another agreement"):
        agreements.moved(active, replace(active, customer=ObjectReference(mrid="somebody else")), T0)


class Moving(RuleBasedStateMachine):
    """People move in and out of two homes, in any order and with every message twice."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.names = count()
        self.kept: dict[str, CustomerAgreement] = {}

    def keep(self, wanted: CustomerAgreement) -> None:
        others = [claim for each in self.kept.values() for claim in claims(each)]
        try:
            check_claims(claims(wanted), others)
        except Conflict:
            return
        self.kept[wanted.mrid or ""] = wanted

    @rule(point=st.sampled_from(["a", "b"]), start=st.integers(-5, 5), length=st.none() | st.integers(1, 5))
    def move_in(self, point: str, start: int, length: int | None) -> None:
        begin = self.now + start * DAY
        end = None if length is None else begin + length * DAY
        self.keep(agreements.begun(agreement(str(next(self.names)), begin, end, point), self.now))

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), to=st.sampled_from(AgreementState), days=st.integers(0, 4))
    def change(self, data: st.DataObject, to: AgreementState, days: int) -> None:
        before = self.kept[data.draw(st.sampled_from(sorted(self.kept)))]
        start = before.validity_interval.start if before.validity_interval else None
        interval = DateTimeInterval(start=start, end=self.now + days * DAY) if to is A.TERMINATING else None
        wanted = CustomerAgreement(mrid=before.mrid, status=Status(value=to), validity_interval=interval)
        old = agreements.state(before)
        try:
            after = agreements.moved(before, wanted, self.now)
        except (Conflict, Invalid):
            return
        reached = agreements.state(after)
        assert to is old or to in agreements.NEXT[old]
        assert reached is to or (to, reached) in {(A.SIGNED, A.ACTIVE), (A.TERMINATING, A.ENDED)}
        self.keep(after)

    @rule(days=st.integers(0, 3))
    def time_passes(self, days: int) -> None:
        self.now += days * DAY
        self.kept = {mrid: agreements.passed(each, self.now) for mrid, each in self.kept.items()}

    @invariant()
    def nobody_has_a_home_that_is_another_ones(self) -> None:
        for one, other in product(self.kept.values(), repeat=2):
            if one is not other:
                check_claims(claims(one), claims(other))


TestMoving = Moving.TestCase


def outage(
    revision: int, state: OutageState, estimate: datetime | None = None, crew: CrewStatusKind | None = None
) -> Known:
    return Known(outage="o", revision=revision, state=state, points=("home",), estimate=estimate, crew=crew)


def test_a_suspicion_is_no_news_and_an_outage_is_told_once() -> None:
    known, triggers = news(None, outage(1, OutageState.SUSPECTED))
    assert triggers == ()
    known, triggers = news(known, outage(2, OutageState.PREDICTED))
    assert triggers == (Trigger.POWER_OUT,)
    known, triggers = news(known, outage(3, OutageState.CONFIRMED))
    assert triggers == ()
    assert news(known, outage(2, OutageState.PREDICTED)) == (known, ())


def test_an_estimate_is_news_when_it_is_the_first_or_later_or_much_earlier() -> None:
    known, _ = news(None, outage(1, OutageState.CONFIRMED))
    told = []
    for revision, minutes in enumerate([60, 60, 50, 45, 44, 75, 70], start=2):
        estimate = T0 + timedelta(minutes=minutes)
        known, triggers = news(known, outage(revision, OutageState.CONFIRMED, estimate=estimate))
        told.append(triggers)
    first, change = (Trigger.INITIAL_ETR,), (Trigger.ETR_CHANGE,)
    assert told == [first, (), (), (), change, change, ()]


def test_a_crew_is_told_of_once_and_power_is_back_when_it_is_verified() -> None:
    known, _ = news(None, outage(1, OutageState.CONFIRMED))
    known, triggers = news(known, outage(2, OutageState.CONFIRMED, crew=CrewStatusKind.ENROUTE))
    assert triggers == (Trigger.INFORM_DISPATCHED,)
    known, triggers = news(known, outage(3, OutageState.CONFIRMED, crew=CrewStatusKind.ARRIVED))
    assert triggers == ()
    known, triggers = news(known, outage(4, OutageState.RESTORED))
    assert triggers == ()
    known, triggers = news(known, outage(5, OutageState.VERIFIED))
    assert triggers == (Trigger.POWER_RESTORED,)
    assert news(known, outage(6, OutageState.CLOSED))[1] == ()


def test_that_power_is_back_is_not_told_where_nobody_can_say_so() -> None:
    known, _ = news(None, Known(outage="o", revision=1, state=OutageState.CONFIRMED, points=("home", "shop")))
    closed = Known(outage="o", revision=2, state=OutageState.CLOSED, points=("home", "shop"), unverified=("home",))
    known, triggers = news(known, closed)
    assert triggers == (Trigger.POWER_RESTORED,)
    assert concerned(known, Trigger.POWER_RESTORED) == ("shop",)
    assert concerned(known, Trigger.POWER_OUT) == ("home", "shop")


def test_what_was_dismissed_before_it_was_told_is_never_told() -> None:
    known, _ = news(None, outage(1, OutageState.SUSPECTED))
    assert news(known, outage(2, OutageState.DISMISSED))[1] == ()


DAYTIME = (time(7), time(21))
BERLIN = ZoneInfo("Europe/Berlin")


def recipient(name: str = "c", *, critical: bool = False, quiet: bool = True) -> Recipient:
    earliest, latest = DAYTIME if quiet else (None, None)
    wishes = tuple(Preference(trigger=each, channel="sms", earliest=earliest, latest=latest) for each in Trigger)
    return Recipient(customer=name, usage_point="home", critical=critical, preferences=wishes)


def tell(
    trigger: Trigger, text: str, to: list[Recipient], earlier: list[Notice], now: datetime
) -> dict[NoticeState, list[Notice]]:
    mrids = (f"{len(earlier)}-{number}" for number in count())
    made = composed(trigger, text, "o", to, earlier, now=now, zone=BERLIN, mrids=mrids)
    for notice in made:
        earlier[:] = [each for each in earlier if each.mrid != notice.mrid] + [notice]
    return {state: [each for each in made if each.state is state] for state in NoticeState}


def test_a_notice_waits_for_the_morning_but_not_for_who_depends_on_the_supply() -> None:
    night = datetime(2026, 3, 14, 22, 30, tzinfo=UTC)
    made = tell(Trigger.POWER_OUT, "out", [recipient("sleeper"), recipient("patient", critical=True)], [], night)
    (held,), (sent,) = made[NoticeState.HELD], made[NoticeState.SENT]
    assert (held.customer, sent.customer) == ("sleeper", "patient")
    assert held.due_at == datetime(2026, 3, 15, 7, 0, tzinfo=BERLIN)


def test_a_newer_notice_replaces_what_is_held_and_no_one_hears_of_a_night_that_is_over() -> None:
    night = datetime(2026, 3, 14, 22, 30, tzinfo=UTC)
    earlier: list[Notice] = []
    tell(Trigger.POWER_OUT, "out", [recipient()], earlier, night)
    made = tell(Trigger.ETR_CHANGE, "later", [recipient()], earlier, night + timedelta(hours=1))
    assert [each.text for each in made[NoticeState.SUPERSEDED]] == ["out"]
    assert [each.text for each in made[NoticeState.HELD]] == ["later"]
    made = tell(Trigger.POWER_RESTORED, "back", [recipient()], earlier, night + timedelta(hours=2))
    assert [each.text for each in made[NoticeState.SUPERSEDED]] == ["later"]
    assert made[NoticeState.HELD] == made[NoticeState.SENT] == []


def test_estimates_come_at_most_once_an_hour_and_the_return_of_power_at_once() -> None:
    earlier: list[Notice] = []
    assert tell(Trigger.POWER_OUT, "out", [recipient(quiet=False)], earlier, T0)[NoticeState.SENT]
    made = tell(Trigger.ETR_CHANGE, "at nine", [recipient(quiet=False)], earlier, T0 + timedelta(minutes=10))
    assert [each.due_at for each in made[NoticeState.HELD]] == [T0 + timedelta(hours=1)]
    made = tell(Trigger.POWER_RESTORED, "back", [recipient(quiet=False)], earlier, T0 + timedelta(minutes=20))
    assert [each.text for each in made[NoticeState.SENT]] == ["back"]
    assert [each.text for each in made[NoticeState.SUPERSEDED]] == ["at nine"]


@given(st.lists(st.tuples(st.sampled_from(Trigger), st.integers(0, 300)), max_size=12))
def test_nobody_is_told_the_same_twice_and_nobody_that_power_is_back_who_never_heard_that_it_was_away(
    told: list[tuple[Trigger, int]],
) -> None:
    earlier: list[Notice] = []
    now = T0
    for trigger, minutes in told:
        now += timedelta(minutes=minutes)
        due = [each for each in earlier if each.state is NoticeState.HELD and each.due_at <= now]
        for notice in due:
            earlier[earlier.index(notice)] = delivered(notice, now)
        tell(trigger, str(trigger), [recipient()], earlier, now)
        sent = [each for each in earlier if each.state is NoticeState.SENT]
        assert len({(each.trigger, each.text) for each in sent}) == len(sent)
        assert all(each.trigger is not Trigger.POWER_RESTORED or len(sent) > 1 for each in sent)
        assert sum(each.state is NoticeState.HELD for each in earlier) <= 1
        local = [
            each.sent_at.astimezone(BERLIN).time() for each in sent if each.sent_at and each.sent_at == each.due_at
        ]
        assert all(DAYTIME[0] <= at < DAYTIME[1] for at in local)


R = ServiceRequestState


@pytest.mark.parametrize(("before", "after"), [*product(ServiceRequestState, repeat=2)])
def test_a_request_goes_where_the_table_says_and_nowhere_else(
    before: ServiceRequestState, after: ServiceRequestState
) -> None:
    request = ServiceRequest(mrid="r", status=Status(value=before))
    if before is after:
        assert requests.moved(request, after, T0) is request
    elif after in requests.NEXT[before]:
        assert requests.state(requests.moved(request, after, T0)) is after
    else:
        with pytest.raises(Conflict, match=f"is {before} cannot become {after}"):
            requests.moved(request, after, T0)
