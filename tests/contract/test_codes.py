"""Codes are read, named and built, and nothing unknown is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import errors
from contracts.codes.end_device_codes import EndDeviceCode
from contracts.codes.end_device_controls import (
    CONNECT,
    CONTROLS,
    DISCONNECT,
    DONE,
    REFUSED,
    ControlKind,
    control_kind_of,
)
from contracts.codes.end_device_events import EMITTED, KINDS, NEWER, EventKind, kind_of
from contracts.codes.reading_quality import (
    ESTIMATED,
    MEASURED,
    MISSING,
    POWER_FAILED,
    SUSPECT,
    VALIDATED,
    ReadingQualityCode,
)
from contracts.codes.reading_type import ReadingTypeCode
from contracts.codes.reply_codes import MEANINGS, meaning
from contracts.codes.tables import name_of, number_of

NUMBER = st.integers(min_value=-99, max_value=99999)
FIFTEEN_MINUTE_KWH = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
FIELDS = [
    "macroPeriod",
    "aggregate",
    "measuringPeriod",
    "accumulation",
    "flowDirection",
    "commodity",
    "measurementKind",
    "phases",
    "multiplier",
    "unit",
    "currency",
]


@given(st.lists(NUMBER, min_size=18, max_size=18))
def test_any_eighteen_numbers_survive_as_a_reading_type(numbers: list[int]) -> None:
    text = ".".join(map(str, numbers))
    assert str(ReadingTypeCode.parse(text)) == text


@given(st.lists(NUMBER, min_size=18, max_size=18))
def test_a_reading_type_can_be_built_again_from_its_own_names(numbers: list[int]) -> None:
    code = ReadingTypeCode.parse(".".join(map(str, numbers)))
    assert ReadingTypeCode.build(**code.names).names == code.names


@given(st.sampled_from(FIELDS), NUMBER)
def test_a_number_of_a_reading_type_is_found_again_by_its_name(field: str, number: int) -> None:
    """Or another number that means the same, where two lists differ."""
    name = name_of(f"readingType.{field}", number)
    assert name_of(f"readingType.{field}", number_of(f"readingType.{field}", name)) == name


@given(NUMBER)
def test_a_reading_type_has_one_canonical_form(phases: int) -> None:
    canonical = ReadingTypeCode(phases=phases).canonical
    assert canonical.canonical == canonical
    assert canonical.names == ReadingTypeCode(phases=phases).names


@given(st.text(alphabet="0123456789.-+_ ¹x", max_size=40) | st.text(max_size=20))
def test_text_is_a_code_with_the_same_numbers_or_is_refused(text: str) -> None:
    for kind in (ReadingTypeCode, EndDeviceCode, ReadingQualityCode):
        try:
            code = kind.parse(text)
        except errors.Invalid:
            continue
        assert [int(part) for part in str(code).split(".")] == [int(part) for part in text.strip().split(".")]


@given(st.lists(NUMBER, min_size=4, max_size=4))
def test_any_four_numbers_survive_as_an_event_or_control_type_and_can_be_read(numbers: list[int]) -> None:
    text = ".".join(map(str, numbers))
    code = EndDeviceCode.parse(text)
    assert str(code) == text
    assert EndDeviceCode.build(*code.names).names == code.names
    assert code.words


@given(st.lists(NUMBER, min_size=3, max_size=3))
def test_any_three_numbers_survive_as_a_reading_quality(numbers: list[int]) -> None:
    text = ".".join(map(str, numbers))
    code = ReadingQualityCode.parse(text)
    assert str(code) == text
    assert ReadingQualityCode.build(*code.names).names == code.names


@pytest.mark.parametrize("code", [*KINDS, *CONTROLS])
def test_every_code_that_we_know_is_one_and_says_its_kind(code: str) -> None:
    assert str(EndDeviceCode.parse(code)) == code
    assert EndDeviceCode.parse(code).words == (KINDS.get(code) or CONTROLS[code])


def test_a_reading_type_tells_its_fields_by_name() -> None:
    names = ReadingTypeCode.parse(FIFTEEN_MINUTE_KWH).names
    assert names["measuring_period"] == "fifteenMinute"
    assert names["accumulation"] == "deltaData"
    assert (names["multiplier"], names["unit"], names["phases"]) == ("k", "Wh", "none")


def test_a_reading_type_is_built_of_names_and_numbers() -> None:
    built = ReadingTypeCode.build(
        measuring_period="fifteenMinute",
        accumulation="deltaData",
        flow_direction="forward",
        commodity=1,
        measurement_kind="energy",
        multiplier="k",
        unit="Wh",
    )
    assert str(built) == FIFTEEN_MINUTE_KWH


def test_a_name_that_no_table_has_is_refused_when_building() -> None:
    with pytest.raises(KeyError, match="furlongsPerFortnight"):
        ReadingTypeCode.build(unit="furlongsPerFortnight")


def test_both_lists_of_split_phases_mean_the_same() -> None:
    for ours, other in ((272, 257), (528, 513), (784, 769)):
        first, second = (ReadingTypeCode(phases=phases) for phases in (ours, other))
        assert first.names["phases"] == second.names["phases"]
        assert second.canonical == first == first.canonical


@pytest.mark.parametrize("text", ["", "1.2.3", FIFTEEN_MINUTE_KWH + ".0", FIFTEEN_MINUTE_KWH.replace("72", "kWh")])
def test_what_is_no_reading_type_is_refused_with_its_code(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        ReadingTypeCode.parse(text)
    assert caught.value.code == "2.6"


@pytest.mark.parametrize("code", ["3.26.9.185", "3.26.0.47", "3.26.136.47", "3.26.0.85", "3.26.17.185"])
def test_every_generation_of_the_last_gasp_means_power_lost(code: str) -> None:
    assert kind_of(code) is EventKind.POWER_LOST


@pytest.mark.parametrize("code", ["3.26.9.216", "3.26.0.216", "3.26.136.216", "3.26.17.216"])
def test_every_generation_of_the_return_means_power_restored(code: str) -> None:
    assert kind_of(code) is EventKind.POWER_RESTORED


def test_both_generations_of_an_event_mean_the_same() -> None:
    assert all(KINDS[older] is KINDS[newer] for older, newer in NEWER.items())


def test_an_event_of_the_first_generation_says_its_kind_where_its_names_mislead() -> None:
    gasp = EndDeviceCode.parse("3.26.9.185")
    assert gasp.names == ("ElectricMeter", "Power", "Pricing", "185")
    assert gasp.words == "powerLost"
    assert EndDeviceCode.parse("3.26.0.1").words == "ElectricMeter Power NA Aborted"


def test_a_device_can_say_that_it_did_what_was_asked() -> None:
    assert set(ControlKind) == {*CONTROLS.values(), control_kind_of("3.15.0.18"), control_kind_of("3.11.0.52")}
    asked = {ControlKind.SWITCH_STATE, ControlKind.LOAD_CONTROL, ControlKind.FIRMWARE}
    assert set(DONE) == set(ControlKind) - asked, "what only the asker waits for is told to him"
    assert not set(DONE.values()) & set(REFUSED.values())


def test_an_unknown_event_has_no_kind_and_keeps_its_numbers() -> None:
    assert kind_of("3.26.9.999") is None
    assert EndDeviceCode.parse("3.26.9.999").names == ("ElectricMeter", "Power", "Pricing", "999")


def test_we_tell_a_kind_with_a_code_of_that_kind() -> None:
    assert all(KINDS[code] is kind for kind, code in EMITTED.items())


def test_every_kind_of_event_has_a_code() -> None:
    assert set(KINDS.values()) == set(EventKind)


def test_the_controls_of_the_disconnect_switch_are_named() -> None:
    assert EndDeviceCode.parse(CONNECT).names == ("ElectricMeter", "RCDSwitch", "NA", "Connect")
    assert EndDeviceCode.parse(DISCONNECT).names == ("ElectricMeter", "RCDSwitch", "NA", "Disconnect")


def test_a_reading_quality_tells_who_says_what() -> None:
    quality = ReadingQualityCode.parse("3.8.0")
    assert quality.names == ("meterDataManagement", "estimated", "estimateGeneric")
    assert quality.is_estimated
    assert str(ReadingQualityCode.parse("5.4.260")) == "5.4.260"
    assert ReadingQualityCode.parse("5.4.260").names == ("externallySpecified", "dataCollection", "260")


def test_the_qualities_that_we_use_are_named() -> None:
    said = {code: ReadingQualityCode.parse(code).names for code in (MEASURED, VALIDATED, SUSPECT, ESTIMATED)}
    assert said[MEASURED] == ("endDevice", "valid", "dataValid")
    assert said[VALIDATED] == ("meterDataManagement", "valid", "validated")
    assert said[SUSPECT] == ("meterDataManagement", "reasonability", "suspect")
    assert ReadingQualityCode.parse(POWER_FAILED).names == ("meterDataManagement", "powerQuality", "powerFail")
    assert str(ReadingQualityCode.build("meteringSystemNetwork", "reasonability", "knownMissingRead")) == MISSING
    assert [code for code in said if ReadingQualityCode.parse(code).is_estimated] == [ESTIMATED]


def test_every_code_that_we_refuse_with_is_a_code_of_the_standard() -> None:
    kinds = (errors.Rejected, errors.NotFound, errors.Conflict, errors.Invalid, errors.Denied, errors.Malformed)
    assert {kind.code for kind in (*kinds, errors.Unavailable)} | {errors.DEFECT.code} <= set(MEANINGS)


def test_an_unknown_reply_code_tells_its_category() -> None:
    assert meaning("0.3") == "simple acknowledgement"
    assert meaning("7.99") == "security (unknown code 7.99)"
    assert meaning("99.1") == "unknown code 99.1"
