"""The options of a process and how a wrong one is told."""

from pathlib import Path

import pytest

from shared.config import Context, LogLevel, SettingError, Settings, options


def test_every_option_has_a_variable_and_a_description() -> None:
    assert {name for name, _, _ in options()} == set(Settings.__struct_fields__)
    assert all(variable.startswith("BUSBAR_") and description for _, variable, description in options())


def test_the_environment_is_read_and_an_option_of_the_command_line_comes_before_it(tmp_path: Path) -> None:
    address = tmp_path / "address"
    address.write_text("tls://broker:4222\n")
    environ = {
        "BUSBAR_CONTEXT": "training",
        "BUSBAR_GRANTED_CLOCK": "true",
        "BUSBAR_NATS_URL_FILE": str(address),
        "BUSBAR_HTTP_PORT": "9000",
        "BUSBAR_STATE": str(tmp_path),
        "BUSBAR_OTLP_ENDPOINT": "",
        "BUSBAR_LOG_LEVEL": "WARNING",
    }
    settings = Settings.from_environment(environ, http_port=9001, log_level=LogLevel.DEBUG, root=None)
    assert settings.context is Context.TRAINING
    assert settings.granted_clock is True
    assert settings.nats_url == "tls://broker:4222"
    assert settings.http_port == 9001
    assert settings.otlp_endpoint is None
    assert settings.log_level is LogLevel.DEBUG
    assert settings.postgres_database == "busbar_training"
    assert settings.seed_file("scada") == tmp_path / "credentials" / "training" / "scada.nk"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"BUSBAR_HTTP_PORT": "tcp://10.0.0.1:80"}, "BUSBAR_HTTP_PORT is 'tcp://10.0.0.1:80', but must be the port"),
        ({"BUSBAR_HTTP_PORT": "65536"}, "BUSBAR_HTTP_PORT is '65536', but must be the port"),
        ({"BUSBAR_CONTEXT": "live"}, "BUSBAR_CONTEXT is 'live', but must be production, testing, training or study"),
        ({"BUSBAR_ROOT": "Two words"}, "BUSBAR_ROOT is 'Two words', but must be the first token"),
        ({"BUSBAR_OTLP_ENDPOINT": "collector"}, "BUSBAR_OTLP_ENDPOINT is 'collector', but must be"),
        ({"BUSBAR_GRANTED_CLOCK": "true"}, "BUSBAR_GRANTED_CLOCK is set, but nobody grants the time"),
        ({"BUSBAR_POOL_MIN": "8"}, "BUSBAR_POOL_MAX is 4, but BUSBAR_POOL_MIN is already 8"),
        ({"BUSBAR_ROOT_FILE": "/does/not/exist"}, "BUSBAR_ROOT_FILE leads to '/does/not/exist', which cannot be read"),
        ({"BUSBAR_ROOT": "a", "BUSBAR_ROOT_FILE": "b"}, "BUSBAR_ROOT and BUSBAR_ROOT_FILE are both set"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_its_variable(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingError) as told:
        Settings.from_environment(environ)
    assert str(told.value).startswith(sentence)
    assert "\n" not in str(told.value)


def test_a_secret_in_a_file_is_not_shown_when_it_is_wrong(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    with pytest.raises(SettingError) as told:
        Settings.from_environment({"BUSBAR_NATS_URL_FILE": str(secret)})
    assert "hunter2" not in str(told.value)


def test_the_login_of_a_role_is_two_lines_in_its_file(tmp_path: Path) -> None:
    settings = Settings(credentials_dir=tmp_path, context=Context.TESTING)
    file = settings.login_file("fault-management")
    file.parent.mkdir()
    file.write_text("fault_management\nhunter2\n")
    login = settings.login("fault-management")
    assert (login.user, login.password, login.database) == ("fault_management", "hunter2", "busbar_testing")
    file.write_text("hunter2")
    with pytest.raises(SettingError, match="not two lines") as told:
        settings.login("fault-management")
    assert "hunter2" not in str(told.value)
    file.unlink()
    with pytest.raises(SettingError, match="No such file"):
        settings.login("fault-management")
