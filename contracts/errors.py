"""What can go wrong, as one tree, with the reply codes of IEC 61968-9.

::

    BusbarError
    ├── Rejected      the rule says no: FAILED, never tried again       HTTP 422
    │   ├── NotFound                                                        404
    │   ├── Conflict                                                        409
    │   └── Invalid                                                         422
    ├── Denied        who you are: FAILED 7.x, never tried again         401/403
    ├── Malformed     not our contract: FAILED 1.x or 2.x, never again      400
    └── Unavailable   not now: FAILED 5.1; commands and events wait         503

Anything else that is raised is a defect: FAILED 5.3 without details, tried again, then a dead letter.
:func:`to_reply` and :func:`from_reply` are the only places where exceptions meet the wire.
"""

from contracts.message import Error, Id, Level, Reply, Result


class BusbarError(Exception):
    """A reason that the other side may read, with its reply code.

    Attributes:
        code: reply code of 61968-9, such as ``2.12``.
        reason: one sentence that names the field or the object.
        object_id: the identifier that the error is about, if one is.
    """

    code = "5.3"

    def __init__(self, reason: str, *, code: str | None = None, object_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code or type(self).code
        self.object_id = object_id


class Rejected(BusbarError):
    """The rule says no; asking again does not help."""

    code = "6.1"


class NotFound(Rejected):
    """The object that the request names is not known here."""

    code = "2.15"


class Conflict(Rejected):
    """The object is in a state that does not allow this."""

    code = "5.2"


class Invalid(Rejected):
    """The request is well-formed and makes no sense."""

    code = "2.29"


class Denied(BusbarError):
    """The asker may not do this, or is not who the message says."""

    code = "7.5"


class Malformed(BusbarError):
    """The message does not honour the contract.

    Attributes:
        line: the line of the message at which it breaks the contract, if the encoding has lines.
    """

    code = "1.8"

    def __init__(
        self, reason: str, *, code: str | None = None, object_id: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(reason, code=code, object_id=object_id)
        self.line = line


class Unavailable(BusbarError):
    """Not now: a neighbour or a resource is away, or there is too much to do."""

    code = "5.1"


DEFECT = Error(code="5.3", level=Level.FATAL, reason="the request was attempted and failed inside the service")


def to_reply(error: BaseException) -> Reply:
    """The reply that tells ``error``; a defect tells nothing of itself."""
    if not isinstance(error, BusbarError):
        return Reply(result=Result.FAILED, error=(DEFECT,))
    line = getattr(error, "line", None)
    reason = error.reason if line is None else f"{error.reason} (line {line})"
    about = None if error.object_id is None else Id(value=error.object_id)
    return Reply(result=Result.FAILED, error=(Error(code=error.code, level=Level.FATAL, reason=reason, id=about),))


def from_reply(reply: Reply) -> BusbarError | None:
    """The exception that a failed ``reply`` tells of, or None when it did not fail."""
    if reply.result is not Result.FAILED:
        return None
    first = reply.error[0] if reply.error else Error(code="5.3", reason="the request failed without a reason")
    object_id = None if first.id is None else first.id.value
    kind = _KIND_OF_CODE.get(first.code) or _KIND_OF_CATEGORY.get(first.code.partition(".")[0], Rejected)
    return kind(first.reason or f"the request failed with code {first.code}", code=first.code, object_id=object_id)


_KIND_OF_CODE: dict[str, type[BusbarError]] = {
    "2.5": Malformed,
    "2.9": Malformed,
    "2.15": NotFound,
    "2.29": Invalid,
    "3.2": Unavailable,
    "4.1": Unavailable,
    "5.1": Unavailable,
    "5.2": Conflict,
}
_KIND_OF_CATEGORY: dict[str, type[BusbarError]] = {"1": Malformed, "2": Invalid, "7": Denied}
