"""What a process tells of itself, and what it must not tell."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from shared.config import LogFormat, LogLevel
from shared.http import prometheus_text
from shared.telemetry import Hop, Metrics, Telemetry, bound, configure_logging

FOREIGN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOP = Hop(
    destination="busbar_training_outage",
    subject="busbar.training.event.outage.head-end.EndDeviceEvents.created.*",
    verb="created",
    noun="EndDeviceEvents",
    message_id="m-1",
    correlation_id="c-1",
    size=120,
    group="meter-reading-and-control_keyed_0",
)
LOG = logging.getLogger("busbar.test")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging(LogLevel.INFO, LogFormat.JSON, stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(exporter: InMemorySpanExporter) -> Telemetry:
    return Telemetry(SimpleSpanProcessor(exporter))


def test_a_log_line_is_one_json_object_with_what_is_bound_to_the_task(written: io.StringIO) -> None:
    with Telemetry().process("fault-management", HOP, {"traceparent": FOREIGN}), bound(step="decide", nothing=None):
        LOG.info("two\nlines", extra={"outages": 3})
    LOG.info("later")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["message"] == "two\nlines"
    assert (first["role"], first["message_id"], first["correlation_id"]) == ("fault-management", "m-1", "c-1")
    assert (first["trace_id"], first["span_id"]) == tuple(FOREIGN.split("-")[1:3])
    assert (first["step"], first["outages"], first["level"]) == ("decide", 3, "INFO")
    assert first["time"].endswith("Z")
    assert "nothing" not in first
    assert "message_id" not in second


def test_a_log_line_shows_no_password_and_no_seed(written: io.StringIO) -> None:
    seed = "SU" + "A" * 56
    LOG.error("postgresql://fm:hunter2@db/busbar refused, nats://u:hunter2@nats refused, password=hunter2, %s", seed)
    LOG.error("no broker", exc_info=OSError("tls://u:hunter2@nats"))
    assert "hunter2" not in written.getvalue()
    assert seed not in written.getvalue()
    assert "nats://***@nats" in written.getvalue()
    assert [json.loads(line)["level"] for line in written.getvalue().splitlines()] == ["ERROR", "ERROR"]


def test_the_text_form_is_for_people_and_stays_one_line_for_each_record(written: io.StringIO) -> None:
    configure_logging(LogLevel.WARNING, LogFormat.TEXT, written)
    with bound(role="scada", message_id="m-9"):
        LOG.warning("a call said:\nERROR all is lost")
        LOG.info("quiet")
    (line,) = written.getvalue().splitlines()
    assert "WARNING scada" in line
    assert line.endswith("message_id=m-9")


def test_a_foreign_trace_travels_on_when_tracing_is_off() -> None:
    telemetry, onward = Telemetry(), dict[str, str]()
    with telemetry.process("fault-management", HOP, {"traceparent": FOREIGN, "tracestate": "vendor=1"}):
        telemetry.inject(onward)
    assert onward == {"traceparent": FOREIGN, "tracestate": "vendor=1"}
    relayed = dict(onward)
    with telemetry.send("fault-management", HOP, relayed):
        assert relayed == onward
    nothing = dict[str, str]()
    with telemetry.send("fault-management", HOP, nothing):
        assert nothing == {}


def test_an_event_is_processed_in_a_trace_of_its_own_that_is_linked_to_the_producer(
    traced: Telemetry, exporter: InMemorySpanExporter
) -> None:
    headers: dict[str, str] = {}
    with traced.send("head-end", HOP, headers):
        pass
    with traced.process("meter-reading-and-control", HOP, headers):
        pass
    sent, processed = exporter.get_finished_spans()
    assert sent.context is not None
    assert processed.context is not None
    assert (sent.name, sent.kind) == ("send busbar_training_outage", SpanKind.PRODUCER)
    assert (processed.name, processed.kind) == ("process busbar_training_outage", SpanKind.CONSUMER)
    assert processed.parent is None
    assert processed.context.trace_id != sent.context.trace_id
    assert [link.context.span_id for link in processed.links] == [sent.context.span_id]
    assert processed.resource.attributes["service.name"] == "meter-reading-and-control"
    assert dict(processed.attributes or {}) == {
        "messaging.system": "nats",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "busbar_training_outage",
        "messaging.destination.template": "busbar.training.event.outage.head-end.EndDeviceEvents.created.*",
        "messaging.message.id": "m-1",
        "messaging.message.conversation_id": "c-1",
        "messaging.message.body.size": 120,
        "messaging.consumer.group.name": "meter-reading-and-control_keyed_0",
        "busbar.verb": "created",
        "busbar.noun": "EndDeviceEvents",
    }


def test_a_row_of_the_outbox_is_sent_in_the_trace_in_which_it_was_written(
    traced: Telemetry, exporter: InMemorySpanExporter
) -> None:
    row: dict[str, str] = {}
    with traced.process("fault-management", HOP, {"traceparent": FOREIGN}, child=True):
        traced.inject(row)
    with traced.send("fault-management", HOP, row):
        pass
    worked, sent = exporter.get_finished_spans()
    assert worked.kind is SpanKind.SERVER
    assert worked.context is not None
    assert sent.context is not None
    assert sent.parent is not None
    assert sent.parent.span_id == worked.context.span_id
    assert row["traceparent"] == f"00-0af7651916cd43dd8448eb211c80319c-{sent.context.span_id:016x}-01"


def test_a_metric_is_one_object_for_each_set_of_labels() -> None:
    metrics = Metrics()
    metrics.counter("busbar_messages_total", "Messages", role="scada", noun="Controls").add(2)
    metrics.counter("busbar_messages_total", "Messages", noun="Controls", role="scada").add()
    metrics.counter("busbar_messages_total", "Messages", noun='a"b', role="scada").add()
    histogram = metrics.histogram("busbar_handler_seconds", "Handlers", (0.1, 1.0))
    for value in (0.1, 0.2, 5.0):
        histogram.observe(value)
    metrics.gauge("busbar_outbox_pending", "Unsent rows", lambda: 7, role="scada")
    assert "".join(prometheus_text(metrics)).splitlines() == [
        "# HELP busbar_messages_total Messages",
        "# TYPE busbar_messages_total counter",
        'busbar_messages_total{noun="Controls",role="scada"} 3',
        'busbar_messages_total{noun="a\\"b",role="scada"} 1',
        "# HELP busbar_handler_seconds Handlers",
        "# TYPE busbar_handler_seconds histogram",
        'busbar_handler_seconds_bucket{le="0.1"} 1',
        'busbar_handler_seconds_bucket{le="1.0"} 2',
        'busbar_handler_seconds_bucket{le="+Inf"} 3',
        "busbar_handler_seconds_sum 5.3",
        "busbar_handler_seconds_count 3",
        "# HELP busbar_outbox_pending Unsent rows",
        "# TYPE busbar_outbox_pending gauge",
        'busbar_outbox_pending{role="scada"} 7',
    ]
    with pytest.raises(ValueError, match="is a counter and no gauge"):
        metrics.gauge("busbar_messages_total", "Messages", lambda: 0)
    with pytest.raises(ValueError, match="does not begin with"):
        metrics.counter("messages_total", "Messages")
