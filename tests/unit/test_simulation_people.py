"""What the field shows of itself: meters and their radio, callers, telemetry, crews."""

import statistics
from datetime import datetime, timedelta

from msgspec import structs

from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.training_scenarios import FaultKind
from services.emergency_simulation.domain import callers, crews, meters, telemetry
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.crews import Crew, Place
from services.emergency_simulation.domain.meters import Collector, Delivery, MeterWord, Radio, Sent, Spell
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.protection import Flag, Move
from services.emergency_simulation.domain.telemetry import Obedience
from tests.fixtures.streets import START, equipment, fault, feeder, road, street, usage_point

PLAIN = Conditions()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def spells(count: int, ended: float | None = None) -> list[Spell]:
    end = None if ended is None else at(ended)
    return [Spell(usage_point=f"u{number:04}", number=1, began=START, ended=end) for number in range(count)]


def town(transformers: int) -> Network:
    """A source and a row of transformers along a line, each with one usage point."""
    parts = [equipment("source", "EnergySource", "n000")]
    parts += [
        equipment(f"line{number:03}", "ACLineSegment", f"n{number:03}", f"n{number + 1:03}")
        for number in range(transformers)
    ]
    points = [
        structs.replace(usage_point(f"u{number:04}", f"n{number + 1:03}"), transformer=f"t{number}")
        for number in range(transformers)
    ]
    return Network([feeder(parts, points)])


def seconds(moments: list[datetime]) -> list[float]:
    return [(each - START).total_seconds() for each in moments]


def test_a_meter_gasps_after_it_is_sure_and_tells_of_its_power_only_if_it_had_been() -> None:
    stream = Stream(1, "radio")
    gasps = list(meters.gasps(stream, spells(200), PLAIN))
    assert all(30 <= moment <= 45 for moment in seconds([each.at for each in gasps]))
    assert {each.word for each in gasps} == {MeterWord.LOST}
    assert list(meters.wakings(stream, spells(50, ended=29), PLAIN)) == []
    woken = list(meters.wakings(stream, spells(50, ended=46), PLAIN))
    assert len(woken) == 50
    assert all(51 <= moment <= 66 for moment in seconds([each.at for each in woken]))


def test_a_share_of_the_messages_is_lost_and_a_share_comes_twice_and_a_gasp_may_be_said_again() -> None:
    stream, many = Stream(1, "radio"), spells(2000)
    lossy = structs.replace(PLAIN, message_loss=0.3)
    kept = list(meters.gasps(stream, many, lossy))
    assert 0.66 < len(kept) / 2000 < 0.74
    assert {each.usage_point for each in kept} < {each.usage_point for each in meters.gasps(stream, many, PLAIN)}
    patient = list(meters.gasps(stream, many[:100], structs.replace(PLAIN, gasp_repeats=5)))
    assert len(patient) == 600
    assert all(moment <= 1245 for moment in seconds([each.at for each in patient]))
    network = town(40)
    radio, twice = Radio(network), structs.replace(PLAIN, message_double=0.5)
    sent = list(meters.gasps(stream, spells(40), PLAIN))
    told = [each for delivery in meters.deliveries(stream, sent, radio, twice) for each in delivery.messages]
    assert 50 <= len(told) <= 70
    assert len(set(map(repr, told))) == 40


def test_the_head_end_tells_at_its_ticks_what_came_in_neighbourhood_by_neighbourhood() -> None:
    radio = Radio(town(40))
    assert len(radio.collectors) == 5
    stream = Stream(2, "radio")
    deliveries = meters.deliveries(stream, meters.gasps(stream, spells(40), PLAIN), radio, PLAIN)
    assert all(each.at.second % meters.TICK_S == 0 for each in deliveries)
    assert len({(each.collector, each.at) for each in deliveries}) == len(deliveries)
    told = [(each, sent) for each in deliveries for sent in each.messages]
    assert len(told) == 40
    for delivery, sent in told:
        assert radio.collector_of[sent.usage_point] == delivery.collector
        assert sent.at < delivery.at <= sent.at + timedelta(seconds=26)


