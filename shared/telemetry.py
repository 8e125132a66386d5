"""What a running process tells of itself: log lines, spans and numbers.

Logs are one JSON object a line, or text for people, with whatever :func:`bound` has tied to the task. Spans follow the
messaging conventions of OpenTelemetry, which are still in development: their names stand in this module and nowhere
else. Without a processor no span is made, but the W3C trace context that somebody else began travels on. Numbers are
plain Python objects: counting is an addition, and :mod:`shared.http` writes them down when asked.
"""

import bisect
import itertools
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Self, TextIO

import msgspec
from msgspec import Struct
from opentelemetry import context as trace_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.config import LogFormat, LogLevel, SettingError, Settings

_bound: ContextVar[Mapping[str, str]] = ContextVar("bound", default=MappingProxyType({}))
_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET = re.compile(r"(?<=://)[^/@\s\"]+(?=@)|\bS[UAOCNX][A-Z2-7]{56}\b|(?<=password=)[^\s\"',&]+")


@contextmanager
def bound(**fields: str | None) -> Iterator[None]:
    """Tie ``fields`` to every log line of this task and the tasks it starts; None ties nothing."""
    token = _bound.set({**_bound.get(), **{name: value for name, value in fields.items() if value is not None}})
    try:
        yield
    finally:
        _bound.reset(token)


class LineFormatter(logging.Formatter):
    """One record as one line.

    Passwords in addresses and NKey seeds are masked wherever they come from: messages quote what servers say.
    """

    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self.form = form

    def format(self, record: logging.LogRecord) -> str:
        """The line of ``record``; a traceback follows the line where people read."""
        fields = {**_bound.get(), **_trace_fields()}
        fields |= {name: value for name, value in vars(record).items() if name not in _RECORD}
        traceback = self.formatException(record.exc_info) if record.exc_info else None
        written = self._json if self.form is LogFormat.JSON else self._text
        return _SECRET.sub("***", written(record, fields, traceback))

    @staticmethod
    def _json(record: logging.LogRecord, fields: Mapping[str, Any], traceback: str | None) -> str:
        line = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **fields,
        }
        if traceback:
            line["exception"] = traceback
        return msgspec.json.encode(line, enc_hook=str).decode()

    @staticmethod
    def _text(record: logging.LogRecord, fields: Mapping[str, Any], traceback: str | None) -> str:
        rest = " ".join(f"{name}={value}" for name, value in fields.items() if name != "role")
        time = _time(record).strftime("%H:%M:%S.%f")[:-3]
        line = f"{time} {record.levelname:7} {fields.get('role', record.name):27} {record.getMessage()}  {rest}"
        line = line.rstrip().replace("\n", "\\n")
        return f"{line}\n{traceback}" if traceback else line


class _LineHandler(logging.StreamHandler[TextIO]):
    """The handler of this process, told apart from those of test tools."""


