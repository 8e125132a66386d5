"""A product as a stranger writes it from docs/binding.md: nats-py, lxml, and messages put together by hand.

Nothing of this project is imported here or in ``test_binding``. What such a client is given is an address, a file with
the seed of its role, and the document.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import nats
from lxml import etree
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

MESSAGE = "http://iec.ch/TC57/2011/schema/message"
EVENTS = "http://iec.ch/TC57/2011/EndDeviceEvents#"
MEASUREMENTS = "http://iec.ch/TC57/2021/Measurements#"
ORDERS = "http://iec.ch/TC57/2015/MaintenanceOrders#"
TICKETS = "http://iec.ch/TC57/2015/TroubleTickets#"
WORK = "http://iec.ch/TC57/2015/WorkRequests#"


def now() -> str:
    """This instant as xs:dateTime."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(root: str, header: dict[str, str], rest: str = "") -> bytes:
    """A message of IEC 61968-100: ``header`` in the order of its elements, ``rest`` as XML."""
    elements = "".join(f"<{name}>{text}</{name}>" for name, text in header.items())
    return f'<{root} xmlns="{MESSAGE}"><Header>{elements}</Header>{rest}</{root}>'.encode()


def request(source: str, verb: str, noun: str, rest: str = "", **changes: str | None) -> bytes:
    """A RequestMessage; ``changes`` replace or, with None, leave out elements of its header."""
    header = {
        "Verb": verb,
        "Noun": noun,
        "ReplayDetection": None,
        "Context": "PRODUCTION",
        "Timestamp": now(),
        "Source": source,
        "AsyncReplyFlag": None,
        "ReplyAddress": None,
        "AckRequired": None,
        "MessageID": str(uuid4()),
        "CorrelationID": None,
    } | changes
    return message("RequestMessage", {name: text for name, text in header.items() if text is not None}, rest)


def payload(noun: str, namespace: str, objects: str) -> str:
    """A Payload with one container."""
    return f'<Payload><{noun} xmlns="{namespace}">{objects}</{noun}></Payload>'


def partition(key: str) -> int:
    """The partition of an event about the object ``key``, in a lane that has four."""
    return zlib.crc32(key.encode()) % 4


def ticket(place: str) -> str:
    """A customer reports at the usage point ``place`` that the power is out."""
    ticket = (
        f"<TroubleTicket><mRID>{uuid4()}</mRID><dateTimeOfReport>{now()}</dateTimeOfReport>"
        f"<troubleCode>powerOut</troubleCode><UsagePoint><mRID>{place}</mRID></UsagePoint></TroubleTicket>"
    )
    return payload("TroubleTickets", TICKETS, ticket)


def gasp(place: str, mrid: str) -> str:
    """A meter tells that it loses its power."""
    event = (
        f"<EndDeviceEvent><mRID>{mrid}</mRID><createdDateTime>{now()}</createdDateTime>"
        f'<Assets><mRID>{place}-meter</mRID></Assets><EndDeviceEventType ref="3.26.9.185"/>'
        f"<UsagePoint><mRID>{place}</mRID></UsagePoint></EndDeviceEvent>"
    )
    return payload("EndDeviceEvents", EVENTS, event)


def opened(device: str) -> str:
    """Telemetry tells that a switch has opened by its protection, and will not close again by itself."""
    at = now()
    values = (("SwitchPosition", 1), ("ProtectionTrip", 1), ("Lockout", 1))
    discretes = (
        f"<Discrete><measurementType>{kind}</measurementType>"
        f"<DiscreteValues><timeStamp>{at}</timeStamp><value>{value}</value></DiscreteValues>"
        f"<PowerSystemResource><mRID>{device}</mRID></PowerSystemResource></Discrete>"
        for kind, value in values
    )
    return payload("Measurements", MEASUREMENTS, "".join(discretes))


def order(status: str, outage: str) -> str:
    """How an order of ours for an outage stands."""
    names = f"<Names><name>{outage}</name><NameType><name>UnplannedOutage</name></NameType></Names>"
    work = f"<Work><mRID>work-7</mRID><kind>repair</kind><statusKind>{status}</statusKind>{names}</Work>"
    return payload("MaintenanceOrders", ORDERS, f"<MaintenanceOrder><mRID>order-7</mRID>{work}</MaintenanceOrder>")


