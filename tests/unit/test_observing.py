"""The observer finds each broken promise that passes on the bus, and complains of nothing that keeps them."""

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.interface import Lane
from contracts.message import Error, Level, Message, Reply, Result
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.unplanned_outages import OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.types import Status
from contracts.verbs import Verb
from shared.bus.messages import Received
from shared.bus.subjects import CommandSubject, EventSubject, ReplySubject, RequestSubject, Space
from shared.codec import CONTENT_XML, Codec
from shared.envelope import PRODUCER, SEQUENCE, Writer, success
from shared.tools.observing import Observer

SPACE = Space("busbar", "testing")
CODEC = Codec(CATALOGUE)
WRITER = Writer(SPACE, CODEC, CATALOGUE)
FM, NO, WM = "fault-management", "network-operation", "work-management"
PART = Reply(result=Result.PARTIAL, error=(Error(code="0.1", level=Level.INFORM),))


@pytest.fixture
def observer() -> Observer:
    return Observer(CATALOGUE)


def body(role: str, verb: Verb, noun: str, identity: str, payload: Any = None) -> bytes:
    header = WRITER.header(role, verb, noun, message_id=identity, thread=None)
    return CODEC.encode(Message(header=header, payload=payload), CONTENT_XML)


def question(identity: str, inbox: str, *, asker: str = FM) -> Received:
    subject = RequestSubject(
        root="busbar", context="testing", role=NO, noun="FeederTopology", verb=Verb.GET, asker=asker
    )
    return Received(str(subject), body(asker, Verb.GET, "FeederTopology", identity), {}, inbox)


def answer(inbox: str, identity: str, reply: Reply | None = None) -> Received:
    message = WRITER.response(
        NO, "FeederTopology", reply or success(), FeederTopology(), message_id=identity, thread=None
    )
    return Received(inbox, CODEC.encode(message, CONTENT_XML), {}, "")


def command(identity: str, payload: Any, *, verb: Verb = Verb.CREATE) -> Received:
    noun = type(payload).__name__
    subject = CommandSubject(root="busbar", context="testing", role=WM, noun=noun, verb=verb, asker=FM)
    return Received(str(subject), body(FM, verb, noun, identity, payload), {}, "")


def reply(to: str, identity: str) -> Received:
    subject = ReplySubject(root="busbar", context="testing", asker=FM, message_id=to, responder=WM)
    message = WRITER.response(WM, "WorkRequests", success(), None, message_id=identity, thread=None)
    return Received(str(subject), CODEC.encode(message, CONTENT_XML), {}, "")


def outage(
    identity: str, mrid: str, revision: int, verb: Verb = Verb.CHANGED, *, number: int = 0, state: str | None = None
) -> Received:
    told = UnplannedOutage(
        mrid=mrid,
        revision_number=revision,
        outage_kind=OutageStatusKind.CONFIRMED,
        status=None if state is None else Status(value=state),
    )
    noun = UnplannedOutages(unplanned_outage=(told,))
    subject = EventSubject(
        root="busbar",
        context="testing",
        lane=Lane.OUTAGE,
        source=FM,
        noun="UnplannedOutages",
        verb=verb,
        partition=0,
    )
    headers = {SEQUENCE: str(number), PRODUCER: FM} if number else {}
    return Received(str(subject), body(FM, verb, "UnplannedOutages", identity, noun), headers, "")


def seen(observer: Observer, *messages: Received) -> dict[str, int]:
    for each in messages:
        observer.see(each)
    return observer.verdict().complaints


def test_a_story_that_keeps_every_promise_gives_no_complaint(observer: Observer) -> None:
    asked = question("q", "_INBOX.testing-fault-management.1")
    ordered = command("c", WorkRequests())
    complaints = seen(
        observer,
        asked,
        answer(asked.reply, "a1", PART),
        answer(asked.reply, "a2"),
        ordered,
        ordered,  # the relay sends again what it was not told of
        reply("c", "r"),
        outage("e1", "o", 1, Verb.CREATED, number=1),
        outage("e2", "o", 2, number=1),
        outage("e3", "o", 3, Verb.CLOSED, number=1),
    )
    assert complaints == {}
    verdict = observer.verdict()
    assert (verdict.heard, verdict.requests, verdict.outages) == (5, 2, 1)


