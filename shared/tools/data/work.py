"""Crews and stores of a utility: who can be sent, with what, and what lies in the depot."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from contracts.nouns.crews import Capability, Crew, CrewMember, Crews, Location, Person, WorkAsset
from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.location_types import TelephoneNumber
from contracts.nouns.material_items import IntegerQuantity, MaterialItem, MaterialItems
from contracts.nouns.work_types import PositionPoint
from contracts.types import DateTimeInterval, Name, Status
from contracts.verbs import Verb
from shared.tools.data import File, between, file, identity, points_of

CUSTOMERS_OF_A_CREW = 700
"""A utility has a crew for about so many customers, and four at least."""

SHIFTS = (6, 14, 22)
"""The hours in UTC at which shifts begin; each takes ten hours, so that one hands over to the next."""

SHIFT_HOURS = 10

_SKILLS = ("line", "service", "switching")
_FIRST = ("Alma", "Bo", "Cem", "Dora", "Emil", "Freya", "Gil", "Hana")
_LAST = ("Arndt", "Berg", "Cole", "Diaz", "Eder", "Frost", "Gall", "Hart")
_STOCK = (
    ("Wood pole 40-4", "each", 24, 4),
    ("Distribution transformer 50 kVA", "each", 6, 1),
    ("Fuse link 40 K", "each", 120, 20),
    ("Overhead conductor ACSR 4/0", "m", 4000, 500),
    ("Crossarm", "each", 40, 6),
    ("Insulator, pin", "each", 160, 24),
    ("Splice, compression", "each", 90, 12),
    ("Service drop cable", "m", 1500, 200),
    ("Lightning arrester", "each", 36, 6),
)


def work(feeders: Sequence[Feeder], *, context: str, day: date) -> Iterator[File]:
    """The folder for a network, as a dispatch office would have written it for a day.

    Args:
        feeders: of the whole network, as built.
        context: for which the messages are.
        day: of which the shifts are.
    """
    stock = tuple(
        MaterialItem(
            mrid=identity(f"material {name}"),
            description=name,
            names=(Name(name=name),),
            quantity=IntegerQuantity(unit=unit, value=many),
            safety_stock=IntegerQuantity(unit=unit, value=least),
        )
        for name, unit, many, least in _STOCK
    )
    yield file("010-materials", Verb.CREATE, MaterialItems(material_item=stock), context=context, day=day)
    served = sum(point.customers for point in points_of(feeders))
    count = max(4, round(served / CUSTOMERS_OF_A_CREW))
    crews = tuple(_crew(number, feeders, day) for number in range(1, count + 1))
    yield file("020-crews", Verb.CREATE, Crews(crew=crews), context=context, day=day)


def _crew(number: int, feeders: Sequence[Feeder], day: date) -> Crew:
    starts = datetime.combine(day, time(SHIFTS[(number - 1) % len(SHIFTS)]), UTC)
    return Crew(
        mrid=identity(f"crew {number}"),
        description=f"Line crew {number}",
        crew_members=tuple(_member(number, place) for place in (1, 2, 3)),
        location=_depot(feeders),
        names=(Name(name=f"Line crew {number}"),),
        shift=DateTimeInterval(start=starts, end=starts + timedelta(hours=SHIFT_HOURS)),
        status=Status(date_time=datetime.combine(day, time(), UTC), value="AVAILABLE"),
        work_assets=(WorkAsset(mrid=identity(f"truck {number}"), type="bucket truck", utc_number=f"T-{number:03}"),),
    )


def _member(crew: int, place: int) -> CrewMember:
    """The first of a crew may do everything; the others are linemen."""
    key = f"member {crew} {place}"
    skills = _SKILLS if place == 1 else _SKILLS[:1]
    first, last = (words[between(f"{kind} {key}", 0, 7)] for kind, words in (("first", _FIRST), ("last", _LAST)))
    return CrewMember(
        mrid=identity(key),
        capabilities=tuple(Capability(type=skill) for skill in skills),
        names=(Name(name=f"{first} {last}"),),
        person=Person(
            first_name=first,
            last_name=last,
            mobile_phone=TelephoneNumber(itu_phone=f"+1 555 {between(f'phone {key}', 100, 9999):07}"),
        ),
        status=Status(value="PRESENT"),
    )


def _depot(feeders: Sequence[Feeder]) -> Location | None:
    """In the middle of what the network serves; nowhere where no place is known."""
    places = [
        (p.longitude, p.latitude) for p in points_of(feeders) if p.longitude is not None and p.latitude is not None
    ]
    if not places:
        return None
    x, y = (sum(each) / len(places) for each in zip(*places, strict=True))
    return Location(position_points=(PositionPoint(sequence_number=1, x_position=f"{x:.6f}", y_position=f"{y:.6f}"),))