class Heard:
    """A message that came, with a look into it by names, whatever their namespaces."""

    def __init__(self, msg: Msg) -> None:
        self.msg = msg
        self.headers = msg.headers or {}
        self.root = etree.fromstring(msg.data)

    def texts(self, path: str) -> list[str]:
        """The texts of all elements at a path such as ``Reply/Error/code``; ``//`` begins one that is anywhere."""
        start = ".//" if path.startswith("//") else "./"
        steps = "/".join(f"{{*}}{name}" for name in path.removeprefix("//").split("/"))
        return [element.text or "" for element in self.root.iterfind(start + steps)]

    def text(self, path: str) -> str:
        """The text of the first of them; empty when there is none."""
        return next(iter(self.texts(path)), "")

    @property
    def code(self) -> str:
        """The reply code, 0.0 where there is none."""
        return self.text("Reply/Error/code") or "0.0"


class Bare:
    """One role in one context, on a connection of its own.

    Attributes:
        refusals: what the broker did not let this role do, in small letters.
    """

    def __init__(self, client: Client, refusals: asyncio.Queue[str], role: str) -> None:
        self.client = client
        self.refusals = refusals
        self.role = role
        self.stream: JetStreamContext = client.jetstream()

    async def ask(self, role: str, verb: str, noun: str, body: bytes, **headers: str) -> Heard:
        """Ask ``role`` and wait for one reply."""
        subject = f"busbar.production.request.{role}.{noun}.{verb}.{self.role}"
        return Heard(await self.client.request(subject, body, headers=headers or None, timeout=30))

    async def ask_in_parts(self, role: str, verb: str, noun: str, body: bytes) -> list[Heard]:
        """Ask ``role`` and wait for its replies, up to the one after which no other comes."""
        inbox = self.client.new_inbox()
        subscription = await self.client.subscribe(inbox)
        await self.client.publish(f"busbar.production.request.{role}.{noun}.{verb}.{self.role}", body, reply=inbox)
        parts = [Heard(await subscription.next_msg(timeout=30))]
        while parts[-1].code == "0.1":
            parts.append(Heard(await subscription.next_msg(timeout=30)))
        await subscription.unsubscribe()
        return parts

    async def command(self, role: str, verb: str, noun: str, body: bytes, message_id: str) -> None:
        """Leave a durable command for ``role``."""
        subject = f"busbar.production.command.{role}.{noun}.{verb}.{self.role}"
        await self.stream.publish(subject, body, headers={"Nats-Msg-Id": message_id})

    async def tell(self, lane: str, verb: str, noun: str, content: str, key: str) -> None:
        """Tell an event about the object ``key``."""
        message_id = str(uuid4())
        header = {
            "Verb": verb,
            "Noun": noun,
            "Context": "PRODUCTION",
            "Timestamp": now(),
            "Source": self.role,
            "MessageID": message_id,
        }
        subject = f"busbar.production.event.{lane}.{self.role}.{noun}.{verb}.{partition(key)}"
        body = message("EventMessage", header, content)
        await self.stream.publish(subject, body, headers={"Nats-Msg-Id": message_id})

    async def answer(self, address: str, noun: str, thread: str, rest: str) -> None:
        """Send a reply: into a stream where the address is that of a command, else into an inbox."""
        message_id = str(uuid4())
        header = {
            "Verb": "reply",
            "Noun": noun,
            "Context": "PRODUCTION",
            "Timestamp": now(),
            "Source": self.role,
            "MessageID": message_id,
            "CorrelationID": thread,
        }
        body = message("ResponseMessage", header, rest)
        if address.startswith("_INBOX."):
            await self.client.publish(address, body)
        else:
            await self.stream.publish(address, body, headers={"Nats-Msg-Id": message_id})

    async def take(self, kind: str, durable: str, *, timeout_s: float = 30.0) -> Heard:
        """The next delivery of a durable of this role, to be acknowledged by the caller."""
        subscription = await self.stream.pull_subscribe_bind(durable, f"busbar_production_{kind}")
        try:
            [msg] = await subscription.fetch(1, timeout=timeout_s)
        finally:
            await subscription.unsubscribe()
        return Heard(msg)


@asynccontextmanager
async def bare(address: str, seed: Path, role: str) -> AsyncIterator[Bare]:
    """Connect as ``role`` of the context production."""
    refusals: asyncio.Queue[str] = asyncio.Queue()

    async def note(error: Exception) -> None:
        await refusals.put(str(error).lower())

    client = await nats.connect(
        address, nkeys_seed=str(seed), inbox_prefix=f"_INBOX.production-{role}", error_cb=note, allow_reconnect=False
    )
    try:
        yield Bare(client, refusals, role)
    finally:
        await client.close()
