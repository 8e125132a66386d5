"""The questions of a load: controls, pings and queries, as a person at the command line puts them.

The controls reconnect: so many disconnections in an hour need a second person, and are refused rightly.
"""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_controls import CONNECT, PING
from contracts.errors import BusbarError
from contracts.message import Header, Id, Message, Request
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from loadtest.scenario import Load, Scenario, What
from loadtest.telling import Told
from shared.codec import CONTENT_MSGPACK, Codec
from shared.fleet.chance import Purpose, bits, keys
from shared.fleet.metering import texts

ASKER = "operator"


class Asking:
    """The questions of a load.

    Args:
        scenario: the fleet.
        load: which of its loads; one that asks.
        run: the run.
        root: the utility.
        context: the context.
    """

    def __init__(self, scenario: Scenario, load: Load, run: str, root: str, context: str) -> None:
        self._scenario = scenario
        self._load = load
        self._run = run
        self._fleet = scenario.fleet()
        self._codec = Codec(CATALOGUE)
        self._context = context.upper()
        self._began = datetime.now(UTC).replace(microsecond=0)
        verb, noun = (Verb.GET, "MeterReadings") if load.what is What.QUERIES else (Verb.CREATE, "EndDeviceControls")
        self._verb, self._noun = verb, noun
        self._subject = f"{root}.{context}.request.{scenario.role}.{noun}.{verb}.{ASKER}".encode()

    @property
    def count(self) -> int:
        """How many questions are due in the time of the load."""
        return max(1, round(self._load.per_s * self._scenario.lasts_s(self._load)))

    def message_id(self, index: int) -> str:
        """The MessageID of this number."""
        return str(uuid5(NAMESPACE_OID, f"{self._run} {self._load.name} {index}"))

    def told(self, index: int) -> Told:
        """The question of this number, about a meter that chance chooses."""
        key = keys(self._scenario.seed, Purpose.DRAIN, np.array([index]))
        meter = (bits(key, 0) % np.uint64(self._load.meters or self._scenario.meters)).astype(np.int64)
        device, point = texts(self._fleet.meter_ids(meter) + self._fleet.point_ids(meter))
        message = self._query(point) if self._load.what is What.QUERIES else self._control(index, device, point)
        headers = f"NATS/1.0\r\nContent-Type: {CONTENT_MSGPACK}\r\n\r\n"
        return Told(self._subject, headers.encode(), self._codec.encode(message, CONTENT_MSGPACK))

    def _query(self, point: str) -> Message[None]:
        start = datetime.fromtimestamp(int(self._fleet.starts(self._scenario.day)[0]), UTC)
        request = Request(start_time=start, end_time=start + timedelta(days=1), id=(Id(value=point),))
        return Message(header=self._header(None), request=request, payload=None)

    def _control(self, index: int, device: str, point: str) -> Message[EndDeviceControls]:
        code = PING if self._load.what is What.PINGS else CONNECT
        control = EndDeviceControl(
            mrid=self.message_id(index),
            end_device_control_type=Reference(ref=code),
            end_devices=(EndDevice(mrid=device),),
            usage_points=(ObjectReference(mrid=point),),
        )
        header = self._header(self.message_id(index))
        return Message(header=header, payload=EndDeviceControls(end_device_control=(control,)))

    def _header(self, message_id: str | None) -> Header:
        return Header(
            verb=self._verb,
            noun=self._noun,
            context=self._context,
            timestamp=self._began,
            source=ASKER,
            message_id=message_id,
        )


def refusal(told: bytes) -> str:
    """What an answer says of a failure: codes and reasons; it may be that of a product, and odd."""
    try:
        answer = Codec(CATALOGUE).decode(told, CONTENT_MSGPACK)
    except BusbarError as error:
        return f"it cannot be read: {error}"
    errors = () if answer.reply is None else answer.reply.error
    return "; ".join(f"{error.code} {error.reason}" for error in errors) or "it gives no reason"
