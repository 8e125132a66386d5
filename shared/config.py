"""What an operator may set: one value, read once from the environment, and the logins that lie beside it.

Every option has an environment variable named after its field: ``http_port`` is ``BUSBAR_HTTP_PORT``, and a folder goes
without its ending (``state_dir`` is ``BUSBAR_STATE``). Instead of the value, ``BUSBAR_..._FILE`` may name a file that
holds it, as secrets are mounted.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self, get_type_hints

import msgspec
from msgspec import Meta, Struct

from shared.store import Login


class SettingError(ValueError):
    """An option that cannot be what it is set to; the text is one sentence that names the variable."""


class Context(StrEnum):
    """The Context of 61968-100: what is real, what is tried and what is played never meet."""

    PRODUCTION = "production"
    TESTING = "testing"
    TRAINING = "training"
    STUDY = "study"


class LogLevel(StrEnum):
    """The least severe record that is written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class LogFormat(StrEnum):
    """JSON for machines, text for people."""

    JSON = "json"
    TEXT = "text"


class Settings(Struct, frozen=True, kw_only=True):
    """The options of one process; the description of each is what its help and its error message say."""

    root: Annotated[
        str,
        Meta(
            pattern="^[a-z][a-z0-9_]{0,30}$",
            description="the first token of every subject: a lower-case letter, then letters, digits and underscores",
        ),
    ] = "busbar"
    context: Annotated[Context, Meta(description="production, testing, training or study")] = Context.PRODUCTION
    nats_url: Annotated[
        str,
        Meta(
            pattern=r"^(nats|tls)://[^,\s]+(,(nats|tls)://[^,\s]+)*$",
            description="one or more nats:// or tls:// addresses with commas between",
        ),
    ] = "nats://127.0.0.1:4222"
    postgres_host: Annotated[
        str, Meta(min_length=1, description="the host of PostgreSQL, or the folder of its socket")
    ] = "127.0.0.1"
    postgres_port: Annotated[int, Meta(ge=1, le=65535, description="the port of PostgreSQL, 1 to 65535")] = 5432
    state_dir: Annotated[Path, Meta(description="the folder of what `busbar up` keeps")] = Path(".busbar")
    credentials_dir: Annotated[
        Path | None, Meta(description="the folder of NKey seeds and database logins; by default in the state folder")
    ] = None
    pool_min: Annotated[int, Meta(ge=0, description="the database connections that a role keeps open, 0 or more")] = 1
    pool_max: Annotated[
        int, Meta(ge=1, description="the most database connections that a role opens, at least 1 and BUSBAR_POOL_MIN")
    ] = 4
    requests_in_flight: Annotated[
        int, Meta(ge=1, description="the requests that a role works on at once before it refuses more, at least 1")
    ] = 64
    request_timeout_s: Annotated[
        float, Meta(gt=0, description="the seconds that an answer of another role may take, more than 0")
    ] = 5.0
    granted_clock: Annotated[
        bool, Meta(description="true where emergency-simulation grants the time, which it never does in production")
    ] = False
    granted_speed: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="at most so many times as fast as the real time is a granted one; unset: as fast as it can"),
    ] = None
    http_host: Annotated[str, Meta(min_length=1, description="the address of the health and metrics pages")] = (
        "127.0.0.1"
    )
    http_port: Annotated[
        int, Meta(ge=0, le=65535, description="the port of the health and metrics pages, 0 to 65535; 0 serves none")
    ] = 0
    otlp_endpoint: Annotated[
        Annotated[str, Meta(pattern=r"^https?://\S+$")] | None,
        Meta(description="the http:// or https:// address to which spans go by OTLP; tracing is off without one"),
    ] = None
    log_level: Annotated[LogLevel, Meta(description="DEBUG, INFO, WARNING or ERROR")] = LogLevel.INFO
    log_format: Annotated[LogFormat, Meta(description="json for machines or text for people")] = LogFormat.JSON

    def __post_init__(self) -> None:
        """Refuse what no single option shows.

        Raises:
            SettingError: for a granted clock in production, and for a pool whose most is less than its least.
        """
        if self.granted_clock and self.context is Context.PRODUCTION:
            raise SettingError("BUSBAR_GRANTED_CLOCK is set, but nobody grants the time in the context production")
        if self.pool_max < self.pool_min:
            raise SettingError(f"BUSBAR_POOL_MAX is {self.pool_max}, but BUSBAR_POOL_MIN is already {self.pool_min}")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **overrides: Any) -> Self:
        """The settings that ``environ`` describes; ``overrides`` by field name come before it.

        An override that is None counts as not given, as an option of a command line that nobody used, and so does
        a variable that is empty.

        Raises:
            SettingError: when a variable has a value that its option cannot have.
        """
        types = get_type_hints(cls, include_extras=True)
        values: dict[str, Any] = {}
        for name, variable, description in options():
            found = _given(environ, variable) if overrides.get(name) is None else (str(overrides[name]), variable)
            if found is None:
                continue
            text, origin = found
            try:
                values[name] = _converted(text, types[name])
            except msgspec.ValidationError:
                said = f"is '{text}'" if origin == variable else "holds something else"
                raise SettingError(f"{origin} {said}, but must be {description}") from None
        return cls(**values)

    @property
    def credentials(self) -> Path:
        """The folder that holds the seeds and logins of all contexts."""
        return self.credentials_dir or self.state_dir / "credentials"

    @property
    def postgres_database(self) -> str:
        """The one database of this root and context."""
        return f"{self.root}_{self.context}"

    def seed_file(self, role: str) -> Path:
        """The file with the NKey seed by which ``role`` is known to the broker."""
        return self.credentials / self.context / f"{role}.nk"

    def login_file(self, role: str) -> Path:
        """The file with the database login of ``role``: the name of the user and the password, a line each."""
        return self.credentials / self.context / f"{role}.pg"

    def login(self, role: str) -> Login:
        """How ``role`` comes to its schema.

        Raises:
            SettingError: when the file of its login is missing or not two lines.
        """
        path = self.login_file(role)
        match _content(path, "BUSBAR_CREDENTIALS").splitlines():
            case [user, password] if user and password:
                return Login(
                    host=self.postgres_host,
                    port=self.postgres_port,
                    database=self.postgres_database,
                    user=user,
                    password=password,
                )
        raise SettingError(f"BUSBAR_CREDENTIALS leads to '{path}', which is not two lines, a user and a password")


def options() -> Iterator[tuple[str, str, str]]:
    """Field, environment variable and description of every option, in the order of :class:`Settings`."""
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        description = next(mark.description for mark in kind.__metadata__ if isinstance(mark, Meta))
        yield name, f"BUSBAR_{name.removesuffix('_dir').upper()}", description or ""


def _given(environ: Mapping[str, str], variable: str) -> tuple[str, str] | None:
    """The text set for ``variable`` and the variable that really gave it, or None when neither form is set."""
    value, file = environ.get(variable), environ.get(f"{variable}_FILE")
    if not file:
        return (value, variable) if value else None
    if value:
        raise SettingError(f"{variable} and {variable}_FILE are both set, and only one of them can count")
    return _content(Path(file), f"{variable}_FILE").strip(), f"{variable}_FILE"


def _content(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(f"{variable} leads to '{path}', which cannot be read: {reason}") from None


def _converted(text: str, kind: Any) -> Any:
    """``text`` as a value of the annotated type ``kind``.

    Raises:
        msgspec.ValidationError: when it is none.
    """
    return msgspec.convert(text, kind, strict=False, dec_hook=lambda wanted, value: wanted(value))