def test_a_request_without_an_answer_and_one_with_two_are_both_found(observer: Observer) -> None:
    one, two = (question(identity, f"_INBOX.testing-fault-management.{identity}") for identity in "ab")
    complaints = seen(observer, one, two, answer(two.reply, "1"), answer(two.reply, "2"), command("c", WorkRequests()))
    assert complaints == {"unanswered": 2, "answered_twice": 1}


def test_a_meter_that_cannot_answer_breaks_no_promise(observer: Observer) -> None:
    role = "meter-reading-and-control"
    noun = EndDeviceControls.__name__
    subject = CommandSubject(root="busbar", context="testing", role="head-end", noun=noun, verb=Verb.CREATE, asker=role)
    ping = Received(str(subject), body(role, Verb.CREATE, noun, "p", EndDeviceControls()), {}, "")
    assert seen(observer, ping) == {}
    assert observer.verdict().requests == 1


def test_a_question_that_the_broker_turned_away_is_no_request_that_somebody_left_unanswered(observer: Observer) -> None:
    asked = question("q", "_INBOX.testing-fault-management.1")
    assert seen(observer, asked, Received(asked.reply, b"", {"Status": "503"}, "")) == {}


def test_a_question_that_was_under_way_when_the_observer_was_cut_off_counts_as_nothing_and_a_command_still_does(
    observer: Observer,
) -> None:
    assert seen(observer, question("q", "_INBOX.testing-fault-management.1"), command("c", WorkRequests())) == {
        "unanswered": 2
    }
    observer.miss()
    assert observer.verdict().complaints == {"unanswered": 1}


def test_two_messages_with_one_identity_are_found(observer: Observer) -> None:
    first, second = outage("e", "o", 1, Verb.CREATED), outage("e", "p", 1, Verb.CREATED)
    closed = [outage(f"c-{mrid}", mrid, 9, Verb.CLOSED) for mrid in "op"]
    assert seen(observer, first, second, *closed) == {"identities_twice": 1}


def test_a_number_that_is_left_out_on_a_subject_is_a_gap(observer: Observer) -> None:
    told = [outage(f"e{number}", "o", number, number=number) for number in (1, 2, 5)]
    assert seen(observer, *told, outage("end", "o", 9, Verb.CLOSED)) == {"sequence_gaps": 2}


def test_what_is_told_or_ordered_twice_in_different_messages_is_an_effect_twice(observer: Observer) -> None:
    told = outage("e1", "o", 4), outage("e2", "o", 4)
    assert seen(observer, *told, outage("end", "o", 9, Verb.CLOSED)) == {"effects_doubled": 1}


def test_an_outage_that_never_ends_is_found(observer: Observer) -> None:
    assert seen(observer, outage("e", "o", 1, Verb.CREATED)) == {"outages_without_end": 1}


def test_what_was_told_before_the_end_of_an_outage_and_is_read_after_it_does_not_open_it_again(
    observer: Observer,
) -> None:
    told = outage("end", "o", 9, Verb.CLOSED), outage("e", "o", 1, Verb.CREATED), outage("f", "o", 2)
    assert seen(observer, *told) == {}


def test_what_is_added_to_the_record_of_an_outage_that_is_over_does_not_open_it_again(observer: Observer) -> None:
    told = outage("e", "o", 1, Verb.CREATED), outage("end", "o", 2, Verb.CLOSED), outage("f", "o", 3, state="CLOSED")
    assert seen(observer, *told) == {}


def test_what_cannot_be_read_is_counted(observer: Observer) -> None:
    told = replace(outage("e", "o", 1), body=b"<nonsense/>")
    assert seen(observer, told) == {"unreadable": 1}