def collected(sent: Sent, ledger: dict[str, list[Spell]], radio: Radio, conditions: Conditions = PLAIN) -> int:
    delivery = Delivery(collector=radio.collector_of[sent.usage_point], at=sent.at, messages=(sent,))
    return len(meters.received(delivery, ledger, radio, Stream(1, "radio"), conditions))


def test_only_what_was_really_sent_comes_in() -> None:
    radio = Radio(town(3))
    lost = Sent(usage_point="u0000", number=1, word=MeterWord.LOST, at=at(40))
    back = structs.replace(lost, word=MeterWord.RESTORED, at=at(110))

    def dark(*minutes: tuple[float, float | None]) -> dict[str, list[Spell]]:
        lines = [
            Spell(usage_point="u0000", number=number, began=at(began), ended=None if ended is None else at(ended))
            for number, (began, ended) in enumerate(minutes, 1)
        ]
        return {"u0000": lines}

    assert collected(lost, dark((0, None)), radio) == 1
    assert collected(lost, dark((0, 41)), radio) == 1
    assert collected(lost, dark((0, 39)), radio) == 0
    assert collected(back, dark((0, 100)), radio) == 1
    assert collected(back, dark((0, 100), (111, None)), radio) == 1
    assert collected(back, dark((0, 100), (105, None)), radio) == 0
    assert collected(back, {}, radio) == 0


def test_a_collector_lives_on_its_battery_and_dies_with_its_pole_and_comes_back_some_minutes_after_the_power() -> None:
    stream, own = Stream(1, "radio"), Collector(mrid="c", host="u", next="c")
    hour = 3600.0

    def alive(moment: float, ended: float | None = None, conditions: Conditions = PLAIN) -> bool:
        spell = Spell(usage_point="u", number=1, began=START, ended=None if ended is None else at(ended))
        return meters.is_alive(stream, own, [spell], at(moment), conditions)

    assert alive(0.99 * hour)
    assert not alive(8 * hour)
    assert alive(0.99 * hour + 1, ended=0.99 * hour)
    assert not alive(9 * hour + 60, ended=9 * hour)
    assert alive(9 * hour + 180, ended=9 * hour)
    broken = structs.replace(PLAIN, collector_failure=1.0)
    assert not alive(1, conditions=broken)
    assert meters.is_alive(stream, own, [], START, broken)


def test_half_of_the_meters_reach_the_next_collector_when_their_own_is_dead() -> None:
    radio = Radio(town(80))
    broken = structs.replace(PLAIN, collector_failure=1.0)
    heard = 0
    for point, name in radio.collector_of.items():
        host = radio.collectors[name].host
        ledger = {host: [Spell(usage_point=host, number=1, began=START)]}
        ledger.setdefault(point, [Spell(usage_point=point, number=1, began=START)])
        heard += collected(Sent(usage_point=point, number=1, word=MeterWord.LOST, at=at(40)), ledger, radio, broken)
    assert 25 <= heard <= 55


def test_a_ping_is_answered_by_who_has_power_in_seconds_and_clocks_are_wrong_by_some() -> None:
    radio, stream = Radio(town(8)), Stream(1, "radio")
    dark = {"u0000": [Spell(usage_point="u0000", number=1, began=START)]}
    lit = {"u0000": [Spell(usage_point="u0000", number=1, began=START, ended=at(60))]}
    for ledger, answers in ((dark, False), (lit, True), ({}, True)):
        assert meters.answers(stream, "u0000", at(200), ledger, radio=radio, conditions=PLAIN) is answers
    waits = seconds([meters.ping_time(stream, f"u{number}", START) for number in range(500)])
    assert 5 <= statistics.median(waits) <= 8
    assert sum(wait <= 30 for wait in waits) / 500 > 0.9
    errors = [meters.clock_error(stream, f"u{number}", structs.replace(PLAIN, clock_error=5.0)) for number in range(99)]
    assert {abs(error) <= timedelta(seconds=5) for error in errors} == {True}
    assert len(set(errors)) == 11
    assert meters.clock_error(stream, "u", PLAIN) == timedelta(0)


