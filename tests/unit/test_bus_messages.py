"""What the broker says, held against nats-py, which reads it more slowly."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.protocol.parser import Parser

from shared.bus.frames import Frames
from shared.bus.messages import Delivery, Frame, headers_of

_NAMES = st.from_regex(r"[a-z_\-]{1,20}", fullmatch=True)
_NUMBERS = st.integers(0, 2**63 - 1)
_TIMES = st.integers(0, 4_102_444_800_000_000_000)


def _never(_: Sequence[bytes], __: bytes) -> bool:
    raise AssertionError


@given(
    st.tuples(_NAMES, _NAMES, _NUMBERS, _NUMBERS, _NUMBERS, _TIMES, _NUMBERS),
    st.sampled_from([((), ()), (("_", "hash"), ()), (("hub", "hash"), ("random",)), (("hub", "hash"), ("a", "b"))]),
)
def test_a_delivery_stands_where_nats_py_says(
    told: tuple[object, ...], around: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    before, after = around
    reply = ".".join(map(str, ("$JS", "ACK", *before, *told, *after)))
    delivery = Delivery.of((b"a.subject", reply.encode(), b"", b""), _never)
    other = Msg(Client(), "a.subject", reply).metadata
    assert (delivery.stream, delivery.durable, delivery.stream_sequence, delivery.num_delivered, delivery.pending) == (
        other.stream,
        other.consumer,
        other.sequence.stream,
        other.num_delivered,
        other.num_pending,
    )
    assert delivery.timestamp == other.timestamp


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "_INBOX.x.1",
        "$JS.ACK.s.d.1.2.3.4",
        "$JS.NAK.s.d.1.2.3.4.5",
        "$JS.ACK.a.s.d.1.2.3.4.5",
        "$JS.ACK.s.d.x.2.3.4.5",
        "$JS.ACK.s.d..2.3.4.5",
        "$JS.ACK.s.d.+1.2.3.4.5",
    ],
)
def test_what_is_not_settled_there_has_no_place(reply: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  what int says is as good
        Delivery.of((b"a.subject", reply.encode(), b"", b""), _never)


class _Client:
    """What the parser of nats-py tells."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        self.told.append((sid, subject, reply, headers or b"", data))

    async def _process_ping(self) -> None:
        self.told.append(("ping",))

    async def _process_pong(self) -> None:
        self.told.append(("pong",))

    async def _process_err(self, message: str) -> None:
        self.told.append(("error", message))

    async def _process_info(self, told: dict[str, Any]) -> None:
        self.told.append(("info", told))


_TOKENS = st.sampled_from([b"a", b"_INBOX.x.1", b"$JS.ACK.s.d.1.2.3.4.5", b"MSG", b"PING"])
_BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\r\n", b"MSG a 1 3\r\nabc\r\n", b"\r\nHMSG a 1 12 12\r\n", b"PING\r\n", b"+ACK", b"\r", b"\n"]),
)


@st.composite
def _said(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(["msg", "msg", "hmsg", "hmsg", "line"]))
    if kind == "line":
        lines = [b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'no'\r\n", b'INFO {"a": "MSG a 1 3"}\r\n']
        return draw(st.sampled_from(lines))
    body = draw(_BODIES)
    block = (
        b"NATS/1.0\r\n%s\r\n" % draw(st.sampled_from([b"", b"A: b\r\n", b"X: y\r\nZ:z\r\n"])) if kind == "hmsg" else b""
    )
    words = [kind.upper().encode(), draw(_TOKENS), b"%d" % draw(st.integers(1, 3))]
    words += draw(st.sampled_from([[], [b"$JS.ACK.s.d.1.2.3.4.5"]]))
    words += ([b"%d" % len(block)] if block else []) + [b"%d" % (len(block) + len(body))]
    return b"%s\r\n%s%s\r\n" % (b" ".join(words), block, body)


@st.composite
def _said_in_a_row(draw: st.DrawFn) -> bytes:
    """Messages that differ in digits and bodies, but for some that differ in more."""
    first, size = draw(st.sampled_from([1, 985, 10_000])), draw(st.integers(0, 5))
    block = draw(st.sampled_from([b"", b"NATS/1.0\r\nA: b\r\n\r\n"]))
    odd = draw(st.dictionaries(st.integers(0, 24), st.sampled_from(["subject", "reply", "sid", "size", "block"])))
    told = []
    for place in range(draw(st.integers(9, 25))):
        what = odd.get(place)
        body = draw(st.binary(min_size=size, max_size=size)) + (b"more" if what == "size" else b"")
        subject = b"a.x" if what == "subject" else b"a.%d" % (place % 3)
        reply = b"$JS.ACK.s.%b.1.%d.2.3.%d" % (b"e" if what == "reply" else b"d", first + place, 2000 - place)
        headers = block.replace(b"A", b"B") if what == "block" else block
        sizes = [b"%d" % len(block)] if block else []
        words = [b"HMSG" if block else b"MSG", subject, b"2" if what == "sid" else b"1", reply, *sizes]
        told.append(b"%b %d\r\n%b%b\r\n" % (b" ".join(words), len(block) + len(body), headers, body))
    return b"".join(told)


@given(
    st.lists(st.one_of(_said(), _said_in_a_row()), max_size=12),
    st.sets(st.integers(1, 3)),
    st.lists(st.integers(0, 1500), max_size=8),
)
def test_what_is_cut_out_and_what_is_left_is_what_nats_py_would_have_read(
    said: list[bytes], taken: set[int], cuts: list[int]
) -> None:
    whole, client = b"".join(said), _Client()
    asyncio.run(Parser(client).parse(whole))
    frames, rest, got = Frames(), _Client(), dict[int, list[Frame]]()
    for number in taken:
        frames.takers[b"%d" % number] = got.setdefault(number, []).extend
    parser = Parser(rest)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    for begin, end in pairwise(edges):
        asyncio.run(parser.parse(frames.split(whole[begin:end])))
    assert rest.told == [each for each in client.told if each[0] not in taken]
    for number in taken:
        assert [(number, *frame) for frame in got[number]] == [each for each in client.told if each[0] == number]


_LINES = st.one_of(
    st.binary(min_size=1, max_size=20).filter(lambda line: b"\r\n" not in line),
    st.sampled_from([b"Content-Type: a/b; c", b" A :  b ", b"A:b:c", b":x", b"no", b"B b: c", b"\xe4: b", b"A: \xff"]),
)
_STATUSES = st.sampled_from([b" 404", b" 100 Idle Heartbeat", b" 409 Batch Completed", b" 408 Request Timeout"])


@given(st.one_of(_STATUSES, st.lists(_LINES, max_size=5)))
def test_headers_and_statuses_are_what_nats_py_reads(told: bytes | list[bytes]) -> None:
    lines = [told] if isinstance(told, bytes) else [b"", *told]
    block = b"NATS/1.0%s\r\n\r\n" % b"\r\n".join(lines)
    other = asyncio.run(Client()._process_headers(block)) or {}
    assert headers_of(block) == {str(getattr(name, "value", name)): value for name, value in other.items()}


def test_a_line_that_never_ends_is_left_to_nats_py() -> None:
    frames = Frames()
    assert frames.split(b"x" * 70_000) == b"x" * 70_000
