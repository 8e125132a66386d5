"""What comes of asking a meter whether it has power: five results, told apart by the code of the reply (ours).

The results are those of products [V]; which code of IEC 61968-9 says which is our choice, as no public text says it.
"""

from enum import StrEnum

from contracts.message import Reply, Result


class PingResult(StrEnum):
    """What is known after a ping."""

    ON = "on"
    """The meter has answered, so it has power."""
    OFF = "off"
    """The meter, or its battery, has answered that it has none."""
    UNKNOWN = "unknown"
    """There was no answer in time; nothing follows from that."""
    COMMUNICATION_FAILURE = "communicationFailure"
    """The head-end cannot reach it now; nothing follows from that about its power."""
    UNKNOWN_ID = "unknownId"
    """There is no such meter."""


CODES: dict[PingResult, str] = {
    PingResult.OFF: "5.3",
    PingResult.UNKNOWN: "4.1",
    PingResult.COMMUNICATION_FAILURE: "5.6",
    PingResult.UNKNOWN_ID: "2.4",
}
"""The code of a reply that is FAILED; one that is OK says that the meter has power."""


def ping_result(reply: Reply) -> PingResult | None:
    """What a reply to a ping says; None where the ping itself was refused."""
    if reply.result is not Result.FAILED:
        return PingResult.ON
    codes = {error.code for error in reply.error}
    return next((result for result, code in CODES.items() if code in codes), None)
