"""What a batch says is known by the messages in it."""

from hypothesis import given
from hypothesis import strategies as st

from shared.batches import identity_of
from shared.bus.messages import Delivery


def delivery(sequence: int, *, attempt: int) -> Delivery:
    reply = f"$JS.ACK.busbar_testing_outage.meters.{attempt}.{sequence}.{sequence}.1700000000000000000.0"
    return Delivery.of((b"subject", reply.encode(), b"", b""), lambda *_: True)


BATCHES = st.lists(st.integers(1, 60), min_size=1, max_size=12, unique=True).map(sorted)


@given(first=BATCHES, second=BATCHES, attempt=st.integers(1, 9))
def test_two_batches_speak_under_one_identity_only_if_they_are_of_the_same_messages(
    first: list[int], second: list[int], attempt: int
) -> None:
    before = identity_of([delivery(each, attempt=1) for each in first])
    again = identity_of([delivery(each, attempt=attempt) for each in second])
    assert (before == again) == (first == second)
