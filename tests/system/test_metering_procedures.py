"""The metering procedures of the EPRI interoperability tests (metering guide 13, F1 to F5), message by message.

A stranger writes them from docs/binding.md and docs/metering.md: he is the customer system, the head-end and fault
management; meter reading and control runs as a user runs it. The error cases belong to them: what is missing,
incomplete, unknown, told twice.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from tests.system.bare_client import Bare, Heard, bare, now, partition, payload, request

BUSBAR = Path(sys.executable).with_name("busbar")
MRC = "meter-reading-and-control"
METERS = "http://iec.ch/TC57/2011/MeterConfig#"
LINKS = "http://iec.ch/TC57/2011/MasterDataLinkageConfig#"
READINGS = "http://iec.ch/TC57/2011/MeterReadings#"
GET_READINGS = "http://iec.ch/TC57/2011/GetMeterReadings#"
SCHEDULE = "http://iec.ch/TC57/2011/MeterReadSchedule#"
EVENTS = "http://iec.ch/TC57/2011/EndDeviceEvents#"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
LOST, BACK, COVER, REVERSED = "3.26.9.185", "3.26.9.216", "3.12.0.257", "3.33.1.219"
INSTALLED = "3.6.0.105"
DISCONNECT, DISCONNECTED, CONNECT_FAILED = "3.31.0.23", "3.31.0.68", "3.31.0.67"
SERVICES = "http://iec.ch/TC57/2011/MeterServiceRequests#"
GROUPS = "http://iec.ch/TC57/2011/UsagePointGroups#"
PATIENCE_S = 2
PRODUCTS = ("fault-management", "customer-management")

Join = Callable[[str], AbstractAsyncContextManager[Bare]]


@pytest.fixture(scope="module")
def join() -> Iterator[Join]:
    """A DMS in which two roles are left to a product, as the head-end always is; its patience is short."""
    home = Path(tempfile.mkdtemp(prefix="busbar-"))
    home.chmod(0o711)
    folder = home / ".busbar"
    words = ["up", *(word for role in PRODUCTS for word in ("--external", role))]
    short = {
        "BUSBAR_METER_READ_PATIENCE": str(PATIENCE_S),
        "BUSBAR_METER_TOP_UP": "1",
        "BUSBAR_METER_CUT_OFF": "4",
    }
    with (home / "log").open("w+") as log:
        environment = {**os.environ, "BUSBAR_STATE": str(folder), "BUSBAR_LOG_FORMAT": "text", **short}
        running = subprocess.Popen([BUSBAR, *words], env=environment, stdout=log, stderr=log)
        try:
            give_up = time.monotonic() + 60
            while "Ready in" not in (said := (home / "log").read_text()):
                assert running.poll() is None, said
                assert time.monotonic() < give_up, said
                time.sleep(0.05)
            note = json.loads((folder / "up.json").read_text())
            yield lambda role: bare(note["nats_url"], Path(note["credentials"], "production", f"{role}.nk"), role)
        finally:
            running.terminate()
            running.wait(20)
    shutil.rmtree(home)


class Procedure:
    """The other sides of one procedure, and the meters that it is about."""

    def __init__(self, cis: Bare, head_end: Bare, oms: Bare, cm: Bare, questions: Subscription) -> None:
        self.cis = cis
        self.head_end = head_end
        self.oms = oms
        self.cm = cm
        self._questions = questions
        self._answers: dict[str, Heard] = {}
        self._told: dict[str, deque[str]] = {}

    async def install(self, *names: str) -> None:
        """Make meters known, and put each at a usage point of its name."""
        since = "2026-01-01T00:00:00Z"
        for name in names:
            meter = f"<Meter><mRID>{name}-meter</mRID><serialNumber>{name}</serialNumber></Meter>"
            link = (
                f"<ConfigurationEvent><effectiveDateTime>{since}</effectiveDateTime></ConfigurationEvent>"
                f"<Meter><mRID>{name}-meter</mRID></Meter><UsagePoint><mRID>{name}</mRID></UsagePoint>"
            )
            for noun, namespace, content in (
                ("MeterConfig", METERS, meter),
                ("MasterDataLinkageConfig", LINKS, link),
            ):
                assert (await self.ask("create", noun, payload(noun, namespace, content))).code == "0.0"

    async def ask(self, verb: str, noun: str, rest: str) -> Heard:
        return await self.cis.ask(MRC, verb, noun, request("operator", verb, noun, rest))

    async def comes_to(self, noun: str, rest: str, fits: Callable[[Heard], bool]) -> Heard:
        """The first answer that fits to a question that is asked again and again."""
        async with asyncio.timeout(30):
            answer = await self.ask("get", noun, rest)
            while not fits(answer):
                await asyncio.sleep(0.1)
                answer = await self.ask("get", noun, rest)
        return answer

    async def read_now(self, *names: str) -> str:
        """Ask for the present without waiting; gives the MessageID under which the answer comes."""
        thread = str(uuid4())
        body = request("operator", "get", "MeterReadings", now_of(*names), AsyncReplyFlag="true", MessageID=thread)
        subject = f"busbar.production.request.{MRC}.MeterReadings.get.operator"
        await self.cis.client.publish(subject, body)
        return thread

    async def question(self) -> Heard:
        """What the head-end is asked."""
        return Heard(await self._questions.next_msg(timeout=30))

    async def show(self, question: Heard, *meters: tuple[str, int], result: str = "OK", errors: str = "") -> None:
        """The head-end answers with what meters show now."""
        rest = f"<Reply><Result>{result}</Result>{errors}</Reply>"
        if meters:
            rest += payload("MeterReadings", READINGS, "".join(shows(name, value) for name, value in meters))
        thread = question.text("Header/CorrelationID")
        await self.head_end.answer(question.text("Header/ReplyAddress"), "MeterReadings", thread, rest)

    async def command(self, verb: str, noun: str, rest: str) -> str:
        """Leave a command; gives the MessageID under which the answer comes."""
        thread = str(uuid4())
        await self.cis.command(MRC, verb, noun, request("operator", verb, noun, rest, MessageID=thread), thread)
        return thread

    async def control(self) -> Heard:
        """The next control that the head-end is given; what it was told of schedules before is taken as well."""
        while True:
            command = await self.head_end.take("command", "head-end")
            await command.msg.ack_sync()
            if command.text("Header/Noun") == "EndDeviceControls":
                return command

    async def answer(self, thread: str) -> Heard:
        """The answer to a question that did not wait; others that come before it are kept."""
        while thread not in self._answers:
            reply = await self.cis.take("reply", "operator")
            await reply.msg.ack_sync()
            self._answers[reply.text("Header/CorrelationID")] = reply
        return self._answers[thread]

    async def event(self, code: str, name: str, at: str, mrid: str = "") -> None:
        """A meter tells something by the head-end."""
        event = (
            f"<EndDeviceEvent><mRID>{mrid or uuid4()}</mRID><createdDateTime>{at}</createdDateTime>"
            f'<Assets><mRID>{name}-meter</mRID></Assets><EndDeviceEventType ref="{code}"/></EndDeviceEvent>'
        )
        await self.head_end.tell(
            "outage", "created", "EndDeviceEvents", payload("EndDeviceEvents", EVENTS, event), name
        )

    async def passed_on(self, name: str) -> str:
        """The code of the next event of a usage point that fault management hears, after that its meter was installed.

        One message may tell several events, of several usage points.
        """
        told = self._told.setdefault(name, deque())
        while not told:
            heard = await self.oms.take("outage", f"fault-management_keyed_{partition(name)}")
            await heard.msg.ack_sync()
            for event in heard.root.iterfind(".//{*}EndDeviceEvent"):
                (kind,), (where,) = event.iterfind("{*}EndDeviceEventType"), event.iterfind("{*}UsagePoint/{*}mRID")
                if kind.get("ref") != INSTALLED:
                    self._told.setdefault(where.text or "", deque()).append(kind.get("ref") or "")
        return told.popleft()


@pytest.fixture
async def here(join: Join) -> AsyncIterator[Procedure]:
    """Everybody at his place."""
    async with AsyncExitStack() as stack:
        cis, head_end, oms, cm = [await stack.enter_async_context(join(r)) for r in ("operator", "head-end", *PRODUCTS)]
        questions = await head_end.client.subscribe("busbar.production.request.head-end.>", queue="head-end")
        await head_end.client.flush()
        yield Procedure(cis, head_end, oms, cm, questions)


def now_of(*names: str) -> str:
    """The qualifiers of a question about the present."""
    points = "".join(f"<UsagePoint><mRID>{name}</mRID></UsagePoint>" for name in names)
    types = f"<ReadingType><mRID>{REGISTER}</mRID></ReadingType>"
    reading = "<Reading><reason>inquiry</reason></Reading>"
    return f'<Request><GetMeterReadings xmlns="{GET_READINGS}">{reading}{types}{points}</GetMeterReadings></Request>'


def shows(name: str, value: int, at: str | None = None) -> str:
    """What the register of a meter shows."""
    return (
        f"<MeterReading><Meter><mRID>{name}-meter</mRID></Meter><Readings><timeStamp>{at or now()}</timeStamp>"
        f'<value>{value}</value><ReadingType ref="{REGISTER}"/></Readings></MeterReading>'
    )


def failed(code: str, name: str) -> str:
    """The error of one meter."""
    return f"<Error><code>{code}</code><level>FATAL</level><reason>no word</reason><ID>{name}-meter</ID></Error>"


async def test_on_demand_reading(here: Procedure) -> None:
    """F2: in time, incomplete, unknown, by two who ask for the same; silence ends in 4.1, and a late answer is kept."""
    await here.install("od-1", "od-2")
    both = [await here.read_now("od-1", "od-2") for _ in range(2)]
    question = await here.question()
    assert question.text("Header/AsyncReplyFlag") == "true"
    assert sorted(question.texts("//EndDevice/mRID")) == ["od-1-meter", "od-2-meter"]
    await here.show(question, ("od-1", 17), result="PARTIAL", errors=failed("5.7", "od-2"))
    for thread in both:
        answer = await here.answer(thread)
        assert (answer.text("Reply/Result"), answer.texts("Reply/Error/code")) == ("PARTIAL", ["5.7"])
        assert (answer.texts("//Readings/value"), answer.texts("//Meter/mRID")) == (["17"], ["od-1-meter"])

    thread = await here.read_now("od-nowhere")
    assert (await here.answer(thread)).code == "2.4"

    thread = await here.read_now("od-2")
    late = await here.question()
    answer = await here.answer(thread)
    assert (answer.text("Reply/Result"), answer.code) == ("FAILED", "4.1")
    await here.show(late, ("od-2", 18))
    kept = "<Request><ID>od-2</ID></Request>"
    await here.comes_to("MeterReadings", kept, lambda found: found.texts("//Readings/value") == ["18"])


async def test_scheduled_reading(here: Procedure) -> None:
    """F1: one meter is missing, one is not known, the file comes twice; gaps are asked for until the cut-off."""
    await here.install("sr-1", "sr-2", "sr-3")
    at = (datetime.now(UTC) + timedelta(seconds=3)).isoformat(timespec="milliseconds")
    devices = "".join(f"<EndDevice><mRID>sr-{number}-meter</mRID></EndDevice>" for number in (1, 2, 3))
    times = f"<TimeSchedule><scheduleInterval><start>{at}</start></scheduleInterval></TimeSchedule>"
    types = f"<ReadingType><mRID>{REGISTER}</mRID></ReadingType>"
    content = payload("MeterReadSchedule", SCHEDULE, devices + types + times)
    named = "<Request><ID>sr</ID></Request>"
    stranger = content.replace("sr-3-meter", "sr-9-meter")
    assert (await here.ask("create", "MeterReadSchedule", named + stranger)).code == "2.4"
    assert (await here.ask("create", "MeterReadSchedule", named + content)).text("Reply/Result") == "OK"

    command = await here.head_end.take("command", "head-end")
    assert command.text("Header/Verb") == "create"
    assert command.texts("Request/ID") == ["sr"]
    assert command.texts("//EndDevice/mRID") == ["sr-1-meter", "sr-2-meter", "sr-3-meter"]
    assert [datetime.fromisoformat(each) for each in command.texts("//TimePoints/dateTime")] == [
        datetime.fromisoformat(at)
    ]
    ok = "<Reply><Result>OK</Result></Reply>"
    thread = command.text("Header/CorrelationID")
    await here.head_end.answer(command.text("Header/ReplyAddress"), "MeterReadSchedule", thread, ok)
    await command.msg.ack_sync()

    await asyncio.sleep(max(0.0, (datetime.fromisoformat(at) - datetime.now(UTC)).total_seconds()))
    file = payload("MeterReadings", READINGS, shows("sr-1", 1) + shows("sr-unknown", 9))
    for _ in range(2):
        await here.head_end.tell("readings", "created", "MeterReadings", file, "sr")
    question = await here.question()
    asked = set(question.texts("//EndDevice/mRID"))
    assert {"sr-2-meter", "sr-3-meter"} <= asked
    await here.show(question, ("sr-2", 2), result="PARTIAL", errors=failed("4.1", "sr-3"))

    shown = await here.comes_to("MeterReadSchedule", named, lambda found: "WARNING" in found.texts("Reply/Error/level"))
    assert shown.texts("Reply/Error/reason") == ["expired", "partial: 2 of 3; missing: sr-3-meter"]
    refused = await here.ask(
        "get",
        "MeterReadings",
        "<Request><Option><name>refused</name><value>true</value></Option><ID>sr-unknown-meter</ID></Request>",
    )
    assert [comment.split()[0] for comment in refused.texts("//ReadingQualities/comment")] == ["2.4"]
    found = await here.ask("get", "MeterReadings", "<Request><ID>sr-1</ID></Request>")
    assert found.texts("//Readings/value") == ["1"]


async def test_tamper(here: Procedure) -> None:
    """F4: event, reading, case; the meter that is told of twice makes one case."""
    await here.install("ta")
    at = now()
    for _ in range(2):
        await here.event(COVER, "ta", at, "cover")
    assert await here.passed_on("ta") == COVER
    await here.show(await here.question(), ("ta", 5))
    await here.event(BACK, "ta", at)
    await here.event(REVERSED, "ta", now())
    await here.show(await here.question(), ("ta", 6))
    command = await here.cm.take("command", "customer-management")
    await command.msg.ack_sync()
    assert (command.text("Header/Verb"), command.text("Header/Noun")) == ("create", "ServiceRequests")
    assert command.text("//UsagePoint/mRID") == "ta"
    assert command.text("//ServiceRequest/kind") == "inspection"
    assert "shows 6" in command.text("//ServiceRequest/description")


async def test_outage(here: Procedure) -> None:
    """F5: power lost and back reach fault management, once and located; of a stranger they are kept with the reason."""
    await here.install("ou")
    at = now()
    for _ in range(2):
        await here.event(LOST, "ou", at)
    await here.event(LOST, "ou-stranger", at)
    await here.event(BACK, "ou", now())
    assert [await here.passed_on("ou") for _ in range(2)] == [LOST, BACK]
    option = "<Request><Option><name>dropped</name><value>true</value></Option></Request>"
    dropped = await here.comes_to("EndDeviceEvents", option, lambda found: bool(found.texts("//Assets/mRID")))
    assert dropped.texts("//Assets/mRID") == ["ou-stranger-meter"]
    assert dropped.texts("//status/reason") == ["unlocated"]
    asked = await here.ask("get", "EndDeviceEvents", "<Request><ID>ou</ID></Request>")
    codes = [each.get("ref") for each in asked.root.iterfind(".//{*}EndDeviceEventType")]
    assert codes == [INSTALLED, LOST, BACK]


@asynccontextmanager
async def answering(cm: Bare, groups: str) -> AsyncIterator[None]:
    """Customer management says who depends on the supply, whenever it is asked."""

    async def say(msg: Msg) -> None:
        question = Heard(msg)
        rest = f"<Reply><Result>OK</Result></Reply>{groups}"
        await cm.answer(msg.reply, "UsagePointGroups", question.text("Header/MessageID"), rest)

    subject = "busbar.production.request.customer-management.UsagePointGroups.get.>"
    subscription = await cm.client.subscribe(subject, queue="customer-management", cb=say)
    await cm.client.flush()
    yield
    await subscription.unsubscribe()


def service(name: str, kind_of_work: str) -> str:
    """A request to disconnect or to reconnect."""
    content = (
        f"<MeterServiceWork><kind>{kind_of_work}</kind><Meter><mRID>{name}-meter</mRID></Meter></MeterServiceWork>"
    )
    return payload("MeterServiceRequests", SERVICES, content)


async def test_disconnect_and_reconnect(here: Procedure) -> None:
    """F3: request, guard, control, event, reading; refused where a life depends on it, and for other work."""
    await here.install("dr-1", "dr-2")
    critical = payload(
        "UsagePointGroups",
        GROUPS,
        "<UsagePointGroup><mRID>critical</mRID><type>lifeSupport</type><UsagePoints><mRID>dr-2</mRID></UsagePoints>"
        "</UsagePointGroup>",
    )
    async with answering(here.cm, critical):
        thread = await here.command("create", "MeterServiceRequests", service("dr-1", "disconnect"))
        control = await here.control()
        assert control.texts("//EndDevices/mRID") == ["dr-1-meter"]
        assert [each.get("ref") for each in control.root.iterfind(".//{*}EndDeviceControlType")] == [DISCONNECT]
        ok = "<Reply><Result>OK</Result></Reply>"
        for _ in range(2):
            correlation = control.text("Header/CorrelationID")
            await here.head_end.answer(control.text("Header/ReplyAddress"), "EndDeviceControls", correlation, ok)
        assert await here.passed_on("dr-1") == DISCONNECTED
        reply = await here.answer(thread)
        assert (reply.text("Reply/Result"), reply.text("//status/value")) == ("OK", "completed")
        question = await here.question()
        assert question.texts("//EndDevice/mRID") == ["dr-1-meter"]
        await here.show(question, ("dr-1", 42))
        read = "<Request><ID>dr-1</ID></Request>"
        await here.comes_to("MeterReadings", read, lambda found: found.texts("//Readings/value") == ["42"])

        thread = await here.command("create", "MeterServiceRequests", service("dr-2", "disconnect"))
        assert (await here.answer(thread)).code == "6.1"
        thread = await here.command("create", "MeterServiceRequests", service("dr-1", "inspection"))
        assert (await here.answer(thread)).code == "2.9"

        thread = await here.command("create", "MeterServiceRequests", service("dr-1", "reconnect"))
        control = await here.control()
        error = "<Error><code>5.3</code><level>FATAL</level><reason>stuck</reason></Error>"
        stuck = f"<Reply><Result>FAILED</Result>{error}</Reply>"
        correlation = control.text("Header/CorrelationID")
        await here.head_end.answer(control.text("Header/ReplyAddress"), "EndDeviceControls", correlation, stuck)
        assert await here.passed_on("dr-1") == CONNECT_FAILED
        reply = await here.answer(thread)
        assert (reply.code, reply.text("//status/value")) == ("5.3", "failed")