def test_about_one_in_ten_calls_some_minutes_later_and_where_chance_leaves_all_silent_one_calls() -> None:
    stream, many = Stream(1, "callers"), spells(2000)
    points = [each.usage_point for each in many]
    made = callers.calls(stream, many, points, PLAIN)
    assert 160 < len(made) < 240
    assert 7 * 60 < statistics.mean(seconds([each.at for each in made])) < 9 * 60
    silent = structs.replace(PLAIN, call=0.0)
    assert len(callers.calls(stream, spells(5), points, silent)) == 1
    assert callers.calls(stream, [], points, PLAIN) == []
    wrong = [
        each
        for each in callers.calls(stream, many, points, structs.replace(PLAIN, call=1.0, wrong_address=0.02))
        if each.about != each.usage_point
    ]
    assert 20 <= len(wrong) <= 60
    again = callers.calls(stream, many, points, structs.replace(PLAIN, call_again=1.0))
    assert [each.turn for each in again].count(1) == len(made)


def test_who_is_told_that_his_power_is_back_and_has_none_may_say_so() -> None:
    stream, dark = Stream(1, "callers"), spells(300)
    assert callers.callbacks(stream, dark, at(3600), PLAIN) == []
    third = callers.callbacks(stream, dark, at(3600), structs.replace(PLAIN, callback=1 / 3))
    assert 70 <= len(third) <= 130
    assert all(at(3660) <= each.at <= at(4201) and each.turn == 2 for each in third)


def test_a_danger_is_told_by_somebody_near_it_within_minutes() -> None:
    stream = Stream(1, "callers")
    wire = fault("line-a", FaultKind.LINE_TO_GROUND, 1, hazard="wireDown")
    (told,) = callers.alarms(stream, wire, ["a1", "a2"])
    assert (told.code, told.number, told.about in {"a1", "a2"}) == ("wireDown", 0, True)
    assert at(120) <= told.at <= at(601)
    assert callers.alarms(stream, fault("line-a"), ["a1"]) == []
    assert callers.alarms(stream, wire, []) == []
    assert at(60) <= callers.redialled(stream, told, START) <= at(301)


def moved(device: str, seconds_later: float, *, is_open: bool = True) -> Move:
    return Move(device=device, open=is_open, phases=7, at=at(seconds_later))


def test_what_a_device_does_is_seen_in_its_order_within_its_cycle_and_nothing_is_seen_of_a_fuse() -> None:
    network, stream = Network([road()]), Stream(1, "scada")
    first = [moved("recloser", 0), moved("fuse", 0.1)]
    later = [moved("recloser", 0.5, is_open=False), moved("recloser", 0.6)]
    told = telemetry.scans(stream, network, first, [Flag(indicator="second-flag", at=at(0))], PLAIN)
    assert [device for _, device, _ in told] == ["recloser", "second-flag"]
    (again,) = telemetry.scans(stream, network, later, [], PLAIN)
    assert told[0][0] <= again[0] <= at(12)
    assert (again[2].since, again[2].until) == (at(0.5), at(0.6))
    silent = structs.replace(PLAIN, station_loss=1.0)
    assert telemetry.scans(stream, network, first, [], silent)[0][0] > at(600)
    (chatter,) = telemetry.scans(stream, network, [moved("recloser", 0)], [], structs.replace(PLAIN, chattering=1.0))
    assert [move.open for move in chatter[2].moves] == [True, False, True]
    blind = structs.replace(PLAIN, telemetry=0.0)
    assert telemetry.scans(stream, network, first, [], blind) == []
    assert len(telemetry.scans(stream, network, [moved("breaker", 0)], [], blind)) == 1


def test_commands_are_carried_out_but_for_the_shares_that_are_refused_or_ignored() -> None:
    stream = Stream(1, "scada")
    poor = structs.replace(PLAIN, command_failure=0.2, command_silence=0.3)
    drawn = [telemetry.obeyed(stream, f"switch {number}", START, poor) for number in range(1000)]
    assert 0.16 < drawn.count(Obedience.REFUSED) / 1000 < 0.24
    assert 0.26 < drawn.count(Obedience.IGNORED) / 1000 < 0.34
    assert telemetry.obeyed(stream, "switch", START, PLAIN) is Obedience.DONE


