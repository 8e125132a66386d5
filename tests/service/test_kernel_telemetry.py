"""Telemetry: one story over every hop, told by parents within a trace and by links between traces."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from contracts.message import Message
from contracts.verbs import Verb
from shared.codec import CONTENT_XML
from shared.runtime import running
from shared.telemetry import Telemetry
from shared.tools.testing import Installation
from tests.service.toys.interfaces import CATALOGUE
from tests.service.toys.orders import orders
from tests.service.toys.services import make_depot, make_ledger, make_shop
from tests.service.toys.world import eventually, notes

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_request_handler_outbox_event_and_handler_are_one_story(toys: Installation) -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(SimpleSpanProcessor(exporter))
    services = (make_shop(), make_depot(), make_ledger())
    async with (
        running(*services, settings=toys.settings, catalogue=CATALOGUE, telemetry=telemetry),
        toys.peer("customer") as customer,
    ):
        message = Message(header=customer.header(Verb.CHANGE, "Orders"), payload=orders("story", note="ask"))
        body = customer.codec.encode(message, CONTENT_XML)
        subject = "busbar.testing.request.shop.Orders.change.customer"
        await customer.bus.request(subject, body, {"Content-Type": CONTENT_XML, "traceparent": ASKED})
        await eventually(lambda: notes(toys, "ledger", "story"))
        await eventually(lambda: notes(toys, "shop", "story"))
    spans = exporter.get_finished_spans()

    def those(role: str, kind: SpanKind, verb: str, where: str) -> list[ReadableSpan]:
        return [
            span
            for span in spans
            if span.resource.attributes["service.name"] == role
            and span.kind is kind
            and where in span.name
            and verb in {str(value) for value in (span.attributes or {}).values()}
        ]

    def of(role: str, kind: SpanKind, verb: str, where: str) -> ReadableSpan:
        [found] = those(role, kind, verb, where)
        return found

    asked = of("shop", SpanKind.SERVER, "change", "request.shop")
    assert asked.parent is not None
    assert f"{asked.parent.trace_id:032x}" == ASKED.split("-")[1]
    questions = those("depot", SpanKind.SERVER, "get", "request.depot")  # followers ask too, each in a trace of its own
    assert [each.context.trace_id for each in questions].count(asked.context.trace_id) == 1

    told = of("shop", SpanKind.PRODUCER, "changed", "event.general")
    heard = of("ledger", SpanKind.CONSUMER, "changed", "general")
    assert told.parent is not None
    assert told.parent.span_id == asked.context.span_id
    assert [link.context.span_id for link in heard.links] == [told.context.span_id]

    commanded = of("shop", SpanKind.PRODUCER, "create", "command.depot")
    done = of("depot", SpanKind.CONSUMER, "create", "command")
    answered = of("depot", SpanKind.PRODUCER, "reply", "reply.shop")
    taken = of("shop", SpanKind.CONSUMER, "reply", "reply")
    assert commanded.parent is not None
    assert commanded.parent.span_id == asked.context.span_id
    assert [link.context.span_id for link in done.links] == [commanded.context.span_id]
    assert answered.parent is not None
    assert answered.parent.span_id == done.context.span_id
    assert [link.context.span_id for link in taken.links] == [answered.context.span_id]
