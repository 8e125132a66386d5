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
from itertools import count
from types import MappingProxyType
from typing import Any

from lxml import etree

from contracts.errors import Malformed
from contracts.message import NAMESPACE, Fault, Message, Result
from contracts.verbs import Verb
from shared.codec import CONTENT_XML, MAX_BYTES, Codec
from shared.codec.flaws import SPACE, flaw, unknown
from shared.codec.guard import Element, check_size, parse
from shared.codec.shape import namespace
from shared.codec.wire import EVENT, FAULT, OPERATION_SET, REQUEST, RESPONSE, root_of

CONTENT_TYPES = frozenset({CONTENT_XML, "text/xml", "application/soap+xml"})
"""The content types in which older clients send XML."""

MOST_LOOKS = 50_000_000
"""How often a namespace may be looked at, which takes some 30 ns: to rename an element is to look at all above it."""


class Leniency(StrEnum):
    """One way in which a message differed from the one form and was read nevertheless."""

    SOAP = "soap"
    """It stood in the body of a SOAP envelope, 1.1 or 1.2."""

    SOAP_HEADER = "soap-header"
    """Header blocks of SOAP, none of which had to be understood, were passed over."""

    TYPED_ROOT = "typed-root"
    """The root element named verb or noun (``CreatedEndDeviceEvents`` in ``.../EndDeviceEventsMessage``)."""

    ROOT_VERB = "root-verb"
    """The header of a typed event or response had the verb of the request; that of the root was taken."""

    ROOT_NOUN = "root-noun"
    """The header of a typed root had no noun that is known; the root's noun was taken."""

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
_SOAPS = frozenset({"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"})
_TYPED = re.compile(r"http://(?:www\.)?iec\.ch/TC57/[0-9]{4}/([A-Za-z]+)Message")
_PROFILE = re.compile(r"http://(?:www\.)?iec\.ch/TC57/[0-9]{4}/([A-Za-z]+)#")
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_MESSAGE = f"{{{NAMESPACE}}}"
_HEADER, _REQUEST, _PAYLOAD = (f"{_MESSAGE}{section}" for section in ("Header", "Request", "Payload"))
_OPERATION = f"{_PAYLOAD}/{_MESSAGE}{OPERATION_SET}/{_MESSAGE}Operation"
_KINDS = {REQUEST: None, RESPONSE: Verb.REPLY, EVENT: None, FAULT: None}
_ENVELOPED = (("Envelope", "Body"), ("Envelope", "Header", "Body"))
_VERBS = frozenset(verb.value for verb in Verb)


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
        """How many of the messages that were read took each leniency; what none took is not in it."""
        return MappingProxyType(self._counts)

    def decode(
        self, body: bytes, content_type: str, *, max_bytes: int = MAX_BYTES
    ) -> tuple[Message[Any] | Fault, tuple[Leniency, ...]]:
        """The message that ``body`` tells, and the leniencies that were needed to read it.

        Encodings other than XML have no older forms: the codec reads them.

        Raises:
            Malformed: as the codec; what the codec itself refused has no line, since it read another text.
        """
        if content_type.partition(";")[0].strip().lower() not in CONTENT_TYPES:
            return self._codec.decode(body, content_type, max_bytes=max_bytes), ()
        check_size(body, max_bytes)
        declared = body.count(b"xmlns")
        if declared * (declared + body.count(b"<")) > MOST_LOOKS:
            raise Malformed("the message declares too many namespaces for its size", code="3.1")
        root, taken = self._in_one_form(parse(body))
        written = etree.tostring(root, encoding="utf-8")
        try:
            # the size was checked, and renaming may have made it longer
            message = self._codec.decode(written, CONTENT_XML, max_bytes=len(written))
        except Malformed as error:
            raise Malformed(error.reason, code=error.code) from None
        self._counts.update(taken)
        return message, taken

    def _in_one_form(self, document: Element) -> tuple[Element, tuple[Leniency, ...]]:
        bound, taken = _without_soap(document)
        root = _on_its_own(bound)
        taken += _settle_envelope(root)
        if (typed := _TYPED.fullmatch(_space(root))) is not None:
            taken.append(Leniency.TYPED_ROOT)
            verb = _settle_root(root, typed[1])
            taken += _settle_verbs(root)
            taken += _obey_verb(root, verb)
            taken += self._obey_noun(root, typed[1].removeprefix("Get"))
        else:
            taken += _settle_verbs(root)
        if Leniency.EDITION_2 in taken:
            taken += _settle_abstract(root)
        taken += self._settle_profiles(root)
        taken += _settle_flag(root)
        taken += _settle_fault(root)
        return root, tuple(dict.fromkeys(taken))

    def _obey_noun(self, root: Element, noun: str) -> Iterator[Leniency]:
        """Let a typed root say what the noun is where the header names none that is known."""
        told = root.find(f"{_HEADER}/{_MESSAGE}Noun")
        if told is None or told.text in {noun, f"Get{noun}", OPERATION_SET}:
            return
        if told.text in self._spaces or noun not in self._spaces:
            raise flaw(told, "is another noun than that of the root element", code="2.5")
        told.text = noun
        yield Leniency.ROOT_NOUN

    def _settle_profiles(self, root: Element) -> Iterator[Leniency]:
        """Put the nouns of other years into the namespaces that are known here."""
        for above in (_REQUEST, _PAYLOAD, _OPERATION):
            for profile in root.iterfind(f"{above}/*"):
                space, name = _space(profile), _local(profile)
                match = _PROFILE.fullmatch(space)
                if match is not None and match[1] == name and self._spaces.get(name, space) != space:
                    _rename(profile, space, self._spaces[name])
                    yield Leniency.PROFILE_NAMESPACE


