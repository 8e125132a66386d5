"""Where a delivery stands, held against nats-py, which reads it more slowly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.messages import Delivery, place_of

_NAMES = st.from_regex(r"[a-z_\-]{1,20}", fullmatch=True)
_NUMBERS = st.integers(0, 2**63 - 1)
_TIMES = st.integers(0, 4_102_444_800_000_000_000)


async def _never(_: str, __: bytes) -> bool:
    raise AssertionError


@given(
    st.tuples(_NAMES, _NAMES, _NUMBERS, _NUMBERS, _NUMBERS, _TIMES, _NUMBERS),
    st.sampled_from([((), ()), (("_", "hash"), ()), (("hub", "hash"), ("random",)), (("hub", "hash"), ("a", "b"))]),
)
def test_a_delivery_stands_where_nats_py_says(
    told: tuple[object, ...], around: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    before, after = around
    msg = Msg(Client(), "a.subject", ".".join(map(str, ("$JS", "ACK", *before, *told, *after))))
    delivery, other = Delivery(msg, _never), msg.metadata
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
    ],
)
def test_what_is_not_settled_there_has_no_place(reply: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  what int says is as good
        place_of(reply)
