"""Messages in the older namespaces and bindings, turned into the one form; for those who ask for it.

The codec reads the envelope of 61968-100:2013 and nothing else. Clients in the field write what was there before, or
beside, it: drafts of 2008, 2010 and 2011, typed services with a root element for each verb and noun, SOAP. A
:class:`LegacyReader` rewrites such a message step by step until it is in the one form, gives it to the codec, which
stays the only judge of it, and tells and counts each :class:`Leniency` that it took. What is in none of these forms is
refused as ever. Whoever takes messages from outside uses it; nothing inside does.

Of a SOAP document only the body is read. Header blocks that must be understood are refused, since nothing here
understands any; others are passed over. Security that a caller demands is the business of who takes the message in.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from lxml import etree

from contracts.errors import Malformed
from contracts.message import NAMESPACE, Fault, Message
from contracts.verbs import Verb
from shared.codec import CONTENT_XML, MAX_BYTES, Codec
from shared.codec.flaws import SPACE, unknown
from shared.codec.guard import Element, check_size, parse
from shared.codec.shape import namespace
from shared.codec.wire import EVENT, FAULT, REQUEST, RESPONSE, root_of

CONTENT_TYPES = frozenset({CONTENT_XML, "text/xml", "application/soap+xml"})
"""The content types in which older clients send XML."""


class Leniency(StrEnum):
    """One way in which a message differed from the one form and was read nevertheless."""

    SOAP = "soap"
    """It stood in the body of a SOAP envelope, 1.1 or 1.2."""

    SOAP_HEADER = "soap-header"
    """Header blocks of SOAP, none of which had to be understood, were passed over."""

    TYPED_ROOT = "typed-root"
    """The root element named verb or noun (``CreatedEndDeviceEvents`` in ``.../EndDeviceEventsMessage``)."""

    ROOT_VERB = "root-verb"
    """The header of a typed root had another tense than the root, or no ``reply`` in a response; the root's was taken."""

    ROOT_NOUN = "root-noun"
    """The header of a typed root had no noun that is known; the root's was taken."""

    NAMESPACE_2008 = "namespace-2008"
    """The envelope was in the namespace of the draft of 2008."""

    NAMESPACE_2010 = "namespace-2010"
    """The envelope was in the namespace of the draft of 2010."""

    NAMESPACE_2011_WWW = "namespace-2011-www"
    """The envelope was in the namespace of the draft of 2011, which begins with ``www``."""

    EDITION_2 = "edition-2-unverified"
    """The envelope was in the namespace of Edition 2 (2021), whose schema is not public: it was read as Edition 1."""

    ABSTRACT_PAYLOAD = "abstract-payload-unverified"
    """An ``AbstractPayload`` of Edition 2 said by its ``xsi:type`` which profile it is."""

    PROFILE_NAMESPACE = "profile-namespace"
    """A noun stood in the namespace of another year, or with ``www``; it was read as the profile that is known here."""

    CAPITAL_VERB = "capital-verb"
    """The verb had capital letters, as in the draft of 2008."""

    COMPRESSED_FLAG = "compressed-flag"
    """``Compressed`` said ``false`` beside a noun that is not compressed."""

    EMPTY_FAULT = "empty-fault"
    """A FaultMessage had nothing in it, as in the draft of 2010; it was read as FAILED with 1.8."""


_ENVELOPES = {
    "http://www.iec.ch/TC57/2008/schema/message": Leniency.NAMESPACE_2008,
    "http://www.iec.ch/TC57/2010/schema/message": Leniency.NAMESPACE_2010,
    "http://www.iec.ch/TC57/2011/schema/message": Leniency.NAMESPACE_2011_WWW,
    "http://iec.ch/TC57/2021/schema/message": Leniency.EDITION_2,
}
_SOAPS = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_TYPED = re.compile(r"\{http://(?:www\.)?iec\.ch/TC57/[0-9]{4}/([A-Za-z]+)Message#?\}([A-Za-z]+)")
_PROFILE = re.compile(r"\{(http://(?:www\.)?iec\.ch/TC57/[0-9]{4}/([A-Za-z]+)#)\}\2")
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_MESSAGE = f"{{{NAMESPACE}}}"
_EMPTY_FAULT = (("Result", "FAILED"), ("code", "1.8"))


class LegacyReader:
    """Reads messages in any of the older forms, and in the one form.

    Args:
        codec: what the messages are turned into is read by it.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._spaces = {name: namespace(noun) for name, noun in codec.profiles.nouns.items()}
        self._counts: Counter[Leniency] = Counter()

    @property
    def counts(self) -> Mapping[Leniency, int]:
        """How many of the messages read so far took each leniency; those that took none are not in it."""
        return MappingProxyType(self._counts)

    def decode(
        self, body: bytes, content_type: str, *, max_bytes: int = MAX_BYTES
    ) -> tuple[Message[Any] | Fault, tuple[Leniency, ...]]:
        """The message that ``body`` tells, and the leniencies that were needed to read it.

        Encodings other than XML have no older forms: the codec reads them.

        Raises:
            Malformed: as the codec; without a line, since it was not the message itself that the codec read.
        """
        if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
            return self._codec.decode(body, content_type, max_bytes=max_bytes), ()
        check_size(body, max_bytes)
        root, taken = self._in_one_form(parse(body))
        written = etree.tostring(root, encoding="utf-8", with_tail=False)
        try:
            # the size was checked, and the namespaces of what was around the message may have made it longer
            message = self._codec.decode(written, CONTENT_XML, max_bytes=len(written))
        except Malformed as error:
            raise Malformed(error.reason, code=error.code) from None
        self._counts.update(taken)
        return message, taken

    def _in_one_form(self, document: Element) -> tuple[Element, tuple[Leniency, ...]]:
        taken: dict[Leniency, None] = {}
        root = _without_soap(document, taken)
        _rename_envelope(root, taken)
        typed = _TYPED.fullmatch(root.tag)
        if typed is not None:
            taken[Leniency.TYPED_ROOT] = None
            verb = _rename_typed(root, typed[1], typed[2])
            _settle_verb(root, taken)
            self._obey_root(root, verb, typed[1].removeprefix("Get"), taken)
        else:
            _settle_verb(root, taken)
        for section in ("Request", "Payload"):
            for profile in root.iterfind(f"{_MESSAGE}{section}/*"):
                self._rename_profile(profile, taken)
        _drop_flag(root, taken)
        _fill_fault(root, taken)
        return root, tuple(taken)
