"""Writes the town of the demonstration: CIM100 in RDF/XML (IEC 61970-552), by default for 3,000 usage points.

Streets lie on a grid between two substations. From each of them six feeders run along avenues towards the other: a
breaker, a recloser, a load-break switch, and a normally open tie to the feeder that comes from the other side. Ties
join neighbouring avenues as well. Laterals with fuses leave the avenues; most of them have one phase. The sixth
avenue is the business district, fed by cables. A larger town has more such districts, side by side::

    python infra/networks/make_town.py --usage-points 3000 --output town.xml

The same script gives the same bytes.
"""
# ruff: noqa: INP001 - a script beside its neighbours, in no package

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from conductors import BRANCH, BRANCH_CABLE, MAIN, MAIN_CABLE, TWIG, Cable, Conductor
from document import BUSINESS, GRID, STREET, Spot, chance
from drawing import PAD_KVA, POLE_KVA, Drawing, size_for

USAGE_POINTS = 3000
FEWEST = 200

# A feeder serves about so many usage points; a district has so many avenues, and an avenue so many crossings.
ON_A_FEEDER, AVENUES, CROSSINGS = 250, 6, 12

# Metres between crossings, avenues, poles of a lateral, doors and districts.
BLOCK, AVENUE, SPAN, DOOR, DISTRICT = 230, 640, 70, 12, 4600

# Seconds after which breakers and reclosers close again; a cable does not heal by itself.
BREAKER_SHOTS, RECLOSER_SHOTS = (0.5, 15), (0.5, 15, 45)

# Where along an avenue zones end, and what is special about its crossings.
RECLOSER_AT, SWITCH_AT, MIDDLE_TIE_AT, CAPACITOR_AT, FACTORY_AT = 4, 8, 6, 3, 5
SHOPS_AT, SECTIONALISER_AT = (1, 9), 7
INDICATORS_AT = (2, 4, 6, 8, 10)

HOMES_ON_A_POLE = (4, 8)
SPUR_FROM = 4
SHARE_OF_PANELS, SHARE_OF_LIFE_SUPPORT = 0.06, 0.004

_STATION_WORDS = """
Mole Bluff Cape Dune Fjord Gull Heron Islet Jetty Kelp Lagoon Marsh Narrows Otter Point Quarry Reef Shoal Tarn Undertow
Vane Wharf Yawl Zephyr
"""
_STREET_WORDS = """
Acorn Alder Amber Apple Ash Aspen Barley Bay Beech Birch Bramble Briar Cedar Cherry Clover Copper Coral Cotton Crane
Daisy Elder Elm Falcon Fern Finch Flint Foundry Garnet Grove Hawthorn Hazel Heather Hickory Holly Iris Ivy Jasper
Juniper Kestrel Larch Lark Laurel Lilac Linden Lupin Maple Meadow Mill Mint Myrtle Oak Olive Orchard Osprey Pearl Pine
Plover Poplar Quince Raven Robin Rowan Sable Sage Sedge Sorrel Spruce Swan Teal Thistle Tulip Walnut Willow Wren Yarrow
Yew
"""
_WAY_WORDS = """
Street Lane Road Row Way Walk Close Court Rise Gate Hill Place Drive Terrace Crescent Passage Green End
"""
_STATIONS, _STREETS, _WAYS = (words.split() for words in (_STATION_WORDS, _STREET_WORDS, _WAY_WORDS))


class Feeder(NamedTuple):
    """A feeder that is drawn: its name, its container, its avenue, where it begins, and which way it runs."""

    name: str
    mrid: str
    y: float
    x: float
    way: int
    is_cable: bool
    usage_points: int

    def spot(self, crossing: float, north: float = 0.0) -> Spot:
        """So many blocks along the avenue, and so many metres north of it."""
        return Spot(self.mrid, self.x + self.way * crossing * BLOCK, self.y + north)


Drawn = tuple[Feeder, list[str]]
"""A feeder with the nodes at its crossings."""


class Lateral(NamedTuple):
    """A street that leaves an avenue at a crossing, northwards or southwards, from the node ``start``."""

    feeder: Feeder
    crossing: int
    north: int
    street: str
    start: str

    def spot(self, metres: float) -> Spot:
        """So many metres along the street."""
        return self.feeder.spot(self.crossing, self.north * metres)


