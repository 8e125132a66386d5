"""What follows from intervals as one asks for it: time of use, demand, longer intervals (metering guide 6)."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import json

from contracts.message import Request
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingType
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.acceptance.test_metering import BERLIN, INTERVAL, MRC, Office, office, told, whole_day

TARIFF = [
    {
        "id": "homes",
        "since": "2026-01-01",
        "seasons": [{"begins": "01-01", "workday": {"00:00": 2, "06:00": 1, "22:00": 2}}],
    }
]
DAY = date(2026, 5, 4)
HOUR = INTERVAL.replace("0.0.2.", "0.0.7.")
NIGHT_OF_DAY = "11.0.0.4.1.1.12.0.0.0.0.2.0.0.0.0.72.0"
PEAK_OF_DAY = "11.8.7.6.1.1.8.0.0.0.0.0.0.0.0.0.38.0"
NIGHT_OF_MONTH = "13.0.0.4.1.1.12.0.0.0.0.2.0.0.0.0.72.0"


async def asked(here: Office, *types: str) -> list[MeterReading]:
    query = GetMeterReadings(
        usage_point=(ObjectReference(mrid="point"),), reading_type=tuple(ReadingType(mrid=each) for each in types)
    )
    answer = await here.cis.request(MRC, Verb.GET, MeterReadings, question=Request(query=query))
    return [] if answer.payload is None else list(answer.noun.meter_reading)


async def test_hours_the_energy_of_the_night_and_the_peak_of_a_day_follow_from_its_quarters(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Quarters of 100 to 195 Wh, one of which comes later than the others."""
    tariff = tmp_path / "tariff.json"
    tariff.write_bytes(json.encode(TARIFF))
    monkeypatch.setenv("BUSBAR_METER_TARIFF_CALENDARS", str(tariff))
    quarters = whole_day(DAY)
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, told([*quarters[:10], *quarters[11:]]))
        (missing,) = await asked(here, NIGHT_OF_DAY)
        (night,) = missing.readings
        assert (night.value, [each.reading_quality_type.ref for each in night.reading_qualities]) == (None, ["3.5.259"])

        await here.do(Verb.CREATE, told(quarters[10:11]))
        (hours,) = await asked(here, HOUR)
        (block,) = hours.interval_blocks
        assert block.reading_type.ref == HOUR
        shown = [each.value for each in block.interval_readings if each.value is not None]
        assert shown == [str(sum(range(100 + 4 * hour, 104 + 4 * hour))) for hour in range(24)]
        assert block.interval_readings[0].time_stamp == datetime(2026, 5, 4, 1, tzinfo=BERLIN).astimezone(UTC)

        (followed,) = await asked(here, NIGHT_OF_DAY, PEAK_OF_DAY, NIGHT_OF_MONTH)
        told_of = {each.reading_type.ref: each for each in followed.readings if each.reading_type}
        night, peak = told_of[NIGHT_OF_DAY], told_of[PEAK_OF_DAY]
        assert night.value == str(sum(range(100, 124)) + sum(range(188, 196)))
        midnight = datetime(2026, 5, 4, tzinfo=BERLIN).astimezone(UTC)
        assert night.time_period is not None
        assert (night.time_period.start, night.time_period.end) == (midnight, midnight + timedelta(days=1))
        assert (peak.value, peak.time_stamp) == (str(sum(range(192, 196))), midnight + timedelta(days=1))
        assert told_of[NIGHT_OF_MONTH].value is None, "nothing is known of the other days"
