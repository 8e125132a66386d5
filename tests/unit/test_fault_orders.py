"""What is told of a fault may come in any order, late, twice or all at once: the outages are the same in the end."""

from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.nouns.switching_events import SwitchingEventType as T
from services.fault_management.domain.assessment import assess
from services.fault_management.domain.evidence import Evidence, EvidenceKind
from services.fault_management.domain.operation import Operation
from services.fault_management.domain.outage import LOOSE, S
from tests.fixtures.fault_desk import Desk, operation
from tests.fixtures.phased_feeders import below, feeders
from tests.fixtures.small_feeder import T0, s

E = EvidenceKind
News = Evidence | Operation

SHOTS = [
    operation("R", kind, at, type_)
    for at, kind, type_ in (
        (100, "open", T.TRIP),
        (100.5, "close", T.RECLOSE),
        (101, "open", T.TRIP),
        (116, "close", T.RECLOSE),
        (117, "open", T.TRIP),
        (162, "close", T.RECLOSE),
        (163, "open", T.TRIP),
        (163, "lockout", T.LOCKOUT),
    )
]
STORIES: list[list[Operation]] = [
    [],
    SHOTS[:4],
    SHOTS[:6],
    SHOTS,
    [*SHOTS, operation("D", "open", 400, T.COMMAND), operation("N", "close", 420, T.COMMAND)],
    [*SHOTS, operation("D", "open", 500, T.COMMAND), operation("R", "close", 520, T.COMMAND)],
    [*SHOTS, operation("F", "open", 300, T.REPORTED), operation("R", "close", 520, T.COMMAND)],
    [operation("B1", "open", 200, T.TRIP), operation("B1", "close", 450, T.COMMAND)],
    [operation("D", "open", 200, T.COMMAND), operation("N", "close", 200, T.COMMAND)],
    [operation("B2", "open", 150, T.TRIP), operation("K", "open", 400, T.REPORTED)],
]
POINTS = below("FA", "FB", "FT", "G1", "H1", "H2", "K1", "LA")

pieces = st.lists(
    st.builds(
        Evidence,
        usage_point=st.sampled_from(POINTS),
        time=st.integers(0, 600).map(s),
        kind=st.sampled_from([E.GASP, E.GASP, E.CALL, E.RESTORED, E.PARTIAL]),
        source=st.sampled_from(["a", "b"]),
    ),
    max_size=20,
)


def told(desk: Desk, news: Iterable[News], at: float) -> None:
    """Some news at once."""
    news = list(news)
    desk.evidence += [each for each in news if isinstance(each, Evidence)]
    desk.operations += [each for each in news if isinstance(each, Operation)]
    desk.settle(desk.look(at))
    assert assess(desk.look(at)).steps == [], "asked again it says something else"
    dark = [mrid for outage in desk.look(at).open() for mrid in outage.points if mrid not in outage.restored]
    assert len(dark) == len(set(dark)), "a customer is in two outages"


def end(desk: Desk) -> list[tuple[object, ...]]:
    """How the outages stand when all was told: the inferred ones, and what network operation saw."""
    for at in (1300, 2400, 2600):
        desk.hear([], at=at)
    devices = {outage.mrid: outage.device for outage in desk.outages.values()}
    return sorted(
        (
            str(outage.device),
            outage.since,
            outage.state,
            outage.phases or 0,
            outage.points,
            tuple(outage.restored.items()),
            outage.partial,
            str(devices.get("" if outage.state in LOOSE else outage.parent or "")),
        )
        for outage in desk.outages.values()
        if outage.state in LOOSE or (outage.witnessed and outage.state is not S.DISMISSED)
    )


def in_order(news: Sequence[News]) -> Desk:
    """Each thing is told as it happens."""
    desk = Desk(*feeders(at=s(-3600)))
    for each in sorted(news, key=lambda each: each.time):
        told(desk, [each], at=(each.time - T0).total_seconds())
    return desk


@settings(max_examples=150, deadline=None)
@given(story=st.sampled_from(STORIES), evidence=pieces, data=st.data())
def test_a_fault_ends_in_the_same_outages_in_whatever_order_it_is_told(
    story: list[Operation], evidence: list[Evidence], data: st.DataObject
) -> None:
    news: list[News] = [*story, *evidence]
    shuffled = data.draw(st.permutations(news + news[:3]))
    late = Desk(*feeders(at=s(-3600)))
    place = 0
    while place < len(shuffled):
        size = data.draw(st.integers(1, 4))
        told(late, shuffled[place : place + size], at=700 + place)
        place += size
    assert end(late) == end(in_order(news))
