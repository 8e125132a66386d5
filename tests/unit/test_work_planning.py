"""Who may be sent, what speaks against it, and that the rule itself never gives what the judge would refuse."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns import crews as noun
from contracts.types import DateTimeInterval, Name, Status
from services.work_management.domain.crews import Crew, changed, entered
from services.work_management.domain.places import Place, travel
from services.work_management.domain.planning import Engagement, Job, plan, slot_for, violations

T0 = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)


def h(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def crew(mrid: str, *skills: str, shift: tuple[float, float] | None = None, place: Place | None = None) -> Crew:
    told = noun.Crew(
        mrid=mrid,
        capabilities=tuple(noun.Capability(type=each) for each in skills),
        names=(Name(name=mrid),),
        shift=None if shift is None else DateTimeInterval(start=h(shift[0]), end=h(shift[1])),
    )
    return replace(entered(told), place=place)


def job(order: str = "order", **more: object) -> Job:
    known: dict[str, object] = {"rank": 3, "requested_at": T0, "hours": timedelta(hours=1), "skills": {"line": 1}}
    return Job(order=order, **{**known, **more})  # type: ignore[arg-type]  # shorter


def against(one: Job, who: Crew, *held: Engagement, now: datetime = T0) -> list[str]:
    return violations(one, who, slot_for(one, who, held, now), held)


def test_skills_people_and_vehicles_are_counted_and_a_qualification_ends() -> None:
    live = noun.Capability(type="liveLine", validity_interval=DateTimeInterval(end=h(5)))
    members = tuple(noun.CrewMember(mrid=each, capabilities=(live,)) for each in ("ana", "tom"))
    two = entered(noun.Crew(mrid="a", crew_members=members))
    task = job(skills={"liveLine": 2})
    assert against(task, two) == []
    assert against(task, two, now=h(6)) == ["0 of 2 with the skill 'liveLine'"]
    sick = changed(
        two, noun.Crew(mrid="a", crew_members=(replace(members[0], status=Status(value="SICK")), members[1]))
    )
    assert against(task, sick) == ["1 of 2 with the skill 'liveLine'"]
    assert against(replace(task, vehicles=frozenset({"bucketTruck"})), two) == ["no 'bucketTruck'"]


def test_a_crew_at_15_h_30_of_16_gets_no_job_of_an_hour_and_does_after_8_hours_of_rest() -> None:
    """Scenario 10."""
    tired = crew("a", "line", shift=(-15.5, 2))
    assert against(job(rank=2), tired) == ["it would be on duty for more than 16 h"]
    fresh = changed(tired, noun.Crew(mrid="a", shift=DateTimeInterval(start=h(10), end=h(18))))
    assert against(job(rank=2), fresh, now=h(10)) == []
    too_soon = changed(tired, noun.Crew(mrid="a", shift=DateTimeInterval(start=h(9), end=h(17))))
    assert against(job(rank=2), too_soon, now=h(9)) == ["it would be on duty for more than 16 h"]


def test_the_night_in_which_the_clock_is_put_back_has_an_hour_more() -> None:
    zone = ZoneInfo("Europe/Lisbon")
    start = datetime(2026, 10, 24, 18, 0, tzinfo=zone).astimezone(UTC)
    night = entered(noun.Crew(mrid="a", shift=DateTimeInterval(start=start)))
    ten = datetime(2026, 10, 25, 8, 30, tzinfo=zone).astimezone(UTC)
    assert ten - start == timedelta(hours=15.5)
    assert against(job(rank=2, skills={}), night, now=ten) == ["it would be on duty for more than 16 h"]


def test_work_that_is_not_urgent_ends_with_the_shift_and_urgent_work_may_go_on() -> None:
    day = crew("a", "line", shift=(-7, 1))
    assert against(job(rank=7), day) == ["its shift ends before"]
    assert against(job(rank=3), day) == []
    assert against(job(), day, now=h(2)) == ["it is not on shift"]


def test_one_job_at_a_time_with_the_way_between_and_within_the_window() -> None:
    near, far = Place(-9.14, 38.71), Place(-8.61, 41.15)
    here = crew("a", "line", place=near)
    busy = Engagement(order="other", crew="a", leaves=T0, ends=h(3), place=near)
    assert slot_for(job(place=near), here, [busy], T0).leaves == h(3)
    window = DateTimeInterval(start=h(1), end=h(2))
    assert against(job(window=window, place=far), here) == ["it would come after the appointment"]
    assert against(job(window=window, place=near), here, busy) == ["it would come after the appointment"]
    assert slot_for(job(window=window, place=near), here, [], T0).arrives == h(1)
    booked = Engagement(order="other", crew="a", leaves=h(1), ends=h(3), place=near, booked=True)
    assert against(job(rank=7, place=near, hours=timedelta(hours=2)), here, booked) == [
        "it has the order other at that time"
    ]
    assert travel(near, far) > timedelta(hours=5)


def test_what_lacks_material_or_permission_is_given_to_nobody() -> None:
    assert against(job(lacks=("material: 2 poles",)), crew("a", "line")) == ["it lacks material: 2 poles"]


def test_the_job_goes_to_whoever_is_done_first_and_the_reason_of_waiting_is_said() -> None:
    near, far = crew("b", "line", place=Place(-9.14, 38.71)), crew("a", "line", place=Place(-9.5, 38.9))
    out = plan([job(place=Place(-9.14, 38.71)), job("later", rank=5, skills={"cable": 1})], [far, near], [], T0)
    assert [(slot.order, slot.crew) for slot in out.slots] == [("order", "b")]
    assert out.reasons["later"][0].startswith("a: 0 of 1 with the skill 'cable'")


def test_danger_to_people_takes_a_crew_from_what_it_has_not_begun() -> None:
    held = [
        Engagement(order="begun", crew="a", leaves=T0, ends=h(1), begun=True),
        Engagement(order="on the way", crew="b", leaves=T0, ends=h(2)),
    ]
    (slot,) = plan([job("wire down", rank=1)], [crew("a", "line"), crew("b", "line")], held, T0).slots
    assert (slot.crew, slot.bumps) == ("b", "on the way")
    assert plan([job("outage", rank=2)], [crew("a", "line"), crew("b", "line")], held, T0).slots == ()


@st.composite
def boards(draw: st.DrawFn) -> tuple[list[Job], list[Crew]]:
    number = st.integers(0, 4)
    found = [
        job(
            str(each),
            rank=draw(st.integers(1, 9)),
            hours=timedelta(minutes=30 * draw(st.integers(1, 8))),
            skills={draw(st.sampled_from(["line", "cable"])): 1},
            place=Place(draw(number) / 10, 0.0),
            window=draw(st.sampled_from([None, DateTimeInterval(start=h(1), end=h(3))])),
        )
        for each in range(draw(st.integers(0, 6)))
    ]
    crews = [
        crew(
            f"crew {each}",
            *draw(st.sets(st.sampled_from(["line", "cable"]))),
            shift=draw(st.sampled_from([None, (-14, 2), (-1, 7), (1, 9)])),
            place=Place(draw(number) / 10, 0.0),
        )
        for each in range(draw(st.integers(0, 4)))
    ]
    return found, crews


@given(board=boards())
def test_no_plan_of_the_rule_is_against_the_judge_and_no_crew_has_two_jobs_now(
    board: tuple[list[Job], list[Crew]],
) -> None:
    jobs, crews = board
    out = plan(jobs, crews, [], T0)
    known, people = {each.order: each for each in jobs}, {each.mrid: each for each in crews}
    assert {slot.order for slot in out.slots} | set(out.reasons) == set(known)
    for slot in out.slots:
        assert violations(known[slot.order], people[slot.crew], slot, []) == []
    now = [slot.crew for slot in out.slots if slot.leaves == T0]
    assert len(now) == len(set(now))
    assert plan(jobs, crews, [], T0) == out
