"""The interfaces as a page of tables, for those who read before they program."""

from collections.abc import Iterator

from contracts.interface import Ask, Catalogue, Exchange, Interface, Mode, NounType, Publication
from contracts.verbs import Verb

_HEAD = """\
<!-- Generated from the contracts by `busbar contracts`; what is changed by hand is lost. -->
# Interfaces

What each role serves, asks, tells and hears. Every message leads to its example. A `get` is a request; what else is
asked is a request or a durable command, as the asker likes. How an event is heard: `shared` by any replica in any
order, `keyed` in the order of its key, `follow` by every process. The same for programs is
[asyncapi.yaml](../schemas/asyncapi.yaml), and how all this changes says [the page about contracts](../README.md).
"""


def page(catalogue: Catalogue) -> str:
    """The whole page in Markdown: a table for each role."""
    return "\n".join([_HEAD, *(_section(catalogue, interface) for interface in catalogue.interfaces.values())])


def _section(catalogue: Catalogue, interface: Interface) -> str:
    kind = "field role" if interface.field else "role"
    lines = [
        f"## {interface.role}",
        "",
        f"{interface.title} ({kind}, {interface.part}, revision {interface.revision}).",
    ]
    if interface.state:
        lines.append(f"What it keeps is told by {', '.join(noun.__name__ for noun in interface.state)}.")
    rows = list(_rows(catalogue, interface))
    if rows:
        lines += ["", "| | message | with | how |", "|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _rows(catalogue: Catalogue, interface: Interface) -> Iterator[str]:
    role = interface.role
    for served in interface.serves:
        askers = [each.role for each in catalogue.interfaces.values() if _asks(each, role, served)]
        yield _row("serves", served.verb, served.noun, askers, _how_asked(served))
    for ask in interface.asks:
        served = Exchange(verb=ask.verb, noun=ask.noun, query=catalogue.query(ask.role, ask.noun.__name__))
        yield _row("asks", ask.verb, ask.noun, [ask.role], _how_asked(served))
    for told in interface.publishes:
        hearers = [each.role for each in catalogue.interfaces.values() if _hears(each, role, told)]
        yield _row("publishes", told.verb, told.noun, hearers, f"lane {told.lane}")
    for heard in interface.subscribes:
        how = f"{heard.mode}, after a snapshot by `get`" if heard.mode is Mode.FOLLOW else str(heard.mode)
        yield _row("hears", heard.verb, heard.noun, [heard.role], how)
    if interface.records:
        yield f"| records | every message | - | lanes {', '.join(interface.records)} |"


def _row(what: str, verb: Verb, noun: NounType, roles: list[str], how: str) -> str:
    name = noun.__name__
    example = f"[{verb} {name}](../examples/{name}/{verb}.xml)"
    return f"| {what} | {example} | {', '.join(roles) or '-'} | {how} |"


def _how_asked(served: Exchange) -> str:
    if served.verb is not Verb.GET:
        return "request or command"
    return "request" if served.query is None else f"request, qualified by `{served.query.__name__}`"


def _asks(interface: Interface, role: str, served: Exchange) -> bool:
    return Ask(role=role, verb=served.verb, noun=served.noun) in interface.asks


def _hears(interface: Interface, role: str, told: Publication) -> bool:
    return any((each.role, each.verb, each.noun) == (role, told.verb, told.noun) for each in interface.subscribes)