def placed(each: Equipment, east: float) -> Equipment:
    return structs.replace(each, longitude=east, latitude=0.0)


def test_a_crew_starts_at_a_substation_and_drives_longer_the_farther_it_is() -> None:
    built = street()
    parts = [placed(each, 0.01 * number) for number, each in enumerate(built.equipment)]
    network, stream = Network([structs.replace(built, equipment=tuple(parts))]), Stream(1, "crews")
    homes = {crews.home_of(stream, network, f"crew {number}") for number in range(30)}
    assert homes == {Place(0.0, 0.0), Place(0.07, 0.0)}
    near, far = (crews.travel_s(stream, Place(0.0, 0.0), Place(east, 0.0), ("way",), 25.0) for east in (0.03, 0.3))
    assert 7 < far / near < 13
    assert abs(crews.distance_km(Place(0.0, 0.0), Place(0.0, 1.0)) - 111.2) < 0.1
    assert crews.travel_s(stream, None, Place(0.0, 0.0), ("way",), 25.0) >= 600
    plain = Network([street()])
    assert crews.home_of(stream, plain, "crew") is None
    assert crews.place_of(plain, "line-a") is None


def test_who_stands_beside_a_switch_need_not_drive_to_it() -> None:
    stream = Stream(1, "crews")

    def takes(*places: Place) -> float:
        known = [Crew(mrid=str(number), place=place, since=START) for number, place in enumerate(places)]
        due = crews.switching_time(stream, known, [Place(0.0, 0.0)], "plan", now=START, conditions=PLAIN)
        return (due - START).total_seconds()

    assert takes(Place(0.001, 0.0), Place(0.5, 0.0)) == takes(Place(0.0, 0.0)) <= 721
    assert takes(Place(0.5, 0.0)) > takes(Place(0.1, 0.0)) > 720


def test_repairs_take_as_long_as_their_damage_and_a_clearance_has_to_be_waited_for() -> None:
    stream = Stream(1, "crews")

    def median(damage: str, conditions: Conditions = PLAIN) -> float:
        drawn = [structs.replace(fault(f"line {number}"), damage=damage) for number in range(400)]
        return statistics.median(seconds([crews.repair_time(stream, each, START, conditions) for each in drawn]))

    assert abs(median("conductor") / 2700 - 1) < 0.1
    assert median("none") < median("conductor") < median("transformer") < median("pole")
    waiting = structs.replace(PLAIN, clearance=30.0)
    assert median("conductor", waiting) - median("conductor") == 1800


def test_a_crew_goes_home_after_its_shift_and_comes_back_after_as_long() -> None:
    crew = Crew(mrid="crew", place=None, since=START)
    eight = structs.replace(PLAIN, shift_hours=8.0)
    for hours, off in ((0, False), (7.9, False), (8, True), (15.9, True), (16, False)):
        assert crews.is_off_shift(crew, at(3600 * hours), eight) is off
    assert not crews.is_off_shift(crew, at(3600 * 100), PLAIN)


def test_some_crews_take_one_fuse_for_another() -> None:
    network, stream = Network([street()]), Stream(1, "crews")
    melted = fault("line-a", device="fuse-a", struck=True)
    assert crews.taken_for(stream, network, melted, PLAIN) == "fuse-a"
    assert crews.taken_for(stream, network, melted, structs.replace(PLAIN, wrong_finding=1.0)) == "fuse-b"
    assert crews.taken_for(stream, network, None, PLAIN) is None
    many = [structs.replace(melted, mrid=str(number)) for number in range(1000)]
    poor = structs.replace(PLAIN, wrong_finding=0.05)
    wrong = sum(crews.taken_for(stream, network, each, poor) != "fuse-a" for each in many)
    assert 25 <= wrong <= 80