class Town:
    """The town, district by district."""

    def __init__(self, usage_points: int) -> None:
        self.drawing = Drawing("Town")
        self._streets = (f"{word} {way}{_ordinal(turn)}" for turn in range(1000) for way in _WAYS for word in _STREETS)
        avenues = max(1, round(usage_points / (2 * ON_A_FEEDER)))
        share, more = divmod(usage_points, 2 * avenues)
        sizes = [share + (number < more) for number in range(2 * avenues)]
        for district in range(-(-avenues // AVENUES)):
            here = sizes[2 * AVENUES * district : 2 * AVENUES * (district + 1)]
            self._district(district, here)

    def _district(self, number: int, sizes: list[int]) -> None:
        """Two substations and the avenues between them; ``sizes`` are the usage points of their feeders."""
        avenues = len(sizes) // 2
        east = number % 4 * (2 * (CROSSINGS + 1) * BLOCK + 1200)
        north = number // 4 * DISTRICT
        length = (2 * CROSSINGS + 1) * BLOCK
        buses = [
            self._substation(_name(_STATIONS, 2 * number + side), east + side * (length + 400), north + AVENUE * 2.5)
            for side in (0, 1)
        ]
        ends: dict[tuple[int, int], Drawn] = {}
        for place, size in enumerate(sizes):
            avenue, side = divmod(place, 2)
            station, container, bus = buses[side]
            name = f"{station} {avenue + 1}"
            feeder = Feeder(
                name=name,
                mrid=self.drawing.feeder(name, container),
                y=north + avenue * AVENUE,
                x=east + (200 if side == 0 else 200 + length),
                way=1 if side == 0 else -1,
                is_cable=avenue == AVENUES - 1,
                usage_points=size,
            )
            ends[avenue, side] = feeder, self._feeder(feeder, bus)
        for avenue in range(avenues):
            self._tie((ends[avenue, 0], ends[avenue, 1]), CROSSINGS)
            if avenue % 2 == 1:
                for side in (0, 1):
                    self._tie((ends[avenue - 1, side], ends[avenue, side]), MIDDLE_TIE_AT)

    def _substation(self, name: str, x: float, y: float) -> tuple[str, str, Spot]:
        """A source, a transformer with taps and a busbar; the name, the container and a spot that holds the bus."""
        drawing, station = self.drawing, self.drawing.substation(name)
        grid, bus = drawing.node(f"{name} grid", station), drawing.node(f"{name} bus", station)
        drawing.source(f"{name} grid", Spot(station, x, y), grid)
        drawing.transformer(
            f"{name} transformer", Spot(station, x, y + 10), (GRID, STREET), (grid, bus), 25000, taps=True
        )
        drawing.shunt("BusbarSection", f"{name} bus", Spot(station, x, y + 20), level=STREET, node=bus)
        return name, station, Spot(bus, x, y + 20)

    def _feeder(self, feeder: Feeder, bus: Spot) -> list[str]:
        """The avenue from its breaker to its end; the nodes at its crossings."""
        drawing, name = self.drawing, feeder.name
        wire: Conductor | Cable = MAIN_CABLE if feeder.is_cable else MAIN
        head = drawing.node(f"{name} head", feeder.mrid)
        breaker = Spot(feeder.mrid, bus.x, bus.y)
        shots = () if feeder.is_cable else BREAKER_SHOTS
        nodes = (bus.container, head)
        drawing.switch("Breaker", f"{name} breaker", breaker, "ABC", nodes=nodes, amperes=600, shots=shots)
        crossings = [drawing.node(f"{name} crossing 0", feeder.mrid)]
        drawing.line(f"{name} line 0", (breaker, feeder.spot(0)), "ABC", (head, crossings[0]), wire)
        for number in range(1, CROSSINGS + 1):
            start = crossings[-1]
            if number in {RECLOSER_AT, SWITCH_AT}:
                start = drawing.node(f"{name} zone {number // RECLOSER_AT + 1}", feeder.mrid)
                recloses = number == RECLOSER_AT and not feeder.is_cable
                drawing.switch(
                    "Recloser" if recloses else "LoadBreakSwitch",
                    f"{name} recloser" if recloses else f"{name} switch {number // RECLOSER_AT}",
                    feeder.spot(number - 0.95),
                    "ABC",
                    nodes=(crossings[-1], start),
                    amperes=560 if recloses else 600,
                    shots=RECLOSER_SHOTS if recloses else (),
                )
            crossings.append(drawing.node(f"{name} crossing {number}", feeder.mrid))
            spots = (feeder.spot(number - 1), feeder.spot(number))
            terminal = drawing.line(f"{name} line {number}", spots, "ABC", (start, crossings[-1]), wire)
            if number in INDICATORS_AT:
                drawing.fault_indicator(f"{name} indicator {number}", feeder.spot(number - 0.9), terminal)
        if not feeder.is_cable:
            drawing.capacitor(f"{name} capacitor", feeder.spot(CAPACITOR_AT), crossings[CAPACITOR_AT], 300)
        self._serve(feeder, crossings)
        return crossings

    def _tie(self, two: tuple[Drawn, Drawn], crossing: int) -> None:
        """A normally open switch with a drive between two feeders, at a crossing of both."""
        (one, ones), (other, others) = two
        spot = one.spot(crossing)
        if one.y != other.y:
            far = self.drawing.node(f"Tie {one.name} to {other.name} node", one.mrid)
            wire = MAIN_CABLE if other.is_cable else MAIN
            spots = (spot, other.spot(crossing)._replace(container=one.mrid))
            self.drawing.line(f"Tie {one.name} to {other.name} line", spots, "ABC", (ones[crossing], far), wire)
            start, spot = far, spots[1]
        else:
            start = ones[crossing]
        self.drawing.switch(
            "LoadBreakSwitch",
            f"Tie {one.name} to {other.name}",
            spot._replace(x=spot.x + one.way * BLOCK / 2) if one.y == other.y else spot,
            "ABC",
            nodes=(start, others[crossing]),
            amperes=600,
            is_open=True,
        )

    def _serve(self, feeder: Feeder, crossings: list[str]) -> None:
        """Laterals at all crossings: shops at some, a factory at one, homes at all others."""
        shops = {crossing: max(1, min(9, feeder.usage_points // 20)) for crossing in SHOPS_AT}
        places = [number for number in range(1, CROSSINGS + 1) if number not in {*SHOPS_AT, FACTORY_AT}]
        share, more = divmod(feeder.usage_points - sum(shops.values()) - 1, len(places))
        for number in range(1, CROSSINGS + 1):
            north = 1 if (number + round(feeder.y / AVENUE)) % 2 else -1
            lateral = Lateral(feeder, number, north, next(self._streets), crossings[number])
            if number in shops:
                self._shops(lateral, shops[number])
            elif number == FACTORY_AT:
                self._factory(lateral)
            elif feeder.is_cable:
                self._flats(lateral, share + (places.index(number) < more))
            else:
                phases = "ABC" if number == SECTIONALISER_AT else "ABC"[(number + len(lateral.street)) % 3]
                self._homes(lateral, share + (places.index(number) < more), phases)

    def _shops(self, lateral: Lateral, count: int) -> None:
        """A lateral of three phases with shops, three to a transformer; the first of all may be a critical one."""
        critical = {(1, True): "Hospital", (9, True): "Waterworks"}.get((lateral.crossing, lateral.feeder.is_cable))
        name = f"{lateral.feeder.name} {critical}" if critical else ""
        for number, pole, low in self._poles(lateral, "ABC", -(-count // 3)):
            doors = range(3 * (number - 1) + 1, min(3 * number, count) + 1)
            names = [name if name and door == 1 else f"{door} {lateral.street}" for door in doors]
            loads = [60e3 if each == name else 6e3 + 22e3 * chance(f"load {each}") for each in names]
            spot = self._transformer(lateral, number, (pole, low), sum(loads))
            for place, (each, watts) in enumerate(zip(names, loads, strict=True), start=1):
                where = spot._replace(x=spot.x + DOOR * place)
                self.drawing.customer(each, where, low, watts, phases=tuple("ABC"), critical=each == name)

    def _factory(self, lateral: Lateral) -> None:
        """A customer with a transformer and a fuse of its own."""
        watts = 250e3 + 450e3 * chance(f"factory {lateral.feeder.name}")
        for number, pole, low in self._poles(lateral, "ABC", 1):
            spot = self._transformer(lateral, number, (pole, low), watts)
            self.drawing.customer(f"{lateral.street} Works", spot, low, watts, phases=tuple("ABC"), critical=False)

    def _flats(self, lateral: Lateral, count: int) -> None:
        """A cable with blocks of flats, a dozen to a transformer."""
        for number, pole, low in self._poles(lateral, "ABC", -(-count // 12)):
            doors = range(12 * (number - 1) + 1, min(12 * number, count) + 1)
            loads = [1500 + 2500 * chance(f"load {door} {lateral.street}") for door in doors]
            spot = self._transformer(lateral, number, (pole, low), sum(loads))
            for place, (door, watts) in enumerate(zip(doors, loads, strict=True)):
                where = spot._replace(x=spot.x + DOOR * (place % 4 + 1), y=spot.y + DOOR * (place // 4 - 1))
                name = f"{door} {lateral.street}"
                self.drawing.customer(name, where, low, watts, phases=tuple("ABC"), critical=False)

    def _homes(self, lateral: Lateral, count: int, phases: str) -> None:
        """A lateral with homes; on one of three phases its transformers take turns."""
        street, blocks = lateral.street, list(_dealt(lateral.street, count))
        door = 0
        for number, pole, low in self._poles(lateral, phases, len(blocks), spur=SPUR_FROM if len(phases) == 1 else 0):
            spot = lateral.spot(SPAN * number)
            names = [f"{door + place} {street}" for place in range(1, blocks[number - 1] + 1)]
            loads = [2000 + 2800 * chance(f"load {name}") for name in names]
            kva, phase = size_for(sum(loads), POLE_KVA), phases[(number - 1) % len(phases)]
            self.drawing.centre_tapped(f"{street} transformer {number}", spot, phase, (pole, low), kva)
            for place, (name, watts) in enumerate(zip(names, loads, strict=True)):
                where = spot._replace(x=spot.x + DOOR * (place // 2 + 1), y=spot.y + DOOR * (place % 2 * 2 - 1))
                critical = chance(f"life support {name}") < SHARE_OF_LIFE_SUPPORT
                self.drawing.customer(name, where, low, watts, phases=("s1", "s2"), critical=critical)
                if chance(f"panel {name}") < SHARE_OF_PANELS:
                    self.drawing.panel(name, where, low, 1500 + 2000 * chance(f"sun {name}"), ("s1", "s2"))
            door += len(names)

    def _transformer(self, lateral: Lateral, number: int, nodes: tuple[str, str], watts: float) -> Spot:
        """A three-phase transformer for a load at a pole of a lateral; where it stands."""
        spot, kva = lateral.spot(SPAN * number), size_for(watts, PAD_KVA)
        self.drawing.transformer(f"{lateral.street} transformer {number}", spot, (STREET, BUSINESS), nodes, kva)
        return spot

    def _poles(self, lateral: Lateral, phases: str, poles: int, *, spur: int = 0) -> Iterator[tuple[int, str, str]]:
        """Lines from pole to pole away from the avenue, behind a fuse or a sectionaliser.

        From pole ``spur`` on, if any, behind a second fuse. Gives the number of each pole, its node and the node of
        the low voltage at it.
        """
        drawing, street, mrid = self.drawing, lateral.street, lateral.feeder.mrid
        sectionalises = lateral.crossing == SECTIONALISER_AT and not lateral.feeder.is_cable
        end = drawing.node(f"{street} tap", mrid)
        drawing.switch(
            "Sectionaliser" if sectionalises else "Fuse",
            f"{street} sectionaliser" if sectionalises else f"{street} fuse",
            lateral.spot(10),
            phases,
            nodes=(lateral.start, end),
            amperes=200 if sectionalises else 100,
        )
        wire = BRANCH_CABLE if lateral.feeder.is_cable else BRANCH if len(phases) > 1 else TWIG
        for number in range(1, poles + 1):
            if number == spur:
                behind = drawing.node(f"{street} spur", mrid)
                spot = lateral.spot(SPAN * (number - 1) + 10)
                drawing.switch("Fuse", f"{street} spur fuse", spot, phases, nodes=(end, behind), amperes=40)
                end = behind
            pole = drawing.node(f"{street} pole {number}", mrid)
            low = drawing.node(f"{street} service {number}", mrid)
            spots = (lateral.spot(SPAN * (number - 1)), lateral.spot(SPAN * number))
            drawing.line(f"{street} line {number}", spots, phases, (end, pole), wire)
            yield number, pole, low
            end = pole


def _dealt(street: str, homes: int) -> Iterator[int]:
    """How many homes each transformer of a street serves, as they come."""
    low, high = HOMES_ON_A_POLE
    number = 0
    while homes > 0:
        number += 1
        size = low + int(chance(f"{street} block {number}") * (high - low + 1))
        yield min(size, homes)
        homes -= size


def _name(names: list[str], number: int) -> str:
    turn, place = divmod(number, len(names))
    return f"{names[place]}{_ordinal(turn)}"


def _ordinal(turn: int) -> str:
    return f" {turn + 1}" if turn else ""


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Write the town as CIM100 RDF/XML.")
    options.add_argument("--usage-points", type=int, default=USAGE_POINTS)
    options.add_argument("--output", type=Path, default=Path("town.xml"))
    given = options.parse_args()
    if given.usage_points < FEWEST:
        options.error(f"a town has at least {FEWEST} usage points")
    Town(given.usage_points).drawing.write(given.output)
