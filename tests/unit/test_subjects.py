"""The grammar of the subjects."""

import re
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.interface import Lane
from contracts.verbs import Verb
from shared.bus import subjects
from shared.bus.grants import covers
from shared.bus.subjects import (
    AdminSubject,
    AdminVerb,
    CommandSubject,
    EventSubject,
    ReplySubject,
    RequestSubject,
    Space,
    inbox,
    is_inbox_of,
    partition,
)

TOKENS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64)
NO_TOKENS = st.text().filter(lambda text: re.fullmatch("[A-Za-z0-9_-]{1,64}", text) is None)
CONTEXTS = st.sampled_from(subjects.CONTEXTS)
SPACE = {"root": TOKENS, "context": CONTEXTS}
ASKING = [verb for verb in Verb if verb.is_request]
TELLING = [verb for verb in Verb if verb.is_event]
MESSAGE_IDS = st.text(
    "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in ".*>"), min_size=1, max_size=128
)


@st.composite
def events(draw: st.DrawFn) -> EventSubject:
    lane = draw(st.sampled_from(Lane))
    return EventSubject(
        root=draw(TOKENS),
        context=draw(CONTEXTS),
        lane=lane,
        source=draw(TOKENS),
        noun=draw(TOKENS),
        verb=draw(st.sampled_from(list(Verb) if lane in (Lane.JOURNAL, Lane.DEAD) else TELLING)),
        partition=draw(st.integers(0, lane.partitions - 1)),
    )


REQUESTS = st.builds(RequestSubject, **SPACE, role=TOKENS, noun=TOKENS, verb=st.sampled_from(ASKING), asker=TOKENS)
COMMANDS = st.builds(
    CommandSubject,
    **SPACE,
    role=TOKENS,
    noun=TOKENS,
    verb=st.sampled_from([verb for verb in ASKING if verb is not Verb.GET]),
    asker=TOKENS,
)
REPLIES = st.builds(ReplySubject, **SPACE, asker=TOKENS, message_id=MESSAGE_IDS, responder=TOKENS)
ADMINS = st.builds(AdminSubject, **SPACE, role=TOKENS, verb=st.sampled_from(AdminVerb))
PARSERS: list[Callable[[str], Any]] = [
    RequestSubject.parse,
    CommandSubject.parse,
    EventSubject.parse,
    ReplySubject.parse,
    AdminSubject.parse,
]


@given(st.one_of(REQUESTS, COMMANDS, REPLIES, ADMINS, events()))
def test_what_is_built_is_parsed_to_the_same_value(subject: Any) -> None:
    assert type(subject).parse(str(subject)) == subject


@given(st.one_of(REQUESTS, COMMANDS, REPLIES, ADMINS, events()))
def test_a_subject_belongs_to_one_kind_only(subject: Any) -> None:
    for parse in PARSERS:
        if parse is not type(subject).parse:
            with pytest.raises(ValueError, match="is not the subject of a message of the kind"):
                parse(str(subject))


@given(st.sampled_from(PARSERS), st.text(max_size=200))
def test_no_text_from_outside_does_more_than_raise_a_value_error(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text, so any of the reasons
        parse(text)


@given(st.sampled_from(["role", "noun", "asker", "root"]), NO_TOKENS)
def test_no_token_smuggles_in_a_dot_a_wildcard_or_a_space(field: str, token: str) -> None:
    fields = {"root": "busbar", "context": "testing", "role": "crews", "noun": "Controls", "asker": "scada"}
    with pytest.raises(ValueError, match="is not a token"):
        RequestSubject(verb=Verb.CREATE, **{**fields, field: token})


@pytest.mark.parametrize("message_id", ["", "a.b", "a*", ">", "a b", "a\r\nPUB x", "\x00", "ä", "x" * 129])
def test_a_message_id_that_is_no_token_has_no_reply_subject(message_id: str) -> None:
    with pytest.raises(ValueError, match="cannot be a token"):
        ReplySubject(root="busbar", context="testing", asker="crews", message_id=message_id, responder="scada")


def test_the_verb_must_fit_the_kind() -> None:
    ask = {"root": "busbar", "context": "testing", "role": "crews", "noun": "Controls", "asker": "scada"}
    with pytest.raises(ValueError, match="does not ask"):
        RequestSubject(verb=Verb.CREATED, **ask)
    with pytest.raises(ValueError, match="never a command"):
        CommandSubject(verb=Verb.GET, **ask)
    with pytest.raises(ValueError, match="not the verb of an event"):
        EventSubject.parse("busbar.testing.event.control.scada.Controls.create.0")
    with pytest.raises(ValueError, match="no partition 4"):
        EventSubject.parse("busbar.testing.event.control.scada.Controls.created.4")
    with pytest.raises(ValueError, match="not a partition"):
        EventSubject.parse("busbar.testing.event.control.scada.Controls.created.00")


def test_there_are_only_the_contexts_of_the_standard() -> None:
    with pytest.raises(ValueError, match="not one of production"):
        Space("busbar", "staging")
    with pytest.raises(ValueError, match="not one of production"):
        inbox("*", "crews")


@given(st.text(), st.sampled_from(Lane))
def test_a_key_always_meets_the_same_partition_of_its_lane(key: str, lane: Lane) -> None:
    assert partition(key, lane) == partition(key, lane)
    assert partition(key, lane) in range(lane.partitions)


@given(st.one_of(REQUESTS, COMMANDS, REPLIES, ADMINS, events()))
def test_the_patterns_cover_what_is_built(subject: Any) -> None:
    space = Space(subject.root, subject.context)
    assert covers(space.everything, str(subject))
    if isinstance(subject, RequestSubject):
        assert covers(space.requests_to(subject.role), str(subject))
    elif isinstance(subject, CommandSubject):
        assert covers(space.commands_to(subject.role), str(subject))
        assert covers(space.commands, str(subject))
    elif isinstance(subject, ReplySubject):
        assert covers(space.replies_to(subject.asker), str(subject))
        assert covers(space.replies, str(subject))
    elif isinstance(subject, AdminSubject):
        assert covers(space.admin_of(subject.role), str(subject))
        assert covers(space.admin_of("*", subject.verb), str(subject))
    else:
        assert covers(space.lane(subject.lane), str(subject))
        assert covers(space.events(subject.lane, subject.source, subject.noun, subject.verb), str(subject))
        assert not covers(space.events(subject.lane, subject.source + "x"), str(subject))


def test_an_answer_goes_only_to_the_inbox_of_the_asker() -> None:
    assert is_inbox_of("_INBOX.testing-crews.abc.1", "testing", "crews")
    assert not is_inbox_of("_INBOX.testing-crews-2.abc.1", "testing", "crews")
    assert not is_inbox_of("_INBOX.production-crews.abc.1", "testing", "crews")
    assert not is_inbox_of("busbar.testing.command.scada.Controls.create.crews", "testing", "crews")


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        (">", "a.b", True),
        ("a.>", "a", False),
        ("a.>", "a.*.c", True),
        ("a.*", "a.b", True),
        ("a.*", "a.>", False),
        ("a.b", "a.*", False),
        ("a.*.c", "a.b.c.d", False),
        ("a.b.c", "a.b", False),
    ],
)
def test_a_pattern_covers_what_it_matches_entirely(pattern: str, subject: str, *, expected: bool) -> None:
    assert covers(pattern, subject) is expected
