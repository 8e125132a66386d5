"""What the page about the architecture draws: the roles, who speaks to whom, and how some stories go.

Everything here follows from the interfaces. A story is a list of messages; one that no interface has is refused, so a
picture cannot show what the system does not say.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from contracts.interface import Ask, Catalogue, Exchange, Interface, Publication
from contracts.verbs import Verb


class Step(Struct, frozen=True):
    """A message of a story: ``remark`` says what it tells."""

    sender: str
    verb: Verb
    noun: str
    hearer: str
    remark: str = ""


class Aside(Struct, frozen=True):
    """What a role does between two messages."""

    role: str
    text: str


NMM, NO, FM, WM = "network-model-management", "network-operation", "fault-management", "work-management"
MRC, CM, AM, CO = "meter-reading-and-control", "customer-management", "asset-management", "compliance-management"

STORIES: Mapping[str, tuple[Step | Aside, ...]] = {
    "fault": (
        Step("head-end", Verb.CREATED, "EndDeviceEvents", MRC, "last gasps"),
        Step(MRC, Verb.CREATED, "EndDeviceEvents", FM),
        Step("callers", Verb.CREATE, "TroubleTickets", CM, "my lights are out"),
        Step(CM, Verb.CREATE, "TroubleTickets", FM),
        Aside(FM, "waits for more evidence,<br/>then names the device upstream"),
        Step(FM, Verb.CREATED, "UnplannedOutages", CM, "predicted"),
        Step(FM, Verb.CREATE, "WorkRequests", WM),
        Step(WM, Verb.CREATE, "MaintenanceOrders", "crews"),
        Step("crews", Verb.CHANGE, "MaintenanceOrders", WM, "on site, found, repaired"),
        Step(WM, Verb.CHANGED, "MaintenanceOrders", FM),
        Step(FM, Verb.CREATE, "SwitchingPlans", NO, "close the device"),
        Step(NO, Verb.CREATE, "Controls", "scada", "where a drive does it"),
        Step(NO, Verb.EXECUTE, "SwitchingPlans", "crews", "where a hand does it"),
        Step("scada", Verb.CREATED, "Measurements", NO, "closed"),
        Step(NO, Verb.CHANGED, "FeederTopology", FM),
        Step("head-end", Verb.CREATED, "EndDeviceEvents", MRC, "power is back"),
        Step(MRC, Verb.CREATED, "EndDeviceEvents", FM),
        Aside(FM, "verified by the meters"),
        Step(FM, Verb.CLOSED, "UnplannedOutages", CO),
    ),
    "reading": (
        Step("operator", Verb.CREATE, "MeterReadSchedule", MRC),
        Step(MRC, Verb.CREATE, "MeterReadSchedule", "head-end"),
        Step("head-end", Verb.CREATED, "MeterReadings", MRC, "at each time of the schedule"),
        Aside(MRC, "each value by rank and report,<br/>never by arrival; versions"),
        Step(MRC, Verb.GET, "MeterReadings", "head-end", "what has not come"),
        Step("operator", Verb.GET, "MeterReadings", MRC, "as of any time"),
    ),
    "work": (
        Step("operator", Verb.CREATE, "WorkRequests", WM),
        Aside(WM, "order, tasks, material,<br/>which crew goes and when"),
        Step(WM, Verb.CREATE, "MaintenanceOrders", "crews"),
        Step("crews", Verb.CHANGE, "MaintenanceOrders", WM, "accepted, on site, done"),
        Step(WM, Verb.CLOSED, "MaintenanceOrders", AM, "old asset out, new asset in"),
        Step(WM, Verb.CLOSED, "MaintenanceOrders", CM, "who asked is told"),
    ),
}
"""The stories that are drawn, by the name of their place on the page."""


def regions(catalogue: Catalogue) -> dict[str, str]:
    """The generated parts of the page, by the names of their places.

    Raises:
        ValueError: a story has a message that no interface has.
    """
    return {
        "roles": _roles(catalogue),
        "exchange": _exchange(catalogue),
        **{name: _sequence(catalogue, name, story) for name, story in STORIES.items()},
    }


def _roles(catalogue: Catalogue) -> str:
    lines = ["| role | part | serves | publishes |", "|---|---|---|---|"]
    for each in catalogue.interfaces.values():
        field = " (field)" if each.field else ""
        served, told = _by_verbs(each.serves), _by_verbs(each.publishes)
        lines.append(f"| `{each.role}`{field} | {each.part} | {served} | {told} |")
    return "\n".join(lines)


def _by_verbs(messages: Iterable[Exchange | Publication]) -> str:
    """Nouns with the verbs that they have in common."""
    verbs: dict[str, list[str]] = {}
    for each in messages:
        verbs.setdefault(each.noun.__name__, []).append(str(each.verb))
    nouns: dict[tuple[str, ...], list[str]] = {}
    for noun, of_noun in verbs.items():
        nouns.setdefault(tuple(of_noun), []).append(noun)
    return "; ".join(f"{', '.join(of_noun)} {', '.join(named)}" for of_noun, named in nouns.items()) or "-"


def _exchange(catalogue: Catalogue) -> str:
    """A table of who speaks to whom: how many kinds of events are heard, and how many kinds of requests are put."""
    speakers = [each for each in catalogue.interfaces.values() if _speaks(catalogue, each)]
    places = {each.role: number for number, each in enumerate(speakers, start=1)}
    head = " | ".join(str(places[each.role]) for each in speakers)
    lines = [f"| from, to | {head} |", "|---|" + "---|" * len(speakers)]
    for sender in speakers:
        cells = [_cell(sender, hearer) for hearer in speakers]
        lines.append(f"| {places[sender.role]} {sender.role} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _speaks(catalogue: Catalogue, interface: Interface) -> bool:
    others = [each for each in catalogue.interfaces.values() if each is not interface]
    return any(_cell(interface, each) or _cell(each, interface) for each in others)


def _cell(sender: Interface, hearer: Interface) -> str:
    events = sum(each.role == sender.role for each in hearer.subscribes)
    asked = sum(each.role == hearer.role for each in sender.asks)
    return " ".join(filter(None, (f"e{events}" if events else "", f"r{asked}" if asked else "")))


def _sequence(catalogue: Catalogue, name: str, story: tuple[Step | Aside, ...]) -> str:
    """A story as a diagram of Mermaid: solid arrows are requests and commands, dashed ones events."""
    roles = dict.fromkeys(role for each in story if isinstance(each, Step) for role in (each.sender, each.hearer))
    short = {role: f"R{number}" for number, role in enumerate(roles)}
    lines = ["```mermaid", "sequenceDiagram", *(f"    participant {short[role]} as {role}" for role in roles)]
    lines += [f"    {line}" for line in _lines(catalogue, name, story, short)]
    return "\n".join([*lines, "```"])


def _lines(catalogue: Catalogue, name: str, story: tuple[Step | Aside, ...], short: Mapping[str, str]) -> Iterator[str]:
    for each in story:
        if isinstance(each, Aside):
            yield f"Note over {short[each.role]}: {each.text}"
            continue
        arrow = _arrow(catalogue, each)
        if arrow is None:
            raise ValueError(
                f"story '{name}': no interface lets {each.sender} say {each.verb} {each.noun} to {each.hearer}"
            )
        remark = f" ({each.remark})" if each.remark else ""
        yield f"{short[each.sender]}{arrow}{short[each.hearer]}: {each.verb} {each.noun}{remark}"


def _arrow(catalogue: Catalogue, step: Step) -> str | None:
    """How a message goes; None where no interface has it. Who is no role, such as a person, may ask what is served."""
    sender, hearer = catalogue.interfaces.get(step.sender), catalogue.interfaces.get(step.hearer)
    if hearer is None:
        return None
    if any(
        (each.role, each.verb, each.noun.__name__) == (step.sender, step.verb, step.noun) for each in hearer.subscribes
    ):
        return "-->>"
    served = any((each.verb, each.noun.__name__) == (step.verb, step.noun) for each in hearer.serves)
    asks: tuple[Ask, ...] = () if sender is None else sender.asks
    asked = any((each.role, each.verb, each.noun.__name__) == (step.hearer, step.verb, step.noun) for each in asks)
    return "->>" if served and (asked or sender is None) else None
