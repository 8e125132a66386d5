"""Messages that are put together for speed are those that the codec writes, and say what the fleet measured."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from contracts.catalogue import CATALOGUE
from contracts.message import Error, Header, Message, Reply, Result
from contracts.verbs import Verb
from loadtest.asking import refusal
from loadtest.scenario import Encoding, Load, Scenario, What
from loadtest.telling import Telling
from shared.codec import CONTENT_MSGPACK, Codec
from shared.fleet.metering import texts

SPRING = date(2026, 3, 29)
CODEC = Codec(CATALOGUE)


def telling(what: What, encoding: Encoding, per_message: int = 20) -> Telling:
    load = Load(what=what, per_s=1000, per_message=per_message, encoding=encoding, name="load")
    scenario = Scenario(title="", meters=50, day=SPRING - timedelta(days=1), duration_s=200, loads=(load,))
    return Telling(scenario, load, "run", "busbar", "testing")


def read(told: Telling, index: int) -> Message[Any]:
    message = told.told(index)
    kind = message.headers.decode().partition("Content-Type: ")[2].strip()
    decoded = CODEC.decode(message.body, kind)
    assert isinstance(decoded, Message)
    assert decoded.header.message_id == told.message_id(index)
    assert message.body == CODEC.encode(decoded, kind)
    return decoded


@pytest.mark.parametrize("encoding", [*Encoding])
@pytest.mark.parametrize("what", [What.WAVE, What.DAY_BLOCKS])
def test_a_message_of_readings_is_as_the_codec_writes_it_and_says_what_was_measured(
    what: What, encoding: Encoding
) -> None:
    told = telling(what, encoding)
    fleet = Scenario(title="", meters=50, loads=(Load(what=what, per_s=1),)).fleet()
    for index in (0, 2, 5, 3 * 96 + 1):
        part = told.part(index)
        readings = read(told, index).noun.meter_reading
        meters = np.arange(part.first, part.last)
        assert [each.meter.mrid for each in readings] == texts(fleet.meter_ids(meters))
        assert [each.usage_point.mrid for each in readings] == texts(fleet.point_ids(meters))
        values = [[int(value.value) for value in each.interval_blocks[0].interval_readings] for each in readings]
        assert values == fleet.intervals(meters, part.day)[:, part.start : part.stop].tolist()
        first = readings[0].interval_blocks[0].interval_readings[0]
        if what is What.WAVE or encoding is Encoding.COMPACT:
            end = int(fleet.starts(part.day)[part.start]) + 900
            assert first.time_stamp == datetime.fromtimestamp(end, UTC)


@pytest.mark.parametrize("encoding", [Encoding.XML, Encoding.JSON, Encoding.MSGPACK])
def test_every_meter_gasps_once(encoding: Encoding) -> None:
    told = telling(What.GASPS, encoding)
    assert told.count == 3
    events = [event for index in range(3) for event in read(told, index).noun.end_device_event]
    assert len({event.assets.mrid for event in events}) == len(events) == 50


def test_a_load_has_as_many_messages_as_its_rate_asks_for_over_days_of_any_length() -> None:
    told = telling(What.DAY_BLOCKS, Encoding.XML)
    readings = sum(told.part(index).values for index in range(told.count))
    assert 200_000 <= readings < 200_000 + 20 * 96
    assert {told.part(index).stop for index in range(told.count) if told.part(index).day == SPRING} == {92}
    waves = telling(What.WAVE, Encoding.XML)
    assert sum(waves.part(index).values for index in range(waves.count)) == pytest.approx(200_000, abs=20)
    following = [waves.part(3 * step) for step in range(95, 95 + 94)]
    assert [(part.day, part.start) for part in following[:2]] == [(SPRING - timedelta(days=1), 95), (SPRING, 0)]
    assert (following[93].day, following[93].start) == (SPRING + timedelta(days=1), 0)


@pytest.mark.parametrize(
    ("error", "said"),
    [((Error(code="5.3", reason="the switch is stuck"),), "5.3 the switch is stuck"), ((), "it gives no reason")],
)
def test_a_refusal_says_its_code_and_reason(error: tuple[Error, ...], said: str) -> None:
    header = Header(verb=Verb.REPLY, noun="EndDeviceControls", message_id="1")
    told = CODEC.encode(Message(header=header, reply=Reply(result=Result.FAILED, error=error)), CONTENT_MSGPACK)
    assert refusal(told) == said


def test_a_refusal_that_nobody_can_read_is_said_to_be_one() -> None:
    assert refusal(b"\xc1 FAILED").startswith("it cannot be read")