def configure_logging(level: LogLevel, form: LogFormat, stream: TextIO | None = None) -> None:
    """Write the records of this process to ``stream``, by default standard error; a second call replaces the first."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LineHandler)]:
        root.removeHandler(handler)
    handler = _LineHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(form))
    root.addHandler(handler)
    root.setLevel(level)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _trace_fields() -> dict[str, str]:
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(span.trace_id), "span_id": trace.format_span_id(span.span_id)}


class Hop(Struct, frozen=True, kw_only=True):
    """One message on its way over one subject, as a span describes it.

    Attributes:
        destination: the stream, or for core NATS the subject without the parts that vary.
        subject: the subject pattern, with little variety: partition and asker, never an mRID.
        size: bytes of the body.
        group: the durable consumer or the queue group, for what is received.
    """

    destination: str
    subject: str
    verb: str
    noun: str
    message_id: str | None = None
    correlation_id: str | None = None
    size: int = 0
    group: str | None = None

    def attributes(self, operation: str) -> dict[str, str | int]:
        """The attributes of the messaging conventions for ``send`` or ``process``, and our two."""
        known: dict[str, str | int | None] = {
            "messaging.system": "nats",
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.destination.name": self.destination,
            "messaging.destination.template": self.subject,
            "messaging.message.id": self.message_id,
            "messaging.message.conversation_id": self.correlation_id,
            "messaging.message.body.size": self.size,
            "messaging.consumer.group.name": self.group,
            "busbar.verb": self.verb,
            "busbar.noun": self.noun,
        }
        return {name: value for name, value in known.items() if value is not None}


class Telemetry:
    """The spans of one process, with a resource for each role that runs in it.

    Args:
        processor: where finished spans go; None makes none.
        resource: attributes of every span, such as the namespace and the environment.
    """

    def __init__(self, processor: SpanProcessor | None = None, resource: Mapping[str, str] | None = None) -> None:
        self._processor = processor
        self._resource = dict(resource or {})
        self._providers: dict[str, TracerProvider] = {}
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Spans by OTLP to the endpoint of the settings, or none without one.

        Raises:
            SettingError: when the exporter is not installed.
        """
        if settings.otlp_endpoint is None:
            return cls()
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  an optional extra
                OTLPSpanExporter,
            )
        except ModuleNotFoundError:
            raise SettingError("BUSBAR_OTLP_ENDPOINT is set, but the extra 'otlp' is not installed") from None
        endpoint = f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
        resource = {
            "service.namespace": settings.root,
            "deployment.environment.name": str(settings.context),
            "server.address": settings.nats_url,
        }
        return cls(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)), resource)

    def inject(self, headers: MutableMapping[str, str]) -> None:
        """Write the present trace context, our own or a foreign one, into the ``headers`` of a message."""
        self._propagator.inject(headers)

    @contextmanager
    def send(self, role: str, hop: Hop, headers: MutableMapping[str, str]) -> Iterator[None]:
        """A producer span around the publishing of a message.

        Its parent is the context that ``headers`` hold, as an outbox row does, or else the present one; the headers
        then carry the new span.
        """
        if self._processor is None:
            if "traceparent" not in headers:
                self.inject(headers)
            yield
            return
        parent = self._propagator.extract(headers) if "traceparent" in headers else None
        with self._tracer(role).start_as_current_span(
            f"send {hop.destination}", context=parent, kind=SpanKind.PRODUCER, attributes=hop.attributes("send")
        ):
            self.inject(headers)
            yield

    @contextmanager
    def process(self, role: str, hop: Hop, headers: Mapping[str, str] | None, *, child: bool = False) -> Iterator[None]:
        """The work on a received message: its ids in the log, and a consumer span.

        The span begins a trace of its own that is linked to the producer's; as ``child`` it belongs to the asker's
        trace, as the work on a request does.
        """
        parent = self._propagator.extract(headers) if headers and "traceparent" in headers else None
        with bound(role=role, message_id=hop.message_id, correlation_id=hop.correlation_id):
            if self._processor is None:
                with _attached(parent):
                    yield
                return
            origin = None if parent is None else trace.get_current_span(parent).get_span_context()
            with self._tracer(role).start_as_current_span(
                f"process {hop.destination}",
                context=parent if child and parent is not None else trace_context.Context(),
                kind=SpanKind.SERVER if child else SpanKind.CONSUMER,
                attributes=hop.attributes("process"),
                links=() if child or origin is None else (Link(origin),),
            ):
                yield

    def close(self) -> None:
        """Send what is left of the spans; blocks while it does."""
        if self._processor is not None:
            self._processor.shutdown()

    def _tracer(self, role: str) -> trace.Tracer:
        provider = self._providers.get(role)
        if provider is None:
            provider = TracerProvider(
                resource=Resource({**self._resource, "service.name": role}), shutdown_on_exit=False
            )
            if self._processor is not None:
                provider.add_span_processor(self._processor)
            self._providers[role] = provider
        return provider.get_tracer("busbar")


@contextmanager
def _attached(context: trace_context.Context | None) -> Iterator[None]:
    """Make a foreign trace context the present one, so that :meth:`Telemetry.inject` passes it on."""
    if context is None:
        yield
        return
    token = trace_context.attach(context)
    try:
        yield
    finally:
        trace_context.detach(token)


class Counter:
    """A number that grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self, amount: int = 1) -> None:
        """Count ``amount`` more."""
        self.value += amount


class Histogram:
    """How often a value fell below each bound, how often at all, and the sum of the values."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Take ``value`` in; one equal to a bound counts as below it."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> list[int]:
        """How many values were at or below each bound, and last how many there were."""
        return list(itertools.accumulate(self.counts))


Labels = tuple[tuple[str, str], ...]
Number = Counter | Histogram | Callable[[], float]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The bounds of durations in the messaging conventions."""


class Family(Struct, frozen=True, kw_only=True):
    """All numbers of one name, by their labels."""

    name: str
    description: str
    kind: str
    numbers: dict[Labels, Number]


class Metrics:
    """The numbers of one process, made on first use; keep what a method returns where speed matters."""

    def __init__(self) -> None:
        self.families: dict[str, Family] = {}

    def counter(self, name: str, description: str, **labels: str) -> Counter:
        """The counter ``name`` (``busbar_..._total``) with these labels."""
        counter = self._numbers(name, description, "counter").setdefault(tuple(sorted(labels.items())), Counter())
        assert isinstance(counter, Counter)  # noqa: S101 - a family has one kind
        return counter

    def histogram(self, name: str, description: str, bounds: tuple[float, ...] = SECONDS, **labels: str) -> Histogram:
        """The histogram ``name`` with these labels; ``bounds`` count when it is made."""
        numbers = self._numbers(name, description, "histogram")
        histogram = numbers.setdefault(tuple(sorted(labels.items())), Histogram(bounds))
        assert isinstance(histogram, Histogram)  # noqa: S101 - a family has one kind
        return histogram

    def gauge(self, name: str, description: str, read: Callable[[], float], **labels: str) -> None:
        """A number that goes up and down, read when somebody asks; a second one replaces the first."""
        self._numbers(name, description, "gauge")[tuple(sorted(labels.items()))] = read

    def _numbers(self, name: str, description: str, kind: str) -> dict[Labels, Number]:
        family = self.families.get(name)
        if family is None:
            if not name.startswith("busbar_"):
                raise ValueError(f"the metric '{name}' does not begin with 'busbar_'")
            family = self.families[name] = Family(name=name, description=description, kind=kind, numbers={})
        if family.kind != kind:
            raise ValueError(f"the metric '{name}' is a {family.kind} and no {kind}")
        return family.numbers
