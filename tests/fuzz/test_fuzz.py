"""A second of mutations for each fuzz target, from the golden examples; ``make fuzz`` searches longer and better."""

import math
import random
import re
import struct
import time

import pytest

from tests.fuzz.targets import TARGETS, seeds

SECONDS = 1.0
TOKENS = (b"<", b"</", b">", b'"', b"&#0;", b"]]>", b"xmlns=''", b"\x00", b"\xff\xfe", b"1e999", b"null", b"{}", b"-")


def mutated(body: bytes, other: bytes, chance: random.Random) -> bytes:
    """``body`` with one to four pieces changed, taken out, repeated or taken from ``other``."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        until = min(len(body), at + chance.choice((0, 1, 1, 4, 16, 200)))
        start = chance.randrange(len(other))
        piece = chance.choice(
            (b"", body[at:until] * 2, chance.randbytes(2), chance.choice(TOKENS), other[start : start + until - at])
        )
        body = body[:at] + piece + body[until:]
    return body


@pytest.mark.parametrize("target", TARGETS)
def test_mutated_examples_are_refused_or_survive_a_round_trip(target: str) -> None:
    chance = random.Random(target)
    corpus = list(seeds(target))
    assert corpus
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        TARGETS[target](mutated(chance.choice(corpus), chance.choice(corpus), chance))


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_is_read(target: str) -> None:
    for seed in seeds(target):
        assert TARGETS[target](seed)


def test_a_number_that_is_none_is_refused_in_messagepack() -> None:
    number, none = re.compile(rb"(?<=nominalYValue)\xcb.{8}", re.DOTALL), struct.pack(">Bd", 0xCB, math.nan)
    infinite = struct.pack(">Bd", 0xCB, math.inf)
    body = next(seed for seed in seeds("msgpack") if number.search(seed))
    assert TARGETS["msgpack"](body)
    assert TARGETS["msgpack"](number.sub(infinite, body))
    assert not TARGETS["msgpack"](number.sub(none, body))