def _without_soap(document: Element) -> tuple[Element, list[Leniency]]:
    """The element that is the message, which may stand in a SOAP envelope."""
    space = _space(document)
    if space not in _SOAPS:
        return document, []
    *headers, body = document if len(document) else [document]
    tags = [document.tag, *(header.tag for header in headers), body.tag]
    if tags not in ([f"{{{space}}}{name}" for name in names] for names in _ENVELOPED):
        raise flaw(document, "is no Envelope of SOAP with a Body")
    if len(body) != 1:
        raise flaw(body, "holds none or several messages")
    for around in (document, body):
        if any((text or "").strip(SPACE) for text in (around.text, *(child.tail for child in around))):
            raise flaw(around, "holds text between its elements")
    blocks = [block for header in headers for block in header]
    for block in blocks:
        if block.get(f"{{{space}}}mustUnderstand", "0") not in {"0", "false"}:
            raise flaw(block, "must be understood, and no header of SOAP is understood here")
    return body[0], [Leniency.SOAP, Leniency.SOAP_HEADER] if blocks else [Leniency.SOAP]


def _on_its_own(bound: Element) -> Element:
    """A root element like ``bound``, which has the namespace of the envelope ready for those to be renamed."""
    free = next(prefix for number in count() if (prefix := f"m{number}") not in bound.nsmap)
    spaces: Any = {**bound.nsmap, free: NAMESPACE}  # the stubs do not know that a prefix may be None
    root = etree.Element(bound.tag, nsmap=spaces)
    for name, value in bound.items():
        root.set(name, value)
    root.text = bound.text
    root.extend(list(bound))
    return root


def _settle_envelope(root: Element) -> Iterator[Leniency]:
    for space, leniency in _ENVELOPES.items():
        if _rename(root, space, NAMESPACE):
            yield leniency


def _settle_root(root: Element, noun: str) -> Verb | None:
    """Give a typed root for ``noun`` its generic name; the verb that it names, if it names one.

    Raises:
        Malformed: 1.8 for a name that no rule of the bindings makes.
    """
    name = _local(root)
    roots = {f"{asked}{kind}": (kind, verb) for kind, verb in _KINDS.items() for asked in (noun, f"Get{noun}")}
    roots |= {f"{verb.capitalize()}{noun}": (root_of(verb), verb) for verb in Verb if verb is not Verb.REPLY}
    if name not in roots:
        raise unknown(root)
    generic, verb = roots[name]
    _rename(root, _space(root), NAMESPACE)
    root.tag = _MESSAGE + generic
    return verb


def _settle_verbs(root: Element) -> Iterator[Leniency]:
    for path in (f"{_HEADER}/{_MESSAGE}Verb", f"{_OPERATION}/{_MESSAGE}verb"):
        for told in root.iterfind(path):
            text = told.text or ""
            if text not in _VERBS and text.lower() in _VERBS:
                told.text = text.lower()
                yield Leniency.CAPITAL_VERB


def _obey_verb(root: Element, verb: Verb | None) -> Iterator[Leniency]:
    """Let a typed root say that something was done or is answered where the header says that it is to be done.

    Never the other way round: what tells must not become an order.
    """
    told = root.find(f"{_HEADER}/{_MESSAGE}Verb")
    if told is None or verb is None or told.text == verb or told.text not in _VERBS:
        return
    other = Verb(told.text)
    if not other.is_request or (verb is not Verb.REPLY and (other is Verb.GET or other.past is not verb)):
        raise flaw(told, "is another verb than that of the root element", code="2.9")
    told.text = verb.value
    yield Leniency.ROOT_VERB


def _settle_abstract(root: Element) -> Iterator[Leniency]:
    """Give an AbstractPayload the name of the profile that its ``xsi:type`` says it is."""
    for payload in root.iterfind(f"{_PAYLOAD}/{_MESSAGE}AbstractPayload[@{_XSI_TYPE}]"):
        prefix, _, name = str(payload.get(_XSI_TYPE)).strip(SPACE).rpartition(":")
        match = _PROFILE.fullmatch(payload.nsmap.get(prefix or None, ""))
        if match is not None and match[1] == name:
            del payload.attrib[_XSI_TYPE]
            payload.tag = f"{{{match[0]}}}{name}"
            yield Leniency.ABSTRACT_PAYLOAD


def _settle_flag(root: Element) -> Iterator[Leniency]:
    flag = root.find(f"{_PAYLOAD}/{_MESSAGE}Compressed")
    if flag is None or len(flag) or (flag.text or "").strip(SPACE) != "false" or (flag.tail or "").strip(SPACE):
        return
    payload = flag.getparent()
    if payload is not None and any(_space(beside) != NAMESPACE for beside in payload):
        payload.remove(flag)
        yield Leniency.COMPRESSED_FLAG


def _settle_fault(root: Element) -> Iterator[Leniency]:
    if root.tag == f"{_MESSAGE}{FAULT}" and len(root) == 0:
        reply = etree.SubElement(root, f"{_MESSAGE}Reply")
        etree.SubElement(reply, f"{_MESSAGE}Result").text = Result.FAILED.value
        error = etree.SubElement(reply, f"{_MESSAGE}Error")
        etree.SubElement(error, f"{_MESSAGE}code").text = Malformed.code
        yield Leniency.EMPTY_FAULT


def _rename(top: Element, old: str, new: str) -> bool:
    """Move every element from ``top`` down from one namespace into another; True when there was one."""
    elements = list(top.iter(f"{{{old}}}*"))
    for element in elements:
        element.tag = f"{{{new}}}{_local(element)}"
    return bool(elements)


def _space(element: Element) -> str:
    return str(element.tag)[1:].partition("}")[0] if str(element.tag).startswith("{") else ""


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
