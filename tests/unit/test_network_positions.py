"""Where a switch stands, of all that is known of it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.nouns.measurements import (
    Discrete,
    DiscreteValue,
    Measurements,
    MeasurementValueQuality,
    SwitchPosition,
    Validity,
)
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from services.network_operation.domain.phases import ALL, NONE, Phases
from services.network_operation.domain.positions import Override, Position, Standing, Teller, hear, positions_in
from tests.fixtures.phased_networks import switch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOSED = switch("d", "1", "2")
OPEN = switch("d", "1", "2", open=None, normal_open=True)
NOBODY = Standing(device="d")


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def said(
    minute: int, *, opened: bool = True, phases: Phases = ALL, by: Teller = Teller.TELEMETRY, sure: bool = True
) -> Position:
    return Position(device="d", open=opened, at=at(minute), phases=phases, teller=by, sure=sure)


def after(*reports: Position, known: Standing = NOBODY) -> Standing:
    for report in reports:
        known = hear(known, report).standing
    return known


def test_without_any_word_the_model_counts_open_before_normally_open() -> None:
    assert (NOBODY.open_phases(CLOSED), NOBODY.open_phases(OPEN), NOBODY.open_phases(None)) == (NONE, ALL, NONE)
    assert NOBODY.open_phases(switch("d", "1", "2", open=False, normal_open=True)) == NONE
    assert NOBODY.open_phases(switch("d", "1", "2", open_phases=PhaseCode.B)) == Phases.B


def test_an_override_counts_before_telemetry_and_telemetry_before_what_a_crew_did() -> None:
    crew = after(said(1, by=Teller.CREW))
    assert crew.open_phases(CLOSED) == ALL
    measured = after(said(0, opened=False), known=crew)
    assert measured.open_phases(CLOSED) == NONE
    dressed = Standing(
        device="d",
        telemetry=measured.telemetry,
        override=Override(mrid="o", open_phases=Phases.A, since=at(2), until=at(9)),
    )
    assert dressed.open_phases(CLOSED) == Phases.A
    assert after(said(5), known=dressed).open_phases(CLOSED) == Phases.A


def test_each_phase_stands_for_itself() -> None:
    known = after(said(1), said(2, opened=False, phases=Phases.B), said(3, opened=False, phases=Phases.C))
    assert known.open_phases(CLOSED) == Phases.A


def test_older_news_changes_nothing_now_and_is_history() -> None:
    known = after(said(5))
    heard = hear(known, said(3, opened=False))
    assert (heard.standing, heard.history) == (known, ALL)
    assert hear(known, said(5)).standing == known


def test_a_position_between_leaves_the_switch_where_it_was_and_in_doubt() -> None:
    known = after(said(1), said(2, sure=False))
    assert (known.open_phases(CLOSED), known.is_doubted) == (ALL, True)
    assert after(said(3, sure=False), known=known).open_phases(CLOSED) == ALL
    assert not after(said(4), known=known).is_doubted
    assert after(said(1, opened=False), known=known).is_doubted, "what is older than the doubt does not end it"
    assert not after(said(1, sure=False), known=after(said(2))).is_doubted


def test_in_doubt_the_later_of_telemetry_and_crew_counts_and_a_crew_ends_the_doubt() -> None:
    known = after(said(1), said(2, sure=False), said(3, opened=False, by=Teller.CREW))
    assert (known.open_phases(CLOSED), known.is_doubted) == (NONE, False)
    assert hear(known, said(4, by=Teller.CREW)).history == ALL
    assert hear(after(said(1)), said(4, by=Teller.CREW)).history == NONE, "telemetry says otherwise"


REPORTS = st.builds(
    Position,
    device=st.just("d"),
    open=st.booleans(),
    at=st.integers(0, 9).map(at),
    phases=st.sampled_from([ALL, Phases.A, Phases.B | Phases.C]),
    sure=st.sampled_from([True, True, False]),
    teller=st.sampled_from(Teller),
)


@given(st.lists(REPORTS, unique_by=lambda each: (each.at, each.teller)), st.randoms(use_true_random=False))
def test_order_and_repetition_of_reports_do_not_matter(reports: list[Position], random: object) -> None:
    other = [*reports, *reports[:3]]
    random.shuffle(other)  # type: ignore[attr-defined]
    one, two = after(*reports), after(*other)
    assert (one.open_phases(CLOSED), one.telemetry, one.crew) == (two.open_phases(CLOSED), two.telemetry, two.crew)
    assert one.is_doubted == two.is_doubted


def discrete(kind: str, *values: DiscreteValue, phases: PhaseCode | None = None) -> Discrete:
    device = ObjectReference(mrid="d")
    return Discrete(measurement_type=kind, phases=phases, power_system_resource=device, discrete_values=values)


def heard(minute: int, value: int, **quality: object) -> DiscreteValue:
    said_of = MeasurementValueQuality(**quality) if quality else None  # type: ignore[arg-type]
    return DiscreteValue(time_stamp=at(minute), value=value, measurement_value_quality=said_of)


def test_telemetry_tells_positions_oldest_first_and_which_of_them_are_sure() -> None:
    measurements = Measurements(
        discrete=(
            discrete(
                "SwitchPosition",
                heard(3, SwitchPosition.CLOSED),
                heard(1, SwitchPosition.OPEN, validity=Validity.GOOD),
                heard(4, SwitchPosition.OPEN, validity=Validity.QUESTIONABLE),
                heard(5, SwitchPosition.OPEN, test=True),
                heard(6, SwitchPosition.INTERMEDIATE),
                heard(7, SwitchPosition.BAD),
            ),
            discrete("SwitchPosition", heard(2, SwitchPosition.OPEN), phases=PhaseCode.B),
            discrete("TapPosition", heard(2, 1)),
            Discrete(measurement_type="SwitchPosition", discrete_values=(heard(2, 1),)),
        )
    )
    assert [(each.open, each.at.minute, each.phases, each.sure) for each in positions_in(measurements)] == [
        (True, 1, ALL, True),
        (True, 2, Phases.B, True),
        (False, 3, ALL, True),
        (True, 4, ALL, False),
        (False, 6, ALL, False),
        (False, 7, ALL, False),
    ]
