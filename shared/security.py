"""Who asks, for which context, and where an answer may go: judged against what the broker vouches for.

The broker lets a role publish only subjects that carry its own name, so the subject is the witness and the header of
the message the claim. A reply subject is the asker's input: it must be the asker's own inbox or reply subject, else
one role could make another write to a third.
"""

from datetime import datetime

from contracts.errors import Denied, Malformed
from contracts.message import Header
from shared.bus.subjects import ReplySubject, is_inbox_of

REPLAY_WINDOW_S = 300.0
"""How far ReplayDetection/Created may lie from the time of receipt."""


def check_header(header: Header, *, noun: str, verb: str, source: str, context: str) -> None:
    """Hold a header against the subject on which it came.

    Raises:
        Malformed: 1.5 a mandatory element is missing, 2.5 or 2.9 another noun or verb, 2.14 another source.
        Denied: 7.7 another context.
    """
    if header.noun != noun:
        raise Malformed(f"Header/Noun is '{header.noun}', but the subject says '{noun}'", code="2.5")
    if header.verb != verb:
        raise Malformed(f"Header/Verb is '{header.verb}', but the subject says '{verb}'", code="2.9")
    if header.source is None:
        raise Malformed("Header/Source is missing", code="1.5")
    if header.source != source:
        raise Malformed(f"Header/Source is '{header.source}', but the broker vouches for '{source}'", code="2.14")
    check_context(header, context)


def check_context(header: Header, context: str) -> None:
    """Refuse what belongs to another context; a header need not name its own.

    Raises:
        Denied: 7.7.
    """
    if header.context is not None and header.context.lower() != context:
        raise Denied(f"Header/Context is '{header.context}', but this is the context '{context.upper()}'", code="7.7")


def check_reply_inbox(reply_to: str, *, asker: str, context: str) -> None:
    """Refuse the inbox of somebody else.

    Raises:
        Denied: 7.7.
    """
    if not is_inbox_of(reply_to, context, asker):
        raise Denied(f"the reply subject is not an inbox of '{asker}'", code="7.7")


def reply_address(header: Header, *, root: str, context: str, asker: str, role: str) -> str:
    """Where the reply to an asynchronous request goes: Header/ReplyAddress, or what follows from the MessageID.

    Raises:
        Denied: 7.7, the address is another role's.
        Malformed: 1.8, there is no address and the MessageID cannot be part of one.
    """
    if not header.reply_address:
        try:
            return str(
                ReplySubject(
                    root=root, context=context, asker=asker, message_id=header.message_id or "", responder=role
                )
            )
        except ValueError as error:
            raise Malformed(f"Header/ReplyAddress is missing, and {error}") from error
    if is_inbox_of(header.reply_address, context, asker):
        return header.reply_address
    try:
        address = ReplySubject.parse(header.reply_address)
    except ValueError:
        address = None
    if address is None or (address.root, address.context, address.asker) != (root, context, asker):
        raise Denied(f"Header/ReplyAddress is not a reply subject of '{asker}'", code="7.7")
    if address.responder != role:
        raise Denied(f"Header/ReplyAddress is for the reply of '{address.responder}', not of '{role}'", code="7.7")
    return header.reply_address


def check_created(header: Header, received_at: datetime) -> None:
    """Judge the time of ReplayDetection.

    Raises:
        Denied: 7.4, the message is older or newer than the window allows.
    """
    detection = header.replay_detection
    if detection is not None and abs((received_at - detection.created).total_seconds()) > REPLAY_WINDOW_S:
        raise Denied(
            f"Header/ReplayDetection/Created is more than {REPLAY_WINDOW_S:.0f} s away from the time of receipt",
            code="7.4",
        )
